// LIST, then WATCH, for as long as anybody listens. Cuts, 410, refusals and silence are dealt with here; what's shown meanwhile is told to be stale.
import {sleep} from '../kernel/cancel.ts';
import {TriremeError} from '../kernel/errors.ts';
import type {ListOptions, Resource, WatchEvent} from './api.ts';
import {backoff} from './attempts.ts';
import {listAll} from './list.ts';
import type {KubeObject} from './object.ts';
import type {Rest} from './rest.ts';
import {WatchStream, type WatchLine} from './watch-stream.ts';

export interface WatchTiming {
  /** The server ends a watch after so long, in ms; up to half as much again at random, so that not all end at once. */
  readonly lifetime: number;
  /** A watch that says nothing for so long after its end was due is taken for dead, in ms. */
  readonly grace: number;
  /** Only a connection that's gone for longer than this is worth telling, in ms. */
  readonly staleAfter: number;
  /** The longest pause between two tries, in ms. */
  readonly maxDelay: number;
  /** After so long without a word the server is asked whether it's there, in ms. */
  readonly pingAfter: number;
  /** How long it may take to say so, in ms. */
  readonly pingPatience: number;
  /** How long the headers of a watch may take, in ms. */
  readonly openPatience: number;
}

/** A dead connection is noticed within 70 s, at the cost of one request every 50 s. */
export const defaultTiming: WatchTiming = {
  lifetime: 40_000,
  grace: 10_000,
  staleAfter: 1000,
  maxDelay: 15_000,
  pingAfter: 10_000,
  pingPatience: 5000,
  openPatience: 15_000,
};

/** A watch that lived for so long has worked, in ms. */
const worked = 1000;

export async function* watchAll<T extends KubeObject>(
  rest: Rest,
  resource: Resource,
  options: ListOptions & {readonly signal: AbortSignal},
  timing: WatchTiming = defaultTiming,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const watch = new Watch<T>(rest, resource, options, timing);
  try {
    yield* watch.run();
  } catch (error) {
    if (!options.signal.aborted && !rest.signal.aborted) throw error;
  }
}

class Watch<T extends KubeObject> {
  readonly #rest: Rest;
  readonly #resource: Resource;
  readonly #options: ListOptions & {readonly signal: AbortSignal};
  readonly #timing: WatchTiming;
  /** Failures since something last worked. */
  #failures = 0;
  /** When the server was last heard, in ms since 1970. */
  #heard = Date.now();
  /** Why the view was said to be stale; undefined while it's fresh. */
  #told: string | undefined;
  #why = 'the connection was cut';

  constructor(rest: Rest, resource: Resource, options: ListOptions & {readonly signal: AbortSignal}, timing: WatchTiming) {
    this.#rest = rest;
    this.#resource = resource;
    this.#options = options;
    this.#timing = timing;
  }

  async *run(): AsyncGenerator<WatchEvent<T>, void, undefined> {
    // the first list's failure is the caller's to know; later ones pass
    let version: string | undefined = yield* this.#list(await listAll<T>(this.#rest, this.#resource, this.#options));
    for (;;) {
      version = version === undefined ? yield* this.#relist() : yield* this.#follow(version);
    }
  }

  *#list(list: {readonly items: readonly T[]; readonly resourceVersion: string}): Generator<WatchEvent<T>, string> {
    this.#heard = Date.now();
    yield {type: 'listed', items: list.items};
    return list.resourceVersion;
  }

  async *#relist(): AsyncGenerator<WatchEvent<T>, string | undefined> {
    const listing = listAll<T>(this.#rest, this.#resource, this.#options);
    yield* this.#tellWhenSlow(listing);
    try {
      return yield* this.#list(await listing);
    } catch (error) {
      yield* this.#pauseAfter(error);
      return undefined;
    }
  }

  /** One watch, until it ends. Returns where to go on, or undefined when only a new list helps. */
  async *#follow(from: string): AsyncGenerator<WatchEvent<T>, string | undefined> {
    let version = from;
    const opening = WatchStream.open(this.#rest, this.#resource, this.#options, from, this.#timing);
    yield* this.#tellWhenSlow(opening);
    let stream: WatchStream;
    try {
      stream = await opening;
    } catch (error) {
      yield* this.#pauseAfter(error);
      return isGone(error) ? undefined : version;
    }
    try {
      if (this.#told !== undefined) {
        this.#told = undefined;
        yield {type: 'fresh'};
      }
      for (;;) {
        const line = await stream.next();
        if (line === undefined) break;
        this.#heard = Date.now();
        if (line.type === 'ERROR') {
          yield* this.#pauseAfter(new Error(line.message));
          return line.code === 410 ? undefined : version;
        }
        this.#failures = 0;
        version = line.version ?? version;
        if (line.type !== 'BOOKMARK') yield eventOf<T>(line);
      }
      yield* this.#end(stream);
      return version;
    } finally {
      stream.close();
    }
  }

  async *#end(stream: WatchStream): AsyncGenerator<WatchEvent<T>, void> {
    // one that lived for a while has worked: the first try after its end is made at once
    if (stream.lived >= worked) this.#failures = 0;
    this.#heard = stream.isSilent ? stream.heard : Date.now();
    if (stream.failure !== undefined) this.#why = stream.failure.message;
    if (stream.lived >= worked) return;
    // a server that ends every watch at once must not be asked without a pause
    if (stream.failure === undefined) await sleep(backoff(1), this.#options.signal);
    else yield* this.#pauseAfter(stream.failure);
  }

  async *#pauseAfter(error: unknown): AsyncGenerator<WatchEvent<T>, void> {
    if (this.#options.signal.aborted) throw error;
    this.#failures += 1;
    this.#why = error instanceof Error ? error.message : String(error);
    if (this.#failures === 1) return; // once may be chance
    // nobody is asked to sign in every second
    const delay = this.#failures > 3 && isRefused(error) ? this.#timing.maxDelay : backoff(this.#failures - 1, this.#timing.maxDelay);
    if (!isGone(error)) yield* this.#tell();
    await sleep(Math.max(delay, waitOf(error)), this.#options.signal);
  }

  /** Says that what was seen is stale, when the work takes longer than a moment. */
  async *#tellWhenSlow(work: Promise<unknown>): AsyncGenerator<WatchEvent<T>, void> {
    if (this.#told !== undefined || (await isDoneWithin(work, this.#timing.staleAfter))) return;
    yield* this.#tell();
  }

  *#tell(): Generator<WatchEvent<T>, void> {
    // told again when there's another reason: a cut, then a server that refuses
    if (this.#told === this.#why) return;
    this.#told = this.#why;
    yield {type: 'stale', since: new Date(this.#heard).toISOString(), why: this.#why};
  }
}

function eventOf<T extends KubeObject>(line: Extract<WatchLine, {readonly object: unknown}>): WatchEvent<T> {
  const type = line.type === 'ADDED' ? 'added' : line.type === 'DELETED' ? 'deleted' : 'modified';
  return {type, object: line.object as T};
}

function isGone(error: unknown): boolean {
  return detailsOf(error)?.['status'] === 410;
}

function isRefused(error: unknown): boolean {
  const status = detailsOf(error)?.['status'];
  return status === 401 || status === 403;
}

/** How long the server asks to wait, in ms. */
function waitOf(error: unknown): number {
  const wait = detailsOf(error)?.['retryAfter'];
  return typeof wait === 'number' ? wait : 0;
}

function detailsOf(error: unknown): Readonly<Record<string, unknown>> | undefined {
  return error instanceof TriremeError ? error.details : undefined;
}

async function isDoneWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([
      work.then(
        () => true as const,
        () => true as const,
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
