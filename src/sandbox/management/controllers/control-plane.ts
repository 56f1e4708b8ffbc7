// KubeadmControlPlanes: certificates and kubeconfig, machines one after the other, upgrades by surge.
import {isDeepStrictEqual} from 'node:util';
import {numberAt, textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import type {Draft} from '../draft.ts';
import {compareVersions, parseVersion} from '../versions.ts';
import {randomSuffix} from '../writes.ts';
import {ensureSecrets} from './cluster-secrets.ts';
import {createMachine, missingTemplate} from './clone.ts';
import {conditionOf, either, holds, isFalse, isTrue, isUnknown, withConditions, type Said} from './conditions.ts';
import {isMarkedForDeletion} from './machine.ts';
import {machinesOf, say} from './machine-set.ts';
import {annotations, isControlPlane, isLeaving, kinds, labels} from './names.ts';
import {keepPaused, pausedCondition} from './paused.ts';
import {countsOf, deletingMachines, groupConditions} from './replicas.ts';
import type {Controller, Reach} from './runtime.ts';

const finalizer = 'kubeadm.controlplane.cluster.x-k8s.io';
const readinessGates = [
  'NodeKubeadmLabelsAndTaintsSet',
  'APIServerPodHealthy',
  'ControllerManagerPodHealthy',
  'SchedulerPodHealthy',
  'EtcdPodHealthy',
  'EtcdMemberHealthy',
];

export const controlPlanes: Controller = {
  name: 'kubeadm-control-plane',
  kind: kinds.controlPlane,
  follows: [kinds.cluster, kinds.machine],
  reconcile: (controlPlane, reach) => {
    const cluster = reach.clusterOf(controlPlane);
    if (keepPaused(controlPlane, cluster, reach)) return undefined;
    if (isLeaving(controlPlane)) return leave(controlPlane, cluster, reach);
    if (cluster === undefined || isLeaving(cluster)) return undefined;
    if (controlPlane.metadata.ownerReferences?.some((one) => one.kind === 'Cluster') !== true) return undefined;
    const owned = reach.addFinalizer(controlPlane, finalizer) ?? controlPlane;
    if (valueAt(cluster, 'spec', 'controlPlaneEndpoint', 'host') !== undefined) ensureSecrets(owned, cluster, reach);
    const machines = machinesOf(owned, reach);
    for (const machine of machines) if (!isLeaving(machine)) judge(machine, owned, reach);
    const blockedBy = step(owned, cluster, reach);
    keepStatus(owned, cluster, blockedBy, reach);
    return blockedBy.length > 0 ? 250 : undefined;
  },
};

function judge(machine: KubeObject, controlPlane: KubeObject, reach: Reach): void {
  const lines: string[] = [];
  const [version, wanted] = [textAt(machine, 'spec', 'version'), textAt(controlPlane, 'spec', 'version')];
  if (version !== wanted) lines.push(`* Version ${version}, ${wanted} required`);
  const infrastructure = reach.referenced(valueAt(machine, 'spec', 'infrastructureRef'), machine.metadata.namespace);
  const template = textAt(controlPlane, 'spec', 'machineTemplate', 'spec', 'infrastructureRef', 'name');
  if (infrastructure !== undefined && infrastructure.metadata.annotations?.[annotations.clonedFromName] !== template)
    lines.push(`* ${infrastructure.kind} is not up-to-date`);
  const config = reach.referenced(valueAt(machine, 'spec', 'bootstrap', 'configRef'), machine.metadata.namespace);
  const before = config?.metadata.annotations?.['simulated.trireme.dev/configuration'];
  if (before !== undefined && before !== configurationOf(controlPlane)) lines.push('* KubeadmConfig is not up-to-date');
  const after = textAt(controlPlane, 'spec', 'rollout', 'after');
  if (after !== undefined && Date.parse(after) <= Date.now() && Date.parse(after) > Date.parse(machine.metadata.creationTimestamp ?? ''))
    lines.push('* KubeadmControlPlane spec.rolloutAfter expired');
  say(machine, lines.length === 0 ? isTrue('UpToDate', 'UpToDate') : isFalse('UpToDate', 'NotUpToDate', lines.join('\n')), reach);
}

const configurationOf = (controlPlane: KubeObject) => JSON.stringify(valueAt(controlPlane, 'spec', 'kubeadmConfigSpec') ?? {});

/** One move at a time, each only when all that is there is healthy; returns why no machine can be made. */
function step(controlPlane: KubeObject, cluster: KubeObject, reach: Reach): readonly string[] {
  if (valueAt(cluster, 'status', 'initialization', 'infrastructureProvisioned') !== true) return [];
  const machines = machinesOf(controlPlane, reach);
  const live = machines.filter((one) => !isLeaving(one));
  const wanted = numberAt(controlPlane, 'spec', 'replicas') ?? 1;
  const broken = live.find((one) => conditionOf(one, 'HealthCheckSucceeded')?.status === 'False' && conditionOf(one, 'OwnerRemediated')?.status === 'False');
  if (broken !== undefined && live.length > 1) {
    say(broken, isFalse('OwnerRemediated', 'MachineDeleting', 'Machine is deleting'), reach);
    reach.remove(broken);
    return [];
  }
  const outdated = live.filter((one) => conditionOf(one, 'UpToDate')?.status === 'False');
  const isSettled = machines.length === live.length && live.every((one) => holds(one, 'Ready') || conditionOf(one, 'HealthCheckSucceeded')?.status === 'False');
  if (machines.length > 0 && !isSettled) return [];
  const surge = numberAt(controlPlane, 'spec', 'rollout', 'strategy', 'rollingUpdate', 'maxSurge') ?? 1;
  if (live.length > wanted || (outdated.length > 0 && live.length === wanted && surge === 0 && wanted > 1)) {
    const pool = outdated.length > 0 ? outdated : live;
    const victim = pool.find(isMarkedForDeletion) ?? pool[0];
    if (victim !== undefined) reach.remove(victim);
    return [];
  }
  const needed = outdated.length > 0 && surge > 0 ? wanted + 1 : wanted;
  return live.length < needed ? grow(controlPlane, cluster, reach) : [];
}

function grow(controlPlane: KubeObject, cluster: KubeObject, reach: Reach): readonly string[] {
  const {name, namespace} = controlPlane.metadata;
  const template = valueAt(controlPlane, 'spec', 'machineTemplate') as Draft;
  const infrastructureRef = valueAt(template, 'spec', 'infrastructureRef');
  const missing = missingTemplate([infrastructureRef], namespace, reach);
  if (missing !== undefined) return [`${missing} does not exist`];
  if (reach.faults.uncreatable.has(`${cluster.metadata.name}/control-plane`))
    return ['SIMULATED fault: the infrastructure refuses to make DevMachines (quota exceeded)'];
  const {infrastructureRef: _reference, ...spec} = (template['spec'] as Draft | undefined) ?? {};
  const own = valueAt(template, 'metadata', 'labels') as Record<string, string> | undefined;
  const config = (valueAt(controlPlane, 'spec', 'kubeadmConfigSpec') as Draft | undefined) ?? {};
  const isFirst = valueAt(controlPlane, 'status', 'initialization', 'controlPlaneInitialized') !== true;
  const {initConfiguration, joinConfiguration, ...shared} = config;
  const machine = createMachine(
    {
      name: `${name}-${randomSuffix()}`,
      owner: controlPlane,
      labels: {...own, [labels.cluster]: cluster.metadata.name, [labels.controlPlane]: '', [labels.controlPlaneName]: name},
      annotations: {'pre-terminate.delete.hook.machine.cluster.x-k8s.io/kcp-cleanup': ''},
      infrastructureRef,
      bootstrap: {
        spec: {
          ...shared,
          ...(isFirst ? {initConfiguration: initConfiguration ?? {}} : {joinConfiguration: {...(joinConfiguration as object | undefined), controlPlane: {}}}),
        },
      },
      spec: {...spec, version: textAt(controlPlane, 'spec', 'version'), readinessGates: readinessGates.map((conditionType) => ({conditionType}))},
      manager: 'capi-kubeadmcontrolplane',
    },
    reach,
  );
  const made = reach.get(kinds.bootstrapConfig, machine.metadata.name, namespace);
  if (made !== undefined)
    reach.change(made, (draft) => {
      const meta = draft['metadata'] as {readonly annotations?: object};
      return {...draft, metadata: {...meta, annotations: {...meta.annotations, 'simulated.trireme.dev/configuration': configurationOf(controlPlane)}}};
    });
  return [];
}

function leave(controlPlane: KubeObject, cluster: KubeObject | undefined, reach: Reach): number | undefined {
  const machines = machinesOf(controlPlane, reach);
  const workers = reach
    .ofCluster(kinds.machine, controlPlane.metadata.labels?.[labels.cluster] ?? '', controlPlane.metadata.namespace)
    .filter((one) => !isControlPlane(one));
  if (workers.length > 0) {
    keepStatus(
      controlPlane,
      cluster,
      [],
      reach,
      isTrue(
        'Deleting',
        'WaitingForWorkersDeletion',
        `KubeadmControlPlane deletion blocked because following objects still exist:\n* Worker Machines: ${workers.map((one) => one.metadata.name).join(', ')}`,
      ),
    );
    return undefined;
  }
  for (const machine of machines) reach.remove(machine);
  const said =
    machines.length > 0
      ? isTrue('Deleting', 'WaitingForMachineDeletion', deletingMachines(machines.length))
      : isTrue('Deleting', 'DeletionCompleted', 'Deletion completed');
  keepStatus(controlPlane, cluster, [], reach, said);
  const fresh = reach.get(kinds.controlPlane, controlPlane.metadata.name, controlPlane.metadata.namespace);
  if (machines.length === 0 && fresh !== undefined) reach.dropFinalizer(fresh, finalizer);
  return undefined;
}

function keepStatus(
  controlPlane: KubeObject,
  cluster: KubeObject | undefined,
  blockedBy: readonly string[],
  reach: Reach,
  deleting = isFalse('Deleting', 'NotDeleting'),
): void {
  const fresh = reach.get(kinds.controlPlane, controlPlane.metadata.name, controlPlane.metadata.namespace);
  if (fresh === undefined) return;
  const machines = machinesOf(fresh, reach);
  const wanted = numberAt(fresh, 'spec', 'replicas') ?? 1;
  // a first machine whose node is there makes the control plane answer
  const wasInitialized = valueAt(fresh, 'status', 'initialization', 'controlPlaneInitialized') === true;
  const isInitialized = wasInitialized || machines.some((one) => hasStarted(one, reach));
  const versions = machines.flatMap((one) => parseVersion(textAt(one, 'spec', 'version')) ?? []).toSorted(compareVersions);
  // a machine that is still on its way isn't a member yet
  const members = machines.filter((one) => ['True', 'False'].includes(conditionOf(one, 'EtcdMemberHealthy')?.status ?? ''));
  const healthy = members.filter((one) => holds(one, 'EtcdMemberHealthy')).length;
  const leaving = isLeaving(fresh);
  const quorum = Math.floor(members.length / 2) + 1;
  const inspected = (type: string): Said =>
    isInitialized
      ? either(
          type,
          members.every((one) => isLeaving(one) || holds(one, 'EtcdMemberHealthy')),
          ['Healthy', 'NotHealthy'],
        )
      : isUnknown(type, 'InspectionFailed', 'Waiting for Cluster control plane to be initialized');
  const available = isInitialized
    ? either(
        'Available',
        healthy >= quorum,
        ['Available', 'NotAvailable'],
        ['', `* ${healthy} of ${members.length} etcd members are healthy, at least ${quorum} healthy member required for etcd quorum`],
      )
    : isFalse('Available', 'NotAvailable', 'Control plane not yet initialized');
  const hasSecrets = reach.get(kinds.secret, `${cluster?.metadata.name}-ca`, fresh.metadata.namespace) !== undefined;
  const said: Said[] = [
    available,
    either('Initialized', isInitialized, ['Initialized', 'NotInitialized']),
    either('CertificatesAvailable', hasSecrets, ['Available', 'NotAvailable']),
    inspected('EtcdClusterHealthy'),
    inspected('ControlPlaneComponentsHealthy'),
    ...groupConditions({machines, wanted, isLeaving: leaving, blockedBy, hasRollout: true}),
    deleting,
    pausedCondition(fresh, cluster),
  ];
  const lowest = versions[0];
  const status: Draft = {
    ...countsOf(machines),
    ...(isInitialized ? {initialization: {controlPlaneInitialized: true}} : {}),
    ...(lowest === undefined ? {} : {version: `v${lowest.text}`}),
    selector: `cluster.x-k8s.io/cluster-name=${cluster?.metadata.name ?? ''},cluster.x-k8s.io/control-plane`,
    observedGeneration: fresh.metadata.generation,
    conditions: withConditions(fresh, said),
  };
  if (!isDeepStrictEqual(status, valueAt(fresh, 'status'))) reach.setStatus(fresh, status);
}

/** The in-memory machine runs its API server: what makes the control plane initialized. */
function hasStarted(machine: KubeObject, reach: Reach): boolean {
  if (textAt(machine, 'spec', 'providerID') === undefined) return false;
  return holds(reach.referenced(valueAt(machine, 'spec', 'infrastructureRef'), machine.metadata.namespace), 'Ready');
}
