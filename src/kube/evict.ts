// Nodes cordoned, and their pods evicted: the eviction API keeps PodDisruptionBudgets.
import {sleep} from '../kernel/cancel.ts';
import {isTriremeError, TriremeError} from '../kernel/errors.ts';
import {retry} from '../kernel/retry.ts';
import type {KubeApi} from './api.ts';
import {isCordoned, judgePods, lookAtNode, nameOfPod, nodes, pods as podResource, type DrainChoice} from './node-pods.ts';
import {textAt, type KubeObject} from './object.ts';

/** How often the pods are looked at, in ms. */
const interval = 1000;
/** How often one pod's eviction is asked for again, in ms; kubectl's own. */
const askAgain = 5000;

/** Of changes that are the same when done twice; in ms. */
const patience = {attempts: 8, delay: 500, maxDelay: 5000};

/** No answer, or one that says nothing about the change. */
function isAway(error: unknown): boolean {
  return isTriremeError(error) && (error.code === 'api.unreachable' || error.code === 'api.failed');
}

export interface DrainOptions extends DrainChoice {
  /** In ms. */
  readonly deadline: number;
}

/** Sets whether new pods come to the node; `annotations` are set or, with null, removed in the same write. */
export async function setCordon(
  api: KubeApi,
  node: string,
  wanted: boolean,
  options: {readonly signal: AbortSignal; readonly annotations?: Readonly<Record<string, string | null>>},
): Promise<void> {
  const {signal, annotations} = options;
  const body = {...(annotations === undefined ? {} : {metadata: {annotations}}), spec: {unschedulable: wanted ? true : null}};
  // the same when it's done twice: an API that is away for a moment is asked again
  await retry(() => api.patch(nodes, {name: node}, {type: 'merge', body}, {signal}), {...patience, signal, isRetryable: isAway});
}

export async function isNodeCordoned(api: KubeApi, node: string, signal: AbortSignal): Promise<boolean> {
  const found = await api.get(nodes, {name: node}, {signal});
  return found !== undefined && isCordoned(found);
}

/** Pods that a drain has still to see gone. */
export async function podsToEvict(api: KubeApi, node: string, choice: DrainChoice, signal: AbortSignal): Promise<readonly KubeObject[]> {
  const {pods} = await lookAtNode(api, node, signal);
  return judgePods(pods, choice)
    .filter((one) => one.what !== 'leave')
    .map((one) => one.pod);
}

export interface Eviction {
  readonly node: string;
  readonly options: DrainOptions;
  readonly signal: AbortSignal;
  /** Ends the waiting early; what was asked for stays so. */
  readonly stopping: AbortSignal;
  /** A pod that doesn't go, and what holds it; told when that changes. */
  onHeld(pod: string, why: string): void;
}

/** Asks for each pod until it is gone. A pod that a budget holds is asked for again; when time is up, each is named with what holds it (`drain.blocked`). */
export async function evictAll(api: KubeApi, {node, options, signal, stopping, onHeld}: Eviction): Promise<string> {
  const end = Date.now() + options.deadline;
  const asked = new Map<string, number>();
  const held = new Map<string, string>();
  const seen = new Set<string>();
  for (;;) {
    const left = await podsToEvict(api, node, options, signal);
    for (const pod of left) seen.add(pod.metadata.uid ?? nameOfPod(pod));
    if (left.length === 0) return `${seen.size} ${seen.size === 1 ? 'pod' : 'pods'} evicted from ${node}`;
    const due = left.filter((pod) => pod.metadata.deletionTimestamp === undefined && Date.now() - (asked.get(nameOfPod(pod)) ?? 0) >= askAgain);
    for (const pod of due) {
      asked.set(nameOfPod(pod), Date.now());
      const why = await evict(api, pod, signal);
      if (why === undefined) held.delete(nameOfPod(pod));
      else if (held.get(nameOfPod(pod)) !== why) onHeld(nameOfPod(pod), why);
      if (why !== undefined) held.set(nameOfPod(pod), why);
    }
    if (Date.now() >= end) throw blocked(node, left, held, options.deadline);
    await sleep(Math.min(interval, Math.max(0, end - Date.now())), AbortSignal.any([signal, stopping]));
  }
}

/** Undefined when the pod goes; else what holds it. */
async function evict(api: KubeApi, pod: KubeObject, signal: AbortSignal): Promise<string | undefined> {
  const {name, namespace = 'default', uid} = pod.metadata;
  const finished = ['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase') ?? '');
  if (finished) {
    await retry(() => api.remove(podResource, {name, namespace}, {signal, ...(uid === undefined ? {} : {uid})}), {...patience, signal, isRetryable: isAway});
    return undefined;
  }
  // by its uid an eviction hits no other pod, however often it's asked for
  const ask = () =>
    api.send({
      method: 'POST',
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/eviction`,
      body: {apiVersion: 'policy/v1', kind: 'Eviction', metadata: {name, namespace}, ...(uid === undefined ? {} : {deleteOptions: {preconditions: {uid}}})},
      signal,
      // a budget's refusal is asked again by us, with what it says shown
      deadline: 10_000,
    });
  const answer = await retry(ask, {...patience, signal, isRetryable: isAway});
  if (answer.status < 300 || answer.status === 404 || answer.status === 409) return undefined;
  const message = textAt(answer.body, 'message') ?? `the API answers ${answer.status}`;
  // 429: a budget; 500: more than one budget, or none that can be read
  const causes = (answer.body as {details?: {causes?: readonly {message?: string}[]}} | null)?.details?.causes?.flatMap((cause) => cause.message ?? []) ?? [];
  return [message, ...causes].join(' ');
}

function blocked(node: string, left: readonly KubeObject[], held: ReadonlyMap<string, string>, deadline: number): TriremeError {
  const lines = left.map((pod) => {
    const finalizers = pod.metadata.finalizers ?? [];
    const going =
      pod.metadata.deletionTimestamp === undefined
        ? 'still running'
        : `ending since ${pod.metadata.deletionTimestamp}${finalizers.length === 0 ? '' : `, held by ${finalizers.join(', ')}`}`;
    return `  ${nameOfPod(pod)}: ${held.get(nameOfPod(pod)) ?? going}`;
  });
  return new TriremeError(
    'drain.blocked',
    `${left.length} ${left.length === 1 ? 'pod' : 'pods'} did not leave ${node} within ${deadline / 1000} s:\n${lines.join('\n')}`,
    {
      hints: ['The node stays cordoned. See what the budgets ask for: kubectl get pdb -A', 'Give it more time: --drain-timeout 30m'],
      details: {pods: left.map(nameOfPod)},
    },
  );
}
