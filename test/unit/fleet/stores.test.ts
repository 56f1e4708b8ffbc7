import {describe, expect, it} from 'vitest';
import {followCluster} from '../../../src/fleet/cluster-store.ts';
import {followFleet, type FleetChange} from '../../../src/fleet/fleet-store.ts';
import {listRows} from '../../../src/fleet/list-rows.ts';
import {parseGoal} from '../../../src/fleet/wait-goal.ts';
import type {ClusterView} from '../../../src/modes/mode.ts';

function view(name: string, more: Partial<ClusterView> = {}): ClusterView {
  return {
    name,
    namespace: 'fleet',
    context: 'prod',
    mode: 'controller',
    simulated: false,
    version: 'v1.36.3',
    health: 'healthy',
    reasons: [],
    controlPlanes: {ready: 1, wanted: 1},
    workers: {ready: 3, wanted: 3},
    conditions: [],
    machines: [],
    ...more,
  };
}

async function* from<T>(...items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function* failing<T>(...items: readonly T[]): AsyncGenerator<T> {
  yield* items;
  throw new Error('the token is refused');
}

describe('a cluster store', () => {
  it('holds the newest view, and tells of each', async () => {
    const store = followCluster(from<ClusterView | undefined>(view('a'), view('a', {health: 'degraded'})));
    const seen: unknown[] = [];
    store.subscribe(() => seen.push(store.get().view?.health));
    await store.done;
    expect(seen).toEqual(['healthy', 'degraded', 'degraded']);
    expect(store.get()).toMatchObject({phase: 'ended', view: {health: 'degraded'}});
  });

  it('says when the cluster is gone, and why a source failed', async () => {
    const gone = followCluster(from<ClusterView | undefined>(view('a'), undefined));
    await gone.done;
    expect(gone.get().view).toBeUndefined();
    const failed = followCluster(failing<ClusterView | undefined>(view('a')));
    await failed.done;
    expect(failed.get()).toMatchObject({phase: 'failed', view: {name: 'a'}, failure: {message: 'the token is refused'}});
  });
});

describe('a fleet store', () => {
  it('keeps clusters of equal names of several sources apart', async () => {
    const changes = (name: string): FleetChange => ({changed: [view(name)], removed: []});
    const store = followFleet([
      {id: 'prod', changes: from(changes('web'))},
      {id: 'test', changes: from(changes('web'))},
    ]);
    await store.done;
    expect(store.get().rows.map((row) => row.id)).toEqual(['prod/fleet/web', 'test/fleet/web']);
  });

  it('drops what is gone, and leaves the others alone when a source fails', async () => {
    const store = followFleet([
      {id: 'prod', changes: from<FleetChange>({changed: [view('a'), view('b')], removed: []}, {changed: [], removed: ['fleet/a']})},
      {id: 'test', changes: failing<FleetChange>({changed: [view('c')], removed: []})},
    ]);
    await store.done;
    expect(store.get().rows.map((row) => row.view.name)).toEqual(['b', 'c']);
    expect(store.get().sources).toMatchObject({prod: {phase: 'ended'}, test: {phase: 'failed', failure: {message: 'the token is refused'}}});
  });
});

describe('rows of a list', () => {
  const known = {name: 'web', mode: 'controller', files: ['/srv/web.yaml'], digest: 'd', hosts: [], namespace: 'fleet'};

  it('have a cluster once that is known and seen', () => {
    const rows = listRows([known], [view('web'), view('data')]);
    expect(rows.map((row) => [row.name, row.files, row.live?.health])).toEqual([
      ['web', ['/srv/web.yaml'], 'healthy'],
      ['data', [], 'healthy'],
    ]);
  });

  it('keep a cluster of the same name in another context or namespace apart', () => {
    expect(listRows([{...known, context: 'test'}], [view('web')])).toHaveLength(2);
    expect(listRows([{...known, namespace: 'other'}], [view('web')])).toHaveLength(2);
    expect(listRows([{...known, mode: 'agent'}], [view('web')])).toHaveLength(2);
  });
});

describe('what a wait waits for', () => {
  const waiting = view('a', {
    health: 'progressing',
    reasons: ['Machine/a-1: NodeReady is Unknown'],
    conditions: [{type: 'Available', ready: false, status: 'False', reason: 'NotAvailable', message: 'no control plane'}],
  });

  it.each([
    ['healthy', view('a'), true],
    ['healthy', waiting, false],
    ['healthy', undefined, false],
    ['condition=Available', waiting, false],
    ['condition=available=false', waiting, true],
    ['condition=Cheese', waiting, false],
    ['delete', undefined, true],
    ['delete', waiting, false],
  ] as const)('%s', (text, seen, isMet) => {
    expect(parseGoal(text).isMet(seen)).toBe(isMet);
  });

  it('names what is missing', () => {
    expect(parseGoal('condition=Available').missing(waiting)).toBe('Available is False (NotAvailable): no control plane');
    expect(parseGoal('condition=Cheese').missing(waiting)).toBe('it has no condition Cheese; there are Available');
    expect(parseGoal('healthy').missing(waiting)).toBe('Machine/a-1: NodeReady is Unknown');
    expect(parseGoal('delete').missing(waiting)).toBe('nobody deletes it');
  });

  it('refuses what it does not know', () => {
    expect(() => parseGoal('jsonpath={.x}')).toThrow(expect.objectContaining({code: 'usage.invalid'}));
  });
});
