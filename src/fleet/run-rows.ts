// Runs on disk as rows, without reading whole journals: the header at the beginning, and the last event at the end.
import {open, readFile, type FileHandle} from 'node:fs/promises';
import {join} from 'node:path';
import type {HostOutcome, RunOutcome, TriremeEvent} from '../kernel/event.ts';
import {listRuns, type RunHeader} from '../plan/ledger.ts';

/** `broken-off`: neither ended nor alive. */
export type RunState = 'running' | 'finished' | 'broken-off' | 'unreadable';

export interface RunRow {
  readonly run: string;
  readonly state: RunState;
  /** Absent when the record can't be read. */
  readonly header?: RunHeader;
  /** Of a run that has ended. */
  readonly outcome?: RunOutcome;
  readonly ms?: number;
  readonly hosts?: readonly HostOutcome[];
}

/** A header names the files and little else. */
const headLength = 64 * 1024;
/** What is read from the end at first; more where the last line is longer. */
const tailLength = 64 * 1024;
const newline = 0x0a;

export const pathOfRun = (folder: string, run: string) => join(folder, 'runs', `${run}.ndjson`);

export interface ListRunsOptions {
  readonly cluster?: string;
  readonly max: number;
  /** What was listed before: rows of runs that have ended are taken from it, and rows that are as before stay the same objects. */
  readonly known?: readonly RunRow[];
}

/** The newest runs first. `folder` is the state folder. */
export async function listRunRows(folder: string, options: ListRunsOptions): Promise<readonly RunRow[]> {
  const rows: RunRow[] = [];
  const known = new Map((options.known ?? []).map((row) => [row.run, row]));
  for (const run of await listRuns(folder)) {
    if (rows.length >= options.max) break;
    const before = known.get(run);
    const row = before?.state === 'finished' || before?.state === 'unreadable' ? before : settled(before, await readRunRow(folder, run));
    if (options.cluster === undefined || row.header?.cluster === options.cluster) rows.push(row);
  }
  return rows;
}

const settled = (before: RunRow | undefined, row: RunRow) => (before?.state === row.state ? before : row);

/** One run. Never throws for what is in the file: a damaged one is `unreadable`. */
export async function readRunRow(folder: string, run: string): Promise<RunRow> {
  let file: FileHandle;
  try {
    file = await open(pathOfRun(folder, run), 'r');
  } catch {
    return {run, state: 'unreadable'};
  }
  try {
    const {size} = await file.stat();
    const header = parse<RunHeader>(firstLine(await readAt(file, 0, Math.min(size, headLength))));
    if (header?.ledger === undefined) return {run, state: 'unreadable'};
    const finished = parse<TriremeEvent>(await lastLine(file, size));
    if (finished?.type === 'run.finished') return {run, state: 'finished', header, outcome: finished.outcome, ms: finished.ms, hosts: finished.hosts};
    return {run, state: (await isRunAlive(folder, header)) ? 'running' : 'broken-off', header};
  } finally {
    await file.close();
  }
}

/** Whether the run's own program still works on it: it holds the cluster's lock, and it lives. */
export async function isRunAlive(folder: string, header: Pick<RunHeader, 'run' | 'pid' | 'cluster'>): Promise<boolean> {
  // the id of a process that is gone may be another's by now: the lock says whose it was
  const lock = await readFile(join(folder, 'locks', `${header.cluster}.json`), 'utf8').then(
    (text) => parse<{readonly run?: string}>(Buffer.from(text)),
    () => undefined,
  );
  if (lock?.run !== header.run) return false;
  try {
    process.kill(header.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function parse<T>(line: Buffer | undefined): T | undefined {
  if (line === undefined) return undefined;
  try {
    return JSON.parse(line.toString('utf8')) as T;
  } catch {
    return undefined;
  }
}

function firstLine(head: Buffer): Buffer | undefined {
  const end = head.indexOf(newline);
  return end === -1 ? undefined : head.subarray(0, end);
}

/** The last line that is whole, however long it is. */
async function lastLine(file: FileHandle, size: number): Promise<Buffer | undefined> {
  for (let length = tailLength; ; length *= 4) {
    const tail = await readAt(file, Math.max(0, size - length), Math.min(size, length));
    const end = tail.lastIndexOf(newline);
    if (end === -1 && length >= size) return undefined;
    const start = end <= 0 ? -1 : tail.lastIndexOf(newline, end - 1);
    if (end !== -1 && start !== -1) return tail.subarray(start + 1, end);
    if (length >= size) return undefined; // one line only: the header
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const {bytesRead} = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
