// How far a pool or a control plane is on its way to what is wanted. Pure.
import {conditionsOf} from '../observe/conditions.ts';
import {listAt, numberAt, textAt, type KubeObject} from '../../../kube/object.ts';
import {isControlPlaneMachine, poolOfMachine, type LiveCluster, type LivePool} from './live.ts';
import type {Progress} from './wait-step.ts';

/** The name under which a plan lists the control plane. */
export const controlPlaneHost = 'control-plane';

interface Wanted {
  readonly replicas?: number;
  readonly version?: string;
  /** ISO 8601: machines must be younger. */
  readonly newerThan?: string;
}

/** The control plane: as many machines as wanted, all available and as its object wants them. */
export function controlPlaneProgress(live: LiveCluster, wanted: Wanted = {}): Progress {
  const object = live.controlPlane?.object;
  if (object === undefined) return {done: false, text: 'the control plane has no object yet'};
  const version = textAt(object, 'spec', 'version');
  return groupProgress({object, version, machines: live.machines.filter(isControlPlaneMachine)}, wanted);
}

/** A pool, by the name that the plan has for it. */
export function poolProgress(live: LiveCluster, name: string, wanted: Wanted = {}): Progress {
  const pool = live.pools.find((one) => one.name === name);
  if (pool?.object === undefined) return {done: false, text: 'the pool has no object yet'};
  const version = textAt(pool.object, 'spec', 'template', 'spec', 'version');
  return groupProgress({object: pool.object, version, machines: machinesOf(live, pool)}, wanted);
}

export function machinesOf(live: LiveCluster, pool: LivePool): readonly KubeObject[] {
  return live.machines.filter((machine) => poolOfMachine(live, machine)?.name === pool.name);
}

interface Group {
  readonly object: KubeObject;
  readonly version: string | undefined;
  readonly machines: readonly KubeObject[];
}

function groupProgress({object, version, machines}: Group, wanted: Wanted): Progress {
  const replicas = numberAt(object, 'spec', 'replicas');
  const target = wanted.replicas ?? replicas;
  const blockedBy = blockers(object);
  const more = blockedBy.length === 0 ? {} : {blockedBy};
  if (wanted.replicas !== undefined && replicas !== wanted.replicas)
    return {done: false, text: `${replicas ?? 0} wanted by its object yet, not ${wanted.replicas}`, ...more};
  if (wanted.version !== undefined && version !== wanted.version) return {done: false, text: `its object still wants ${version ?? 'no version'}`, ...more};
  const count = (field: string) => numberAt(object, 'status', field) ?? 0;
  const current = Math.max(count('replicas'), machines.length);
  const available = count('availableReplicas');
  // objects of v1beta1 have an older name for it
  const upToDate = numberAt(object, 'status', 'upToDateReplicas') ?? numberAt(object, 'status', 'updatedReplicas') ?? 0;
  const text = `${available}/${target ?? current} available, ${upToDate} up to date${target !== undefined && current > target ? `, ${current - target} still to go` : ''}`;
  const isSeen = (numberAt(object, 'status', 'observedGeneration') ?? 0) >= (object.metadata.generation ?? 0);
  if (!isSeen) return {done: false, text: `${text} (its controller hasn't looked yet)`, ...more};
  const isFull = target === undefined || (current === target && available === target && upToDate === target);
  if (!isFull) return {done: false, text, ...more};
  const old = machines.filter((machine) => isOld(machine, wanted));
  if (old.length > 0) return {done: false, text: `${machines.length - old.length}/${machines.length} ${wanted.version ?? 'new'}`, ...more};
  return {done: true, text: wanted.version === undefined ? text : `${text}, all ${wanted.version}`};
}

/** By what the machine is, not by what its owner counts: the counts may be a moment late. */
function isOld(machine: KubeObject, {version, newerThan}: Wanted): boolean {
  const kubelet = textAt(machine, 'status', 'nodeInfo', 'kubeletVersion');
  if (version !== undefined && (textAt(machine, 'spec', 'version') !== version || (kubelet !== undefined && kubelet !== version))) return true;
  return newerThan !== undefined && Date.parse(machine.metadata.creationTimestamp ?? '') < Date.parse(newerThan);
}

/** What keeps it, as its own conditions say. */
function blockers(object: KubeObject): readonly string[] {
  return conditionsOf(object).flatMap(({type, message = ''}) =>
    (type === 'ScalingUp' || type === 'ScalingDown' || type === 'RollingOut') && /\bblocked\b|\bfailed\b|\berror\b/i.test(message) ? [oneLine(message)] : [],
  );
}

/** Cluster API writes the reasons as a list below the first line. */
function oneLine(message: string): string {
  const [first = '', ...rest] = message
    .split('\n')
    .map((line) => line.trim().replace(/^\* /, ''))
    .filter((line) => line !== '');
  return `${first} ${rest.join('; ')}`.trim().slice(0, 300);
}

/** Versions that a control plane's machines have, as its status tells. */
export function runningVersions(object: KubeObject): readonly string[] {
  const versions = listAt(object, 'status', 'versions').flatMap((one) => textAt(one, 'version') ?? []);
  const single = textAt(object, 'status', 'version');
  return versions.length > 0 ? versions : single === undefined || single === '' ? [] : [single];
}
