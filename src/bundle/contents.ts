// What a layout holds, as content items: programs by artifact manifest, images by index and manifest.
import {TriremeError} from '../kernel/errors.ts';
import {architectures, type Architecture, type ContentItem} from './content.ts';
import {parseIndex} from './layout.ts';
import {annotationKeys, imageManifest, isIndexType, isManifestType, mediaTypes, type Descriptor, type ImageIndex} from './media-types.ts';
import {blobsOf, parseJson, parseManifest} from './manifest.ts';
import {normalizeReference} from './reference.ts';

/** Where an index and its manifests are read from: a layout on disk, or a repository. */
export interface ManifestSource {
  /** For messages. */
  readonly place: string;
  readonly index: ImageIndex;
  /** The bytes of a manifest or index, checked by digest. */
  read(descriptor: Descriptor): Promise<Buffer>;
}

/** A program in a bundle. */
export interface BundledFile {
  readonly item: ContentItem;
  readonly architecture: Architecture;
  /** Its own version; empty when the bundle doesn't say. */
  readonly version: string;
  readonly kubernetesVersion: string;
  readonly distribution: string;
}

/** An image in a bundle, of one architecture. */
export interface BundledImage {
  readonly item: ContentItem;
  readonly architecture: Architecture;
  readonly reference: string;
}

export interface BundleContents {
  readonly files: readonly BundledFile[];
  readonly images: readonly BundledImage[];
}

/** Reads all manifests of a source. Entries that are neither ours nor images of linux are passed over. Throws `bundle.damaged`, `bundle.incomplete`. */
export async function readContents(source: ManifestSource): Promise<BundleContents> {
  const files: BundledFile[] = [];
  const images: BundledImage[] = [];
  for (const entry of source.index.manifests) {
    if (entry.artifactType === mediaTypes.bundle) files.push(...(await readPrograms(source, entry)));
    else images.push(...(await readImage(source, entry, referenceOf(entry))));
  }
  return {files, images};
}

function referenceOf(entry: Descriptor): string | undefined {
  // containerd's name is always in full; the other may be a tag alone
  const name = entry.annotations?.[annotationKeys.containerdName] ?? entry.annotations?.[annotationKeys.reference];
  if (name === undefined || !name.includes('/')) return undefined;
  try {
    return normalizeReference(name);
  } catch {
    return undefined;
  }
}

async function readPrograms(source: ManifestSource, entry: Descriptor): Promise<readonly BundledFile[]> {
  const parsed = imageManifest.safeParse(parseJson(await source.read(entry)));
  if (!parsed.success)
    throw new TriremeError('bundle.damaged', `The list of programs ${entry.digest} of ${source.place} can't be read: ${parsed.error.issues[0]?.message}.`, {
      cause: parsed.error,
    });
  const kubernetesVersion = parsed.data.annotations?.[annotationKeys.kubernetes] ?? '';
  const distribution = parsed.data.annotations?.[annotationKeys.distribution] ?? '';
  return parsed.data.layers.flatMap((layer): readonly BundledFile[] => {
    const name = layer.annotations?.[annotationKeys.name];
    const kind = layer.annotations?.[annotationKeys.kind];
    const architecture = architectureOf(layer.annotations?.[annotationKeys.architecture]);
    if (name === undefined || architecture === undefined || (kind !== 'binary' && kind !== 'archive')) return [];
    return [
      {
        item: {name, kind, digest: layer.digest, size: layer.size},
        architecture,
        version: layer.annotations?.[annotationKeys.version] ?? '',
        kubernetesVersion,
        distribution,
      },
    ];
  });
}

async function readImage(source: ManifestSource, entry: Descriptor, reference: string | undefined): Promise<readonly BundledImage[]> {
  if (isIndexType(entry.mediaType)) {
    const index = parseIndex(source.place, await source.read(entry));
    const found: BundledImage[] = [];
    for (const child of index.manifests) found.push(...(await readImage(source, child, referenceOf(child) ?? reference)));
    return found;
  }
  if (!isManifestType(entry.mediaType) || reference === undefined || entry.platform?.os === 'unknown') return [];
  const architecture = entry.platform === undefined ? undefined : architectureOf(entry.platform.architecture);
  if (entry.platform !== undefined && (entry.platform.os !== 'linux' || architecture === undefined)) return [];
  const bytes = await source.read(entry);
  const manifest = parseManifest({bytes, mediaType: entry.mediaType}, reference);
  const chosen = architecture ?? (await architectureByConfiguration(source, manifest.config));
  if (chosen === undefined) return [];
  return [
    {item: imageItem(reference, {digest: entry.digest, size: entry.size, mediaType: entry.mediaType}, blobsOf(manifest)), architecture: chosen, reference},
  ];
}

/** Layouts of other tools may leave the platform out of the index; the image's configuration has it. */
async function architectureByConfiguration(source: ManifestSource, config: Descriptor): Promise<Architecture | undefined> {
  const value = parseJson(await source.read(config)) as {architecture?: string; os?: string} | undefined;
  return value?.os === 'linux' ? architectureOf(value.architecture) : undefined;
}

/** The content item of an image: its manifest first, then configuration and layers, each blob once. */
export function imageItem(
  reference: string,
  manifest: {readonly digest: string; readonly size: number; readonly mediaType: string},
  rest: readonly {readonly digest: string; readonly size: number; readonly mediaType: string}[],
): ContentItem {
  const blobs = [...new Map([manifest, ...rest].map(({digest, size, mediaType}) => [digest, {digest, size, mediaType}] as const)).values()];
  return {name: `image:${reference}`, kind: 'image', digest: manifest.digest, size: blobs.reduce((sum, blob) => sum + blob.size, 0), reference, blobs};
}

function architectureOf(text: string | undefined): Architecture | undefined {
  return architectures.find((architecture) => architecture === text);
}
