// Steps at the source: it stops before anything is copied, and goes when the copy is verified.
import {isTriremeError, TriremeError} from '../../../kernel/errors.ts';
import {mapPool} from '../../../kernel/pool.ts';
import {waitFor} from '../../../kernel/retry.ts';
import type {Resource} from '../../../kube/api.ts';
import {listAt, textAt, valueAt} from '../../../kube/object.ts';
import {dropFinalizers} from './copy.ts';
import {classOf, flat, isClusterClass, type ClusterGroup, type MoveNode} from './graph.ts';
import {blockMoveAnnotation, deleteForMoveAnnotation} from './names.ts';
import {keyIn} from './scope.ts';
import {confirmWithin, eachLevel, goneWithin, readMark, window, writeMark, type MoveContext, type MoveIdentity, type MoveStep} from './step-context.ts';

/** Pauses the source's Cluster and marks it with where it goes, in one write; then waits until every controller says that it has stopped. */
export function pauseStep(group: ClusterGroup, identity: MoveIdentity): MoveStep {
  return {
    id: `pause ${group.id}`,
    title: 'Pause the source',
    host: group.id,
    effect: 'none',
    check: async (context) => {
      const {cluster, mark} = await readMark(context, group);
      const isPaused = valueAt(cluster, 'spec', 'paused') === true && mark?.to === identity.to;
      return cluster === undefined || (isPaused && (await unconfirmed(context, group)).length === 0) ? 'satisfied' : 'needed';
    },
    apply: async (context) => {
      await writeMark(context, group, identity.to, 'copying');
      const left = await waitFor(async () => ((await unconfirmed(context, group)).length === 0 ? true : undefined), {
        ...confirmWithin,
        signal: context.stopping,
      });
      if (left === undefined)
        throw new TriremeError('wait.timed-out', `These don't say that they are paused: ${(await unconfirmed(context, group)).slice(0, 5).join(', ')}.`, {
          hints: [
            'Is the controller of their provider running? trireme provider list',
            `Nothing was copied; to go back: trireme cluster resume ${group.cluster.object.metadata.name}`,
          ],
        });
    },
  };
}

/** Objects whose controller reports `Paused`, and doesn't say True yet. */
async function unconfirmed(context: MoveContext, group: ClusterGroup): Promise<readonly string[]> {
  const kinds = [...new Map(flat(group.levels).map((node) => [node.resource.plural, node.resource] as const)).values()];
  const {namespace} = group.cluster.object.metadata;
  const ours = new Set(flat(group.levels).map((node) => `${node.resource.plural} ${node.object.metadata.name}`));
  const read = await mapPool(kinds, window, async (resource) => listOf(context, resource, namespace));
  return read.flatMap((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value.items
      .filter((object) => ours.has(`${one.value.resource.plural} ${object.metadata.name}`))
      .filter((object) =>
        listAt(object, 'status', 'conditions').some((condition) => textAt(condition, 'type') === 'Paused' && textAt(condition, 'status') !== 'True'),
      )
      .map((object) => `${one.value.resource.kind} ${object.metadata.name}`);
  });
}

async function listOf(context: MoveContext, resource: Resource, namespace: string | undefined) {
  const {items} = await context.scope.source.list(resource, {signal: context.signal, ...(namespace === undefined ? {} : {namespace})});
  return {resource, items};
}

/** Waits for what providers ask to wait for (clusterctl's block-move). */
export function unblockStep(group: ClusterGroup): MoveStep {
  const blocked = flat(group.levels).filter((node) => node.isBlocked);
  const still = async (context: MoveContext) => {
    const read = await Promise.all(blocked.map((node) => context.scope.source.get(node.resource, keyIn(node), {signal: context.signal})));
    return read.flatMap((object) => (object?.metadata.annotations?.[blockMoveAnnotation] === undefined ? [] : `${object.kind} ${object.metadata.name}`));
  };
  return {
    id: `unblock ${group.id}`,
    title: 'Wait until nothing blocks the move',
    host: group.id,
    effect: 'none',
    check: async (context) => ((await still(context)).length === 0 ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const free = await waitFor(async () => ((await still(context)).length === 0 ? true : undefined), {...confirmWithin, signal: context.stopping});
      if (free === undefined)
        throw new TriremeError('wait.timed-out', `The annotation ${blockMoveAnnotation} stays on ${(await still(context)).join(', ')}.`, {
          hints: ['Its provider removes it when it is ready to let go.'],
        });
    },
  };
}

/** Removes a cluster's objects from the source, the Cluster last: as long as it's there it says how far the move is. */
export function removeStep(group: ClusterGroup): MoveStep {
  const reversed = group.levels.toReversed();
  return {
    id: `remove ${group.id}`,
    title: 'Remove from the source',
    host: group.id,
    effect: 'none',
    check: async (context) => ((await readMark(context, group)).cluster === undefined ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const {mark: found} = await readMark(context, group);
      if (found?.phase !== 'removing')
        throw new TriremeError('api.conflict', `${group.id} isn't marked as verified at ${context.scope.source.server}: somebody changed it.`);
      await eachLevel(reversed, async (node) => removeFromSource(node, context));
      return `${flat(group.levels).length} objects removed`;
    },
  };
}

/** The webhooks let an object go that says that it moves; what it has made elsewhere stays as it is. */
async function removeFromSource(node: MoveNode, {scope, signal}: MoveContext): Promise<void> {
  const {source} = scope;
  const key = keyIn(node);
  const there = await source.get(node.resource, key, {signal});
  if (there === undefined) return;
  try {
    await source.patch(node.resource, key, {type: 'merge', body: {metadata: {annotations: {[deleteForMoveAnnotation]: ''}}}}, {signal});
    await source.remove(node.resource, key, {signal, ...(there.metadata.uid === undefined ? {} : {uid: there.metadata.uid})});
    await dropFinalizers(source, node, signal);
  } catch (error) {
    if (!isTriremeError(error) || error.code !== 'api.not-found') throw error;
  }
  const gone = await waitFor(async () => ((await source.get(node.resource, key, {signal}))?.metadata.uid === there.metadata.uid ? undefined : true), {
    ...goneWithin,
    signal,
  });
  if (gone === undefined) throw new TriremeError('wait.timed-out', `${node.key} doesn't go away at ${source.server}.`);
}

/** Removes shared objects that no cluster at the source uses any more. */
export function sharedRemovalStep(levels: readonly (readonly MoveNode[])[], clusters: Resource): MoveStep {
  const removable = async (context: MoveContext) => {
    const {items} = await context.scope.source.list(clusters, {signal: context.signal});
    const classes = new Set(items.flatMap((cluster) => classOf(cluster) ?? []));
    const namespaces = new Set(items.map((cluster) => cluster.metadata.namespace));
    const isKept = (node: MoveNode) => {
      const {namespace, name} = node.object.metadata;
      return !node.resource.namespaced || (isClusterClass(node.object) ? classes.has(`${namespace}/${name}`) : namespaces.has(namespace));
    };
    const kept = new Set<string>();
    for (const node of flat(levels)) if (isKept(node) || node.owners.some((owner) => kept.has(owner))) kept.add(node.key);
    return levels.map((level) => level.filter((node) => !kept.has(node.key)));
  };
  const present = async (context: MoveContext) => {
    const read = await Promise.all(
      flat(await removable(context)).map((node) => context.scope.source.get(node.resource, keyIn(node), {signal: context.signal})),
    );
    return read.some((object) => object !== undefined);
  };
  return {
    id: 'remove shared',
    title: 'Remove what no cluster at the source uses any more',
    effect: 'none',
    check: async (context) => ((await present(context)) ? 'needed' : 'satisfied'),
    apply: async (context) => {
      const left = await removable(context);
      await eachLevel(left.toReversed(), async (node) => removeFromSource(node, context));
      return `${flat(left).length} objects removed`;
    },
  };
}
