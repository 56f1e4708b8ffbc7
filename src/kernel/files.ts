// Files that are never half-written: temporary name, fsync, rename, fsync of the folder.
import {randomBytes} from 'node:crypto';
import {mkdir, open, readdir, rename, rm} from 'node:fs/promises';
import {dirname, join} from 'node:path';

export interface WriteOptions {
  /** Permission bits; default 0o644. */
  readonly mode?: number;
  /**
   * For a path that only this process writes: its writers take turns, and the temporary file has the same name every time, so that what a power cut
   * left of it is gone with the next write. Default: a name of its own, for writers that don't know of each other.
   */
  readonly soleWriter?: boolean;
}

/** By path: the last of the writes that take turns. */
const turns = new Map<string, Promise<void>>();

/** Writes `content` so that a reader, or a power cut, sees the old file or the new one. Folders are made as needed. */
export function writeFileAtomic(path: string, content: string | Uint8Array, {mode = 0o644, soleWriter = false}: WriteOptions = {}): Promise<void> {
  if (!soleWriter) return replaceFile(path, content, {mode, temporary: `${path}.${randomBytes(6).toString('hex')}.tmp`});
  const write = () => replaceFile(path, content, {mode, temporary: `${path}.trireme.tmp`});
  const turn = (turns.get(path) ?? Promise.resolve()).then(write, write);
  turns.set(path, turn);
  const forget = () => {
    if (turns.get(path) === turn) turns.delete(path);
  };
  turn.then(forget, forget);
  return turn;
}

async function replaceFile(path: string, content: string | Uint8Array, {mode, temporary}: {readonly mode: number; readonly temporary: string}): Promise<void> {
  const folder = dirname(path);
  const made = await mkdir(folder, {recursive: true});
  await rm(temporary, {force: true});
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, {force: true});
    throw error;
  }
  // a folder that is new has to have its own name on disk, too
  for (let at = folder; ; at = dirname(at)) {
    await syncFolder(at);
    if (made === undefined || at === dirname(made)) break;
  }
}

/**
 * Puts all that other programs wrote into a folder onto the disk: its files, and the folders with their names, so many levels deep. A folder that
 * isn't there is none.
 */
export async function syncTree(folder: string, levels = Number.POSITIVE_INFINITY): Promise<void> {
  let entries;
  try {
    entries = await readdir(folder, {withFileTypes: true});
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  // waited for together: one after the other, dozens of small files take seconds on a busy disk
  await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && levels > 1) await syncTree(path, levels - 1);
      // what goes away while it's looked at needs no more
      else if (entry.isFile()) await syncFolder(path).catch(unlessMissing);
    }),
  );
  await syncFolder(folder).catch(unlessMissing);
}

function unlessMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

/** Makes a rename in `folder` durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
