// What the agent keeps on disk, when the disk is full: nothing ends, nothing is claimed that isn't written, and room mends it.
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {EventLog} from '../../../src/agentd/event-log.ts';
import {Records} from '../../../src/agentd/records.ts';
import {SeenFile} from '../../../src/agentd/state.ts';
import type {AgentState} from '../../../src/hostcluster/protocol.ts';
import {problemOf} from '../../../src/kernel/problem.ts';
import {Redactor} from '../../../src/kernel/redact.ts';
import {mountSmallDisk, whyNoMount, type SmallDisk} from '../../support/small-disk.ts';

const noMount = await whyNoMount();

describe.skipIf(noMount !== undefined)(`the agent on a full disk${noMount === undefined ? '' : ` (skipped: ${noMount})`}`, () => {
  let folder: string;
  let disk: SmallDisk;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'full-'));
    disk = await mountSmallDisk(folder, 64);
  });
  afterEach(async () => {
    await disk.unmount();
    await rm(folder, {recursive: true, force: true});
  });

  test('its memory refuses what it cannot keep, says why, and keeps all once there is room', async () => {
    const path = join(folder, 'records.json');
    const records = await Records.open(path);
    await disk.fill();
    const failure = await records.set('done.files', 'x').then(
      () => undefined,
      (error: unknown) => problemOf(error),
    );
    expect(failure).toMatchObject({code: 'host.disk-full', exit: 1});
    await disk.clear();
    await records.set('done.files', 'x');
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({'done.files': 'x'});
  });

  test('its state is written again once there is room', async () => {
    const path = join(folder, 'seen.json');
    const seen = new SeenFile(path);
    const state = {version: '1', wanted: null} as AgentState;
    await disk.fill();
    await seen.write(state);
    await expect(readFile(path, 'utf8')).rejects.toMatchObject({code: 'ENOENT'});
    await disk.clear();
    await seen.write(state);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(state);
  });

  test('its events still reach those who follow, and the record goes on after the gap', async () => {
    const log = new EventLog({path: join(folder, 'events.ndjson'), redactor: new Redactor()});
    const heard: number[] = [];
    log.follow(({seq}) => heard.push(seq));
    const warn = () => log.write('run', {type: 'warning.raised', code: 'test', message: 'a line of text '.repeat(20)});
    await disk.fill();
    warn();
    await disk.clear();
    warn();
    expect(heard).toEqual([1, 2]);
    const kept: number[] = [];
    for await (const {seq} of log.replay(0)) kept.push(seq);
    expect(kept).toEqual([2]);
  });
});
