// Which clusters this person works with: a list that only saves typing. Whatever is in it can be found again from the files.
import {readFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {writeFileAtomic} from '../kernel/files.ts';
import type {DesiredCluster} from '../spec/desired.ts';

export interface KnownCluster {
  readonly name: string;
  readonly mode: string;
  /** Absolute paths of the files that describe it; empty when they came over standard input. */
  readonly files: readonly string[];
  /** Digest of those files when it was last seen. */
  readonly digest: string;
  readonly hosts: readonly {readonly name: string; readonly address: string; readonly role: string}[];
  /** Controller mode: absolute path of the management cluster's kubeconfig. Absent: what kubectl uses. */
  readonly kubeconfig?: string;
  /** Controller mode: the kubeconfig's context. Absent: its current one. */
  readonly context?: string;
  /** Controller mode: where the cluster's objects are. */
  readonly namespace?: string;
}

/** Where the objects of a cluster in controller mode are. */
export type KnownPlace = Pick<KnownCluster, 'kubeconfig' | 'context' | 'namespace'>;

interface Content {
  readonly version: 1;
  readonly clusters: readonly KnownCluster[];
}

const pathIn = (folder: string) => join(folder, 'clusters.json');

/** All known clusters by name in order. A list that's missing or can't be read is empty. `folder` is the state folder. */
export async function listKnownClusters(folder: string): Promise<readonly KnownCluster[]> {
  try {
    const content = JSON.parse(await readFile(pathIn(folder), 'utf8')) as Partial<Content>;
    return Array.isArray(content.clusters) ? content.clusters.filter(isKnownCluster) : [];
  } catch {
    return [];
  }
}

function isKnownCluster(value: unknown): value is KnownCluster {
  const cluster = value as Partial<KnownCluster> | null;
  return typeof cluster?.name === 'string' && typeof cluster.mode === 'string' && Array.isArray(cluster.files) && Array.isArray(cluster.hosts);
}

/** The known cluster with this name; undefined when there are several, too. */
export async function findKnownCluster(folder: string, name: string): Promise<KnownCluster | undefined> {
  const found = (await listKnownClusters(folder)).filter((cluster) => cluster.name === name);
  return found.length === 1 ? found[0] : undefined;
}

/** Records a cluster that files describe, in the place of the same one as it was. Touches nothing when all is as before. */
export async function rememberCluster(folder: string, cluster: DesiredCluster): Promise<void> {
  const {metadata, spec} = cluster.document;
  await remember(folder, {
    name: metadata.name,
    mode: spec.mode,
    files: cluster.source.files.filter((file) => file !== '-' && file !== '<stdin>').map((file) => resolve(file)),
    digest: cluster.source.digest,
    hosts: (spec.agent?.hosts ?? []).map(({name, address, role}) => ({name, address, role})),
    ...(spec.mode === 'controller' ? placeOf(cluster) : {}),
  });
}

/** Where the file says that the cluster's objects are; the kubeconfig's path is relative to the file. */
function placeOf(cluster: DesiredCluster): KnownPlace {
  const {kubeconfig, context, namespace = 'default'} = cluster.document.spec.controller ?? {};
  return {
    ...(kubeconfig === undefined ? {} : {kubeconfig: resolve(cluster.source.folder, kubeconfig)}),
    ...(context === undefined ? {} : {context}),
    namespace,
  };
}

async function remember(folder: string, known: KnownCluster): Promise<void> {
  const before = await listKnownClusters(folder);
  if (JSON.stringify(before.find((one) => isSameCluster(one, known))) === JSON.stringify(known)) return;
  await write(folder, [...before.filter((one) => !isSameCluster(one, known)), known]);
}

/** In controller mode the same name may be in several management clusters and namespaces. */
function isSameCluster(a: KnownCluster, b: KnownCluster): boolean {
  if (a.name !== b.name) return false;
  if (a.mode !== 'controller' || b.mode !== 'controller') return true;
  if (a.files.length > 0 && a.files.join('\n') === b.files.join('\n')) return true;
  return a.kubeconfig === b.kubeconfig && a.context === b.context && a.namespace === b.namespace;
}

/** Takes a cluster off the list; true when it was on it. With a place, only the one that is there. */
export async function forgetCluster(folder: string, name: string, place?: KnownPlace): Promise<boolean> {
  const before = await listKnownClusters(folder);
  const isMeant = (one: KnownCluster) =>
    one.name === name && (place === undefined || (one.kubeconfig === place.kubeconfig && one.context === place.context && one.namespace === place.namespace));
  const after = before.filter((one) => !isMeant(one));
  if (after.length === before.length) return false;
  await write(folder, after);
  return true;
}

async function write(folder: string, clusters: readonly KnownCluster[]): Promise<void> {
  const content: Content = {version: 1, clusters: clusters.toSorted((a, b) => (a.name < b.name ? -1 : 1))};
  await writeFileAtomic(pathIn(folder), `${JSON.stringify(content, null, 2)}\n`, {mode: 0o600});
}
