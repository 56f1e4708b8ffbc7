// Something that is followed for as long as anybody looks: when it fails it's begun anew, later and later, and what was seen last stays.
import {sleep} from '../kernel/cancel.ts';
import type {SourceTrouble} from './fleet-store.ts';

/** Either something new, or why there's nothing new. */
export type Told<T> = {readonly value: T; readonly isFirst: boolean} | {readonly trouble: SourceTrouble};

export interface RestartOptions {
  readonly signal: AbortSignal;
  /** How long to wait after the n-th failure in a row (from 1), in ms. */
  delay?(failures: number): number;
  /** What a person shall read of a failure. */
  why?(error: unknown): string;
  /** In ms since 1970. */
  now?(): number;
}

const longest = 10_000;

/** 1, 2, 4, 8, 10 s, each up to a quarter less, so that not all sources come back at once. */
export function restartDelay(failures: number): number {
  return Math.min(longest, 1000 * 2 ** (failures - 1)) * (0.75 + Math.random() * 0.25);
}

/** The first line: a person reads it in a header. */
export function whyFailed(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0] ?? text;
}

/** Ends only when the signal aborts. `begin` opens what it needs anew each time, so that new credentials count. */
export async function* restarted<T>(begin: (signal: AbortSignal) => AsyncIterable<T>, options: RestartOptions): AsyncGenerator<Told<T>, void, undefined> {
  const {signal, delay = restartDelay, why = whyFailed, now = Date.now} = options;
  let failures = 0;
  let since: string | undefined;
  while (!signal.aborted) {
    let reason = 'it ended by itself';
    try {
      let isFirst = true;
      for await (const value of begin(signal)) {
        failures = 0;
        since = undefined;
        yield {value, isFirst};
        isFirst = false;
        if (signal.aborted) return;
      }
    } catch (error) {
      reason = why(error);
    }
    if (signal.aborted) return;
    failures += 1;
    since ??= new Date(now()).toISOString();
    yield {trouble: {since, why: reason}};
    await sleep(delay(failures), signal).catch(() => {}); // aborted: the loop ends
  }
}
