// A cluster as plain data, from the objects that were seen. Pure.
import {numberAt, textAt, type KubeObject} from '../../../kube/object.ts';
import type {ClusterView, MachineView, ObjectNode, PoolView, UpgradeView, DeletionView} from '../../mode.ts';
import {deletionOf} from './deletion.ts';
import {viewEvents} from './events.ts';
import {familyOf, type Family} from './family.ts';
import type {Seen} from './gather.ts';
import {machineView} from './machines.ts';
import type {ClusterKey} from './object-index.ts';
import {controlPlaneView, readiness, workerPools} from './pools.ts';
import {gatherReasons} from './reasons.ts';
import {isPaused, versionOfObject} from './standing.ts';
import {buildTree} from './tree.ts';
import {clusterUpgrade} from './upgrade.ts';

export interface ViewOptions {
  /** Name of the management cluster's context. */
  readonly context: string;
  readonly simulated: boolean;
  /** `summary`: without tree and machines. */
  readonly depth: 'full' | 'summary';
}

/** Undefined when there's no such Cluster. */
export function viewCluster(seen: Seen, key: ClusterKey, options: ViewOptions): ClusterView | undefined {
  const family = familyOf(seen.index, key);
  if (family === undefined) return undefined;
  const {cluster} = family;
  const tree = buildTree(family, seen);
  const controlPlane = controlPlaneView(family);
  const pools = workerPools(family);
  const upgrade = clusterUpgrade([...(controlPlane === undefined ? [] : [controlPlane]), ...pools]);
  const deletion = deletionOf(cluster, tree);
  const now = whatItDoes({cluster, controlPlane, pools, upgrade, deletion});
  const reasons = gatherReasons(tree);
  const isFull = options.depth === 'full';
  const unseen = [...seen.unreadable].map(([kind, why]) => `${kind.slice(kind.indexOf('/') + 1)}: ${why}`);
  const optional = {
    namespace: cluster.metadata.namespace,
    created: cluster.metadata.creationTimestamp,
    phase: textAt(cluster.status, 'phase'),
    class: textAt(cluster.spec, 'topology', 'classRef', 'name') ?? textAt(cluster.spec, 'topology', 'class'),
    endpoint: endpointOf(cluster),
    labels: labelsOf(cluster),
    now,
    controlPlane,
    upgrade,
    deletion,
    ...(isFull ? {tree, events: seen.events.length === 0 ? undefined : viewEvents(seen.events, tree)} : {}),
    unseen: unseen.length === 0 ? undefined : unseen,
  };
  return {
    name: cluster.metadata.name,
    mode: 'controller',
    simulated: options.simulated,
    version: versionOfCluster(cluster, controlPlane, pools),
    health: healthOf(tree, deletion),
    reasons: isPaused(cluster) ? ['paused: nothing of it is reconciled', ...reasons] : reasons,
    controlPlanes: readiness(controlPlane === undefined ? [] : [controlPlane], cluster, 'controlPlane'),
    workers: readiness(pools, cluster, 'workers'),
    conditions: tree.conditions,
    machines: isFull ? machinesOf(family, tree) : [],
    context: options.context,
    paused: isPaused(cluster),
    pools,
    seenAt: seen.seenAt,
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as Partial<ClusterView>),
  };
}

/** A person's: those of Cluster API itself say nothing that the view doesn't. */
function labelsOf(cluster: KubeObject): Readonly<Record<string, string>> | undefined {
  const own = Object.entries(cluster.metadata.labels ?? {}).filter(([key]) => !key.includes('cluster.x-k8s.io/'));
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

/** Every cluster that was seen, by namespace and name. */
export function viewClusters(seen: Seen, options: ViewOptions): readonly ClusterView[] {
  return seen.index
    .clusters()
    .toSorted()
    .flatMap((key) => viewCluster(seen, key, options) ?? []);
}

function healthOf(tree: ObjectNode, deletion: DeletionView | undefined): ClusterView['health'] {
  if (deletion !== undefined) return 'progressing';
  if (tree.worst === 'bad') return 'degraded';
  // right after it was made a Cluster says nothing at all yet, and nothing of it is wrong
  const available = tree.conditions.find((one) => one.type === 'Available') ?? tree.conditions.find((one) => one.type === 'Ready');
  if (tree.worst === 'working' || available?.status !== 'True') return tree.worst === 'unknown' ? 'unknown' : 'progressing';
  return tree.worst === 'unknown' ? 'unknown' : 'healthy';
}

/** What the control plane wants; a cluster without one that says it shows its pools'. */
function versionOfCluster(cluster: KubeObject, controlPlane: PoolView | undefined, pools: readonly PoolView[]): string {
  return versionOfObject(cluster) ?? controlPlane?.version ?? pools.find((pool) => pool.version !== undefined)?.version ?? '';
}

function endpointOf(cluster: KubeObject): string | undefined {
  const host = textAt(cluster.spec, 'controlPlaneEndpoint', 'host');
  const port = numberAt(cluster.spec, 'controlPlaneEndpoint', 'port');
  if (host === undefined || host === '') return undefined;
  return port === undefined ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function machinesOf(family: Family, tree: ObjectNode): readonly MachineView[] {
  const machines = new Map(family.machines.map((machine) => [machine.metadata.name, machine]));
  const walk = (node: ObjectNode, pool: string | undefined): readonly MachineView[] => {
    const machine = node.role === 'machine' ? machines.get(node.name) : undefined;
    if (machine !== undefined) return [machineView(machine, node, pool)];
    const own = node.role === 'pool' || node.role === 'control-plane' ? node.name : pool;
    return node.children.flatMap((child) => walk(child, own));
  };
  return walk(tree, undefined);
}

interface Doing {
  readonly cluster: KubeObject;
  readonly controlPlane: PoolView | undefined;
  readonly pools: readonly PoolView[];
  readonly upgrade: UpgradeView | undefined;
  readonly deletion: DeletionView | undefined;
}

function whatItDoes({cluster, controlPlane, pools, upgrade, deletion}: Doing): string | undefined {
  if (deletion !== undefined) {
    const left = deletion.remaining.map(({kind, count}) => `${count} ${kind}`).join(', ');
    return `being deleted${left === '' ? '' : `; left: ${left}`}`;
  }
  if (isPaused(cluster)) return 'paused';
  const all = [...(controlPlane === undefined ? [] : [controlPlane]), ...pools];
  const isMade = all.some((pool) => pool.replicas.ready > 0) || all.every((pool) => pool.replicas.wanted === 0);
  const phase = textAt(cluster.status, 'phase');
  if (phase === 'Pending' || phase === 'Provisioning' || (!isMade && all.length > 0)) return 'being made';
  if (upgrade !== undefined) {
    const steps = upgrade.plan.length > 1 ? ` by ${upgrade.plan.join(', ')}` : '';
    return `upgrading to ${upgrade.to}${steps}: ${upgrade.done}/${upgrade.total} machines${upgrade.waiting === undefined ? '' : `, waiting: ${upgrade.waiting}`}`;
  }
  const moving = all.flatMap(poolDoes);
  return moving.length === 0 ? undefined : moving.join('; ');
}

function poolDoes(pool: PoolView): readonly string[] {
  const name = pool.role === 'control-plane' ? 'control plane' : (pool.topologyName ?? pool.name);
  const {wanted, current, upToDate} = pool.replicas;
  const isTrue = (type: string) => pool.conditions.some((one) => one.type === type && one.status === 'True');
  if (pool.deleting !== undefined) return [`${name} is being deleted`];
  if (isTrue('Remediating')) return [`${name}: remediating`];
  if (isTrue('RollingOut')) return [`${name}: rolling out, ${Math.min(upToDate, wanted)}/${wanted} up to date`];
  if (current !== wanted) return [`${name}: scaling from ${current} to ${wanted}`];
  return [];
}
