// How far a cluster's deletion is, and what holds it. Order of Cluster API: hook, workers, control plane, infrastructure, the Cluster itself. Pure.
import {valueAt, type KubeObject} from '../../../kube/object.ts';
import type {DeletionView, ObjectNode} from '../../mode.ts';
import {conditionsOf} from './conditions.ts';

/** Undefined when the cluster isn't being deleted. */
export function deletionOf(cluster: KubeObject, tree: ObjectNode): DeletionView | undefined {
  const since = cluster.metadata.deletionTimestamp;
  if (since === undefined) return undefined;
  const counts = new Map<string, number>();
  for (const node of nodesOf(tree)) {
    if (node === tree || node.role === 'group' || node.role === 'node' || node.missing === true) continue;
    counts.set(node.kind, (counts.get(node.kind) ?? 0) + 1);
  }
  return {
    since,
    remaining: [...counts].map(([kind, count]) => ({kind, count})),
    blockedBy: [...clusterBlocks(cluster), ...machineBlocks(tree), ...pausedBlocks(tree)],
  };
}

function clusterBlocks(cluster: KubeObject): readonly string[] {
  const deleting = conditionsOf(cluster).find((one) => one.type === 'Deleting');
  const isPaused = valueAt(cluster.spec, 'paused') === true || cluster.metadata.annotations?.['cluster.x-k8s.io/paused'] !== undefined;
  return [
    ...(isPaused ? ['the cluster is paused, and a paused cluster is not deleted: trireme cluster resume'] : []),
    ...(deleting?.reason === 'WaitingForBeforeDeleteHook' ? [`a BeforeClusterDelete hook: ${deleting.message ?? 'no message'}`] : []),
    ...(deleting?.status === 'True' && deleting.reason?.startsWith('WaitingFor') === true && deleting.reason !== 'WaitingForBeforeDeleteHook'
      ? [deleting.message ?? deleting.reason]
      : []),
  ];
}

/** Machines tell which step of their deletion they are at, and what holds it. */
function machineBlocks(tree: ObjectNode): readonly string[] {
  return [...nodesOf(tree)].flatMap((node) => {
    if (node.role !== 'machine' || node.deleting === undefined) return [];
    const deleting = node.conditions.find((one) => one.type === 'Deleting' && one.status === 'True');
    if (deleting === undefined || deleting.reason === undefined || deleting.reason === 'Deleting') return [];
    return [`${node.kind}/${node.name}: ${deleting.reason}${deleting.message === undefined ? '' : `: ${deleting.message}`}`];
  });
}

/** The controller of a paused object does nothing, not even what its deletion needs. */
function pausedBlocks(tree: ObjectNode): readonly string[] {
  return [...nodesOf(tree)]
    .filter((node) => node !== tree && node.paused && node.deleting !== undefined)
    .map((node) => `${node.kind}/${node.name} is paused, so it isn't deleted`);
}

export function* nodesOf(tree: ObjectNode): Generator<ObjectNode> {
  yield tree;
  for (const child of tree.children) yield* nodesOf(child);
}
