import {appendFile, mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {listRunRows, readRunRow} from '../../../src/fleet/run-rows.ts';
import {followRunOnDisk, type FollowedRun, type RunStore} from '../../../src/fleet/run-store.ts';
import type {TriremeEvent} from '../../../src/kernel/event.ts';
import {recordedRun} from '../../contract/recorded-run.ts';

const run = '20261123-120000-beef';
const cluster = 'berth';
const [first] = recordedRun;
const last = recordedRun.at(-1) as TriremeEvent;

describe('runs on disk', () => {
  let folder: string;
  let path: string;
  let stores: RunStore[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trireme-runs-'));
    await mkdir(join(folder, 'runs'));
    await mkdir(join(folder, 'locks'));
    path = join(folder, 'runs', `${run}.ndjson`);
    stores = [];
  });
  afterEach(async () => {
    for (const store of stores) store.stop();
    await rm(folder, {recursive: true, force: true});
  });

  const header = (pid = process.pid, name = run) =>
    `${JSON.stringify({ledger: 1, run: name, operation: 'apply', cluster, mode: 'agent', files: ['/f'], specDigest: '', basisDigest: '', program: '0', startedAt: first?.at, pid})}\n`;
  const lines = (events: readonly TriremeEvent[]) => events.map((event) => `${JSON.stringify(event)}\n`).join('');
  const lock = (name = run) => writeFile(join(folder, 'locks', `${cluster}.json`), JSON.stringify({run: name, pid: process.pid}));
  const follow = () => {
    const store = followRunOnDisk(folder, run, {interval: 5, lifeInterval: 10});
    stores.push(store);
    return store;
  };
  /** Resolves as soon as the store's value is as wanted. */
  const until = (store: RunStore, wanted: (value: FollowedRun) => boolean) =>
    new Promise<FollowedRun>((resolve) => {
      const look = () => {
        if (wanted(store.get())) resolve(store.get());
      };
      store.subscribe(look);
      look();
    });
  const goneId = async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'close');
    return child.pid as number;
  };

  it('follows a run while another program writes it, to its end', async () => {
    await lock();
    await writeFile(path, header() + lines(recordedRun.slice(0, 8)));
    const store = follow();
    const begun = await until(store, (value) => value.state === 'running' && value.view.run !== '');
    expect(begun.view.hosts.find((host) => host.host === 'bow')?.transfer).toMatchObject({sent: 1024});
    await appendFile(path, lines(recordedRun.slice(8)));
    const ended = await until(store, (value) => value.state === 'finished');
    expect(ended.view).toMatchObject({outcome: 'failed', ms: 2400});
    expect(ended.recent).toHaveLength(recordedRun.length);
  });

  it('waits for the other half of a line, even when a character was cut in two', async () => {
    await lock();
    const whole = Buffer.from(lines([{...(first as TriremeEvent), subject: 'Zürich ⚓'} as TriremeEvent, ...recordedRun.slice(1, 3)]));
    const middle = whole.indexOf(Buffer.from('⚓')) + 1;
    await writeFile(path, Buffer.concat([Buffer.from(header()), whole.subarray(0, middle)]));
    const store = follow();
    expect(await until(store, (value) => value.isCut)).toMatchObject({damaged: 0, recent: []});
    await appendFile(path, whole.subarray(middle));
    const read = await until(store, (value) => value.recent.length === 3);
    expect(read).toMatchObject({damaged: 0, isCut: false});
    expect((read.recent[0] as {subject?: string}).subject).toBe('Zürich ⚓');
  });

  it('counts a line that is damaged and reads on behind it', async () => {
    await lock();
    await writeFile(path, `${header()}${lines(recordedRun.slice(0, 2))}{"type":"step.fin\u0000\n${lines([last])}`);
    expect(await until(follow(), (value) => value.state === 'finished')).toMatchObject({damaged: 1, view: {outcome: 'failed'}});
  });

  it('says that a run broke off when its program is gone', async () => {
    const pid = await goneId();
    await lock();
    await writeFile(path, header(pid) + lines(recordedRun.slice(0, 5)));
    expect(await until(follow(), (value) => value.state === 'broken-off')).toMatchObject({view: {operation: 'apply'}});
    expect((await readRunRow(folder, run)).state).toBe('broken-off');
  });

  it('is not taken in by another process that has the same id by now', async () => {
    await lock('20270101-000000-0000');
    await writeFile(path, header(process.pid) + lines(recordedRun.slice(0, 5)));
    expect((await readRunRow(folder, run)).state).toBe('broken-off');
    await lock();
    expect((await readRunRow(folder, run)).state).toBe('running');
  });

  it('reads the end of a run whose last line is longer than what is read at once', async () => {
    const hosts = Array.from({length: 4000}, (_, index) => ({host: `host-${index}-${'x'.repeat(60)}`, outcome: 'changed' as const}));
    await writeFile(path, header() + lines([...recordedRun.slice(0, -1), {...last, hosts, outcome: 'succeeded'} as TriremeEvent]));
    const row = await readRunRow(folder, run);
    expect(row).toMatchObject({state: 'finished', outcome: 'succeeded', ms: 2400});
    expect(row.hosts).toHaveLength(4000);
  });

  it('lists the newest first, of one cluster or of all, and says which record is unreadable', async () => {
    await writeFile(path, header() + lines(recordedRun));
    await writeFile(join(folder, 'runs', '20261124-000000-aaaa.ndjson'), header(1, '20261124-000000-aaaa').replace('berth', 'web') + lines(recordedRun));
    await writeFile(join(folder, 'runs', '20261125-000000-bbbb.ndjson'), 'not a journal\n');
    const all = await listRunRows(folder, {max: 10});
    expect(all.map((row) => [row.run.slice(-4), row.state])).toEqual([
      ['bbbb', 'unreadable'],
      ['aaaa', 'finished'],
      ['beef', 'finished'],
    ]);
    expect((await listRunRows(folder, {max: 10, cluster: 'web'})).map((row) => row.run.slice(-4))).toEqual(['aaaa']);
    expect(await listRunRows(folder, {max: 1})).toHaveLength(1);
    expect(await listRunRows(join(folder, 'nowhere'), {max: 1})).toEqual([]);
  });

  it('says that a run which was never recorded is unreadable', async () => {
    expect((await until(follow(), (value) => value.state !== 'looking')).state).toBe('unreadable');
  });
});
