// One machine: remediated, deleted with its place, or replaced. Who owns it makes the new one.
import {fitsSelector, type LabelSelector} from '../../../kube/label-selector.ts';
import {numberAt, textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import {nearest} from '../../../kernel/nearest.ts';
import type {Plan, Step, Warning} from '../../../plan/plan.ts';
import {conditionsOf} from '../observe/conditions.ts';
import type {ControllerScope} from '../scope.ts';
import {fieldStep} from './field-step.ts';
import {isControlPlaneMachine, lookAtCluster, poolOfMachine, type LiveCluster, type LivePool} from './live.ts';
import {deleteStep} from './object-step.ts';
import {controlPlaneProgress, poolProgress} from './progress.ts';
import {planScale} from './scale.ts';
import {changedHost, pausedWarning, refuse, requireAlive, verbPlan, type VerbOptions} from './verb-plan.ts';
import {waitStep} from './wait-step.ts';

export const remediateAnnotation = 'cluster.x-k8s.io/remediate-machine';
export const deleteAnnotation = 'cluster.x-k8s.io/delete-machine';
const skipRemediation = 'cluster.x-k8s.io/skip-remediation';

/** The machine by its own name, or by its node's. Throws `machine.not-found`. */
export function requireMachine(live: Pick<LiveCluster, 'name' | 'machines'>, name: string): KubeObject {
  const found = live.machines.find((one) => one.metadata.name === name) ?? live.machines.find((one) => textAt(one, 'status', 'nodeRef', 'name') === name);
  if (found !== undefined) return found;
  const names = live.machines.map((one) => one.metadata.name);
  const meant = nearest(name, names);
  throw new TriremeError('machine.not-found', `${live.name} has no machine ${name}.`, {
    hints: [...(meant === undefined ? [] : [`Did you mean ${meant}?`]), `Its machines: trireme machine list ${live.name}`],
  });
}

/** Marks the machine as sick; its health check then has its owner replace it. Throws `plan.refused` where nobody would. */
export function planRemediate(live: LiveCluster, name: string, options: VerbOptions): Plan<ControllerScope> {
  requireAlive(live, 'remediate');
  const machine = requireMachine(live, name);
  const {annotations = {}} = machine.metadata;
  requireOwner(live, machine);
  // not the machine's condition: on a machine that has only just been made its check hasn't written one yet
  if (!live.healthChecks.some(({object}) => looksAfter(object, machine)))
    throw refuse(`No health check looks after ${machine.metadata.name}: marked as sick, it would stay as it is.`, [
      `Have its owner make a new one: trireme machine replace ${machine.metadata.name}`,
      'Or add a MachineHealthCheck (healthCheck in the class)',
    ]);
  if (annotations[skipRemediation] !== undefined)
    throw refuse(`${machine.metadata.name} is kept from remediation by the annotation ${skipRemediation}.`, ['Take the annotation away first']);
  const mark = annotate(live, machine, remediateAnnotation, 'Mark the machine as sick');
  return verbPlan(live, {
    operation: 'remediate',
    hosts: [machineHost(machine, 'remediated: drained, deleted, and made anew by its owner')],
    phases: [
      {title: 'Mark', steps: [mark]},
      {title: 'Wait for the new machine', steps: options.wait ? [waitReplaced(live, machine)] : []},
    ],
    basis: {machine: machine.metadata.uid ?? null},
    warnings: pausedWarning(live),
  });
}

/** Whether a MachineHealthCheck is for this machine. One that selects everything selects nothing, as its controller has it. */
function looksAfter(check: KubeObject, machine: KubeObject): boolean {
  const selector: LabelSelector = valueAt(check, 'spec', 'selector') ?? {};
  const isEmpty = Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0;
  return !isEmpty && fitsSelector(selector, machine.metadata.labels ?? {});
}

/** Deletes the Machine object, so that its owner makes a new one. Throws `plan.refused` where that would end the cluster. */
export function planReplace(live: LiveCluster, name: string, options: VerbOptions): Plan<ControllerScope> {
  requireAlive(live, 'replace');
  const machine = requireMachine(live, name);
  requireOwner(live, machine);
  if (isControlPlaneMachine(machine)) requireQuorumWithout(live, machine);
  const remove = deleteStep({
    id: `replace/${machine.metadata.name}`,
    title: 'Delete the machine, for its owner to make a new one',
    host: machine.metadata.name,
    effect: 'replace',
    resource: live.machineResource,
    object: machine,
  });
  return verbPlan(live, {
    operation: 'replace',
    hosts: [machineHost(machine, 'drained, deleted, and made anew by its owner')],
    phases: [
      {title: 'Replace', steps: [remove]},
      {title: 'Wait for the new machine', steps: options.wait ? [waitReplaced(live, machine)] : []},
    ],
    basis: {machine: machine.metadata.uid ?? null},
    warnings: pausedWarning(live),
  });
}

/** The pool that a machine is taken out of, and the size it has without. Throws `plan.refused` for machines that have none. */
export function poolWithout(live: LiveCluster, name: string): {readonly machine: KubeObject; readonly pool: LivePool; readonly size: number} {
  const machine = requireMachine(live, name);
  if (isControlPlaneMachine(machine))
    throw refuse(`${machine.metadata.name} is a control plane: one less would be an even number, or none.`, [
      `Have a new one made for it: trireme machine replace ${machine.metadata.name}`,
      `Or go down by two: trireme cluster scale ${live.name} --control-plane N`,
    ]);
  const pool = poolOfMachine(live, machine);
  if (pool === undefined) throw refuse(`${machine.metadata.name} belongs to no pool: nothing can be made smaller with it.`);
  if (pool.kind === 'MachinePool')
    throw refuse(`${pool.name} is a MachinePool: the infrastructure chooses which machine goes.`, [
      `Make it smaller: trireme cluster scale ${live.name} ${pool.name}=N`,
    ]);
  const size = pool.replicas ?? numberAt(pool.object, 'spec', 'replicas') ?? 0;
  if (size < 1) throw refuse(`The pool ${pool.name} is wanted with no machine already: ${machine.metadata.name} is going.`);
  return {machine, pool, size: size - 1};
}

/** Annotates the victim, then makes its pool smaller by one. */
export function planMachineDelete(live: LiveCluster, name: string, options: VerbOptions): Plan<ControllerScope> {
  requireAlive(live, 'delete');
  const {machine, pool, size} = poolWithout(live, name);
  const scale = planScale(live, {verb: 'scale', pools: {[pool.name]: size}}, {...options, wait: false});
  return verbPlan(live, {
    operation: 'delete machine',
    hosts: [machineHost(machine, `drained and deleted: the pool ${pool.name} goes from ${size + 1} to ${size}`), ...scale.hosts],
    phases: [
      {title: 'Choose the machine', steps: [pickVictim(live, machine)]},
      ...scale.phases,
      {title: 'Wait until it is gone', steps: options.wait ? [waitGone(live, machine, pool, size)] : []},
    ],
    basis: {...scale.basis, machine: machine.metadata.uid ?? null},
    warnings: [...scale.warnings, ...rollingWarning(live, pool)],
  });
}

/** The step that makes a pool choose this machine when it gets smaller. */
export function pickVictim(live: LiveCluster, machine: KubeObject): Step<ControllerScope> {
  return annotate(live, machine, deleteAnnotation, 'Choose the machine that goes first');
}

/** While machines are replaced anyway, an old MachineSet may give one of its own. */
function rollingWarning(live: LiveCluster, pool: LivePool): readonly Warning[] {
  const progress = poolProgress(live, pool.name);
  return progress.done
    ? []
    : [{code: 'pool.not-settled', message: `The pool ${pool.name} isn't settled (${progress.text}): while it changes, another machine may go first.`}];
}

export function waitGone(live: LiveCluster, machine: KubeObject, pool: LivePool, size: number): Step<ControllerScope> {
  const {name, uid} = machine.metadata;
  return waitStep({
    id: `wait/${name}`,
    title: 'Wait until the machine is gone',
    host: name,
    subject: name,
    condition: 'Deleted',
    look: async (scope, signal) => {
      const now = await lookAtCluster(scope, live.name, {signal});
      if (now.machines.some((one) => one.metadata.uid === uid)) return {done: false, text: `${name} is still there`, blockedBy: deletingText(now, uid)};
      const progress = poolProgress(now, pool.name, {replicas: size});
      return progress.done ? {done: true, text: `${name} is gone, ${pool.name}: ${progress.text}`} : progress;
    },
  });
}

function annotate(live: LiveCluster, machine: KubeObject, annotation: string, title: string): Step<ControllerScope> {
  const {name, namespace, annotations} = machine.metadata;
  const from = annotations?.[annotation];
  return fieldStep({
    id: `annotate/${name}/${annotation}`,
    title,
    host: name,
    effect: 'replace',
    resource: live.machineResource,
    key: {name, namespace: namespace ?? live.namespace},
    changes: [{path: ['metadata', 'annotations', annotation], ...(from === undefined ? {} : {from}), to: from ?? ''}],
    done: `${annotation} is set`,
  });
}

function machineHost(machine: KubeObject, why: string) {
  const {name} = machine.metadata;
  return changedHost(name, isControlPlaneMachine(machine) ? 'control plane machine' : 'machine', [{path: 'machine', from: name, effect: 'replace', why}]);
}

function requireOwner(live: LiveCluster, machine: KubeObject): void {
  const owner = machine.metadata.ownerReferences?.find((one) => one.controller === true);
  if (owner?.kind === 'MachineSet' || owner?.kind === live.controlPlane?.resource.kind) return;
  throw refuse(`${machine.metadata.name} is owned by ${owner === undefined ? 'nobody' : `${owner.kind} ${owner.name}`}, who would make no new one.`);
}

/** Without it, etcd must still have more than half of its members, and all of them must be well. */
function requireQuorumWithout(live: LiveCluster, machine: KubeObject): void {
  const machines = live.machines.filter(isControlPlaneMachine);
  if (machines.length < 2)
    throw refuse(`${machine.metadata.name} is the only control plane of ${live.name}: with it, etcd and all it holds would be gone.`, [
      `Have a new one made first: trireme cluster restart ${live.name} --control-plane`,
    ]);
  const unwell = machines.filter(
    (one) =>
      one.metadata.name !== machine.metadata.name &&
      (one.metadata.deletionTimestamp !== undefined || conditionsOf(one).some((condition) => condition.type === 'Ready' && condition.status !== 'True')),
  );
  const left = machines.length - 1 - unwell.length;
  if (left > machines.length / 2 || (unwell.length === 0 && left >= 1 && machines.length % 2 === 0)) return;
  throw refuse(
    `Without ${machine.metadata.name}, ${left} of ${machines.length} control planes of ${live.name} would be well: etcd would lose its majority.${unwell.length === 0 ? '' : ` Not well: ${unwell.map((one) => one.metadata.name).join(', ')}.`}`,
    ['Repair those first: trireme cluster describe'],
  );
}

function waitReplaced(live: LiveCluster, machine: KubeObject): Step<ControllerScope> {
  const {name, uid} = machine.metadata;
  const pool = poolOfMachine(live, machine);
  return waitStep({
    id: `wait/${name}`,
    title: 'Wait for the new machine',
    host: name,
    subject: name,
    condition: 'Replaced',
    look: async (scope, signal) => {
      const now = await lookAtCluster(scope, live.name, {signal});
      if (now.machines.some((one) => one.metadata.uid === uid)) return {done: false, text: `${name} is still there`, blockedBy: deletingText(now, uid)};
      const progress = pool === undefined ? controlPlaneProgress(now) : poolProgress(now, pool.name);
      return {...progress, text: `${name} is gone; ${progress.text}`};
    },
  });
}

function deletingText(live: LiveCluster, uid: string | undefined): readonly string[] {
  const machine = live.machines.find((one) => one.metadata.uid === uid);
  if (machine === undefined) return [];
  return conditionsOf(machine).flatMap(({type, status, message = ''}) => {
    const isTelling = (type === 'Deleting' && status === 'True') || ((type === 'OwnerRemediated' || type === 'HealthCheckSucceeded') && status === 'False');
    return isTelling && message !== '' ? [`${type}: ${message.replaceAll(/\s*\n\s*/g, ' ').slice(0, 200)}`] : [];
  });
}
