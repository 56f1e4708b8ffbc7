// Pinning: which bytes a cluster needs, by digest and size. The network is used only for what neither the lock nor the cache knows.
import {readFile, stat} from 'node:fs/promises';
import {basename} from 'node:path';
import {TriremeError} from '../kernel/errors.ts';
import {cacheFolder as defaultCacheFolder} from '../kernel/folders.ts';
import {mapPool} from '../kernel/pool.ts';
import {ContentCache, digestOfFile} from './cache.ts';
import type {Architecture, ContentByArchitecture, ContentItem, Distribution} from './content.ts';
import {readContents, type BundleContents} from './contents.ts';
import {openLayout, parseIndex, type Layout} from './layout.ts';
import {ContentLock, readLock} from './lock.ts';
import {isIndexType} from './media-types.ts';
import type {BlobOrigin, PinnedItem, PinSession} from './origin.ts';
import {pinFile, pinImage} from './pin-sources.ts';
import {parseReference, type ImageReference} from './reference.ts';
import {RegistryClient} from './registry.ts';
import {findItem, selectContent, type ContentNeed} from './select.ts';
import {simulateContent} from './simulated.ts';
import {fileSourcesOf, neededImages, rendererSource} from './sources.ts';
import {createTransport, type TransportOptions} from './transport.ts';

/** A program from this computer instead of its public source. */
export interface LocalFile {
  readonly name: string;
  readonly architecture: Architecture;
  readonly path: string;
}

export interface ContentRequest extends ContentNeed {
  /** A folder, a tar, or `oci://registry/repository:tag`; absent: the public sources. */
  readonly bundle?: string;
  /** `spec.bundle.sources`. */
  readonly sources?: Readonly<Record<string, string>>;
  /** What relative folders in `sources` start from: the folder of the file. */
  readonly folder?: string;
  readonly lockFile: string;
  /** Default: the user's cache folder. */
  readonly cacheFolder?: string;
  /** Layouts in which content is looked for before the public sources. */
  readonly inputs?: readonly string[];
  readonly files?: readonly LocalFile[];
  readonly transport?: Pick<TransportOptions, 'env' | 'retryDelay' | 'idleTimeout'>;
  /** A file of certificates in PEM, absolute: `spec.bundle.authority`. */
  readonly authority?: string;
  readonly signal?: AbortSignal;
}

/** Everything by digest and size, nothing of it fetched yet. */
export interface PinnedContent {
  readonly version: string;
  readonly distribution: Distribution;
  readonly content: ContentByArchitecture;
  /** Versions of the programs, by architecture and name. */
  readonly versions: ReadonlyMap<Architecture, ReadonlyMap<string, string>>;
  readonly origins: ReadonlyMap<string, BlobOrigin>;
  /** What isn't worth stopping for. */
  readonly warnings: readonly string[];
  readonly session: PinSession;
}

/** How many addresses are asked at the same time. */
export const window = 4;

/** Finds digest and size of all that is needed, and records new ones in the lock. Throws `bundle.*`; an unknown minor version is `bundle.version-unsupported`. */
export async function pinContent(request: ContentRequest): Promise<PinnedContent> {
  const session = await openSession(request, request.distribution === 'simulated' && request.bundle === undefined);
  const pins: Pins = {content: {}, versions: new Map(), origins: new Map()};
  if (request.bundle !== undefined) await pinFromBundle(request, session, pins);
  else if (request.distribution === 'simulated') pinSimulated(request, pins);
  else await pinFromSources(request, session, pins);
  const warnings: string[] = [];
  await session.lock.save().catch((error: unknown) => {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['EACCES', 'EPERM', 'EROFS'].includes(code)) throw error;
    warnings.push(`Can't write ${session.lock.path} (${code}): the digests found now aren't pinned for the next run.`);
  });
  return {version: request.version, distribution: request.distribution, ...pins, warnings, session};
}

interface Pins {
  readonly content: Partial<Record<Architecture, readonly ContentItem[]>>;
  readonly versions: Map<Architecture, ReadonlyMap<string, string>>;
  readonly origins: Map<string, BlobOrigin>;
}

export type SessionRequest = Pick<ContentRequest, 'sources' | 'folder' | 'lockFile' | 'cacheFolder' | 'transport' | 'authority' | 'signal'>;

/** Reads certificates that servers are trusted by. Throws `file.invalid`. */
export async function readAuthority(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text?.includes('-----BEGIN CERTIFICATE-----') === true) return text;
  throw new TriremeError('file.invalid', text === undefined ? `The certificates ${path} can't be read.` : `${path} holds no certificate in PEM.`, {
    hints: ['Correct spec.bundle.authority, or --authority.'],
  });
}

export async function openSession(request: SessionRequest, unlocked = false): Promise<PinSession> {
  const env = request.transport?.env ?? process.env;
  const cache = new ContentCache(request.cacheFolder ?? defaultCacheFolder(env));
  const transport = createTransport({
    ...request.transport,
    ...(request.sources === undefined ? {} : {sources: request.sources}),
    ...(request.folder === undefined ? {} : {folder: request.folder}),
    ...(request.authority === undefined ? {} : {authority: await readAuthority(request.authority)}),
  });
  // generated content has nothing to pin: a lock file beside a sandbox's file would only puzzle
  const lock = unlocked ? new ContentLock(request.lockFile) : await readLock(request.lockFile);
  return {cache, transport, lock, registry: new RegistryClient(transport, cache), signal: request.signal};
}

function pinSimulated(request: ContentRequest, pins: Pins): void {
  for (const architecture of request.architectures) {
    const simulated = simulateContent(request.version, architecture, request.images);
    pins.content[architecture] = simulated.items;
    pins.versions.set(architecture, simulated.versions);
    for (const [digest, make] of simulated.blobs) pins.origins.set(digest, {kind: 'memory', make});
  }
}

async function pinFromSources(request: ContentRequest, session: PinSession, pins: Pins): Promise<void> {
  const inputs: {readonly layout: Layout; readonly contents: BundleContents}[] = [];
  for (const place of request.inputs ?? []) inputs.push(await openInput(place));
  const images = neededImages(request.version, request.images);
  const jobs = request.architectures.flatMap((architecture) => [
    ...[...fileSourcesOf(request.version, architecture), ...rendererSources(request, architecture)].map((source) => ({
      architecture,
      name: source.name,
      version: source.version,
      pin: async () => (await fromLocalFile(request, source)) ?? fromInputs(inputs, request, architecture, source.name) ?? (await pinFile(session, source)),
    })),
    ...images.map((reference) => ({
      architecture,
      name: `image:${reference}`,
      version: undefined,
      pin: async () => fromInputs(inputs, request, architecture, `image:${reference}`) ?? (await pinImage(session, reference, architecture)),
    })),
  ]);
  const results = await mapPool(jobs, window, async (job) => job.pin());
  throwFirst(
    results,
    jobs.map((job) => `${job.name} (${job.architecture})`),
  );
  for (const [index, job] of jobs.entries()) {
    const result = results[index];
    if (result?.status !== 'fulfilled') continue;
    const {item, origin} = result.value;
    pins.content[job.architecture] = [...(pins.content[job.architecture] ?? []), item];
    if (job.version !== undefined) pins.versions.set(job.architecture, new Map([...(pins.versions.get(job.architecture) ?? []), [job.name, job.version]]));
    for (const blob of item.blobs ?? [item]) pins.origins.set(blob.digest, origin);
  }
}

/** Renderers that hosts don't have anyway. */
function rendererSources({version, renderers = []}: ContentRequest, architecture: Architecture) {
  return renderers.filter((name) => name !== 'kubectl').map((name) => rendererSource(name, version, 'linux', architecture));
}

async function openInput(place: string): Promise<{readonly layout: Layout; readonly contents: BundleContents}> {
  const layout = await openLayout(place);
  return {layout, contents: await readContents({place, index: layout.index, read: (descriptor) => layout.read(descriptor.digest)})};
}

function fromInputs(
  inputs: readonly {readonly layout: Layout; readonly contents: BundleContents}[],
  request: ContentRequest,
  architecture: Architecture,
  name: string,
): PinnedItem | undefined {
  for (const {layout, contents} of inputs) {
    const item = findItem(contents, request, architecture, name);
    if (item !== undefined) return {item, origin: {kind: 'layout', layout}};
  }
  return undefined;
}

async function fromLocalFile(
  request: ContentRequest,
  source: {readonly name: string; readonly kind: 'binary' | 'archive'; readonly architecture: Architecture},
): Promise<PinnedItem | undefined> {
  const file = request.files?.find((one) => one.name === source.name && one.architecture === source.architecture);
  if (file === undefined) return undefined;
  const found = await stat(file.path).catch(() => undefined);
  if (found?.isFile() !== true)
    throw new TriremeError('bundle.not-found', `There is no file ${file.path}, which is named for ${file.name} (${file.architecture}).`, {
      hints: ['Correct the path.'],
    });
  const digest = await digestOfFile(file.path, request.signal);
  return {
    item: {name: file.name, kind: source.kind, digest, size: found.size},
    origin: {kind: 'file', path: file.path, expectedBy: 'the first look at it', hints: [`${basename(file.path)} changed meanwhile: run it again.`]},
  };
}

async function pinFromBundle(request: ContentRequest, session: PinSession, pins: Pins): Promise<void> {
  const place = request.bundle ?? '';
  const {contents, origin} = await openBundle(place, session);
  const {content, missing} = selectContent(contents, request);
  if (missing.length > 0) {
    throw new TriremeError(
      'bundle.incomplete',
      `The bundle ${place} lacks what Kubernetes ${request.version} (${request.distribution}) needs: ${missing.map((one) => `${one.name} for ${one.architecture}`).join(', ')}.`,
      {
        hints: [
          `Build it for this cluster: trireme bundle build -f FILE ${request.architectures.map((architecture) => `--arch ${architecture}`).join(' ')} --out FOLDER`,
        ],
        details: {missing},
      },
    );
  }
  for (const architecture of request.architectures) {
    const items = content[architecture] ?? [];
    pins.content[architecture] = items;
    pins.versions.set(architecture, new Map(contents.files.filter((file) => items.includes(file.item)).map((file) => [file.item.name, file.version])));
    for (const item of items) for (const blob of item.blobs ?? [item]) pins.origins.set(blob.digest, origin);
  }
}

/** What a bundle holds, and where its blobs are: a folder, a tar, or an `oci://` address. */
export async function openBundle(place: string, session: PinSession): Promise<{readonly contents: BundleContents; readonly origin: BlobOrigin}> {
  if (place.startsWith('oci://')) return openRemote(place, session);
  const {layout, contents} = await openInput(place);
  return {contents, origin: {kind: 'layout', layout}};
}

async function openRemote(address: string, session: PinSession): Promise<{readonly contents: BundleContents; readonly origin: BlobOrigin}> {
  const named = parseReference(address.slice('oci://'.length));
  const locked = session.lock.bundle(address);
  const reference: ImageReference = locked === undefined ? named : {registry: named.registry, repository: named.repository, digest: locked.digest};
  const top = await session.registry.manifest(reference, session.signal);
  if (!isIndexType(top.mediaType))
    throw new TriremeError('bundle.not-found', `${address} isn't a bundle: it is a ${top.mediaType}, and a bundle is an index.`, {
      hints: ['Push the layout of a bundle there as an index.'],
    });
  if (locked === undefined && named.digest === undefined) session.lock.addBundle(address, top.digest);
  const contents = await readContents({
    place: address,
    index: parseIndex(address, top.bytes),
    read: async (descriptor) =>
      (await session.registry.manifest({registry: named.registry, repository: named.repository, digest: descriptor.digest}, session.signal)).bytes,
  });
  return {
    contents,
    origin: {kind: 'registry', reference: named, expectedBy: `the bundle ${address}`, hints: ['Push the bundle again from where it was built.']},
  };
}

/** Throws the first failure, and names the other items that failed. */
export function throwFirst(results: readonly PromiseSettledResult<unknown>[], names: readonly string[]): void {
  const failed = results.flatMap((result, index) => (result.status === 'rejected' ? [{reason: result.reason as unknown, name: names[index] ?? ''}] : []));
  const [first, ...others] = failed;
  if (first === undefined) return;
  if (!(first.reason instanceof TriremeError) || others.length === 0) throw first.reason;
  throw new TriremeError(first.reason.code, first.reason.message, {
    hints: [...first.reason.hints, `These fail as well: ${others.map((one) => one.name).join(', ')}.`],
    cause: first.reason,
    ...(first.reason.details === undefined ? {} : {details: first.reason.details}),
  });
}
