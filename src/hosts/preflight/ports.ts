// Which ports a node needs, by role and CNI (Kubernetes: ports and protocols; the CNIs' own documentation).
import type {PortText} from '../os/family.ts';
import type {Role} from './check.ts';

export interface NodePort {
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  /** The program that listens on it in a cluster of ours, as the kernel cuts its name (15 letters). */
  readonly program: string;
}

/** Ports on which the components themselves listen. */
export function componentPorts(role: Role, apiPort: number): readonly NodePort[] {
  const all: readonly NodePort[] = [
    {port: 10_250, protocol: 'tcp', program: 'kubelet'},
    {port: 10_256, protocol: 'tcp', program: 'kube-proxy'},
  ];
  if (role === 'worker') return all;
  return [
    {port: apiPort, protocol: 'tcp', program: 'kube-apiserver'},
    {port: 2379, protocol: 'tcp', program: 'etcd'},
    {port: 2380, protocol: 'tcp', program: 'etcd'},
    {port: 10_257, protocol: 'tcp', program: 'kube-controller'},
    {port: 10_259, protocol: 'tcp', program: 'kube-scheduler'},
    ...all,
  ];
}

const cniPorts: Readonly<Record<string, readonly PortText[]>> = {
  flannel: ['8472/udp'],
  canal: ['8472/udp'],
  calico: ['179/tcp', '4789/udp', '5473/tcp'],
  cilium: ['8472/udp', '4240/tcp', '4244/tcp'],
};

/** Ports that other nodes and clients must reach. */
export function inboundPorts(role: Role, apiPort: number, cni: string | undefined): readonly PortText[] {
  const components = role === 'control-plane' ? [`${apiPort}/tcp`, '2379-2380/tcp'] : [];
  return [...components, '10250/tcp', '10256/tcp', '30000-32767/tcp', '30000-32767/udp', ...(cniPorts[cni ?? ''] ?? [])];
}
