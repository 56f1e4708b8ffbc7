// The groups of like machines of a cluster as plain data: the control plane and the pools of workers. Pure.
import {listAt, numberAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import type {PoolView, ReplicaCounts} from '../../mode.ts';
import {isControlPlaneMachine, machinesOfPool, type Family} from './family.ts';
import {worstOf} from './conditions.ts';
import {isPaused, reasonsOf, replicasOf, standAbove, standOf, versionOfObject} from './standing.ts';
import {poolUpgrade, topologyNameOf, versionsOf} from './upgrade.ts';

const minSize = 'cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size';
const maxSize = 'cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size';

export function controlPlaneView(family: Family): PoolView | undefined {
  if (family.controlPlane === undefined) return undefined;
  return poolView(family, family.controlPlane, 'control-plane', family.machines.filter(isControlPlaneMachine));
}

/** In the order of the topology, else by name. */
export function workerPools(family: Family): readonly PoolView[] {
  const declared = ['machineDeployments', 'machinePools'].flatMap((kind) =>
    listAt(family.cluster.spec, 'topology', 'workers', kind).map((one) => valueAt(one, 'name')),
  );
  const place = (pool: PoolView) =>
    pool.topologyName === undefined || !declared.includes(pool.topologyName) ? declared.length : declared.indexOf(pool.topologyName);
  return [...family.deployments, ...family.pools]
    .map((pool) => poolView(family, pool, 'worker', machinesOfPool(family, pool)))
    .toSorted((a, b) => place(a) - place(b) || (a.name < b.name ? -1 : 1));
}

function poolView(family: Family, pool: KubeObject, role: PoolView['role'], machines: readonly KubeObject[]): PoolView {
  const {standing, conditions} = standAbove(standOf(pool), worstOf(machines.map((machine) => standOf(machine).standing)));
  const replicas = countsOf(pool, machines);
  const version = versionOfObject(pool);
  const versions = versionsOf(pool, machines);
  const upgrade = poolUpgrade(family.cluster, pool, role, versions, Math.max(replicas.wanted, replicas.current));
  const topologyName = topologyNameOf(pool);
  const autoscaled = autoscalingOf(pool);
  const {deletionTimestamp} = pool.metadata;
  return {
    name: pool.metadata.name,
    kind: pool.kind,
    ...(topologyName === undefined ? {} : {topologyName}),
    role,
    standing,
    replicas,
    ...(version === undefined ? {} : {version}),
    versions,
    ...(upgrade === undefined ? {} : {upgrade}),
    ...(autoscaled === undefined ? {} : {autoscaled}),
    paused: isPaused(pool),
    ...(deletionTimestamp === undefined ? {} : {deleting: deletionTimestamp}),
    reasons: reasonsOf(conditions),
    conditions,
  };
}

/** Control planes that don't count (contract: replicas are optional) have as many as machines are there. */
function countsOf(pool: KubeObject, machines: readonly KubeObject[]): ReplicaCounts {
  const told = replicasOf(pool);
  if (told !== undefined) return told;
  const ready = machines.filter((machine) => standOf(machine).standing === 'good').length;
  return {wanted: machines.length, current: machines.length, ready, available: ready, upToDate: ready};
}

function autoscalingOf(pool: KubeObject): PoolView['autoscaled'] {
  const annotations = pool.metadata.annotations ?? {};
  const [min, max] = [annotations[minSize], annotations[maxSize]].map((text) => (text === undefined ? Number.NaN : Number(text)));
  return min === undefined || max === undefined || Number.isNaN(min) || Number.isNaN(max) ? undefined : {min, max};
}

/** Ready and wanted, from the pools; where there are none, from the Cluster's own counts. */
export function readiness(
  pools: readonly PoolView[],
  cluster: KubeObject,
  part: 'controlPlane' | 'workers',
): {readonly ready: number; readonly wanted: number} {
  if (pools.length > 0) {
    const sum = (of: (counts: ReplicaCounts) => number) => pools.reduce((total, pool) => total + of(pool.replicas), 0);
    return {ready: sum((counts) => counts.ready), wanted: sum((counts) => counts.wanted)};
  }
  return {ready: numberAt(cluster.status, part, 'readyReplicas') ?? 0, wanted: numberAt(cluster.status, part, 'desiredReplicas') ?? 0};
}
