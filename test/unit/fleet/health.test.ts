import {describe, expect, it} from 'vitest';
import {followFleet, type FleetChange, type FleetRow, type FleetState} from '../../../src/fleet/fleet-store.ts';
import {healthChanges} from '../../../src/fleet/health-changes.ts';
import {createReadinessHistory, sampleMs} from '../../../src/fleet/readiness-history.ts';
import {restartDelay, restarted, type Told} from '../../../src/fleet/restarting.ts';
import type {ClusterView} from '../../../src/modes/mode.ts';
import {renderFleetSummary, renderHealthChange} from '../../../src/output/fleet-changes.ts';
import {plainStyle} from '../../../src/output/style.ts';

const view = (name: string, more: Partial<ClusterView> = {}): ClusterView => ({
  name,
  mode: 'agent',
  simulated: false,
  version: 'v1.36.3',
  health: 'healthy',
  reasons: [],
  controlPlanes: {ready: 1, wanted: 1},
  workers: {ready: 3, wanted: 3},
  conditions: [],
  machines: [],
  ...more,
});
const row = (name: string, more: Partial<ClusterView> = {}): FleetRow => ({id: name, source: 's', view: view(name, more)});
const state = (rows: readonly FleetRow[], source: Partial<FleetState['sources'][string]> = {}): FleetState => ({
  rows,
  sources: {s: {title: 'management', phase: 'live', ...source}},
});
const told = (before: FleetState, after: FleetState) => healthChanges(before, after).map(({kind, name, text}) => `${kind}: ${name} ${text}`);

describe('what changes in a fleet', () => {
  const calm = state([row('a'), row('b')]);

  it('is told when a cluster turns bad, and when it is good again', () => {
    const bad = state([row('a', {health: 'degraded', reasons: ['no leader', 'more']}), row('b')]);
    expect(told(calm, bad)).toEqual(['bad: a is degraded: no leader']);
    expect(told(bad, state([row('a'), row('b')]))).toEqual(['good: a is healthy again']);
  });

  it('is nothing when views are new and say the same', () => {
    expect(told(calm, state([row('a'), row('b')]))).toEqual([]);
    expect(told(calm, calm)).toEqual([]);
  });

  it('is told when clusters come and go, wherever they are in the order', () => {
    expect(told(calm, state([row('a'), row('aa'), row('c')]))).toEqual(['new: aa is new', 'gone: b is gone', 'new: c is new']);
  });

  it('is told when a source is silent, and answers again', () => {
    const silent = state(calm.rows, {trouble: {since: '2026-03-01T12:00:00Z', why: 'the connection was cut'}});
    expect(told(calm, silent)).toEqual(['bad: management the connection was cut']);
    expect(told(silent, calm)).toEqual(['good: management answers again']);
  });

  it('is not that a cluster is looked at for the first time', () => {
    const looking = state([{...row('a', {health: 'unknown'}), isLooking: true}, row('b')]);
    expect(told(looking, state([row('a', {health: 'degraded'}), row('b')]))).toEqual([]);
  });

  it('says what a cluster does now, and that it is not seen any more', () => {
    expect(told(calm, state([row('a', {health: 'progressing', now: 'upgrading: 1/4'}), row('b')]))).toEqual(['now: a upgrading: 1/4']);
    expect(told(calm, state([row('a', {stale: {since: '', why: 'no answer'}}), row('b')]))).toEqual(["bad: a isn't seen any more: no answer"]);
  });

  it('is a harmless line for whoever reads lines', () => {
    const change = {kind: 'bad' as const, id: 'x', name: '\u001B[2Jx', text: 'is degraded:\nno leader'};
    expect(renderHealthChange(change, {now: Date.parse('2026-03-01T12:00:31Z'), style: plainStyle})).toBe('12:00:31 ✖ x is degraded: no leader');
    expect(renderFleetSummary(state([row('a', {simulated: true}), row('b', {health: 'degraded', reasons: ['no leader']})]), plainStyle)).toBe(
      'SIMULATED 2 clusters: 1 healthy, 1 degraded\n• b is degraded; no leader',
    );
  });
});

describe('the history of readiness', () => {
  const at = (sample: number) => sample * sampleMs;
  const ready = (count: number) => [row('a', {workers: {ready: count, wanted: 3}})];

  it('goes on from the last change, and knows nothing before the first', () => {
    const history = createReadinessHistory();
    history.record(ready(3), at(10));
    history.record(ready(1), at(12));
    expect(history.read('a', 5, at(14))).toEqual([1, 1, 0.5, 0.5, 0.5].map((ratio, index) => (index === 0 ? 1 : ratio)));
    expect(history.read('a', 4, at(11))).toEqual([undefined, undefined, 1, 1]);
    expect(history.read('b', 2, at(11))).toEqual([undefined, undefined]);
  });

  it('keeps a short fall in sight, and goes on with what came after it', () => {
    const history = createReadinessHistory();
    history.record(ready(3), at(10));
    history.record(ready(1), at(11) + 1);
    history.record(ready(3), at(11) + 2);
    expect(history.read('a', 4, at(13))).toEqual([1, 0.5, 1, 1]);
  });

  it('keeps no more than it shows, and nothing of clusters that are gone', () => {
    const history = createReadinessHistory();
    for (let sample = 0; sample < 200; sample += 1) history.record(ready(sample % 4), at(sample));
    expect(history.read('a', 4, at(199)).every((ratio) => ratio !== undefined)).toBe(true);
    history.record([], at(200));
    expect(history.read('a', 1, at(200))).toEqual([undefined]);
  });
});

describe('something that is followed', () => {
  const collect = async (begin: (attempt: number) => AsyncIterable<string>, count: number) => {
    const stopping = new AbortController();
    let attempt = 0;
    const all: Told<string>[] = [];
    for await (const one of restarted(() => begin((attempt += 1)), {signal: stopping.signal, delay: () => 1, now: () => attempt * 1000})) {
      all.push(one);
      if (all.length === count) stopping.abort();
    }
    return all;
  };

  it('is begun anew when it fails, and says since when it says nothing', async () => {
    const all = await collect(async function* (attempt) {
      if (attempt === 2 || attempt === 3) throw new Error('refused\nlong story');
      yield `look ${attempt}`;
      if (attempt === 1) throw new Error('cut');
      yield 'more';
    }, 6);
    expect(all).toEqual([
      {value: 'look 1', isFirst: true},
      {trouble: {since: new Date(1000).toISOString(), why: 'cut'}},
      {trouble: {since: new Date(1000).toISOString(), why: 'refused'}},
      {trouble: {since: new Date(1000).toISOString(), why: 'refused'}},
      {value: 'look 4', isFirst: true},
      {value: 'more', isFirst: false},
    ]);
  });

  it('is begun anew when it just ends', async () => {
    const all = await collect(async function* (attempt) {
      yield `look ${attempt}`;
    }, 3);
    expect(all[1]).toMatchObject({trouble: {why: 'it ended by itself'}});
  });

  it('waits longer and longer, but not for ever', () => {
    for (let failures = 1; failures < 40; failures += 1) {
      expect(restartDelay(failures)).toBeLessThanOrEqual(10_000);
      expect(restartDelay(failures)).toBeGreaterThanOrEqual(Math.min(10_000, 1000 * 2 ** (failures - 1)) * 0.75);
    }
  });
});

describe('a fleet store', () => {
  const source = async function* (...changes: readonly FleetChange[]): AsyncGenerator<FleetChange> {
    yield* changes;
  };

  it('shows what is expected before anything was seen, and keeps it when it is not there', async () => {
    const expected: FleetRow = {id: 's//a', source: 's', view: view('a', {health: 'unknown'}), isLooking: true};
    const store = followFleet([{id: 's', changes: source({changed: [view('b')], removed: [], isComplete: true})}], [expected]);
    expect(store.get().rows).toEqual([expected]);
    await store.done;
    expect(store.get().rows.map((one) => [one.view.name, one.view.health, one.isLooking])).toEqual([
      ['a', 'unknown', undefined],
      ['b', 'healthy', undefined],
    ]);
  });

  it('takes a complete list for complete: what is not in it is gone', async () => {
    const store = followFleet([
      {id: 's', changes: source({changed: [view('a'), view('b')], removed: []}, {changed: [view('b')], removed: [], isComplete: true})},
    ]);
    await store.done;
    expect(store.get().rows.map((one) => one.view.name)).toEqual(['b']);
  });

  it('gives the same rows for as long as nothing changes, and new ones after a change', async () => {
    const store = followFleet([{id: 's', changes: source({changed: [view('a')], removed: []})}]);
    const before = store.get();
    expect(store.get()).toBe(before);
    await store.done;
    expect(store.get()).not.toBe(before);
    expect(store.get()).toBe(store.get());
    expect(store.find('s//a')?.view.name).toBe('a');
  });
});
