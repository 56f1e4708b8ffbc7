// Whether applied objects are healthy, from what the API says of them. Pure: the same objects give the same answer.
import {type ManifestObject, objectId} from './manifest.ts';

/** An object as `kubectl get -o json` gives it. */
export type LiveObject = Readonly<Record<string, unknown>>;

export type Health = {readonly healthy: true} | {readonly healthy: false; readonly waitingFor: string};

export interface GateResult {
  readonly healthy: boolean;
  /** What is waited for, one sentence an object. */
  readonly waitingFor: readonly string[];
  /** True when waiting can't help: a Job that has failed. */
  readonly failed: boolean;
}

const fine: Health = {healthy: true};
const waiting = (waitingFor: string): Health => ({healthy: false, waitingFor});

/** Looks at every wanted object; one that isn't among the live ones is missing. A namespace that the manifest leaves open is `default`. */
export function gateOf(wanted: readonly ManifestObject[], live: readonly LiveObject[]): GateResult {
  const byId = new Map(live.map((object) => [idOf(object), object]));
  const results = wanted.map((object) => {
    const found =
      byId.get(objectId(object)) ??
      byId.get(objectId({...object, metadata: {...object.metadata, namespace: 'default'}})) ??
      byId.get(objectId({...object, metadata: {name: object.metadata.name}}));
    const health = found === undefined ? waiting("doesn't exist") : healthOf(found);
    return {
      sentence: health.healthy ? undefined : `${object.kind} ${object.metadata.name} ${health.waitingFor}`,
      failed: found !== undefined && hasFailed(found),
    };
  });
  const waitingFor = results.flatMap(({sentence}) => (sentence === undefined ? [] : [sentence]));
  return {healthy: waitingFor.length === 0, waitingFor, failed: results.some((result) => result.failed)};
}

function idOf(object: LiveObject): string {
  const metadata = object['metadata'] as ManifestObject['metadata'] | undefined;
  return objectId({
    apiVersion: String(object['apiVersion']),
    kind: String(object['kind']),
    metadata: {name: String(metadata?.name), ...(metadata?.namespace === undefined ? {} : {namespace: metadata.namespace})},
  });
}

/** The health of one live object. The rules for workloads are those of `kubectl rollout status`. */
export function healthOf(object: LiveObject): Health {
  const metadata = record(object['metadata']);
  if (typeof metadata['deletionTimestamp'] === 'string') return waiting('is being deleted');
  const spec = record(object['spec']);
  const status = record(object['status']);
  switch (object['kind']) {
    case 'Deployment':
      return observed(metadata, status) ?? deployment(spec, status);
    case 'DaemonSet':
      return observed(metadata, status) ?? daemonSet(spec, status);
    case 'StatefulSet':
      return observed(metadata, status) ?? statefulSet(spec, status);
    case 'ReplicaSet':
    case 'ReplicationController':
      return observed(metadata, status) ?? counted(number(status['readyReplicas']), number(spec['replicas'], 1), 'replicas ready');
    case 'Job':
      return job(status);
    case 'Pod':
      return pod(status);
    case 'CustomResourceDefinition':
      return conditionOf(status, 'Established')?.['status'] === 'True' ? fine : waiting(reason(conditionOf(status, 'NamesAccepted'), 'is not established yet'));
    case 'APIService':
      return conditionOf(status, 'Available')?.['status'] === 'True' ? fine : waiting(reason(conditionOf(status, 'Available'), 'is not available yet'));
    case 'Namespace':
      return status['phase'] === undefined || status['phase'] === 'Active' ? fine : waiting(`is ${String(status['phase'])}`);
    case 'PersistentVolumeClaim':
      // with WaitForFirstConsumer a claim is Pending until a pod uses it, and nothing is wrong
      return status['phase'] === 'Lost' ? waiting('has lost its volume') : fine;
    default:
      return isForeign(object) ? (observed(metadata, status, true) ?? readiness(status)) : fine;
  }
}

/** Kinds of which being there isn't all. */
const gatedKinds = new Set([
  'Deployment',
  'DaemonSet',
  'StatefulSet',
  'ReplicaSet',
  'ReplicationController',
  'Job',
  'Pod',
  'CustomResourceDefinition',
  'APIService',
  'PersistentVolumeClaim',
]);

/** Whether the health of such an object is more than being there. */
export function hasGate(object: Pick<ManifestObject, 'apiVersion' | 'kind'>): boolean {
  return gatedKinds.has(object.kind) || isForeign(object);
}

/** An object of a kind that Kubernetes itself doesn't have. */
function isForeign({apiVersion}: {readonly apiVersion?: unknown}): boolean {
  const group = typeof apiVersion === 'string' && apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
  return group.includes('.') && !group.endsWith('.k8s.io');
}

/** Custom resources that tell their state by the usual conditions; whatever tells nothing is taken as it is. */
function readiness(status: Readonly<Record<string, unknown>>): Health {
  const condition = conditionOf(status, 'Ready') ?? conditionOf(status, 'Available');
  return condition === undefined || condition['status'] === 'True' ? fine : waiting(reason(condition, 'is not ready'));
}

/** What keeps a pod from being ready, as it says itself; undefined when it is ready. */
export function whyPodWaits(object: LiveObject): string | undefined {
  const status = record(object['status']);
  if (pod(status).healthy) return undefined;
  const containers = [status['initContainerStatuses'], status['containerStatuses']].flatMap((list) => (Array.isArray(list) ? list.map(record) : []));
  for (const container of containers) {
    const state = record(record(container['state'])['waiting']);
    const said = typeof state['reason'] === 'string' && state['reason'] !== 'PodInitializing' ? state : undefined;
    if (said !== undefined) return `waits: ${String(said['reason'])}${typeof said['message'] === 'string' ? ` (${said['message']})` : ''}`;
  }
  const scheduled = conditionOf(status, 'PodScheduled');
  if (scheduled?.['status'] === 'False') return `has no node: ${String(scheduled['message'] ?? scheduled['reason'] ?? 'it gives no reason')}`;
  const health = pod(status);
  return health.healthy ? undefined : health.waitingFor;
}

function observed(metadata: Readonly<Record<string, unknown>>, status: Readonly<Record<string, unknown>>, onlyIfTold = false): Health | undefined {
  if (onlyIfTold && typeof status['observedGeneration'] !== 'number') return undefined;
  return number(status['observedGeneration']) < number(metadata['generation']) ? waiting('has not been looked at by its controller yet') : undefined;
}

function deployment(spec: Readonly<Record<string, unknown>>, status: Readonly<Record<string, unknown>>): Health {
  const wanted = number(spec['replicas'], 1);
  const progressing = conditionOf(status, 'Progressing');
  if (progressing?.['reason'] === 'ProgressDeadlineExceeded') return waiting(`makes no progress: ${String(progressing['message'] ?? 'its deadline is over')}`);
  const updated = counted(number(status['updatedReplicas']), wanted, 'replicas updated');
  if (!updated.healthy) return updated;
  const old = number(status['replicas']) - number(status['updatedReplicas']);
  if (old > 0) return waiting(`has ${old} old replicas left`);
  return counted(number(status['availableReplicas']), wanted, 'replicas available');
}

function daemonSet(spec: Readonly<Record<string, unknown>>, status: Readonly<Record<string, unknown>>): Health {
  const wanted = number(status['desiredNumberScheduled']);
  if (record(spec['updateStrategy'])['type'] !== 'OnDelete') {
    const updated = counted(number(status['updatedNumberScheduled']), wanted, 'pods updated');
    if (!updated.healthy) return updated;
  }
  return counted(number(status['numberAvailable']), wanted, 'pods available');
}

function statefulSet(spec: Readonly<Record<string, unknown>>, status: Readonly<Record<string, unknown>>): Health {
  const wanted = number(spec['replicas'], 1);
  const strategy = record(spec['updateStrategy']);
  const ready = counted(number(status['readyReplicas']), wanted, 'replicas ready');
  if (!ready.healthy || strategy['type'] === 'OnDelete') return ready;
  const partition = number(record(strategy['rollingUpdate'])['partition']);
  if (partition > 0) return counted(number(status['updatedReplicas']), Math.max(0, wanted - partition), 'replicas updated');
  return status['updateRevision'] === status['currentRevision'] ? fine : counted(number(status['updatedReplicas']), wanted, 'replicas updated', true);
}

function job(status: Readonly<Record<string, unknown>>): Health {
  if (conditionOf(status, 'Complete')?.['status'] === 'True') return fine;
  const failure = conditionOf(status, 'Failed');
  if (failure?.['status'] === 'True') return waiting(`has failed: ${String(failure['message'] ?? failure['reason'] ?? 'no reason given')}`);
  return waiting(number(status['active']) > 0 ? 'is running' : 'has not finished');
}

function pod(status: Readonly<Record<string, unknown>>): Health {
  if (status['phase'] === 'Succeeded' || conditionOf(status, 'Ready')?.['status'] === 'True') return fine;
  return waiting(reason(conditionOf(status, 'Ready'), `is ${String(status['phase'] ?? 'not scheduled')}`));
}

function hasFailed(object: LiveObject): boolean {
  return object['kind'] === 'Job' && conditionOf(record(object['status']), 'Failed')?.['status'] === 'True';
}

function counted(have: number, wanted: number, what: string, strict = false): Health {
  return have < wanted || (strict && have !== wanted) ? waiting(`has ${have} of ${wanted} ${what}`) : fine;
}

function conditionOf(status: Readonly<Record<string, unknown>>, type: string): Readonly<Record<string, unknown>> | undefined {
  const conditions = status['conditions'];
  return Array.isArray(conditions) ? conditions.map(record).find((condition) => condition['type'] === type) : undefined;
}

function reason(condition: Readonly<Record<string, unknown>> | undefined, otherwise: string): string {
  const message = condition?.['message'];
  return condition?.['status'] !== 'True' && typeof message === 'string' && message !== '' ? `${otherwise}: ${message}` : otherwise;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
}

function number(value: unknown, otherwise = 0): number {
  return typeof value === 'number' ? value : otherwise;
}
