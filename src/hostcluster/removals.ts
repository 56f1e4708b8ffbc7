// Who leaves the cluster, and in which order, so that etcd never loses its majority. Pure.
import {TriremeError} from '../kernel/errors.ts';
import type {Change, HostPlan, Phase, Step, Warning} from '../plan/plan.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import {isReached, reachedHosts, type HostClusterFacts, type MemberObservation} from './facts.ts';
import {agentPaths, type AgentState, type EtcdMember} from './protocol.ts';
import {memberOfHost, whyNotRemovable, withoutMember} from './quorum.ts';
import type {HostClusterScope} from './scope.ts';
import {statesOfMembers, strangersIn} from './strangers.ts';
import {cordonStep, drainStep} from './steps/drain-step.ts';
import {deleteNodeStep, etcdMemberStep} from './steps/remove-member.ts';
import {resetStep} from './steps/reset-step.ts';
import {windowOf} from './rollout.ts';
import {drainDeadline, hostsOf, nodeAddressesOf} from './wanted.ts';

/** One host that leaves. */
export interface Removal {
  readonly host: string;
  readonly role: 'control-plane' | 'worker';
  readonly observation: MemberObservation;
  readonly addresses: readonly string[];
  /** It has, or had, a member of etcd. */
  readonly member: EtcdMember | undefined;
}

export interface RemovalWork {
  readonly hosts: readonly HostPlan[];
  /** Before anybody joins: hosts that don't answer. A member that is down is taken out before another is added. */
  readonly before: readonly Phase<HostClusterScope>[];
  /** When the rest is as wanted: hosts that answer. */
  readonly after: readonly Phase<HostClusterScope>[];
  readonly warnings: readonly Warning[];
}

/** What the cluster says of itself: asked afresh where facts have it, else as a control plane last said. */
export function clusterStateOf(cluster: DesiredCluster, facts: HostClusterFacts): AgentState | undefined {
  return facts.told ?? statesOfMembers(cluster, facts)[0];
}

/** Hosts that left the file. */
export function removalsOf(cluster: DesiredCluster, facts: HostClusterFacts): readonly Removal[] {
  const state = clusterStateOf(cluster, facts);
  if (state === undefined) return [];
  return strangersIn(cluster, state).map(({name, role}) => {
    const observation = facts.strangers?.find((one) => one.host === name) ?? unknownHost(name);
    return removalOf(name, role, observation, state, observedAddresses(observation));
  });
}

/** The removal of a host that the file still names: it is to be replaced. */
export function removalOfHost(cluster: DesiredCluster, facts: HostClusterFacts, name: string): Removal {
  const host = hostsOf(cluster).find((one) => one.name === name);
  const observation = facts.hosts.find((one) => one.host === name) ?? unknownHost(name);
  const addresses = host === undefined ? [] : nodeAddressesOf(cluster.document.spec, host, isReached(observation) ? observation : undefined);
  return removalOf(name, host?.role ?? 'worker', observation, clusterStateOf(cluster, facts), addresses);
}

function removalOf(host: string, role: Removal['role'], observation: MemberObservation, state: AgentState | undefined, addresses: readonly string[]): Removal {
  const member = role === 'control-plane' && state?.etcdMembers !== undefined ? memberOfHost(state.etcdMembers, host, addresses) : undefined;
  return {host, role, observation, addresses, member};
}

function unknownHost(host: string): MemberObservation {
  return {host, problem: {code: 'host.unreachable', message: `How ${host} is reached isn't known: its node is gone.`, hints: [], exit: 4, host}};
}

function observedAddresses(observation: MemberObservation): readonly string[] {
  return isReached(observation) ? (observation.seen?.wanted?.node.addresses ?? []) : [];
}

/** The work of these removals. Throws `plan.refused` when etcd would lose its majority, the endpoint would go, or nobody could do it. */
export function planRemovals(cluster: DesiredCluster, facts: HostClusterFacts, removals: readonly Removal[]): RemovalWork {
  if (removals.length === 0) return {hosts: [], before: [], after: [], warnings: []};
  const gone = new Set(removals.map((one) => one.host));
  const controlPlanes = reachedHosts(facts)
    .filter((host) => !gone.has(host.host) && hostsOf(cluster).some((one) => one.name === host.host && one.role === 'control-plane'))
    .map((host) => host.host);
  const ordered = orderOf(removals);
  refuseLostEndpoint(cluster, removals);
  refuseCutOff(cluster, facts, removals);
  refuseWithoutHelper(cluster, facts, gone);
  requireMajority(ordered, clusterStateOf(cluster, facts)?.etcdMembers);
  const {rollout} = cluster.document.spec;
  const {maxUnavailable, maxFailures} = rollout;
  const steps = (removal: Removal) => stepsOf(cluster, facts, removal, controlPlanes, drainDeadline(rollout));
  const dead = ordered.filter((one) => !isReached(one.observation));
  const living = ordered.filter((one) => isReached(one.observation));
  const workers = living.filter((one) => one.role === 'worker');
  const all = hostsOf(cluster).filter((host) => host.role === 'worker').length + workers.length;
  return {
    hosts: ordered.map((removal) => hostPlanOf(cluster, removal)),
    before: dead.map((removal) => ({title: `Take out ${removal.host}`, barrier: true, window: 1, steps: steps(removal)})),
    after: [
      {title: 'Take out workers', barrier: true, window: windowOf(maxUnavailable, all), maxFailures, steps: workers.flatMap(steps)},
      ...living
        .filter((one) => one.role === 'control-plane')
        .map((removal) => ({title: `Take out ${removal.host}`, barrier: true, window: 1, steps: steps(removal)})),
    ].filter((phase) => phase.steps.length > 0),
    warnings: dead.map(notReached),
  };
}

/** Those that don't answer first, then workers, then control planes. */
function orderOf(removals: readonly Removal[]): readonly Removal[] {
  const rank = (one: Removal) => (!isReached(one.observation) ? 0 : one.role === 'worker' ? 1 : 2);
  return removals.toSorted((a, b) => rank(a) - rank(b));
}

/** Nothing of a host that doesn't answer is drained or reset. Its pods are made again elsewhere when its node is gone. */
function stepsOf(
  cluster: DesiredCluster,
  facts: HostClusterFacts,
  removal: Removal,
  controlPlanes: readonly string[],
  deadline: number,
): readonly Step<HostClusterScope>[] {
  const {host, observation} = removal;
  const options = {host, node: host, controlPlanes};
  const member = removal.role === 'control-plane' ? [etcdMemberStep({...options, addresses: removal.addresses})] : [];
  if (!isReached(observation)) return [...member, deleteNodeStep(options)];
  return [
    cordonStep({...options, purpose: 'removal'}),
    // the host goes with all that is on it, which is what the person was asked
    drainStep({...options, drain: {force: true, deleteEmptyDirData: true, deadline}}),
    ...member,
    resetStep({
      host,
      program: facts.program.agent,
      root: cluster.document.spec.agent?.root ?? agentPaths.program,
      cluster: observation.seen?.wanted?.cluster.id ?? '',
    }),
    deleteNodeStep(options),
  ];
}

function hostPlanOf(cluster: DesiredCluster, removal: Removal): HostPlan {
  const isAnswering = isReached(removal.observation);
  const gone = (path: string, from: string, effect: Change['effect'], why: string): Change => ({path, from, effect, why});
  const changes: Change[] = [
    gone('member', cluster.document.metadata.name, 'drain', isAnswering ? 'its pods are evicted, then its node is deleted' : 'its node is deleted'),
    ...(removal.member === undefined ? [] : [gone('etcd', 'member', 'none', 'taken out before anything on the host is stopped')]),
    ...(isAnswering ? [gone('host', 'agent, Kubernetes, its data', 'replace', 'everything that we put there is taken away')] : []),
  ];
  return {
    host: removal.host,
    role: removal.role,
    state: 'removed',
    effect: isAnswering ? 'replace' : 'drain',
    changes,
    ...(isReached(removal.observation) ? {} : {reason: removal.observation.problem.message}),
  };
}

function notReached({host, observation}: Removal): Warning {
  const why = isReached(observation) ? '' : ` (${observation.problem.message})`;
  return {
    code: 'host.not-reset',
    message: `${host} isn't reached${why}: it is taken out of the cluster through the control planes that answer, and nothing on ${host} itself is touched.`,
    host,
    hints: [`Before ${host} is used again: put it into the file, and trireme host reset ${host}`],
  };
}

function refuseLostEndpoint(cluster: DesiredCluster, removals: readonly Removal[]): void {
  const {endpoint} = cluster.document.spec;
  const lost = removals.find((one) => one.role === 'control-plane' && endpoint.type !== 'vip' && one.addresses.includes(endpoint.host));
  if (lost === undefined) return;
  throw new TriremeError(
    'plan.refused',
    `${lost.host} is the cluster's endpoint (spec.endpoint.host is ${endpoint.host}): without it no host reaches the API.`,
    {
      host: lost.host,
      hints: ['Let the endpoint be a load balancer, a DNS name or a vip first.', `Or keep ${lost.host}.`],
    },
  );
}

/** The endpoint moves away from a host that leaves: who isn't reached can't be told, and would look for it there for ever. */
function refuseCutOff(cluster: DesiredCluster, facts: HostClusterFacts, removals: readonly Removal[]): void {
  const before = new Set(reachedHosts(facts).flatMap((host) => host.seen?.wanted?.endpoint.host ?? []));
  const lost = removals.find((one) => one.addresses.some((address) => before.has(address)));
  if (lost === undefined) return;
  const reached = new Set(reachedHosts(facts).map((host) => host.host));
  const silent = hostsOf(cluster).filter((host) => !reached.has(host.name));
  if (silent.length === 0) return;
  throw new TriremeError(
    'plan.refused',
    `${lost.host} is where the endpoint was, and ${silent.map((host) => host.name).join(', ')} can't be told now that it is ${cluster.document.spec.endpoint.host}.`,
    {host: lost.host, hints: ['Bring them back, or take them out, too.', `Or keep ${lost.host} until they have been told: trireme apply`]},
  );
}

function refuseWithoutHelper(cluster: DesiredCluster, facts: HostClusterFacts, gone: ReadonlySet<string>): void {
  const {name} = cluster.document.metadata;
  const helpers = statesOfMembers(cluster, facts).filter((state) => !gone.has(state.host));
  if (helpers.length > 0) return;
  throw new TriremeError('plan.refused', `No control plane of ${name} that stays is a member and answers: nobody could take ${[...gone].join(', ')} out.`, {
    hints: ['Bring one back, or add one first: trireme apply', `To take the whole cluster off its hosts: trireme cluster delete ${name}`],
  });
}

/** Plays the removals through, one after the other. */
function requireMajority(ordered: readonly Removal[], members: readonly EtcdMember[] | undefined): void {
  let left = members ?? [];
  for (const {host, member} of ordered) {
    if (member === undefined) continue;
    const why = whyNotRemovable(left, member);
    if (why !== undefined)
      throw new TriremeError('plan.refused', `${host} can't be taken out of the cluster: ${why}.`, {
        host,
        hints: [
          'Bring back the members that are down, or take those out of the file instead.',
          'When etcd has lost its majority for good: trireme cluster restore',
        ],
      });
    left = withoutMember(left, member);
  }
}
