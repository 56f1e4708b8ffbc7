// What a person works with afterwards: the new management cluster's kubeconfig, and the file that names it.
import {readFile} from 'node:fs/promises';
import {isAbsolute, relative} from 'node:path';
import {canonicalJson} from '../../../kernel/digest.ts';
import {mergeKubeconfig, nameKubeconfig, parseKubeconfig, writeMergedKubeconfig, type Kubeconfig} from '../../../kube/kubeconfig.ts';
import type {Step, StepContext} from '../../../plan/plan.ts';
import type {DesiredCluster} from '../../../spec/desired.ts';
import {planEdit, writeEdit, type PlannedEdit} from '../../../spec/edit.ts';
import {readRecord, writeRecord} from './record.ts';
import type {PivotScope} from './scope.ts';

type PivotStep = Step<PivotScope>;

/** Text of the file; undefined where there's none. */
export async function readSaved(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Saves the new cluster's kubeconfig; before the move, for the bootstrap cluster has it no more after it. Throws `kubeconfig.conflict`. */
export function saveStep(path: string, host: string): PivotStep {
  const wanted = async ({scope, signal}: StepContext<PivotScope>): Promise<Kubeconfig> => {
    const named = nameKubeconfig(parseKubeconfig(await scope.kubeconfig(signal), `of ${scope.name}`), scope.name, `of ${scope.name}`);
    const {namespace} = scope.bootstrap;
    return {...named, contexts: named.contexts.map((one) => ({...one, context: {...one.context, namespace}}))};
  };
  return {
    id: 'pivot/kubeconfig',
    title: `Save the kubeconfig in ${path}`,
    host,
    effect: 'none',
    check: async (context) => {
      const text = await readSaved(path);
      if (text === undefined) return 'needed';
      const existing = parseKubeconfig(text, path);
      return canonicalJson(existing) === canonicalJson(mergeKubeconfig(existing, await wanted(context), {place: path})) ? 'satisfied' : 'needed';
    },
    apply: async (context) => {
      const {backup} = await writeMergedKubeconfig(path, await wanted(context));
      return backup === undefined ? undefined : `before: ${backup}`;
    },
  };
}

/** The edit that makes the file name the new management cluster. Throws `file.not-editable` and the like. */
export function planPointing(cluster: DesiredCluster, path: string): Promise<PlannedEdit> {
  const {name} = cluster.document.metadata;
  const near = relative(cluster.source.folder, path);
  const value = near.startsWith('..') || isAbsolute(near) ? path : near;
  return planEdit({
    files: cluster.source.files,
    name,
    edits: [
      {path: ['spec', 'controller', 'kubeconfig'], value},
      {path: ['spec', 'controller', 'context'], value: name, after: ['kubeconfig']},
    ],
  });
}

export function pointStep(cluster: DesiredCluster, path: string, host: string): PivotStep {
  return {
    id: 'pivot/file',
    title: `Name the new management cluster in ${cluster.source.files.join(', ')}`,
    host,
    effect: 'none',
    check: async () => ((await planPointing(cluster, path)).diff === '' ? 'satisfied' : 'needed'),
    apply: async () => {
      await writeEdit(await planPointing(cluster, path));
    },
  };
}

/** The last write: the bootstrap cluster keeps where the cluster went, and no credentials. */
export function closeStep(host: string): PivotStep {
  return {
    id: 'pivot/close',
    title: 'Take the credentials out of the bootstrap cluster',
    host,
    effect: 'none',
    check: async ({scope, signal}) => ((await readRecord(scope.bootstrap, scope.name, signal))?.state === 'done' ? 'satisfied' : 'needed'),
    apply: async ({scope, signal}) => {
      const {api} = await scope.target(signal);
      await writeRecord(scope.bootstrap, scope.name, {state: 'done', server: api.server, kubeconfig: ''}, signal);
    },
  };
}
