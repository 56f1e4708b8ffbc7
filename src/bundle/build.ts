// Building a bundle: all content of a Kubernetes version as one OCI image layout.
import {digestOf} from '../kernel/digest.ts';
import {TriremeError} from '../kernel/errors.ts';
import type {Architecture, ContentItem, OnProgress, OpenedBlob} from './content.ts';
import {fetchContent, type ResolvedContent} from './fetch.ts';
import {writeLayoutFolder, writeLayoutTar, type LayoutParts} from './layout-write.ts';
import {annotationKeys, mediaTypes, type Descriptor} from './media-types.ts';
import {pinContent, type ContentRequest, type PinnedContent} from './pin.ts';
import {Readable} from 'node:stream';

export interface BuildRequest extends Omit<ContentRequest, 'bundle'> {
  /** A folder, or a file that ends in `.tar`. */
  readonly out: string;
  readonly onProgress?: OnProgress;
  /** Told while the layout is written: bytes so far, and of all. */
  readonly onWrite?: (written: number, total: number) => void;
}

export interface BuildResult {
  readonly out: string;
  readonly version: string;
  readonly architectures: readonly Architecture[];
  /** How many programs and archives. */
  readonly files: number;
  readonly images: number;
  readonly blobs: number;
  /** Bytes of all blobs. */
  readonly size: number;
  /** Digest of index.json: names the bundle's whole content. */
  readonly digest: string;
  readonly warnings: readonly string[];
}

/** Pins, fetches and writes a bundle. Throws `bundle.*`, and `usage.invalid` for a place that isn't ours to write to. */
export async function buildBundle(request: BuildRequest): Promise<BuildResult> {
  if (request.architectures.length === 0)
    throw new TriremeError('usage.invalid', 'A bundle needs at least one architecture.', {hints: ['Name amd64, arm64 or both.']});
  const pinned = await pinContent(request);
  const {signal, onProgress, onWrite} = request;
  const resolved = await fetchContent(pinned, {...(signal === undefined ? {} : {signal}), ...(onProgress === undefined ? {} : {onProgress})});
  const parts = layoutParts(pinned, resolved);
  const write = request.out.endsWith('.tar') ? writeLayoutTar : writeLayoutFolder;
  await write(request.out, parts, {...(signal === undefined ? {} : {signal}), ...(onWrite === undefined ? {} : {onBlob: onWrite})});
  const items = Object.values(pinned.content).flat();
  return {
    out: request.out,
    version: request.version,
    architectures: request.architectures,
    files: items.filter((item) => item.kind !== 'image').length,
    images: items.filter((item) => item.kind === 'image').length,
    blobs: parts.blobs.length,
    size: parts.blobs.reduce((sum, blob) => sum + blob.size, 0),
    digest: digestOf(parts.index),
    warnings: pinned.warnings,
  };
}

/** The layout of pinned content: an artifact of the programs per architecture, and the images under their references. */
function layoutParts(pinned: PinnedContent, resolved: ResolvedContent): LayoutParts {
  const blobs = new Map<string, {readonly digest: string; readonly size: number; readonly open: () => Promise<OpenedBlob>}>();
  const addText = (text: string): {readonly digest: string; readonly size: number} => {
    const bytes = Buffer.from(text);
    const digest = digestOf(bytes);
    blobs.set(digest, {
      digest,
      size: bytes.length,
      open: async () => ({digest, size: bytes.length, stream: (start = 0) => Readable.from([bytes.subarray(start)])}),
    });
    return {digest, size: bytes.length};
  };
  const entries = Object.entries(pinned.content).map(([architecture, items]) => ({architecture: architecture as Architecture, items}));
  for (const {items} of entries) {
    for (const item of items) for (const {digest, size} of item.blobs ?? [item]) blobs.set(digest, {digest, size, open: () => resolved.open(digest)});
  }
  const manifests: Descriptor[] = entries.map(({architecture, items}) => programs(pinned, architecture, items, addText));
  const references = [...new Set(entries.flatMap(({items}) => items.flatMap((item) => item.reference ?? [])))].toSorted();
  for (const reference of references) {
    const platforms = entries.flatMap(({architecture, items}) => {
      const item = items.find((one) => one.reference === reference);
      const manifest = item?.blobs?.[0];
      return manifest === undefined
        ? []
        : [{mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.size, platform: {architecture, os: 'linux'}}];
    });
    const annotations = {[annotationKeys.containerdName]: reference, [annotationKeys.reference]: reference};
    const [only] = platforms;
    if (platforms.length === 1 && only !== undefined) {
      manifests.push({...only, annotations});
      continue;
    }
    // the registry's own index names platforms that aren't in here, so this one is made anew
    const index = addText(JSON.stringify({schemaVersion: 2, mediaType: mediaTypes.index, manifests: platforms}));
    manifests.push({mediaType: mediaTypes.index, ...index, annotations});
  }
  return {index: JSON.stringify({schemaVersion: 2, mediaType: mediaTypes.index, manifests}), blobs: [...blobs.values()]};
}

function programs(
  pinned: PinnedContent,
  architecture: Architecture,
  items: readonly ContentItem[],
  addText: (text: string) => {readonly digest: string; readonly size: number},
): Descriptor {
  const {version, distribution} = pinned;
  const annotations = {[annotationKeys.kubernetes]: version, [annotationKeys.distribution]: distribution, [annotationKeys.architecture]: architecture};
  const layers = items
    .filter((item) => item.kind !== 'image')
    .map((item) => ({
      mediaType: item.kind === 'binary' ? mediaTypes.binary : mediaTypes.archive,
      digest: item.digest,
      size: item.size,
      annotations: {
        [annotationKeys.title]: item.name,
        [annotationKeys.name]: item.name,
        [annotationKeys.kind]: item.kind,
        [annotationKeys.architecture]: architecture,
        [annotationKeys.version]: pinned.versions.get(architecture)?.get(item.name) ?? '',
      },
    }));
  const manifest = addText(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType: mediaTypes.bundle,
      config: {mediaType: mediaTypes.empty, ...addText('{}')},
      layers,
      annotations,
    }),
  );
  return {mediaType: mediaTypes.manifest, ...manifest, artifactType: mediaTypes.bundle, annotations};
}
