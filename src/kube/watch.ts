// LIST, then WATCH, for as long as anybody listens. Cuts, 410, refusals and silence are dealt with here; what's shown meanwhile is told to be stale.
import {sleep} from '../kernel/cancel.ts';
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
}

/** A dead connection is noticed within 70 s, at the cost of one request every 50 s. */
export const defaultTiming: WatchTiming = {lifetime: 40_000, grace: 10_000, staleAfter: 1000, maxDelay: 15_000};

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
    if (!options.signal.aborted) throw error;
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
  #isStale = false;
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
      if (isGone(error)) return undefined;
      yield* this.#pauseAfter(error);
      return version;
    }
    try {
      if (this.#isStale) {
        this.#isStale = false;
        yield {type: 'fresh'};
      }
      for (;;) {
        const line = await stream.next();
        if (line === undefined) break;
        this.#heard = Date.now();
        this.#failures = 0;
        if (line.type === 'ERROR') {
          if (line.code === 410) return undefined;
          yield* this.#pauseAfter(new Error(line.message));
          return version;
        }
        version = line.version ?? version;
        if (line.type !== 'BOOKMARK') yield eventOf<T>(line);
      }
      if (stream.failure === undefined) {
        this.#heard = Date.now();
        this.#failures = 0;
        // a server that ends every watch at once must not be asked without a pause
        if (stream.lived < 1000) await sleep(backoff(1), this.#options.signal);
      } else {
        this.#heard = stream.heard;
        this.#why = stream.failure.message;
        // the first try after a cut is made at once
        if (this.#failures > 0 || stream.lived < 1000) yield* this.#pauseAfter(stream.failure);
        else this.#failures = 1;
      }
      return version;
    } finally {
      stream.close();
    }
  }

  async *#pauseAfter(error: unknown): AsyncGenerator<WatchEvent<T>, void> {
    if (this.#options.signal.aborted) throw error;
    this.#failures += 1;
    this.#why = error instanceof Error ? error.message : String(error);
    const delay = Math.min(backoff(this.#failures) * (this.#failures > 5 ? 4 : 1), this.#timing.maxDelay);
    if (this.#failures > 1) yield* this.#tell();
    await sleep(delay, this.#options.signal);
  }

  /** Says that what was seen is stale, when the work takes longer than a moment. */
  async *#tellWhenSlow(work: Promise<unknown>): AsyncGenerator<WatchEvent<T>, void> {
    if (this.#isStale || (await isDoneWithin(work, this.#timing.staleAfter))) return;
    yield* this.#tell();
  }

  *#tell(): Generator<WatchEvent<T>, void> {
    if (this.#isStale) return;
    this.#isStale = true;
    yield {type: 'stale', since: new Date(this.#heard).toISOString(), why: this.#why};
  }
}

function eventOf<T extends KubeObject>(line: Extract<WatchLine, {readonly object: unknown}>): WatchEvent<T> {
  const type = line.type === 'ADDED' ? 'added' : line.type === 'DELETED' ? 'deleted' : 'modified';
  return {type, object: line.object as T};
}

function isGone(error: unknown): boolean {
  const details = (error as {readonly details?: Readonly<Record<string, unknown>>} | undefined)?.details;
  return details?.['status'] === 410;
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
