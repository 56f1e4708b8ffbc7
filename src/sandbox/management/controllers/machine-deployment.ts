// MachineDeployments: a MachineSet for each template, rolled with surge.
import {isDeepStrictEqual} from 'node:util';
import {numberAt, textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import type {Draft} from '../draft.ts';
import {randomSuffix} from '../writes.ts';
import {conditionOf, holds, isFalse, isTrue, withConditions} from './conditions.ts';
import {machinesOf, selectorText} from './machine-set.ts';
import {annotations, byAge, isLeaving, kinds, labels, ownedBy} from './names.ts';
import {keepPaused, pausedCondition} from './paused.ts';
import {countsOf, deletingCondition, deletingMachines, groupConditions, scaled} from './replicas.ts';
import {ownerReference, type Controller, type Reach} from './runtime.ts';

const finalizer = 'cluster.x-k8s.io/machinedeployment';
const topologyFinalizer = 'machinedeployment.topology.cluster.x-k8s.io';

export const machineDeployments: Controller = {
  name: 'machine-deployment',
  kind: kinds.machineDeployment,
  follows: [kinds.cluster, kinds.machineSet, kinds.machine],
  reconcile: (deployment, reach) => {
    const cluster = reach.clusterOf(deployment);
    if (keepPaused(deployment, cluster, reach)) return undefined;
    if (isLeaving(deployment)) {
      leave(deployment, cluster, reach);
      return undefined;
    }
    if (cluster === undefined || isLeaving(cluster)) return undefined;
    const finalized = reach.addFinalizer(deployment, finalizer) ?? deployment;
    reach.addOwner(finalized, cluster, {controller: false});
    const owned = reach.get(kinds.machineDeployment, deployment.metadata.name, deployment.metadata.namespace) ?? finalized;
    const {current, old} = setsFor(owned, reach);
    roll(owned, current, old, reach);
    keepStatus(owned, cluster, reach);
    return undefined;
  },
};

export const setsOf = (deployment: KubeObject, reach: Reach): readonly KubeObject[] =>
  reach
    .ofCluster(kinds.machineSet, deployment.metadata.labels?.[labels.cluster] ?? '', deployment.metadata.namespace)
    .filter((one) => ownedBy(one, deployment))
    .toSorted(byAge);

/** What makes machines different: not the labels and annotations, which go to living machines in place. */
function identity(template: unknown): unknown {
  const spec = (valueAt(template, 'spec') as Draft | undefined) ?? {};
  const {version, infrastructureRef, bootstrap, failureDomain} = spec;
  return {version, infrastructureRef, bootstrap, failureDomain};
}

interface Sets {
  readonly current: KubeObject;
  readonly old: readonly KubeObject[];
}

function setsFor(deployment: KubeObject, reach: Reach): Sets {
  const sets = setsOf(deployment, reach).filter((one) => !isLeaving(one));
  const wanted = identity(valueAt(deployment, 'spec', 'template'));
  const after = textAt(deployment, 'spec', 'rollout', 'after');
  const isTooOld = (set: KubeObject) =>
    after !== undefined && Date.parse(after) <= Date.now() && Date.parse(after) > Date.parse(set.metadata.creationTimestamp ?? '');
  const found = sets.find((one) => isDeepStrictEqual(identity(valueAt(one, 'spec', 'template')), wanted) && !isTooOld(one));
  const current = found ?? createSet(deployment, sets, reach);
  return {current, old: sets.filter((one) => one.metadata.uid !== current.metadata.uid)};
}

function createSet(deployment: KubeObject, sets: readonly KubeObject[], reach: Reach): KubeObject {
  const {name, namespace} = deployment.metadata;
  const suffix = randomSuffix();
  const hash = `${hashOf(identity(valueAt(deployment, 'spec', 'template')))}-${suffix}`;
  const template = valueAt(deployment, 'spec', 'template') as Draft;
  const templateLabels = {...(valueAt(template, 'metadata', 'labels') as Record<string, string>), [labels.hash]: hash};
  const replicas = numberAt(deployment, 'spec', 'replicas') ?? 1;
  const surge = scaled(valueAt(deployment, 'spec', 'rollout', 'strategy', 'rollingUpdate', 'maxSurge') ?? 1, replicas, true);
  const revision = String(Math.max(0, ...sets.map((one) => Number(one.metadata.annotations?.[annotations.revision] ?? 0))) + 1);
  const isFirst = sets.length === 0;
  const created = reach.create(
    kinds.machineSet,
    {
      metadata: {
        name: `${name}-${suffix}`,
        namespace,
        labels: {...templateLabels, [labels.deployment]: name},
        annotations: {
          [annotations.revision]: revision,
          'machinedeployment.clusters.x-k8s.io/desired-replicas': String(replicas),
          'machinedeployment.clusters.x-k8s.io/max-replicas': String(replicas + surge),
          'cluster.x-k8s.io/disable-machine-create': 'false',
        },
        ownerReferences: [ownerReference(deployment, {controller: true})],
        finalizers: [
          'cluster.x-k8s.io/machineset',
          ...(deployment.metadata.labels?.[labels.owned] === undefined ? [] : ['machineset.topology.cluster.x-k8s.io']),
        ],
      },
      spec: {
        clusterName: textAt(deployment, 'spec', 'clusterName'),
        replicas: isFirst ? replicas : 0,
        selector: {matchLabels: {...(valueAt(deployment, 'spec', 'selector', 'matchLabels') as object), [labels.hash]: hash}},
        template: {...template, metadata: {...(template['metadata'] as object), labels: templateLabels}},
        ...(valueAt(deployment, 'spec', 'deletion') === undefined ? {} : {deletion: valueAt(deployment, 'spec', 'deletion')}),
      },
    },
    namespace,
    'capi-machinedeployment',
  );
  reach.change(deployment, (draft) => {
    const meta = draft['metadata'] as {readonly annotations?: object};
    return {...draft, metadata: {...meta, annotations: {...meta.annotations, [annotations.revision]: revision}}};
  });
  reach.event(deployment, 'Normal', 'SuccessfulCreate', `Created MachineSet ${namespace}/${created.metadata.name} with ${isFirst ? replicas : 0} replicas`);
  return created;
}

/** A number from a template's content (FNV-1a). */
function hashOf(value: unknown): number {
  let hash = 0x811c9dc5;
  for (const letter of JSON.stringify(value)) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0;
  return hash;
}

function setReplicas(set: KubeObject, replicas: number, reach: Reach): void {
  if (numberAt(set, 'spec', 'replicas') === replicas) return;
  reach.change(set, (draft) => ({...draft, spec: {...(draft['spec'] as object), replicas}}), 'capi-machinedeployment');
}

function roll(deployment: KubeObject, current: KubeObject, old: readonly KubeObject[], reach: Reach): void {
  const wanted = numberAt(deployment, 'spec', 'replicas') ?? 1;
  const replicasOf = (set: KubeObject) => numberAt(set, 'spec', 'replicas') ?? 0;
  const oldTotal = old.reduce((sum, set) => sum + replicasOf(set), 0);
  for (const set of old) if (replicasOf(set) === 0 && machinesOf(set, reach).length === 0) reach.remove(set);
  if (oldTotal === 0) return setReplicas(current, wanted, reach);
  if (textAt(deployment, 'spec', 'rollout', 'strategy', 'type') === 'OnDelete') {
    const left = old.reduce((sum, set) => sum + Math.min(replicasOf(set), machinesOf(set, reach).filter((one) => !isLeaving(one)).length), 0);
    for (const set of old) setReplicas(set, machinesOf(set, reach).filter((one) => !isLeaving(one)).length, reach);
    return setReplicas(current, Math.max(replicasOf(current), wanted - left), reach);
  }
  const rolling = valueAt(deployment, 'spec', 'rollout', 'strategy', 'rollingUpdate') as Draft | undefined;
  const surge = scaled(rolling?.['maxSurge'] ?? 1, wanted, true);
  const unavailable = scaled(rolling?.['maxUnavailable'] ?? 0, wanted, false);
  const total = oldTotal + replicasOf(current);
  // up as far as the surge lets, then down as far as what is available lets
  if (replicasOf(current) < wanted && total < wanted + surge)
    return setReplicas(current, Math.min(wanted, replicasOf(current) + wanted + surge - total), reach);
  const available = [current, ...old].flatMap((set) => machinesOf(set, reach)).filter((one) => !isLeaving(one) && holds(one, 'Available')).length;
  let spare = available - (wanted - unavailable);
  for (const set of old) {
    if (spare <= 0) return;
    const less = Math.min(spare, replicasOf(set));
    setReplicas(set, replicasOf(set) - less, reach);
    spare -= less;
  }
}

function leave(deployment: KubeObject, cluster: KubeObject | undefined, reach: Reach): void {
  const sets = setsOf(deployment, reach);
  for (const set of sets) reach.remove(set);
  keepStatus(deployment, cluster, reach);
  if (sets.length > 0) return;
  for (const name of [finalizer, topologyFinalizer]) {
    const fresh = reach.get(kinds.machineDeployment, deployment.metadata.name, deployment.metadata.namespace);
    if (fresh !== undefined) reach.dropFinalizer(fresh, name);
  }
}

function keepStatus(deployment: KubeObject, cluster: KubeObject | undefined, reach: Reach): void {
  const fresh = reach.get(kinds.machineDeployment, deployment.metadata.name, deployment.metadata.namespace);
  if (fresh === undefined) return;
  const sets = setsOf(fresh, reach);
  const machines = sets.flatMap((set) => machinesOf(set, reach));
  const wanted = numberAt(fresh, 'spec', 'replicas') ?? 1;
  const counts = countsOf(machines);
  const available = counts['availableReplicas'] as number;
  const maxUnavailable = valueAt(fresh, 'spec', 'rollout', 'strategy', 'rollingUpdate', 'maxUnavailable') ?? 0;
  const least = wanted - scaled(maxUnavailable, wanted, false);
  const detail =
    textAt(fresh, 'spec', 'rollout', 'strategy', 'type') === 'RollingUpdate'
      ? ` (spec.strategy.rollout.maxUnavailable is ${String(maxUnavailable)}, spec.replicas is ${wanted})`
      : '';
  const leaving = isLeaving(fresh);
  const blocked = sets.flatMap((set) => missingOf(conditionOf(set, 'ScalingUp')?.message));
  const isAvailable = available >= least && !leaving;
  const said = [
    isAvailable
      ? isTrue('Available', 'Available')
      : isFalse('Available', 'NotAvailable', leaving ? 'Deletion in progress' : `${available} available replicas, at least ${least} required${detail}`),
    ...groupConditions({machines, wanted, isLeaving: leaving, blockedBy: blocked, hasRollout: true}),
    deletingCondition(
      fresh,
      machines.length > 0 ? deletingMachines(machines.length) : sets.length > 0 ? `Deleting ${sets.length} MachineSets` : 'Deletion completed',
    ),
    pausedCondition(fresh, cluster),
  ];
  const phase = leaving
    ? 'ScalingDown'
    : machines.length < wanted
      ? 'ScalingUp'
      : machines.length > wanted
        ? 'ScalingDown'
        : isAvailable
          ? 'Running'
          : 'ScalingUp';
  reach.setStatus(fresh, {
    ...counts,
    phase,
    selector: selectorText(fresh),
    observedGeneration: fresh.metadata.generation,
    conditions: withConditions(fresh, said),
  });
}

/** The reasons in a set's message that a deployment tells too: what doesn't exist, or can't be made. */
function missingOf(message: string | undefined): readonly string[] {
  return (message ?? '')
    .split('\n')
    .filter((line) => line.startsWith('* ') && /does not exist|SIMULATED/.test(line))
    .map((line) => line.slice(2));
}
