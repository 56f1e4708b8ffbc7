// Nodes of the workload cluster: cordoned, uncordoned, and drained by the eviction API, which keeps PodDisruptionBudgets.
import {sleep} from '../../../kernel/cancel.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import {textAt, type KubeObject} from '../../../kube/object.ts';
import type {KubeApi} from '../../../kube/api.ts';
import type {Plan, Step, StepContext} from '../../../plan/plan.ts';
import type {ControllerScope} from '../scope.ts';
import {withWorkload} from '../workload.ts';
import {isCordoned, judgePods, lookAtNode, nameOfPod, nodes, pods as podResource, type DrainChoice, type NodeFacts} from './drain-facts.ts';
import type {LiveCluster} from './live.ts';
import {requireMachine} from './machine.ts';
import {changedHost, refuse, requireAlive, verbPlan} from './verb-plan.ts';

/** How often the pods are looked at, in ms. */
const interval = 1000;
/** How often one pod's eviction is asked for again, in ms; kubectl's own. */
const askAgain = 5000;

export interface DrainOptions extends DrainChoice {
  /** In ms. */
  readonly deadline: number;
}

/** The node of a machine. Throws `machine.not-found`, and `plan.refused` while it has none. */
export function requireNode(live: LiveCluster, name: string): {readonly machine: KubeObject; readonly node: string} {
  const machine = requireMachine(live, name);
  const node = textAt(machine, 'status', 'nodeRef', 'name');
  if (node !== undefined && node !== '') return {machine, node};
  throw refuse(`${machine.metadata.name} has no node yet: it is ${textAt(machine, 'status', 'phase') ?? 'being made'}.`, ['trireme machine describe']);
}

/** No new pods come to the node, or (`uncordon`) they do again. */
export function planCordon(live: LiveCluster, name: string, facts: NodeFacts, verb: 'cordon' | 'uncordon'): Plan<ControllerScope> {
  requireAlive(live, verb);
  const {machine} = requireNode(live, name);
  const wanted = verb === 'cordon';
  const isSo = isCordoned(facts.node) === wanted;
  return verbPlan(live, {
    operation: verb,
    hosts: [changedHost(machine.metadata.name, 'machine', isSo ? [] : [{path: 'node.unschedulable', from: !wanted, to: wanted, effect: 'none'}])],
    phases: [{title: wanted ? 'Cordon' : 'Uncordon', steps: isSo ? [] : [cordonStep(live, machine.metadata.name, facts.node.metadata.name, wanted)]}],
    basis: {node: facts.node.metadata.uid ?? null, unschedulable: isCordoned(facts.node)},
  });
}

/** Cordons the node and evicts its pods. Throws `plan.refused`, naming the pods that only leave when told how. */
export function planDrain(live: LiveCluster, name: string, facts: NodeFacts, options: DrainOptions): Plan<ControllerScope> {
  requireAlive(live, 'drain');
  const {machine} = requireNode(live, name);
  const verdicts = judgePods(facts.pods, options);
  const refused = verdicts.filter((one) => one.what === 'refuse');
  if (refused.length > 0)
    throw refuse(
      `${refused.length} ${refused.length === 1 ? 'pod' : 'pods'} on ${facts.node.metadata.name} ${refused.length === 1 ? "isn't" : "aren't"} evicted without being told so:\n${refused.map((one) => `  ${nameOfPod(one.pod)}: ${one.why}`).join('\n')}`,
      [],
      {pods: refused.map((one) => nameOfPod(one.pod))},
    );
  const evicted = verdicts.filter((one) => one.what === 'evict').map((one) => nameOfPod(one.pod));
  const host = machine.metadata.name;
  const node = facts.node.metadata.name;
  const isReady = isCordoned(facts.node) && evicted.length === 0;
  return verbPlan(live, {
    operation: 'drain',
    hosts: [
      changedHost(host, 'machine', [
        ...(isCordoned(facts.node) ? [] : [{path: 'node.unschedulable', from: false, to: true, effect: 'none' as const}]),
        ...evicted.map((pod) => ({path: `pod ${pod}`, from: 'running', effect: 'drain' as const, why: 'evicted'})),
      ]),
    ],
    phases: [
      {title: 'Cordon', steps: isCordoned(facts.node) ? [] : [cordonStep(live, host, node, true)]},
      {title: 'Drain', steps: isReady ? [] : [drainStep(live, host, node, options)]},
    ],
    basis: {node: facts.node.metadata.uid ?? null, pods: evicted},
  });
}

function cordonStep(live: LiveCluster, host: string, node: string, wanted: boolean): Step<ControllerScope> {
  return {
    id: `${wanted ? 'cordon' : 'uncordon'}/${host}`,
    title: wanted ? 'Cordon the node' : 'Uncordon the node',
    host,
    effect: 'none',
    check: ({scope, signal}) =>
      withWorkload(scope, live.name, async (api) => {
        const found = await api.get(nodes, {name: node}, {signal});
        return found !== undefined && isCordoned(found) === wanted ? 'satisfied' : 'needed';
      }),
    apply: ({scope, signal}) =>
      withWorkload(scope, live.name, async (api) => {
        await api.patch(nodes, {name: node}, {type: 'merge', body: {spec: {unschedulable: wanted ? true : null}}}, {signal});
        return wanted ? `${node} takes no new pods` : `${node} takes pods again`;
      }),
  };
}

function drainStep(live: LiveCluster, host: string, node: string, options: DrainOptions): Step<ControllerScope> {
  const toEvict = async (api: KubeApi, signal: AbortSignal) =>
    judgePods((await lookAtNode(api, node, signal)).pods, options)
      .filter((one) => one.what !== 'leave')
      .map((one) => one.pod);
  return {
    id: `drain/${host}`,
    title: 'Evict the pods',
    host,
    effect: 'drain',
    check: ({scope, signal}) => withWorkload(scope, live.name, async (api) => ((await toEvict(api, signal)).length === 0 ? 'satisfied' : 'needed')),
    apply: (context) => withWorkload(context.scope, live.name, (api) => evictAll(api, {host, node, options, context, toEvict})),
  };
}

interface Eviction {
  readonly host: string;
  readonly node: string;
  readonly options: DrainOptions;
  readonly context: StepContext<ControllerScope>;
  toEvict(api: KubeApi, signal: AbortSignal): Promise<readonly KubeObject[]>;
}

/** Asks for each pod until it is gone. A pod that a budget holds is asked for again; when time is up, each is named with what holds it. */
async function evictAll(api: KubeApi, {host, node, options, context, toEvict}: Eviction): Promise<string> {
  const {signal, stopping, emit} = context;
  const end = Date.now() + options.deadline;
  const asked = new Map<string, number>();
  const held = new Map<string, string>();
  const seen = new Set<string>();
  for (;;) {
    const left = await toEvict(api, signal);
    for (const pod of left) seen.add(pod.metadata.uid ?? nameOfPod(pod));
    if (left.length === 0) return `${seen.size} ${seen.size === 1 ? 'pod' : 'pods'} evicted from ${node}`;
    const due = left.filter((pod) => pod.metadata.deletionTimestamp === undefined && Date.now() - (asked.get(nameOfPod(pod)) ?? 0) >= askAgain);
    for (const pod of due) {
      asked.set(nameOfPod(pod), Date.now());
      const why = await evict(api, pod, signal);
      if (why === undefined) held.delete(nameOfPod(pod));
      else if (held.get(nameOfPod(pod)) !== why)
        emit({type: 'condition.changed', subject: nameOfPod(pod), condition: 'Evicted', status: 'false', message: why, host});
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
    await api.remove(podResource, {name, namespace}, {signal, ...(uid === undefined ? {} : {uid})});
    return undefined;
  }
  const answer = await api.send({
    method: 'POST',
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/eviction`,
    body: {apiVersion: 'policy/v1', kind: 'Eviction', metadata: {name, namespace}, ...(uid === undefined ? {} : {deleteOptions: {preconditions: {uid}}})},
    signal,
    // a budget's refusal is asked again by us, with what it says shown
    deadline: 10_000,
  });
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
