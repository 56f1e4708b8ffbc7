// What an object's conditions say, whatever Cluster API version wrote them, and how it stands by them. Names: Cluster API v1.14, api/core/v1beta2/condition_consts.go.
import {listAt, textAt, valueAt, type Condition, type KubeObject} from '../../../kube/object.ts';
import type {ConditionView, Standing} from '../../mode.ts';

/** Conditions that are as they shall be when False. */
export const negative: ReadonlySet<string> = new Set(['Paused', 'Deleting', 'RollingOut', 'ScalingUp', 'ScalingDown', 'Updating', 'Remediating']);

/** Conditions that only sum up others, of this object or of what it keeps. */
const summing: ReadonlySet<string> = new Set([
  'Available',
  'Ready',
  'MachinesReady',
  'ControlPlaneAvailable',
  'ControlPlaneMachinesReady',
  'WorkersAvailable',
  'WorkerMachinesReady',
]);

/** Reasons that only seem to be failures: a preflight check of Cluster API is tried again until it passes. */
const patient = /^Waiting|^PreflightCheckFailed$/;
/** Reasons that say that something goes on by itself. */
const waiting =
  /^(Waiting|Provisioning|Creating|Draining|Deleting|Deletion|Detaching|Pending|InPlaceUpdating|Updating|NotUpToDate|NotInitialized|NotProvisioned|ScalingUp|ScalingDown|RollingOut|NoReplicas|NoWorkers|ClusterCreating|ClusterUpgrading|LifecycleHookBlocking|RemediationDeferred|MachineDeleting)|(Pending|Deferred|InProgress|Provisioning|Deleting)$/;
/** Reasons that say that nothing goes on. */
const failing =
  /Fail|Error|Invalid|Denied|Forbidden|NotFound|Unhealthy|NotHealthy|ObjectDeleted|ConnectionDown|TooMany|Cannot|Unable|Reject|Refus|Insufficient|Unauthorized|Conflict|Missing|NodeDeleted|StartupTimeout|Exceeded|Quota|Terminated|Unreachable|Expired/;

const order: Readonly<Record<Standing, number>> = {bad: 0, unknown: 1, working: 2, good: 3};

export function compareStanding(a: Standing, b: Standing): number {
  return order[a] - order[b];
}

export function worstOf(standings: Iterable<Standing>): Standing {
  let worst: Standing = 'good';
  for (const standing of standings) if (order[standing] < order[worst]) worst = standing;
  return worst;
}

/**
 * The conditions of an object. Those of the v1beta2 contract win: `status.conditions` of a v1beta2 object, `status.v1beta2.conditions` of a v1beta1
 * one. Of the older ones, which have a severity, failures are added that the newer don't know (such as MachinesCreated). Objects without a
 * Ready condition get one from what their contract has in its place.
 */
export function conditionsOf(object: KubeObject): readonly Condition[] {
  const {status} = object;
  const newer = readConditions(status, 'v1beta2', 'conditions');
  const plain = readConditions(status, 'conditions');
  const main = newer.length > 0 ? newer : plain;
  const older = newer.length > 0 ? plain : readConditions(status, 'deprecated', 'v1beta1', 'conditions');
  const known = new Set(main.map((one) => one.type));
  const failures = older.filter((one) => one.status === 'False' && !known.has(one.type) && standingOf(one, false) === 'bad');
  const isCovered = main.some((one) => one.status !== 'True' && isFailing(one.reason));
  const all = [...main, ...(isCovered ? [] : failures.filter((one) => one.type !== 'Ready')), ...terminalFailure(status)];
  return all.some((one) => one.type === 'Ready' || one.type === 'Available') ? all : [...all, ...contractReady(object)];
}

function readConditions(status: unknown, ...path: readonly string[]): readonly Condition[] {
  return listAt(status, ...path).filter((one): one is Condition => textAt(one, 'type') !== undefined && textAt(one, 'status') !== undefined);
}

/** failureReason and failureMessage, which v1beta1 providers set when they have given up. */
function terminalFailure(status: unknown): readonly Condition[] {
  for (const where of [[], ['deprecated', 'v1beta1']]) {
    const reason = textAt(status, ...where, 'failureReason');
    const message = textAt(status, ...where, 'failureMessage');
    if (reason === undefined && message === undefined) continue;
    return [{type: 'Failed', status: 'True', reason: reason ?? 'Failed', ...(message === undefined ? {} : {message}), severity: 'Error'}];
  }
  return [];
}

/** `status.initialization.*` (contract v1beta2) or `status.ready`, `status.infrastructureReady` (v1beta1). */
function contractReady({status}: KubeObject): readonly Condition[] {
  const claims = [
    valueAt(status, 'ready'),
    valueAt(status, 'initialization', 'provisioned'),
    valueAt(status, 'initialization', 'dataSecretCreated'),
    valueAt(status, 'initialization', 'controlPlaneInitialized'),
    valueAt(status, 'infrastructureReady'),
  ].filter((claim): claim is boolean => typeof claim === 'boolean');
  if (claims.length === 0) return [];
  const isReady = claims.every(Boolean);
  return [{type: 'Ready', status: isReady ? 'True' : 'False', reason: isReady ? 'Ready' : 'NotProvisioned'}];
}

function isFailing(reason: string | undefined): boolean {
  return reason !== undefined && failing.test(reason);
}

/** The same in the words of a message, which a provider or its cloud wrote. */
const failingText = new RegExp(`${failing.source}|not found|no capacity`, 'i');

/**
 * What a sum, or a copy of another object's sum, tells in its message: a line `* Condition: text` for each that isn't True, where the reason stands for
 * a text that isn't there. Source: Cluster API v1.14, util/conditions/merge_strategies.go. Undefined: nothing that could be told apart.
 */
function standingOfSum({reason, message = ''}: Condition): Standing | undefined {
  if (reason !== 'NotReady' || message === '') return undefined;
  const told = message
    .split('\n')
    .map((line) => line.replace(/^(?:\s*\*\s*[^:*]+:)+\s*/, ''))
    .filter((text) => text !== '');
  if (told.length === 0) return undefined;
  if (told.every((text) => patient.test(text))) return 'working';
  return told.some((text) => !patient.test(text) && failingText.test(text)) ? 'bad' : undefined;
}

/** To a cluster whose API server has never answered, as that of a new one, the probe fails with these words. */
function isFirstConnection({type, message = ''}: Condition): boolean {
  return type === 'RemoteConnectionProbe' && message.includes('not established yet');
}

/** Cluster API says so in the message of ScalingUp. */
function isBlocked(condition: Condition): boolean {
  return /\bblocked\b/.test(condition.message ?? '') && !/\bwould be blocked\b/.test(condition.message ?? '');
}

/**
 * How an object stands by one of its conditions. `isMoving`: the object is being made or changed right now, so that a sum that isn't True is
 * no failure by itself.
 */
export function standingOf(condition: Condition, isMoving: boolean): Standing {
  const {type, status, reason = '', severity} = condition;
  if (type === 'Failed') return status === 'True' ? 'bad' : 'good';
  if (type === 'Paused') return 'good'; // shown as such; it's what somebody wanted
  if (negative.has(type)) {
    if (status !== 'True') return status === 'False' ? 'good' : 'unknown';
    return isBlocked(condition) || isFailing(reason) ? 'bad' : 'working';
  }
  if (status === 'True') return 'good';
  if (patient.test(reason) || isFirstConnection(condition)) return 'working';
  // v1beta1 warns of roll-outs and scaling, too
  if (severity === 'Warning' && waiting.test(reason) && !isFailing(reason)) return 'working';
  if (severity !== undefined && severity !== '') return severity === 'Info' ? 'working' : 'bad';
  if (isFailing(reason)) return isMoving && status === 'Unknown' ? 'working' : status === 'Unknown' ? 'unknown' : 'bad';
  const told = status === 'False' ? standingOfSum(condition) : undefined;
  if (told !== undefined) return told;
  if (waiting.test(reason) || isMoving) return 'working';
  return status === 'Unknown' ? 'unknown' : 'bad';
}

/** Whether one of the conditions says that the object is changing by itself. */
export function isChanging(conditions: readonly Condition[]): boolean {
  return conditions.some((one) => negative.has(one.type) && one.type !== 'Paused' && one.status === 'True' && !isBlocked(one) && !isFailing(one.reason));
}

/** The conditions as plain data, worst first, what sums up others after what it sums up. */
export function viewConditions(conditions: readonly Condition[], isMoving: boolean): readonly ConditionView[] {
  return conditions.map((one) => viewCondition(one, standingOf(one, isMoving))).toSorted(compareConditions);
}

function viewCondition(one: Condition, standing: Standing): ConditionView {
  return {
    type: one.type,
    ready: standing === 'good',
    status: one.status,
    standing,
    ...(one.reason === undefined || one.reason === '' ? {} : {reason: one.reason}),
    ...(one.message === undefined || one.message === '' ? {} : {message: one.message}),
    ...(one.lastTransitionTime === undefined ? {} : {since: one.lastTransitionTime}),
  };
}

function compareConditions(a: ConditionView, b: ConditionView): number {
  return compareStanding(a.standing ?? 'good', b.standing ?? 'good') || Number(summing.has(a.type)) - Number(summing.has(b.type)) || (a.type < b.type ? -1 : 1);
}

/**
 * The conditions that a person has to see: those that aren't good, without sums where something that is at least as bad tells more.
 */
export function tellingConditions(conditions: readonly ConditionView[]): readonly ConditionView[] {
  const wrong = conditions.filter((one) => !one.ready);
  const worstDetail = worstOf(wrong.filter((one) => !summing.has(one.type)).map((one) => one.standing ?? 'good'));
  return wrong.filter((one) => !summing.has(one.type) || compareStanding(one.standing ?? 'good', worstDetail) < 0);
}

/** Conditions that repeat what an object below says. */
const repeating: ReadonlySet<string> = new Set([
  ...summing,
  ...['MachinesUpToDate', 'ControlPlaneMachinesUpToDate', 'WorkerMachinesUpToDate', 'InfrastructureReady', 'BootstrapConfigReady', 'ControlPlaneInitialized'],
  ...['ScalingUp', 'ScalingDown', 'RollingOut', 'Remediating', 'Deleting', 'Updating'],
]);

/**
 * Sums that aren't True only because something below is still on its way: a machine that starts is no failure of its pool. Where something below is
 * wrong, or the sum's own reason says so, they stay as they are.
 */
export function softenSums(conditions: readonly ConditionView[], below: Standing): readonly ConditionView[] {
  if (below !== 'working') return conditions;
  return conditions.map((one) => (one.standing === 'bad' && summing.has(one.type) && !isFailing(one.reason) ? {...one, standing: 'working' as const} : one));
}

/** Marks those that an object below, which stands as badly, tells better. */
export function markEchoes(conditions: readonly ConditionView[], below: Standing): readonly ConditionView[] {
  if (below === 'good') return conditions;
  return conditions.map((one) => (!one.ready && repeating.has(one.type) && compareStanding(below, one.standing ?? 'good') <= 0 ? {...one, echo: true} : one));
}

/** `InfrastructureReady is False (VMNotProvisioned): no quota`. */
export function conditionText(condition: ConditionView): string {
  const reason = condition.reason === undefined || condition.reason === condition.type ? '' : ` (${condition.reason})`;
  const message = condition.message === undefined ? '' : `: ${condition.message}`;
  if (condition.type === 'Failed') return `failed${reason}${message}`;
  return `${condition.type} is ${condition.status ?? (condition.ready ? 'True' : 'False')}${reason}${message}`;
}
