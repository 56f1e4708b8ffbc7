// Clusters: what their parts say, summed up, and the order in which they end.
import {numberAt, textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import type {Draft} from '../draft.ts';
import {aggregate, conditionOf, either, holds, isFalse, isTrue, isUnknown, summarise, withConditions, type Said} from './conditions.ts';
import {isControlPlane, isLeaving, kinds} from './names.ts';
import {keepPaused, pausedCondition} from './paused.ts';
import type {Controller, Reach} from './runtime.ts';

const finalizer = 'cluster.cluster.x-k8s.io';

export const clusters: Controller = {
  name: 'cluster',
  kind: kinds.cluster,
  follows: [kinds.controlPlane, kinds.machineDeployment, kinds.machineSet, kinds.machine, kinds.devCluster],
  reconcile: (cluster, reach) => {
    if (keepPaused(cluster, cluster, reach)) return undefined;
    if (isLeaving(cluster)) return leave(cluster, reach);
    const owned = reach.addFinalizer(cluster, finalizer) ?? cluster;
    const infrastructure = reach.referenced(valueAt(owned, 'spec', 'infrastructureRef'), owned.metadata.namespace);
    const controlPlane = reach.referenced(valueAt(owned, 'spec', 'controlPlaneRef'), owned.metadata.namespace);
    for (const part of [infrastructure, controlPlane]) if (part !== undefined) adopt(part, owned, reach);
    const endpoint = valueAt(infrastructure, 'spec', 'controlPlaneEndpoint') as Draft | undefined;
    const withEndpoint =
      endpoint?.['host'] !== undefined && valueAt(owned, 'spec', 'controlPlaneEndpoint', 'host') === undefined
        ? reach.change(owned, (draft) => ({...draft, spec: {...(draft['spec'] as object), controlPlaneEndpoint: endpoint}}))
        : owned;
    keepStatus(withEndpoint ?? owned, {infrastructure, controlPlane}, reach);
    return undefined;
  },
};

/** Makes the cluster own a part of it, and marks the part as its own. */
function adopt(part: KubeObject, cluster: KubeObject, reach: Reach): void {
  const label = 'cluster.x-k8s.io/cluster-name';
  if (part.metadata.labels?.[label] === undefined)
    reach.change(part, (draft) => {
      const meta = draft['metadata'] as {readonly labels?: object};
      return {...draft, metadata: {...meta, labels: {...meta.labels, [label]: cluster.metadata.name}}};
    });
  const fresh = reach.referenced({apiGroup: part.apiVersion.split('/')[0], kind: part.kind, name: part.metadata.name}, part.metadata.namespace);
  if (fresh !== undefined) reach.addOwner(fresh, cluster, {controller: true});
}

interface Parts {
  readonly infrastructure: KubeObject | undefined;
  readonly controlPlane: KubeObject | undefined;
}

interface Seen extends Parts {
  readonly deployments: readonly KubeObject[];
  readonly machines: readonly KubeObject[];
}

function keepStatus(cluster: KubeObject, parts: Parts, reach: Reach, deleting: Said = isFalse('Deleting', 'NotDeleting')): void {
  const {name, namespace} = cluster.metadata;
  const seen: Seen = {
    ...parts,
    deployments: reach.ofCluster(kinds.machineDeployment, name, namespace),
    machines: reach.ofCluster(kinds.machine, name, namespace),
  };
  const before = (valueAt(cluster, 'status') as Draft | undefined) ?? {};
  const initialization = {
    ...(valueAt(parts.infrastructure, 'status', 'initialization', 'provisioned') === true ||
    valueAt(before, 'initialization', 'infrastructureProvisioned') === true
      ? {infrastructureProvisioned: true}
      : {}),
    ...(valueAt(parts.controlPlane, 'status', 'initialization', 'controlPlaneInitialized') === true ||
    valueAt(before, 'initialization', 'controlPlaneInitialized') === true
      ? {controlPlaneInitialized: true}
      : {}),
  };
  const leaving = isLeaving(cluster);
  const phase = leaving
    ? 'Deleting'
    : initialization.infrastructureProvisioned === true
      ? 'Provisioned'
      : parts.infrastructure === undefined
        ? 'Pending'
        : 'Provisioning';
  tellProgress(cluster, {before: textAt(before, 'phase'), phase, initialization, was: valueAt(before, 'initialization') as Draft | undefined}, reach);
  const said = conditionsOf(cluster, seen, initialization, deleting);
  reach.setStatus(cluster, {
    ...(Object.keys(initialization).length === 0 ? {} : {initialization}),
    ...(parts.controlPlane === undefined ? {} : {controlPlane: replicasOf([parts.controlPlane])}),
    workers: replicasOf(seen.deployments),
    phase,
    observedGeneration: cluster.metadata.generation,
    conditions: withConditions(cluster, said),
  });
}

interface Progress {
  readonly before: string | undefined;
  readonly phase: string;
  readonly initialization: Draft;
  readonly was: Draft | undefined;
}

function tellProgress(cluster: KubeObject, {before, phase, initialization, was}: Progress, reach: Reach): void {
  const {name} = cluster.metadata;
  if (before !== phase && phase !== 'Pending') reach.event(cluster, 'Normal', phase, `Cluster ${name} is ${phase}`);
  if (initialization['infrastructureProvisioned'] === true && was?.['infrastructureProvisioned'] !== true)
    reach.event(cluster, 'Normal', 'InfrastructureReady', `Cluster ${name} InfrastructureProvisioned is now True`);
  if (initialization['controlPlaneInitialized'] === true && was?.['controlPlaneInitialized'] !== true)
    reach.event(cluster, 'Normal', 'ControlPlaneInitialized', `Cluster ${name} ControlPlaneInitialized is now True`);
}

/** The sum of what control planes or deployments count. */
function replicasOf(objects: readonly KubeObject[]): Draft {
  const sum = (field: string) => objects.reduce((total, one) => total + (numberAt(one, 'status', field) ?? 0), 0);
  const versions = new Map<string, number>();
  for (const object of objects)
    for (const one of (valueAt(object, 'status', 'versions') as readonly {readonly version: string; readonly replicas: number}[] | undefined) ?? [])
      versions.set(one.version, (versions.get(one.version) ?? 0) + one.replicas);
  return {
    desiredReplicas: objects.reduce((total, one) => total + (numberAt(one, 'spec', 'replicas') ?? 0), 0),
    replicas: sum('replicas'),
    upToDateReplicas: sum('upToDateReplicas'),
    readyReplicas: sum('readyReplicas'),
    availableReplicas: sum('availableReplicas'),
    ...(versions.size === 0 ? {} : {versions: [...versions].toSorted().map(([version, replicas]) => ({version, replicas}))}),
  };
}

function conditionsOf(cluster: KubeObject, seen: Seen, initialization: Draft, deleting: Said): readonly Said[] {
  const {infrastructure, controlPlane, deployments, machines} = seen;
  const isInitialized = initialization['controlPlaneInitialized'] === true;
  const members = machines.filter(isControlPlane);
  const workers = machines.filter((one) => !isControlPlane(one));
  const groups = [...(controlPlane === undefined ? [] : [controlPlane]), ...deployments];
  const any = (type: string) => aggregateAny(type, groups);
  const ready = {good: 'Ready', bad: 'NotReady', unknown: 'ReadyUnknown'};
  const upToDate = {good: 'UpToDate', bad: 'NotUpToDate', unknown: 'UpToDateUnknown'};
  const judged = (list: readonly KubeObject[]) => list.filter((one) => conditionOf(one, 'UpToDate') !== undefined);
  const topology = conditionOf(cluster, 'TopologyReconciled');
  const said: Said[] = [
    isInitialized
      ? isTrue('RemoteConnectionProbe', 'ProbeSucceeded')
      : isFalse('RemoteConnectionProbe', 'ProbeFailed', 'Remote connection not established yet'),
    infrastructureCondition(cluster, infrastructure),
    isInitialized ? isTrue('ControlPlaneInitialized', 'Initialized') : notInitialized(cluster, controlPlane),
    controlPlaneCondition(cluster, controlPlane),
    deployments.length === 0
      ? isTrue('WorkersAvailable', 'NoWorkers')
      : aggregate('WorkersAvailable', deployments, {good: 'Available', bad: 'NotAvailable', unknown: 'AvailableUnknown'}, 'Available'),
    any('RollingOut'),
    any('ScalingUp'),
    any('ScalingDown'),
    any('Remediating'),
    aggregate('ControlPlaneMachinesReady', members, ready, 'Ready'),
    aggregate('WorkerMachinesReady', workers, ready, 'Ready'),
    aggregate('ControlPlaneMachinesUpToDate', judged(members), upToDate, 'UpToDate'),
    aggregate('WorkerMachinesUpToDate', judged(workers), upToDate, 'UpToDate'),
    deleting,
    pausedCondition(cluster, cluster),
  ];
  const topologySaid: readonly Said[] =
    topology === undefined
      ? []
      : [{type: topology.type, status: isBenign(topology.reason) ? 'True' : topology.status, reason: topology.reason ?? '', message: topology.message ?? ''}];
  const summed = ['Deleting', 'RemoteConnectionProbe', 'InfrastructureReady', 'ControlPlaneAvailable', 'WorkersAvailable', 'TopologyReconciled'];
  return [...said, summarise('Available', {said: [...said, ...topologySaid]}, summed, {good: 'Available', bad: 'NotAvailable', unknown: 'AvailableUnknown'})];
}

/** Upgrades that are only waiting for their turn don't make a cluster less available. */
const isBenign = (reason: string | undefined) => /Upgrad|CreatePending|LifecycleHook/.test(reason ?? '');

function aggregateAny(type: string, groups: readonly KubeObject[]): Said {
  const active = groups.filter((one) => holds(one, type));
  if (active.length === 0) return isFalse(type, `Not${type}`);
  const lines = active.map((one) => {
    const text = conditionOf(one, type)?.message ?? '';
    const [first = '', ...rest] = text.split('\n');
    return [`* ${one.kind} ${one.metadata.name}: ${first}`, ...rest.map((line) => `  ${line}`)].join('\n');
  });
  return isTrue(type, type, lines.join('\n'));
}

function infrastructureCondition(cluster: KubeObject, infrastructure: KubeObject | undefined): Said {
  const kind = textAt(cluster, 'spec', 'infrastructureRef', 'kind');
  if (kind === undefined)
    return isFalse(
      'InfrastructureReady',
      'DoesNotExist',
      valueAt(cluster, 'spec', 'topology') === undefined ? '' : 'Waiting for cluster topology to be reconciled',
    );
  if (infrastructure === undefined) {
    const wasThere = valueAt(cluster, 'status', 'initialization', 'infrastructureProvisioned') === true;
    if (isLeaving(cluster)) return isFalse('InfrastructureReady', 'ObjectDeleted', `${kind} has been deleted`);
    return wasThere
      ? isFalse('InfrastructureReady', 'ObjectDeleted', `${kind} has been deleted while the cluster still exists`)
      : isFalse('InfrastructureReady', 'ObjectDoesNotExist', `${kind} does not exist`);
  }
  const isProvisioned = valueAt(infrastructure, 'status', 'initialization', 'provisioned') === true;
  return either('InfrastructureReady', isProvisioned, ['Ready', 'NotReady'], ['', `${kind} status.initialization.provisioned is false`]);
}

function notInitialized(cluster: KubeObject, controlPlane: KubeObject | undefined): Said {
  if (controlPlane !== undefined) return isFalse('ControlPlaneInitialized', 'NotInitialized', 'Control plane not yet initialized');
  const kind = textAt(cluster, 'spec', 'controlPlaneRef', 'kind');
  return isUnknown(
    'ControlPlaneInitialized',
    'ObjectDoesNotExist',
    kind === undefined ? 'Waiting for cluster topology to be reconciled' : `${kind} does not exist`,
  );
}

function controlPlaneCondition(cluster: KubeObject, controlPlane: KubeObject | undefined): Said {
  const kind = textAt(cluster, 'spec', 'controlPlaneRef', 'kind');
  if (kind === undefined) return isFalse('ControlPlaneAvailable', 'ObjectDoesNotExist', 'Waiting for cluster topology to be reconciled');
  if (controlPlane === undefined) {
    if (isLeaving(cluster)) return isFalse('ControlPlaneAvailable', 'ObjectDeleted', `${kind} has been deleted`);
    return isFalse('ControlPlaneAvailable', 'ObjectDoesNotExist', `${kind} does not exist`);
  }
  const one = conditionOf(controlPlane, 'Available');
  if (one === undefined) return isFalse('ControlPlaneAvailable', 'NotAvailable', `${kind} status.initialization.controlPlaneInitialized is false`);
  return {type: 'ControlPlaneAvailable', status: one.status, reason: one.reason ?? '', message: one.message ?? ''};
}

/** Workers, then the control plane, then the infrastructure; what is left is named. */
function leave(cluster: KubeObject, reach: Reach): number | undefined {
  const {name, namespace} = cluster.metadata;
  const infrastructure = reach.referenced(valueAt(cluster, 'spec', 'infrastructureRef'), namespace);
  const controlPlane = reach.referenced(valueAt(cluster, 'spec', 'controlPlaneRef'), namespace);
  const parts = {infrastructure, controlPlane};
  const workers = [kinds.machineDeployment, kinds.machineSet, kinds.machine].map(
    (kind) => [kind.split('.')[0] ?? '', reach.ofCluster(kind, name, namespace).filter((one) => !isControlPlane(one))] as const,
  );
  const first = workers.find(([, objects]) => objects.length > 0);
  if (first !== undefined) {
    for (const [, objects] of workers)
      for (const object of objects) if (object.metadata.ownerReferences?.some((owner) => owner.kind !== 'Cluster') !== true) reach.remove(object);
    const lines = workers.flatMap(([kind, objects]) =>
      objects.length === 0 ? [] : [`* ${kind === 'Machine' ? 'Worker Machines' : `${kind}s`}: ${shownNames(objects)}`],
    );
    keepStatus(cluster, parts, reach, isTrue('Deleting', 'WaitingForWorkersDeletion', lines.join('\n')));
    return undefined;
  }
  const left = (reason: string, object: KubeObject) => {
    reach.remove(object);
    keepStatus(cluster, parts, reach, isTrue('Deleting', reason, `* ${object.kind}: ${object.metadata.name}`));
  };
  if (controlPlane !== undefined) left('WaitingForControlPlaneDeletion', controlPlane);
  else if (infrastructure !== undefined) left('WaitingForInfrastructureDeletion', infrastructure);
  else {
    keepStatus(cluster, parts, reach, isTrue('Deleting', 'DeletionCompleted', 'Deletion completed'));
    const fresh = reach.get(kinds.cluster, name, namespace);
    if (fresh !== undefined) reach.dropFinalizer(fresh, finalizer);
  }
  return undefined;
}

function shownNames(objects: readonly KubeObject[]): string {
  const names = objects.map((one) => one.metadata.name);
  return names.length > 10 ? `${names.slice(0, 10).join(', ')}, ... (${names.length - 10} more)` : names.join(', ');
}
