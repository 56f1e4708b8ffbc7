// Facts and files for the tests of planning; every test changes only what it is about.
import {digestOfValue} from '../../../src/kernel/digest.ts';
import type {HostClusterFacts, MemberFacts, MemberObservation} from '../../../src/hostcluster/facts.ts';
import type {AgentState, ContentItem, Wanted} from '../../../src/hostcluster/protocol.ts';
import {hostsOf, wantedOf} from '../../../src/hostcluster/wanted.ts';
import type {DesiredCluster} from '../../../src/spec/desired.ts';
import {clusterDocument, type AgentHost} from '../../../src/spec/schema.ts';

export const digest = (letter: string) => `sha256:${letter.repeat(64)}`;

export const fixtureContent: readonly ContentItem[] = [
  {name: 'kubelet', kind: 'binary', digest: digest('1'), size: 100},
  {
    name: 'image:registry.k8s.io/kube-apiserver:v1.36.3',
    kind: 'image',
    digest: digest('2'),
    size: 300,
    reference: 'registry.k8s.io/kube-apiserver:v1.36.3',
    blobs: [
      {digest: digest('2'), size: 10, mediaType: 'm'},
      {digest: digest('3'), size: 290, mediaType: 'l'},
    ],
  },
  {
    name: 'image:registry.k8s.io/pause:3.10.2',
    kind: 'image',
    digest: digest('4'),
    size: 30,
    reference: 'registry.k8s.io/pause:3.10.2',
    blobs: [
      {digest: digest('4'), size: 10, mediaType: 'm'},
      {digest: digest('5'), size: 20, mediaType: 'l'},
    ],
  },
];

export const threeAndOne: readonly Partial<AgentHost>[] = [
  {name: 'h1', address: '10.77.0.11', role: 'control-plane'},
  {name: 'h2', address: '10.77.0.12', role: 'control-plane'},
  {name: 'h3', address: '10.77.0.13', role: 'control-plane'},
  {name: 'h4', address: '10.77.0.14', role: 'worker'},
];

export interface FixtureCluster {
  readonly hosts?: readonly Partial<AgentHost>[];
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly agent?: Readonly<Record<string, unknown>>;
  readonly desired?: Partial<DesiredCluster>;
}

export function desiredCluster(options: FixtureCluster = {}): DesiredCluster {
  const document = clusterDocument.parse({
    apiVersion: 'trireme.dev/v1alpha1',
    kind: 'Cluster',
    metadata: {name: 'berth'},
    spec: {
      mode: 'agent',
      kubernetes: {distribution: 'kubeadm', version: 'v1.36.3'},
      endpoint: {host: '10.77.0.11'},
      ...options.spec,
      agent: {hosts: options.hosts ?? threeAndOne, ...options.agent},
    },
  });
  return {
    document,
    layers: [{name: 'cni', kind: 'cni', manifest: 'kind: DaemonSet'}],
    hostFiles: {},
    hostHooks: {},
    source: {files: ['trireme.yaml'], folder: '/', digest: digest('a')},
    warnings: [],
    ...options.desired,
  };
}

export function memberFacts(host: string, over: Partial<MemberFacts> = {}): MemberFacts {
  const number = 10 + Number(host.slice(1));
  return {
    host,
    architecture: 'amd64',
    networks: [`10.77.0.${number}/24`],
    programDigest: undefined,
    runtimeDigest: undefined,
    agentActive: false,
    seen: undefined,
    content: [],
    simulated: false,
    ...over,
  };
}

export function factsOf(hosts: readonly MemberObservation[], over: Partial<HostClusterFacts> = {}): HostClusterFacts {
  return {
    hosts,
    program: {
      version: '0.1.0',
      agent: {digest: digest('e'), size: 1000, path: '/dist/agent.mjs'},
      runtimes: {amd64: {digest: digest('f'), size: 90_000, path: '/usr/bin/node'}},
    },
    content: {amd64: fixtureContent},
    ...over,
  };
}

/** Facts of hosts that have never been touched. */
export const freshFacts = (cluster: DesiredCluster) => factsOf(hostsOf(cluster).map((host) => memberFacts(host.name)));

export function agentState(wanted: Wanted, over: Partial<AgentState> = {}): AgentState {
  return {
    protocol: 1,
    version: '0.1.0',
    host: wanted.node.name,
    simulated: false,
    startedAt: '2026-01-01T00:00:00Z',
    wanted,
    wantedDigest: digestOfValue(wanted),
    converged: true,
    member: true,
    secretsDigest: digest(wanted.role === 'worker' ? 'd' : 'c'),
    reconcilers: [],
    drift: [],
    nodes: [],
    conditions: [],
    lastSeq: 1,
    ...over,
  };
}

/** Facts of a cluster that is exactly as the file wants it. */
export function settledFacts(cluster: DesiredCluster, over: (host: string) => Partial<MemberFacts> = () => ({})): HostClusterFacts {
  const fresh = freshFacts(cluster);
  return factsOf(
    hostsOf(cluster).map((host) => {
      const bare = memberFacts(host.name, over(host.name).networks === undefined ? {} : {networks: over(host.name).networks ?? []});
      const wanted = wantedOf(cluster, fresh, host, bare);
      const seen = agentState({...wanted, cluster: {...wanted.cluster, id: 'id-1'}});
      return memberFacts(host.name, {
        programDigest: digest('e'),
        runtimeDigest: digest('f'),
        agentActive: true,
        seen,
        content: [1, 2, 3, 4, 5].map((n) => digest(String(n))),
        ...over(host.name),
      });
    }),
  );
}
