// Every certificate that Kubernetes has on a host: where it lies, who renews it, and until when it holds.
import {parse} from 'yaml';
import type {CertificateState, Wanted} from '../../../hostcluster/protocol.ts';
import {stampOf} from '../../file-step.ts';
import type {HostSystem} from '../../host-system.ts';
import type {Target} from '../../reconciler.ts';
import type {ComponentName} from './components.ts';
import {endpointContainer, endpointKubeconfig} from './render-endpoint.ts';
import {describeCertificate, renewsAt, validityOf} from '../renewal.ts';

const pki = '/etc/kubernetes/pki';
export const kubeletPki = '/var/lib/kubelet/pki';
export const kubeletClientPem = `${kubeletPki}/kubelet-client-current.pem`;

/** The containers of static pods that read a certificate only when they start. */
export type Reader = ComponentName | typeof endpointContainer;

export interface CertificatePlace {
  /** The name that `kubeadm certs renew` knows it by, where it does. */
  readonly name: string;
  readonly path: string;
  readonly kind: CertificateState['kind'];
  readonly renewedBy: CertificateState['renewedBy'];
  readonly readers: readonly Reader[];
}

const authority = (name: string, path: string): CertificatePlace => ({name, path, kind: 'authority', renewedBy: 'nobody', readers: []});
const ours = (name: string, path: string, ...readers: readonly Reader[]): CertificatePlace => ({name, path, kind: 'certificate', renewedBy: 'agent', readers});

/** kubeadm doesn't know this one. */
export const endpointCertificate = 'trireme-endpoint.conf';

/** Those of a control plane; what isn't on a host (an external etcd's, super-admin.conf on one that joined) is passed over. */
const places: readonly CertificatePlace[] = [
  authority('ca', `${pki}/ca.crt`),
  authority('etcd-ca', `${pki}/etcd/ca.crt`),
  authority('front-proxy-ca', `${pki}/front-proxy-ca.crt`),
  ours('etcd-server', `${pki}/etcd/server.crt`, 'etcd'),
  ours('etcd-peer', `${pki}/etcd/peer.crt`, 'etcd'),
  ours('etcd-healthcheck-client', `${pki}/etcd/healthcheck-client.crt`, 'etcd'),
  ours('apiserver-etcd-client', `${pki}/apiserver-etcd-client.crt`, 'kube-apiserver'),
  ours('apiserver', `${pki}/apiserver.crt`, 'kube-apiserver'),
  ours('apiserver-kubelet-client', `${pki}/apiserver-kubelet-client.crt`, 'kube-apiserver'),
  ours('front-proxy-client', `${pki}/front-proxy-client.crt`, 'kube-apiserver'),
  ours('admin.conf', '/etc/kubernetes/admin.conf'),
  ours('super-admin.conf', '/etc/kubernetes/super-admin.conf'),
  ours('controller-manager.conf', '/etc/kubernetes/controller-manager.conf', 'kube-controller-manager'),
  ours('scheduler.conf', '/etc/kubernetes/scheduler.conf', 'kube-scheduler'),
  ours(endpointCertificate, endpointKubeconfig, endpointContainer),
];
const kubeletPlaces: readonly CertificatePlace[] = [
  {name: 'kubelet', path: kubeletClientPem, kind: 'certificate', renewedBy: 'kubelet', readers: []},
  {name: 'kubelet-server', path: `${kubeletPki}/kubelet-server-current.pem`, kind: 'certificate', renewedBy: 'kubelet', readers: []},
];
/** Signed by nobody and believed by nobody: it has an end all the same. */
const kubeletOwn: CertificatePlace = {name: 'kubelet-server', path: `${kubeletPki}/kubelet.crt`, kind: 'certificate', renewedBy: 'nobody', readers: []};

export function placesOf(wanted: Pick<Wanted, 'role'>): readonly CertificatePlace[] {
  return [...(wanted.role === 'control-plane' ? places : places.slice(0, 1)), ...kubeletPlaces, kubeletOwn];
}

interface Read {
  readonly stamp: string;
  readonly found: ReturnType<typeof describeCertificate>;
}

/** Parsed once for as long as the file stays the same: agents look often. */
const kept = new Map<string, Read>();

/** All certificates that are on this host; a file that can't be read as one is left out. */
export async function readCertificates({host, wanted}: Pick<Target, 'host' | 'wanted'>): Promise<readonly CertificateState[]> {
  const validity = validityOf(wanted);
  const found: CertificateState[] = [];
  for (const {name, path, kind, renewedBy} of placesOf(wanted)) {
    // the kubelet's own certificate counts only where it has no signed one
    if (found.some((one) => one.name === name)) continue;
    const described = await describeFile(host, path);
    if (described === undefined) continue;
    const at = renewsAt({...described, renewedBy}, validity);
    found.push({name, path, kind, ...described, renewedBy, ...(at === undefined ? {} : {renewsAt: at})});
  }
  return found;
}

async function describeFile(host: HostSystem, path: string): Promise<Read['found'] | undefined> {
  const real = host.path(path);
  const stamp = await stampOf(real);
  if (stamp === undefined) return undefined;
  const before = kept.get(real);
  if (before?.stamp === stamp) return before.found;
  const pem = pemIn(path, (await host.read(path)) ?? '');
  try {
    const found = describeCertificate(pem);
    kept.set(real, {stamp, found});
    return found;
  } catch {
    return undefined;
  }
}

/** The first certificate of a PEM file, or the client's of a kubeconfig. */
function pemIn(path: string, text: string): string {
  if (!path.endsWith('.conf')) return /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(text)?.[0] ?? '';
  return clientOf(text)?.certificate ?? '';
}

/** The client's certificate and key that a kubeconfig carries within it. */
export function clientOf(kubeconfig: string): {readonly certificate: string; readonly key: string} | undefined {
  const config = parse(kubeconfig) as {users?: readonly {user?: Readonly<Record<string, string>>}[]} | null;
  const user = config?.users?.[0]?.user;
  const [certificate, key] = [user?.['client-certificate-data'], user?.['client-key-data']];
  if (certificate === undefined || key === undefined) return undefined;
  return {certificate: Buffer.from(certificate, 'base64').toString('utf8'), key: Buffer.from(key, 'base64').toString('utf8')};
}
