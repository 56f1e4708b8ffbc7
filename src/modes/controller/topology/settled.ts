// How far a cluster has come, from its own status: v1beta2, and what v1beta1 has of it. Pure.
import {type Condition, type KubeObject, listAt, numberAt, textAt, valueAt} from '../../../kube/object.ts';
import {versionOf} from '../../../kube/object.ts';

export interface Progress {
  readonly done: boolean;
  /** What is waited for, as a phrase: `2 of 3 control planes are up to date`. */
  readonly waitingFor: string;
}

const done: Progress = {done: true, waitingFor: ''};
const waiting = (waitingFor: string): Progress => ({done: false, waitingFor});

export function conditionsOf(object: KubeObject): readonly Condition[] {
  const own = listAt(object, 'status', 'conditions') as readonly Condition[];
  // v1beta1 carries the newer conditions beside its own
  const newer = listAt(object, 'status', 'v1beta2', 'conditions') as readonly Condition[];
  const names = new Set(newer.map(({type}) => type));
  return [...newer, ...own.filter(({type}) => !names.has(type))];
}

export function conditionOf(object: KubeObject, type: string): Condition | undefined {
  return conditionsOf(object).find((condition) => condition.type === type);
}

const isTrue = (object: KubeObject, type: string) => conditionOf(object, type)?.status === 'True';

/** A condition's message in one line, after what it is about. */
function withMessage(text: string, condition: Condition | undefined): string {
  const message = condition?.message?.trim().split('\n')[0] ?? condition?.reason;
  return message === undefined || message === '' ? text : `${text}: ${message.replace(/^\* /, '')}`;
}

/** Whether Cluster API's controllers have looked at the present generation; until then all they say is about the one before. */
export function observed(cluster: KubeObject): Progress {
  const {generation = 0} = cluster.metadata;
  const seen = numberAt(cluster, 'status', 'observedGeneration');
  if (seen !== undefined && seen < generation) return waiting('Cluster API has not looked at the change yet');
  const topology = conditionOf(cluster, 'TopologyReconciled');
  if (topology?.observedGeneration !== undefined && topology.observedGeneration < generation)
    return waiting('the topology controller has not looked at the change yet');
  return done;
}

export function infrastructureReady(cluster: KubeObject): Progress {
  const seen = observed(cluster);
  if (!seen.done) return seen;
  const ready =
    valueAt(cluster, 'status', 'initialization', 'infrastructureProvisioned') === true || valueAt(cluster, 'status', 'infrastructureReady') === true;
  if (ready) return done;
  const topology = conditionOf(cluster, 'TopologyReconciled');
  if (topology?.status === 'False' && topology.reason !== 'ClusterCreating') return waiting(withMessage('the topology is not reconciled', topology));
  return waiting(withMessage('the infrastructure is not provisioned', conditionOf(cluster, 'InfrastructureReady')));
}

export function controlPlaneInitialized(cluster: KubeObject): Progress {
  if (valueAt(cluster, 'status', 'initialization', 'controlPlaneInitialized') === true || isTrue(cluster, 'ControlPlaneInitialized')) return done;
  return waiting(withMessage('the control plane is not initialized', conditionOf(cluster, 'ControlPlaneInitialized')));
}

/** Available, and every control plane there, new and of the wanted version. */
export function controlPlaneAvailable(cluster: KubeObject): Progress {
  const counted = counts(cluster, 'controlPlane', 'control planes');
  if (counted !== undefined) return waiting(counted);
  const wanted = textAt(cluster, 'spec', 'topology', 'version');
  const others = listAt(cluster, 'status', 'controlPlane', 'versions').filter((one) => wanted !== undefined && textAt(one, 'version') !== wanted);
  if (others.length > 0) return waiting(`control planes still have ${others.map((one) => textAt(one, 'version') ?? '?').join(', ')}`);
  if (isTrue(cluster, 'ControlPlaneAvailable')) return done;
  if (
    versionOf(cluster.apiVersion) === 'v1beta1' &&
    conditionOf(cluster, 'ControlPlaneAvailable') === undefined &&
    valueAt(cluster, 'status', 'controlPlaneReady') === true
  )
    return done;
  return waiting(withMessage('the control plane is not available', conditionOf(cluster, 'ControlPlaneAvailable') ?? conditionOf(cluster, 'ControlPlaneReady')));
}

/** Everything wanted is there, new, and serves: nothing rolls, scales or waits any more. */
export function rolledOut(cluster: KubeObject): Progress {
  const seen = observed(cluster);
  if (!seen.done) return seen;
  const topology = conditionOf(cluster, 'TopologyReconciled');
  if (valueAt(cluster, 'spec', 'topology') !== undefined && topology?.status !== 'True')
    return waiting(withMessage('the topology is not reconciled', topology));
  for (const [what, type] of [
    ['machines are being replaced', 'RollingOut'],
    ['machines are being added', 'ScalingUp'],
    ['machines are being removed', 'ScalingDown'],
  ] as const) {
    if (isTrue(cluster, type)) return waiting(withMessage(what, conditionOf(cluster, type)));
  }
  const counted = counts(cluster, 'controlPlane', 'control planes') ?? counts(cluster, 'workers', 'workers');
  if (counted !== undefined) return waiting(counted);
  const available = conditionOf(cluster, 'Available') ?? conditionOf(cluster, 'Ready');
  return available?.status === 'True' ? done : waiting(withMessage('the cluster is not available', available));
}

function counts(cluster: KubeObject, part: 'controlPlane' | 'workers', what: string): string | undefined {
  const wanted = numberAt(cluster, 'status', part, 'desiredReplicas');
  if (wanted === undefined) return undefined;
  for (const [field, state] of [
    ['replicas', 'there'],
    ['upToDateReplicas', 'up to date'],
    ['availableReplicas', 'available'],
  ] as const) {
    const have = numberAt(cluster, 'status', part, field) ?? 0;
    if (have < wanted || (field === 'replicas' && have !== wanted)) return `${have} of ${wanted} ${what} are ${state}`;
  }
  return undefined;
}

/** A MachineDeployment or MachinePool: all its machines are there, of the wanted version, and available. */
export function poolReady(pool: KubeObject, version: string, replicas?: number): Progress {
  const {generation = 0} = pool.metadata;
  if ((numberAt(pool, 'status', 'observedGeneration') ?? 0) < generation) return waiting('its controller has not looked at the change yet');
  const own = textAt(pool, 'spec', 'template', 'spec', 'version');
  if (own !== undefined && own !== version) return waiting(`it has ${own} and waits for its turn to get ${version}`);
  const wanted = numberAt(pool, 'spec', 'replicas') ?? 0;
  if (replicas !== undefined && wanted !== replicas) return waiting(`it is asked for ${wanted} machines, not yet for ${replicas}`);
  const have = numberAt(pool, 'status', 'replicas') ?? 0;
  // MachinePools of v1beta1 count no updated machines
  const updated = numberAt(pool, 'status', 'upToDateReplicas') ?? numberAt(pool, 'status', 'updatedReplicas') ?? (pool.kind === 'MachinePool' ? have : 0);
  const available = numberAt(pool, 'status', 'availableReplicas') ?? 0;
  if (updated < wanted) return waiting(`${updated} of ${wanted} machines are up to date`);
  if (have !== wanted) return waiting(`it has ${have} machines, ${wanted} are wanted`);
  return available < wanted ? waiting(`${available} of ${wanted} machines are available`) : done;
}
