// MachineSets: as many machines as wanted, made from templates; the marked, the unhealthy and the newest go first.
import {numberAt, textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import type {Draft} from '../draft.ts';
import {randomSuffix} from '../writes.ts';
import {createMachine, missingTemplate} from './clone.ts';
import {conditionOf, holds, isFalse, isTrue, withConditions, type Said} from './conditions.ts';
import {partOf} from './dev-infrastructure.ts';
import {isMarkedForDeletion} from './machine.ts';
import {byAge, isLeaving, kinds, labels, ownedBy} from './names.ts';
import {keepPaused, pausedCondition} from './paused.ts';
import {countsOf, deletingCondition, deletingMachines, groupConditions} from './replicas.ts';
import type {Controller, Reach} from './runtime.ts';

export const machineSets: Controller = {
  name: 'machine-set',
  kind: kinds.machineSet,
  follows: [kinds.cluster, kinds.machine, kinds.controlPlane, kinds.machineDeployment],
  reconcile: (set, reach) => {
    const cluster = reach.clusterOf(set);
    if (keepPaused(set, cluster, reach)) return undefined;
    const own = machinesOf(set, reach);
    if (isLeaving(set)) {
      for (const machine of own) reach.remove(machine);
      keepStatus(set, cluster, own, reach, []);
      if (own.length === 0) for (const finalizer of ['machineset.topology.cluster.x-k8s.io', 'cluster.x-k8s.io/machineset']) dropFresh(set, finalizer, reach);
      return undefined;
    }
    if (cluster === undefined || isLeaving(cluster)) return undefined;
    const live = own.filter((one) => !isLeaving(one));
    for (const machine of live) judge(machine, set, reach);
    remediate(live, reach);
    const wanted = numberAt(set, 'spec', 'replicas') ?? 1;
    const blockedBy = scale(set, {cluster, live, own, wanted}, reach);
    keepStatus(set, cluster, machinesOf(set, reach), reach, blockedBy);
    return blockedBy.length > 0 ? 250 : undefined;
  },
};

function dropFresh(set: KubeObject, finalizer: string, reach: Reach): void {
  const fresh = reach.get(kinds.machineSet, set.metadata.name, set.metadata.namespace);
  if (fresh !== undefined) reach.dropFinalizer(fresh, finalizer);
}

export const machinesOf = (owner: KubeObject, reach: Reach): readonly KubeObject[] =>
  reach
    .ofCluster(kinds.machine, owner.metadata.labels?.[labels.cluster] ?? '', owner.metadata.namespace)
    .filter((one) => ownedBy(one, owner))
    .toSorted(byAge);

/** Says on a machine whether it is as its deployment wants it. */
function judge(machine: KubeObject, set: KubeObject, reach: Reach): void {
  const deployment = reach.get(kinds.machineDeployment, set.metadata.labels?.[labels.deployment], set.metadata.namespace);
  const wantedVersion = textAt(deployment ?? set, 'spec', 'template', 'spec', 'version');
  const version = textAt(machine, 'spec', 'version');
  const lines: string[] = [];
  if (version !== wantedVersion) lines.push(`* Version ${version}, ${wantedVersion} required`);
  const part = (object: KubeObject, field: readonly string[]) => textAt(object, 'spec', 'template', 'spec', ...field, 'name');
  if (deployment !== undefined && part(set, ['infrastructureRef']) !== part(deployment, ['infrastructureRef'])) lines.push('* DevMachine is not up-to-date');
  if (deployment !== undefined && part(set, ['bootstrap', 'configRef']) !== part(deployment, ['bootstrap', 'configRef']))
    lines.push('* KubeadmConfig is not up-to-date');
  const after = textAt(deployment, 'spec', 'rollout', 'after');
  if (after !== undefined && Date.parse(after) <= Date.now() && Date.parse(after) > Date.parse(machine.metadata.creationTimestamp ?? ''))
    lines.push('* MachineDeployment spec.rolloutAfter expired');
  say(machine, lines.length === 0 ? isTrue('UpToDate', 'UpToDate') : isFalse('UpToDate', 'NotUpToDate', lines.join('\n')), reach);
}

/** Sets one condition of a machine that its owner, not its own controller, keeps. */
export function say(machine: KubeObject, said: Said, reach: Reach): void {
  const before = conditionOf(machine, said.type);
  if (before?.status === said.status && before.reason === said.reason && (before.message ?? '') === (said.message ?? '')) return;
  reach.setStatus(machine, {...(valueAt(machine, 'status') as Draft | undefined), conditions: withConditions(machine, [said])});
}

function remediate(live: readonly KubeObject[], reach: Reach): void {
  for (const machine of live) {
    if (conditionOf(machine, 'HealthCheckSucceeded')?.status !== 'False' || conditionOf(machine, 'OwnerRemediated')?.status !== 'False') continue;
    say(machine, isFalse('OwnerRemediated', 'MachineDeleting', 'Machine is deleting'), reach);
    reach.remove(machine);
  }
}

interface Now {
  readonly cluster: KubeObject;
  readonly live: readonly KubeObject[];
  readonly own: readonly KubeObject[];
  readonly wanted: number;
}

/** Makes or removes machines; returns why none can be made. */
function scale(set: KubeObject, {cluster, live, wanted}: Now, reach: Reach): readonly string[] {
  const {namespace, name} = set.metadata;
  const template = valueAt(set, 'spec', 'template', 'spec') as Draft;
  if (live.length > wanted) {
    const order = victims(live, textAt(set, 'spec', 'deletion', 'order') ?? 'Random');
    for (const machine of order.slice(0, live.length - wanted)) {
      reach.remove(machine);
      reach.event(set, 'Normal', 'SuccessfulDelete', `Deleted Machine "${machine.metadata.name}"`);
    }
    return [];
  }
  if (live.length >= wanted) return [];
  const bootstrapRef = valueAt(template, 'bootstrap', 'configRef');
  const missing = missingTemplate([template['infrastructureRef'], bootstrapRef], namespace, reach);
  if (missing !== undefined) return [`${missing} does not exist`];
  if (reach.faults.uncreatable.has(partOf(set))) return ['SIMULATED fault: the infrastructure refuses to make DevMachines (quota exceeded)'];
  const why = unstable(cluster, reach);
  if (why !== undefined) return [why];
  for (let count = live.length; count < wanted; count += 1) {
    const machine = createMachine(
      {
        name: `${name}-${randomSuffix()}`,
        owner: set,
        labels: {...(valueAt(set, 'spec', 'template', 'metadata', 'labels') as Record<string, string>), [labels.set]: name, ...deploymentLabel(set)},
        ...(valueAt(set, 'spec', 'template', 'metadata', 'annotations') === undefined
          ? {}
          : {annotations: valueAt(set, 'spec', 'template', 'metadata', 'annotations') as Record<string, string>}),
        infrastructureRef: template['infrastructureRef'],
        bootstrap: {templateRef: bootstrapRef},
        spec: template,
        manager: 'capi-machineset',
      },
      reach,
    );
    reach.event(set, 'Normal', 'SuccessfulCreate', `Created Machine "${machine.metadata.name}"`);
  }
  return [];
}

const deploymentLabel = (set: KubeObject): Readonly<Record<string, string>> => {
  const deployment = set.metadata.labels?.[labels.deployment];
  return deployment === undefined ? {} : {[labels.deployment]: deployment};
};

/** Cluster API makes no worker while the control plane is on its way or upgrades. */
function unstable(cluster: KubeObject, reach: Reach): string | undefined {
  const controlPlane = reach.referenced(cluster['spec'] === undefined ? undefined : valueAt(cluster, 'spec', 'controlPlaneRef'), cluster.metadata.namespace);
  if (controlPlane === undefined) return undefined;
  const {namespace, name} = controlPlane.metadata;
  const what = `${controlPlane.kind} ${namespace}/${name}`;
  if (valueAt(controlPlane, 'status', 'initialization', 'controlPlaneInitialized') !== true)
    return `${what} is provisioning ("ControlPlaneIsStable" preflight check failed)`;
  const isUpgrading = textAt(controlPlane, 'spec', 'version') !== textAt(controlPlane, 'status', 'version');
  return isUpgrading ? `${what} is upgrading ("ControlPlaneIsStable" preflight check failed)` : undefined;
}

/** Who goes first: the marked, then the unhealthy, then by the set's order. */
function victims(live: readonly KubeObject[], order: string): readonly KubeObject[] {
  const rank = (machine: KubeObject) =>
    isMarkedForDeletion(machine) ? 0 : valueAt(machine, 'status', 'nodeRef') === undefined || !holds(machine, 'Ready') ? 1 : 2;
  const age = (a: KubeObject, b: KubeObject) => (order === 'Oldest' ? byAge(a, b) : byAge(b, a));
  return live.toSorted((a, b) => rank(a) - rank(b) || age(a, b));
}

function keepStatus(set: KubeObject, cluster: KubeObject | undefined, machines: readonly KubeObject[], reach: Reach, blockedBy: readonly string[]): void {
  const wanted = numberAt(set, 'spec', 'replicas') ?? 1;
  const selector = selectorText(set);
  const said = [
    ...groupConditions({machines, wanted, isLeaving: isLeaving(set), blockedBy, hasRollout: false}),
    deletingCondition(set, deletingMachines(machines.length)),
    pausedCondition(set, cluster),
  ];
  reach.setStatus(set, {...countsOf(machines), selector, observedGeneration: set.metadata.generation, conditions: withConditions(set, said)});
}

export const selectorText = (object: KubeObject) =>
  Object.entries((valueAt(object, 'spec', 'selector', 'matchLabels') as Record<string, string> | undefined) ?? {})
    .toSorted()
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
