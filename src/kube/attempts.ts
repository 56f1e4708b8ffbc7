// Trying again: reads when the server is away for a moment or asks to wait; writes only when it did nothing for sure.
import {sleep} from '../kernel/cancel.ts';
import {isPassing} from './unreachable.ts';
import {NoAnswer, type HttpAnswer} from './transport.ts';

/** `once`: what may not be done twice. `repeatable`: reads, and writes that are the same when done twice. */
export type Repeat = 'once' | 'repeatable';

export interface AttemptOptions {
  readonly repeat: Repeat;
  readonly server: string;
  readonly signal: AbortSignal;
  /** Ends at this time, in ms since 1970: no wait goes past it. */
  readonly end: number;
}

/** In ms. */
const firstDelay = 200;
const longestDelay = 4000;
/** Of calls in all that fail without the server asking to wait. */
const attempts = 5;

/** Sends until there's an answer worth having, time is up, or nothing speaks for another try; gives the last answer or throws the last error. */
export async function attempt(send: () => Promise<HttpAnswer>, options: AttemptOptions): Promise<HttpAnswer> {
  for (let round = 1; ; round += 1) {
    let answer: HttpAnswer | undefined;
    let failure: unknown;
    try {
      answer = await send();
    } catch (error) {
      failure = error;
    }
    const delay = answer === undefined ? delayAfterSilence(failure, round, options) : delayAfter(answer, round, options);
    if (delay === undefined || Date.now() + delay > options.end) {
      if (answer === undefined) throw failure;
      return answer;
    }
    await sleep(delay, options.signal);
  }
}

function delayAfterSilence(error: unknown, round: number, options: AttemptOptions): number | undefined {
  if (!(error instanceof NoAnswer) || options.signal.aborted || round >= attempts || !isPassing(error, options.server)) return undefined;
  // what never left this computer did nothing there
  if (error.isSent && options.repeat === 'once') return undefined;
  return backoff(round);
}

function delayAfter(answer: HttpAnswer, round: number, options: AttemptOptions): number | undefined {
  const wait = retryAfter(answer.headers['retry-after']);
  const asked = wait === undefined ? undefined : Math.max(wait, backoff(1));
  // 429 comes before anything is done; a 5xx may come after
  if (answer.status === 429) return asked ?? (round >= attempts ? undefined : backoff(round));
  if (answer.status < 500 || answer.status === 501 || options.repeat === 'once') return undefined;
  return asked ?? (round >= attempts ? undefined : backoff(round));
}

/** With jitter: what failed together doesn't come back together. */
export function backoff(round: number, longest: number = longestDelay, random: () => number = Math.random): number {
  return Math.min(firstDelay * 2 ** (round - 1), longest) * (0.5 + random() / 2);
}

/** `Retry-After` in ms; seconds or a date (RFC 9110). */
export function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : Math.max(0, time - Date.now());
}
