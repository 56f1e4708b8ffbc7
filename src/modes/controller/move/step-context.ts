// What the steps of a move share.
import {mapPool} from '../../../kernel/pool.ts';
import type {KubeObject} from '../../../kube/object.ts';
import type {Step, StepContext} from '../../../plan/plan.ts';
import type {ClusterGroup, MoveNode} from './graph.ts';
import {markOf, moveAnnotation, type MoveMark, type MovePhase} from './names.ts';
import {keyIn, type MoveScope} from './scope.ts';

/** Objects worked on at once within a level. */
export const window = 8;
export const confirmWithin = {timeout: 120_000, interval: 500};
export const goneWithin = {timeout: 60_000, interval: 300};

export type MoveContext = StepContext<MoveScope>;
export type MoveStep = Step<MoveScope>;

/** What every step of one move knows. */
export interface MoveIdentity {
  /** Id of the source and of the target. */
  readonly from: string;
  readonly to: string;
  readonly nodes: ReadonlyMap<string, MoveNode>;
  /** True when the source is a folder: it never works, and nothing is removed from it. */
  readonly isRestore: boolean;
}

/** Works on all nodes of a level, then on the next; the first failure ends it. */
export async function eachLevel(levels: readonly (readonly MoveNode[])[], work: (node: MoveNode) => Promise<void>): Promise<void> {
  for (const level of levels) {
    const outcomes = await mapPool(level, window, work);
    for (const one of outcomes) if (one.status === 'rejected') throw one.reason;
  }
}

/** The source's Cluster as it is now, and how far its move is. */
export async function readMark(
  context: MoveContext,
  group: ClusterGroup,
): Promise<{readonly cluster: KubeObject | undefined; readonly mark: MoveMark | undefined}> {
  const cluster = await context.scope.source.get(group.cluster.resource, keyIn(group.cluster), {signal: context.signal});
  return {cluster, mark: markOf(cluster?.metadata.annotations)};
}

/** Pauses the source's Cluster and says where it goes, in one write. */
export async function writeMark(context: MoveContext, group: ClusterGroup, to: string, phase: MovePhase): Promise<void> {
  const value: MoveMark = {to, phase, since: new Date().toISOString()};
  const body = {metadata: {annotations: {[moveAnnotation]: JSON.stringify(value)}}, spec: {paused: true}};
  await context.scope.source.patch(group.cluster.resource, keyIn(group.cluster), {type: 'merge', body}, {signal: context.signal});
}
