// A host that left the file, on simulated hosts: asked for by name, drained, taken out, and left as it was before. The whole story is in test/long/members.test.ts.
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {pathsBelow} from '../../support/file-tree.ts';
import {startTestSandbox, type TestSandbox} from '../../support/sandbox-run.ts';
import {resultOf} from '../../support/trireme.ts';

describe('a host that left the file', () => {
  let sandbox: TestSandbox;
  let root: string;
  let before: readonly string[];
  beforeAll(async () => {
    sandbox = await startTestSandbox({controlPlanes: 1, workers: 1});
    root = sandbox.hosts.find((host) => host.name === 'w1')?.root ?? '';
    for (const folder of ['run', 'usr/local/bin', 'usr/local/lib', 'var/lib']) await mkdir(join(root, folder), {recursive: true});
    await mkdir(join(root, 'opt/cni/bin'), {recursive: true});
    await writeFile(join(root, 'opt/cni/bin/of-the-user'), '');
    before = await pathsBelow(root);
    await sandbox.trireme(['apply', '--yes']);
    const text = await readFile(sandbox.file, 'utf8');
    await writeFile(sandbox.file, text.replace(/^.*name: w1,.*\n/m, ''));
  }, 60_000);
  afterAll(() => sandbox?.stop());

  it('is asked for by its name, and nothing is done without it', async () => {
    const ran = await sandbox.trireme(['apply', '--yes']);
    expect(ran.code, ran.stderr).toBe(2);
    expect(ran.stderr).toContain('--confirm w1');
  });

  it('is taken out and reset: nothing of ours is left on it, and the next plan says unchanged', async () => {
    const ran = await sandbox.trireme(['apply', '--yes', '--confirm', 'w1', '-o', 'json']);
    expect(ran.code, ran.stderr).toBe(0);
    expect(resultOf<{plan: {hosts: {host: string; state: string}[]}}>(ran).plan.hosts.find((host) => host.host === 'w1')?.state).toBe('removed');
    expect(await pathsBelow(root)).toEqual(before);
    const plan = await sandbox.trireme(['plan', '--exit-code']);
    expect(plan.code, plan.stdout).toBe(0);
  }, 60_000);
});
