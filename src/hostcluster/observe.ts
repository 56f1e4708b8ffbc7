// The cluster as it is, from what its agents say: for status, lists and screens.
import type {DesiredCluster} from '../spec/desired.ts';
import type {AgentHost} from '../spec/schema.ts';
import {isReached, reachedHosts, type HostClusterFacts, type MemberObservation} from './facts.ts';
import type {AgentState, NodeState} from './protocol.ts';
import type {HostClusterScope} from './scope.ts';
import {hostsOf, nodeAddressesOf, observationOf} from './wanted.ts';

/** The freshest state of a control plane that knows its nodes, and which host said it; undefined when none answers. */
export async function askControlPlanes(
  cluster: DesiredCluster,
  facts: Pick<HostClusterFacts, 'hosts'>,
  scope: Pick<HostClusterScope, 'link'>,
): Promise<AgentState | undefined> {
  let silent: AgentState | undefined;
  for (const host of hostsOf(cluster)) {
    const observation = observationOf(facts, host.name);
    if (host.role !== 'control-plane' || observation === undefined || !isReached(observation) || !observation.agentActive) continue;
    try {
      const state = await (await scope.link(host.name)).state();
      if (state.nodes.length > 0) return state;
      silent ??= state;
    } catch {
      continue; // the next one may answer; who didn't is told by its own line
    }
  }
  return silent;
}

/** The cluster as plain data. `told` is what a control plane says now; without it nodes are unknown. */
export function viewOf(cluster: DesiredCluster, facts: Pick<HostClusterFacts, 'hosts'>, told: AgentState | undefined, mode: string) {
  const {metadata, spec} = cluster.document;
  const machines = hostsOf(cluster).map((host) => machineOf(cluster, host, observationOf(facts, host.name), told));
  const strangers = (told?.nodes ?? []).filter((node) => !hostsOf(cluster).some((host) => host.name === node.name)).map(strangerOf);
  const ready = (role: string) => machines.filter((machine) => machine.role === role && machine.state === 'ready').length;
  const wanted = (role: string) => machines.filter((machine) => machine.role === role).length;
  const conditions = (told?.conditions ?? []).map(({type, ready: isReady, message}) => ({type, ready: isReady, ...(message === undefined ? {} : {message})}));
  const reasons = [
    ...conditions
      .filter((condition) => !condition.ready)
      .map((condition) => `${condition.type} is false${condition.message === undefined ? '' : `: ${condition.message}`}`),
    ...[...machines, ...strangers].flatMap((machine) => machine.reasons.map((reason) => `${machine.name}: ${reason}`)),
  ];
  return {
    name: metadata.name,
    mode,
    simulated: spec.kubernetes.distribution === 'simulated' || told?.simulated === true,
    version: told?.wanted?.kubernetesVersion ?? spec.kubernetes.version,
    health: healthOf(facts, told, reasons),
    reasons: told === undefined ? [whyUnknown(facts), ...reasons] : reasons,
    controlPlanes: {ready: ready('control-plane'), wanted: wanted('control-plane')},
    workers: {ready: ready('worker'), wanted: wanted('worker')},
    conditions,
    machines: [...machines, ...strangers],
  };
}

function healthOf(
  facts: Pick<HostClusterFacts, 'hosts'>,
  told: AgentState | undefined,
  reasons: readonly string[],
): 'healthy' | 'progressing' | 'degraded' | 'unknown' {
  if (told === undefined) return 'unknown';
  if (reasons.length === 0) return 'healthy';
  const states = reachedHosts(facts).flatMap((host) => host.seen ?? []);
  const isWorking =
    states.some((state) => state.wanted !== null && !state.converged) && !states.some((state) => state.reconcilers.some((one) => one.status === 'failed'));
  return isWorking ? 'progressing' : 'degraded';
}

function whyUnknown(facts: Pick<HostClusterFacts, 'hosts'>): string {
  const reached = reachedHosts(facts);
  if (reached.length === 0) return 'no host answers';
  return reached.some((host) => host.seen?.wanted != null) ? 'no control plane answers' : 'the cluster is not made yet: trireme apply';
}

function machineOf(cluster: DesiredCluster, host: AgentHost, observation: MemberObservation | undefined, told: AgentState | undefined) {
  const member = observation !== undefined && isReached(observation) ? observation : undefined;
  const node = told?.nodes.find((one) => one.name === host.name);
  const seen = member?.seen;
  return {
    name: host.name,
    role: host.role as string,
    address: nodeAddressesOf(cluster.document.spec, host, member)[0] ?? host.address,
    state: stateOf(member !== undefined, node, told !== undefined),
    ...(node === undefined ? {} : {version: node.version}),
    ...(seen === undefined ? {} : {agent: {version: seen.version, converged: seen.converged, answering: member?.agentActive ?? false}}),
    reasons: [...nodeReasons(node, told), ...agentReasons(observation)],
    drift: seen?.drift.filter((one) => one.outcome !== 'repaired').length ?? 0,
  };
}

/** A host that we can't log in to may well be a Ready node; that it doesn't answer is what a person has to see. */
function stateOf(isReachable: boolean, node: NodeState | undefined, isTold: boolean): 'ready' | 'not-ready' | 'not-joined' | 'unreachable' {
  if (!isReachable) return 'unreachable';
  if (node === undefined) return isTold ? 'not-joined' : 'not-ready';
  return node.ready ? 'ready' : 'not-ready';
}

function strangerOf(node: NodeState) {
  return {
    name: node.name,
    role: node.roles.includes('control-plane') ? 'control-plane' : 'worker',
    address: '',
    state: node.ready ? ('ready' as const) : ('not-ready' as const),
    version: node.version,
    reasons: ["is a node of the cluster and isn't in the file"],
    drift: 0,
  };
}

function nodeReasons(node: NodeState | undefined, told: AgentState | undefined): readonly string[] {
  if (told === undefined) return [];
  if (node === undefined) return ["isn't a node of the cluster yet"];
  const conditions = node.conditions.filter((one) =>
    one.type === 'Ready' ? one.status !== 'True' : /Pressure$|Unavailable$/.test(one.type) && one.status === 'True',
  );
  const reasons = conditions.map((one) => `${one.type} is ${one.status}${one.message === undefined || one.message === '' ? '' : `: ${one.message}`}`);
  return node.ready || reasons.length > 0 ? reasons : ["the node isn't Ready"];
}

function agentReasons(observation: MemberObservation | undefined): readonly string[] {
  if (observation === undefined) return ['nothing was seen of it'];
  if (!isReached(observation)) return [observation.problem.message];
  const {seen} = observation;
  if (seen === undefined) return observation.programDigest === undefined ? ['no agent is installed'] : ['its agent has never run'];
  if (!observation.agentActive) return ['its agent does not run'];
  const failed = seen.reconcilers.filter((one) => one.status === 'failed').map((one) => `${one.name} failed: ${one.message ?? 'no reason given'}`);
  const drift = seen.drift.filter((one) => one.outcome !== 'repaired').map((one) => `${one.subject} has drifted (${one.found}): ${one.outcome}`);
  const isWorking = seen.wanted !== null && !seen.converged && failed.length === 0;
  const open = seen.reconcilers.filter((one) => one.status !== 'done').map((one) => one.name);
  return [...failed, ...drift, ...(isWorking ? [`its agent is at work${open.length === 0 ? '' : `: ${open.join(', ')}`}`] : [])];
}
