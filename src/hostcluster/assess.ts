// What is to be done on one host: pure, from what it shall be and what was seen of it.
import {highestEffect} from '../plan/effect.ts';
import type {Change, HostPlan} from '../plan/plan.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import type {AgentHost} from '../spec/schema.ts';
import {missingBlobs, type Blob} from './content.ts';
import {diffWanted, summarizeNew} from './diff.ts';
import {isReached, type HostClusterFacts, type MemberFacts, type PushFile} from './facts.ts';
import type {Wanted} from './protocol.ts';
import {refuseImpossibleChanges} from './refusals.ts';
import {upgradePurpose} from './steps/drain-step.ts';
import {nodesIn, observationOf, wantedOf} from './wanted.ts';

/** The work on one host that answers. */
export interface HostWork {
  readonly host: AgentHost;
  readonly member: MemberFacts;
  readonly wanted: Wanted;
  readonly changes: readonly Change[];
  readonly isNew: boolean;
  /** Content that it lacks, without the agent's own files. */
  readonly missing: readonly Blob[];
  /** The files of the agent that it shall run; undefined when those that it has stay. */
  readonly install: {readonly program: PushFile; readonly runtime: PushFile | undefined} | undefined;
  readonly startsAgent: boolean;
  readonly handsOver: boolean;
  readonly givesSecrets: boolean;
  /** Labels or taints of a node that exists, which a worker may not change itself. */
  readonly changesNode: boolean;
  /** Its node was cordoned for an upgrade by a run that didn't come to its end. */
  readonly uncordons: boolean;
}

export type Assessment = {readonly plan: HostPlan; readonly work?: HostWork};

/** Compares one host with what it shall be. Throws `plan.refused` for what can't be changed. */
export function assessHost(cluster: DesiredCluster, facts: HostClusterFacts, host: AgentHost): Assessment {
  const observation = observationOf(facts, host.name);
  if (observation === undefined) return {plan: unreachable(host, undefined)};
  if (!isReached(observation)) return {plan: unreachable(host, observation.problem)};

  const install = installOf(facts, observation);
  if (install !== undefined && 'problem' in install) return {plan: unreachable(host, install.problem)};
  const wanted = wantedOf(cluster, facts, host, observation);
  const before = observation.seen?.wanted ?? undefined;
  if (before !== undefined && observation.seen?.member === true) refuseImpossibleChanges(host.name, before, wanted);

  const differences = before === undefined ? summarizeNew(wanted) : withoutContentOfVersion(diffWanted(before, wanted));
  const missing = missingBlobs(wanted.content, observation);
  const startsAgent = install !== undefined || !observation.agentActive;
  const handsOver = before === undefined || differences.length > 0 || observation.seen?.secretsDigest === '';
  const unfinished = before !== undefined && observation.seen?.converged !== true;
  const others = agentChanges(facts, observation, {missing: before === undefined ? [] : missing, install, unfinished});
  const hooks = hookChanges(cluster, host, differences.length + others.length > 0);
  const uncordons = nodesIn(facts).some((node) => node.name === host.name && node.cordonedFor === upgradePurpose);
  const cordon: readonly Change[] = uncordons
    ? [{path: 'node.unschedulable', from: true, to: false, effect: 'none', why: 'it was cordoned for an upgrade that was interrupted'}]
    : [];
  const changes = [...others, ...differences, ...cordon, ...hooks];
  const isNew = before === undefined;
  const plan: HostPlan = {
    host: host.name,
    role: host.role,
    state: isNew ? 'new' : changes.length > 0 ? 'changed' : 'unchanged',
    effect: highestEffect(changes.map((change) => change.effect)),
    changes,
  };
  if (plan.state === 'unchanged') return {plan};
  const changesNode =
    !isNew && host.role === 'worker' && observation.seen?.member === true && differences.some((change) => /^node\.(labels|taints)/.test(change.path));
  return {
    plan,
    work: {
      host,
      member: observation,
      wanted,
      changes,
      isNew,
      missing,
      install,
      startsAgent,
      handsOver,
      givesSecrets: (observation.seen?.secretsDigest ?? '') === '',
      changesNode,
      uncordons,
    },
  };
}

/** Another version has other content: that is one line, not twenty. */
function withoutContentOfVersion(changes: readonly Change[]): readonly Change[] {
  const version = changes.find((change) => change.path === 'kubernetesVersion');
  const content = changes.filter((change) => change.path.startsWith('content.'));
  if (version === undefined || content.length === 0) return changes;
  const summary: Change = {path: 'content', to: `${content.filter((change) => change.to !== undefined).length} items of ${String(version.to)}`, effect: 'none'};
  return [...changes.filter((change) => !content.includes(change)), summary];
}

function unreachable(host: AgentHost, problem: HostPlan['problem']): HostPlan {
  const reason = problem?.message ?? `Nothing was seen of ${host.name}.`;
  return {host: host.name, role: host.role, state: 'unreachable', effect: 'none', changes: [], reason, ...(problem === undefined ? {} : {problem})};
}

/** A runtime that is there stays until the program changes: another operator's Node is no reason to restart agents. */
export function installOf(facts: HostClusterFacts, member: MemberFacts): HostWork['install'] | {readonly problem: NonNullable<HostPlan['problem']>} {
  const program = facts.program.agent;
  if (member.programDigest === program.digest && member.runtimeDigest !== undefined) return undefined;
  const runtime = facts.program.runtimes[member.architecture];
  if (runtime === undefined || 'problem' in runtime) {
    if (member.runtimeDigest !== undefined) return {program, runtime: undefined};
    if (runtime !== undefined) return {problem: {...runtime.problem, host: member.host}};
    return {
      problem: {
        code: 'agent.runtime-missing',
        message: `There's no Node runtime for ${member.host} (${member.architecture}).`,
        hints: [],
        exit: 1,
        host: member.host,
      },
    };
  }
  return {program, runtime: runtime.digest === member.runtimeDigest ? undefined : runtime};
}

interface AgentFindings {
  readonly missing: readonly Blob[];
  readonly install: HostWork['install'] | undefined;
  readonly unfinished: boolean;
}

export function agentChanges(facts: HostClusterFacts, member: MemberFacts, found: AgentFindings): readonly Change[] {
  const changes: Change[] = [];
  if (found.install !== undefined)
    changes.push({
      path: 'agent.program',
      from: member.programDigest === undefined ? undefined : short(member.programDigest),
      to: `${facts.program.version} (${short(found.install.program.digest)})`,
      effect: 'none',
    });
  else if (!member.agentActive) changes.push({path: 'agent.running', from: false, to: true, effect: 'none', why: 'the agent is installed and does not run'});
  if (found.missing.length > 0) changes.push({path: 'agent.content', from: `${found.missing.length} blobs missing`, to: 'complete', effect: 'none'});
  if (found.unfinished) changes.push({path: 'agent.converged', from: false, to: true, effect: 'none', why: whyUnfinished(member)});
  return changes;
}

function whyUnfinished(member: MemberFacts): string {
  const open = (member.seen?.reconcilers ?? []).filter((one) => one.status !== 'done');
  return open.length === 0
    ? 'its agent has not finished'
    : open.map((one) => `${one.name} is ${one.status}${one.message === undefined ? '' : ` (${one.message})`}`).join(', ');
}

function hookChanges(cluster: DesiredCluster, host: AgentHost, hasWork: boolean): readonly Change[] {
  const hooks = cluster.hostHooks[host.name];
  if (!hasWork || hooks === undefined) return [];
  return (['beforeApply', 'afterApply'] as const)
    .filter((name) => hooks[name] !== undefined)
    .map((name) => ({path: `hooks.${name}`, to: host.hooks?.[name] ?? 'runs', effect: 'none' as const, why: 'this script runs on the host'}));
}

const short = (digest: string) => digest.replace(/^sha256:/, '').slice(0, 12);
