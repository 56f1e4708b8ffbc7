// Downloads by digest, below the cache folder. A file has its final name only after its digest was found right.
import {createHash, randomBytes, type Hash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {mkdir, open, readdir, rename, rm, stat} from 'node:fs/promises';
import {join} from 'node:path';
import type {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {syncFolder} from '../kernel/files.ts';
import {isAbortError, isTriremeError, TriremeError} from '../kernel/errors.ts';
import {hexOf} from './content.ts';

/** A download under way: this process's alone until it is given back. */
export interface PartFile {
  readonly path: string;
  /** Bytes that are there from earlier tries. */
  readonly size: number;
}

/** Content on this computer by digest: `FOLDER/content/sha256/HEX`. */
export class ContentCache {
  readonly folder: string;
  /** Digests that this process has computed itself. */
  readonly #verified = new Set<string>();

  constructor(cacheFolder: string) {
    this.folder = join(cacheFolder, 'content', 'sha256');
  }

  path(digest: string): string {
    const hex = hexOf(digest);
    if (hex === undefined) throw new TriremeError('bundle.damaged', `"${digest}" isn't a sha256 digest.`);
    return join(this.folder, hex);
  }

  /** True when a file of that name and size is there. Its bytes aren't read. */
  async has(digest: string, size?: number): Promise<boolean> {
    const found = await stat(this.path(digest)).catch(() => undefined);
    return found !== undefined && found.isFile() && (size === undefined || found.size === size);
  }

  /** True when the blob is there and its bytes give the digest; a wrong one is removed. Bytes are read once per process. */
  async verify(digest: string, signal?: AbortSignal): Promise<boolean> {
    if (this.#verified.has(digest)) return true;
    if (!(await this.has(digest))) return false;
    if ((await digestOfFile(this.path(digest), signal)) !== digest) {
      await rm(this.path(digest), {force: true});
      return false;
    }
    this.#verified.add(digest);
    return true;
  }

  /** Takes over what an earlier download left, or begins anew. Two processes never get the same one. */
  async claim(digest: string): Promise<PartFile> {
    return this.#guard(async () => {
      await mkdir(this.folder, {recursive: true});
      const hex = hexOf(digest) ?? '';
      const mine = join(this.folder, `${hex}.${process.pid}.${randomBytes(4).toString('hex')}.part`);
      for (const name of await readdir(this.folder)) {
        const [owner, pid, , suffix] = name.split('.');
        const abandoned = name === `${hex}.part` || (owner === hex && suffix === 'part' && pid !== undefined && !isRunning(Number(pid)));
        // rename is what decides who gets it: for the slower one the name is gone
        if (
          abandoned &&
          (await rename(join(this.folder, name), mine).then(
            () => true,
            () => false,
          ))
        )
          break;
      }
      const found = await stat(mine).catch(() => undefined);
      return {path: mine, size: found?.size ?? 0};
    });
  }

  /** Gives an unfinished download back for a later try. */
  async release(partial: PartFile, digest: string): Promise<void> {
    await rename(partial.path, `${this.path(digest)}.part`).catch(() => {});
  }

  /** Gives a download its name. The caller has found its digest right. */
  async commit(partial: PartFile, digest: string): Promise<void> {
    await this.#guard(async () => {
      await rename(partial.path, this.path(digest));
      await syncFolder(this.folder);
      this.#verified.add(digest);
    });
  }

  /** Puts a small blob, such as a manifest, whole. */
  async put(digest: string, bytes: Uint8Array): Promise<void> {
    if (await this.verify(digest)) return;
    const partial = await this.claim(digest);
    await this.#guard(async () => {
      const file = await open(partial.path, 'w');
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
    });
    await this.commit(partial, digest);
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw cacheError(error, this.folder);
    }
  }
}

/** Names the folder and the reason when the file system refuses. Other errors stay as they are. */
export function cacheError(error: unknown, folder: string): unknown {
  if (isTriremeError(error) || isAbortError(error)) return error;
  const code = (error as NodeJS.ErrnoException).code;
  const reasons: Readonly<Record<string, string>> = {
    ENOSPC: 'its file system is full',
    EDQUOT: 'the quota is used up',
    EACCES: 'permission is denied',
    EPERM: 'permission is denied',
    EROFS: 'its file system is read-only',
    ENOTDIR: 'a part of its path is a file',
  };
  const reason = reasons[code ?? ''];
  if (reason === undefined) return error;
  return new TriremeError('bundle.cache-failed', `Can't write content to ${folder}: ${reason}.`, {
    hints: ['Make room there or allow it, or choose another folder with XDG_CACHE_HOME.'],
    cause: error,
  });
}

/** `sha256:HEX` of a file, read as a stream. */
export function digestOfFile(path: string, signal?: AbortSignal): Promise<string> {
  return digestOfStream(createReadStream(path, {highWaterMark: 1024 * 1024}), signal);
}

/** `sha256:HEX` of all that a stream gives. */
export async function digestOfStream(stream: Readable, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await hashStream(stream, hash, signal);
  return `sha256:${hash.digest('hex')}`;
}

/** Feeds a stream's bytes to a hash. */
export async function hashStream(stream: Readable, hash: Hash, signal?: AbortSignal): Promise<void> {
  await pipeline(
    stream,
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) hash.update(chunk);
    },
    {signal},
  );
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
