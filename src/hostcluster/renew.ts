// New certificates by a command: what is due on which host, and the plan that has the agents make it, control planes one after the other.
import {sleep} from '../kernel/cancel.ts';
import {isTriremeError, TriremeError} from '../kernel/errors.ts';
import {waitFor} from '../kernel/retry.ts';
import type {Change, HostPlan, Plan, Step} from '../plan/plan.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import {isReached, type HostClusterFacts, type MemberFacts} from './facts.ts';
import type {AgentState, CertificateState} from './protocol.ts';
import type {HostClusterScope} from './scope.ts';
import {leaseStep} from './steps/lease-step.ts';
import {hostsOf, observationOf} from './wanted.ts';

export interface RenewOptions {
  readonly mode: string;
  readonly hosts?: readonly string[];
  /** ISO 8601: the moment that "due" is judged by, and the mark of this request. */
  readonly at: string;
  /** Those that aren't due, too. */
  readonly everything: boolean;
}

/** In ms, where no --timeout was given. */
const times = {renew: 20 * 60_000, answer: 60_000, look: 1000, command: 30_000};
/** Failures of the agent in a row before it is told. */
const attempts = 4;

/** True when a new one is to be made now. */
export function isDueAt(certificate: Pick<CertificateState, 'renewsAt'>, at: string): boolean {
  return certificate.renewsAt !== undefined && Date.parse(certificate.renewsAt) <= Date.parse(at);
}

/** Pure. A host whose agent doesn't run is in the plan whatever was seen last: what it said may be old. */
export function planRenewal(cluster: DesiredCluster, facts: Pick<HostClusterFacts, 'hosts'>, options: RenewOptions): Plan<HostClusterScope> {
  const chosen = hostsOf(cluster).filter((host) => options.hosts === undefined || options.hosts.includes(host.name));
  const assessed = chosen.map((host) => {
    const observation = observationOf(facts, host.name);
    if (observation === undefined || !isReached(observation)) {
      const problem = observation === undefined ? undefined : observation.problem;
      const reason = problem?.message ?? `Nothing was seen of ${host.name}.`;
      return {
        host,
        plan: {host: host.name, role: host.role, state: 'unreachable', effect: 'none', changes: [], reason, ...(problem === undefined ? {} : {problem})},
      } as const;
    }
    return {host, member: observation, plan: hostPlan(host.name, host.role, observation, options)};
  });
  const works = assessed.filter((one) => one.plan.state === 'changed');
  const controlPlanes = works.filter((one) => one.host.role === 'control-plane').map((one) => one.host.name);
  const workers = works.filter((one) => one.host.role === 'worker').map((one) => one.host.name);
  const stopped = works.filter((one) => one.member?.agentActive === false).map((one) => one.host.name);
  const leaseHolders = assessed.filter((one) => one.host.role === 'control-plane' && one.member !== undefined).map((one) => one.host.name);
  const phases = [
    {title: 'Check', steps: works.length > 0 && leaseHolders.length > 0 ? [leaseStep(cluster.document.metadata.name, leaseHolders)] : []},
    {title: 'Start agents', steps: stopped.map(startStep)},
    {title: 'Renew certificates of control planes', steps: controlPlanes.map((host) => renewStep(host, options))},
    {title: "Renew workers' credentials", steps: workers.map((host) => renewStep(host, options))},
  ];
  return {
    operation: 'renew certificates',
    subject: cluster.document.metadata.name,
    mode: options.mode,
    simulated: cluster.document.spec.kubernetes.distribution === 'simulated',
    hosts: assessed.map((one) => one.plan),
    phases: phases.filter((phase) => phase.steps.length > 0),
    basis: {},
    warnings: [],
  };
}

function hostPlan(host: string, role: string, member: MemberFacts, options: RenewOptions): HostPlan {
  const isRenewed = (one: CertificateState) => isDueAt(one, options.at) || (options.everything && one.renewedBy === 'agent');
  const due = member.seen?.member === true ? (member.seen.certificates ?? []).filter(isRenewed) : [];
  const isStopped = member.seen?.member === true && !member.agentActive;
  const changes: Change[] = [
    ...(isStopped ? [{path: 'agent.running', from: false, to: true, effect: 'none' as const, why: 'what it last saw of its certificates may be old'}] : []),
    ...due.map((one) => ({
      path: `certificates.${one.name}`,
      from: `until ${one.notAfter}`,
      to: 'a new one',
      effect: 'restart' as const,
      why: whyDue(one, options),
    })),
  ];
  return {host, role, state: changes.length === 0 ? 'unchanged' : 'changed', effect: due.length === 0 ? 'none' : 'restart', changes};
}

function whyDue(certificate: CertificateState, {at, everything}: RenewOptions): string {
  if (Date.parse(certificate.notAfter) <= Date.parse(at)) return 'it has expired';
  return isDueAt(certificate, at) || !everything ? 'it is due' : 'it was asked for';
}

function startStep(host: string): Step<HostClusterScope> {
  const answers = async (scope: HostClusterScope) =>
    (await scope.link(host)).state().then(
      () => true,
      (error: unknown) => {
        if (isTriremeError(error) && error.code === 'agent.not-answering') return undefined;
        throw error;
      },
    );
  return {
    id: `agent:${host}`,
    title: 'Start the agent',
    host,
    effect: 'none',
    check: async ({scope}) => ((await answers(scope)) === true ? 'satisfied' : 'needed'),
    apply: async ({scope, signal}) => {
      const runner = await scope.runner(host);
      await runner.run('systemctl start trireme-agent', {root: true, deadline: times.command, signal});
      if ((await waitFor(() => answers(scope), {timeout: times.answer, interval: 500, signal})) === undefined)
        throw new TriremeError('agent.not-answering', `The agent on ${host} was started and doesn't answer.`, {
          host,
          hints: [`Look at its log: trireme agent logs ${host}`],
        });
    },
  };
}

function renewStep(host: string, options: RenewOptions): Step<HostClusterScope> {
  const isDone = (state: AgentState) =>
    !(state.certificates ?? []).some((one) => isDueAt(one, new Date().toISOString())) &&
    (!options.everything || (state.renewal?.at === options.at && state.renewal.done)) &&
    state.reconcilers.find((one) => one.name === 'certificates')?.status === 'done';
  return {
    id: `renew:${host}`,
    title: 'Renew certificates',
    host,
    effect: 'restart',
    check: async ({scope}) => (isDone(await (await scope.link(host)).state()) ? 'satisfied' : 'needed'),
    apply: async ({scope, signal, stopping, emit}) => {
      const ending = AbortSignal.any([signal, stopping]);
      const until = Date.now() + (scope.patience ?? times.renew);
      let told = '';
      await (await scope.link(host)).renewCertificates(options.everything ? options.at : undefined, {signal});
      for (;;) {
        const state = await (await scope.link(host)).state({signal: ending});
        if (isDone(state)) return earliest(state);
        const own = state.reconcilers.find((one) => one.name === 'certificates');
        const line = `${own?.status ?? 'missing'}${own?.message === undefined ? '' : `: ${own.message}`}`;
        if (line !== told) emit({type: 'step.output', step: `renew:${host}`, host, stream: 'stdout', line});
        told = line;
        if ((own?.attempts ?? 0) >= attempts)
          throw new TriremeError('agent.failed', `Certificates can't be renewed on ${host}: ${own?.message ?? 'the agent gives no reason'}`, {
            host,
            hints: [`Look at its log: trireme agent logs ${host}`, 'The agent goes on trying.'],
          });
        if (Date.now() > until)
          throw new TriremeError('wait.timed-out', `The certificates on ${host} aren't renewed yet (${line}).`, {
            host,
            hints: ['The agent goes on by itself: trireme cluster certificates'],
          });
        await sleep(times.look, ending);
      }
    },
  };
}

/** When the next one ends, for the finished line. */
function earliest(state: AgentState): string | undefined {
  const ends = (state.certificates ?? []).filter((one) => one.renewedBy === 'agent').map((one) => one.notAfter);
  const [first] = ends.toSorted();
  return first === undefined ? undefined : `valid until ${first}`;
}
