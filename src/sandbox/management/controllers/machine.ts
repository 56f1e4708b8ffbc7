// Machines: their phases on the way up, their conditions, and the stages of their end.
import {numberAt, textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import type {Draft} from '../draft.ts';
import {timestamp} from '../writes.ts';
import {conditionOf, either, isFalse, isTrue, isUnknown, summarise, withConditions, type Said} from './conditions.ts';
import {annotations, isControlPlane, isLeaving, kinds} from './names.ts';
import {startupOf} from './pace.ts';
import {keepPaused, pausedCondition} from './paused.ts';
import type {Controller, Reach} from './runtime.ts';

const finalizer = 'machine.cluster.x-k8s.io';
const kcpHook = 'pre-terminate.delete.hook.machine.cluster.x-k8s.io/kcp-cleanup';
/** How often a node that doesn't answer is looked for, in ms. */
const lostAgain = 1000;
const skipDraining = 'machine.cluster.x-k8s.io/exclude-node-draining';

export const machines: Controller = {
  name: 'machine',
  kind: kinds.machine,
  follows: [kinds.cluster, kinds.bootstrapConfig, kinds.devMachine, kinds.controlPlane],
  reconcile: (machine, reach) => {
    const cluster = reach.clusterOf(machine);
    if (keepPaused(machine, cluster, reach)) return undefined;
    if (isLeaving(machine)) return leave(machine, cluster, reach);
    if (cluster === undefined) return undefined;
    const owned = reach.addFinalizer(machine, finalizer) ?? machine;
    return bringUp(owned, cluster, reach);
  },
};

interface Parts {
  readonly cluster: KubeObject | undefined;
  readonly config: KubeObject | undefined;
  readonly infrastructure: KubeObject | undefined;
}

const partsOf = (machine: KubeObject, cluster: KubeObject | undefined, reach: Reach): Parts => ({
  cluster,
  config: reach.referenced(valueAt(machine, 'spec', 'bootstrap', 'configRef'), machine.metadata.namespace),
  infrastructure: reach.referenced(valueAt(machine, 'spec', 'infrastructureRef'), machine.metadata.namespace),
});

function bringUp(before: KubeObject, cluster: KubeObject, reach: Reach): number | undefined {
  let machine = before;
  const parts = partsOf(machine, cluster, reach);
  for (const part of [parts.config, parts.infrastructure]) if (part !== undefined) reach.addOwner(part, machine, {controller: true});
  const secret = textAt(parts.config, 'status', 'dataSecretName');
  const providerID = textAt(parts.infrastructure, 'spec', 'providerID');
  const needsSecret = secret !== undefined && textAt(machine, 'spec', 'bootstrap', 'dataSecretName') === undefined;
  const isProvisioned = valueAt(parts.infrastructure, 'status', 'initialization', 'provisioned') === true;
  const needsProvider = isProvisioned && providerID !== undefined && textAt(machine, 'spec', 'providerID') === undefined;
  if (needsSecret || needsProvider)
    machine =
      reach.change(machine, (draft) => {
        const spec = draft['spec'] as Draft;
        const bootstrap = needsSecret ? {bootstrap: {...(spec['bootstrap'] as object), dataSecretName: secret}} : {};
        return {...draft, spec: {...spec, ...bootstrap, ...(needsProvider ? {providerID} : {})}};
      }) ?? machine;
  return keepStatus(machine, parts, reach);
}

function keepStatus(machine: KubeObject, parts: Parts, reach: Reach): number | undefined {
  const isInitialized = valueAt(parts.cluster, 'status', 'initialization', 'controlPlaneInitialized') === true;
  const providerID = textAt(machine, 'spec', 'providerID');
  const canHaveNode = providerID !== undefined && (isInitialized || isControlPlane(machine));
  // the node is there when its own start-up is over
  const nodeLeft =
    canHaveNode && valueAt(machine, 'status', 'nodeRef') === undefined ? reach.left(machine, 'node', startupOf(reach.pace, parts.infrastructure, 'node')) : 0;
  const hasNode = canHaveNode && isInitialized && nodeLeft === 0;
  if (hasNode && valueAt(machine, 'status', 'nodeRef') === undefined) reach.event(machine, 'Normal', 'SuccessfulSetNodeRef', machine.metadata.name);
  const isLost = hasNode && reach.faults.lostNodes.has(machine.metadata.name);
  const said = conditionsOf(machine, parts, {isInitialized, hasNode, isLost});
  const hasSecret = textAt(machine, 'spec', 'bootstrap', 'dataSecretName') !== undefined;
  const phase = hasNode ? 'Running' : providerID !== undefined ? 'Provisioned' : hasSecret ? 'Provisioning' : 'Pending';
  const {name} = machine.metadata;
  const before = valueAt(machine, 'status') as Draft | undefined;
  const addresses = valueAt(parts.infrastructure, 'status', 'addresses');
  reach.setStatus(machine, {
    ...before,
    initialization: {...(hasSecret ? {bootstrapDataSecretCreated: true} : {}), ...(providerID === undefined ? {} : {infrastructureProvisioned: true})},
    phase,
    lastUpdated: before?.['phase'] === phase ? before['lastUpdated'] : timestamp(),
    observedGeneration: machine.metadata.generation,
    ...(addresses === undefined ? {} : {addresses}),
    ...(hasNode ? {nodeRef: {name}, nodeInfo: nodeInfoOf(machine)} : {}),
    ...(hasNode && isControlPlane(machine)
      ? {certificatesExpiryDate: before?.['certificatesExpiryDate'] ?? timestamp(new Date(Date.now() + 365 * 86_400_000))}
      : {}),
    conditions: withConditions(machine, said),
  });
  if (nodeLeft > 0) return nodeLeft;
  return isLost ? lostAgain : undefined;
}

const nodeInfoOf = (machine: KubeObject): Draft => ({
  architecture: 'amd64',
  bootID: '',
  containerRuntimeVersion: 'simulated://0',
  kernelVersion: 'SIMULATED',
  kubeProxyVersion: '',
  kubeletVersion: textAt(machine, 'spec', 'version') ?? '',
  machineID: '',
  operatingSystem: 'linux',
  osImage: 'SIMULATED',
  systemUUID: '',
});

const controlPlaneConditions = [
  ['NodeKubeadmLabelsAndTaintsSet', 'Set'],
  ['APIServerPodHealthy', 'Running'],
  ['ControllerManagerPodHealthy', 'Running'],
  ['SchedulerPodHealthy', 'Running'],
  ['EtcdPodHealthy', 'Running'],
  ['EtcdMemberHealthy', 'Healthy'],
] as const;

interface NodeState {
  readonly isInitialized: boolean;
  readonly hasNode: boolean;
  /** It was there, and doesn't answer. */
  readonly isLost: boolean;
}

function conditionsOf(machine: KubeObject, parts: Parts, now: NodeState): readonly Said[] {
  const waiting = now.isInitialized
    ? textAt(machine, 'spec', 'providerID') === undefined
      ? `Waiting for ${textAt(machine, 'spec', 'infrastructureRef', 'kind')} to report spec.providerID`
      : `Waiting for a Node with spec.providerID ${textAt(machine, 'spec', 'providerID')} to exist`
    : 'Waiting for Cluster control plane to be initialized';
  const silent = '* Node.Ready: SIMULATED fault: Kubelet stopped posting node status';
  const node = (type: string, good: string) =>
    now.isLost ? isFalse(type, `Not${good}`, silent) : now.hasNode ? isTrue(type, good) : isUnknown(type, 'InspectionFailed', waiting);
  const gates = isControlPlane(machine) ? controlPlaneConditions.map(([type, good]) => node(type, good)) : [];
  const remediation = ['HealthCheckSucceeded', 'OwnerRemediated'].flatMap((type): readonly Said[] => {
    const one = conditionOf(machine, type);
    return one === undefined ? [] : [{type, status: one.status, reason: one.reason ?? '', message: one.message ?? ''}];
  });
  const deleting = isFalse('Deleting', 'NotDeleting');
  const all = [
    ...remediation,
    mirrored('BootstrapConfigReady', parts.config, {
      kind: valueAt(machine, 'spec', 'bootstrap', 'configRef', 'kind'),
      field: 'dataSecretCreated',
      wasThere: false,
    }),
    mirrored('InfrastructureReady', parts.infrastructure, {
      kind: valueAt(machine, 'spec', 'infrastructureRef', 'kind'),
      field: 'provisioned',
      wasThere: valueAt(machine, 'status', 'initialization', 'infrastructureProvisioned') === true,
    }),
    node('NodeHealthy', 'NodeHealthy'),
    node('NodeReady', 'NodeReady'),
    ...gates,
    isFalse('Updating', 'NotUpdating'),
    deleting,
    pausedCondition(machine, parts.cluster),
  ];
  const summed = [
    'HealthCheckSucceeded',
    'OwnerRemediated',
    'BootstrapConfigReady',
    'InfrastructureReady',
    'NodeHealthy',
    ...controlPlaneConditions.map(([type]) => type),
    'Deleting',
  ];
  const ready = summarise('Ready', {said: all}, summed, {good: 'Ready', bad: 'NotReady', unknown: 'ReadyUnknown'});
  return [...all, ready, availableCondition(machine, ready)];
}

function availableCondition(machine: KubeObject, ready: Said): Said {
  if (ready.status !== 'True') return isFalse('Available', 'NotReady');
  const minSeconds = numberAt(machine, 'spec', 'minReadySeconds') ?? 0;
  const since = conditionOf(machine, 'Ready')?.status === 'True' ? Date.parse(conditionOf(machine, 'Ready')?.lastTransitionTime ?? '') : Date.now();
  return either('Available', Date.now() - since >= minSeconds * 1000, ['Available', 'WaitingForMinReadySeconds']);
}

interface Mirror {
  readonly kind: unknown;
  readonly field: string;
  readonly wasThere: boolean;
}

/** What a machine says of an object of its provider: that object's Ready, else whether it did its part. */
function mirrored(type: string, object: KubeObject | undefined, {kind, field, wasThere}: Mirror): Said {
  if (kind === undefined) return isTrue(type, 'DataSecretProvided');
  if (object === undefined && wasThere) return isFalse(type, 'ObjectDeleted', `${String(kind)} has been deleted while the Machine still exists`);
  if (object === undefined) return isFalse(type, 'ObjectDoesNotExist', `${String(kind)} does not exist`);
  const ready = conditionOf(object, 'Ready');
  const isDone = valueAt(object, 'status', 'initialization', field) === true;
  if (ready === undefined) return either(type, isDone, ['Ready', 'NotReady'], ['', `${object.kind} status.initialization.${field} is ${isDone}`]);
  if (ready.status === 'True') return isTrue(type, 'Ready');
  return isFalse(type, ready.reason ?? 'NotReady', (ready.message ?? '') === '' ? `${object.kind} status.initialization.${field} is ${isDone}` : ready.message);
}

/** Drain, hooks, infrastructure, bootstrap, node: one after the other, each told by the condition Deleting. */
function leave(machine: KubeObject, cluster: KubeObject | undefined, reach: Reach): number | undefined {
  const parts = partsOf(machine, cluster, reach);
  const tell = (reason: string, message: string, more: Draft = {}) => {
    const before = (valueAt(machine, 'status') as Draft | undefined) ?? {};
    const deleting = isTrue('Deleting', reason, message);
    const ready = isFalse('Ready', 'NotReady', `* Deleting: Machine deletion in progress, stage: ${reason}`);
    const conditions = withConditions(machine, [deleting, ready, isFalse('Available', 'NotReady'), pausedCondition(machine, cluster)]);
    reach.setStatus(machine, {...before, ...more, phase: 'Deleting', observedGeneration: machine.metadata.generation, conditions});
  };
  const hookOf = (kind: string) =>
    Object.keys(machine.metadata.annotations ?? {}).filter((key) => key.startsWith(`${kind}.delete.hook.machine.cluster.x-k8s.io/`) && key !== kcpHook);
  const deletion = (valueAt(machine, 'status', 'deletion') as Draft | undefined) ?? {};
  const preDrain = hookOf('pre-drain');
  if (preDrain.length > 0) {
    tell('WaitingForPreDrainHook', `Waiting for pre-drain hooks to succeed (hooks: ${preDrain.join(',')})`);
    return undefined;
  }
  const drains =
    valueAt(machine, 'status', 'nodeRef') !== undefined &&
    machine.metadata.annotations?.[skipDraining] === undefined &&
    cluster?.metadata.deletionTimestamp === undefined;
  const drainLeft = drains ? reach.left(machine, 'drain', reach.pace.removal) : 0;
  if (drainLeft > 0) {
    tell('DrainingNode', `Drain not completed yet (started at ${timestamp()}):\n* Pods simulated: SIMULATED drain`, {
      deletion: {nodeDrainStartTime: timestamp(), ...deletion},
    });
    return drainLeft;
  }
  const preTerminate = hookOf('pre-terminate');
  if (preTerminate.length > 0) {
    tell('WaitingForPreTerminateHook', `Waiting for pre-terminate hooks to succeed (hooks: ${preTerminate.join(',')})`);
    return undefined;
  }
  if (parts.infrastructure !== undefined) {
    reach.remove(parts.infrastructure);
    tell('WaitingForInfrastructureDeletion', '');
    return undefined;
  }
  if (parts.config !== undefined) {
    reach.remove(parts.config);
    tell('WaitingForBootstrapDeletion', '');
    return reach.pace.removal;
  }
  reach.dropFinalizer(machine, finalizer);
  return undefined;
}

/** Whether somebody asked for this machine to go first. */
export const isMarkedForDeletion = (machine: KubeObject) => machine.metadata.annotations?.[annotations.deleteMachine] !== undefined;
