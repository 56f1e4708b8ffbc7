// One node of a host cluster: cordoned, uncordoned, drained. Pure but for `lookAtHost`.
import {TriremeError} from '../kernel/errors.ts';
import {nearest} from '../kernel/nearest.ts';
import type {DrainOptions} from '../kube/evict.ts';
import {isCordoned, judgePods, lookAtNode, nameOfPod, type NodeFacts} from '../kube/node-pods.ts';
import {highestEffect} from '../plan/effect.ts';
import type {Change, Plan} from '../plan/plan.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import type {AgentHost} from '../spec/schema.ts';
import {apiThroughAgents} from './agent-api.ts';
import {isReached, reachedHosts, type HostClusterFacts} from './facts.ts';
import type {HostClusterScope} from './scope.ts';
import {cordonStep, drainStep, uncordonStep} from './steps/drain-step.ts';
import {hostsOf, observationOf} from './wanted.ts';

/** The host by its name, which is its node's. Throws `machine.not-found`. */
export function requireHost(cluster: DesiredCluster, name: string): AgentHost {
  const hosts = hostsOf(cluster);
  const found = hosts.find((host) => host.name === name);
  if (found !== undefined) return found;
  const names = hosts.map((host) => host.name);
  const meant = nearest(name, names);
  throw new TriremeError('machine.not-found', `${cluster.document.metadata.name} has no host ${name}.`, {
    hints: [...(meant === undefined ? [] : [`Did you mean ${meant}?`]), `Its hosts: ${names.join(', ')}`],
  });
}

/** Control planes that answer and are members: whose agents can ask the API. Those named last are asked last. Throws `cluster.not-made`, `host.unreachable`. */
export function requireControlPlanes(cluster: DesiredCluster, facts: HostClusterFacts, last: readonly string[] = []): readonly string[] {
  const names = hostsOf(cluster)
    .filter((host) => host.role === 'control-plane')
    .map((host) => host.name);
  const members = reachedHosts(facts)
    .filter((host) => host.seen?.member === true && names.includes(host.host))
    .map((host) => host.host);
  if (members.length > 0) return [...members.filter((name) => !last.includes(name)), ...members.filter((name) => last.includes(name))];
  const {name} = cluster.document.metadata;
  const silent = names.filter((host) => {
    const observation = observationOf(facts, host);
    return observation !== undefined && !isReached(observation);
  });
  if (silent.length > 0)
    throw new TriremeError(
      'host.unreachable',
      `No control plane of ${name} answers that could ask the Kubernetes API; ${silent.join(', ')} can't be reached.`,
      {
        hints: ['trireme host check'],
      },
    );
  throw new TriremeError('cluster.not-made', `${name} doesn't exist yet: no control plane is a member.`, {hints: ['Make it: trireme apply']});
}

/** The host's node and its pods, as the API tells them. Throws `machine.not-found` when it is no node. */
export async function lookAtHost(
  cluster: DesiredCluster,
  facts: HostClusterFacts,
  scope: HostClusterScope,
  name: string,
  signal: AbortSignal,
): Promise<NodeFacts> {
  const host = requireHost(cluster, name);
  const api = apiThroughAgents(scope, {controlPlanes: requireControlPlanes(cluster, facts), signal});
  return lookAtNode(api, host.name, signal);
}

export type NodeVerb = {readonly verb: 'cordon' | 'uncordon'} | {readonly verb: 'drain'; readonly drain: DrainOptions};

/** The plan of one verb on one node. Throws `plan.refused`, naming the pods that only leave when told how. */
export function planNodeVerb(cluster: DesiredCluster, facts: HostClusterFacts, name: string, node: NodeFacts, verb: NodeVerb): Plan<HostClusterScope> {
  const host = requireHost(cluster, name);
  const options = {host: host.name, node: host.name, controlPlanes: requireControlPlanes(cluster, facts)};
  const cordoned = isCordoned(node.node);
  const wanted = verb.verb !== 'uncordon';
  const cordon: readonly Change[] = cordoned === wanted ? [] : [{path: 'node.unschedulable', from: !wanted, to: wanted, effect: 'none'}];
  const evicted = verb.verb === 'drain' ? evictedPods(node, verb.drain) : [];
  const changes = [...cordon, ...evicted.map((pod): Change => ({path: `pod ${pod}`, from: 'running', effect: 'drain', why: 'evicted'}))];
  const phases = [
    {title: wanted ? 'Cordon' : 'Uncordon', steps: cordon.length === 0 ? [] : [wanted ? cordonStep(options) : uncordonStep(options)]},
    {title: 'Drain', steps: verb.verb === 'drain' && changes.length > 0 ? [drainStep({...options, drain: verb.drain})] : []},
  ];
  return {
    operation: verb.verb,
    subject: cluster.document.metadata.name,
    mode: cluster.document.spec.mode,
    simulated: isSimulated(cluster, facts),
    hosts: [
      {
        host: host.name,
        role: host.role,
        state: changes.length === 0 ? 'unchanged' : 'changed',
        effect: highestEffect(changes.map((change) => change.effect)),
        changes,
      },
    ],
    phases: phases.filter((phase) => phase.steps.length > 0),
    basis: {node: node.node.metadata.uid ?? null, unschedulable: cordoned, pods: evicted},
    warnings: [],
  };
}

export function isSimulated(cluster: DesiredCluster, facts: HostClusterFacts): boolean {
  return cluster.document.spec.kubernetes.distribution === 'simulated' || reachedHosts(facts).some((host) => host.simulated);
}

function evictedPods(node: NodeFacts, options: DrainOptions): readonly string[] {
  const verdicts = judgePods(node.pods, options);
  const refused = verdicts.filter((one) => one.what === 'refuse');
  if (refused.length > 0)
    throw new TriremeError(
      'plan.refused',
      `${refused.length} ${refused.length === 1 ? 'pod' : 'pods'} on ${node.node.metadata.name} ${refused.length === 1 ? "isn't" : "aren't"} evicted without being told so:\n${refused.map((one) => `  ${nameOfPod(one.pod)}: ${one.why}`).join('\n')}`,
      {details: {pods: refused.map((one) => nameOfPod(one.pod))}},
    );
  return verdicts.filter((one) => one.what === 'evict').map((one) => nameOfPod(one.pod));
}
