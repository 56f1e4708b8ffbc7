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
}

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

/** The known cluster with this name. */
export async function findKnownCluster(folder: string, name: string): Promise<KnownCluster | undefined> {
  return (await listKnownClusters(folder)).find((cluster) => cluster.name === name);
}

/** Records a cluster, in the place of one with the same name. Touches nothing when all is as before. */
export async function rememberCluster(folder: string, cluster: DesiredCluster): Promise<void> {
  const {metadata, spec} = cluster.document;
  const known: KnownCluster = {
    name: metadata.name,
    mode: spec.mode,
    files: cluster.source.files.filter((file) => file !== '-').map((file) => resolve(file)),
    digest: cluster.source.digest,
    hosts: (spec.agent?.hosts ?? []).map(({name, address, role}) => ({name, address, role})),
  };
  const before = await listKnownClusters(folder);
  if (JSON.stringify(before.find((one) => one.name === known.name)) === JSON.stringify(known)) return;
  await write(folder, [...before.filter((one) => one.name !== known.name), known]);
}

/** Takes a cluster off the list; true when it was on it. */
export async function forgetCluster(folder: string, name: string): Promise<boolean> {
  const before = await listKnownClusters(folder);
  const after = before.filter((one) => one.name !== name);
  if (after.length === before.length) return false;
  await write(folder, after);
  return true;
}

async function write(folder: string, clusters: readonly KnownCluster[]): Promise<void> {
  const content: Content = {version: 1, clusters: clusters.toSorted((a, b) => (a.name < b.name ? -1 : 1))};
  await writeFileAtomic(pathIn(folder), `${JSON.stringify(content, null, 2)}\n`, {mode: 0o600});
}
