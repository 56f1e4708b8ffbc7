// From the file and the facts to what each host shall be. Pure, and stable: what concerns one host changes no other's document.
import {isIP} from 'node:net';
import type {DesiredCluster, DesiredLayer} from '../spec/desired.ts';
import type {AgentHost, ClusterSpec, ComponentConfiguration, Taint} from '../spec/schema.ts';
import {endpointImage} from '../bundle/sources.ts';
import {contentForRole} from './content.ts';
import {isReached, reachedHosts, type HostClusterFacts, type MemberFacts, type MemberObservation} from './facts.ts';
import {requireRendered} from '../layers/inventory.ts';
import {controlPlaneImages} from './manifest-images.ts';
import {mergeSettings} from './merge.ts';
import {
  controlPlaneTaint,
  driftAreas,
  protocol,
  type DriftArea,
  type HostAccess,
  type NodeState,
  type Wanted,
  type WantedLayer,
  type WantedTaint,
} from './protocol.ts';
import {isWithin, networkOf, proxyEnvironment} from './proxy.ts';

export interface Membership {
  /** The cluster's id, from a host that has it; the empty string before the secrets are made. */
  readonly id: string;
  /** The control plane that starts the cluster; undefined when it has been started by one that doesn't answer now. */
  readonly bootstrap: string | undefined;
  /** True once a host is a member: the cluster has been started. */
  readonly started: boolean;
}

export function hostsOf(cluster: DesiredCluster): readonly AgentHost[] {
  return cluster.document.spec.agent?.hosts ?? [];
}

/** Who started the cluster, or shall: the host that already is, else the first control plane of the file. */
export function membershipOf(cluster: DesiredCluster, facts: Pick<HostClusterFacts, 'hosts'>): Membership {
  const {name} = cluster.document.metadata;
  const ours = reachedHosts(facts).filter((host) => host.seen?.wanted?.cluster.name === name);
  const id = ours[0]?.seen?.wanted?.cluster.id ?? '';
  const started = ours.some((host) => host.seen?.member === true);
  const already = ours.find((host) => host.seen?.wanted?.bootstrap === true)?.host;
  const controlPlanes = hostsOf(cluster).filter((host) => host.role === 'control-plane');
  if (already !== undefined || !started) return {id, started, bootstrap: already ?? controlPlanes.find((host) => host.enrol !== 'file')?.name};
  // the one that started it has left the file: its part, which is to keep what all share, goes to the first of those that stay
  const isSilent = controlPlanes.some((host) => !reachedHosts(facts).some((one) => one.host === host.name));
  const heir = controlPlanes.find((host) => ours.some((one) => one.host === host.name && one.seen?.member === true));
  return {id, started, bootstrap: isSilent ? undefined : heir?.name};
}

/** What this host shall be. `cluster.id` is empty until the cluster's secrets are made. */
export function wantedOf(cluster: DesiredCluster, facts: HostClusterFacts, host: AgentHost, member: MemberFacts): Wanted {
  requireRendered(cluster.layers);
  const {metadata, spec} = cluster.document;
  const membership = membershipOf(cluster, facts);
  const addresses = nodeAddressesOf(spec, host, member);
  const taints = taintsOf(host);
  return {
    protocol,
    program: facts.program.version,
    cluster: {name: metadata.name, id: membership.id},
    distribution: spec.kubernetes.distribution,
    kubernetesVersion: spec.kubernetes.version,
    role: host.role,
    bootstrap: membership.bootstrap === host.name,
    node: {
      name: host.name,
      addresses,
      labels: host.labels ?? {},
      ...(taints === undefined ? {} : {taints}),
      access: accessOf(host),
    },
    endpoint: {host: spec.endpoint.host, port: spec.endpoint.port, ...vipOf(spec, host)},
    network: {pods: spec.network.pods, services: spec.network.services, dnsDomain: spec.network.dnsDomain},
    configuration: configurationOf(spec.configuration, host.configuration),
    proxy: proxyEnvironment({
      settings: spec.agent?.proxy,
      endpoint: spec.endpoint.host,
      pods: spec.network.pods,
      services: spec.network.services,
      dnsDomain: spec.network.dnsDomain,
      nodeNetworks: nodeNetworksOf(cluster, facts, member),
    }),
    ...(cluster.registries === undefined ? {} : {registries: cluster.registries}),
    files: [...(cluster.hostFiles[host.name] ?? [])].toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    content: contentForRole(facts.content[member.architecture] ?? [], host.role, controlPlaneImages(cluster)),
    layers: host.role === 'control-plane' ? cluster.layers.map(wantedLayer) : [],
    drift: driftOf(spec.agent?.drift),
  };
}

function vipOf({endpoint}: ClusterSpec, {role}: AgentHost): Pick<Wanted['endpoint'], 'vip'> {
  if (endpoint.type !== 'vip' || role !== 'control-plane') return {};
  return {vip: {image: endpointImage, ...(endpoint.interface === undefined ? {} : {interface: endpoint.interface})}};
}

function wantedLayer({name, kind, manifest, namespace, patience}: DesiredLayer): WantedLayer {
  return {name, kind, manifest, ...(namespace === undefined ? {} : {namespace}), ...(patience === undefined ? {} : {patience})};
}

/** The node's addresses: those of the file, else `address` when it is one, else the default route's; two with two pod networks. */
export function nodeAddressesOf(spec: ClusterSpec, host: AgentHost, member: MemberFacts | undefined): readonly string[] {
  if (host.nodeAddress !== undefined) return typeof host.nodeAddress === 'string' ? [host.nodeAddress] : host.nodeAddress;
  const served = spec.endpoint.type === 'vip' ? spec.endpoint.host : undefined; // on whichever host it is now, it's no node's
  const seen = (member?.networks ?? []).map((network) => network.split('/')[0] ?? '').filter((address) => isIP(address) !== 0 && address !== served);
  const first = isIP(host.address) === 0 ? seen[0] : host.address;
  if (first === undefined) return [];
  if (spec.network.pods.length < 2) return [first];
  const other = seen.find((address) => isIP(address) !== isIP(first) && !address.startsWith('fe80:'));
  return other === undefined ? [first] : [first, other];
}

/**
 * The networks in which the nodes are, for NO_PROXY. Of a host that doesn't answer now the networks can be unknown; those that this host
 * already has in its NO_PROXY are kept then, so that another's absence changes nothing here.
 */
function nodeNetworksOf(cluster: DesiredCluster, facts: HostClusterFacts, self: MemberFacts): readonly string[] {
  const {spec} = cluster.document;
  const networks = new Set<string>();
  let complete = true;
  for (const host of hostsOf(cluster)) {
    const observation = facts.hosts.find((one) => one.host === host.name);
    const member = observation !== undefined && isReached(observation) ? observation : undefined;
    if (member === undefined) complete = false;
    for (const address of nodeAddressesOf(spec, host, member)) {
      const network = member?.networks.find((one) => one.startsWith(`${address}/`) || isWithin(address, one));
      const known = network === undefined ? undefined : networkOf(network);
      if (known !== undefined) networks.add(known);
      else if (member !== undefined) networks.add(address);
      else if (![...networks].some((one) => one.includes('/') && isWithin(address, one)) && self.seen?.wanted == null) networks.add(address);
    }
  }
  const fixed = new Set([...spec.network.pods, ...spec.network.services]);
  const before = (self.seen?.wanted?.proxy['NO_PROXY'] ?? '')
    .split(',')
    .filter((entry) => (networkOf(entry) !== undefined || isIP(entry) !== 0) && !fixed.has(entry));
  const named = new Set(spec.agent?.proxy?.noProxy ?? []);
  const always = new Set(['127.0.0.1', '::1', spec.endpoint.host]);
  if (!complete)
    for (const entry of before)
      if (!named.has(entry) && !always.has(entry) && !spec.network.services.some((cidr) => isIP(entry) !== 0 && isWithin(entry, cidr))) networks.add(entry);
  return [...networks];
}

/** The list as the node shall have it: a control plane keeps its own taint unless the list is empty. Undefined: the distribution's default. */
function taintsOf(host: AgentHost): readonly WantedTaint[] | undefined {
  if (host.taints === undefined) return undefined;
  const own = host.taints.map((one: Taint): WantedTaint => ({key: one.key, ...(one.value === undefined ? {} : {value: one.value}), effect: one.effect}));
  const keepsItsOwn = host.role === 'control-plane' && own.length > 0 && !own.some((one) => one.key === controlPlaneTaint.key);
  return keepsItsOwn ? [controlPlaneTaint, ...own] : own;
}

/** How the file says that this host is reached; what it says for all hosts isn't noted. */
function accessOf({address, ssh}: AgentHost): HostAccess {
  return {address, ...(ssh?.port === undefined ? {} : {port: ssh.port}), ...(ssh?.user === undefined ? {} : {user: ssh.user})};
}

function configurationOf(base: ComponentConfiguration | undefined, over: ComponentConfiguration | undefined): Wanted['configuration'] {
  const merged = (part: Exclude<keyof ComponentConfiguration, 'sysctls'>) => mergeSettings(base?.[part], over?.[part]);
  const sysctls = Object.entries({...base?.sysctls, ...over?.sysctls}).map(([key, value]) => [key, String(value)] as const);
  return {
    kubelet: merged('kubelet'),
    apiServer: merged('apiServer'),
    controllerManager: merged('controllerManager'),
    scheduler: merged('scheduler'),
    etcd: merged('etcd'),
    kubeProxy: merged('kubeProxy'),
    kubeadm: merged('kubeadm'),
    containerd: merged('containerd'),
    sysctls: Object.fromEntries(sysctls),
  };
}

type DriftSetting = NonNullable<ClusterSpec['agent']>['drift'];

function driftOf(setting: DriftSetting): Wanted['drift'] {
  const policyOf = (area: DriftArea) => (typeof setting === 'string' ? setting : (setting?.[area] ?? 'repair'));
  return Object.fromEntries(driftAreas.map((area) => [area, policyOf(area)])) as Wanted['drift'];
}

/** The observation of a host by name. */
export function observationOf(facts: Pick<HostClusterFacts, 'hosts'>, host: string): MemberObservation | undefined {
  return facts.hosts.find((one) => one.host === host);
}

/** In ms. */
export function drainDeadline({drainTimeout}: Pick<ClusterSpec['rollout'], 'drainTimeout'>): number {
  const unit = drainTimeout.at(-1);
  return Number.parseInt(drainTimeout, 10) * (unit === 's' ? 1000 : unit === 'm' ? 60_000 : 3_600_000);
}

/** The nodes as a control plane tells them; empty when none does. */
export function nodesIn(facts: Pick<HostClusterFacts, 'hosts'>): readonly NodeState[] {
  return reachedHosts(facts).find((host) => (host.seen?.nodes.length ?? 0) > 0)?.seen?.nodes ?? [];
}

/** The version that a member runs, all of it; undefined when it's no member. */
export function runningVersion(member: MemberFacts): string | undefined {
  if (member.seen?.member !== true) return undefined;
  return member.seen.running ?? member.seen.wanted?.kubernetesVersion;
}
