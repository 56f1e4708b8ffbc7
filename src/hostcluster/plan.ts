// From the file and the facts to what a run does on which host. Pure: nothing is read, and nothing is decided later.
import {TriremeError} from '../kernel/errors.ts';
import {requireRendered} from '../layers/inventory.ts';
import type {Basis, Phase, Plan, Warning} from '../plan/plan.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import {assessHost, type Assessment, type HostWork} from './assess.ts';
import type {OpenedBackup} from './backup/file.ts';
import {refuseRestoration, restoreDataStep, restoreSecretsStep} from './backup/restore-steps.ts';
import {basisOf} from './basis.ts';
import {isReached, reachedHosts, type HostClusterFacts} from './facts.ts';
import {withKnownContent} from './known-content.ts';
import {agentPaths} from './protocol.ts';
import {nodesWithoutHost, refuseExpelled, refuseForeignHosts} from './refusals.ts';
import {planRemovals, removalsOf, type Removal, type RemovalWork} from './removals.ts';
import {removedApiWarnings} from './removed-apis.ts';
import {changesVersion, gateStep, refuseMoveAmongOthers, rolloutOf, rolloutPhases, uncordonSteps} from './rollout.ts';
import type {HostClusterScope} from './scope.ts';
import {refuseSkew, versionWarnings} from './skew.ts';
import {convergeStep} from './steps/converge.ts';
import {handOverStep} from './steps/hand-over.ts';
import {healthStep} from './steps/health.ts';
import {hookStep} from './steps/hook-step.ts';
import {leaseStep} from './steps/lease-step.ts';
import {nodeStep} from './steps/node-step.ts';
import {preparedGate, prepareStep} from './steps/prepare.ts';
import {fetchStep, pushStep} from './steps/push.ts';
import {secretsStep} from './steps/secrets-step.ts';
import {agentStep} from './steps/start-agent.ts';
import {maintainPurpose} from './steps/drain-step.ts';
import {hostsOf, membershipOf, nodesIn, type Membership} from './wanted.ts';

/** Uploads at once: more only share the same uplink. */
const uploadWindow = 4;

export interface ConvergeOptions {
  readonly mode: string;
  /** The hosts that the run is about; default: all. */
  readonly hosts?: readonly string[];
  /** The cluster comes back from this backup instead of being made anew. */
  readonly backup?: OpenedBackup;
  /** What the run does, as in its title; default `apply`. */
  readonly operation?: string;
  /** Who leaves; default: hosts that left the file, unless the run is about some hosts only. */
  readonly removals?: readonly Removal[];
  /** They leave before anything else is done, rather than when the others are as wanted. */
  readonly removesFirst?: boolean;
}

/** The plan that makes the cluster what the file wants. Throws `cluster.foreign`, `agent.incompatible`, `plan.refused`, `bundle.*`. */
export function planConverge(cluster: DesiredCluster, seen: HostClusterFacts, options: ConvergeOptions): Plan<HostClusterScope> {
  requireRendered(cluster.layers);
  if (options.backup === undefined) refuseForeignHosts(cluster, seen);
  else refuseRestoration(cluster, seen, options.backup);
  refuseExpelled(cluster, seen);
  const chosen = new Set(options.hosts ?? hostsOf(cluster).map((host) => host.name));
  refuseSkew(cluster, seen, chosen);
  const facts = withKnownContent(cluster, seen);
  const hosts = hostsOf(cluster).filter((host) => chosen.has(host.name));
  const assessments = new Map(hosts.map((host) => [host.name, assessHost(cluster, facts, host)] as const));
  refuseMoveAmongOthers([...assessments.values()].flatMap((one) => one.work ?? []));
  const membership = membershipOf(cluster, facts);
  refuseHeadlessLimit(cluster, membership, chosen);
  const waiting = waitsForStart(facts, membership);
  const removals = options.removals ?? (options.hosts === undefined ? removalsOf(cluster, facts) : []);
  const work = planRemovals(cluster, facts, removals);
  const leaving = options.removesFirst === true ? {...work, before: [...work.before, ...work.after], after: []} : work;
  const planned = new Set(hosts.map((host) => host.name));
  return {
    operation: options.operation ?? (options.backup === undefined ? 'apply' : 'restore'),
    subject: cluster.document.metadata.name,
    mode: options.mode,
    simulated: cluster.document.spec.kubernetes.distribution === 'simulated' || reachedHosts(facts).some((host) => host.simulated),
    // one that is replaced is there as what it becomes
    hosts: [...[...assessments.values()].map((one) => one.plan), ...leaving.hosts.filter((host) => !planned.has(host.host))],
    phases: restoring(options.backup, membership, phasesOf({cluster, facts, membership, assessments: [...assessments.values()], waiting, leaving, removals})),
    basis: {...basisOf(facts, membership, assessments), ...removalBasis(facts, removals)},
    warnings: [...leaving.warnings, ...warningsOf(cluster, facts, removals, waiting ? membership.bootstrap : undefined)],
  };
}

function refuseHeadlessLimit(cluster: DesiredCluster, membership: Membership, chosen: ReadonlySet<string>): void {
  const {bootstrap, started} = membership;
  if (started || bootstrap === undefined || chosen.has(bootstrap)) return;
  throw new TriremeError('plan.refused', `${bootstrap} starts the cluster ${cluster.document.metadata.name}, and the limit leaves it out.`, {
    hints: [`Add it: --limit ${bootstrap}`],
  });
}

/** True when the host that shall start the cluster doesn't answer: the others are prepared, and wait. */
function waitsForStart(facts: HostClusterFacts, membership: Membership): boolean {
  return !membership.started && membership.bootstrap !== undefined && !reachedHosts(facts).some((host) => host.host === membership.bootstrap);
}

interface PhaseInput {
  readonly cluster: DesiredCluster;
  readonly facts: HostClusterFacts;
  readonly membership: Membership;
  readonly assessments: readonly Assessment[];
  readonly waiting: boolean;
  readonly leaving: RemovalWork;
  readonly removals: readonly Removal[];
}

function phasesOf({cluster, facts, membership, assessments, waiting, leaving, removals}: PhaseInput): readonly Phase<HostClusterScope>[] {
  const works = assessments.flatMap((one) => one.work ?? []);
  if (works.length === 0 && removals.length === 0) return [];
  const root = cluster.document.spec.agent?.root ?? agentPaths.program;
  const reached = new Set(reachedHosts(facts).map((host) => host.host));
  const gone = new Set(removals.map((one) => one.host));
  const controlPlanes = bootstrapFirst(
    hostsOf(cluster)
      .filter((host) => host.role === 'control-plane' && reached.has(host.name) && !gone.has(host.name))
      .map((host) => host.name),
    membership.bootstrap,
  );
  // a host that is replaced is left out of the lease and the asking until it's back
  const byFile = new Set(enrolledByFile(cluster));
  const settled = assessments.filter((one) => one.plan.state === 'unchanged' && !byFile.has(one.plan.host)).map((one) => one.plan.host);
  // followed in an order in which nobody waits for one that can't begin: control planes first
  const ordered = [...works].toSorted((a, b) => rank(a, membership) - rank(b, membership));
  const handed = waiting ? [] : ordered;
  const rollout = rolloutOf(handed, cluster.document.spec.rollout, hostsOf(cluster).filter((host) => host.role === 'worker').length);
  const upgraded = handed.filter(changesVersion);
  const roll = {settings: cluster.document.spec.rollout, controlPlanes, nodes: nodesIn(facts).length};
  const hooks = (name: 'beforeApply' | 'afterApply') =>
    handed.flatMap((work) => {
      const text = cluster.hostHooks[work.host.name]?.[name];
      return text === undefined ? [] : [hookStep(work, name, text)];
    });
  const phases: readonly Phase<HostClusterScope>[] = [
    {title: 'Get content', steps: works.some((work) => work.missing.length > 0) ? [fetchStep(works)] : []},
    {title: 'Check', steps: controlPlanes.length > 0 ? [leaseStep(cluster.document.metadata.name, controlPlanes)] : []},
    {
      title: "Make the cluster's secrets",
      steps: needsSecrets(handed)
        ? [
            secretsStep({
              controlPlanes: [...controlPlanes, ...leavingControlPlanes(removals)],
              maker: membership.started ? undefined : membership.bootstrap,
              clusterId: membership.id,
            }),
          ]
        : [],
    },
    ...leaving.before,
    {title: 'Run hooks', steps: hooks('beforeApply')},
    ...pushPhases(
      ordered.filter((work) => work.missing.length > 0 || work.install !== undefined),
      membership,
    ),
    {title: 'Start agents', steps: ordered.filter((work) => work.startsAgent).map((work) => agentStep(work, root))},
    {title: 'Set labels and taints', steps: handed.filter((work) => work.changesNode).map((work) => nodeStep(work, controlPlanes))},
    {title: 'Import images', steps: upgraded.map(prepareStep)},
    {title: 'Check what hosts have', steps: upgraded.length === 0 ? [] : [preparedGate(upgraded)]},
    {title: 'Hand over what is wanted', steps: rollout.together.filter((work) => work.handsOver).map(handOverStep)},
    {title: 'Converge', barrier: true, steps: rollout.together.map(convergeStep)},
    {title: 'Uncordon', steps: rollout.together.flatMap((work) => uncordonSteps(work, roll))},
    ...rolloutPhases(rollout, roll),
    ...gated(leaving.after, handed),
    {title: 'Run hooks afterwards', steps: hooks('afterApply')},
    {title: 'Check the cluster', steps: handed.length + removals.length > 0 ? [healthStep({controlPlanes, settled})] : []},
  ];
  return phases.filter((phase) => phase.steps.length > 0);
}

/** The host that starts the cluster gets the whole uplink first: all others wait for what it starts, and get theirs meanwhile. */
function pushPhases(works: readonly HostWork[], membership: Membership): readonly Phase<HostClusterScope>[] {
  const isFirst = (work: HostWork) => !membership.started && work.host.name === membership.bootstrap;
  const first = works.filter(isFirst);
  const others = works.filter((work) => !isFirst(work));
  return [
    {title: `Push content to ${membership.bootstrap ?? 'the first host'}`, steps: first.map(pushStep)},
    {title: 'Push content', concurrency: uploadWindow, barrier: first.length > 0, steps: others.map(pushStep)},
  ];
}

function enrolledByFile(cluster: DesiredCluster): readonly string[] {
  return hostsOf(cluster)
    .filter((host) => host.enrol === 'file')
    .map((host) => host.name);
}

/** The backup's keys where new ones would be made, and its data to the host that starts before it hears that it shall. */
function restoring(backup: OpenedBackup | undefined, membership: Membership, phases: readonly Phase<HostClusterScope>[]): readonly Phase<HostClusterScope>[] {
  const {bootstrap} = membership;
  if (backup === undefined || bootstrap === undefined) return phases;
  const bring: readonly Phase<HostClusterScope>[] = [{title: "Bring the backup's data", steps: [restoreDataStep(backup, bootstrap)]}];
  return phases.flatMap((phase) => {
    const isHandOver = phase.steps.some((step) => step.id === `wanted:${bootstrap}`);
    const steps = phase.steps.flatMap((step) => (step.id === 'secrets' ? [restoreSecretsStep(backup, bootstrap), step] : [step]));
    return [...(isHandOver ? bring : []), {...phase, steps}];
  });
}

/** Nobody leaves before those that came are there. */
function gated(phases: readonly Phase<HostClusterScope>[], works: readonly HostWork[]): readonly Phase<HostClusterScope>[] {
  const [first, ...rest] = phases;
  if (first === undefined || works.length === 0) return phases;
  const names = works.map((work) => work.host.name);
  return [
    {title: 'See that the others are well', steps: [gateStep({title: 'removals', before: names, needed: [], maxFailures: 0, again: 'trireme apply --resume'})]},
    first,
    ...rest,
  ];
}

/** They have the secrets, too, until they're gone. */
function leavingControlPlanes(removals: readonly Removal[]): readonly string[] {
  return removals.filter((one) => one.role === 'control-plane' && isReached(one.observation)).map((one) => one.host);
}

/** What the removals stand on. */
function removalBasis(facts: HostClusterFacts, removals: readonly Removal[]): Basis {
  if (removals.length === 0) return {};
  const members = facts.told?.etcdMembers?.map((member) => `${member.name}${member.healthy ? '' : ' (down)'}`);
  return {
    'removals.hosts': removals.map((one) => `${one.host}${isReached(one.observation) ? '' : ' (not reached)'}`),
    ...(members === undefined ? {} : {'etcd.members': members}),
  };
}

function needsSecrets(works: readonly HostWork[]): boolean {
  return works.some((work) => work.givesSecrets || work.wanted.cluster.id === '');
}

function bootstrapFirst(names: readonly string[], bootstrap: string | undefined): readonly string[] {
  return bootstrap !== undefined && names.includes(bootstrap) ? [bootstrap, ...names.filter((name) => name !== bootstrap)] : names;
}

function rank(work: HostWork, membership: Membership): number {
  if (work.host.name === membership.bootstrap) return 0;
  return work.host.role === 'control-plane' ? 1 : 2;
}

function warningsOf(cluster: DesiredCluster, facts: HostClusterFacts, removals: readonly Removal[], awaited: string | undefined): readonly Warning[] {
  const leaving = new Set(removals.map((one) => one.host));
  const foreign = nodesWithoutHost(cluster, facts).filter((node) => !leaving.has(node.name));
  const removed = foreign.map(({name, isOurs}): Warning => ({
    code: 'host.not-in-file',
    message: `${name} is a node of the cluster and isn't in the file: nothing is done to it.`,
    host: name,
    hints: [
      isOurs
        ? 'To take it out, apply without --limit.'
        : 'It says nothing of how it is reached, so it was made by hand or by an older version. If it is yours: put it into the file, apply, and take it out again.',
    ],
  }));
  const out = nodesIn(facts)
    .filter((node) => node.cordonedFor === maintainPurpose)
    .map((node): Warning => ({
      code: 'node.out-of-service',
      message: `${node.name} is cordoned for a maintenance that didn't come to its end; apply leaves it so.`,
      host: node.name,
      hints: ['Go on with it: trireme host maintain --resume -- COMMAND', `Or, when it's well: trireme machine uncordon ${node.name}`],
    }));
  const start: readonly Warning[] =
    awaited === undefined
      ? []
      : [
          {
            code: 'cluster.waits',
            message: `${awaited} starts the cluster and can't be reached: the others are prepared and wait for it.`,
            host: awaited,
            hints: [`Bring ${awaited} back, then: trireme apply`],
          },
        ];
  const nodes = new Set(
    reachedHosts(facts)
      .flatMap((host) => host.seen?.nodes ?? [])
      .map((node) => node.name),
  );
  const enrolled = enrolledByFile(cluster)
    .filter((host) => !nodes.has(host))
    .map((host): Warning => ({
      code: 'host.enrolled-by-file',
      message: `${host} is enrolled by a file and isn't a node of the cluster yet: nothing is done to it from here.`,
      host,
      hints: [`Make what it needs, once the cluster runs: trireme agent package --host ${host} --script ${host}.sh`],
    }));
  return [
    ...removed,
    ...out,
    ...start,
    ...enrolled,
    ...versionWarnings(cluster, facts),
    ...removedApiWarnings(facts.removedApis ?? [], cluster.document.spec.kubernetes.version),
  ];
}
