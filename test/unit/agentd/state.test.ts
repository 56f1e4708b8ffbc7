import {mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {fullDiskOf} from '../../../src/agentd/host-system.ts';
import {SeenFile, WantedStore} from '../../../src/agentd/state.ts';
import type {AgentState} from '../../../src/hostcluster/protocol.ts';

describe("the agent's state folder", () => {
  test('is rid of what a power cut left of writes, and of nothing else', async () => {
    const root = await mkdtemp(join(tmpdir(), 'state-'));
    const folder = join(root, 'var/lib/trireme');
    await mkdir(join(folder, 'content'), {recursive: true});
    const kept = ['events.ndjson', 'lock.json', 'secrets.json', 'secrets.json.4712', 'maintained.json'];
    const gone = ['records.json.0123456789ab.tmp', 'wanted.json.ba9876543210.tmp', 'lock.json.4711', 'secrets.json.4711'];
    for (const name of [...kept, ...gone]) await writeFile(join(folder, name), '{}');
    const before = Date.now() / 1000 - 60;
    for (const name of ['lock.json.4711', 'secrets.json.4711']) await utimes(join(folder, name), before, before);
    await new WantedStore((path) => join(root, path)).load();
    // a script of the operator's may just be at work with secrets.json.4712
    expect((await readdir(folder)).toSorted()).toEqual(['content', ...kept].toSorted());
    await rm(root, {recursive: true});
  });
});

describe('what the agent saw', () => {
  test('is on disk when it has been written, also by somebody else who is still at it', async () => {
    const root = await mkdtemp(join(tmpdir(), 'seen-'));
    const path = join(root, 'seen.json');
    const seen = new SeenFile(path);
    const state = {version: '1', wanted: null} as AgentState;
    void seen.write(state);
    await seen.write(state);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(state);
    await rm(root, {recursive: true});
  });
});

describe('a program that fails', () => {
  test('because the disk is full is told as that, with the host, what it said and what to do', () => {
    const said = 'unpacking\nctr: failed to ingest "blobs/sha256/1": write /var/lib/containerd/x: no space left on device\n';
    expect(fullDiskOf({name: 'h4'}, 'containerd', said)).toMatchObject({
      code: 'host.disk-full',
      host: 'h4',
      message: expect.stringMatching(/no room left on h4: containerd says: ctr: .*no space left on device/),
      hints: [expect.stringContaining('df -h')],
    });
    expect(fullDiskOf({name: 'h4'}, 'containerd', 'ctr: connection refused')).toBeUndefined();
  });
});
