// Content of the simulated distribution: small blobs made from their names, so that the sandbox pushes real bytes without any network.
import {createCipheriv, createHash} from 'node:crypto';
import {digestOf} from '../kernel/digest.ts';
import type {Architecture, ContentItem} from './content.ts';
import {imageItem} from './contents.ts';
import {mediaTypes} from './media-types.ts';
import {fileSourcesOf, neededImages, supportedMinors} from './sources.ts';
import {normalizeReference} from './reference.ts';

const kib = 1024;
const sizes: Readonly<Record<string, number>> = {kubeadm: 384 * kib, kubelet: 512 * kib, kubectl: 256 * kib, containerd: 384 * kib};
const otherSize = 96 * kib;
const layerSize = 48 * kib;

export interface SimulatedContent {
  readonly items: readonly ContentItem[];
  readonly versions: ReadonlyMap<string, string>;
  /** Makes the bytes of a blob anew; by digest. */
  readonly blobs: ReadonlyMap<string, () => Buffer>;
}

/** The simulated content of a version and architecture: the same call gives the same bytes on every computer. About 2 MiB. */
export function simulateContent(version: string, architecture: Architecture, extraImages: readonly string[]): SimulatedContent {
  const items: ContentItem[] = [];
  const versions = new Map<string, string>();
  const blobs = new Map<string, () => Buffer>();
  const add = (make: () => Buffer) => {
    const bytes = make();
    const digest = digestOf(bytes);
    blobs.set(digest, make);
    return {digest, size: bytes.length};
  };
  // a version whose real content isn't known is as good as any here
  const known = supportedMinors.some((minor) => version.startsWith(`v${minor}.`)) ? version : `v${supportedMinors.at(-1) ?? ''}.0`;
  for (const source of fileSourcesOf(known, architecture)) {
    const own = source.version === known ? version : source.version;
    const made = add(() => bytesFrom(`${source.name} ${own} ${architecture}`, sizes[source.name] ?? otherSize));
    items.push({name: source.name, kind: source.kind, ...made});
    versions.set(source.name, own);
  }
  const images = known === version ? neededImages(version, extraImages) : [...new Set(extraImages.map(normalizeReference))];
  for (const reference of images) {
    const layer = add(() => bytesFrom(`image ${reference} ${architecture}`, layerSize));
    const config = add(() =>
      Buffer.from(JSON.stringify({architecture, os: 'linux', rootfs: {type: 'layers', diff_ids: [layer.digest]}, config: {Labels: {simulated: 'true'}}})),
    );
    const manifestText = JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: {mediaType: mediaTypes.config, ...config},
      layers: [{mediaType: mediaTypes.layer, ...layer}],
    });
    const manifest = add(() => Buffer.from(manifestText));
    items.push(
      imageItem(reference, {...manifest, mediaType: mediaTypes.manifest}, [
        {...config, mediaType: mediaTypes.config},
        {...layer, mediaType: mediaTypes.layer},
      ]),
    );
  }
  return {items, versions, blobs};
}

/** A stream of bytes that looks random and follows from the seed alone. */
function bytesFrom(seed: string, size: number): Buffer {
  const key = createHash('sha256').update(`SIMULATED ${seed}`).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}
