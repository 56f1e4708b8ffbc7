// How much of each cluster was ready, over the last while: what a sparkline is drawn from. No timer: a gap between two changes is filled when it's read.
import type {FleetRow} from './fleet-store.ts';

/** One sample is this long, in ms. */
export const sampleMs = 15_000;
/** How many samples are kept. */
export const samplesKept = 40;

interface Track {
  /** By number of the sample since 1970: the worst in it, and what it ended with, which goes on. */
  readonly samples: Map<number, {readonly worst: number; readonly end: number}>;
  last: number;
  view: unknown;
}

export interface ReadinessHistory {
  /** Takes what is seen now; rows that didn't change cost nothing. */
  record(rows: readonly FleetRow[], now: number): void;
  /** The last `count` samples, oldest first; undefined before it was known. */
  read(id: string, count: number, now: number): readonly (number | undefined)[];
}

export function createReadinessHistory(): ReadinessHistory {
  const tracks = new Map<string, Track>();
  return {
    record: (rows, now) => {
      const sample = Math.floor(now / sampleMs);
      for (const {id, view, isLooking} of rows) {
        if (isLooking === true) continue;
        const track = tracks.get(id) ?? {samples: new Map<number, {readonly worst: number; readonly end: number}>(), last: -1, view: undefined};
        if (track.view === view) continue;
        const wanted = view.controlPlanes.wanted + view.workers.wanted;
        const ratio = wanted === 0 ? 0 : Math.min(1, (view.controlPlanes.ready + view.workers.ready) / wanted);
        if (track.last === ratio && track.samples.size > 0) {
          track.view = view;
          continue;
        }
        // within one sample the worst counts: a short fall must stay visible
        const known = track.samples.get(sample);
        track.samples.set(sample, {worst: Math.min(known?.worst ?? ratio, ratio), end: ratio});
        track.last = ratio;
        track.view = view;
        // older ones go, except for the newest of them, which says what was so at the beginning
        const old = [...track.samples.keys()].filter((at) => at <= sample - samplesKept);
        for (const at of old.slice(0, -1)) track.samples.delete(at);
        tracks.set(id, track);
      }
      if (tracks.size > rows.length) {
        const ids = new Set(rows.map((row) => row.id));
        for (const id of tracks.keys()) if (!ids.has(id)) tracks.delete(id);
      }
    },
    read: (id, count, now) => {
      const track = tracks.get(id);
      const newest = Math.floor(now / sampleMs);
      if (track === undefined) return Array.from({length: count}, () => undefined);
      let end: number | undefined;
      for (const [at, sample] of track.samples) if (at <= newest - count) end = sample.end;
      return Array.from({length: count}, (_, index) => {
        const sample = track.samples.get(newest - count + 1 + index);
        const value = sample?.worst ?? end;
        end = sample?.end ?? end;
        return value;
      });
    },
  };
}
