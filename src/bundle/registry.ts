// Pulling from a registry (OCI distribution specification 1.1): manifests and blobs, everything checked by digest.
import {readFile} from 'node:fs/promises';
import {digestOf} from '../kernel/digest.ts';
import {TriremeError} from '../kernel/errors.ts';
import type {ContentCache} from './cache.ts';
import {type Architecture, type ContentBlob, type OnProgress} from './content.ts';
import {downloadBlob, mismatch} from './download.ts';
import {readSmallBody, statusError, type HttpRequest, type HttpResponse} from './http.ts';
import {blobsOf, choosePlatform, parseJson, parseManifest} from './manifest.ts';
import {acceptedManifests, isIndexType, isManifestType, mediaTypes} from './media-types.ts';
import {formatReference, type ImageReference} from './reference.ts';
import {answerChallenge, findCredentials, parseChallenge, refusedBy, type RegistryCredentials} from './registry-auth.ts';
import {parseIndex} from './layout.ts';
import type {Transport} from './transport.ts';

export interface FetchedManifest {
  readonly digest: string;
  readonly size: number;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** One platform of an image: its manifest and all that the manifest names. */
export interface PlatformImage {
  readonly manifest: FetchedManifest;
  /** Configuration first, then the layers. */
  readonly blobs: readonly ContentBlob[];
}

export interface BlobRequest {
  readonly name: string;
  readonly reference: ImageReference;
  readonly digest: string;
  readonly size: number;
  readonly expectedBy: string;
  readonly hints?: readonly string[];
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** Reads from any registry. Tokens live as long as the client. Manifests go to the cache as they are read. */
export class RegistryClient {
  readonly #transport: Transport;
  readonly #cache: ContentCache;
  readonly #authorizations = new Map<string, string>();
  readonly #credentials = new Map<string, Promise<RegistryCredentials>>();

  constructor(transport: Transport, cache: ContentCache) {
    this.#transport = transport;
    this.#cache = cache;
  }

  /** The manifest or index that a reference names; with a digest its bytes are checked. Throws `bundle.source-failed`, `bundle.source-refused`, `bundle.digest-mismatch`. */
  async manifest(
    reference: ImageReference,
    signal?: AbortSignal,
    judged?: {readonly expectedBy: string; readonly hints: readonly string[]},
  ): Promise<FetchedManifest> {
    const name = formatReference(reference);
    if (reference.digest !== undefined && (await this.#cache.verify(reference.digest, signal))) {
      return withType(await readFile(this.#cache.path(reference.digest)), undefined, name);
    }
    const manifest = await this.#transport.repeat(async () => {
      const response = await this.#get(reference, `manifests/${reference.digest ?? reference.tag ?? 'latest'}`, {accept: acceptedManifests}, signal);
      if (response.status !== 200) throw statusError(`the manifest of ${name}`, response);
      const bytes = await readSmallBody(`The manifest of ${name}`, response);
      return withType(bytes, response.headers['content-type'], name);
    }, signal);
    if (reference.digest !== undefined && manifest.digest !== reference.digest) {
      throw mismatch(
        {name: `the manifest of ${reference.registry}/${reference.repository}`, digest: reference.digest, expectedBy: 'the reference', ...judged},
        manifest.digest,
        this.#transport.locateRegistry(reference.registry).host,
      );
    }
    await this.#cache.put(manifest.digest, manifest.bytes);
    return manifest;
  }

  /** The image of one architecture (linux), from an index or a single manifest. Throws as `manifest` does, and when there is none for it. */
  async platform(reference: ImageReference, top: FetchedManifest, architecture: Architecture, signal?: AbortSignal): Promise<PlatformImage> {
    const name = formatReference(reference);
    if (isIndexType(top.mediaType)) {
      const index = parseIndex(name, top.bytes);
      const chosen = choosePlatform(index.manifests, architecture);
      if (chosen === undefined)
        throw noPlatform(
          name,
          architecture,
          index.manifests.map((entry) => entry.platform?.architecture ?? '').filter((found) => found !== '' && found !== 'unknown'),
        );
      const manifest = await this.manifest({registry: reference.registry, repository: reference.repository, digest: chosen.digest}, signal);
      return {manifest, blobs: blobsOf(parseManifest(manifest, name))};
    }
    const parsed = parseManifest(top, name);
    await this.blob({
      name: `the configuration of ${name}`,
      reference,
      digest: parsed.config.digest,
      size: parsed.config.size,
      expectedBy: 'the manifest',
      signal,
    });
    const found = (JSON.parse(await readFile(this.#cache.path(parsed.config.digest), 'utf8')) as {architecture?: string}).architecture;
    if (found !== undefined && found !== architecture) throw noPlatform(name, architecture, [found]);
    return {manifest: top, blobs: blobsOf(parsed)};
  }

  /** Makes a blob of a repository present in the cache. */
  async blob(request: BlobRequest): Promise<void> {
    const {reference, signal} = request;
    await downloadBlob(request, {
      cache: this.#cache,
      request: (headers) => this.#get(reference, `blobs/${request.digest}`, headers, signal),
      repeat: this.#transport.repeat,
      signal,
      onProgress: request.onProgress,
    });
  }

  async #get(reference: ImageReference, path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<HttpResponse> {
    const {api} = this.#transport.locateRegistry(reference.registry);
    return this.send(reference, `${api}/${reference.repository}/${path}`, {headers, ...(signal === undefined ? {} : {signal})});
  }

  /** One request about a repository, with what lets us in. Credentials go to the registry only, never to where it sends an upload. */
  async send(reference: ImageReference, url: string, request: HttpRequest = {}): Promise<HttpResponse> {
    const place = this.#transport.locateRegistry(reference.registry);
    const {repository} = reference;
    const key = `${place.api} ${repository}`;
    const isOwn = new URL(url).origin === new URL(place.api).origin;
    const ask = () => {
      const authorization = isOwn ? this.#authorizations.get(key) : undefined;
      return this.#transport.http(url, {...request, headers: {...request.headers, ...(authorization === undefined ? {} : {authorization})}});
    };
    const before = this.#authorizations.get(key);
    const response = await ask();
    if (response.status !== 401 || !isOwn) {
      // a registry that doesn't tell strangers whether an image exists
      if (response.status === 403) return this.#refuse(response, place.host, repository);
      return response;
    }
    response.body.destroy();
    // another request may have got a new token while this one was under way
    if (before === this.#authorizations.get(key)) {
      const credentials = await this.#credentialsFor(place.host);
      const challenge = parseChallenge(response.headers['www-authenticate']);
      const {signal} = request;
      this.#authorizations.set(key, await answerChallenge(challenge, {http: this.#transport.http, host: place.host, repository, credentials, signal}));
    }
    const second = await ask();
    return second.status === 401 || second.status === 403 ? this.#refuse(second, place.host, repository) : second;
  }

  async #refuse(response: HttpResponse, host: string, repository: string): Promise<never> {
    response.body.destroy();
    throw refusedBy(host, repository, await this.#credentialsFor(host));
  }

  #credentialsFor(host: string): Promise<RegistryCredentials> {
    const known = this.#credentials.get(host) ?? findCredentials(host, this.#transport.env);
    this.#credentials.set(host, known);
    return known;
  }
}

function withType(bytes: Buffer, header: string | undefined, name: string): FetchedManifest {
  const value = parseJson(bytes) as {mediaType?: unknown; manifests?: unknown; schemaVersion?: unknown} | undefined;
  if (value === undefined || value === null || typeof value !== 'object')
    throw new TriremeError('bundle.source-failed', `The registry's answer for ${name} isn't a manifest.`, {
      hints: ['Check that the address in spec.bundle.sources is a registry.'],
      details: {retryable: false},
    });
  const declared = typeof value.mediaType === 'string' ? value.mediaType : header?.split(';')[0]?.trim();
  const known = isIndexType(declared) || isManifestType(declared);
  // manifests may leave the type out, and an old header may say only JSON
  const mediaType = known
    ? (declared ?? '')
    : value.schemaVersion === 2
      ? Array.isArray(value.manifests)
        ? mediaTypes.index
        : mediaTypes.manifest
      : (declared ?? 'unknown');
  const digest = digestOf(bytes);
  return {digest, size: bytes.length, mediaType, bytes};
}

function noPlatform(name: string, architecture: Architecture, found: readonly string[]): TriremeError {
  return new TriremeError(
    'bundle.incomplete',
    `${name} has no image for linux/${architecture}: it has ${found.length === 0 ? 'none at all' : found.join(', ')}.`,
    {hints: [`Choose an image that is built for ${architecture}, or leave hosts of that architecture out.`]},
  );
}
