// One blob into the cache: resumed where an earlier try broke off, repeated for passing failures, named only when its digest is right.
import {createHash} from 'node:crypto';
import {createReadStream, createWriteStream} from 'node:fs';
import {rm, stat, truncate} from 'node:fs/promises';
import {pipeline} from 'node:stream/promises';
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
    const response = await options.request(start > 0 ? {range: `bytes=${start}-`, 'accept-encoding': 'identity'} : {'accept-encoding': 'identity'});
    from = response.url;
    if (response.status === 416) {
      await dropPartial(partial, response);
      throw passing(`${from} can't go on at byte ${start}`, from);
    }
    if (response.status !== 200 && response.status !== 206) throw statusError(wanted.name, response);
    if (response.status === 200 || !continuesAt(response, start)) {
      if (response.status === 206) {
        await dropPartial(partial, response);
        throw passing(`${from} answers with another range than asked for`, from);
      }
      hash = createHash('sha256');
      start = 0;
      received = 0;
    }
    const report = reporter(wanted, options.onProgress);
    const count = async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        received += chunk.length;
        // more than the whole can't be right: don't fill the disk with it
        if (received > wanted.size) throw mismatch(wanted, `more than ${wanted.size} bytes`, from);
        hash.update(chunk);
        report(received);
        yield chunk;
      }
    };
    try {
      await pipeline(response.body, count, createWriteStream(partial.path, {flags: start > 0 ? 'a' : 'w', flush: true}), {signal: options.signal});
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason;
      if (error instanceof TriremeError || isAbortError(error) || isLocal(error)) throw error;
      throw passing(`it breaks off after ${received} of ${wanted.size} bytes`, from, error);
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
  return new TriremeError('bundle.digest-mismatch', `The content of ${wanted.name} is not what it should be: ${wanted.expectedBy} says ${wanted.digest}, and ${from || 'the download'} gives ${found}. No host was touched.`, {
    hints: wanted.hints ?? ['Find out who changed it before you go on. Nothing with a wrong digest is used.'],
    details: {name: wanted.name, expected: wanted.digest, found, from},
  });
}

function continuesAt(response: HttpResponse, start: number): boolean {
  return Number(/^bytes (\d+)-/.exec(response.headers['content-range'] ?? '')?.[1]) === start;
}

async function dropPartial(partial: PartFile, response: HttpResponse): Promise<void> {
  response.body.destroy();
  await truncate(partial.path, 0).catch(() => {});
}

function passing(why: string, url: string, cause?: unknown): TriremeError {
  return new TriremeError('bundle.source-failed', `A download fails: ${why} (${url}).`, {hints: ['Run it again: what has arrived is kept, and the download goes on from there.'], ...(cause === undefined ? {} : {cause}), details: {url, retryable: true}});
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
