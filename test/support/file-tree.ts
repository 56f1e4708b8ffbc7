// What lies below a folder, to hold against what lay there before.
import {readdir} from 'node:fs/promises';
import {join, relative} from 'node:path';

/** Every path below a host's root, but for what isn't files: /proc and /sys. */
export async function pathsBelow(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, {recursive: true, withFileTypes: true});
  return entries
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !/^(proc|sys)(\/|$)/.test(path))
    .toSorted();
}
