// When a frame is drawn: at once for a key as long as there's room, seldom enough for data, and never for nothing. No timer runs while nothing changes.

/** Frames a second in the long run, and how many may come at once: together never more than ten in any second. */
const rate = 7;
const burst = 3;
/** Data alone never draws more often than this, in ms: so a key finds room. */
const dataGap = 250;

export type FrameCause = 'key' | 'data';

export interface FrameClock {
  /** Asks for a frame; many requests make one. */
  request(cause: FrameCause): void;
  /** Calls back for each frame; returns the function that ends it. */
  subscribe(draw: () => void): () => void;
  /** Asks for a frame each `period` ms as long as anybody wants that; returns the function that ends it. */
  tick(period: number): () => void;
  stop(): void;
}

export interface FrameClockOptions {
  /** In ms. */
  now?(): number;
}

export function createFrameClock({now = () => performance.now()}: FrameClockOptions = {}): FrameClock {
  const draws = new Set<() => void>();
  const ticks = new Map<symbol, number>();
  let room = burst;
  let counted = now();
  let last = Number.NEGATIVE_INFINITY;
  let due: {at: number; timer: NodeJS.Timeout} | undefined;
  let ticking: NodeJS.Timeout | undefined;
  let drawn = 0;
  let isBeating = false;
  let isStopped = false;

  const refill = () => {
    const at = now();
    room = Math.min(burst, room + ((at - counted) / 1000) * rate);
    counted = at;
  };
  const draw = () => {
    due = undefined;
    refill();
    room -= 1;
    drawn += 1;
    last = now();
    isBeating = true;
    for (const one of draws) one();
    isBeating = false;
  };
  const plan = (at: number) => {
    if (due !== undefined && due.at <= at) return;
    clearTimeout(due?.timer);
    due = {at, timer: setTimeout(draw, Math.max(0, at - now()))};
  };
  const setTicking = () => {
    clearTimeout(ticking);
    ticking = undefined;
    if (ticks.size === 0 || isStopped) return;
    const period = Math.min(...ticks.values());
    ticking = setTimeout(
      () => {
        request('data');
        setTicking();
      },
      period - (Date.now() % period),
    );
    ticking.unref();
  };
  const request = (cause: FrameCause) => {
    // what is found out at a beat, such as a cluster that turned bad, is drawn with it: the screen is made right after
    if (isStopped || isBeating) return;
    refill();
    // the first screen is empty: what comes then is waited for
    const isHeld = cause === 'data' && drawn > 1;
    // data leaves room for a key that comes right after it
    const needed = isHeld ? burst : 1;
    const wait = room >= needed ? 0 : ((needed - room) / rate) * 1000;
    plan(Math.max(now() + wait, isHeld ? last + dataGap : 0));
  };
  return {
    request,
    subscribe: (one) => {
      draws.add(one);
      return () => draws.delete(one);
    },
    tick: (period) => {
      const id = Symbol('tick');
      ticks.set(id, period);
      setTicking();
      return () => {
        ticks.delete(id);
        setTicking();
      };
    },
    stop: () => {
      isStopped = true;
      clearTimeout(due?.timer);
      setTicking();
    },
  };
}
