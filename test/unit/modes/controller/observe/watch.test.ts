import {afterEach, describe, expect, it} from 'vitest';
import type {ClusterView} from '../../../../../src/modes/mode.ts';
import {observeCluster, observeFleet, watchCluster, watchFleet, type Place} from '../../../../../src/modes/controller/observe/observe.ts';
import type {FleetChange} from '../../../../../src/fleet/fleet-store.ts';
import {clusterSet, condition, infraMachine, machine, withConditions} from '../../../../support/cluster-api-objects.ts';
import {MemoryApi} from '../../../../support/memory-api.ts';

const stops: AbortController[] = [];

afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

function placeOf(api: MemoryApi): {readonly place: Place; readonly signal: AbortSignal} {
  const stop = new AbortController();
  stops.push(stop);
  return {place: {api, namespace: 'fleet', options: {signal: stop.signal}} as Place, signal: stop.signal};
}

/** Takes views until one is as wanted. */
async function until<T>(views: AsyncIterator<T>, isWanted: (value: T) => boolean): Promise<T> {
  for (;;) {
    const {value, done} = await views.next();
    if (done === true) throw new Error('the views ended');
    if (isWanted(value)) return value;
  }
}

/** What was seen, without when. */
function timeless(view: ClusterView | undefined): unknown {
  return view === undefined ? undefined : {...view, seenAt: ''};
}

describe('watchCluster', () => {
  it('begins with what one look gives', async () => {
    const api = new MemoryApi(clusterSet().objects);
    const {place, signal} = placeOf(api);
    const first = await until(watchCluster(place, 'web', signal), () => true);
    expect(timeless(first)).toEqual(timeless(await observeCluster(place, 'web')));
  });

  it('follows changes, and what it ends with is what one look gives', async () => {
    const {objects, set, machines} = clusterSet();
    const api = new MemoryApi(objects);
    const {place, signal} = placeOf(api);
    const views = watchCluster(place, 'web', signal);
    await until(views, (view) => view?.health === 'healthy');
    api.put(infraMachine('web', 'web-md-0-9'));
    api.put(machine('web', 'web-md-0-9', set, 'v1.36.3'));
    await until(views, (view) => view?.machines.length === 5);
    const [, broken] = machines;
    if (broken === undefined) throw new Error('no machine');
    api.put(withConditions(broken, condition('NodeHealthy', 'False', 'NodeNotHealthy', 'gone')));
    const last = await until(views, (view) => view?.health === 'degraded' && view.reasons.length > 1);
    expect(timeless(last)).toEqual(timeless(await observeCluster(place, 'web')));
  });

  it('calls an object missing only after it was looked for by name', async () => {
    const {objects} = clusterSet();
    const api = new MemoryApi(objects);
    const {place, signal} = placeOf(api);
    const views = watchCluster(place, 'web', signal);
    await until(views, (view) => view?.health === 'healthy');
    api.delete(infraMachine('web', 'web-md-0-1'));
    const view = await until(views, (one) => one?.health === 'degraded');
    expect(view?.reasons).toEqual(['DevMachine/web-md-0-1: is missing, named by Machine/web-md-0-1 (spec.infrastructureRef)']);
    expect(api.asked).toContain('get devmachines');
    api.put(infraMachine('web', 'web-md-0-1'));
    await until(views, (one) => one?.health === 'healthy');
  });

  it('says since when what is shown is stale, and goes on', async () => {
    const api = new MemoryApi(clusterSet().objects);
    const {place, signal} = placeOf(api);
    const views = watchCluster(place, 'web', signal);
    await until(views, () => true);
    api.tell('cluster.x-k8s.io/Machine', {type: 'stale', since: '2026-11-25T10:00:00Z', why: 'the connection was cut'});
    const stale = await until(views, (view) => view?.stale !== undefined);
    expect(stale).toMatchObject({health: 'healthy', stale: {since: '2026-11-25T10:00:00Z', why: 'the connection was cut'}});
    api.tell('cluster.x-k8s.io/Machine', {type: 'fresh'});
    await until(views, (view) => view !== undefined && view.stale === undefined);
  });

  it('drops what a new list no longer has', async () => {
    const {objects, machines} = clusterSet();
    const api = new MemoryApi(objects);
    const {place, signal} = placeOf(api);
    const views = watchCluster(place, 'web', signal);
    await until(views, (view) => view?.machines.length === 4);
    api.tell('cluster.x-k8s.io/Machine', {type: 'listed', items: machines.slice(0, 2)});
    await until(views, (view) => view?.machines.length === 2);
  });

  it('gives undefined when the cluster goes away, and ends when it is stopped', async () => {
    const {objects, cluster} = clusterSet();
    const api = new MemoryApi(objects);
    const {place, signal} = placeOf(api);
    const views = watchCluster(place, 'web', signal);
    await until(views, () => true);
    api.delete(cluster);
    await until(views, (view) => view === undefined);
    stops.at(-1)?.abort();
    await expect(views.next()).resolves.toMatchObject({done: true});
    await expect.poll(() => api.watching).toBe(0);
  });

  it('throws what keeps it from beginning', async () => {
    const {place, signal} = placeOf(new MemoryApi(clusterSet().objects, {forbidden: ['machines']}));
    await expect(watchCluster(place, 'web', signal).next()).rejects.toMatchObject({code: 'api.forbidden'});
  });
});

describe('watchFleet', () => {
  it('tells only of the clusters that changed', async () => {
    const web = clusterSet({name: 'web'});
    const data = clusterSet({name: 'data', namespace: 'other'});
    const api = new MemoryApi([...web.objects, ...data.objects]);
    const {place, signal} = placeOf(api);
    const changes = watchFleet(place, undefined, signal);
    const names = ({changed}: FleetChange) => changed.map((view) => view.name);
    expect(names(await until(changes, () => true)).toSorted()).toEqual(['data', 'web']);
    api.put(withConditions(web.cluster, condition('TopologyReconciled', 'False', 'ReconcileFailed', 'no such class')));
    const change = await until(changes, () => true);
    expect(names(change)).toEqual(['web']);
    expect(change.changed[0]).toMatchObject({health: 'degraded', machines: []});
    api.delete(data.cluster);
    expect(await until(changes, () => true)).toMatchObject({changed: [], removed: ['other/data']});
  });

  it('watches neither infrastructure nor bootstrap objects', async () => {
    const api = new MemoryApi(clusterSet().objects);
    const {place, signal} = placeOf(api);
    await until(watchFleet(place, undefined, signal), () => true);
    expect(api.asked.filter((one) => one.startsWith('watch')).toSorted()).toEqual([
      'watch clusters',
      'watch kubeadmcontrolplanes',
      'watch machinedeployments',
      'watch machinepools',
      'watch machines',
    ]);
  });
});

it('names the nearest cluster when there is none of that name', async () => {
  const {place} = placeOf(new MemoryApi(clusterSet().objects));
  await expect(observeCluster(place, 'wed')).rejects.toMatchObject({code: 'cluster.not-found', hints: expect.arrayContaining(['Did you mean web?'])});
});

it('lists a fleet with counts and without machines', async () => {
  const api = new MemoryApi([...clusterSet({name: 'web'}).objects, ...clusterSet({name: 'data', workers: 5}).objects]);
  const {place} = placeOf(api);
  const views = await observeFleet(place, undefined);
  expect(views.map((view) => [view.name, view.health, view.workers.ready, view.machines.length])).toEqual([
    ['data', 'healthy', 5, 0],
    ['web', 'healthy', 3, 0],
  ]);
  expect(api.requests).toBeLessThanOrEqual(6);
});
