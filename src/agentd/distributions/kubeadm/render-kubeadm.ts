// kubeadm's configuration, v1beta4: what init and join get, rendered from wanted.
import {stringify} from 'yaml';
import type {Secrets, Wanted} from '../../../hostcluster/protocol.ts';
import {imageNamed} from './images.ts';
import {mergeOver, type Settings} from './merge.ts';
import type {HostTraits} from './render-containerd.ts';
import {criSocket, renderKubelet} from './render-kubelet.ts';

const apiVersion = 'kubeadm.k8s.io/v1beta4';

/** Where the kubelet's fields of this host lie as a patch, so that a join begins with them. */
export const patchFolder = '/etc/kubernetes/trireme-patches';

/** Settings of `configuration.kubeadm` that have their own places; all others belong to ClusterConfiguration. */
const placed = new Set(['ignorePreflightErrors', 'timeouts', 'patches', 'skipPhases', 'nodeRegistration']);

function kubeadmSettings(wanted: Wanted) {
  const settings = wanted.configuration.kubeadm;
  return {
    ignored: (settings['ignorePreflightErrors'] as readonly string[] | undefined) ?? [],
    shared: {
      ...(settings['timeouts'] === undefined ? {} : {timeouts: settings['timeouts']}),
      patches: settings['patches'] ?? {directory: patchFolder},
    },
    skipPhases: settings['skipPhases'] === undefined ? {} : {skipPhases: settings['skipPhases']},
    nodeRegistration: (settings['nodeRegistration'] as Settings | undefined) ?? {},
    cluster: Object.fromEntries(Object.entries(settings).filter(([name]) => !placed.has(name))),
  };
}

/** v1beta4 wants a list of name and value; a plain map, as before v1beta4, is easier to write and is taken too. */
function component(settings: Settings): Settings {
  const args = settings['extraArgs'];
  if (args === undefined || args === null || Array.isArray(args)) return settings;
  return {...settings, extraArgs: Object.entries(args).map(([name, value]) => ({name, value: String(value)}))};
}

function documents(...parts: readonly Settings[]): string {
  return parts.map((part) => stringify(part, {lineWidth: 0, aliasDuplicateObjects: false})).join('---\n');
}

function nodeRegistration(wanted: Wanted, ignored: readonly string[]): Settings {
  const settings = kubeadmSettings(wanted);
  const {node} = wanted;
  return mergeOver(
    {
      name: node.name,
      criSocket,
      imagePullPolicy: 'IfNotPresent',
      // absent: kubeadm's default, which taints control planes
      ...(node.taints === undefined ? {} : {taints: node.taints.map(({key, value, effect}) => ({key, ...(value === undefined ? {} : {value}), effect}))}),
      ...(node.addresses.length === 0 ? {} : {kubeletExtraArgs: [{name: 'node-ip', value: node.addresses.join(',')}]}),
      ...(ignored.length + settings.ignored.length === 0 ? {} : {ignorePreflightErrors: [...new Set([...settings.ignored, ...ignored])].toSorted()}),
    },
    settings.nodeRegistration,
  );
}

/** Without an address kubeadm takes the one of the default route. */
function localEndpoint(wanted: Wanted): Settings {
  const [advertiseAddress] = wanted.node.addresses;
  return {localAPIEndpoint: {...(advertiseAddress === undefined ? {} : {advertiseAddress}), bindPort: apiPort}};
}

/** The port on which each API server listens on its own host. */
export const apiPort = 6443;

export function endpointOf(wanted: Pick<Wanted, 'endpoint'>): string {
  const {host, port} = wanted.endpoint;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** ClusterConfiguration, the kubelet's and kube-proxy's: what all control planes share. Holds no secret. */
export function renderClusterConfiguration(wanted: Wanted, traits: HostTraits): readonly Settings[] {
  const {configuration, network} = wanted;
  const dns = imageNamed(wanted, 'coredns');
  const etcd = imageNamed(wanted, 'etcd');
  const repository = imageNamed(wanted, 'kube-apiserver')?.repository.replace(/\/kube-apiserver$/, '');
  const base: Settings = {
    apiVersion,
    kind: 'ClusterConfiguration',
    clusterName: wanted.cluster.name,
    kubernetesVersion: wanted.kubernetesVersion,
    controlPlaneEndpoint: endpointOf(wanted),
    networking: {podSubnet: network.pods.join(','), serviceSubnet: network.services.join(','), dnsDomain: network.dnsDomain},
    ...(repository === undefined ? {} : {imageRepository: repository}),
    ...(dns === undefined ? {} : {dns: {imageRepository: dns.repository.replace(/\/coredns$/, ''), imageTag: dns.tag}}),
    apiServer: component(configuration.apiServer),
    controllerManager: component(configuration.controllerManager),
    scheduler: component(configuration.scheduler),
    etcd:
      configuration.etcd['external'] === undefined
        ? {local: component({dataDir: '/var/lib/etcd', ...(etcd === undefined ? {} : {imageTag: etcd.tag}), ...configuration.etcd})}
        : configuration.etcd,
  };
  return [
    mergeOver(base, kubeadmSettings(wanted).cluster),
    renderKubelet(wanted, traits),
    {apiVersion: 'kubeproxy.config.k8s.io/v1alpha1', kind: 'KubeProxyConfiguration', ...configuration.kubeProxy},
  ];
}

export interface InitInput {
  readonly wanted: Wanted;
  readonly traits: HostTraits;
  /** Absent where no token is needed: rendering components anew. */
  readonly secrets?: Secrets;
  /** Preflight errors that come from our own unfinished run. */
  readonly ignored?: readonly string[];
}

/** What `kubeadm init` and its phases get. Holds the bootstrap token when `secrets` are given. */
export function renderInit({wanted, traits, secrets, ignored = []}: InitInput): string {
  const settings = kubeadmSettings(wanted);
  const tokens =
    secrets === undefined
      ? {}
      : {
          bootstrapTokens: [
            {token: secrets.bootstrapToken, ttl: '24h0m0s', usages: ['signing', 'authentication'], groups: ['system:bootstrappers:kubeadm:default-node-token']},
          ],
        };
  return documents(
    {
      apiVersion,
      kind: 'InitConfiguration',
      ...tokens,
      ...localEndpoint(wanted),
      nodeRegistration: nodeRegistration(wanted, ignored),
      ...settings.skipPhases,
      ...settings.shared,
    },
    ...renderClusterConfiguration(wanted, traits),
  );
}

/** What `kubeadm join` and its phases get: discovery by a file that we write, so nothing is fetched from the first host. */
export function renderJoin(input: {
  readonly wanted: Wanted;
  readonly secrets: Secrets;
  readonly discoveryFile: string;
  readonly ignored?: readonly string[];
}): string {
  const {wanted, secrets, discoveryFile, ignored = []} = input;
  const settings = kubeadmSettings(wanted);
  return documents({
    apiVersion,
    kind: 'JoinConfiguration',
    discovery: {file: {kubeConfigPath: discoveryFile}, tlsBootstrapToken: secrets.bootstrapToken},
    ...(wanted.role === 'control-plane' ? {controlPlane: localEndpoint(wanted)} : {}),
    nodeRegistration: nodeRegistration(wanted, ignored),
    ...settings.skipPhases,
    ...settings.shared,
  });
}

/** What `kubeadm upgrade apply` and `upgrade node` get; the rest they read from the cluster. */
export function renderUpgrade(wanted: Wanted): string {
  const {ignored, shared, skipPhases} = kubeadmSettings(wanted);
  const {timeouts, ...patches} = shared as {readonly timeouts?: unknown};
  // an add-on that kubeadm didn't put there isn't its to upgrade; other phases of init have other names here
  const addons = ((skipPhases.skipPhases as readonly string[] | undefined) ?? []).filter((phase) => /^addon(\/|$)/.test(phase));
  const both = {
    certificateRenewal: true,
    etcdUpgrade: true,
    imagePullPolicy: 'IfNotPresent',
    ...(ignored.length === 0 ? {} : {ignorePreflightErrors: ignored.toSorted()}),
    ...(addons.length === 0 ? {} : {skipPhases: addons}),
    ...patches,
  };
  return documents({
    apiVersion,
    kind: 'UpgradeConfiguration',
    apply: {kubernetesVersion: wanted.kubernetesVersion, ...both},
    node: both,
    ...(timeouts === undefined ? {} : {timeouts}),
  });
}

/** A kubeconfig that holds only where the cluster is and who it is, in the shape of kubeadm's own `cluster-info`: no context, no user, no secret. */
export function renderDiscovery(wanted: Wanted, ca: string): string {
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{name: '', cluster: {server: `https://${endpointOf(wanted)}`, 'certificate-authority-data': Buffer.from(ca).toString('base64')}}],
      contexts: null,
      'current-context': '',
      users: null,
    },
    {lineWidth: 0},
  );
}
