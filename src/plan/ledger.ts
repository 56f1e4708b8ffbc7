// Runs on disk: one append-only NDJSON file a run, a header and then every event. What `--resume` and `history` read.
import {randomBytes} from 'node:crypto';
import {closeSync, fsyncSync, mkdirSync, openSync, writeSync} from 'node:fs';
import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {TriremeError} from '../kernel/errors.ts';
import type {RunOutcome, TriremeEvent} from '../kernel/event.ts';

const format = 1;

export interface RunHeader {
  readonly ledger: typeof format;
  readonly run: string;
  readonly operation: string;
  readonly cluster: string;
  readonly mode: string;
  /** Absolute paths of the files that said what is wanted; a saved plan's own path when one was applied. */
  readonly files: readonly string[];
  readonly specDigest: string;
  readonly basisDigest: string;
  readonly program: string;
  readonly startedAt: string;
  readonly pid: number;
  readonly resumed?: string;
}

export interface RunRecord {
  readonly header: RunHeader;
  readonly events: readonly TriremeEvent[];
  /** Undefined for a run that is going on or was killed. */
  readonly outcome: RunOutcome | undefined;
  /** True when the last line was cut off; what is before it is whole. */
  readonly truncated: boolean;
}

/** A sortable name for a run: UTC time and four random characters, `20261123-231605-k3f9`. */
export function newRunId(now: Date = new Date()): string {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${stamp}-${randomBytes(2).toString('hex')}`;
}

/** Events that must be on disk before the next thing happens. */
const flushed: ReadonlySet<TriremeEvent['type']> = new Set(['run.started', 'step.started', 'step.finished', 'run.finished', 'question.asked']);

/** The open ledger of a run. Writes are in order and synchronous: a step isn't begun before its line is on disk. */
export class Ledger {
  readonly path: string;
  readonly #file: number;

  constructor(folder: string, header: Omit<RunHeader, 'ledger'>) {
    mkdirSync(join(folder, 'runs'), {recursive: true, mode: 0o700});
    this.path = join(folder, 'runs', `${header.run}.ndjson`);
    this.#file = openSync(this.path, 'ax', 0o600);
    writeSync(this.#file, `${JSON.stringify({ledger: format, ...header})}\n`);
    fsyncSync(this.#file);
  }

  /** Subscribe this to the run's journal. */
  readonly write = (event: TriremeEvent): void => {
    writeSync(this.#file, `${JSON.stringify(event)}\n`);
    if (flushed.has(event.type)) fsyncSync(this.#file);
  };

  close(): void {
    closeSync(this.#file);
  }
}

/** Reads one run. A last line without its newline (a cut) is dropped and said; anything else unreadable throws `ledger.damaged`. */
export async function readRun(folder: string, run: string): Promise<RunRecord> {
  const path = join(folder, 'runs', `${run}.ndjson`);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new TriremeError('run.not-found', `There's no run named ${run}.`, {hints: ['List them: trireme history'], cause: error});
  }
  const lines = text.split('\n');
  const truncated = lines.pop() !== '';
  const parsed = lines.map((line, index) => parseLine(path, line, index + 1));
  const header = parsed[0] as RunHeader | undefined;
  if (header?.ledger !== format) {
    throw new TriremeError('ledger.damaged', `${path} doesn't begin with a run's header.`, {
      hints: ['It was cut before its first line was on disk, or written by another version.'],
    });
  }
  const events = parsed.slice(1) as TriremeEvent[];
  const finished = events.findLast((event) => event.type === 'run.finished');
  return {header, events, outcome: finished?.type === 'run.finished' ? finished.outcome : undefined, truncated};
}

function parseLine(path: string, line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new TriremeError('ledger.damaged', `Line ${number} of ${path} can't be read.`, {cause: error});
  }
}

/** Names of all runs, newest first. */
export async function listRuns(folder: string): Promise<readonly string[]> {
  let names: string[];
  try {
    names = await readdir(join(folder, 'runs'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names
    .filter((name) => name.endsWith('.ndjson'))
    .map((name) => name.slice(0, -'.ndjson'.length))
    .toSorted()
    .toReversed();
}

/** The newest run of a cluster, when it did not succeed: what `--resume` goes on with. Damaged records are passed over. */
export async function findUnfinishedRun(folder: string, cluster: string | undefined): Promise<RunRecord | undefined> {
  for (const run of await listRuns(folder)) {
    const record = await readRun(folder, run).catch(() => undefined);
    if (record === undefined || (cluster !== undefined && record.header.cluster !== cluster)) continue;
    return record.outcome === 'succeeded' || record.outcome === 'unchanged' ? undefined : record;
  }
  return undefined;
}

/** The newest run of this operation on the cluster when it did not succeed, and when the first run began that it goes on with. */
export async function firstStartOf(
  folder: string,
  cluster: string,
  operation: string,
): Promise<{readonly run: string; readonly startedAt: string} | undefined> {
  for (const run of await listRuns(folder)) {
    const record = await readRun(folder, run).catch(() => undefined);
    if (record === undefined || record.header.cluster !== cluster || record.header.operation !== operation) continue;
    if (record.outcome === 'succeeded' || record.outcome === 'unchanged') return undefined;
    let {header} = record;
    for (const seen = new Set([run]); header.resumed !== undefined && !seen.has(header.resumed); seen.add(header.run)) {
      const before = await readRun(folder, header.resumed).catch(() => undefined);
      if (before === undefined) break;
      ({header} = before);
    }
    return {run, startedAt: header.startedAt};
  }
  return undefined;
}
