import {appendFile, mkdtemp, rm, stat} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {EventLog} from '../../../src/agentd/event-log.ts';
import {Redactor} from '../../../src/kernel/redact.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tr-events-'));
  path = join(folder, 'events.ndjson');
});
afterEach(() => rm(folder, {recursive: true, force: true}));

const open = (limit?: number) => new EventLog({path, redactor: new Redactor(), ...(limit === undefined ? {} : {limit})});
const warn = (log: EventLog, message: string) => log.write('run', {type: 'warning.raised', code: 'test', message});
async function replay(log: EventLog, after = 0): Promise<readonly number[]> {
  const list: number[] = [];
  for await (const event of log.replay(after)) list.push(event.seq);
  return list;
}

describe('the event log', () => {
  it('numbers on after a restart, past a line that a power cut left half-written', async () => {
    const before = open();
    warn(before, 'one');
    warn(before, 'two');
    await appendFile(path, '{"type":"warning.ra');
    const after = open();
    expect(after.lastSeq).toBe(2);
    warn(after, 'three');
    expect(await replay(after)).toEqual([1, 2, 3]);
    expect(await replay(after, 2)).toEqual([3]);
  });

  it('keeps at most two files and stays in order over the rotation', async () => {
    const log = open(1000);
    for (let index = 0; index < 40; index += 1) warn(log, 'a line of some length, to fill the file');
    const seqs = await replay(log);
    expect(seqs.at(-1)).toBe(40);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    expect((await stat(path)).size + (await stat(`${path}.1`)).size).toBeLessThan(2600);
    expect(open(1000).lastSeq).toBe(40);
  });

  it('never writes a secret', async () => {
    const redactor = new Redactor();
    redactor.add('abcdef.0123456789abcdef');
    const log = new EventLog({path, redactor});
    const seen: string[] = [];
    log.follow((event) => seen.push(JSON.stringify(event)));
    warn(log, 'the token is abcdef.0123456789abcdef');
    expect(seen[0]).toContain('[redacted]');
    expect(seen[0]).not.toContain('0123456789abcdef');
  });
});
