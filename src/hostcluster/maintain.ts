// Maintenance of hosts by a command of their person's: drained, the command run, rebooted where needed, and back, host after host. Pure.
import {digestOf} from '../kernel/digest.ts';
import {highestEffect} from '../plan/effect.ts';
import type {Change, HostPlan, Phase, Plan, Step} from '../plan/plan.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import type {AgentHost} from '../spec/schema.ts';
import {isReached, type HostClusterFacts} from './facts.ts';
import {isSimulated, requireControlPlanes} from './node-verbs.ts';
import {gateStep, windowOf} from './rollout.ts';
import type {HostClusterScope} from './scope.ts';
import {cordonStep, drainStep, maintainPurpose, uncordonStep} from './steps/drain-step.ts';
import {leaseStep} from './steps/lease-step.ts';
import {backStep, commandStep, rebootStep, type Maintenance, type MaintenanceRecord} from './steps/maintain-step.ts';
import {drainDeadline, hostsOf, nodesIn, observationOf} from './wanted.ts';

export interface MaintainOptions extends Pick<Maintenance, 'script' | 'shown' | 'reboot'> {
  /** The hosts that the run is about. */
  readonly hosts: readonly string[];
  /** ISO 8601: when the run began, or the one that it goes on with: what was done since is done. */
  readonly since: string;
  readonly resumes: boolean;
  /** What each host notes of its last maintenance. */
  readonly records: Readonly<Record<string, MaintenanceRecord | undefined>>;
  /** How to go on after a failure. */
  readonly again: string;
}

/** The plan. Throws what `requireControlPlanes` throws. */
export function planMaintain(cluster: DesiredCluster, facts: HostClusterFacts, options: MaintainOptions): Plan<HostClusterScope> {
  const controlPlanes = requireControlPlanes(cluster, facts);
  const hosts = hostsOf(cluster).filter((host) => options.hosts.includes(host.name));
  const plans = hosts.map((host) => hostPlan(facts, host, options));
  const active = hosts.filter((_, index) => plans[index]?.state === 'changed');
  return {
    operation: 'maintain',
    subject: cluster.document.metadata.name,
    mode: cluster.document.spec.mode,
    simulated: isSimulated(cluster, facts),
    hosts: plans,
    phases: active.length === 0 ? [] : phasesOf(cluster, facts, {active, controlPlanes, options}),
    basis: {script: digestOf(options.script), hosts: Object.fromEntries(plans.map((plan) => [plan.host, plan.state]))},
    warnings: [],
  };
}

function hostPlan(facts: HostClusterFacts, host: AgentHost, options: MaintainOptions): HostPlan {
  const observation = observationOf(facts, host.name);
  const plain = {host: host.name, role: host.role, effect: 'none' as const, changes: []};
  if (observation === undefined || !isReached(observation)) {
    const problem = observation?.problem;
    return {...plain, state: 'unreachable', reason: problem?.message ?? `Nothing was seen of ${host.name}.`, ...(problem === undefined ? {} : {problem})};
  }
  if (isDone(facts, host, options)) return {...plain, state: 'unchanged'};
  const changes: readonly Change[] = [
    {path: 'maintenance', to: options.shown, effect: 'drain', why: 'this runs on the host as root'},
    ...(options.reboot === 'never' ? [] : [{path: 'reboot', to: options.reboot === 'always' ? 'yes' : 'when the host asks for it', effect: 'reboot' as const}]),
  ];
  return {...plain, state: 'changed', effect: highestEffect(changes.map((change) => change.effect)), changes};
}

/** Maintained in this run or the one that it goes on with, rebooted where it had to be, and back. */
function isDone(facts: HostClusterFacts, host: AgentHost, options: MaintainOptions): boolean {
  const record = options.records[host.name];
  if (!options.resumes || record === undefined) return false;
  const isOut = nodesIn(facts).some((node) => node.name === host.name && node.cordonedFor === maintainPurpose);
  return record.command === digestOf(options.script) && record.at >= options.since && record.finished === true && !isOut;
}

interface Work {
  readonly active: readonly AgentHost[];
  readonly controlPlanes: readonly string[];
  readonly options: MaintainOptions;
}

function phasesOf(cluster: DesiredCluster, facts: HostClusterFacts, {active, controlPlanes, options}: Work): readonly Phase<HostClusterScope>[] {
  const {rollout} = cluster.document.spec;
  const workers = hostsOf(cluster).filter((host) => host.role === 'worker').length;
  const steps = (host: AgentHost): readonly Step<HostClusterScope>[] => {
    const observation = observationOf(facts, host.name);
    const simulated = observation !== undefined && isReached(observation) && observation.simulated;
    const node = {
      host: host.name,
      node: host.name,
      controlPlanes: [...controlPlanes.filter((one) => one !== host.name), ...controlPlanes.filter((one) => one === host.name)],
    };
    const work: Maintenance = {
      ...node,
      role: host.role,
      simulated,
      script: options.script,
      shown: options.shown,
      reboot: options.reboot,
      since: options.since,
      resumes: options.resumes,
    };
    const drain = {force: false, deleteEmptyDirData: true, deadline: drainDeadline(rollout)};
    const isOnly = nodesIn(facts).length < 2;
    return [
      ...(isOnly ? [] : [cordonStep({...node, purpose: maintainPurpose}), drainStep({...node, drain})]),
      commandStep(work),
      rebootStep(work),
      backStep(work),
      ...(isOnly ? [] : [uncordonStep({...node, purpose: maintainPurpose})]),
    ];
  };
  const parts = [
    {title: 'control planes', hosts: active.filter((host) => host.role === 'control-plane'), window: 1},
    {title: 'workers', hosts: active.filter((host) => host.role === 'worker'), window: windowOf(rollout.maxUnavailable, workers)},
  ].filter((part) => part.hosts.length > 0);
  const {maxFailures} = rollout;
  return [
    {title: 'Check', steps: [leaseStep(cluster.document.metadata.name, controlPlanes)]},
    ...parts.map(({title, hosts, window}, index): Phase<HostClusterScope> => {
      const before = parts.slice(0, index).flatMap((part) => part.hosts.map((host) => host.name));
      const gate = index === 0 ? [] : [gateStep({title, before, needed: [], maxFailures, again: options.again})];
      return {title: `Maintain ${title}`, barrier: true, window, maxFailures, steps: [...gate, ...hosts.flatMap(steps)]};
    }),
  ];
}
