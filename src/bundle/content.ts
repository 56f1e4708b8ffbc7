// What content is, as data: the pieces that a host needs, by digest, and how their bytes are read.
import type {Readable} from 'node:stream';

/** Architectures of hosts, by Node's and OCI's common names. */
export const architectures = ['amd64', 'arm64'] as const;
export type Architecture = (typeof architectures)[number];

export type Distribution = 'kubeadm' | 'simulated';

export interface ContentBlob {
  /** `sha256:HEX`. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly mediaType: string;
}

/** A piece of content that a host needs, by digest. */
export interface ContentItem {
  /** What it is for: `kubeadm`, `containerd`, `image:registry.k8s.io/pause:3.10.2`. */
  readonly name: string;
  readonly kind: 'binary' | 'archive' | 'image';
  /** `sha256:HEX`. A binary or an archive is one blob; of an image this is the manifest, and `blobs` has all it needs, the manifest first. */
  readonly digest: string;
  /** Bytes; of an image, all its blobs together. */
  readonly size: number;
  /** Images: the reference to import it under. */
  readonly reference?: string;
  readonly blobs?: readonly ContentBlob[];
}

/** The content of each architecture that was asked for. */
export type ContentByArchitecture = Readonly<Partial<Record<Architecture, readonly ContentItem[]>>>;

/** A blob whose bytes are at hand on this computer. */
export interface OpenedBlob {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** Its bytes, from an offset on; each call begins a stream of its own. */
  stream(start?: number): Readable;
}

/** Told while content is being downloaded, at most about ten times a second for each blob, and at its end. */
export interface TransferProgress {
  /** The item's name; the blobs of an image share one. */
  readonly name: string;
  readonly digest: string;
  /** Bytes of this blob so far. */
  readonly received: number;
  /** Bytes of this blob. */
  readonly total: number;
}

export type OnProgress = (progress: TransferProgress) => void;

/** The hexadecimal part of `sha256:HEX`, or undefined for anything else. */
export function hexOf(digest: string): string | undefined {
  return /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
}
