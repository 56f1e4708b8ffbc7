// A clock for replays that goes on only when it's told to.
import type {ReplayClock} from '../../src/fleet/replay.ts';

export interface TestClock extends ReplayClock {
  pass(ms: number): void;
  /** How many calls are still due. */
  readonly waiting: number;
}

export function createTestClock(): TestClock {
  let now = 1000;
  let due: {at: number; work: () => void}[] = [];
  return {
    now: () => now,
    after: (ms, work) => {
      const one = {at: now + ms, work};
      due.push(one);
      return () => (due = due.filter((other) => other !== one));
    },
    pass: (ms) => {
      const end = now + ms;
      for (;;) {
        const next = due.toSorted((a, b) => a.at - b.at)[0];
        if (next === undefined || next.at > end) break;
        due = due.filter((other) => other !== next);
        now = next.at;
        next.work();
      }
      now = end;
    },
    get waiting() {
      return due.length;
    },
  };
}
