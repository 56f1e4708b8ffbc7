// Everything of ours off hosts: of a whole cluster, or of single hosts that are no members any more. Pure.
import {TriremeError} from '../kernel/errors.ts';
import type {HostPlan, Phase, Plan, Step, Warning} from '../plan/plan.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import {isReached, type HostClusterFacts, type MemberFacts, type MemberObservation} from './facts.ts';
import {requireHost} from './node-verbs.ts';
import {agentPaths} from './protocol.ts';
import {clusterStateOf} from './removals.ts';
import type {HostClusterScope} from './scope.ts';
import {leaseStep} from './steps/lease-step.ts';
import {resetStep} from './steps/reset-step.ts';
import {strangersIn} from './strangers.ts';
import {hostsOf, observationOf} from './wanted.ts';

interface Candidate {
  readonly host: string;
  readonly role: 'control-plane' | 'worker';
  readonly observation: MemberObservation | undefined;
}

/** The plan that takes a cluster off all its hosts, those that left the file included: workers first. Throws `cluster.foreign`. */
export function planTakeApart(cluster: DesiredCluster, facts: HostClusterFacts, options: {readonly mode: string}): Plan<HostClusterScope> {
  const state = clusterStateOf(cluster, facts);
  const strangers = state === undefined ? [] : strangersIn(cluster, state);
  const candidates: readonly Candidate[] = [
    ...hostsOf(cluster).map(({name, role}) => ({host: name, role, observation: observationOf(facts, name)})),
    ...strangers.map(({name, role}) => ({host: name, role, observation: facts.strangers?.find((one) => one.host === name)})),
  ];
  for (const {host, observation} of candidates) refuseForeign(cluster, host, observation);
  const used = candidates.filter((one) => isUsed(one.observation));
  const steps = (role: Candidate['role']) => used.filter((one) => one.role === role).map((one) => stepFor(cluster, facts, one));
  const controlPlanes = used.filter((one) => one.role === 'control-plane').map((one) => one.host);
  const phases: readonly Phase<HostClusterScope>[] = [
    {title: 'Check', steps: controlPlanes.length > 0 ? [leaseStep(cluster.document.metadata.name, controlPlanes)] : []},
    {title: 'Reset workers', steps: steps('worker')},
    // the API goes last: while a worker can't be reset, the cluster can still be looked at
    {title: 'Reset control planes', barrier: true, steps: steps('control-plane')},
  ];
  return planOf(cluster, facts, {operation: 'delete', mode: options.mode, candidates, phases, warnings: []});
}

export interface ResetChoice {
  readonly mode: string;
  /** Members, too: somebody typed their names. */
  readonly force: boolean;
}

/** The plan that takes everything of ours off these hosts of the file. Throws `host.is-member` for members unless it's forced, `machine.not-found`. */
export function planReset(cluster: DesiredCluster, facts: HostClusterFacts, names: readonly string[], choice: ResetChoice): Plan<HostClusterScope> {
  const state = clusterStateOf(cluster, facts);
  const candidates = names.map((name): Candidate => {
    const {role} = requireHost(cluster, name);
    return {host: name, role, observation: observationOf(facts, name)};
  });
  const members = candidates.filter(({host, observation}) => isMember(host, observation, state));
  if (members.length > 0 && !choice.force) throw stillMember(members[0] as Candidate);
  const steps = candidates.filter((one) => isUsed(one.observation)).map((one) => ({...stepFor(cluster, facts, one, choice.force)}));
  const warnings = members.map(({host}): Warning => ({
    code: 'host.is-member',
    message: `${host} is a member of a cluster: its node, and its member of etcd where it has one, stay behind.`,
    host,
    hints: [`To take it out in good order instead: trireme machine replace ${host}, or take it out of the file and apply`],
  }));
  return planOf(cluster, facts, {operation: 'reset', mode: choice.mode, candidates, phases: [{title: 'Reset hosts', steps}], warnings});
}

interface PlanInput {
  readonly operation: string;
  readonly mode: string;
  readonly candidates: readonly Candidate[];
  readonly phases: readonly Phase<HostClusterScope>[];
  readonly warnings: readonly Warning[];
}

function planOf(cluster: DesiredCluster, facts: HostClusterFacts, input: PlanInput): Plan<HostClusterScope> {
  const {operation, mode, candidates, phases, warnings} = input;
  const seen = (one: Candidate) => (one.observation !== undefined && isReached(one.observation) ? (one.observation.seen?.wantedDigest ?? '') : 'not reached');
  return {
    operation,
    subject: cluster.document.metadata.name,
    mode,
    simulated: cluster.document.spec.kubernetes.distribution === 'simulated' || facts.hosts.some((one) => isReached(one) && one.simulated),
    hosts: candidates.map(hostPlanOf),
    phases: phases.filter((phase) => phase.steps.length > 0),
    basis: Object.fromEntries(candidates.map((one) => [`hosts.${one.host}`, seen(one)])),
    warnings,
  };
}

function hostPlanOf({host, role, observation}: Candidate): HostPlan {
  if (observation === undefined || !isReached(observation)) {
    const problem = observation?.problem;
    const reason = problem?.message ?? `How ${host} is reached isn't known.`;
    return {host, role, state: 'unreachable', effect: 'none', changes: [], reason, ...(problem === undefined ? {} : {problem})};
  }
  if (!isUsed(observation)) return {host, role, state: 'unchanged', effect: 'none', changes: []};
  const change = {path: 'host', from: 'agent, Kubernetes, its data', effect: 'replace', why: 'everything that we put there is taken away'} as const;
  return {host, role, state: 'removed', effect: 'replace', changes: [change]};
}

/** Whether anything of ours is there. */
function isUsed(observation: MemberObservation | undefined): observation is MemberFacts {
  if (observation === undefined || !isReached(observation)) return false;
  return observation.programDigest !== undefined || observation.agentActive || observation.seen !== undefined || observation.content.length > 0;
}

function stepFor(cluster: DesiredCluster, facts: HostClusterFacts, {host, observation}: Candidate, anybodys = false): Step<HostClusterScope> {
  const seen = observation !== undefined && isReached(observation) ? observation.seen : undefined;
  return resetStep({
    host,
    program: facts.program.agent,
    root: cluster.document.spec.agent?.root ?? agentPaths.program,
    cluster: seen?.wanted?.cluster.id ?? '',
    anybodys,
  });
}

function refuseForeign(cluster: DesiredCluster, host: string, observation: MemberObservation | undefined): void {
  const theirs = observation !== undefined && isReached(observation) ? observation.seen?.wanted?.cluster : undefined;
  const {name} = cluster.document.metadata;
  if (theirs === undefined || theirs.name === name) return;
  throw new TriremeError('cluster.foreign', `${host} belongs to the cluster ${theirs.name}, not to ${name}.`, {
    host,
    hints: ['Check that the file names the right host.'],
  });
}

function isMember(host: string, observation: MemberObservation | undefined, state: ReturnType<typeof clusterStateOf>): boolean {
  if (state?.nodes.some((node) => node.name === host) === true || state?.etcdMembers?.some((member) => member.name === host) === true) return true;
  if (observation === undefined || !isReached(observation) || observation.seen?.member !== true) return false;
  // a cluster that answers and doesn't know it has taken it out
  return state === undefined || state.nodes.length === 0 || state.wanted?.cluster.id !== observation.seen.wanted?.cluster.id || state.host === host;
}

function stillMember({host, role}: Candidate): TriremeError {
  return new TriremeError(
    'host.is-member',
    `${host} is a member of a cluster: its node${role === 'control-plane' ? ' and its member of etcd' : ''} would stay behind.`,
    {
      host,
      hints: [
        'To take it out for good: take it out of the file, then trireme apply',
        `To have it join again as new: trireme machine replace ${host}`,
        `To reset it all the same: trireme host reset ${host} --force --confirm ${host}`,
      ],
    },
  );
}
