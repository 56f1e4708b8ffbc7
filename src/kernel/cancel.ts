// Waiting and stopping: sleeps that can be aborted, deadlines, and the two-stage Ctrl-C.

/** Node fires longer ones at once, in ms. */
const longestTimer = 2 ** 31 - 1;

/** Resolves after `ms`, or rejects with the signal's reason as soon as it aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, {once: true});
  });
}

/**
 * A signal that aborts after `ms`, with a TimeoutError; it doesn't keep the program running. AbortSignal.timeout is of no use where it is joined with
 * another one: Node 20 may collect it as garbage, and then it never aborts. Here the timer holds it.
 */
export function deadlineOf(ms: number): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')), Math.min(ms, longestTimer)).unref();
  return controller.signal;
}

/** A signal that aborts with `parent` or after `ms`, whichever is first. */
export function withDeadline(parent: AbortSignal | undefined, ms: number): AbortSignal {
  const deadline = deadlineOf(ms);
  return parent === undefined ? deadline : AbortSignal.any([parent, deadline]);
}

export interface Interruption {
  /** Aborts at the first request: finish the safe step, start nothing new. */
  readonly stopping: AbortSignal;
  /** Aborts at the second request: leave now. */
  readonly leaving: AbortSignal;
  request(): void;
}

/** The two stages of Ctrl-C, apart from where the signal comes from. */
export function createInterruption(): Interruption {
  const stopping = new AbortController();
  const leaving = new AbortController();
  return {
    stopping: stopping.signal,
    leaving: leaving.signal,
    request: () => (stopping.signal.aborted ? leaving.abort() : stopping.abort()),
  };
}
