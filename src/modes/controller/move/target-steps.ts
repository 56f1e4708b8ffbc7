// Steps at the target: copies are made, compared, and set to work when the source is gone.
import {TriremeError} from '../../../kernel/errors.ts';
import {mapPool} from '../../../kernel/pool.ts';
import type {Resource} from '../../../kube/api.ts';
import {copyOf, differences} from './content.ts';
import {ensureCopied, withoutType, type CopyContext} from './copy.ts';
import {flat, type ClusterGroup, type MoveNode} from './graph.ts';
import {movedFromAnnotation} from './names.ts';
import {keyIn} from './scope.ts';
import {eachLevel, readMark, window, writeMark, type MoveContext, type MoveIdentity, type MoveStep} from './step-context.ts';

/** Makes the namespaces that are missing at the target. */
export function namespacesStep(names: readonly string[]): MoveStep {
  const resource: Resource = {group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false};
  const missing = async (context: MoveContext) => {
    const read = await Promise.all(names.map(async (name) => [name, await context.scope.target.get(resource, {name}, {signal: context.signal})] as const));
    return read.filter(([, found]) => found === undefined).map(([name]) => name);
  };
  return {
    id: 'namespaces',
    title: 'Make namespaces at the target',
    effect: 'none',
    check: async (context) => ((await missing(context)).length === 0 ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const names = await missing(context);
      for (const name of names) await context.scope.target.create({apiVersion: 'v1', kind: 'Namespace', metadata: {name}}, {signal: context.signal});
      return `made ${names.join(', ')}`;
    },
  };
}

/** Copies what clusters share: classes and their templates, resource sets, identities. */
export function sharedStep(levels: readonly (readonly MoveNode[])[], identity: MoveIdentity): MoveStep {
  return copyStep({id: 'shared', title: 'Copy what clusters share', levels, identity, keepOthers: true});
}

/** Copies a cluster's objects in the order of their owners. */
export function clusterCopyStep(group: ClusterGroup, identity: MoveIdentity): MoveStep {
  return {...copyStep({id: `copy ${group.id}`, title: 'Copy', levels: group.levels, identity, keepOthers: false, group}), host: group.id};
}

interface CopyStepOptions {
  readonly id: string;
  readonly title: string;
  readonly levels: readonly (readonly MoveNode[])[];
  readonly identity: MoveIdentity;
  readonly keepOthers: boolean;
  readonly group?: ClusterGroup;
}

function copyStep({id, title, levels, identity, keepOthers, group}: CopyStepOptions): MoveStep {
  const nodes = flat(levels);
  return {
    id,
    title,
    effect: 'none',
    check: async (context) => {
      if (group !== undefined) {
        const {cluster, mark: found} = await readMark(context, group);
        if (cluster === undefined || found?.phase === 'removing') return 'satisfied';
      }
      return nodes.length === 0 ? 'satisfied' : 'needed';
    },
    apply: async (context) => {
      if (group !== undefined) await requireOurs(context, group, identity);
      const copying: CopyContext = {scope: context.scope, signal: context.signal, from: identity.from, nodes: identity.nodes, keepOthers};
      let made = 0;
      await eachLevel(levels, async (node) => {
        if (await ensureCopied(node, copying)) made += 1;
      });
      return `${made} of ${nodes.length} objects copied, ${nodes.length - made} were there`;
    },
  };
}

/** A Cluster of this name at the target that didn't come from our source is somebody else's. */
async function requireOurs(context: MoveContext, group: ClusterGroup, identity: MoveIdentity): Promise<void> {
  const there = await context.scope.target.get(group.cluster.resource, keyIn(group.cluster), {signal: context.signal});
  if (there === undefined || there.metadata.annotations?.[movedFromAnnotation] === identity.from) return;
  throw new TriremeError('api.conflict', `${context.scope.target.server} has a cluster ${group.id} already, and it isn't a copy of this one.`);
}

/** Compares both sides object by object; only then may the source go. */
export function verifyStep(group: ClusterGroup, identity: MoveIdentity): MoveStep {
  const nodes = flat(group.levels);
  return {
    id: `verify ${group.id}`,
    title: 'Verify the copy',
    host: group.id,
    effect: 'none',
    check: async (context) => {
      const {cluster, mark: found} = await readMark(context, group);
      return cluster === undefined || found?.phase === 'removing' ? 'satisfied' : 'needed';
    },
    apply: async (context) => {
      const outcomes = await mapPool(nodes, window, async (node) => wrongWith(node, context, identity));
      const wrong = outcomes.flatMap((one) => {
        if (one.status === 'rejected') throw one.reason;
        return one.value;
      });
      if (wrong.length > 0)
        throw new TriremeError(
          'run.failed',
          `The copy of ${group.id} isn't whole: ${wrong.slice(0, 5).join('; ')}${wrong.length > 5 ? ` and ${wrong.length - 5} more` : ''}.`,
          {
            hints: ['Nothing was removed from the source. Run the move again.'],
          },
        );
      if (!identity.isRestore) await writeMark(context, group, identity.to, 'removing');
      return `${nodes.length} objects are the same on both sides`;
    },
  };
}

async function wrongWith(node: MoveNode, context: MoveContext, identity: MoveIdentity): Promise<readonly string[]> {
  const {scope, signal} = context;
  const [fresh, there] = await Promise.all([scope.source.get(node.resource, keyIn(node), {signal}), scope.target.get(node.resource, keyIn(node), {signal})]);
  if (fresh === undefined) return [`${node.key} is gone from the source`];
  if (there === undefined) return [`${node.key} is missing at the target`];
  const uids = new Map<string, string>();
  for (const owner of node.owners) {
    const above = identity.nodes.get(owner);
    if (above !== undefined) uids.set(owner, await scope.targetUid(above, signal));
  }
  const copy = copyOf({...node, object: {...fresh, apiVersion: node.object.apiVersion, kind: node.object.kind}}, (key) => uids.get(key) ?? '', identity.from);
  return differences(withoutType(copy), there).map((path) => `${node.key} differs in ${path}`);
}

/** Lets the target's controllers work, and only when the source's Cluster is gone: never both. */
export function unpauseStep(group: ClusterGroup, identity: MoveIdentity): MoveStep {
  return {
    id: `unpause ${group.id}`,
    title: 'Unpause at the target',
    host: group.id,
    effect: 'none',
    check: async (context) => {
      const there = await context.scope.target.get(group.cluster.resource, keyIn(group.cluster), {signal: context.signal});
      return there !== undefined && there.metadata.annotations?.[movedFromAnnotation] === undefined ? 'satisfied' : 'needed';
    },
    apply: async (context) => {
      if (!identity.isRestore && (await readMark(context, group)).cluster !== undefined)
        throw new TriremeError('api.conflict', `${group.id} is still at ${context.scope.source.server}; it stays paused on both sides.`);
      await requireOurs(context, group, identity);
      const body = {metadata: {annotations: {[movedFromAnnotation]: null}}, spec: {paused: null}};
      await context.scope.target.patch(group.cluster.resource, keyIn(group.cluster), {type: 'merge', body}, {signal: context.signal});
    },
  };
}
