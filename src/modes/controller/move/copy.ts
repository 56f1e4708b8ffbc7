// Makes one object at the target what it is at the source. Idempotent: what is there and whole stays.
import {TriremeError, isTriremeError} from '../../../kernel/errors.ts';
import {waitFor} from '../../../kernel/retry.ts';
import type {KubeObject} from '../../../kube/object.ts';
import {copyOf, differences} from './content.ts';
import type {MoveNode} from './graph.ts';
import {keyIn, type MoveScope, type MoveSource} from './scope.ts';

export interface CopyContext {
  readonly scope: MoveScope;
  readonly signal: AbortSignal;
  /** Id of the source. */
  readonly from: string;
  /** Owners by key. */
  readonly nodes: ReadonlyMap<string, MoveNode>;
  /** What is there and differs isn't ours to replace. */
  readonly keepOthers: boolean;
}

/** How long an object may take to be gone, in ms. */
const goneWithin = {timeout: 30_000, interval: 200};

/** True when something had to be made. Throws `plan.refused` when another object has the place. */
export async function ensureCopied(node: MoveNode, context: CopyContext): Promise<boolean> {
  const {scope, signal} = context;
  const fresh = await scope.source.get(node.resource, keyIn(node), {signal});
  if (fresh === undefined) throw new TriremeError('api.not-found', `${node.key} is gone from ${scope.source.server} since the plan was made.`);
  const uids = new Map<string, string>();
  for (const owner of node.owners) {
    const above = context.nodes.get(owner);
    if (above !== undefined) uids.set(owner, await scope.targetUid(above, signal));
  }
  const current: MoveNode = {...node, object: {...fresh, apiVersion: node.object.apiVersion, kind: node.object.kind}};
  const copy = copyOf(current, (key) => uids.get(key) ?? '', context.from);
  const there = await scope.target.get(node.resource, keyIn(node), {signal});
  if (there !== undefined) {
    const differ = differences(withoutType(copy), there);
    if (differ.length === 0 || !node.resource.namespaced) {
      scope.learn(node.key, there.metadata.uid ?? '');
      return false;
    }
    if (context.keepOthers)
      throw new TriremeError('plan.refused', `${node.key} is at ${scope.target.server} already, and differs: ${differ.slice(0, 5).join(', ')}.`, {
        hints: ['Make both the same, or give one of them another name; then run the move again.'],
      });
    await removeNow(scope, node, there, signal);
  }
  const made = await scope.target.create(copy, {signal});
  scope.learn(node.key, made.metadata.uid ?? '');
  await giveBackFields(scope, node, current.object, signal);
  return true;
}

/** Controllers apply their fields by server-side apply: without their ownership they could never remove one again, so it moves too. */
async function giveBackFields(scope: MoveScope, node: MoveNode, source: KubeObject, signal: AbortSignal): Promise<void> {
  const {managedFields} = source.metadata;
  if (managedFields === undefined || managedFields.length === 0) return;
  const kept = managedFields.filter((one) => one.subresource !== 'status');
  await scope.target.patch(node.resource, keyIn(node), {type: 'merge', body: {metadata: {managedFields: kept}}}, {signal});
}

/** Takes an object away at once: a copy that was cut short, which no controller looks at since its cluster is paused. */
async function removeNow(scope: MoveScope, node: MoveNode, there: KubeObject, signal: AbortSignal): Promise<void> {
  await scope.target.remove(node.resource, keyIn(node), {
    signal,
    propagation: 'Orphan',
    ...(there.metadata.uid === undefined ? {} : {uid: there.metadata.uid}),
  });
  await dropFinalizers(scope.target, node, signal);
  const gone = await waitFor(async () => ((await scope.target.get(node.resource, keyIn(node), {signal})) === undefined ? true : undefined), {
    ...goneWithin,
    signal,
  });
  if (gone === undefined) throw new TriremeError('wait.timed-out', `An earlier copy of ${node.key} doesn't go away at ${scope.target.server}.`);
}

/** An object with a deletion time and no finalizers is gone. One that is gone already is fine. */
export async function dropFinalizers(api: MoveSource, node: MoveNode, signal: AbortSignal): Promise<void> {
  try {
    await api.patch(node.resource, keyIn(node), {type: 'merge', body: {metadata: {finalizers: null}}}, {signal});
  } catch (error) {
    if (!isTriremeError(error) || error.code !== 'api.not-found') throw error;
  }
}

/** What the target must hold: without what says which kind it is, which a list leaves out. */
export function withoutType({apiVersion: _apiVersion, kind: _kind, ...rest}: KubeObject): Readonly<Record<string, unknown>> {
  return rest;
}
