// Which version each part of a cluster with a topology gets now: the control plane first, then the pools in order, a few at a time.
import {listAt, numberAt, textAt, type KubeObject} from '../../../kube/object.ts';
import {holds, isFalse, isTrue, type Said} from './conditions.ts';
import {annotations, isLeaving, kinds, labels} from './names.ts';
import type {Reach} from './runtime.ts';

export interface Upgrade {
  readonly controlPlane: string;
  /** By the pool's name in the topology. */
  readonly pools: ReadonlyMap<string, string>;
  /** New pools wait while the control plane upgrades. */
  readonly delaysCreation: boolean;
  /** Some part isn't at the wanted version yet. */
  readonly isUpgrading: boolean;
  /** What TopologyReconciled says. */
  readonly said: Said;
}

export function nextVersions(cluster: KubeObject, reach: Reach): Upgrade {
  const {name, namespace} = cluster.metadata;
  const wanted = textAt(cluster, 'spec', 'topology', 'version') ?? '';
  const controlPlane = reach.get(kinds.controlPlane, textAt(cluster, 'spec', 'controlPlaneRef', 'name'), namespace);
  const deployments = new Map(
    reach.ofCluster(kinds.machineDeployment, name, namespace).map((one) => [one.metadata.labels?.[labels.topologyDeployment] ?? '', one]),
  );
  const machines = reach.ofCluster(kinds.machine, name, namespace);
  const versionOf = (deployment: KubeObject | undefined) => textAt(deployment, 'spec', 'template', 'spec', 'version');
  const isUpgrading = (deployment: KubeObject) =>
    machines.some((one) => one.metadata.labels?.[labels.deployment] === deployment.metadata.name && textAt(one, 'spec', 'version') !== versionOf(deployment)) ||
    !holds(deployment, 'Available');
  const present = textAt(controlPlane, 'spec', 'version');
  // a control plane that is still on its way to an earlier version finishes that first
  const isSettled = controlPlane === undefined || textAt(controlPlane, 'status', 'version') === present;
  const poolsSettled = [...deployments.values()].every((one) => versionOf(one) === present || isLeaving(one));
  const next = present === undefined || present === wanted ? wanted : isSettled && poolsSettled ? wanted : present;
  const done =
    controlPlane !== undefined &&
    next === wanted &&
    present === wanted &&
    textAt(controlPlane, 'status', 'version') === wanted &&
    (numberAt(controlPlane, 'status', 'upToDateReplicas') ?? 0) >= (numberAt(controlPlane, 'spec', 'replicas') ?? 1) &&
    (numberAt(controlPlane, 'status', 'replicas') ?? 0) === (numberAt(controlPlane, 'spec', 'replicas') ?? 1);
  const pools = new Map<string, string>();
  const pending: string[] = [];
  const deferred: string[] = [];
  const running: string[] = [];
  const limit = Number(cluster.metadata.annotations?.[annotations.concurrency] ?? 1);
  let isHeld = false;
  const topologyPools = listAt(cluster, 'spec', 'topology', 'workers', 'machineDeployments');
  for (const pool of topologyPools) {
    const deployment = deployments.get(textAt(pool, 'name') ?? '');
    if (
      deployment !== undefined &&
      versionOf(deployment) === wanted &&
      isUpgrading(deployment) &&
      machines.some((one) => one.metadata.labels?.[labels.deployment] === deployment.metadata.name && textAt(one, 'spec', 'version') !== wanted)
    )
      running.push(deployment.metadata.name);
  }
  for (const pool of topologyPools) {
    const poolName = textAt(pool, 'name') ?? '';
    const deployment = deployments.get(poolName);
    const version = versionOf(deployment);
    const marks = (pool as {readonly metadata?: {readonly annotations?: Record<string, string>}}).metadata?.annotations ?? {};
    isHeld ||= marks[annotations.holdUpgrade] !== undefined;
    if (deployment === undefined || version === undefined || version === wanted) pools.set(poolName, next);
    else if (marks[annotations.deferUpgrade] !== undefined || isHeld) {
      pools.set(poolName, version);
      deferred.push(deployment.metadata.name);
    } else if (done && running.length < limit) {
      pools.set(poolName, wanted);
      running.push(deployment.metadata.name);
    } else {
      pools.set(poolName, version);
      pending.push(deployment.metadata.name);
    }
  }
  const isControlPlaneUpgrading =
    controlPlane !== undefined && !done && textAt(controlPlane, 'status', 'version') !== undefined && textAt(controlPlane, 'status', 'version') !== wanted;
  return {
    controlPlane: next,
    pools,
    delaysCreation: isControlPlaneUpgrading,
    isUpgrading: present !== undefined && (present !== wanted || isControlPlaneUpgrading || running.length + pending.length + deferred.length > 0),
    said: saidOf({wanted, next, isControlPlaneUpgrading, running, pending, deferred, controlPlane}),
  };
}

interface Progress {
  readonly wanted: string;
  readonly next: string;
  readonly isControlPlaneUpgrading: boolean;
  readonly running: readonly string[];
  readonly pending: readonly string[];
  readonly deferred: readonly string[];
  readonly controlPlane: KubeObject | undefined;
}

function saidOf({wanted, next, isControlPlaneUpgrading, running, pending, deferred, controlPlane}: Progress): Said {
  const list = (names: readonly string[]) => names.join(', ');
  const lines = [
    ...(next === wanted ? [] : [`  * ${controlPlane?.kind} pending upgrade to version ${wanted}`]),
    ...(isControlPlaneUpgrading && next === wanted ? [`  * ${controlPlane?.kind} upgrading to version ${wanted}`] : []),
    ...(running.length > 0 ? [`  * MachineDeployment${running.length === 1 ? '' : 's'} ${list(running)} upgrading to version ${wanted}`] : []),
    ...(pending.length > 0 ? [`  * MachineDeployment${pending.length === 1 ? '' : 's'} ${list(pending)} pending upgrade to version ${wanted}`] : []),
    ...(deferred.length > 0
      ? [
          `  * MachineDeployment${deferred.length === 1 ? '' : 's'} ${list(deferred)} upgrade to version ${wanted} deferred using defer-upgrade or hold-upgrade-sequence annotations`,
        ]
      : []),
  ];
  if (lines.length === 0) return isTrue('TopologyReconciled', 'ReconcileSucceeded');
  const isOnlyDeferred = deferred.length > 0 && !isControlPlaneUpgrading && running.length === 0 && pending.length === 0;
  const reason = isOnlyDeferred ? 'MachineDeploymentsUpgradeDeferred' : 'ClusterUpgrading';
  return isFalse('TopologyReconciled', reason, [`Cluster is upgrading to ${wanted}`, ...lines].join('\n'));
}
