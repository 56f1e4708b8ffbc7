// Plays a recorded run back: the same events, in the same order, at a pace that a person chooses.
import type {TriremeEvent} from '../kernel/event.ts';
import {createStore, type Store} from '../kernel/store.ts';
import {emptyRunView, reduceRun, viewOfRun, type RunView} from './run-view.ts';

export interface ReplayView {
  readonly view: RunView;
  /** How many events have been played, and of how many. */
  readonly position: number;
  readonly total: number;
  readonly isPlaying: boolean;
  readonly speed: number;
  /** The recording's own time of the last event that was played, in ms since the epoch. */
  readonly at: number;
  /** ms since the run began, and of the whole run. */
  readonly elapsed: number;
  readonly length: number;
  readonly last?: TriremeEvent;
}

export interface ReplayClock {
  now(): number;
  /** Calls back after `ms`; returns the function that calls it off. */
  after(ms: number, work: () => void): () => void;
}

export interface Replay extends Store<ReplayView> {
  play(): void;
  pause(): void;
  /** One event on, or back; pauses. */
  step(by: 1 | -1): void;
  faster(): void;
  slower(): void;
  /** To the end, or the beginning; pauses. */
  toEnd(): void;
  toStart(): void;
  /** The recording's time at this moment, which goes on between two events while it plays. */
  recordedNow(): number;
  stop(): void;
}

export const replaySpeeds = [0.5, 1, 2, 5, 10, 50] as const;
/** A pause in the recording that is longer than this, in ms, is played as if it were this long. */
const longestGap = 5000;

const realClock: ReplayClock = {
  now: () => Date.now(),
  after: (ms, work) => {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
};

/** Begins paused, before the first event. */
export function createReplay(events: readonly TriremeEvent[], clock: ReplayClock = realClock): Replay {
  const times = events.map((event) => Date.parse(event.at));
  const start = times[0] ?? 0;
  const store = createStore<ReplayView>({
    view: emptyRunView,
    position: 0,
    total: events.length,
    isPlaying: false,
    speed: 1,
    at: start,
    elapsed: 0,
    length: (times.at(-1) ?? start) - start,
  });
  let callOff: (() => void) | undefined;
  /** When the last event was shown. */
  let shownAt = clock.now();

  const showAt = (position: number, view: RunView, more: Partial<ReplayView> = {}) => {
    const at = times[Math.max(0, position - 1)] ?? start;
    const {last: _last, ...before} = store.get();
    const event = events[position - 1];
    shownAt = clock.now();
    store.set({...before, view, position, at, elapsed: at - start, ...(event === undefined ? {} : {last: event}), ...more});
  };
  const hold = () => {
    callOff?.();
    callOff = undefined;
  };
  const wait = () => {
    hold();
    const {position, speed, isPlaying} = store.get();
    if (!isPlaying || position >= events.length) return;
    const gap = Math.min(longestGap, Math.max(0, (times[position] ?? start) - (times[Math.max(0, position - 1)] ?? start)));
    const due = Math.max(0, gap / speed - (clock.now() - shownAt));
    callOff = clock.after(due, advance);
  };
  const advance = () => {
    callOff = undefined;
    let {position, view} = store.get();
    // what happened at the same moment is shown at once
    do {
      const event = events[position];
      if (event === undefined) break;
      view = reduceRun(view, event);
      position += 1;
    } while (position < events.length && times[position] === times[position - 1]);
    showAt(position, view, position >= events.length ? {isPlaying: false} : {});
    wait();
  };
  const pauseAt = (position: number, view: RunView) => {
    hold();
    showAt(position, view, {isPlaying: false});
  };
  const changeSpeed = (by: 1 | -1) => {
    const index = replaySpeeds.indexOf(store.get().speed as (typeof replaySpeeds)[number]);
    const speed = replaySpeeds[index + by];
    if (speed === undefined) return;
    store.set({...store.get(), speed});
    wait();
  };

  return {
    get: store.get,
    subscribe: store.subscribe,
    play: () => {
      if (store.get().isPlaying) return;
      // from the beginning again, once it is over
      if (store.get().position >= events.length) showAt(0, emptyRunView);
      shownAt = clock.now();
      store.set({...store.get(), isPlaying: true});
      wait();
    },
    pause: () => {
      hold();
      store.set({...store.get(), isPlaying: false});
    },
    step: (by) => {
      const {position, view} = store.get();
      const next = events[position];
      if (by === 1) pauseAt(Math.min(events.length, position + 1), next === undefined ? view : reduceRun(view, next));
      else pauseAt(Math.max(0, position - 1), viewOfRun(events.slice(0, Math.max(0, position - 1))));
    },
    faster: () => changeSpeed(1),
    slower: () => changeSpeed(-1),
    toEnd: () => pauseAt(events.length, viewOfRun(events)),
    toStart: () => pauseAt(0, emptyRunView),
    recordedNow: () => {
      const {at, isPlaying, position, speed} = store.get();
      const next = times[position];
      if (!isPlaying || next === undefined) return at;
      return Math.min(next, at + (clock.now() - shownAt) * speed);
    },
    stop: hold,
  };
}
