// Clusters of a management cluster as views: one look, or for as long as anybody watches.
import {TriremeError} from '../../../kernel/errors.ts';
import {nearest} from '../../../kernel/nearest.ts';
import type {KubeApi} from '../../../kube/api.ts';
import type {FleetChange} from '../../../fleet/fleet-store.ts';
import type {DesiredCluster} from '../../../spec/desired.ts';
import type {ClusterView, EventView, LookOptions} from '../../mode.ts';
import type {ControllerScope} from '../scope.ts';
import {compareEvents, viewEvent} from './events.ts';
import {gather, listCore, type GatherOptions} from './gather.ts';
import {events as eventsResource} from './kinds.ts';
import {viewCluster, viewClusters, type ViewOptions} from './view.ts';
import {watchObjects} from './watch.ts';

/** What observing needs of a scope. */
export type Place = Pick<ControllerScope, 'api' | 'namespace'> & {readonly options: {readonly signal: AbortSignal}};

export interface ObserveOptions extends LookOptions {
  /** Warnings of its objects too: one more request. Default true. */
  readonly withEvents?: boolean;
}

function viewOptions(api: KubeApi, depth: GatherOptions['depth']): ViewOptions {
  return {context: api.context, simulated: api.simulated, depth};
}

/** One look at one cluster; undefined when it isn't there. */
export async function findCluster(place: Place, name: string, options: ObserveOptions = {}): Promise<ClusterView | undefined> {
  const {api, namespace} = place;
  const {withEvents = true, brief = false} = options;
  const seen = await gather(api, {namespace, cluster: name, depth: 'full', withEvents, brief, signal: place.options.signal});
  return viewCluster(seen, `${namespace}/${name}`, viewOptions(api, 'full'));
}

/** What a file describes and the management cluster doesn't have. */
export function absentCluster(cluster: DesiredCluster, {api, namespace}: Place): ClusterView {
  const {metadata, spec} = cluster.document;
  return {
    name: metadata.name,
    mode: 'controller',
    simulated: api.simulated,
    version: spec.kubernetes.version,
    health: 'unknown',
    reasons: ['the cluster is not made yet: trireme apply'],
    controlPlanes: {ready: 0, wanted: spec.controller?.controlPlane.replicas ?? 0},
    workers: {ready: 0, wanted: (spec.controller?.pools ?? []).reduce((sum, pool) => sum + (pool.replicas ?? pool.autoscale?.min ?? 1), 0)},
    conditions: [],
    machines: [],
    namespace,
    context: api.context,
    seenAt: new Date().toISOString(),
  };
}

/** As `findCluster`; throws `cluster.not-found`, naming the nearest that is there. */
export async function observeCluster(place: Place, name: string, options: ObserveOptions = {}): Promise<ClusterView> {
  const view = await findCluster(place, name, options);
  return view ?? Promise.reject(await notFound(place, name));
}

async function notFound({api, namespace, options}: Place, name: string): Promise<TriremeError> {
  const there = await listCore(api, 'Cluster', {namespace, signal: options.signal, metadataOnly: true}).then(
    (items) => items.map((item) => item.metadata.name),
    () => [],
  );
  const meant = nearest(name, there);
  return new TriremeError('cluster.not-found', `${api.context} has no cluster ${name} in namespace ${namespace}.`, {
    hints: [...(meant === undefined ? [] : [`Did you mean ${meant}?`]), 'See all of them: trireme cluster list -A'],
  });
}

/** Every cluster of a namespace (absent: of all), as summaries. */
export async function observeFleet(place: Place, namespace: string | undefined): Promise<readonly ClusterView[]> {
  const seen = await gather(place.api, {...(namespace === undefined ? {} : {namespace}), depth: 'summary', signal: place.options.signal});
  return viewClusters(seen, viewOptions(place.api, 'summary'));
}

/** A view after each change; undefined while the cluster isn't there. Ends when the signal aborts. */
export async function* watchCluster(place: Place, name: string, signal: AbortSignal): AsyncGenerator<ClusterView | undefined, void, undefined> {
  const {api, namespace} = place;
  const key = `${namespace}/${name}`;
  for await (const {seen, stale} of watchObjects(api, {namespace, cluster: name, depth: 'full', signal})) {
    const view = viewCluster(seen, key, viewOptions(api, 'full'));
    yield view === undefined ? undefined : {...view, ...(stale === undefined ? {} : {stale})};
  }
}

/**
 * The clusters that changed, after each change; at first all of them. Ends when the signal aborts.
 * `early`: before that, in `isPartial` changes, by what the Cluster objects alone say.
 */
export async function* watchFleet(
  place: Place,
  namespace: string | undefined,
  signal: AbortSignal,
  {early = false}: {readonly early?: boolean} = {},
): AsyncGenerator<FleetChange, void, undefined> {
  const {api} = place;
  for await (const {seen, changed, stale, isEarly} of watchObjects(api, {...(namespace === undefined ? {} : {namespace}), depth: 'summary', signal, early})) {
    const views: ClusterView[] = [];
    const removed: string[] = [];
    for (const key of changed) {
      const view = viewCluster(seen, key, viewOptions(api, 'summary'));
      if (view === undefined) removed.push(key);
      else views.push({...(isEarly === true ? withoutPools(view) : view), ...(stale === undefined ? {} : {stale})});
    }
    yield {changed: views, removed, ...(stale === undefined ? {} : {trouble: stale}), ...(isEarly === true ? {isPartial: true} : {})};
  }
}

/** Pools that weren't looked at yet aren't none. */
function withoutPools({pools: _unseen, ...view}: ClusterView): ClusterView {
  return view;
}

/** Events about a cluster's objects, oldest first. */
export async function observeEvents(place: Place, name: string, options: {readonly warningsOnly: boolean}): Promise<readonly EventView[]> {
  const {api, namespace} = place;
  const {signal} = place.options;
  const [view, {items}] = await Promise.all([
    observeCluster(place, name, {withEvents: false, brief: true}),
    api.list(eventsResource, {namespace, signal, ...(options.warningsOnly ? {fieldSelector: 'type=Warning'} : {})}),
  ]);
  const names = namesIn(view);
  return items
    .map(viewEvent)
    .filter((event) => names.has(event.object))
    .toSorted(compareEvents);
}

/** Events as they come; what was there before comes first, oldest first. Objects that come later count from the next look at the cluster on. */
export async function* watchEvents(
  place: Place,
  name: string,
  options: {readonly warningsOnly: boolean; readonly signal: AbortSignal},
): AsyncGenerator<EventView, void, undefined> {
  const {api, namespace} = place;
  const {signal} = options;
  let names = namesIn(await observeCluster(place, name, {withEvents: false, brief: true}));
  const shown = new Map<string, number>();
  const isNew = (event: EventView, id: string) => {
    if (shown.get(id) === event.count) return false;
    shown.set(id, event.count);
    return true;
  };
  const filter = options.warningsOnly ? {fieldSelector: 'type=Warning'} : {};
  for await (const change of api.watch(eventsResource, {namespace, signal, ...filter})) {
    if (change.type === 'listed') {
      const found = change.items.map((item) => ({event: viewEvent(item), id: item.metadata.uid ?? item.metadata.name}));
      for (const {event, id} of found.toSorted((a, b) => compareEvents(a.event, b.event))) if (names.has(event.object) && isNew(event, id)) yield event;
      continue;
    }
    if (change.type !== 'added' && change.type !== 'modified') continue;
    const event = viewEvent(change.object);
    if (!names.has(event.object)) names = await refreshed(place, name, names);
    if (names.has(event.object) && isNew(event, change.object.metadata.uid ?? change.object.metadata.name)) yield event;
  }
}

async function refreshed(place: Place, name: string, before: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const view = await findCluster(place, name, {withEvents: false, brief: true}).catch(() => undefined);
  return view === undefined ? before : new Set([...before, ...namesIn(view)]);
}

function namesIn(view: ClusterView): ReadonlySet<string> {
  const names = new Set<string>();
  const pending = view.tree === undefined ? [] : [view.tree];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    names.add(`${node.kind}/${node.name}`);
    pending.push(...node.children);
  }
  return names;
}
