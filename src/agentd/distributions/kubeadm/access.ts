// Clients of the cluster's API with the credentials that lie on this host.
import {Redactor} from '../../../kernel/redact.ts';
import type {KubeApi} from '../../../kube/api.ts';
import {ClusterApi, credentialsOf} from '../../cluster-api.ts';
import {stampOf} from '../../file-step.ts';
import type {HostSystem} from '../../host-system.ts';
import {apiPort, endpointOf} from './render-kubeadm.ts';
import type {Target} from '../../reconciler.ts';

export const adminKubeconfig = '/etc/kubernetes/admin.conf';
export const superAdminKubeconfig = '/etc/kubernetes/super-admin.conf';
export const kubeletKubeconfig = '/etc/kubernetes/kubelet.conf';

interface Kept {
  readonly stamp: string;
  readonly api: ClusterApi;
}

/** One client per kubeconfig, made anew when its file or the kubelet's rotated certificate is. */
const kept = new Map<string, Kept>();

const rotated = '/var/lib/kubelet/pki/kubelet-client-current.pem';

async function clientOf(host: HostSystem, path: string, server?: string): Promise<ClusterApi | undefined> {
  const text = await host.read(path);
  if (text === undefined) return undefined;
  const stamp = `${await stampOf(host.path(path))} ${text.includes(rotated) ? await stampOf(host.path(rotated)) : ''}`;
  const key = `${host.path(path)} ${server ?? ''}`;
  const before = kept.get(key);
  if (before?.stamp === stamp) return before.api;
  before?.api.close();
  const credentials = await credentialsOf(text, host.path);
  const api = new ClusterApi({...credentials, ...(server === undefined ? {} : {server})});
  kept.set(key, {stamp, api});
  return api;
}

/** With administrator's rights; undefined before this control plane has its kubeconfig. */
export function adminApi({host}: Pick<Target, 'host'>): Promise<ClusterApi | undefined> {
  return clientOf(host, adminKubeconfig);
}

const keptKube = new Map<string, {readonly stamp: string; readonly api: KubeApi}>();
/** A client lives as long as its kubeconfig; each call has a signal of its own. */
const never = new AbortController().signal;

/** With administrator's rights, by the whole client: it knows discovery and server-side apply, which layers need. Undefined as above. */
export async function adminKube({host}: Pick<Target, 'host'>): Promise<KubeApi | undefined> {
  const text = await host.read(adminKubeconfig);
  if (text === undefined) return undefined;
  const path = host.path(adminKubeconfig);
  const stamp = (await stampOf(path)) ?? '';
  const before = keptKube.get(path);
  if (before?.stamp === stamp) return before.api;
  before?.api.close();
  const {connect} = await import('../../../kube/client.ts');
  const content = {text, place: path};
  // the endpoint is the cluster's own: no proxy stands before it
  const api = await connect({content, signal: never, redactor: new Redactor(), warn: () => {}, env: {}});
  keptKube.set(path, {stamp, api});
  return api;
}

/** The same, of the API server on this very host: its certificate names the host's address. */
export function ownAdminApi({host, wanted}: Pick<Target, 'host' | 'wanted'>): Promise<ClusterApi | undefined> {
  const [address] = wanted.node.addresses;
  if (address === undefined) return clientOf(host, adminKubeconfig);
  return clientOf(host, adminKubeconfig, ownServer(address));
}

/** The API server on the host with this address. */
export const ownServer = (address: string) => `https://${address.includes(':') ? `[${address}]` : address}:${apiPort}`;

/** The same with rights that need no role, which `kubeadm init` gives only to the control plane that starts the cluster. */
export function ownSuperAdminApi({host, wanted}: Pick<Target, 'host' | 'wanted'>): Promise<ClusterApi | undefined> {
  const [address] = wanted.node.addresses;
  return clientOf(host, superAdminKubeconfig, address === undefined ? undefined : ownServer(address));
}

/** As this host's node; undefined before it's a member. */
export function nodeApi({host}: Pick<Target, 'host'>): Promise<ClusterApi | undefined> {
  return clientOf(host, kubeletKubeconfig);
}

/** What keeps a joining host from joining: undefined when the endpoint knows its bootstrap token. */
export async function whyNotJoinable({wanted, secrets}: Target, signal: AbortSignal): Promise<string | undefined> {
  if (secrets === null) return "the cluster's CA and bootstrap token from the operator";
  const server = `https://${endpointOf(wanted)}`;
  const api = new ClusterApi({server, ca: secrets.ca.certificate, token: secrets.bootstrapToken});
  try {
    const answer = await api.send<{message?: string}>({path: '/api/v1/namespaces/kube-system/configmaps/kubeadm-config', signal, deadline: 5000});
    if (answer.status === 200) return undefined;
    if (answer.status === 401) return `a control plane to renew the bootstrap token, which ${server} doesn't know`;
    if (answer.status === 404 || answer.status === 403) return `the first control plane: ${server} answers, but the cluster isn't set up yet`;
    return `${server}, which answers ${answer.status}${answer.body?.message === undefined ? '' : `: ${answer.body.message}`}`;
  } catch (error) {
    signal.throwIfAborted();
    return (error as Error).message;
  } finally {
    api.close();
  }
}

/** Who answers at the endpoint with this cluster's own CA although it is to be brought back from a backup: two of them must never be. */
export async function whoStillServes({wanted, secrets}: Target, signal: AbortSignal): Promise<string | undefined> {
  if (secrets === null) return undefined;
  const server = `https://${endpointOf(wanted)}`;
  const api = new ClusterApi({server, ca: secrets.ca.certificate, token: secrets.bootstrapToken});
  try {
    await api.send({path: '/livez', signal, deadline: 5000});
    return `the end of the cluster that still answers at ${server} with the same CA: a backup isn't restored beside it`;
  } catch {
    signal.throwIfAborted();
    return undefined;
  } finally {
    api.close();
  }
}
