// Versions and how far a change of them is, per pool and for the cluster. Pure.
import {listAt, numberAt, textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import type {PoolView, UpgradeView, VersionCount} from '../../mode.ts';
import {versionOfMachine} from './family.ts';
import {versionOfObject} from './standing.ts';

/** What the machines have, oldest version first; of a pool without machines of its own what its status says. */
export function versionsOf(pool: KubeObject, machines: readonly KubeObject[]): readonly VersionCount[] {
  const counts = new Map<string, number>();
  for (const machine of machines) {
    const version = versionOfMachine(machine);
    if (version !== undefined) counts.set(version, (counts.get(version) ?? 0) + 1);
  }
  if (counts.size === 0) {
    for (const one of listAt(pool.status, 'versions')) {
      const version = textAt(one, 'version');
      if (version !== undefined) counts.set(version, numberAt(one, 'replicas') ?? 0);
    }
  }
  return [...counts].map(([version, replicas]) => ({version, replicas})).toSorted((a, b) => compareVersions(a.version, b.version));
}

/** How far a pool is on its way to the cluster's version; undefined when all its machines have it. */
export function poolUpgrade(
  cluster: KubeObject,
  pool: KubeObject,
  role: PoolView['role'],
  versions: readonly VersionCount[],
  total: number,
): UpgradeView | undefined {
  const own = versionOfObject(pool);
  const to = textAt(cluster.spec, 'topology', 'version') ?? own;
  if (to === undefined || pool.metadata.deletionTimestamp !== undefined) return undefined;
  const from = versions.filter(({version}) => version !== to).map(({version}) => version);
  if (from.length === 0 && (own === undefined || own === to)) return undefined;
  const waiting = own === to ? undefined : waitingFor(cluster, pool, role);
  const done = versions.find(({version}) => version === to)?.replicas ?? 0;
  return {from, to, plan: planOf(cluster, role, to), done, total: Math.max(total, done), ...(waiting === undefined ? {} : {waiting})};
}

/** The pool's own object doesn't want the new version yet: who holds it back. */
function waitingFor(cluster: KubeObject, pool: KubeObject, role: PoolView['role']): string {
  const topologyName = topologyNameOf(pool);
  const declared = [...listAt(cluster.spec, 'topology', 'workers', 'machineDeployments'), ...listAt(cluster.spec, 'topology', 'workers', 'machinePools')].find(
    (one) => textAt(one, 'name') === topologyName,
  );
  const annotations = valueAt(declared, 'metadata', 'annotations');
  if (valueAt(annotations, 'topology.cluster.x-k8s.io/defer-upgrade') !== undefined) return 'deferred by its annotation defer-upgrade';
  if (valueAt(annotations, 'topology.cluster.x-k8s.io/hold-upgrade-sequence') !== undefined) return 'held by its annotation hold-upgrade-sequence';
  const told = listAt(cluster.status, 'conditions').find((one) => textAt(one, 'type') === 'TopologyReconciled');
  const reason = textAt(told, 'status') === 'True' ? '' : (textAt(told, 'reason') ?? '');
  if (reason === 'LifecycleHookBlocking') return `a lifecycle hook blocks: ${textAt(told, 'message') ?? 'no message'}`;
  if (reason === 'ReconcileFailed') return `the topology can't be reconciled: ${textAt(told, 'message') ?? 'no message'}`;
  if (reason === 'ControlPlaneUpgradePending' || role === 'control-plane') return textAt(told, 'message') ?? 'its turn has not come';
  return 'the control plane and the pools before it come first';
}

function planOf(cluster: KubeObject, role: PoolView['role'], to: string): readonly string[] {
  const plan = listAt(cluster.status, role === 'control-plane' ? 'controlPlane' : 'workers', 'upgradePlan')
    .map((one) => textAt(one, 'version'))
    .filter((version) => version !== undefined);
  return plan.length === 0 ? [to] : plan;
}

/** The cluster's upgrade: its pools' together; undefined when none is under way. */
export function clusterUpgrade(pools: readonly PoolView[]): UpgradeView | undefined {
  const upgrades = pools.flatMap((pool) => (pool.upgrade === undefined ? [] : [pool.upgrade]));
  const to = upgrades
    .map((one) => one.to)
    .toSorted(compareVersions)
    .at(-1);
  if (to === undefined) return undefined;
  const isMoving = upgrades.some((one) => one.waiting === undefined);
  const waiting = isMoving ? undefined : upgrades.find((one) => one.waiting !== undefined)?.waiting;
  return {
    from: [...new Set(upgrades.flatMap((one) => one.from))].toSorted(compareVersions),
    to,
    plan: upgrades.map((one) => one.plan).toSorted((a, b) => b.length - a.length)[0] ?? [to],
    done: pools.reduce((sum, pool) => sum + (pool.versions.find(({version}) => version === to)?.replicas ?? 0), 0),
    total: pools.reduce((sum, pool) => sum + Math.max(pool.replicas.wanted, pool.replicas.current), 0),
    ...(waiting === undefined ? {} : {waiting}),
  };
}

/** The pool's name in the topology, which is its name in the file. */
export function topologyNameOf(pool: KubeObject): string | undefined {
  const labels = pool.metadata.labels ?? {};
  return labels['topology.cluster.x-k8s.io/deployment-name'] ?? labels['topology.cluster.x-k8s.io/pool-name'];
}

/** By number, so that v1.9 comes before v1.10; what has no number keeps the alphabet's order. */
export function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', {numeric: true});
}
