// Which programs and images a Kubernetes version needs and where their projects publish them. Data, and the little that turns it into addresses.
import {TriremeError} from '../kernel/errors.ts';
import type {Architecture} from './content.ts';
import {normalizeReference} from './reference.ts';

export interface FileSource {
  /** As in ContentItem. */
  readonly name: string;
  readonly kind: 'binary' | 'archive';
  readonly version: string;
  readonly architecture: Architecture;
  readonly url: string;
  /** Where the project publishes the digest: bare hexadecimal digits, or lines of digest and name. */
  readonly checksumUrl: string;
}

interface RuntimeVersions {
  readonly containerd: string;
  readonly runc: string;
  readonly cniPlugins: string;
  readonly crictl: string;
}

interface MinorRelease extends RuntimeVersions {
  /** Tags of the images that kubeadm names besides its own version; the last entry whose `from` isn't above the patch counts. */
  readonly images: readonly {readonly from: number; readonly coredns: string; readonly etcd: string; readonly pause: string}[];
}

/** crictl speaks CRI v1 with every minor below; one version of each is enough. */
const runtime: RuntimeVersions = {containerd: 'v2.4.2', runc: 'v1.5.2', cniPlugins: 'v1.9.1', crictl: 'v1.36.0'};

/** By minor version. Images: cmd/kubeadm/app/constants/constants.go (CoreDNSVersion, DefaultEtcdVersion, PauseVersion) of v1.34.0 to .10, v1.35.0 to .4, v1.36.0 to .3. */
const releases: Readonly<Record<string, MinorRelease>> = {
  '1.34': {
    ...runtime,
    images: [
      {from: 0, coredns: 'v1.12.1', etcd: '3.6.4-0', pause: '3.10.1'},
      {from: 2, coredns: 'v1.12.1', etcd: '3.6.5-0', pause: '3.10.1'},
    ],
  },
  '1.35': {...runtime, images: [{from: 0, coredns: 'v1.13.1', etcd: '3.6.6-0', pause: '3.10.1'}]},
  '1.36': {...runtime, images: [{from: 0, coredns: 'v1.14.2', etcd: '3.6.8-0', pause: '3.10.2'}]},
};

export const supportedMinors: readonly string[] = Object.keys(releases);

function releaseOf(version: string): {readonly release: MinorRelease; readonly patch: number} {
  const match = /^v(\d+\.\d+)\.(\d+)$/.exec(version);
  const release = match === null ? undefined : releases[match[1] ?? ''];
  if (match === null || release === undefined) {
    throw new TriremeError(
      'bundle.version-unsupported',
      `Trireme doesn't know which content Kubernetes ${version} needs: it knows ${supportedMinors.map((minor) => `v${minor}`).join(', ')}.`,
      {
        hints: ['Choose one of these minor versions in spec.kubernetes.version, or use a version of Trireme that knows this one.'],
      },
    );
  }
  return {release, patch: Number(match[2])};
}

/** The files of one Kubernetes version (`v1.36.3`) for one architecture; throws `bundle.version-unsupported`. */
export function fileSourcesOf(version: string, architecture: Architecture): readonly FileSource[] {
  const {release} = releaseOf(version);
  const kubernetes = ['kubeadm', 'kubelet', 'kubectl'].map((name): FileSource => {
    const url = `https://dl.k8s.io/release/${version}/bin/linux/${architecture}/${name}`;
    return {name, kind: 'binary', version, architecture, url, checksumUrl: `${url}.sha256`};
  });
  const github = (name: string, kind: FileSource['kind'], fileVersion: string, path: string, checksumPath: string): FileSource => ({
    name,
    kind,
    version: fileVersion,
    architecture,
    url: `https://github.com/${path}`,
    checksumUrl: `https://github.com/${checksumPath}`,
  });
  const containerd = `containerd/containerd/releases/download/${release.containerd}/containerd-${release.containerd.slice(1)}-linux-${architecture}.tar.gz`;
  const runc = `opencontainers/runc/releases/download/${release.runc}`;
  const cni = `containernetworking/plugins/releases/download/${release.cniPlugins}/cni-plugins-linux-${architecture}-${release.cniPlugins}.tgz`;
  const crictl = `kubernetes-sigs/cri-tools/releases/download/${release.crictl}/crictl-${release.crictl}-linux-${architecture}.tar.gz`;
  return [
    ...kubernetes,
    github('containerd', 'archive', release.containerd, containerd, `${containerd}.sha256sum`),
    github('runc', 'binary', release.runc, `${runc}/runc.${architecture}`, `${runc}/runc.sha256sum`),
    github('cni-plugins', 'archive', release.cniPlugins, cni, `${cni}.sha256`),
    github('crictl', 'archive', release.crictl, crictl, `${crictl}.sha256`),
  ];
}

/** What serves an endpoint of type vip: one release for every Kubernetes version, since all it asks of the API is a Lease. */
export const endpointImage = 'ghcr.io/kube-vip/kube-vip:v1.0.0';

/** Helm renders charts the same for every Kubernetes version that is given to it. */
const helm = 'v4.3.1';

/** Programs that are needed where layers are rendered, not on hosts. */
export const renderers = ['helm', 'kubectl'] as const;
export type Renderer = (typeof renderers)[number];

/** Where a renderer is published for a platform such as `linux` or `darwin`. */
export function rendererSource(name: Renderer, version: string, platform: string, architecture: Architecture): FileSource {
  if (name === 'kubectl') {
    const url = `https://dl.k8s.io/release/${version}/bin/${platform}/${architecture}/kubectl`;
    return {name, kind: 'binary', version, architecture, url, checksumUrl: `${url}.sha256`};
  }
  const url = `https://get.helm.sh/helm-${helm}-${platform}-${architecture}.tar.gz`;
  return {name, kind: 'archive', version: helm, architecture, url, checksumUrl: `${url}.sha256sum`};
}

/** References of the images that kubeadm of this version (`v1.36.3`) runs, in full; throws `bundle.version-unsupported`. */
export function imagesOf(version: string): readonly string[] {
  const {release, patch} = releaseOf(version);
  const tags = release.images.findLast((entry) => entry.from <= patch);
  if (tags === undefined) return [];
  return [
    ...['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'].map((name) => `registry.k8s.io/${name}:${version}`),
    `registry.k8s.io/coredns/coredns:${tags.coredns}`,
    `registry.k8s.io/etcd:${tags.etcd}`,
    `registry.k8s.io/pause:${tags.pause}`,
  ];
}

/** The images of the version and those that are named besides, each once and in full. */
export function neededImages(version: string, extra: readonly string[]): readonly string[] {
  return [...new Set([...imagesOf(version), ...extra.map(normalizeReference)])];
}
