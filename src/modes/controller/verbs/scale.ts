// How many machines a control plane and pools have.
import {numberAt, valueAt} from '../../../kube/object.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import {nearest} from '../../../kernel/nearest.ts';
import type {Effect} from '../../../kernel/event.ts';
import type {HostPlan, Plan, Step, Warning} from '../../../plan/plan.ts';
import type {Intent} from '../../mode.ts';
import type {ControllerScope} from '../scope.ts';
import {fieldStep, type FieldPath} from './field-step.ts';
import {lookAtCluster, type LiveCluster, type LivePool} from './live.ts';
import {controlPlaneHost, controlPlaneProgress, poolProgress} from './progress.ts';
import {changedHost, pausedWarning, refuse, requireAlive, verbPlan, type VerbOptions} from './verb-plan.ts';
import {SharedLook, waitStep} from './wait-step.ts';

export type ScaleIntent = Extract<Intent, {verb: 'scale'}>;

interface Scaled {
  readonly host: string;
  readonly role: string;
  readonly from: number | undefined;
  readonly to: number;
  readonly step: Step<ControllerScope>;
}

/** Sets the numbers on the live objects. Throws `plan.refused`, `pool.not-found`. */
export function planScale(live: LiveCluster, intent: ScaleIntent, options: VerbOptions): Plan<ControllerScope> {
  requireAlive(live, 'scale');
  const warnings: Warning[] = [...pausedWarning(live)];
  const scaled: Scaled[] = [];
  if (intent.controlPlane !== undefined) scaled.push(scaleControlPlane(live, intent.controlPlane));
  for (const [name, to] of Object.entries(intent.pools)) {
    const pool = requirePool(live, name);
    if (pool.autoscaled !== undefined)
      warnings.push({code: 'pool.autoscaled', message: `The size of ${pool.name} is kept by ${pool.autoscaled}: it may set another one right after.`});
    scaled.push(scalePool(live, pool, to));
  }
  const changed = scaled.filter((one) => one.from !== one.to);
  const look = new SharedLook((scope, signal) => lookAtCluster(scope, live.name, {signal}));
  return verbPlan(live, {
    operation: 'scale',
    hosts: scaled.map(hostOf),
    // one after the other: with a topology all of them patch one object
    phases: [
      {title: 'Set the number of machines', steps: changed.map((one) => one.step), concurrency: 1},
      {title: 'Wait for the machines', steps: options.wait ? scaled.map((one) => waitFor(one, look)) : []},
    ],
    basis: Object.fromEntries(scaled.map((one) => [`replicas.${one.host}`, one.from ?? null])),
    warnings,
  });
}

function hostOf({host, role, from, to}: Scaled): HostPlan {
  const isLess = from !== undefined && to < from;
  const effect: Effect = isLess ? 'drain' : 'none';
  const why = isLess ? `${from - to} drained and deleted` : `${to - (from ?? 0)} made`;
  return changedHost(host, role, from === to ? [] : [{path: 'replicas', ...(from === undefined ? {} : {from}), to, effect, why}]);
}

function waitFor({host, to}: Scaled, look: SharedLook<LiveCluster>): Step<ControllerScope> {
  return waitStep({
    id: `wait/${host}`,
    title: `Wait for ${to} available`,
    host,
    subject: host,
    condition: 'Available',
    look: async (scope, signal) => {
      const now = await look.now(scope, signal);
      return host === controlPlaneHost ? controlPlaneProgress(now, {replicas: to}) : poolProgress(now, host, {replicas: to});
    },
  });
}

function scaleControlPlane(live: LiveCluster, to: number): Scaled {
  const object = live.controlPlane?.object;
  requireControlPlaneSize(live.name, to, valueAt(object, 'spec', 'kubeadmConfigSpec', 'clusterConfiguration', 'etcd', 'external') !== undefined);
  const from = numberAt(live.cluster, 'spec', 'topology', 'controlPlane', 'replicas') ?? numberAt(object, 'spec', 'replicas');
  if (from === undefined)
    throw refuse(`The control plane of ${live.name} has no number of machines to change: its provider decides on it.`, [], {
      kind: live.controlPlane?.resource.kind,
    });
  const own = live.controlPlane;
  if (!live.hasTopology && own === undefined) throw refuse(`${live.name} has no control plane object to scale.`);
  const step =
    live.hasTopology || own === undefined
      ? topologyStep(live, ['spec', 'topology', 'controlPlane', 'replicas'], {host: controlPlaneHost, from, to})
      : fieldStep({
          ...stepBase(controlPlaneHost, from, to),
          resource: own.resource,
          key: {namespace: live.namespace, name: own.object.metadata.name},
          changes: [{path: ['spec', 'replicas'], from, to}],
        });
  return {host: controlPlaneHost, role: 'control plane', from, to, step};
}

/** Throws `plan.refused` for a size that etcd can't be run with; pure, so that files are checked by it, too. */
export function requireControlPlaneSize(cluster: string, to: number, hasExternalEtcd: boolean): void {
  if (to < 1) throw refuse(`A control plane of ${to} would end ${cluster}.`, [`To delete it: trireme cluster delete ${cluster}`]);
  if (to % 2 === 0 && !hasExternalEtcd)
    throw refuse(`A control plane of ${to} is refused: of an even number, etcd survives no more failures than of one less, and has more that can fail.`, [
      `Choose an odd number: --control-plane ${to - 1} or ${to + 1}`,
    ]);
}

/** The pool of this name, in the topology or of the object. Throws `pool.not-found`, naming those that are there. */
export function requirePool(live: Pick<LiveCluster, 'name' | 'pools'>, name: string): LivePool {
  const found = live.pools.find((pool) => pool.name === name) ?? live.pools.find((pool) => pool.object?.metadata.name === name);
  if (found !== undefined) return found;
  throw poolNotFound(
    live.name,
    name,
    live.pools.map((pool) => pool.name),
  );
}

export function poolNotFound(cluster: string, name: string, names: readonly string[]): TriremeError {
  const meant = nearest(name, names);
  return new TriremeError('pool.not-found', `${cluster} has no pool ${name}; it has ${names.length === 0 ? 'none' : names.join(', ')}.`, {
    hints: meant === undefined ? [] : [`Did you mean ${meant}?`],
  });
}

function scalePool(live: LiveCluster, pool: LivePool, to: number): Scaled {
  const from = pool.replicas;
  const base = {host: pool.name, role: 'pool', from, to};
  if (pool.inTopology) return {...base, step: topologyStep(live, [...poolPath(pool), 'replicas'], {host: pool.name, from, to})};
  if (pool.object === undefined || pool.resource === undefined) throw refuse(`The pool ${pool.name} has no object to scale.`);
  const step = fieldStep({
    ...stepBase(pool.name, from, to),
    resource: pool.resource,
    key: {namespace: live.namespace, name: pool.object.metadata.name},
    changes: [{path: ['spec', 'replicas'], ...(from === undefined ? {} : {from}), to}],
  });
  return {...base, step};
}

/** Where the topology keeps a pool. */
export function poolPath(pool: Pick<LivePool, 'name' | 'kind'>): FieldPath {
  return ['spec', 'topology', 'workers', pool.kind === 'MachineDeployment' ? 'machineDeployments' : 'machinePools', {named: pool.name}];
}

/** With a topology the numbers are the Cluster's: what is set on the pool's own object is taken back. */
function topologyStep(live: LiveCluster, path: FieldPath, parts: {readonly host: string; readonly from: number | undefined; readonly to: number}) {
  // a pool's number that the topology doesn't hold is what its object has: the patch must not test for it
  const held = parts.host === controlPlaneHost ? numberAt(live.cluster, 'spec', 'topology', 'controlPlane', 'replicas') : topologyReplicas(live, parts.host);
  return fieldStep({
    ...stepBase(parts.host, parts.from, parts.to),
    resource: live.resource,
    key: {namespace: live.namespace, name: live.name},
    changes: [{path, ...(held === undefined ? {} : {from: held}), to: parts.to}],
  });
}

function topologyReplicas(live: LiveCluster, name: string): number | undefined {
  const workers = ['machineDeployments', 'machinePools'].flatMap((field) => {
    const list = valueAt(live.cluster, 'spec', 'topology', 'workers', field);
    return Array.isArray(list) ? (list as readonly unknown[]) : [];
  });
  return numberAt(
    workers.find((one) => valueAt(one, 'name') === name),
    'replicas',
  );
}

function stepBase(host: string, from: number | undefined, to: number) {
  return {
    id: `scale/${host}`,
    title: `Scale to ${to}`,
    host,
    effect: from !== undefined && to < from ? ('drain' as const) : ('none' as const),
    done: from === undefined ? `${to} wanted` : `${to} wanted, before ${from}`,
  };
}
