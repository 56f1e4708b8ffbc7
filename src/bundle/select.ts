// What a cluster needs, by name, and which items of a bundle that is.
import type {Architecture, ContentByArchitecture, ContentItem, Distribution} from './content.ts';
import type {BundleContents} from './contents.ts';
import {simulateContent} from './simulated.ts';
import {fileSourcesOf, neededImages, type Renderer} from './sources.ts';

export interface ContentNeed {
  /** `v1.36.3`. */
  readonly version: string;
  readonly distribution: Distribution;
  readonly architectures: readonly Architecture[];
  /** References of images that are needed besides those of the version: what the profile's manifests name. */
  readonly images: readonly string[];
  /** Programs that render the profile's layers, wherever the bundle is used; hosts get none of them. */
  readonly renderers?: readonly Renderer[];
}

/** An item of a bundle by name, for this version and distribution. */
export function findItem(
  contents: BundleContents,
  request: Pick<ContentNeed, 'version' | 'distribution'>,
  architecture: Architecture,
  name: string,
): ContentItem | undefined {
  const image = contents.images.find((one) => one.architecture === architecture && one.item.name === name);
  if (image !== undefined) return image.item;
  return contents.files.find(
    (one) =>
      one.architecture === architecture && one.item.name === name && one.kubernetesVersion === request.version && one.distribution === request.distribution,
  )?.item;
}

/** Names of all that a cluster needs on one architecture; throws `bundle.version-unsupported`. */
function neededNames(request: Pick<ContentNeed, 'version' | 'distribution' | 'images' | 'renderers'>, architecture: Architecture): readonly string[] {
  if (request.distribution === 'simulated') return simulateContent(request.version, architecture, request.images).items.map((item) => item.name);
  return [
    ...fileSourcesOf(request.version, architecture).map((source) => source.name),
    ...neededImages(request.version, request.images).map((reference) => `image:${reference}`),
    ...(request.renderers ?? []).filter((name) => name !== 'kubectl'),
  ];
}

/** What a bundle gives for a cluster, and what it lacks. */
export function selectContent(
  contents: BundleContents,
  request: ContentNeed,
): {readonly content: ContentByArchitecture; readonly missing: readonly {readonly name: string; readonly architecture: Architecture}[]} {
  const content: Partial<Record<Architecture, readonly ContentItem[]>> = {};
  const missing: {name: string; architecture: Architecture}[] = [];
  for (const architecture of request.architectures) {
    const items: ContentItem[] = [];
    for (const name of neededNames(request, architecture)) {
      const item = findItem(contents, request, architecture, name);
      if (item === undefined) missing.push({name, architecture});
      else items.push(item);
    }
    content[architecture] = items;
  }
  return {content, missing};
}
