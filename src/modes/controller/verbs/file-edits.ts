// What the verbs change in a cluster's file. Pure.
import {TriremeError} from '../../../kernel/errors.ts';
import type {DesiredCluster} from '../../../spec/desired.ts';
import type {Edit} from '../../../spec/edit-text.ts';
import {poolNotFound, requireControlPlaneSize, type ScaleIntent} from './scale.ts';
import {refuse} from './verb-plan.ts';

/** Throws `pool.not-found` for a pool that isn't in the file, and `plan.refused` for one whose size the file leaves to an autoscaler. */
export function scaleEdits(cluster: DesiredCluster, intent: ScaleIntent): readonly Edit[] {
  const {name} = cluster.document.metadata;
  const edits: Edit[] = [];
  if (intent.controlPlane !== undefined) {
    requireControlPlaneSize(name, intent.controlPlane, true);
    edits.push({
      path: ['spec', 'controller', 'controlPlane', 'replicas'],
      value: intent.controlPlane,
      after: ['template', 'classNamespace', 'class', 'namespace'],
    });
  }
  for (const [pool, size] of Object.entries(intent.pools)) edits.push(poolEdit(cluster, pool, size));
  return edits;
}

function poolEdit(cluster: DesiredCluster, name: string, size: number): Edit {
  const {pool, index} = requireFilePool(cluster, name);
  if (pool.autoscale !== undefined)
    throw refuse(`The file leaves the size of ${name} to the autoscaler, between ${pool.autoscale.min} and ${pool.autoscale.max}.`, [
      `Change its bounds, or take autoscale out: spec.controller.pools[${index}].autoscale`,
    ]);
  return {path: ['spec', 'controller', 'pools', index, 'replicas'], value: size, after: ['kind', 'class', 'name']};
}

export function requireFilePool(cluster: DesiredCluster, name: string) {
  const pools = cluster.document.spec.controller?.pools ?? [];
  const index = pools.findIndex((pool) => pool.name === name);
  const pool = pools[index];
  if (pool !== undefined) return {pool, index};
  const names = pools.map((one) => one.name);
  const error = poolNotFound(cluster.document.metadata.name, name, names);
  throw new TriremeError(error.code, `${error.message.replace(/\.$/, '')} (by its file).`, {hints: error.hints});
}

/** The version that the file wants. */
export function upgradeEdits(to: string): readonly Edit[] {
  return [{path: ['spec', 'kubernetes', 'version'], value: to, after: ['distribution']}];
}

/**
 * One machine less in its pool. Throws `plan.refused` when file and cluster don't agree on the size: taking one away from either would take more,
 * or fewer, than one.
 */
export function smallerPoolEdits(cluster: DesiredCluster, name: string, size: number): readonly Edit[] {
  const {pool} = requireFilePool(cluster, name);
  const said = pool.replicas ?? 1;
  if (pool.autoscale === undefined && said !== size + 1 && said !== size)
    throw refuse(`The file wants ${said} machines in ${name}, and the cluster ${size + 1}: which one is right has to be said first.`, [
      'Make them agree: trireme apply',
    ]);
  return [poolEdit(cluster, name, size)];
}
