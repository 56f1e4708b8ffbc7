// Pushing a bundle to a registry (OCI distribution specification 1.1): blobs first, then the manifests that name them, the tag at the very end. What
// breaks off leaves no tag that names something incomplete, and the next push sends only what is missing.
import {Readable} from 'node:stream';
import {TriremeError} from '../kernel/errors.ts';
import {mapPool} from '../kernel/pool.ts';
import {digestOf} from '../kernel/digest.ts';
import {ContentCache} from './cache.ts';
import type {OnProgress} from './content.ts';
import {readSmallBody, statusError, type HttpResponse} from './http.ts';
import {damagedBlob, type Layout, openLayout, parseIndex} from './layout.ts';
import {blobsOf, parseManifest} from './manifest.ts';
import {isIndexType, isManifestType, mediaTypes, type Descriptor} from './media-types.ts';
import {readAuthority} from './pin.ts';
import {formatReference, type ImageReference, parseReference} from './reference.ts';
import {RegistryClient} from './registry.ts';
import {createTransport, type Transport, type TransportOptions} from './transport.ts';

export interface PushRequest {
  /** A folder or a tar. */
  readonly bundle: string;
  /** `oci://registry/repository:tag`. */
  readonly to: string;
  /** A file of certificates in PEM. */
  readonly authority?: string;
  /** `spec.bundle.sources`: where registries really are. */
  readonly sources?: Readonly<Record<string, string>>;
  readonly cacheFolder: string;
  readonly transport?: Pick<TransportOptions, 'env' | 'retryDelay' | 'idleTimeout'>;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

export interface PushResult {
  readonly bundle: string;
  /** The address with its tag. */
  readonly to: string;
  /** The address that never means anything else. */
  readonly pinned: string;
  readonly digest: string;
  readonly blobs: number;
  /** Of these, how many the registry had before. */
  readonly present: number;
  /** Bytes that were sent. */
  readonly sent: number;
}

/** How many blobs go at the same time. */
const window = 4;

/** Pushes a bundle. Every blob's digest is computed before it is sent. Throws `bundle.*`, `usage.invalid` for an address that can't be pushed to. */
export async function pushBundle(request: PushRequest): Promise<PushResult> {
  const reference = targetOf(request.to);
  const layout = await openLayout(request.bundle);
  const transport = createTransport({
    ...request.transport,
    ...(request.sources === undefined ? {} : {sources: request.sources}),
    ...(request.authority === undefined ? {} : {authority: await readAuthority(request.authority)}),
  });
  const target: Target = {reference, transport, client: new RegistryClient(transport, new ContentCache(request.cacheFolder)), signal: request.signal};
  const {manifests, blobs} = await contentOf(layout);
  let present = 0;
  let sent = 0;
  const stop = new AbortController();
  const signal = request.signal === undefined ? stop.signal : AbortSignal.any([request.signal, stop.signal]);
  let first: unknown;
  await mapPool([...blobs.values()], window, async (blob) => {
    try {
      signal.throwIfAborted();
      if (await isPresent({...target, signal}, blob.digest)) present += 1;
      else {
        await pushBlob({...target, signal}, layout, blob);
        sent += blob.size;
      }
      request.onProgress?.({name: blob.name, digest: blob.digest, received: blob.size, total: blob.size});
    } catch (error) {
      first ??= error;
      stop.abort();
    }
  });
  request.signal?.throwIfAborted();
  if (first !== undefined) throw first;
  for (const manifest of manifests) await putManifest(target, manifest.digest, manifest.mediaType, await layout.read(manifest.digest));
  const digest = digestOf(layout.indexBytes);
  await putManifest(target, reference.tag ?? 'latest', layout.index.mediaType ?? mediaTypes.index, layout.indexBytes);
  const pinned = `oci://${formatReference({registry: reference.registry, repository: reference.repository, digest})}`;
  return {bundle: request.bundle, to: `oci://${formatReference(reference)}`, pinned, digest, blobs: blobs.size, present, sent};
}

interface Target {
  readonly reference: ImageReference;
  readonly transport: Transport;
  readonly client: RegistryClient;
  readonly signal: AbortSignal | undefined;
}

interface PushedBlob {
  readonly name: string;
  readonly digest: string;
  readonly size: number;
}

function targetOf(address: string): ImageReference {
  const hints = ['Write it as oci://registry.example/project/bundle:v1.36.3.'];
  if (!address.startsWith('oci://')) throw new TriremeError('usage.invalid', `${address} isn't the address of a registry.`, {hints});
  const reference = parseReference(address.slice('oci://'.length));
  if (reference.digest !== undefined) throw new TriremeError('usage.invalid', `${address} names a digest; what is pushed gets a tag.`, {hints});
  return reference;
}

/** All that the index names: manifests in the order in which a registry takes them, each after what it names, and blobs. */
async function contentOf(layout: Layout): Promise<{readonly manifests: readonly Descriptor[]; readonly blobs: ReadonlyMap<string, PushedBlob>}> {
  const manifests = new Map<string, Descriptor>();
  const blobs = new Map<string, PushedBlob>();
  const visit = async (entry: Descriptor, name: string): Promise<void> => {
    if (manifests.has(entry.digest)) return;
    const bytes = await layout.read(entry.digest);
    if (isIndexType(entry.mediaType)) {
      for (const child of parseIndex(layout.place, bytes).manifests) await visit(child, name);
    } else if (isManifestType(entry.mediaType)) {
      for (const {digest, size} of blobsOf(parseManifest({bytes, mediaType: entry.mediaType}, name))) blobs.set(digest, {name, digest, size});
    } else throw new TriremeError('bundle.damaged', `${layout.place} names ${name} as a ${entry.mediaType}, which no registry takes as a manifest.`);
    manifests.set(entry.digest, entry);
  };
  for (const entry of layout.index.manifests) await visit(entry, entry.annotations?.['io.containerd.image.name'] ?? 'programs');
  return {manifests: [...manifests.values()], blobs};
}

function urlOf({transport, reference}: Target, path: string): string {
  return `${transport.locateRegistry(reference.registry).api}/${reference.repository}/${path}`;
}

async function isPresent(target: Target, digest: string): Promise<boolean> {
  const {client, reference, transport, signal} = target;
  return transport.repeat(async () => {
    const response = await client.send(reference, urlOf(target, `blobs/${digest}`), {method: 'HEAD', ...(signal === undefined ? {} : {signal})});
    response.body.resume();
    if (response.status === 200) return true;
    if (response.status === 404) return false;
    throw statusError(`whether ${reference.repository} has ${digest}`, response);
  }, signal);
}

async function pushBlob(target: Target, layout: Layout, blob: PushedBlob): Promise<void> {
  const {client, reference, transport, signal} = target;
  const found = await layout.compute(blob.digest, signal);
  if (found !== blob.digest) throw damagedBlob(layout.place, blob.digest, found);
  const abortable = signal === undefined ? {} : {signal};
  await transport.repeat(async () => {
    // asked for anew each time: an upload that broke off isn't gone on with
    const opened = await client.send(reference, urlOf(target, 'blobs/uploads/'), {method: 'POST', headers: {'content-length': '0'}, ...abortable});
    opened.body.resume();
    const location = opened.headers.location;
    if (opened.status !== 202 || location === undefined) throw await refused(`an upload to ${reference.repository}`, opened);
    const url = new URL(location, opened.url);
    url.searchParams.set('digest', blob.digest);
    const headers = {'content-type': 'application/octet-stream', 'content-length': String(blob.size)};
    const response = await client.send(reference, url.href, {method: 'PUT', headers, body: () => layout.open(blob.digest).stream(), ...abortable});
    if (response.status !== 201 && response.status !== 204) throw await refused(`the blob ${blob.digest} of ${blob.name}`, response);
    response.body.resume();
  }, signal);
}

async function putManifest(target: Target, name: string, mediaType: string, bytes: Buffer): Promise<void> {
  const {client, reference, transport, signal} = target;
  await transport.repeat(async () => {
    const headers = {'content-type': mediaType, 'content-length': String(bytes.length)};
    const body = () => Readable.from([bytes]);
    const response = await client.send(reference, urlOf(target, `manifests/${name}`), {
      method: 'PUT',
      headers,
      body,
      ...(signal === undefined ? {} : {signal}),
    });
    if (response.status !== 201) throw await refused(`the manifest ${name}`, response);
    response.body.resume();
  }, signal);
}

/** What the registry says, in its own words. */
async function refused(what: string, response: HttpResponse): Promise<TriremeError> {
  const {status, url} = response;
  const text = (await readSmallBody(what, response).catch(() => Buffer.alloc(0))).toString();
  let said = '';
  try {
    const {errors} = JSON.parse(text) as {errors?: readonly {readonly code?: string; readonly message?: string}[]};
    said = (errors ?? []).map(({code, message}) => [code, message].filter((part) => part !== undefined).join(': ')).join('; ');
  } catch {
    said = '';
  }
  return new TriremeError(
    'bundle.source-failed',
    `The registry ${new URL(url).host} doesn't take ${what}: it answers ${status}${said === '' ? '' : ` (${said})`}.`,
    {
      hints: ['What it has already stays there: push again when the cause is gone, and only the rest is sent.'],
      details: {status, retryable: status >= 500 || status === 429 || status === 408 || status === 404},
    },
  );
}
