// Files that are never half-written: temporary name, fsync, rename, fsync of the folder.
import {randomBytes} from 'node:crypto';
import {mkdir, open, rename, rm} from 'node:fs/promises';
import {dirname} from 'node:path';

export interface WriteOptions {
  /** Permission bits; default 0o644. */
  readonly mode?: number;
}

/** Writes `content` so that a reader, or a power cut, sees the old file or the new one. Folders are made as needed. */
export async function writeFileAtomic(path: string, content: string | Uint8Array, options: WriteOptions = {}): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, {recursive: true});
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', options.mode ?? 0o644);
    try {
      await file.writeFile(content);
      await file.chmod(options.mode ?? 0o644);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, {force: true});
    throw error;
  }
  await syncFolder(folder);
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
