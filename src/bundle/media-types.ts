// Media types of the OCI image specification 1.1 and of Docker's image manifest version 2, schema 2.
import {z} from 'zod';

export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  empty: 'application/vnd.oci.empty.v1+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  /** The artifact that holds the programs of one Kubernetes version for one architecture. */
  bundle: 'application/vnd.trireme.bundle.v1',
  binary: 'application/vnd.trireme.bundle.binary.v1',
  archive: 'application/vnd.trireme.bundle.archive.v1.tar+gzip',
} as const;

export const isIndexType = (mediaType: string | undefined) => mediaType === mediaTypes.index || mediaType === mediaTypes.dockerList;
export const isManifestType = (mediaType: string | undefined) => mediaType === mediaTypes.manifest || mediaType === mediaTypes.dockerManifest;

/** What a manifest request accepts. */
export const acceptedManifests = [mediaTypes.index, mediaTypes.manifest, mediaTypes.dockerList, mediaTypes.dockerManifest].join(', ');

/** Annotations that we write, beside those of the specification. */
export const annotationKeys = {
  reference: 'org.opencontainers.image.ref.name',
  /** What containerd's import names an image by. */
  containerdName: 'io.containerd.image.name',
  title: 'org.opencontainers.image.title',
  name: 'dev.trireme.content.name',
  kind: 'dev.trireme.content.kind',
  architecture: 'dev.trireme.content.architecture',
  version: 'dev.trireme.content.version',
  kubernetes: 'dev.trireme.kubernetes.version',
  distribution: 'dev.trireme.kubernetes.distribution',
} as const;

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'only sha256 digests are understood');
const size = z.int().min(0);
const annotations = z.record(z.string(), z.string());

export const descriptor = z.object({
  mediaType: z.string(),
  digest,
  size,
  artifactType: z.string().optional(),
  annotations: annotations.optional(),
  platform: z.object({architecture: z.string(), os: z.string(), variant: z.string().optional()}).optional(),
});
export type Descriptor = z.infer<typeof descriptor>;

export const imageIndex = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  manifests: z.array(descriptor),
  annotations: annotations.optional(),
});
export type ImageIndex = z.infer<typeof imageIndex>;

export const imageManifest = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  config: descriptor,
  layers: z.array(descriptor),
  annotations: annotations.optional(),
});
export type ImageManifest = z.infer<typeof imageManifest>;
