// How one object stands: its conditions seen in the light of what it is doing.
import {numberAt, textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import type {ConditionView, ReplicaCounts, Standing} from '../../mode.ts';
import {conditionsOf, conditionText, isChanging, softenSums, tellingConditions, viewConditions, worstOf} from './conditions.ts';

export interface Stand {
  readonly standing: Standing;
  readonly conditions: readonly ConditionView[];
}

/** An object that was seen never changes: a newer one takes its place. Of ten machines of a cluster one changes at a time. */
const known = new WeakMap<KubeObject, Stand>();

export function standOf(object: KubeObject): Stand {
  const before = known.get(object);
  if (before !== undefined) return before;
  const stand = judge(object);
  known.set(object, stand);
  return stand;
}

function judge(object: KubeObject): Stand {
  const conditions = conditionsOf(object);
  const isMoving = object.metadata.deletionTimestamp !== undefined || isChanging(conditions) || isBeingMade(object);
  const views = viewConditions(conditions, isMoving);
  return {standing: worstOf(views.map((one) => one.standing ?? 'good')), conditions: views};
}

/** The same in the light of what hangs on it: `below` is the worst of that. */
export function standAbove(stand: Stand, below: Standing): Stand {
  const conditions = softenSums(stand.conditions, below);
  return conditions === stand.conditions ? stand : {conditions, standing: worstOf(conditions.map((one) => one.standing ?? 'good'))};
}

/** The texts of the conditions that a person has to see, worst first. */
export function reasonsOf(conditions: readonly ConditionView[]): readonly string[] {
  return tellingConditions(conditions).map(conditionText);
}

const beforeRunning: ReadonlySet<string> = new Set(['Pending', 'Provisioning', 'Provisioned']);

/** Whether an object is not yet what it shall become. What can't be told counts as made. */
function isBeingMade(object: KubeObject): boolean {
  const {kind, status, spec} = object;
  if (kind === 'Machine') return textAt(status, 'nodeRef', 'name') === undefined || beforeRunning.has(textAt(status, 'phase') ?? '');
  if (kind === 'MachineSet' || kind === 'MachineDeployment' || kind === 'MachinePool') {
    return (numberAt(status, 'replicas') ?? 0) < (numberAt(spec, 'replicas') ?? 0);
  }
  const claims = [
    valueAt(status, 'initialization', 'controlPlaneInitialized'),
    valueAt(status, 'initialization', 'provisioned'),
    valueAt(status, 'initialization', 'dataSecretCreated'),
    valueAt(status, 'initialized'),
    ...(kind === 'Cluster' ? [valueAt(status, 'infrastructureReady'), valueAt(status, 'controlPlaneReady')] : [valueAt(status, 'ready')]),
  ].filter((claim) => typeof claim === 'boolean');
  if (claims.length === 0) return kind === 'Cluster' || Object.keys((status ?? {}) as object).length === 0;
  return claims.includes(false);
}

/** Paused by its own annotation or its own `spec.paused`. */
export function isPaused(object: KubeObject): boolean {
  return valueAt(object.spec, 'paused') === true || object.metadata.annotations?.['cluster.x-k8s.io/paused'] !== undefined;
}

/** Counts of an object that keeps machines; undefined for others. Names differ between v1beta1 and v1beta2. */
export function replicasOf({spec, status}: KubeObject): ReplicaCounts | undefined {
  const current = numberAt(status, 'replicas');
  const wanted = numberAt(spec, 'replicas') ?? current;
  if (wanted === undefined) return undefined;
  return {
    wanted,
    current: current ?? 0,
    ready: numberAt(status, 'v1beta2', 'readyReplicas') ?? numberAt(status, 'readyReplicas') ?? 0,
    available: numberAt(status, 'v1beta2', 'availableReplicas') ?? numberAt(status, 'availableReplicas') ?? numberAt(status, 'readyReplicas') ?? 0,
    upToDate: numberAt(status, 'v1beta2', 'upToDateReplicas') ?? numberAt(status, 'upToDateReplicas') ?? numberAt(status, 'updatedReplicas') ?? 0,
  };
}

/** The Kubernetes version that an object wants. */
export function versionOfObject(object: KubeObject): string | undefined {
  return textAt(object.spec, 'topology', 'version') ?? textAt(object.spec, 'template', 'spec', 'version') ?? textAt(object.spec, 'version');
}
