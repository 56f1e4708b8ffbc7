// The last lines of something that tells without end: filled from outside of the screen, read by it.
import {createStore, type Store} from '../kernel/store.ts';
import {clean} from './cells.ts';

export interface LogState {
  /** Oldest first; already harmless. */
  readonly lines: readonly string[];
  /** How many came before and were dropped. */
  readonly dropped: number;
  readonly phase: 'waiting' | 'live' | 'ended' | 'failed';
  readonly why?: string;
}

/** As many as a person scrolls through. */
const kept = 5000;

export interface LogBuffer {
  readonly store: Store<LogState>;
  close(): void;
}

/** Follows the lines until `close`. */
export function followLines(begin: (signal: AbortSignal) => AsyncIterable<string>): LogBuffer {
  const stopping = new AbortController();
  const store = createStore<LogState>({lines: [], dropped: 0, phase: 'waiting'});
  let lines: string[] = [];
  let dropped = 0;
  let isDirty = false;
  // many lines at once are one change
  const tell = () => {
    if (isDirty) return;
    isDirty = true;
    setImmediate(() => {
      isDirty = false;
      if (lines.length > kept) {
        dropped += lines.length - kept;
        lines = lines.slice(-kept);
      }
      store.set({...store.get(), lines: [...lines], dropped, ...(store.get().phase === 'waiting' ? {phase: 'live' as const} : {})});
    });
  };
  const follow = async () => {
    for await (const text of begin(stopping.signal)) {
      for (const line of text.split('\n')) lines.push(clean(line.replaceAll('\t', '    ')));
      tell();
    }
    tell();
    store.set({...store.get(), phase: 'ended'});
  };
  follow().catch((error: unknown) => {
    if (!stopping.signal.aborted) store.set({...store.get(), phase: 'failed', why: error instanceof Error ? error.message : String(error)});
  });
  return {store, close: () => stopping.abort()};
}
