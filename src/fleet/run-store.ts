// Follows one run's journal on disk, whoever writes it: another process, which goes on whatever becomes of this one.
import {open, type FileHandle} from 'node:fs/promises';
import {sleep} from '../kernel/cancel.ts';
import type {TriremeEvent} from '../kernel/event.ts';
import {createStore, type Store} from '../kernel/store.ts';
import type {RunHeader} from '../plan/ledger.ts';
import {isRunAlive, pathOfRun} from './run-rows.ts';
import {emptyRunView, reduceRun, type RunView} from './run-view.ts';

export interface FollowedRun {
  readonly run: string;
  /** `looking`: its record hasn't been read yet. */
  readonly state: 'looking' | 'running' | 'finished' | 'broken-off' | 'unreadable';
  readonly view: RunView;
  readonly header?: RunHeader;
  /** The newest events, oldest first: for a log beside the picture. */
  readonly recent: readonly TriremeEvent[];
  /** Lines in the middle that couldn't be read. */
  readonly damaged: number;
  /** The last line is half a line: it was cut off, or is being written. */
  readonly isCut: boolean;
}

export interface RunStore extends Store<FollowedRun> {
  /** Ends the following; the run itself goes on. */
  stop(): void;
}

export interface FollowOptions {
  /** Between two looks at the file, in ms. */
  readonly interval?: number;
  /** How often it is asked whether the run still lives, in ms. */
  readonly lifeInterval?: number;
}

const kept = 200;
const chunkLength = 256 * 1024;

/** Follows a run until it ends, breaks off, or `stop` is called. `folder` is the state folder. */
export function followRunOnDisk(folder: string, run: string, options: FollowOptions = {}): RunStore {
  const store = createStore<FollowedRun>({run, state: 'looking', view: emptyRunView, recent: [], damaged: 0, isCut: false});
  const stopping = new AbortController();
  void follow(folder, run, {interval: 150, lifeInterval: 1000, ...options}, store, stopping.signal);
  return {get: store.get, subscribe: store.subscribe, stop: () => stopping.abort()};
}

async function follow(
  folder: string,
  run: string,
  options: Required<FollowOptions>,
  store: {get(): FollowedRun; set(value: FollowedRun): void},
  signal: AbortSignal,
): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(pathOfRun(folder, run), 'r');
    const lines = new JournalTail(file);
    let askedAt = Date.now();
    while (!signal.aborted) {
      const changed = take(store.get(), await lines.read(), lines.isCut);
      if (changed !== store.get()) store.set(changed);
      const {state, header} = changed;
      if (state === 'finished' || state === 'unreadable') return;
      const isDue = state === 'looking' || Date.now() - askedAt >= options.lifeInterval;
      if (header !== undefined && isDue) {
        askedAt = Date.now();
        if (!(await isRunAlive(folder, header))) {
          // it may have ended between our look at the file and the one at its life
          const last = take(changed, await lines.read(), lines.isCut);
          if (!signal.aborted) store.set(last.state === 'finished' ? last : {...last, state: 'broken-off'});
          return;
        }
        if (state === 'looking') store.set({...changed, state: 'running'});
      }
      await sleep(options.interval, signal).catch(() => {});
    }
  } catch {
    if (!signal.aborted) store.set({...store.get(), state: 'unreadable'});
  } finally {
    await file?.close();
  }
}

function take(before: FollowedRun, lines: readonly string[], isCut: boolean): FollowedRun {
  if (lines.length === 0) return before.isCut === isCut ? before : {...before, isCut};
  let {header, view, damaged, state} = before;
  const events: TriremeEvent[] = [];
  for (const line of lines) {
    const value = parse(line);
    if (header === undefined) {
      if (typeof value?.ledger !== 'number') return {...before, state: 'unreadable'};
      header = value as unknown as RunHeader;
    } else if (value === undefined || typeof value.type !== 'string') damaged += 1;
    else events.push(value as unknown as TriremeEvent);
  }
  for (const event of events) view = reduceRun(view, event);
  if (events.some((event) => event.type === 'run.finished')) state = 'finished';
  return {...before, state, view, damaged, isCut, recent: [...before.recent, ...events].slice(-kept), ...(header === undefined ? {} : {header})};
}

function parse(line: string): {readonly ledger?: unknown; readonly type?: unknown} | undefined {
  try {
    return JSON.parse(line) as {ledger?: unknown; type?: unknown};
  } catch {
    return undefined;
  }
}

/** Whole lines as they come; half a line waits for its other half. */
class JournalTail {
  readonly #file: FileHandle;
  readonly #buffer = Buffer.alloc(chunkLength);
  #position = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(file: FileHandle) {
    this.#file = file;
  }

  get isCut(): boolean {
    return this.#rest.length > 0;
  }

  async read(): Promise<readonly string[]> {
    const lines: string[] = [];
    for (;;) {
      const {bytesRead} = await this.#file.read(this.#buffer, 0, this.#buffer.length, this.#position);
      if (bytesRead === 0) return lines;
      this.#position += bytesRead;
      // cut at bytes, not characters: a character may be half written, too
      const whole = Buffer.concat([this.#rest, this.#buffer.subarray(0, bytesRead)]);
      const end = whole.lastIndexOf(0x0a);
      this.#rest = whole.subarray(end + 1);
      if (end !== -1) lines.push(...whole.subarray(0, end).toString('utf8').split('\n'));
    }
  }
}
