// What is in a bundle, as rows.
import {digestOf} from '../kernel/digest.ts';
import {readContents} from './contents.ts';
import {openLayout} from './layout.ts';

export interface BundleRow {
  readonly name: string;
  readonly kind: 'binary' | 'archive' | 'image';
  readonly architecture: string;
  /** A program's own version, or an image's tag. */
  readonly version: string;
  /** Bytes. */
  readonly size: number;
  readonly digest: string;
}

export interface BundleInspection {
  readonly bundle: string;
  readonly form: 'folder' | 'tar';
  /** Kubernetes versions whose programs are in it. */
  readonly versions: readonly {readonly version: string; readonly distribution: string; readonly architecture: string}[];
  readonly rows: readonly BundleRow[];
  readonly blobs: number;
  /** Bytes of all blobs. */
  readonly size: number;
  /** Digest of the index: names the whole content. */
  readonly digest: string;
}

/** Lists a bundle's content. Digests of blobs aren't computed: that is what `verify` is for. Throws `bundle.not-found`, `bundle.damaged`. */
export async function inspectBundle(bundle: string): Promise<BundleInspection> {
  const layout = await openLayout(bundle);
  const contents = await readContents({place: bundle, index: layout.index, read: (descriptor) => layout.read(descriptor.digest)});
  const versions = new Map(
    contents.files.map((file) => [
      `${file.kubernetesVersion} ${file.distribution} ${file.architecture}`,
      {version: file.kubernetesVersion, distribution: file.distribution, architecture: file.architecture},
    ]),
  );
  const rows = [
    ...contents.files.map((file): BundleRow => ({
      name: file.item.name,
      kind: file.item.kind,
      architecture: file.architecture,
      version: file.version,
      size: file.item.size,
      digest: file.item.digest,
    })),
    ...contents.images.map((image): BundleRow => ({
      name: image.reference.replace(/@.*$|:[^:/]*$/, ''),
      kind: 'image',
      architecture: image.architecture,
      version:
        /@(.*)$|:([^:/]*)$/
          .exec(image.reference)
          ?.slice(1)
          .find((part) => part !== undefined) ?? '',
      size: image.item.size,
      digest: image.item.digest,
    })),
  ];
  return {
    bundle,
    form: layout.form,
    versions: [...versions.values()],
    rows,
    blobs: layout.digests.length,
    size: layout.digests.reduce((sum, digest) => sum + (layout.sizeOf(digest) ?? 0), 0),
    digest: digestOf(layout.indexBytes),
  };
}
