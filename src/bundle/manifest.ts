// Image manifests: reading them, choosing among platforms, and what they name.
import {TriremeError} from '../kernel/errors.ts';
import type {Architecture, ContentBlob} from './content.ts';
import {imageManifest, isManifestType, type Descriptor, type ImageManifest} from './media-types.ts';

/** The entry for linux on this architecture. Attestations, which have the platform unknown/unknown, are never chosen. */
export function choosePlatform(entries: readonly Descriptor[], architecture: Architecture): Descriptor | undefined {
  const fitting = entries.filter((entry) => entry.platform?.os === 'linux' && entry.platform.architecture === architecture);
  return fitting.find((entry) => entry.platform?.variant === undefined || entry.platform.variant === 'v8') ?? fitting[0];
}

/** Reads an image manifest; throws `bundle.damaged` for anything else. */
export function parseManifest(manifest: {readonly bytes: Buffer; readonly mediaType: string}, name: string): ImageManifest {
  if (!isManifestType(manifest.mediaType)) {
    throw new TriremeError('bundle.damaged', `${name} is of the type ${manifest.mediaType}, which isn't an image that container runtimes of today take.`, {
      hints: ['Ask who publishes it for an OCI image, or for Docker schema 2.'],
    });
  }
  const parsed = imageManifest.safeParse(parseJson(manifest.bytes));
  if (!parsed.success)
    throw new TriremeError(
      'bundle.damaged',
      `The manifest of ${name} isn't one: ${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}.`,
      {cause: parsed.error},
    );
  return parsed.data;
}

/** What a manifest names: configuration and layers. */
export function blobsOf(manifest: ImageManifest): readonly ContentBlob[] {
  return [manifest.config, ...manifest.layers].map(({digest, size, mediaType}) => ({digest, size, mediaType}));
}

/** The value, or undefined for what isn't JSON. */
export function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
