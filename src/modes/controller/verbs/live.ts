// A cluster as its objects say it is: what the verbs of day two plan from. One look is a handful of requests, whatever the number of machines.
import type {Resource} from '../../../kube/api.ts';
import {listAt, numberAt, textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import {coreGroup, readKinds, referenceIn, type KindTable, type Reference} from '../observe/kinds.ts';
import type {ControllerScope} from '../scope.ts';

export interface LiveObject {
  readonly resource: Resource;
  readonly object: KubeObject;
}

/** A group of workers: what the topology wants, and the object that keeps it, each where there is one. */
export interface LivePool {
  /** Its name in the topology, and so in the file; without a topology the object's. */
  readonly name: string;
  readonly kind: 'MachineDeployment' | 'MachinePool';
  readonly inTopology: boolean;
  readonly resource?: Resource;
  readonly object?: KubeObject;
  /** How many machines are wanted; undefined when nobody says. */
  readonly replicas?: number;
  /** Who else decides on the number of machines. */
  readonly autoscaled?: string;
}

export interface LiveCluster {
  readonly name: string;
  readonly namespace: string;
  /** True for the sandbox's own API. */
  readonly simulated: boolean;
  readonly resource: Resource;
  readonly cluster: KubeObject;
  readonly hasTopology: boolean;
  readonly controlPlane?: LiveObject;
  readonly pools: readonly LivePool[];
  readonly machines: readonly KubeObject[];
  readonly machineResource: Resource;
  readonly machineSets: readonly LiveObject[];
  readonly healthChecks: readonly LiveObject[];
  /** The ClusterClass, where the user may read it. */
  readonly clusterClass?: KubeObject;
  /** Infrastructure and bootstrap objects; only when asked for. */
  readonly others: readonly LiveObject[];
}

export interface LookOptions {
  readonly signal?: AbortSignal;
  /** Infrastructure and bootstrap objects too. */
  readonly others?: boolean;
  /** From an earlier look: kinds don't change while a verb works. */
  readonly kinds?: KindTable;
}

export const clusterNameLabel = `${coreGroup}/cluster-name`;
const topologyLabels = {MachineDeployment: 'topology.cluster.x-k8s.io/deployment-name', MachinePool: 'topology.cluster.x-k8s.io/pool-name'} as const;
const autoscalerBounds = [`${coreGroup}/cluster-api-autoscaler-node-group-min-size`, `${coreGroup}/cluster-api-autoscaler-node-group-max-size`] as const;

/** The Cluster object, without what hangs on it; undefined where there's none. */
export async function findCluster(scope: ControllerScope, name: string, options: LookOptions = {}): Promise<LiveObject | undefined> {
  const kinds = options.kinds ?? (await readKinds(scope.api, options.signal));
  const resource = await requireKind(kinds, 'Cluster');
  const object = await scope.api.get(resource, {namespace: scope.namespace, name}, signalOf(options));
  return object === undefined ? undefined : {resource, object};
}

/** The cluster with what hangs on it. Throws `cluster.not-found`, naming clusters that could be meant. */
export async function lookAtCluster(scope: ControllerScope, name: string, options: LookOptions = {}): Promise<LiveCluster> {
  const kinds = options.kinds ?? (await readKinds(scope.api, options.signal));
  const found = await findCluster(scope, name, {...options, kinds});
  if (found === undefined) throw await notFound(scope, name, options);
  const cluster = found.object;
  const [controlPlane, deployments, pools, sets, machines, checks, clusterClass] = await Promise.all([
    getReferenced(scope, kinds, referenceIn(valueAt(cluster, 'spec', 'controlPlaneRef'), scope.namespace), options),
    listOf(scope, kinds, 'MachineDeployment', name, options),
    listOf(scope, kinds, 'MachinePool', name, options),
    listOf(scope, kinds, 'MachineSet', name, options),
    listOf(scope, kinds, 'Machine', name, options),
    listOf(scope, kinds, 'MachineHealthCheck', name, options),
    getClass(scope, kinds, cluster, options),
  ]);
  return {
    name,
    namespace: scope.namespace,
    simulated: scope.api.simulated,
    resource: found.resource,
    cluster,
    hasTopology: valueAt(cluster, 'spec', 'topology') !== undefined,
    ...(controlPlane === undefined ? {} : {controlPlane}),
    pools: poolsOf(cluster, deployments, pools),
    machines: machines.map((one) => one.object),
    machineResource: machines[0]?.resource ?? (await requireKind(kinds, 'Machine')),
    machineSets: sets,
    healthChecks: checks,
    ...(clusterClass === undefined ? {} : {clusterClass}),
    others: options.others === true ? await listOthers(scope, kinds, cluster, machines, options) : [],
  };
}

const signalOf = ({signal}: LookOptions) => (signal === undefined ? {} : {signal});

async function requireKind(kinds: KindTable, kind: string): Promise<Resource> {
  const resource = await kinds.resourceOf({group: coreGroup, kind});
  if (resource !== undefined) return resource;
  throw new TriremeError('api.kind-unknown', `This API doesn't serve ${kind} of ${coreGroup}: Cluster API isn't installed here.`, {
    hints: ['Is it the management cluster? --context NAME', 'Install Cluster API: trireme provider init'],
  });
}

async function notFound(scope: ControllerScope, name: string, options: LookOptions): Promise<TriremeError> {
  const {api, namespace} = scope;
  const resource: Resource = {group: coreGroup, version: 'v1beta2', plural: 'clusters', kind: 'Cluster', namespaced: true};
  // only for the hint: without the right to look everywhere it is left out
  const everywhere = await api.list(resource, {...signalOf(options), metadataOnly: true}).then(
    (list) => list.items,
    () => [],
  );
  const same = everywhere.filter((one) => one.metadata.name === name).map((one) => one.metadata.namespace);
  const here = everywhere.filter((one) => one.metadata.namespace === namespace).map((one) => one.metadata.name);
  return new TriremeError('cluster.not-found', `There's no cluster ${name} in namespace ${namespace} of ${api.context} (${api.server}).`, {
    hints: [
      ...same.map((other) => `There is one in another namespace: -n ${other}`),
      ...(same.length === 0 && here.length > 0 ? [`In this namespace are: ${here.slice(0, 12).join(', ')}`] : []),
      ...(same.length === 0 && here.length === 0 ? ['Look in another namespace: -n NAME, or in another management cluster: --context NAME'] : []),
    ],
  });
}

async function listOf(scope: ControllerScope, kinds: KindTable, kind: string, name: string, options: LookOptions): Promise<readonly LiveObject[]> {
  const resource = await kinds.resourceOf({group: coreGroup, kind});
  if (resource === undefined) return [];
  return listByLabel(scope, resource, name, options);
}

async function listByLabel(scope: ControllerScope, resource: Resource, name: string, options: LookOptions): Promise<readonly LiveObject[]> {
  const {items} = await scope.api.list(resource, {...signalOf(options), namespace: scope.namespace, labelSelector: `${clusterNameLabel}=${name}`});
  return items.map((object) => ({resource, object}));
}

async function getReferenced(
  scope: ControllerScope,
  kinds: KindTable,
  reference: Reference | undefined,
  options: LookOptions,
): Promise<LiveObject | undefined> {
  const resource = reference === undefined ? undefined : await kinds.resourceOf(reference);
  if (resource === undefined || reference === undefined) return undefined;
  const object = await scope.api.get(resource, {namespace: reference.namespace, name: reference.name}, signalOf(options));
  return object === undefined ? undefined : {resource, object};
}

async function getClass(scope: ControllerScope, kinds: KindTable, cluster: KubeObject, options: LookOptions): Promise<KubeObject | undefined> {
  const name = textAt(cluster, 'spec', 'topology', 'classRef', 'name') ?? textAt(cluster, 'spec', 'topology', 'class');
  const resource = name === undefined ? undefined : await kinds.resourceOf({group: coreGroup, kind: 'ClusterClass'});
  if (name === undefined || resource === undefined) return undefined;
  const namespace =
    textAt(cluster, 'spec', 'topology', 'classRef', 'namespace') ?? textAt(cluster, 'spec', 'topology', 'classNamespace') ?? cluster.metadata.namespace;
  try {
    return await scope.api.get(resource, {name, namespace: namespace ?? scope.namespace}, signalOf(options));
  } catch (error) {
    // the class only tells more; the server checks what we then can't
    if (error instanceof TriremeError && error.code === 'api.forbidden') return undefined;
    throw error;
  }
}

async function listOthers(
  scope: ControllerScope,
  kinds: KindTable,
  cluster: KubeObject,
  machines: readonly LiveObject[],
  options: LookOptions,
): Promise<readonly LiveObject[]> {
  const infrastructure = referenceIn(valueAt(cluster, 'spec', 'infrastructureRef'), scope.namespace);
  const references = machines.flatMap(({object}) => [
    referenceIn(valueAt(object, 'spec', 'infrastructureRef'), scope.namespace),
    referenceIn(valueAt(object, 'spec', 'bootstrap', 'configRef'), scope.namespace),
  ]);
  const distinct = new Map([infrastructure, ...references].flatMap((one) => (one === undefined ? [] : [[`${one.group}/${one.kind}`, one] as const])));
  const lists = await Promise.all(
    [...distinct.values()].map(async (reference) => {
      const resource = await kinds.resourceOf(reference);
      return resource === undefined ? [] : listByLabel(scope, resource, cluster.metadata.name, options);
    }),
  );
  return lists.flat();
}

/** The pools in the order of the topology, then those that no topology names. */
export function poolsOf(cluster: KubeObject, deployments: readonly LiveObject[], machinePools: readonly LiveObject[]): readonly LivePool[] {
  const fields = [
    ['MachineDeployment', 'machineDeployments', deployments],
    ['MachinePool', 'machinePools', machinePools],
  ] as const;
  return fields.flatMap(([kind, field, objects]) => {
    const label = topologyLabels[kind];
    const wanted = listAt(cluster, 'spec', 'topology', 'workers', field).flatMap((entry): readonly LivePool[] => {
      const name = textAt(entry, 'name');
      if (name === undefined) return [];
      const found = objects.find(({object}) => object.metadata.labels?.[label] === name);
      const annotations = {...(valueAt(entry, 'metadata', 'annotations') as object | undefined), ...found?.object.metadata.annotations};
      return [poolOf({name, kind, inTopology: true}, found, numberAt(entry, 'replicas'), annotations)];
    });
    const named = new Set(wanted.flatMap((pool) => (pool.object === undefined ? [] : [pool.object.metadata.name])));
    const rest = objects.filter(({object}) => !named.has(object.metadata.name));
    return [
      ...wanted,
      ...rest.map((one) => poolOf({name: one.object.metadata.name, kind, inTopology: false}, one, undefined, one.object.metadata.annotations ?? {})),
    ];
  });
}

function poolOf(
  base: Pick<LivePool, 'name' | 'kind' | 'inTopology'>,
  found: LiveObject | undefined,
  wanted: number | undefined,
  annotations: Readonly<Record<string, string>>,
): LivePool {
  const replicas = wanted ?? numberAt(found?.object, 'spec', 'replicas');
  const autoscaled = autoscalerOf(annotations);
  return {...base, ...found, ...(replicas === undefined ? {} : {replicas}), ...(autoscaled === undefined ? {} : {autoscaled})};
}

function autoscalerOf(annotations: Readonly<Record<string, string>>): string | undefined {
  const [min, max] = autoscalerBounds.map((key) => annotations[key]);
  if (min !== undefined || max !== undefined) return `the cluster autoscaler, between ${min ?? '?'} and ${max ?? '?'}`;
  return annotations[`${coreGroup}/replicas-managed-by`];
}

/** The pool that a machine belongs to; undefined for the control plane's, and for machines of nobody. */
export function poolOfMachine(live: LiveCluster, machine: KubeObject): LivePool | undefined {
  const labels = machine.metadata.labels ?? {};
  return live.pools.find(
    (pool) =>
      pool.object !== undefined &&
      (pool.kind === 'MachineDeployment'
        ? labels[`${coreGroup}/deployment-name`] === pool.object.metadata.name
        : labels[`${coreGroup}/pool-name`] === pool.object.metadata.name ||
          machine.metadata.ownerReferences?.some((owner) => owner.kind === 'MachinePool' && owner.name === pool.object?.metadata.name)),
  );
}

export function isControlPlaneMachine(machine: KubeObject): boolean {
  return machine.metadata.labels?.[`${coreGroup}/control-plane`] !== undefined;
}

/** What the cluster shall run: the topology's version, else the control plane's. */
export function versionOfCluster(live: Pick<LiveCluster, 'cluster' | 'controlPlane'>): string | undefined {
  return textAt(live.cluster, 'spec', 'topology', 'version') ?? textAt(live.controlPlane?.object, 'spec', 'version');
}
