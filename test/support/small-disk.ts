// A file system of a few KiB, to be full.
import {execFile} from 'node:child_process';
import {mkdir, mkdtemp, rm, statfs, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';

const run = promisify(execFile);

export interface SmallDisk {
  /** Takes every free block. */
  fill(): Promise<void>;
  /** Gives back what `fill` took. */
  clear(): Promise<void>;
  unmount(): Promise<void>;
}

/** Why no file system can be mounted here; undefined when it can. */
export async function whyNoMount(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'mounting a size-limited file system needs root on Linux';
  const folder = await mkdtemp(join(tmpdir(), 'mount-'));
  try {
    await (await mountSmallDisk(folder, 64)).unmount();
    return undefined;
  } catch (error) {
    return `mounting isn't allowed here: ${(error as Error).message.trim()}`;
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}

/** Mounts a tmpfs of this size over a folder, which is made. */
export async function mountSmallDisk(folder: string, kib: number): Promise<SmallDisk> {
  await mkdir(folder, {recursive: true});
  await run('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', folder]);
  const filler = join(folder, 'filler');
  return {
    fill: async () => {
      const {bavail, bsize} = await statfs(folder);
      await writeFile(filler, Buffer.alloc(Number(bavail) * Number(bsize)));
    },
    clear: () => rm(filler, {force: true}),
    unmount: async () => void (await run('umount', ['-l', folder])),
  };
}
