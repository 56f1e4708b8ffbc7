// The agent's events on disk: appended, bounded by one rotation, numbered on over restarts; followed live.
import {appendFileSync, closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync, renameSync, statSync} from 'node:fs';
import {createReadStream} from 'node:fs';
import {dirname} from 'node:path';
import {createInterface} from 'node:readline';
import type {EventBody, TriremeEvent} from '../kernel/event.ts';
import {isFullDisk} from '../kernel/problem.ts';
import type {Redactor} from '../kernel/redact.ts';

/** In bytes; with the rotated file twice that is kept. */
const defaultLimit = 4 * 1024 * 1024;

export interface EventLogOptions {
  readonly path: string;
  readonly redactor: Redactor;
  readonly limit?: number;
}

/** Appends events of the common union; `seq` rises over all runs of this agent. */
export class EventLog {
  readonly #path: string;
  readonly #redactor: Redactor;
  readonly #limit: number;
  readonly #followers = new Set<(event: TriremeEvent) => void>();
  #size: number;
  #isCut = false;
  #seq: number;

  constructor(options: EventLogOptions) {
    this.#path = options.path;
    this.#redactor = options.redactor;
    this.#limit = options.limit ?? defaultLimit;
    mkdirSync(dirname(options.path), {recursive: true});
    this.#seq = Math.max(lastSeq(this.#path), lastSeq(this.#rotated));
    this.#size = existsSync(this.#path) ? statSync(this.#path).size : 0;
    // a line cut by a power failure ends here, so that the next event begins its own
    if (this.#size > 0 && !endsWithNewline(this.#path)) this.#append('\n');
  }

  get lastSeq(): number {
    return this.#seq;
  }

  get #rotated(): string {
    return `${this.#path}.1`;
  }

  write(run: string, body: EventBody): void {
    this.#seq += 1;
    const event = {...this.#redactor.value(body), seq: this.#seq, at: new Date().toISOString(), run} as TriremeEvent;
    this.#append(`${JSON.stringify(event)}\n`);
    for (const follower of this.#followers) follower(event);
  }

  /** Calls back with each event from now on; returns the function that ends it. */
  follow(follower: (event: TriremeEvent) => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /** Recorded events with a higher `seq`, oldest first. */
  async *replay(after: number): AsyncGenerator<TriremeEvent> {
    if (after >= this.#seq) return;
    for (const path of [this.#rotated, this.#path]) {
      if (!existsSync(path)) continue;
      for await (const line of createInterface({input: createReadStream(path)})) {
        const event = parse(line);
        if (event !== undefined && event.seq > after) yield event;
      }
    }
  }

  #append(text: string): void {
    if (this.#size > this.#limit) {
      renameSync(this.#path, this.#rotated);
      this.#size = 0;
    }
    const whole = `${this.#isCut ? '\n' : ''}${text}`;
    try {
      appendFileSync(this.#path, whole, {mode: 0o600});
      this.#isCut = false;
      this.#size += Buffer.byteLength(whole);
    } catch (error) {
      if (!isFullDisk(error)) throw error;
      // the record has a gap; part of the line may be there
      this.#isCut = true;
    }
  }
}

function parse(line: string): TriremeEvent | undefined {
  try {
    return JSON.parse(line) as TriremeEvent;
  } catch {
    return undefined;
  }
}

function tail(path: string, bytes: number): string {
  const file = openSync(path, 'r');
  try {
    const {size} = fstatSync(file);
    const buffer = Buffer.alloc(Math.min(bytes, size));
    readSync(file, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8');
  } finally {
    closeSync(file);
  }
}

function endsWithNewline(path: string): boolean {
  return tail(path, 1) === '\n';
}

function lastSeq(path: string): number {
  if (!existsSync(path)) return 0;
  const lines = tail(path, 256 * 1024)
    .split('\n')
    .toReversed();
  for (const line of lines) {
    const event = parse(line);
    if (typeof event?.seq === 'number') return event.seq;
  }
  return 0;
}
