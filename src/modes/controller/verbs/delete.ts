// The end of a cluster: only its Cluster object is deleted. Cluster API takes down workers, control plane and infrastructure, in this order, and we show it.
import type {Resource} from '../../../kube/api.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import type {Plan, Step} from '../../../plan/plan.ts';
import type {ControllerScope} from '../scope.ts';
import {deletionBlockers} from './deletion-blockers.ts';
import {clusterNameLabel, type LiveCluster, type LiveObject} from './live.ts';
import {deleteStep} from './object-step.ts';
import {isPaused, refuse, verbPlan, type VerbOptions} from './verb-plan.ts';
import {waitStep, type Progress} from './wait-step.ts';

const secrets: Resource = {group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true};
/** More names than this are counted. */
const listed = 12;

/** Throws `plan.refused` for a paused cluster, whose deletion nobody would carry out. `live` must have its other objects. */
export function planDelete(live: LiveCluster, options: VerbOptions): Plan<ControllerScope> {
  if (isPaused(live))
    throw refuse(`${live.name} is paused: it would never be deleted, because no controller would work on it.`, [
      `Resume it first: trireme cluster resume ${live.name}`,
    ]);
  const resources = resourcesOf(live);
  const remove = deleteStep({
    id: 'delete/cluster',
    title: 'Delete the Cluster object',
    host: live.name,
    effect: 'replace',
    resource: live.resource,
    object: live.cluster,
  });
  const gone = waitStep({
    id: 'delete/wait',
    title: 'Wait until everything is gone',
    host: live.name,
    subject: live.name,
    condition: 'Deleting',
    look: async (scope, signal) => deletionProgress(live, await remains(scope, live, resources, signal), new Date()),
  });
  const counts = countKinds(objectsOf(live));
  return verbPlan(live, {
    operation: 'delete',
    hosts: [
      {
        host: live.name,
        role: 'cluster',
        state: 'removed',
        effect: 'replace',
        changes: counts.map(([kind, count]) => ({path: kind, from: count, effect: 'replace' as const})),
      },
    ],
    phases: [
      {title: 'Delete', steps: [remove]},
      {title: 'Follow the deletion', steps: options.wait ? [gone, leftoverStep(live, resources)] : []},
    ],
    basis: {uid: live.cluster.metadata.uid ?? null},
  });
}

function objectsOf(live: LiveCluster): readonly LiveObject[] {
  return [
    {resource: live.resource, object: live.cluster},
    ...(live.controlPlane === undefined ? [] : [live.controlPlane]),
    ...live.pools.flatMap(({resource, object}) => (resource === undefined || object === undefined ? [] : [{resource, object}])),
    ...live.machineSets,
    ...live.machines.map((object) => ({resource: live.machineResource, object})),
    ...live.healthChecks,
    ...live.others,
  ];
}

/** Each kind that the cluster has objects of, the Cluster itself first. */
function resourcesOf(live: LiveCluster): readonly Resource[] {
  const distinct = new Map(objectsOf(live).map(({resource}) => [`${resource.group}/${resource.plural}`, resource] as const));
  return [...distinct.values()];
}

function countKinds(objects: readonly LiveObject[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const {resource} of objects) counts.set(resource.kind, (counts.get(resource.kind) ?? 0) + 1);
  return [...counts];
}

/** What is still there of it, in one list a kind. */
async function remains(scope: ControllerScope, live: LiveCluster, resources: readonly Resource[], signal: AbortSignal): Promise<readonly LiveObject[]> {
  const lists = await Promise.all(
    resources.map(async (resource) => {
      if (resource.kind === live.resource.kind) {
        const cluster = await scope.api.get(resource, {namespace: live.namespace, name: live.name}, {signal});
        // another one of the same name isn't ours to wait for
        return cluster === undefined || cluster.metadata.uid !== live.cluster.metadata.uid ? [] : [{resource, object: cluster}];
      }
      const {items} = await scope.api.list(resource, {namespace: live.namespace, labelSelector: `${clusterNameLabel}=${live.name}`, signal});
      return items.map((object) => ({resource, object}));
    }),
  );
  return lists.flat();
}

/** Done when the Cluster object is gone; until then, what is left and what holds it. */
export function deletionProgress(live: Pick<LiveCluster, 'resource' | 'name'>, left: readonly LiveObject[], now: Date): Progress {
  const isThere = left.some((one) => one.resource.kind === live.resource.kind);
  if (!isThere) return {done: true, text: `${live.name} is deleted`};
  const counts = countKinds(left).map(([kind, count]) => `${count} ${kind}`);
  return {done: false, text: `left: ${counts.join(', ')}`, blockedBy: deletionBlockers(left, now)};
}

/** What Cluster API doesn't own stays; it is named, not touched. */
function leftoverStep(live: LiveCluster, resources: readonly Resource[]): Step<ControllerScope> {
  return {
    id: 'delete/leftovers',
    title: 'Look for what is left over',
    host: live.name,
    effect: 'none',
    check: async () => 'needed',
    apply: async ({scope, signal, emit}) => {
      const left = [...(await remains(scope, live, resources, signal)), ...(await leftSecrets(scope, live, signal))].filter(
        ({object}) => object.metadata.deletionTimestamp === undefined,
      );
      if (left.length === 0) return 'nothing is left';
      const names = left.slice(0, listed).map(({resource, object}) => `${resource.kind}/${object.metadata.name}`);
      const rest = left.length > listed ? `, and ${left.length - listed} more` : '';
      emit({
        type: 'warning.raised',
        code: 'delete.left-over',
        message: `Left over in namespace ${live.namespace}: ${names.join(', ')}${rest}. Cluster API doesn't own them.`,
        hints: [
          `Look at them: kubectl -n ${live.namespace} get ${[...new Set(left.map((one) => one.resource.plural))].join(',')} -l ${clusterNameLabel}=${live.name}`,
        ],
      });
      return `${left.length} left over`;
    },
  };
}

/** Secrets that others own are collected with their owners a moment later. */
async function leftSecrets(scope: ControllerScope, live: LiveCluster, signal: AbortSignal): Promise<readonly LiveObject[]> {
  try {
    const {items} = await scope.api.list(secrets, {namespace: live.namespace, labelSelector: `${clusterNameLabel}=${live.name}`, metadataOnly: true, signal});
    return items.filter((one) => (one.metadata.ownerReferences ?? []).length === 0).map((object) => ({resource: secrets, object}));
  } catch (error) {
    if (error instanceof TriremeError && error.code === 'api.forbidden') return [];
    throw error;
  }
}
