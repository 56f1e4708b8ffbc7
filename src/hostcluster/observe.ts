// The cluster as it is, from what its agents say: for status, lists and screens.
import {certificatesOf, standingOf} from './certificate-rows.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import type {ClusterView, ConditionView} from '../modes/mode.ts';
import type {AgentHost} from '../spec/schema.ts';
import {isReached, reachedHosts, type HostClusterFacts, type MemberObservation} from './facts.ts';
import {protocol, type AgentState, type EndpointState, type NodeState} from './protocol.ts';
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

/** The cluster as plain data, at the moment `at` (ISO 8601). `told` is what a control plane says now; without it nodes are unknown. */
export function viewOf(
  cluster: DesiredCluster,
  facts: Pick<HostClusterFacts, 'hosts'>,
  told: AgentState | undefined,
  mode: string,
  at = new Date().toISOString(),
): ClusterView {
  const {metadata, spec} = cluster.document;
  const machines = hostsOf(cluster).map((host) => machineOf(cluster, host, observationOf(facts, host.name), told, at));
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
    endpoint: `${spec.endpoint.host.includes(':') ? `[${spec.endpoint.host}]` : spec.endpoint.host}:${spec.endpoint.port}`,
    ...(told?.endpoint === undefined ? {} : {endpointHolder: pickHolder(told.endpoint)}),
    seenAt: at,
    ...(told?.etcd === undefined ? {} : {etcd: told.etcd.map(({peerUrls: _urls, ...member}) => member)}),
    ...certificatesIn(facts, at),
  };
}

function pickHolder({holder, since}: EndpointState): NonNullable<ClusterView['endpointHolder']> {
  return {...(holder === undefined ? {} : {holder}), ...(since === undefined ? {} : {since})};
}

/** Nothing where no agent tells of any. */
function certificatesIn(facts: Pick<HostClusterFacts, 'hosts'>, at: string) {
  const {certificates} = certificatesOf(reachedHosts(facts), at);
  // the kubelet's own, which nobody believes, doesn't count
  const counted = certificates.filter((one) => one.renewedBy !== 'nobody');
  const [next] = counted;
  if (next === undefined) return {};
  const {host, name, notAfter} = next;
  const count = (state: string) => counted.filter((one) => one.state === state).length;
  return {certificates: {expired: count('expired'), due: count('due'), next: {host, name, notAfter}}};
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
  const foreign = reached.flatMap((host) => foreignWords(`the agent on ${host.host}`, host.seen))[0];
  if (foreign !== undefined) return foreign;
  return reached.some((host) => host.seen?.wanted != null) ? 'no control plane answers' : 'the cluster is not made yet: trireme apply';
}

/** An agent that speaks another protocol than this program isn't asked anything; who is to move is said. */
function foreignWords(agent: string, seen: AgentState | undefined): readonly string[] {
  if (seen === undefined || seen.protocol === protocol) return [];
  const remedy = seen.protocol > protocol ? `use trireme ${seen.version} or newer` : 'trireme apply brings it up to date';
  return [`${agent} (${seen.version}) speaks protocol ${seen.protocol}, this program speaks ${protocol}: ${remedy}`];
}

function machineOf(cluster: DesiredCluster, host: AgentHost, observation: MemberObservation | undefined, told: AgentState | undefined, at: string) {
  const member = observation !== undefined && isReached(observation) ? observation : undefined;
  const node = told?.nodes.find((one) => one.name === host.name);
  const seen = member?.seen;
  return {
    name: host.name,
    role: host.role as string,
    address: nodeAddressesOf(cluster.document.spec, host, member)[0] ?? host.address,
    state: stateOf(member !== undefined || host.enrol === 'file', node, told !== undefined),
    ...(node === undefined ? {} : {version: node.version}),
    ...(seen === undefined ? {} : {agent: {version: seen.version, converged: seen.converged, answering: member?.agentActive ?? false}}),
    reasons: [...nodeReasons(node, told), ...(host.enrol === 'file' ? [] : agentReasons(observation)), ...certificateReasons(seen, at)],
    drift: seen?.drift.filter((one) => one.outcome !== 'repaired').length ?? 0,
    ...(node === undefined ? {} : {node: node.name}),
    ...conditionsIn(node, seen),
    ...(seen === undefined
      ? {}
      : {
          agentSince: seen.startedAt,
          reconcilers: seen.reconcilers.map(({name, status, message, since, attempts}) => ({
            name,
            status,
            since,
            attempts,
            ...(message === undefined ? {} : {message}),
          })),
          drifts: seen.drift.map(({area, subject, found, at: when, outcome}) => ({area, subject, found, at: when, outcome})),
        }),
  };
}

/** The node's own, then the agent's reconcilers; nothing where neither is known. */
function conditionsIn(node: NodeState | undefined, seen: AgentState | undefined): {readonly conditions?: readonly ConditionView[]} {
  const conditions = [...(node?.conditions ?? []).map(conditionOf), ...(seen?.reconcilers ?? []).map(reconcilerConditionOf)];
  return conditions.length === 0 ? {} : {conditions};
}

/** A reconciler of the agent, as conditions are told everywhere. */
function reconcilerConditionOf({name, status, message, since}: AgentState['reconcilers'][number]): ConditionView {
  return {
    type: name,
    ready: status === 'done',
    reason: status,
    since,
    standing: status === 'done' ? 'good' : status === 'failed' ? 'bad' : 'working',
    ...(message === undefined ? {} : {message}),
  };
}

type NodeCondition = NodeState['conditions'][number];

/** Ready shall be true, all others shall be false. */
function conditionOf({type, status, reason, message, since}: NodeCondition): ConditionView {
  const ready = type === 'Ready' ? status === 'True' : status === 'False';
  const known = status === 'True' || status === 'False' ? status : ('Unknown' as const);
  return {
    type,
    ready,
    status: known,
    standing: ready ? ('good' as const) : known === 'Unknown' ? ('unknown' as const) : ('bad' as const),
    ...(reason === undefined ? {} : {reason}),
    ...(message === undefined ? {} : {message}),
    ...(since === undefined ? {} : {since}),
  };
}

/** In ms: certificates that it signs live for a year, and none outlives it. */
const authorityNotice = 365 * 24 * 60 * 60 * 1000;
/** In ms: an agent renews within minutes; what is due for longer isn't being renewed. */
const overdue = 60 * 60 * 1000;

function certificateReasons(seen: AgentState | undefined, at: string): readonly string[] {
  return (seen?.certificates ?? []).flatMap((one) => {
    if (one.kind === 'certificate' && one.renewedBy === 'nobody') return [];
    const state = standingOf(one, at);
    if (one.kind === 'authority')
      return Date.parse(one.notAfter) - Date.parse(at) > authorityNotice ? [] : [`the authority ${one.name} ends ${one.notAfter}, and nobody replaces it`];
    if (state === 'expired') return [`the certificate ${one.name} has expired (${one.notAfter}): trireme cluster certificates --renew`];
    const isOverdue = state === 'due' && Date.parse(at) - Date.parse(one.renewsAt ?? at) > overdue;
    return isOverdue ? [`the certificate ${one.name} ends ${one.notAfter} and isn't renewed`] : [];
  });
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
  const foreign = foreignWords('its agent', seen);
  if (foreign.length > 0) return foreign;
  const failed = seen.reconcilers.filter((one) => one.status === 'failed').map((one) => `${one.name} failed: ${one.message ?? 'no reason given'}`);
  const drift = seen.drift.filter((one) => one.outcome !== 'repaired').map((one) => `${one.subject} has drifted (${one.found}): ${one.outcome}`);
  const isWorking = seen.wanted !== null && !seen.converged && failed.length === 0;
  const open = seen.reconcilers.filter((one) => one.status !== 'done').map((one) => one.name);
  return [...failed, ...drift, ...(isWorking ? [`its agent is at work${open.length === 0 ? '' : `: ${open.join(', ')}`}`] : [])];
}
