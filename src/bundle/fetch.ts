// Fetching: makes pinned blobs present on this computer, each checked by digest. It comes before any host is touched.
import {createReadStream} from 'node:fs';
import {readFile, stat} from 'node:fs/promises';
import {Readable} from 'node:stream';
import {TriremeError} from '../kernel/errors.ts';
import {mapPool} from '../kernel/pool.ts';
import {digestOfFile} from './cache.ts';
import type {ContentByArchitecture, ContentItem, OnProgress, OpenedBlob} from './content.ts';
import {downloadBlob, mismatch} from './download.ts';
import {damagedBlob} from './layout.ts';
import {blobsOf, parseManifest} from './manifest.ts';
import type {BlobOrigin} from './origin.ts';
import {throwFirst, window, type PinnedContent} from './pin.ts';

export interface FetchOptions {
  /** Only these blobs: what some host lacks. Default: all. */
  readonly digests?: Iterable<string>;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** Content whose bytes are at hand. */
export interface ResolvedContent {
  readonly content: ContentByArchitecture;
  readonly warnings: readonly string[];
  /** A fetched blob for reading; throws `bundle.incomplete` for one that isn't part of the content. */
  open(digest: string): Promise<OpenedBlob>;
  /** The file that is exactly this blob; undefined for one within a tar or made in memory. */
  path(digest: string): string | undefined;
}

interface Job {
  readonly name: string;
  readonly digest: string;
  readonly size: number;
  readonly origin: BlobOrigin;
}

/** Makes the blobs present and checks every digest. Throws `bundle.digest-mismatch`, `bundle.damaged`, `bundle.source-failed`, `bundle.cache-failed`. */
export async function fetchContent(pinned: PinnedContent, options: FetchOptions = {}): Promise<ResolvedContent> {
  const {cache} = pinned.session;
  const chosen = options.digests === undefined ? undefined : new Set(options.digests);
  const jobs = new Map<string, Job>();
  const items = Object.values(pinned.content).flat();
  for (const item of items) {
    for (const blob of item.blobs ?? [item]) {
      const origin = pinned.origins.get(blob.digest);
      if (origin !== undefined && (chosen === undefined || chosen.has(blob.digest)))
        jobs.set(blob.digest, {name: item.name, digest: blob.digest, size: blob.size, origin});
    }
  }
  // one failure ends the others early: a wrong digest shouldn't wait for gigabytes
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const list = [...jobs.values()];
  let first: unknown;
  const results = await mapPool(list, window, async (job) => {
    try {
      signal.throwIfAborted();
      await fetchBlob(job, pinned, signal, options.onProgress);
    } catch (error) {
      first ??= error;
      stop.abort();
      throw error;
    }
  });
  options.signal?.throwIfAborted();
  if (first !== undefined) throw first;
  throwFirst(
    results,
    list.map((job) => job.name),
  );
  for (const item of items) await requireSameBlobs(item, pinned, jobs);
  return {
    content: pinned.content,
    warnings: pinned.warnings,
    path: (digest) => pathOf(pinned, digest),
    open: async (digest) => {
      const origin = pinned.origins.get(digest);
      if (origin?.kind === 'memory') {
        const bytes = origin.make();
        return {digest, size: bytes.length, stream: (start = 0) => Readable.from([bytes.subarray(start)])};
      }
      if (origin?.kind === 'layout') return origin.layout.open(digest);
      const path = pathOf(pinned, digest);
      const found = path === undefined ? undefined : await stat(path).catch(() => undefined);
      if (path === undefined || found === undefined)
        throw new TriremeError('bundle.incomplete', `The blob ${digest} isn't at hand${origin === undefined ? ': no item of the content has it' : ''}.`, {
          hints: [`Run it again: what is missing in ${cache.folder} is fetched.`],
        });
      return {digest, size: found.size, stream: (start = 0) => createReadStream(path, {start, highWaterMark: 256 * 1024})};
    },
  };
}

function pathOf(pinned: PinnedContent, digest: string): string | undefined {
  const origin = pinned.origins.get(digest);
  if (origin === undefined || origin.kind === 'memory') return undefined;
  if (origin.kind === 'layout') return origin.layout.path(digest);
  return origin.kind === 'file' ? origin.path : pinned.session.cache.path(digest);
}

async function fetchBlob(job: Job, pinned: PinnedContent, signal: AbortSignal, onProgress: OnProgress | undefined): Promise<void> {
  const {cache, transport, registry} = pinned.session;
  const {origin} = job;
  if (origin.kind === 'memory') return;
  if (origin.kind === 'layout') {
    const found = await origin.layout.compute(job.digest, signal);
    if (found !== job.digest) throw damagedBlob(origin.layout.place, job.digest, found);
    return;
  }
  const wanted = {name: job.name, digest: job.digest, size: job.size, expectedBy: origin.expectedBy, hints: origin.hints};
  if (origin.kind === 'file') {
    const found = await digestOfFile(origin.path, signal);
    if (found !== job.digest) throw mismatch(wanted, found, origin.path);
    return;
  }
  if (origin.kind === 'url') {
    await downloadBlob(wanted, {
      cache,
      repeat: transport.repeat,
      request: (headers) => transport.http(origin.url, {headers, signal}),
      signal,
      ...(onProgress === undefined ? {} : {onProgress}),
    });
    return;
  }
  const isManifest = Object.values(pinned.content)
    .flat()
    .some((item) => item.kind === 'image' && item.digest === job.digest);
  if (isManifest) {
    await registry.manifest({registry: origin.reference.registry, repository: origin.reference.repository, digest: job.digest}, signal, origin);
    onProgress?.({name: job.name, digest: job.digest, received: job.size, total: job.size});
    return;
  }
  await registry.blob({...wanted, reference: origin.reference, signal, ...(onProgress === undefined ? {} : {onProgress})});
}

/** A lock that names other blobs than the manifest does was changed by hand, or by somebody. */
async function requireSameBlobs(item: ContentItem, pinned: PinnedContent, fetched: ReadonlyMap<string, Job>): Promise<void> {
  const origin = pinned.origins.get(item.digest);
  if (origin?.kind !== 'registry' || item.blobs === undefined || !fetched.has(item.digest)) return;
  const bytes = await readFile(pinned.session.cache.path(item.digest));
  const named = new Set([item.digest, ...blobsOf(parseManifest({bytes, mediaType: item.blobs[0]?.mediaType ?? ''}, item.name)).map((blob) => blob.digest)]);
  const listed = new Set(item.blobs.map((blob) => blob.digest));
  const odd = [...listed].find((digest) => !named.has(digest)) ?? [...named].find((digest) => !listed.has(digest));
  if (odd !== undefined)
    throw mismatch(
      {name: item.name, digest: odd, expectedBy: origin.expectedBy, hints: origin.hints},
      'a manifest with other blobs',
      item.reference ?? item.name,
    );
}
