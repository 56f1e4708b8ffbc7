// Retrying reads: exponential backoff with full jitter, bounded in count and time.
import {sleep} from './cancel.ts';

export interface RetryOptions {
  /** Total number of calls, the first included. */
  readonly attempts: number;
  /** Delay before the second call, in ms; doubles each time. */
  readonly delay: number;
  /** Upper bound of one delay, in ms. */
  readonly maxDelay?: number;
  readonly signal?: AbortSignal;
  /** Says whether an error is worth another try; default: all are. */
  readonly isRetryable?: (error: unknown) => boolean;
  readonly random?: () => number;
}

/** Calls `work` until it succeeds, `attempts` are used up, or the signal aborts; throws the last error. */
export async function retry<T>(work: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const random = options.random ?? Math.random;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt >= options.attempts || options.signal?.aborted || options.isRetryable?.(error) === false) throw error;
      const ceiling = Math.min(options.delay * 2 ** (attempt - 1), options.maxDelay ?? Number.POSITIVE_INFINITY);
      await sleep(ceiling * random(), options.signal);
    }
  }
}

export interface WaitOptions {
  /** How long to wait in all, in ms. */
  readonly timeout: number;
  /** Pause between two looks, in ms. */
  readonly interval: number;
  readonly signal?: AbortSignal;
}

/** Looks until `look` gives something other than undefined; undefined when the time is up. */
export async function waitFor<T>(look: () => Promise<T | undefined>, options: WaitOptions): Promise<T | undefined> {
  const end = Date.now() + options.timeout;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() >= end) return undefined;
    await sleep(Math.min(options.interval, Math.max(0, end - Date.now())), options.signal);
  }
}
