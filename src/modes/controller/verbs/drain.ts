// Nodes of the workload cluster: cordoned, uncordoned, and drained by the eviction API, which keeps PodDisruptionBudgets.
import {evictAll, isNodeCordoned, podsToEvict, setCordon, type DrainOptions} from '../../../kube/evict.ts';
import {isCordoned, judgePods, nameOfPod, type NodeFacts} from '../../../kube/node-pods.ts';
import {textAt, type KubeObject} from '../../../kube/object.ts';
import type {Plan, Step} from '../../../plan/plan.ts';
import type {ControllerScope} from '../scope.ts';
import {withWorkload} from '../workload.ts';
import type {LiveCluster} from './live.ts';
import {requireMachine} from './machine.ts';
import {changedHost, refuse, requireAlive, verbPlan} from './verb-plan.ts';

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
    check: ({scope, signal}) => withWorkload(scope, live.name, async (api) => ((await isNodeCordoned(api, node, signal)) === wanted ? 'satisfied' : 'needed')),
    apply: ({scope, signal}) =>
      withWorkload(scope, live.name, async (api) => {
        await setCordon(api, node, wanted, {signal});
        return wanted ? `${node} takes no new pods` : `${node} takes pods again`;
      }),
  };
}

function drainStep(live: LiveCluster, host: string, node: string, options: DrainOptions): Step<ControllerScope> {
  return {
    id: `drain/${host}`,
    title: 'Evict the pods',
    host,
    effect: 'drain',
    check: ({scope, signal}) =>
      withWorkload(scope, live.name, async (api) => ((await podsToEvict(api, node, options, signal)).length === 0 ? 'satisfied' : 'needed')),
    apply: ({scope, signal, stopping, emit}) =>
      withWorkload(scope, live.name, (api) =>
        evictAll(api, {
          node,
          options,
          signal,
          stopping,
          onHeld: (pod, why) => emit({type: 'condition.changed', subject: pod, condition: 'Evicted', status: 'false', message: why, host}),
        }),
      ),
  };
}
