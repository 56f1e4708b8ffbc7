// Saves clusters to a folder: the source stops, is written out, and works on.
import {TriremeError} from '../../../kernel/errors.ts';
import {valueAt} from '../../../kube/object.ts';
import type {Plan} from '../../../plan/plan.ts';
import {digestsOf, fileNameOf, writeIndex, writeObject} from './folder.ts';
import {flat, type ClusterGroup, type MoveNode} from './graph.ts';
import {markOf, moveAnnotation} from './names.ts';
import {chosenGroups, hostPlanOf} from './plan.ts';
import type {SideFacts} from './read.ts';
import {keyIn, type MoveScope} from './scope.ts';
import {pauseStep} from './source-steps.ts';
import type {MoveContext, MoveIdentity, MoveStep} from './step-context.ts';

/** What the mark of a cluster says that is being saved. */
const folderTarget = 'directory';

export interface SaveOptions {
  readonly clusters: readonly string[];
  /** Absolute. */
  readonly folder: string;
  readonly simulated: boolean;
}

/** Throws `cluster.not-found`, `plan.refused`. */
export function planSave(source: SideFacts, options: SaveOptions): Plan<MoveScope> {
  const {groups, shared} = chosenGroups(source.objects, options.clusters, source);
  if (groups.length === 0)
    throw new TriremeError('cluster.not-found', `There's no cluster to save at ${source.server}.`, {hints: ['List them: trireme cluster list -A']});
  const paused = groups.filter(
    (group) => valueAt(group.cluster.object, 'spec', 'paused') === true && markOf(group.cluster.object.metadata.annotations)?.to !== folderTarget,
  );
  if (paused.length > 0)
    throw new TriremeError('plan.refused', `Paused by somebody else: ${paused.map((group) => group.id).join(', ')}.`, {
      hints: ['Let them work first: trireme cluster resume'],
    });
  const nodes = [...flat(shared), ...groups.flatMap((group) => flat(group.levels))];
  const identity: MoveIdentity = {from: source.id, to: folderTarget, nodes: new Map(nodes.map((node) => [node.key, node])), isRestore: false};
  return {
    operation: 'save',
    subject: groups.length === 1 ? groups[0]!.cluster.object.metadata.name : 'clusters',
    mode: 'controller',
    simulated: options.simulated,
    hosts: groups.map(hostPlanOf),
    phases: [
      {title: 'Save', steps: groups.map((group) => saveStep(group, identity, options.folder))},
      {title: 'Write what clusters share', steps: [indexStep(groups, flat(shared), source.id, options.folder)]},
    ],
    basis: {source: source.id, clusters: groups.map((group) => group.id)},
    warnings: [{code: 'move.secrets', message: `${options.folder} will hold the clusters' secrets in clear (files 0600): keep it as you keep a private key.`}],
  };
}

/** A cluster stands still only while its objects are written, and works on whether that succeeds or not. */
function saveStep(group: ClusterGroup, identity: MoveIdentity, folder: string): MoveStep {
  const pause = pauseStep(group, identity);
  return {
    id: `save ${group.id}`,
    title: 'Save',
    host: group.id,
    effect: 'none',
    check: async () => 'needed',
    apply: async (context) => {
      try {
        await pause.apply(context);
        for (const node of flat(group.levels)) await writeNode(node, folder, context);
      } finally {
        await workOn(group, context);
      }
      return `${flat(group.levels).length} objects written to ${folder}`;
    },
  };
}

async function writeNode(node: MoveNode, folder: string, {scope, signal}: MoveContext): Promise<void> {
  const object = await scope.source.get(node.resource, keyIn(node), {signal});
  if (object === undefined) throw new TriremeError('api.not-found', `${node.key} is gone from ${scope.source.server} since the plan was made.`);
  await writeObject(folder, {...object, apiVersion: node.object.apiVersion, kind: node.object.kind});
}

async function workOn(group: ClusterGroup, {scope}: MoveContext): Promise<void> {
  const body = {metadata: {annotations: {[moveAnnotation]: null}}, spec: {paused: null}};
  // without the run's signal: a person who leaves doesn't leave a cluster paused
  await scope.source.patch(group.cluster.resource, keyIn(group.cluster), {type: 'merge', body}, {});
}

/** Last of all: the folder is whole when it has its index. */
function indexStep(groups: readonly ClusterGroup[], shared: readonly MoveNode[], source: string, folder: string): MoveStep {
  return {
    id: 'index',
    title: 'Write what clusters share',
    effect: 'none',
    check: async () => 'needed',
    apply: async (context) => {
      for (const node of shared) await writeNode(node, folder, context);
      const nodes = [...shared, ...groups.flatMap((group) => flat(group.levels))];
      await writeIndex(
        folder,
        source,
        await digestsOf(
          folder,
          nodes.map((node) => fileNameOf(node.object)),
        ),
      );
      return `${nodes.length} objects in all`;
    },
  };
}
