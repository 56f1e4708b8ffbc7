// Agent mode: the user's own Linux hosts, reached over SSH, kept right by our agent.
import {TriremeError} from '../../kernel/errors.ts';
import {askControlPlanes, viewOf} from '../../hostcluster/observe.ts';
import {reachedHosts} from '../../hostcluster/facts.ts';
import {planConverge} from '../../hostcluster/plan.ts';
import {planReplace} from '../../hostcluster/replace.ts';
import {planTakeApart} from '../../hostcluster/take-apart.ts';
import {hostsOf, observationOf} from '../../hostcluster/wanted.ts';
import {selectTargets} from '../../hosts/inventory.ts';
import type {DesiredCluster} from '../../spec/desired.ts';
import type {Capability, Mode, Verb} from '../mode.ts';
import type {AgentFacts} from './facts.ts';
import {obstaclesOf} from './fitness.ts';
import {gatherAgentFacts} from './gather.ts';
import {AgentScope} from './scope.ts';
import type {OpenedBackup} from '../../hostcluster/backup/file.ts';
import type {Plan} from '../../plan/plan.ts';

/** Verbs of a later version, and what does the work until then. */
const later = {
  scale: {
    supported: false,
    reason: "hosts aren't a number to set, they're yours: add them to spec.agent.hosts, or take them out of it, and trireme apply",
  },
  pause: {supported: false, reason: "there's no controller to pause: the agents keep what the last apply wanted"},
  resume: {supported: false, reason: "there's no controller to pause, and so none to resume"},
  restart: {supported: false, reason: 'restarting host by host comes in a later version'},
  'machine-remediate': {supported: false, reason: 'the hosts are yours, and nothing can make new ones'},
  'machine-delete': {
    supported: false,
    reason:
      'the file says which hosts there are: take the host out of spec.agent.hosts, and trireme apply drains it, takes it out of the cluster and resets it',
  },
} as const satisfies Readonly<Partial<Record<Verb, Capability>>>;

export const agentMode: Mode<AgentFacts, AgentScope> = {
  name: 'agent',
  capabilities: {
    converge: {supported: true},
    upgrade: {supported: true},
    'host-maintain': {supported: true},
    'agent-upgrade': {supported: true},
    'machine-cordon': {supported: true},
    'machine-uncordon': {supported: true},
    'machine-drain': {supported: true},
    'machine-replace': {supported: true},
    delete: {supported: true},
    trustedBoot: {supported: false, reason: "in agent mode the operating system is the user's own, and so is the way it boots"},
    provision: {supported: false, reason: 'in agent mode the machines are there before: we make none'},
    events: {supported: true},
    certificates: {supported: true},
    backup: {supported: true},
    restore: {supported: true},
    ...later,
  },
  openScope: (cluster, options) => AgentScope.open(cluster, options),
  facts: (cluster, scope) => gatherAgentFacts(cluster, scope),
  plan: (cluster, facts, intent) => {
    const targets = hostsOf(cluster).map((host) => ({host: host.name, role: host.role, site: host.site, labels: host.labels ?? {}}));
    if (intent.verb === 'delete') return planTakeApart(cluster, facts, {mode: 'agent'});
    if (intent.verb === 'machine-replace') return planReplace(cluster, facts, intent.machine, {mode: 'agent'});
    if (intent.verb === 'upgrade') return {...planConverge(atVersion(cluster, intent.to), facts, {mode: 'agent'}), operation: 'upgrade'};
    if (intent.verb !== 'converge') throw notPlanned(intent.verb);
    const limited = selectTargets(targets, intent.limit).map((target) => target.host);
    return planConverge(cluster, facts, {mode: 'agent', ...(intent.limit === undefined || intent.limit.length === 0 ? {} : {hosts: limited})});
  },
  obstacles: obstaclesOf,
  observe: async (cluster, facts, scope) => viewOf(cluster, facts, await askControlPlanes(cluster, facts, scope), 'agent'),
};

/** The plan that brings the cluster back from a backup, onto hosts that belong to none. Throws `cluster.foreign`, `backup.incompatible`, `plan.refused`. */
export function planRestoration(cluster: DesiredCluster, facts: AgentFacts, backup: OpenedBackup): Plan<AgentScope> {
  return planConverge(cluster, facts, {mode: 'agent', backup}) as Plan<AgentScope>;
}

function atVersion(cluster: DesiredCluster, version: string): DesiredCluster {
  const {document} = cluster;
  return {...cluster, document: {...document, spec: {...document.spec, kubernetes: {...document.spec.kubernetes, version}}}};
}

/** What has a reason says it; the verbs on one node need a look at its pods, and are planned by hostcluster/node-verbs.ts. */
function notPlanned(verb: Verb): TriremeError {
  const reason = verb in later ? later[verb as keyof typeof later].reason : 'it needs a look at the node first';
  return new TriremeError('mode.unsupported', `Agent mode can't ${verb} by the file alone: ${reason}.`);
}

/**
 * An administrator's kubeconfig from any control plane that answers. Throws `cluster.not-made` when there's no cluster, `host.unreachable` when
 * nobody answers who could have it.
 */
export async function fetchClusterKubeconfig(cluster: DesiredCluster, facts: AgentFacts, scope: AgentScope): Promise<string> {
  const controlPlanes = hostsOf(cluster).filter((host) => host.role === 'control-plane');
  const members = reachedHosts(facts).filter((host) => host.seen?.member === true && controlPlanes.some((one) => one.name === host.host));
  let failure: unknown;
  for (const {host} of members) {
    try {
      return await (await scope.link(host)).kubeconfig();
    } catch (error) {
      failure = error;
    }
  }
  if (failure !== undefined) throw failure;
  const {name} = cluster.document.metadata;
  const silent = controlPlanes.filter((host) => {
    const observation = observationOf(facts, host.name);
    return observation !== undefined && 'problem' in observation;
  });
  if (silent.length > 0)
    throw new TriremeError(
      'host.unreachable',
      `No control plane of ${name} that answers has a kubeconfig, and ${silent.map((host) => host.name).join(', ')} can't be reached.`,
      {hints: ['trireme host check']},
    );
  throw new TriremeError('cluster.not-made', `${name} doesn't exist yet: no control plane is a member.`, {hints: ['Make it: trireme apply']});
}
