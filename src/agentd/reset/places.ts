// Files and mounts: what came with us goes, what was there before stays.
import {lstat, readdir, rm, rmdir} from 'node:fs/promises';
import {dirname, join, relative} from 'node:path';
import {edges, mountPoints, singleFiles, trees, type Baseline} from '../baseline.ts';
import {isMissing, lastLine, type HostSystem} from '../host-system.ts';
import type {ResetLog} from './report.ts';

/** Unmounts what lies in our trees, the deepest first. */
export async function unmountAll(host: HostSystem, baseline: Baseline | undefined, log: ResetLog): Promise<void> {
  const before = new Set(baseline?.mounts);
  const inTrees = (path: string) => trees.some((tree) => path.startsWith(`${tree}/`) || path === tree) || path.startsWith('/var/run/netns/');
  const mounts = (await mountPoints(host)).filter((path) => inTrees(path) && !before.has(path)).toReversed();
  for (const path of mounts) {
    await log.attempt(`mount ${path}`, async () => {
      // lazily: a process that was killed a moment ago may still be on its way out
      const result = await host.run('umount', ['--lazy', '--no-mtab', path], {deadline: 30_000});
      if (result.code !== 0 && (await mountPoints(host)).includes(path)) throw new Error(lastLine(result));
    });
  }
  if (mounts.length > 0) log.removed(`${mounts.length} mount${mounts.length === 1 ? '' : 's'}`);
}

export interface Ours {
  /** Programs that we installed. */
  readonly programs: readonly string[];
  /** Files of the user's file, and whether they were there before. */
  readonly files: Readonly<Record<string, boolean>>;
}

export async function removeFiles(host: HostSystem, baseline: Baseline | undefined, ours: Ours, log: ResetLog): Promise<void> {
  const present = new Set(baseline?.present);
  for (const tree of trees) await log.attempt(tree, () => removeNew(host, tree, baseline?.trees[tree] ?? null, log));
  for (const path of [...ours.programs, ...singleFiles]) {
    if (present.has(path)) log.kept(path, 'it was there before, and its content was replaced');
    else await log.attempt(path, () => removeOne(host, path, log));
  }
  for (const [path, wasThere] of Object.entries(ours.files)) {
    if (wasThere) log.kept(path, "it was there before, and has what the cluster's file said");
    else await log.attempt(path, () => removeOne(host, path, log));
  }
  if (baseline === undefined) return;
  for (const edge of edges) if (!present.has(edge)) await removeIfEmpty(host, edge);
}

async function removeOne(host: HostSystem, path: string, log: ResetLog): Promise<void> {
  if (!(await host.exists(path))) return;
  await host.remove(path);
  log.removed(path);
}

/** Takes away what isn't in `before`; the folder itself, too, when it wasn't there. */
async function removeNew(host: HostSystem, tree: string, before: Baseline['trees'][string], log: ResetLog): Promise<void> {
  if (!(await host.exists(tree))) return;
  if (before === 'many') {
    log.kept(tree, 'it held so much before that what came later could not be told apart');
    return;
  }
  if (before === null) {
    await removeTree(host, tree);
    log.removed(tree);
    return;
  }
  const known = new Set(before);
  const root = host.path(tree);
  const entries = await readdir(root, {recursive: true, withFileTypes: true});
  // children before their folders
  const paths = entries.map((entry) => ({entry, path: join(entry.parentPath, entry.name)})).toReversed();
  let count = 0;
  for (const {entry, path} of paths.toSorted((a, b) => b.path.length - a.path.length)) {
    if (known.has(relative(root, path))) continue;
    if (entry.isDirectory()) await rmdir(path).catch(() => {});
    else await rm(path, {force: true});
    count += 1;
  }
  if (count > 0) log.removed(`${count} entr${count === 1 ? 'y' : 'ies'} in ${tree}`);
  if (known.size > 0) log.kept(tree, 'it was there before, with what it held');
}

/** Removes a folder with everything in it; of one that is a file system of its own, what is in it. */
export async function removeTree(host: HostSystem, path: string): Promise<void> {
  const real = host.path(path);
  if (!host.simulated && (await isMountPoint(real))) {
    for (const name of await readdir(real)) await rm(join(real, name), {recursive: true, force: true});
    return;
  }
  await rm(real, {recursive: true, force: true, maxRetries: 3});
}

async function isMountPoint(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).dev !== (await lstat(dirname(path))).dev;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

export async function removeIfEmpty(host: HostSystem, path: string): Promise<void> {
  await rmdir(host.path(path)).catch(() => {});
}
