// From one version of Kubernetes to another. The rules are those of Cluster API's own webhook (v1.14, core/webhooks/admission/cluster.go), looked at
// before anything is written, and Kubernetes' skew policy.
import {numberAt, textAt, valueAt} from '../../../kube/object.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import type {HostPlan, Phase, Plan, Step, Warning} from '../../../plan/plan.ts';
import {compareVersions, parseVersion, upgradeProblem} from '../../../spec/versions.ts';
import type {Intent} from '../../mode.ts';
import type {ControllerScope} from '../scope.ts';
import {fieldStep} from './field-step.ts';
import {lookAtCluster, versionOfCluster, type LiveCluster, type LivePool} from './live.ts';
import {controlPlaneHost, controlPlaneProgress, machinesOf, poolProgress, runningVersions} from './progress.ts';
import {upgradeChain} from './upgrade-chain.ts';
import {changedHost, pausedWarning, refuse, requireAlive, verbPlan, type VerbOptions} from './verb-plan.ts';
import {SharedLook, waitStep, type Progress} from './wait-step.ts';

export type UpgradeIntent = Extract<Intent, {verb: 'upgrade'}>;

const anyVersionAllowed = 'unsafe.topology.cluster.x-k8s.io/disable-update-version-check';
const pendingHooks = 'runtime.cluster.x-k8s.io/pending-hooks';
const upgradeConcurrency = 'topology.cluster.x-k8s.io/upgrade-concurrency';
const deferUpgrade = 'topology.cluster.x-k8s.io/defer-upgrade';
const followTitle = 'Follow the upgrade';
const holdUpgrade = 'topology.cluster.x-k8s.io/hold-upgrade-sequence';

/** Sets the version on the live objects. Throws `plan.refused` with the rule that speaks against it in `details.rule`. */
export function planUpgrade(live: LiveCluster, {to}: UpgradeIntent, options: VerbOptions): Plan<ControllerScope> {
  requireAlive(live, 'upgrade');
  const from = requireVersions(live, to);
  const look = new SharedLook((scope, signal) => lookAtCluster(scope, live.name, {signal}));
  if (from === to) {
    // it is wanted already: all that can be done is to follow it
    const hosts = [controlPlaneHost, ...upgradedPools(live).map((pool) => pool.name)].map((host) =>
      changedHost(host, host === controlPlaneHost ? 'control plane' : 'pool', []),
    );
    return verbPlan(live, {
      operation: 'upgrade',
      hosts,
      phases: options.wait ? [{title: followTitle, steps: waitsFor(live, to, look)}] : [],
      basis: {version: from},
    });
  }
  const chain = requireUpgrade(live, from, to);
  const warnings = [...pausedWarning(live), ...stepWarnings(live)];
  return verbPlan(live, {
    operation: 'upgrade',
    hosts: hostsOf(live, to, chain),
    phases: live.hasTopology ? topologyPhases(live, from, to, look, options) : objectPhases(live, to, look, options),
    basis: {version: from, chain},
    warnings,
  });
}

function requireVersions(live: LiveCluster, to: string): string {
  const from = versionOfCluster(live);
  if (parseVersion(to) === undefined) throw new TriremeError('usage.invalid', `--to takes a version such as v1.36.3, not ${to}.`);
  if (from === undefined || parseVersion(from) === undefined)
    throw refuse(`${live.name} doesn't say which version of Kubernetes it has: there is nothing to go on from.`);
  return from;
}

/** Everything that the server would refuse, and why, before it is asked. Returns the versions on the way, the last is `to`. */
export function requireUpgrade(live: LiveCluster, from: string, to: string): readonly string[] {
  if (live.cluster.metadata.annotations?.[anyVersionAllowed] !== undefined) return [to];
  const problem = upgradeProblem(from, to);
  if (problem !== undefined && problem.rule !== 'version.minor-skipped') throw refuse(problem.message, [], {rule: problem.rule});
  requireNothingUnderway(live, from);
  return upgradeChain({
    from,
    to,
    skipped: problem,
    ...(live.clusterClass === undefined ? {} : {clusterClass: live.clusterClass}),
    hasTopology: live.hasTopology,
  });
}

function requireNothingUnderway(live: LiveCluster, from: string): void {
  const underway = upgradesUnderway(live, from);
  if (underway.length === 0) return;
  throw refuse(
    `${live.name} can't be upgraded now, because an earlier change of its version isn't done:\n  ${underway.join('\n  ')}`,
    [`Wait until it is: trireme status ${live.name} --wait`, `Look: trireme cluster describe ${live.name}`],
    {rule: 'version.upgrade-underway', underway},
  );
}

/** What isn't at the version yet that the cluster shall have, a sentence each. */
export function upgradesUnderway(live: LiveCluster, from: string): readonly string[] {
  const found: string[] = [];
  if (live.hasTopology && (live.cluster.metadata.annotations?.[pendingHooks] ?? '').split(',').includes('AfterClusterUpgrade'))
    found.push('the hook AfterClusterUpgrade still blocks');
  const plane = live.controlPlane?.object;
  if (plane === undefined) found.push('the control plane has no object yet');
  else {
    const wanted = textAt(plane, 'spec', 'version');
    const running = runningVersions(plane);
    if (wanted !== from) found.push(`the control plane is wanted at ${wanted ?? 'no version'}, not yet at ${from}`);
    else if (running.length === 0) found.push('the control plane is being made for the first time');
    else if (running.some((version) => isOlder(version, from))) found.push(`the control plane still has ${running.filter((one) => one !== from).join(', ')}`);
  }
  for (const pool of live.pools.filter((one) => one.object !== undefined && one.inTopology === live.hasTopology)) {
    const wanted = textAt(pool.object, 'spec', 'template', 'spec', 'version');
    const old = machinesOf(live, pool).filter((machine) => {
      const kubelet = textAt(machine, 'status', 'nodeInfo', 'kubeletVersion') ?? '';
      return textAt(machine, 'spec', 'version') !== wanted || (kubelet !== '' && kubelet !== wanted);
    });
    if (wanted !== from) found.push(`the pool ${pool.name} is wanted at ${wanted ?? 'no version'}, not yet at ${from}`);
    else if (old.length > 0) found.push(`${old.length} of ${machinesOf(live, pool).length} machines of the pool ${pool.name} aren't at ${wanted} yet`);
  }
  return found;
}

function isOlder(version: string, than: string): boolean {
  const [a, b] = [parseVersion(version), parseVersion(than)];
  return a !== undefined && b !== undefined && compareVersions(a, b) < 0;
}

/** The control plane first, then the pools in their order: what each costs. */
function hostsOf(live: LiveCluster, to: string, chain: readonly string[]): readonly HostPlan[] {
  const steps = chain.length > 1 ? `${chain.join(', then ')}, ` : '';
  const line = (host: string, role: string, from: string | undefined, count: number, order: string): HostPlan =>
    changedHost(
      host,
      role,
      from === to
        ? []
        : [
            {
              path: 'version',
              ...(from === undefined ? {} : {from}),
              to,
              effect: 'replace',
              why: `${steps}${order}, ${count} ${count === 1 ? 'machine' : 'machines'} replaced`,
            },
          ],
    );
  const plane = live.controlPlane?.object;
  const pools = upgradedPools(live);
  return [
    line(controlPlaneHost, 'control plane', textAt(plane, 'spec', 'version'), numberAt(plane, 'spec', 'replicas') ?? 0, 'first'),
    ...pools.map((pool, index) =>
      line(pool.name, 'pool', textAt(pool.object, 'spec', 'template', 'spec', 'version'), pool.replicas ?? 0, orderOf(live, index)),
    ),
  ];
}

function orderOf(live: LiveCluster, index: number): string {
  const together = Number(live.cluster.metadata.annotations?.[upgradeConcurrency] ?? '1');
  if (!live.hasTopology || !(together > 1)) return index === 0 ? 'then' : `after ${index} other ${index === 1 ? 'pool' : 'pools'}`;
  return `then, up to ${together} pools together`;
}

function upgradedPools(live: LiveCluster): readonly LivePool[] {
  return live.pools.filter((pool) => pool.object !== undefined && pool.inTopology === live.hasTopology);
}

/** Pools that somebody keeps back. */
function stepWarnings(live: LiveCluster): readonly Warning[] {
  const warnings: Warning[] = [];
  for (const pool of live.pools) {
    const annotations = pool.object?.metadata.annotations ?? {};
    if (annotations[deferUpgrade] !== undefined)
      warnings.push({
        code: 'pool.upgrade-deferred',
        message: `The pool ${pool.name} defers its upgrade (annotation ${deferUpgrade}): it, and all after it, keep their version until that is gone.`,
      });
    if (annotations[holdUpgrade] !== undefined)
      warnings.push({
        code: 'pool.upgrade-held',
        message: `The pool ${pool.name} holds the upgrade (annotation ${holdUpgrade}): it, and all after it, wait until that is gone.`,
      });
  }
  if (live.hasTopology) return warnings;
  return [
    ...warnings,
    {
      code: 'upgrade.images',
      message: `${live.name} has no topology: its machine templates stay as they are, and the new machines boot the image that these name.`,
      hints: ['Images that carry Kubernetes need new templates: describe the cluster in a file, and trireme apply makes them'],
    },
  ];
}

function topologyPhases(live: LiveCluster, from: string, to: string, look: SharedLook<LiveCluster>, options: VerbOptions): readonly Phase<ControllerScope>[] {
  const set = fieldStep({
    id: 'upgrade/version',
    title: `Set the version ${to}`,
    effect: 'replace',
    resource: live.resource,
    key: {namespace: live.namespace, name: live.name},
    changes: [{path: ['spec', 'topology', 'version'], from, to}],
    done: `${to} wanted, before ${from}`,
  });
  return [
    {title: 'Want the new version', steps: [set]},
    {title: followTitle, steps: options.wait ? waitsFor(live, to, look) : []},
  ];
}

function waitsFor(live: LiveCluster, to: string, look: SharedLook<LiveCluster>): readonly Step<ControllerScope>[] {
  return [
    waitControlPlane(to, look),
    ...upgradedPools(live).map((pool) => waitPool(pool.name, to, look)),
    ...(live.hasTopology ? [waitTopology(live, look)] : []),
  ];
}

/** One after the other, because nothing but us keeps the order: a kubelet must never be newer than the API server. */
function objectPhases(live: LiveCluster, to: string, look: SharedLook<LiveCluster>, options: VerbOptions): readonly Phase<ControllerScope>[] {
  const plane = live.controlPlane;
  if (plane === undefined) throw refuse(`${live.name} has no control plane object to upgrade.`);
  const version = textAt(plane.object, 'spec', 'version');
  const key = (name: string) => ({namespace: live.namespace, name});
  const setPlane = fieldStep({
    id: 'upgrade/control-plane',
    title: `Set the version ${to}`,
    host: controlPlaneHost,
    effect: 'replace',
    resource: plane.resource,
    key: key(plane.object.metadata.name),
    changes: [{path: ['spec', 'version'], ...(version === undefined ? {} : {from: version}), to}],
    done: `${to} wanted`,
  });
  const pools = upgradedPools(live).flatMap((pool): readonly Phase<ControllerScope>[] => {
    if (pool.object === undefined || pool.resource === undefined) return [];
    const path = ['spec', 'template', 'spec', 'version'];
    const before = valueAt(pool.object, ...path);
    const set = fieldStep({
      id: `upgrade/${pool.name}`,
      title: `Set the version ${to}`,
      host: pool.name,
      effect: 'replace',
      resource: pool.resource,
      key: key(pool.object.metadata.name),
      changes: [{path, ...(before === undefined ? {} : {from: before}), to}],
      done: `${to} wanted`,
    });
    return [{title: `Upgrade the pool ${pool.name}`, barrier: true, steps: [set, ...(options.wait ? [waitPool(pool.name, to, look)] : [])]}];
  });
  return [{title: 'Upgrade the control plane', steps: [setPlane, waitControlPlane(to, look)]}, ...pools];
}

function waitControlPlane(to: string, look: SharedLook<LiveCluster>): Step<ControllerScope> {
  return waitStep({
    id: 'wait/control-plane',
    title: `Wait for the control plane at ${to}`,
    host: controlPlaneHost,
    subject: controlPlaneHost,
    condition: 'UpToDate',
    look: async (scope, signal) => controlPlaneProgress(await look.now(scope, signal), {version: to}),
  });
}

function waitPool(name: string, to: string, look: SharedLook<LiveCluster>): Step<ControllerScope> {
  return waitStep({
    id: `wait/${name}`,
    title: `Wait for the pool at ${to}`,
    host: name,
    subject: name,
    condition: 'UpToDate',
    look: async (scope, signal) => poolProgress(await look.now(scope, signal), name, {version: to}),
  });
}

/** Cluster API's own word that the whole cluster is what its topology says. */
function waitTopology(live: LiveCluster, look: SharedLook<LiveCluster>): Step<ControllerScope> {
  return waitStep({
    id: 'wait/topology',
    title: 'Wait for the topology',
    subject: live.name,
    condition: 'TopologyReconciled',
    look: async (scope, signal) => topologyProgress(await look.now(scope, signal)),
  });
}

export function topologyProgress({cluster}: Pick<LiveCluster, 'cluster'>): Progress {
  const conditions = valueAt(cluster, 'status', 'conditions');
  const list = Array.isArray(conditions) ? (conditions as readonly unknown[]) : [];
  const condition = list.find((one) => textAt(one, 'type') === 'TopologyReconciled');
  const isSeen = (numberAt(condition, 'observedGeneration') ?? 0) >= (cluster.metadata.generation ?? 0);
  if (textAt(condition, 'status') === 'True' && isSeen) return {done: true, text: 'the topology is reconciled'};
  const message = textAt(condition, 'message') ?? '';
  return {done: false, text: `${textAt(condition, 'reason') ?? 'not reconciled yet'}${message === '' ? '' : `: ${message.replaceAll('\n', ' ')}`}`};
}
