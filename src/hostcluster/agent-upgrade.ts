// The agent's own upgrade: the new version beside the old on every host, tried on one first. Pure.
import {highestEffect} from '../plan/effect.ts';
import type {HostPlan, Phase, Plan, Step} from '../plan/plan.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import {agentChanges, installOf, type HostWork} from './assess.ts';
import {isReached, reachedHosts, type HostClusterFacts, type MemberObservation} from './facts.ts';
import {isSimulated} from './node-verbs.ts';
import {agentPaths} from './protocol.ts';
import {refuseForeignHosts} from './refusals.ts';
import {gateStep} from './rollout.ts';
import type {HostClusterScope} from './scope.ts';
import {followHost} from './steps/converge.ts';
import {leaseStep} from './steps/lease-step.ts';
import {pushStep} from './steps/push.ts';
import {agentStep} from './steps/start-agent.ts';
import {hostsOf, observationOf} from './wanted.ts';

type Work = Pick<HostWork, 'host' | 'member' | 'install' | 'missing'>;

/** The plan. Throws `agent.incompatible` where an agent is newer than this program, `cluster.foreign`. */
export function planAgentUpgrade(cluster: DesiredCluster, facts: HostClusterFacts, options: {readonly hosts: readonly string[]}): Plan<HostClusterScope> {
  refuseForeignHosts(cluster, facts);
  const works: Work[] = [];
  const plans = hostsOf(cluster)
    .filter((host) => options.hosts.includes(host.name))
    .map((host): HostPlan => {
      const observation = observationOf(facts, host.name);
      const plain = {host: host.name, role: host.role, effect: 'none' as const, changes: []};
      if (observation === undefined || !isReached(observation)) return {...plain, state: 'unreachable', ...whyNot(host.name, observation)};
      const install = installOf(facts, observation);
      if (install !== undefined && 'problem' in install) return {...plain, state: 'unreachable', reason: install.problem.message, problem: install.problem};
      const changes = agentChanges(facts, observation, {missing: [], install, unfinished: false});
      if (changes.length === 0) return {...plain, state: 'unchanged'};
      works.push({host, member: observation, install, missing: []});
      return {...plain, state: 'changed', effect: highestEffect(changes.map((change) => change.effect)), changes};
    });
  return {
    operation: 'upgrade agents',
    subject: cluster.document.metadata.name,
    mode: cluster.document.spec.mode,
    simulated: isSimulated(cluster, facts),
    hosts: plans,
    phases: works.length === 0 ? [] : phasesOf(cluster, facts, works),
    basis: {program: facts.program.agent.digest, hosts: Object.fromEntries(plans.map((plan) => [plan.host, plan.state]))},
    warnings: [],
  };
}

function whyNot(host: string, observation: MemberObservation | undefined): Pick<HostPlan, 'reason' | 'problem'> {
  const problem = observation !== undefined && !isReached(observation) ? observation.problem : undefined;
  return problem === undefined ? {reason: `Nothing was seen of ${host}.`} : {reason: problem.message, problem};
}

function phasesOf(cluster: DesiredCluster, facts: HostClusterFacts, works: readonly Work[]): readonly Phase<HostClusterScope>[] {
  const root = cluster.document.spec.agent?.root ?? agentPaths.program;
  const reached = new Set(reachedHosts(facts).map((host) => host.host));
  const controlPlanes = hostsOf(cluster).filter((host) => host.role === 'control-plane' && reached.has(host.name));
  const [first, ...rest] = works as readonly [Work, ...Work[]];
  const steps = (work: Work) => [provenStep(agentStep(work, root), work.host.name), settleStep(work)];
  const gate = gateStep({title: 'others', before: [first.host.name], needed: [first.host.name], maxFailures: 0, again: 'trireme agent upgrade'});
  const phases: readonly Phase<HostClusterScope>[] = [
    {
      title: 'Check',
      steps:
        controlPlanes.length === 0
          ? []
          : [
              leaseStep(
                cluster.document.metadata.name,
                controlPlanes.map((host) => host.name),
              ),
            ],
    },
    {title: 'Push the agent', concurrency: 4, steps: works.map(pushStep)},
    {title: `Try it on ${first.host.name}`, barrier: true, steps: steps(first)},
    {title: 'Start agents', barrier: true, steps: rest.length === 0 ? [] : [gate, ...rest.flatMap(steps)]},
  ];
  return phases.filter((phase) => phase.steps.length > 0);
}

function provenStep(step: Step<HostClusterScope>, host: string): Step<HostClusterScope> {
  return {
    ...step,
    title: 'Start the new agent',
    check: async (context) => {
      const found = await step.check(context);
      if (found === 'satisfied') context.scope.progress.converged.add(host);
      return found;
    },
    apply: async (context) => {
      const said = await step.apply(context);
      context.scope.progress.converged.add(host);
      return said;
    },
  };
}

/** The new agent finds the host as it shall be, by its own reckoning. */
function settleStep({host: {name}, member}: Work): Step<HostClusterScope> {
  const digest = member.seen?.wantedDigest ?? '';
  return {
    id: `settle:${name}`,
    title: 'Wait until the new agent is content',
    host: name,
    effect: 'none',
    check: async ({scope}) => {
      if (digest === '') return 'satisfied';
      return (await (await scope.link(name)).state()).converged ? 'satisfied' : 'needed';
    },
    apply: async (context) => {
      context.scope.progress.converged.delete(name);
      await followHost(context, {host: name, digest, step: `settle:${name}`, isDone: (state) => state.converged});
      context.scope.progress.converged.add(name);
      return 'is as wanted';
    },
  };
}
