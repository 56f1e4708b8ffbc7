// A wanted document, and a target on a simulated host in a temporary folder.
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {simulatedHost} from '../../../src/agentd/distributions/simulated.ts';
import type {Target} from '../../../src/agentd/reconciler.ts';
import {Records} from '../../../src/agentd/records.ts';
import {protocol, type Wanted} from '../../../src/hostcluster/protocol.ts';

const sha = (letter: string) => `sha256:${letter.repeat(64)}`;

const image = (reference: string, letter: string) => ({name: `image:${reference}`, kind: 'image' as const, digest: sha(letter), size: 1, reference});

export function wantedFixture(over: Partial<Wanted> = {}): Wanted {
  return {
    protocol,
    program: '0.1.0',
    cluster: {name: 'berth', id: '0011223344556677'},
    distribution: 'kubeadm',
    kubernetesVersion: 'v1.36.3',
    role: 'control-plane',
    bootstrap: true,
    node: {name: 'h1', addresses: ['10.77.0.11'], labels: {}, access: {address: '10.77.0.11'}},
    endpoint: {host: '10.77.0.11', port: 6443},
    network: {pods: ['10.244.0.0/16'], services: ['10.96.0.0/12'], dnsDomain: 'cluster.local'},
    configuration: {kubelet: {}, apiServer: {}, controllerManager: {}, scheduler: {}, etcd: {}, kubeProxy: {}, kubeadm: {}, containerd: {}, sysctls: {}},
    proxy: {},
    files: [],
    content: [
      image('registry.k8s.io/kube-apiserver:v1.36.3', '1'),
      image('registry.k8s.io/coredns/coredns:v1.14.2', '2'),
      image('registry.k8s.io/etcd:3.6.8-0', '3'),
      image('registry.k8s.io/pause:3.10.2', '4'),
    ],
    layers: [],
    drift: {files: 'repair', sysctls: 'repair', modules: 'repair', runtime: 'repair', kubelet: 'repair', node: 'repair'},
    ...over,
  };
}

export interface TargetFixture {
  readonly target: Target;
  readonly root: string;
  remove(): Promise<void>;
}

export async function targetFixture(over: Partial<Wanted> = {}): Promise<TargetFixture> {
  const root = await mkdtemp(join(tmpdir(), 'tr-unit-'));
  const target: Target = {host: simulatedHost('h1', root), wanted: wantedFixture(over), secrets: null, records: await Records.open(join(root, 'records.json'))};
  return {target, root, remove: () => rm(root, {recursive: true, force: true})};
}
