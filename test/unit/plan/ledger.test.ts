import {appendFile, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {Journal} from '../../../src/kernel/journal.ts';
import {Redactor} from '../../../src/kernel/redact.ts';
import {findUnfinishedRun, Ledger, listRuns, readRun} from '../../../src/plan/ledger.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ledger-'));
});
afterEach(() => rm(folder, {recursive: true}));

function open(run: string, cluster = 'berth'): {ledger: Ledger; journal: Journal} {
  const ledger = new Ledger(folder, {
    run,
    operation: 'apply',
    cluster,
    mode: 'agent',
    files: ['/x/trireme.yaml'],
    specDigest: 'sha256:0',
    basisDigest: 'sha256:1',
    program: '0.1.0',
    startedAt: '2026-01-01T00:00:00Z',
    pid: 1,
  });
  const journal = new Journal({run, redactor: new Redactor()});
  journal.subscribe(ledger.write);
  return {ledger, journal};
}

describe('the ledger', () => {
  test('gives back the header and every event in order', async () => {
    const {ledger, journal} = open('r1');
    journal.emit({type: 'phase.started', phase: 'Push', steps: 1});
    journal.emit({type: 'run.finished', outcome: 'succeeded', ms: 5, hosts: []});
    ledger.close();
    const record = await readRun(folder, 'r1');
    expect(record.header).toMatchObject({run: 'r1', cluster: 'berth'});
    expect(record.events.map((event) => [event.seq, event.type])).toEqual([
      [1, 'phase.started'],
      [2, 'run.finished'],
    ]);
    expect(record).toMatchObject({outcome: 'succeeded', truncated: false});
  });

  test('drops a last line that was cut by a kill, and says so', async () => {
    const {ledger, journal} = open('r1');
    journal.emit({type: 'phase.started', phase: 'Push', steps: 1});
    ledger.close();
    await appendFile(ledger.path, '{"type":"step.st');
    const record = await readRun(folder, 'r1');
    expect(record.events).toHaveLength(1);
    expect(record).toMatchObject({outcome: undefined, truncated: true});
  });

  test('refuses a line in the middle that cannot be read', async () => {
    const {ledger} = open('r1');
    ledger.close();
    await appendFile(ledger.path, 'garbage\n{}\n');
    await expect(readRun(folder, 'r1')).rejects.toMatchObject({code: 'ledger.damaged'});
  });

  test('finds the newest unfinished run of a cluster, and none once a later one succeeded', async () => {
    open('20260101-000000-aaaa').ledger.close();
    open('20260102-000000-aaaa', 'other').ledger.close();
    expect((await findUnfinishedRun(folder, 'berth'))?.header.run).toBe('20260101-000000-aaaa');
    const {ledger, journal} = open('20260103-000000-aaaa');
    journal.emit({type: 'run.finished', outcome: 'succeeded', ms: 1, hosts: []});
    ledger.close();
    expect(await findUnfinishedRun(folder, 'berth')).toBeUndefined();
    expect(await listRuns(folder)).toEqual(['20260103-000000-aaaa', '20260102-000000-aaaa', '20260101-000000-aaaa']);
  });

  test('never writes a run over another', () => {
    open('r1').ledger.close();
    expect(() => open('r1')).toThrow(/EEXIST/);
  });
});
