// Releases in an OCI image layout (a folder or a tar): one artifact for each release, called LABEL:VERSION, whose layers carry the files' names in
// `org.opencontainers.image.title`, as `oras push` makes them.
import {openLayout, type Layout} from '../../../bundle/layout.ts';
import {annotationKeys, imageManifest, isManifestType, type ImageManifest} from '../../../bundle/media-types.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import {labelOf, type ProviderSource} from './provider.ts';
import {componentsFileOf, type Repository} from './repository.ts';

export async function layoutRepository(source: ProviderSource, place: string): Promise<Repository> {
  const layout = await openLayout(place);
  const label = labelOf(source);
  const releases = new Map<string, string>();
  for (const entry of layout.index.manifests) {
    if (!isManifestType(entry.mediaType)) continue;
    const name = entry.annotations?.[annotationKeys.reference] ?? '';
    const match = /(?:^|\/)([^/:@]+)[:@](v\d[^/:@]*)$/.exec(name);
    if (match !== null && match[1] === label) releases.set(match[2] as string, entry.digest);
  }
  const manifests = new Map<string, ImageManifest>();
  return {
    place,
    pinned: undefined,
    componentsFile: componentsFileOf(source),
    versions: async () => {
      if (releases.size === 0)
        throw new TriremeError('provider.repository-invalid', `The OCI layout ${place} has no releases of ${label}.`, {
          hints: [`A release is an artifact called ${label}:v1.2.3 with the files metadata.yaml and ${componentsFileOf(source)}.`],
        });
      return [...releases.keys()];
    },
    read: async (version, file) => {
      const digest = releases.get(version);
      if (digest === undefined) return undefined;
      const manifest = manifests.get(digest) ?? (await readManifest(layout, digest, place));
      manifests.set(digest, manifest);
      const layer = manifest.layers.find(({annotations}) => annotations?.[annotationKeys.title] === file);
      return layer === undefined ? undefined : layout.read(layer.digest);
    },
  };
}

async function readManifest(layout: Layout, digest: string, place: string): Promise<ImageManifest> {
  const bytes = await layout.read(digest);
  const parsed = imageManifest.safeParse(JSON.parse(bytes.toString()));
  if (!parsed.success) throw new TriremeError('provider.repository-invalid', `${digest} in ${place} isn't the manifest of an artifact.`);
  return parsed.data;
}
