// etcd's list of members, by its HTTP gateway: before a join it must not hold an older self of this host that has lost its data.
import type {ClusterApi} from '../../cluster-api.ts';
import {ClusterApi as HttpApi} from '../../cluster-api.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import type {AgentStepContext} from '../../reconciler.ts';

const dataFolder = '/var/lib/etcd/member';
const annotation = 'kubeadm.kubernetes.io/etcd.advertise-client-urls';

interface Member {
  readonly ID: string;
  readonly name?: string;
  readonly peerURLs?: readonly string[];
}

/**
 * Takes this host's older self out of etcd when it had started once (it has a name) and its data is gone: such a member would never come
 * up again, and kubeadm would take it for one that has already joined. One that was only announced stays; kubeadm goes on with it.
 */
export async function removeLostMember(api: ClusterApi, context: AgentStepContext): Promise<void> {
  const {host, wanted} = context.scope;
  if (await host.exists(dataFolder)) return;
  const [address] = wanted.node.addresses;
  if (address === undefined) return;
  const etcd = await anyMember(api, context);
  if (etcd === undefined) return;
  try {
    const {members} = await etcd.change<{members: readonly Member[]}>({method: 'POST', path: '/v3/cluster/member/list', body: {linearizable: true}});
    const peer = `https://${address.includes(':') ? `[${address}]` : address}:2380`;
    const lost = members.find((member) => member.peerURLs?.includes(peer) === true && (member.name ?? '') !== '');
    if (lost === undefined) return;
    await etcd.change({method: 'POST', path: '/v3/cluster/member/remove', body: {ID: lost.ID}});
    context.emit({
      type: 'warning.raised',
      code: 'etcd.member-removed',
      message: `${host.name} was a member of etcd but has lost its data; the old member is removed.`,
      host: host.name,
    });
  } finally {
    etcd.close();
  }
}

/** A client of the first etcd member that answers. */
async function anyMember(api: ClusterApi, {scope: {host}, signal}: AgentStepContext): Promise<HttpApi | undefined> {
  const pods = await api.get<{items: readonly {metadata: {annotations?: Record<string, string>}}[]}>(
    '/api/v1/namespaces/kube-system/pods?labelSelector=component%3Detcd',
    signal,
  );
  const urls = (pods?.items ?? []).map((pod) => pod.metadata.annotations?.[annotation]).filter((url) => url !== undefined);
  const [ca, certificate, key] = await Promise.all(
    ['etcd/ca.crt', 'apiserver-etcd-client.crt', 'apiserver-etcd-client.key'].map((name) => host.read(`/etc/kubernetes/pki/${name}`)),
  );
  for (const server of urls) {
    const etcd = new HttpApi({
      server,
      ...(ca === undefined ? {} : {ca}),
      ...(certificate === undefined ? {} : {certificate}),
      ...(key === undefined ? {} : {key}),
    });
    try {
      await etcd.change({method: 'POST', path: '/v3/cluster/member/list', body: {}, deadline: 5000, signal});
      return etcd;
    } catch (error) {
      signal.throwIfAborted();
      etcd.close();
      if (!(error instanceof TriremeError)) throw error;
    }
  }
  return undefined;
}
