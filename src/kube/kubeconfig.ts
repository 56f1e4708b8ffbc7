// Kubeconfigs as data: read, named, and merged into a person's own without touching what isn't ours.
import {chmod, copyFile, mkdir, open, readFile, realpath, rm} from 'node:fs/promises';
import {dirname} from 'node:path';
import {isMap, parseDocument, stringify} from 'yaml';
import {canonicalJson} from '../kernel/digest.ts';
import {TriremeError} from '../kernel/errors.ts';
import {writeFileAtomic} from '../kernel/files.ts';
import {waitFor} from '../kernel/retry.ts';

type Body = Readonly<Record<string, unknown>>;
interface Cluster {
  readonly name: string;
  readonly cluster: Body;
}
interface User {
  readonly name: string;
  readonly user: Body;
}
interface Context {
  readonly name: string;
  readonly context: Body & {readonly cluster: string; readonly user: string; readonly namespace?: string};
}

export interface Kubeconfig {
  readonly apiVersion: 'v1';
  readonly kind: 'Config';
  readonly clusters: readonly Cluster[];
  readonly users: readonly User[];
  readonly contexts: readonly Context[];
  readonly 'current-context': string;
  /** Whatever else is in the file: preferences, extensions. */
  readonly [key: string]: unknown;
}

/** Reads a kubeconfig; an empty text is an empty one. Throws `kubeconfig.invalid`, naming the place. */
export function parseKubeconfig(text: string, place: string): Kubeconfig {
  const document = parseDocument(text);
  const invalid = (why: string) =>
    new TriremeError('kubeconfig.invalid', `The kubeconfig ${place} can't be read: ${why}.`, {hints: ['Look at it: kubectl config view']});
  if (document.errors[0] !== undefined) throw invalid(document.errors[0].message.split('\n')[0] ?? 'it is not YAML');
  if (document.contents !== null && !isMap(document.contents)) throw invalid('it is not a map');
  const value = (document.toJS() ?? {}) as Record<string, unknown>;
  const list = <T>(key: string, field: string): readonly T[] => {
    const entries = value[key] ?? [];
    if (!Array.isArray(entries)) throw invalid(`${key} isn't a list`);
    for (const entry of entries) {
      const one = entry as Record<string, unknown> | null;
      if (typeof one?.['name'] !== 'string') throw invalid(`an entry of ${key} has no name`);
      if (one[field] !== null && typeof one[field] !== 'object') throw invalid(`${key} ${one['name']} has no ${field}`);
    }
    return entries as readonly T[];
  };
  const current = value['current-context'] ?? '';
  return {
    ...value,
    apiVersion: 'v1',
    kind: 'Config',
    clusters: list<Cluster>('clusters', 'cluster'),
    users: list<User>('users', 'user'),
    contexts: list<Context>('contexts', 'context'),
    'current-context': typeof current === 'string' ? current : '',
  };
}

/** The text of a kubeconfig. */
export function renderKubeconfig(config: Kubeconfig): string {
  return stringify(config, {lineWidth: 0});
}

/** The one cluster of a kubeconfig under our own names: context and cluster `NAME`, user `NAME-admin`. Throws `kubeconfig.invalid`. */
export function nameKubeconfig(config: Kubeconfig, name: string, place: string): Kubeconfig {
  const context = config.contexts.find((one) => one.name === config['current-context']) ?? config.contexts[0];
  const cluster = config.clusters.find((one) => one.name === context?.context.cluster);
  const user = config.users.find((one) => one.name === context?.context.user);
  if (context === undefined || cluster === undefined || user === undefined)
    throw new TriremeError('kubeconfig.invalid', `The kubeconfig ${place} has no complete context.`, {hints: ['Get it again: trireme cluster kubeconfig']});
  const admin = `${name}-admin`;
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{name, cluster: cluster.cluster}],
    users: [{name: admin, user: user.user}],
    contexts: [{name, context: {...context.context, cluster: name, user: admin}}],
    'current-context': name,
  };
}

export interface MergeOptions {
  /** Take the place of entries that have our names and are another cluster's. */
  readonly overwrite?: boolean;
  /** Make the incoming context the current one; else the current one stays. */
  readonly switchContext?: boolean;
  /** For messages. */
  readonly place: string;
}

/**
 * Lays `incoming` over `existing` by name. An entry with the same name that points at another API server belongs to somebody else: that throws
 * `kubeconfig.conflict`, naming the entries, unless `overwrite` is given. An empty current context is filled only where there's no other context.
 */
export function mergeKubeconfig(existing: Kubeconfig, incoming: Kubeconfig, options: MergeOptions): Kubeconfig {
  const conflicts = options.overwrite === true ? [] : conflictsOf(existing, incoming);
  if (conflicts.length > 0) {
    throw new TriremeError('kubeconfig.conflict', `${options.place} already has ${conflicts.join(' and ')}, and not for this cluster.`, {
      hints: ['Take their place: --overwrite', 'Or give ours another name: --context-name NAME, or another file: --into FILE'],
    });
  }
  const isFirst = existing.contexts.length === 0 && existing['current-context'] === '';
  return {
    ...existing,
    clusters: mergeByName(existing.clusters, incoming.clusters),
    users: mergeByName(existing.users, incoming.users),
    contexts: mergeByName(existing.contexts, incoming.contexts).map((context) => keepNamespace(context, existing.contexts)),
    'current-context': options.switchContext === true || isFirst ? incoming['current-context'] : existing['current-context'],
  };
}

function conflictsOf(existing: Kubeconfig, incoming: Kubeconfig): readonly string[] {
  const strangers = incoming.clusters.filter((one) => {
    const before = existing.clusters.find((other) => other.name === one.name);
    return (
      before !== undefined &&
      before.cluster?.['server'] !== one.cluster['server'] &&
      before.cluster?.['certificate-authority-data'] !== one.cluster['certificate-authority-data']
    );
  });
  const ours = new Map(incoming.contexts.map((one) => [one.name, one.context] as const));
  const contexts = existing.contexts.filter((one) => {
    const mine = ours.get(one.name);
    return mine !== undefined && one.context?.cluster !== mine.cluster;
  });
  // a user's name is ours when a context binds it to our cluster, or when nobody uses it
  const users = incoming.users.filter((one) =>
    existing.contexts.some((other) => other.context?.user === one.name && !incoming.clusters.some((cluster) => cluster.name === other.context?.cluster)),
  );
  return [
    ...strangers.map((one) => `the cluster ${one.name}`),
    ...contexts.map((one) => `the context ${one.name}`),
    ...users.map((one) => `the user ${one.name}`),
  ];
}

function mergeByName<T extends {readonly name: string}>(existing: readonly T[], incoming: readonly T[]): readonly T[] {
  const news = new Map(incoming.map((one) => [one.name, one] as const));
  const kept = existing.map((one) => news.get(one.name) ?? one);
  return [...kept, ...incoming.filter((one) => !existing.some((other) => other.name === one.name))];
}

/** The namespace that a person has set in our context is theirs. */
function keepNamespace(context: Context, before: readonly Context[]): Context {
  const namespace = before.find((one) => one.name === context.name)?.context?.namespace;
  return namespace === undefined || context.context.namespace !== undefined ? context : {...context, context: {...context.context, namespace}};
}

export interface WriteResult {
  readonly path: string;
  readonly changed: boolean;
  /** The file as it was before, when there was one and it changed. */
  readonly backup?: string;
  readonly currentContext: string;
}

/** In ms. */
const lockWait = {timeout: 5000, interval: 50};

/**
 * Merges into the file at `path`: 0600, atomically, under kubectl's own lock, the file before kept beside it. Nothing is written when nothing
 * changes. Throws `kubeconfig.invalid`, `kubeconfig.conflict`, `kubeconfig.locked`.
 */
export async function writeMergedKubeconfig(
  path: string,
  incoming: Kubeconfig,
  options: Omit<MergeOptions, 'place'> & {readonly now?: () => Date} = {},
): Promise<WriteResult> {
  const target = await realpath(path).catch(() => path); // a link stays a link
  await mkdir(dirname(target), {recursive: true, mode: 0o700});
  return withLock(target, async () => {
    const text = await readText(target);
    const existing = parseKubeconfig(text ?? '', path);
    const merged = mergeKubeconfig(existing, incoming, {...options, place: path});
    const currentContext = merged['current-context'];
    if (text !== undefined && canonicalJson(existing) === canonicalJson(merged)) return {path, changed: false, currentContext};
    const backup = text === undefined ? undefined : backupOf(target, options.now);
    if (backup !== undefined) await backUp(target, backup);
    await writeFileAtomic(target, renderKubeconfig(merged), {mode: 0o600});
    return {path, changed: true, currentContext, ...(backup === undefined ? {} : {backup})};
  });
}

/**
 * Takes a cluster's entries out of the file at `path`, where they are this server's: its cluster, the contexts on it, and our user. The file
 * before is kept beside it. Returns whether anything changed; a file that isn't there, or can't be read, is left alone.
 */
export async function removeFromKubeconfig(path: string, gone: {readonly name: string; readonly server: string; readonly now?: () => Date}): Promise<boolean> {
  const target = await realpath(path).catch(() => path);
  const text = await readText(target).catch(() => undefined);
  if (text === undefined) return false;
  return withLock(target, async () => {
    const existing = parseKubeconfig((await readText(target)) ?? '', path);
    const left = withoutCluster(existing, gone.name, gone.server);
    if (left === undefined) return false;
    await backUp(target, backupOf(target, gone.now));
    await writeFileAtomic(target, renderKubeconfig(left), {mode: 0o600});
    return true;
  });
}

/** The kubeconfig without the cluster; undefined when it has none of this name at this server. */
export function withoutCluster(config: Kubeconfig, name: string, server: string): Kubeconfig | undefined {
  const place = (url: unknown) => String(url).replace(/^https?:\/\//, '');
  if (!config.clusters.some((one) => one.name === name && place(one.cluster?.['server']) === place(server))) return undefined;
  const contexts = config.contexts.filter((one) => one.context?.cluster !== name);
  const admin = `${name}-admin`;
  const isUsed = contexts.some((one) => one.context?.user === admin);
  const current = contexts.some((one) => one.name === config['current-context']) ? config['current-context'] : '';
  return {
    ...config,
    clusters: config.clusters.filter((one) => one.name !== name),
    users: config.users.filter((one) => one.name !== admin || isUsed),
    contexts,
    'current-context': current,
  };
}

function backupOf(target: string, now: () => Date = () => new Date()): string {
  return `${target}.before-trireme-${now().toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '')}`;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new TriremeError('kubeconfig.invalid', `The kubeconfig ${path} can't be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}.`, {
      cause: error,
    });
  }
}

async function backUp(path: string, backup: string): Promise<void> {
  await copyFile(path, backup);
  await chmod(backup, 0o600);
}

/** kubectl makes PATH.lock, exclusively, while it changes PATH. */
async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  const file = await waitFor(async () => {
    try {
      return await open(lock, 'wx', 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
      throw error;
    }
  }, lockWait);
  if (file === undefined)
    throw new TriremeError('kubeconfig.locked', `${lock} exists: another program is changing the kubeconfig.`, {hints: [`When none is: rm ${lock}`]});
  try {
    await file.close();
    return await work();
  } finally {
    await rm(lock, {force: true});
  }
}
