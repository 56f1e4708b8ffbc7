// One blob into the cache: resumed where an earlier try broke off, repeated for passing failures, named only when its digest is right.
import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {open, rm, stat} from 'node:fs/promises';
import {isAbortError, TriremeError} from '../kernel/errors.ts';
import {cacheError, hashStream, type ContentCache, type PartFile} from './cache.ts';
import type {OnProgress} from './content.ts';
import {statusError, type HttpResponse} from './http.ts';

export interface WantedBlob {
  /** For messages and progress: `kubeadm`. */
  readonly name: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** Who says that this is the digest: "trireme.lock", "the published checksum". */
  readonly expectedBy: string;
  /** What to do when the bytes are others. */
  readonly hints?: readonly string[];
}

export interface DownloadOptions {
  readonly cache: ContentCache;
  /** Asks for the blob with these headers (a range). */
  readonly request: (headers: Readonly<Record<string, string>>) => Promise<HttpResponse>;
  readonly repeat: <T>(work: () => Promise<T>, signal?: AbortSignal) => Promise<T>;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** Makes the blob present in the cache; throws `bundle.digest-mismatch`, `bundle.source-failed`, `bundle.cache-failed`. */
export async function downloadBlob(wanted: WantedBlob, options: DownloadOptions): Promise<void> {
  const {cache, signal} = options;
  if ((await cache.has(wanted.digest, wanted.size)) && (await cache.verify(wanted.digest, signal))) return;
  const partial = await cache.claim(wanted.digest);
  let left = partial.size;
  try {
    await options.repeat(async () => {
      left = await attempt(wanted, {...partial, size: left}, options).catch(async (error: unknown) => {
        left = await sizeOf(partial.path);
        throw error;
      });
    }, signal);
    await cache.commit(partial, wanted.digest);
  } catch (error) {
    await cache.release(partial, wanted.digest);
    throw cacheError(error, cache.folder);
  }
}

async function attempt(wanted: WantedBlob, partial: PartFile, options: DownloadOptions): Promise<number> {
  let hash = createHash('sha256');
  let start = partial.size > wanted.size ? 0 : partial.size;
  if (start > 0) await hashStream(createReadStream(partial.path), hash, options.signal);
  let received = start;
  let from = '';
  if (start < wanted.size || start === 0) {
    // opened before the request: a body that waits for us while its connection breaks is lost
    const file = await open(partial.path, 'a');
    try {
      const response = await options.request(start > 0 ? {range: `bytes=${start}-`, 'accept-encoding': 'identity'} : {'accept-encoding': 'identity'});
      from = response.url;
      if (response.status === 416 || (response.status === 206 && !continuesAt(response, start))) {
        response.body.destroy();
        await file.truncate(0);
        throw passing(response.status === 416 ? `byte ${start} is past the end` : 'another range than asked for is given', from);
      }
      if (response.status !== 200 && response.status !== 206) throw statusError(wanted.name, response);
      if (response.status === 200) {
        hash = createHash('sha256');
        start = 0;
        received = 0;
        if (partial.size > 0) await file.truncate(0);
      }
      const report = reporter(wanted, options.onProgress);
      // by hand and not by a pipeline: what has arrived before a break is kept
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        received += chunk.length;
        // more than the whole can't be right: don't fill the disk with it
        if (received > wanted.size) throw mismatch(wanted, `more than ${wanted.size} bytes`, from);
        hash.update(chunk);
        for (let done = 0; done < chunk.length;) done += (await file.write(chunk, done)).bytesWritten;
        report(received);
      }
      await file.sync();
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason;
      if (error instanceof TriremeError || isAbortError(error) || isLocal(error)) throw error;
      throw passing(`it breaks off after ${received} of ${wanted.size} bytes`, from, error);
    } finally {
      await file.close();
    }
    if (received < wanted.size) throw passing(`it ends after ${received} of ${wanted.size} bytes`, from);
  }
  const found = `sha256:${hash.digest('hex')}`;
  if (found === wanted.digest) return received;
  await rm(partial.path, {force: true});
  // what an earlier try left may have been of another file: once more from the start before anybody is blamed
  if (start > 0) throw passing('what an earlier download left is of no use', from);
  throw mismatch(wanted, found, from);
}

/** A mismatch named in full: what, expected by whom, found where, and what to do. */
export function mismatch(wanted: Pick<WantedBlob, 'name' | 'digest' | 'expectedBy' | 'hints'>, found: string, from: string): TriremeError {
  return new TriremeError(
    'bundle.digest-mismatch',
    `The content of ${wanted.name} is not what it should be: ${wanted.expectedBy} says ${wanted.digest}, and ${from || 'the download'} gives ${found}. No host was touched.`,
    {
      hints: wanted.hints ?? ['Find out who changed it before you go on. Nothing with a wrong digest is used.'],
      details: {name: wanted.name, expected: wanted.digest, found, from},
    },
  );
}

function continuesAt(response: HttpResponse, start: number): boolean {
  return Number(/^bytes (\d+)-/.exec(response.headers['content-range'] ?? '')?.[1]) === start;
}

function passing(why: string, url: string, cause?: unknown): TriremeError {
  return new TriremeError('bundle.source-failed', `A download fails: ${why} (${url}).`, {
    hints: ['Run it again: what has arrived is kept, and the download goes on from there.'],
    ...(cause === undefined ? {} : {cause}),
    details: {url, retryable: true},
  });
}

function isLocal(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '');
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

function reporter(wanted: WantedBlob, onProgress: OnProgress | undefined): (received: number) => void {
  let last = 0;
  return (received) => {
    const now = Date.now();
    if (onProgress === undefined || (now - last < 100 && received < wanted.size)) return;
    last = now;
    onProgress({name: wanted.name, digest: wanted.digest, received, total: wanted.size});
  };
}
