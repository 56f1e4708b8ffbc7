// What the bundle commands share: which content is meant, by the file or by flags.
import {resolve} from 'node:path';
import {Flags} from '@oclif/core';
import {architectures, type Architecture, type Distribution} from '../bundle/content.ts';
import type {Renderer} from '../bundle/sources.ts';
import {TriremeError} from '../kernel/errors.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import {clusterFlags} from './base-flags.ts';

export const contentFlags = {
  ...clusterFlags,
  'kubernetes-version': Flags.string({
    summary: 'Version of Kubernetes, such as v1.36.3; without a file.',
    env: 'TRIREME_KUBERNETES_VERSION',
    helpValue: 'VERSION',
    exclusive: ['file', 'cluster'],
  }),
  image: Flags.string({
    summary: 'An image besides those of the version and the profile; repeatable.',
    env: 'TRIREME_IMAGE',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'REFERENCE',
  }),
};

/** An architecture of hosts. The file doesn't say which they have, and no host is asked. */
export const architectureFlag = Flags.string({
  summary: `Architecture of the hosts (${architectures.join(', ')}); repeatable.`,
  env: 'TRIREME_ARCH',
  multiple: true,
  multipleNonGreedy: true,
  helpValue: 'ARCH',
});

export interface MeantContent {
  readonly version: string;
  readonly distribution: Distribution;
  readonly images: readonly string[];
  readonly renderers?: readonly Renderer[];
  readonly authority?: string;
  readonly sources?: Readonly<Record<string, string>>;
  /** What relative paths of the file start from. */
  readonly folder: string;
  readonly lockFile: string;
}

/** The content that a file's cluster needs. */
export async function contentOfCluster(cluster: DesiredCluster, extra: readonly string[]): Promise<MeantContent> {
  const {imagesOfCluster} = await import('../hostcluster/manifest-images.ts');
  const {spec} = cluster.document;
  const {folder} = cluster.source;
  return {
    version: spec.kubernetes.version,
    distribution: spec.kubernetes.distribution,
    images: [...imagesOfCluster(cluster), ...extra],
    folder,
    lockFile: resolve(folder, spec.bundle?.lock ?? 'trireme.lock'),
    renderers: [...new Set(cluster.layers.flatMap((layer) => layer.renderedBy ?? []))],
    ...(spec.bundle?.sources === undefined ? {} : {sources: spec.bundle.sources}),
    ...(spec.bundle?.authority === undefined ? {} : {authority: resolve(folder, spec.bundle.authority)}),
  };
}

/** Where the programs that render layers come from, by the cluster's file. */
export function rendererPlaces(cluster: DesiredCluster) {
  const {spec} = cluster.document;
  const {folder} = cluster.source;
  const {bundle} = spec.agent ?? {};
  const {sources, authority, programs, lock} = spec.bundle ?? {};
  return {
    folder,
    lockFile: resolve(folder, lock ?? 'trireme.lock'),
    ...(bundle === undefined ? {} : {bundle: bundle.startsWith('oci://') ? bundle : resolve(folder, bundle)}),
    ...(sources === undefined ? {} : {sources}),
    ...(authority === undefined ? {} : {authority: resolve(folder, authority)}),
    ...(programs === undefined ? {} : {programs: Object.fromEntries(Object.entries(programs).map(([name, path]) => [name, resolve(folder, path)]))}),
  };
}

/** The content of a version that a flag names. */
export function contentOfVersion(version: string, extra: readonly string[]): MeantContent {
  return {version, distribution: 'kubeadm', images: extra, folder: process.cwd(), lockFile: resolve('trireme.lock')};
}

/** The value of --arch; throws `usage.invalid` for others than ours. */
export function requireArchitectures(texts: readonly string[]): readonly Architecture[] {
  return [...new Set(texts)].map((text) => {
    const known = architectures.find((architecture) => architecture === text);
    if (known === undefined) throw new TriremeError('usage.invalid', `--arch takes ${architectures.join(' or ')}, not ${text}.`);
    return known;
  });
}
