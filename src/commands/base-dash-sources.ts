// Where the dashboard's clusters come from: management clusters by their watches, hosts by looking at them again and again. Each lives for itself.
import {resolve} from 'node:path';
import {TriremeError} from '../kernel/errors.ts';
import {fleetRowId, type FleetChange, type FleetRow, type FleetSource} from '../fleet/fleet-store.ts';
import type {KnownCluster} from '../fleet/known-clusters.ts';
import {restarted} from '../fleet/restarting.ts';
import type {watchFleet as WatchFleet} from '../modes/controller/observe/observe.ts';
import type {ControllerScope} from '../modes/controller/scope.ts';
import type {ClusterView, ScopeOptions} from '../modes/mode.ts';

export interface ManagementPlace {
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Only these, where the user may not see all. */
  readonly namespaces: readonly string[];
}

export interface DashSources {
  readonly sources: readonly FleetSource[];
  /** Known clusters, shown before anything was seen. */
  readonly expected: readonly FleetRow[];
  /** By source. */
  readonly places: ReadonlyMap<string, ManagementPlace>;
}

export interface SourceOptions {
  readonly scope: ScopeOptions;
  readonly signal: AbortSignal;
  /** How often hosts are looked at, in ms. */
  readonly interval: number;
  /** A first look is on its way to the person until this resolves: more is asked for only then. Default: it has. */
  readonly shown?: Promise<unknown>;
}

export interface AskedPlaces {
  readonly kubeconfig?: string;
  readonly contexts: readonly string[];
  readonly namespace?: string;
  /** Where nothing else is known or named: what kubectl would use. */
  readonly useDefault: boolean;
}

/** One source for each management cluster and for each cluster of hosts. Nothing is connected before a source is followed. */
export function dashSources(known: readonly KnownCluster[], asked: AskedPlaces, options: SourceOptions): DashSources {
  const places = managementPlaces(known, asked);
  const hosts = known.filter((cluster) => cluster.mode !== 'controller');
  const management = [...places].map(([id, place]): FleetSource => ({
    id,
    title: place.context ?? 'current context',
    changes: managementChanges(place, asked.namespace, options),
  }));
  const onHosts = hosts.map((cluster): FleetSource => ({
    id: hostSourceId(cluster),
    title: cluster.name,
    group: 'hosts',
    changes: hostChanges(cluster, options),
  }));
  return {sources: [...management, ...onHosts], expected: known.map((cluster) => expectedRow(cluster)), places};
}

/** Reads what following management clusters takes, so that their first request doesn't wait for anything else that is read. */
export async function readWatching(): Promise<void> {
  await Promise.all([import('../modes/controller/scope.ts'), import('../modes/controller/observe/observe.ts'), import('../kube/client.ts')]);
}

function placeId({kubeconfig, context}: {readonly kubeconfig?: string; readonly context?: string}): string {
  return `management:${kubeconfig ?? ''}:${context ?? ''}`;
}

function hostSourceId({name, files}: KnownCluster): string {
  return `hosts:${files[0] ?? ''}:${name}`;
}

function managementPlaces(known: readonly KnownCluster[], asked: AskedPlaces): ReadonlyMap<string, ManagementPlace> {
  const places = new Map<string, ManagementPlace>();
  const put = (place: Omit<ManagementPlace, 'namespaces'>, namespace: string | undefined) => {
    const id = placeId(place);
    const namespaces = new Set(places.get(id)?.namespaces);
    if (namespace !== undefined) namespaces.add(namespace);
    places.set(id, {...place, namespaces: [...namespaces]});
  };
  const kubeconfig = asked.kubeconfig === undefined ? {} : {kubeconfig: resolve(asked.kubeconfig)};
  for (const context of asked.contexts) put({...kubeconfig, context}, asked.namespace);
  if (asked.contexts.length === 0 && asked.kubeconfig !== undefined) put(kubeconfig, asked.namespace);
  for (const cluster of known) {
    if (cluster.mode !== 'controller') continue;
    put(
      {...(cluster.kubeconfig === undefined ? {} : {kubeconfig: cluster.kubeconfig}), ...(cluster.context === undefined ? {} : {context: cluster.context})},
      cluster.namespace,
    );
  }
  if (places.size === 0 && known.length === 0 && asked.useDefault) put({}, asked.namespace);
  return places;
}

function expectedRow(known: KnownCluster): FleetRow {
  const source = known.mode === 'controller' ? placeId(known) : hostSourceId(known);
  const view: ClusterView = {
    name: known.name,
    mode: known.mode,
    simulated: false,
    version: '',
    health: 'unknown',
    reasons: [],
    controlPlanes: {ready: 0, wanted: 0},
    workers: {ready: 0, wanted: 0},
    conditions: [],
    machines: [],
    ...(known.namespace === undefined ? {} : {namespace: known.namespace}),
    ...(known.context === undefined ? {} : {context: known.context}),
  };
  return {id: fleetRowId(source, view), source, view, known, isLooking: true};
}

async function* managementChanges(place: ManagementPlace, namespace: string | undefined, options: SourceOptions): AsyncGenerator<FleetChange, void, undefined> {
  const {signal} = options;
  let isExpected = true;
  for await (const told of restarted((stopping) => watchPlace(place, namespace, {...options, signal: stopping}), {signal})) {
    if ('trouble' in told) yield {changed: [], removed: [], trouble: told.trouble};
    else {
      isExpected ||= told.isFirst;
      const isComplete = isExpected && told.value.isPartial !== true;
      yield isComplete ? {...told.value, isComplete} : told.value;
      if (told.value.isPartial === true) await options.shown;
      if (isComplete) isExpected = false;
    }
  }
}

/** All namespaces; where that isn't allowed, those that are known. Opened anew after each failure: the kubeconfig may have changed. */
async function* watchPlace(place: ManagementPlace, namespace: string | undefined, options: SourceOptions): AsyncGenerator<FleetChange, void, undefined> {
  const {signal} = options;
  const [{ControllerScope: Scope}, {watchFleet}] = await Promise.all([
    import('../modes/controller/scope.ts'),
    import('../modes/controller/observe/observe.ts'),
  ]);
  const scope = await Scope.open(place, {...options.scope, signal});
  const title = scope.api.context;
  try {
    for await (const change of watchNamespaces(place, namespace, {scope, watchFleet, signal})) yield {...change, title};
  } finally {
    await scope.close();
  }
}

async function* watchNamespaces(
  place: ManagementPlace,
  namespace: string | undefined,
  {scope, watchFleet, signal}: {readonly scope: ControllerScope; readonly watchFleet: typeof WatchFleet; readonly signal: AbortSignal},
): AsyncGenerator<FleetChange, void, undefined> {
  if (namespace === undefined) {
    try {
      yield* watchFleet(scope, undefined, signal, {early: true});
      return;
    } catch (error) {
      if (!(error instanceof TriremeError) || error.code !== 'api.forbidden') throw error;
    }
  }
  const namespaces = namespace !== undefined ? [namespace] : place.namespaces.length > 0 ? place.namespaces : [scope.namespace];
  if (namespaces.length === 1) yield* watchFleet(scope, namespaces[0], signal);
  else yield* merged(namespaces.map((one) => watchFleet(scope, one, signal)));
}
/** The changes of several watches as one; the first failure is everybody's. */
async function* merged(watches: readonly AsyncGenerator<FleetChange, void, undefined>[]): AsyncGenerator<FleetChange, void, undefined> {
  const waiting = new Map(watches.map((watch, index) => [index, next(watch, index)]));
  // what the first of them says isn't everything: they are told together
  const firsts = await Promise.all([...waiting.values()]);
  yield {
    changed: firsts.flatMap(({result}) => (result.done === true ? [] : result.value.changed)),
    removed: firsts.flatMap(({result}) => (result.done === true ? [] : result.value.removed)),
  };
  for (const {index} of firsts) waiting.set(index, next(watches[index] as AsyncGenerator<FleetChange, void, undefined>, index));
  while (waiting.size > 0) {
    const {index, result} = await Promise.race(waiting.values());
    if (result.done === true) waiting.delete(index);
    else {
      yield result.value;
      waiting.set(index, next(watches[index] as AsyncGenerator<FleetChange, void, undefined>, index));
    }
  }
}

async function next(watch: AsyncGenerator<FleetChange, void, undefined>, index: number) {
  return {index, result: await watch.next()};
}

async function* hostChanges(known: KnownCluster, options: SourceOptions): AsyncGenerator<FleetChange, void, undefined> {
  const {signal} = options;
  let last: ClusterView | undefined;
  for await (const told of restarted((stopping) => watchKnownHosts(known, {...options, signal: stopping}), {signal})) {
    if ('value' in told) {
      last = told.value;
      yield {changed: [told.value], removed: []};
    } else if (last === undefined) {
      yield {changed: [{...expectedRow(known).view, reasons: [told.trouble.why]}], removed: []};
    } else yield {changed: [{...last, stale: told.trouble}], removed: []};
  }
}

/** The file is read anew each time: it says which hosts there are. */
async function* watchKnownHosts(known: KnownCluster, options: SourceOptions): AsyncGenerator<ClusterView, void, undefined> {
  if (known.files.length === 0)
    throw new TriremeError('file.not-found', `The file of ${known.name} isn't known: it came over standard input.`, {hints: ['trireme apply -f FILE']});
  const [{readCluster}, {AgentScope}, {watchHosts}] = await Promise.all([
    import('../spec/read.ts'),
    import('../modes/agent/scope.ts'),
    import('../modes/agent/watch-hosts.ts'),
  ]);
  const cluster = await readCluster({files: known.files, name: known.name, redactor: options.scope.redactor});
  const scope = await AgentScope.open(cluster, {...options.scope, signal: options.signal});
  try {
    yield* watchHosts(cluster, scope, {signal: options.signal, interval: options.interval});
  } finally {
    await scope.close();
  }
}
