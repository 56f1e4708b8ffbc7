// etcd's list of members, by its HTTP gateway: who they are and whether they answer; one is taken out; and before a join the list must not
// hold an older self of this host that has lost its data.
import type {EtcdMember, EtcdMemberState} from '../../../hostcluster/protocol.ts';
import type {ClusterApi} from '../../cluster-api.ts';
import {ClusterApi as HttpApi} from '../../cluster-api.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import {waitFor} from '../../../kernel/retry.ts';
import type {HostSystem} from '../../host-system.ts';
import type {AgentStepContext, Target} from '../../reconciler.ts';

const dataFolder = '/var/lib/etcd/member';
const annotation = 'kubeadm.kubernetes.io/etcd.advertise-client-urls';
/** In ms. A member that is slower than this to say that it's there isn't one to count on. */
const times = {health: 1000, change: 5000, unhealthy: 22_000};

interface Member {
  readonly ID: string;
  readonly name?: string;
  readonly peerURLs?: readonly string[];
  readonly clientURLs?: readonly string[];
  readonly isLearner?: boolean;
}

interface StatusAnswer {
  /** `member_id`: who answers. */
  readonly header?: {readonly member_id?: string};
  readonly leader?: string;
  readonly errors?: readonly string[];
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
    const peer = `https://${address.includes(':') ? `[${address}]` : address}:2380`;
    const lost = (await listMembers(etcd, true)).find((member) => member.peerURLs?.includes(peer) === true && (member.name ?? '') !== '');
    if (lost === undefined) return;
    await removeMember(etcd, lost.ID);
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

/** The members as this control plane's own etcd knows them, each asked whether it's well. Undefined: there's no etcd on this host. */
export async function etcdMembersOf({host, wanted}: Target, signal: AbortSignal): Promise<readonly EtcdMember[] | undefined> {
  if (wanted.configuration.etcd['external'] !== undefined) return undefined;
  const local = await clientOf(host, localUrl);
  try {
    const members = await listMembers(local, false, signal);
    return await Promise.all(
      members.map(async (member) => ({
        id: member.ID,
        name: member.name ?? '',
        addresses: (member.peerURLs ?? []).map(addressOf),
        learner: member.isLearner === true,
        healthy: await answers(host, member, signal),
      })),
    );
  } finally {
    local.close();
  }
}

/** The same of what was seen of one. */
export function etcdMemberOf({id, name, peerUrls, learner, healthy}: EtcdMemberState): EtcdMember {
  return {id: BigInt(`0x${id}`).toString(), name, addresses: peerUrls.map(addressOf), learner, healthy};
}

/** Takes a member out. A leader that goes hands its part over first, so that no write waits for an election. */
export async function removeEtcdMember({host}: Target, member: EtcdMember, signal: AbortSignal): Promise<void> {
  const local = await clientOf(host, localUrl);
  try {
    await handOverLeadership(host, local, member, signal);
    await removeMember(local, member.id, signal);
  } finally {
    local.close();
  }
}

const localUrl = 'https://127.0.0.1:2379';

async function handOverLeadership(host: HostSystem, local: HttpApi, leaving: EtcdMember, signal: AbortSignal): Promise<void> {
  const status = await local.change<StatusAnswer>({method: 'POST', path: '/v3/maintenance/status', body: {}, signal});
  if (status.leader !== leaving.id || !leaving.healthy) return;
  const members = await listMembers(local, false, signal);
  const url = members.find((member) => member.ID === leaving.id)?.clientURLs?.[0];
  const own = status.header?.member_id;
  if (url === undefined || own === undefined || own === leaving.id) return;
  const leader = await clientOf(host, url);
  try {
    await leader.send({method: 'POST', path: '/v3/maintenance/transfer-leadership', body: {targetID: own}, deadline: times.change, signal});
  } catch (error) {
    // it only makes the change smoother: etcd elects another leader by itself
    signal.throwIfAborted();
    if (!(error instanceof TriremeError)) throw error;
  } finally {
    leader.close();
  }
}

async function listMembers(etcd: HttpApi, linearizable: boolean, signal?: AbortSignal): Promise<readonly Member[]> {
  const request = {method: 'POST', path: '/v3/cluster/member/list', body: {linearizable}, deadline: 5000} as const;
  return (await etcd.change<{members?: readonly Member[]}>({...request, ...(signal === undefined ? {} : {signal})})).members ?? [];
}

/**
 * etcd refuses a change of members (503, "unhealthy cluster") until its members have been connected for five seconds, and while it elects a
 * leader: it's asked again for a while.
 */
async function removeMember(etcd: HttpApi, id: string, signal?: AbortSignal): Promise<void> {
  const request = {method: 'POST', path: '/v3/cluster/member/remove', body: {ID: id}, deadline: times.change} as const;
  const given = signal === undefined ? {} : {signal};
  let said = '';
  const ask = async () => {
    try {
      const {status, body} = await etcd.send<{message?: string}>({...request, ...given});
      said = body?.message ?? `status ${status}`;
      return status === 503 ? undefined : status;
    } catch (error) {
      // what is proposed while there's no leader is never answered
      signal?.throwIfAborted();
      said = (error as Error).message;
      return undefined;
    }
  };
  const status = await waitFor(ask, {timeout: times.unhealthy, interval: 1000, ...given});
  // 404: it is gone, by a request that wasn't answered
  if (status !== undefined && (status < 300 || status === 404)) return;
  throw new TriremeError('agent.failed', `etcd doesn't take its member ${id} out: ${said}`, {hints: ['See how its members are: trireme status']});
}

/** Whether a member serves: it knows a leader and has no error of its own. */
async function answers(host: HostSystem, member: Member, signal: AbortSignal): Promise<boolean> {
  const url = member.clientURLs?.[0];
  if (url === undefined) return false;
  const etcd = await clientOf(host, url);
  try {
    const {status, body} = await etcd.send<StatusAnswer>({method: 'POST', path: '/v3/maintenance/status', body: {}, deadline: times.health, signal});
    return status === 200 && (body.leader ?? '0') !== '0' && (body.errors ?? []).length === 0;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof TriremeError)) throw error;
    return false;
  } finally {
    etcd.close();
  }
}

function addressOf(url: string): string {
  try {
    return new URL(url).hostname.replace(/^\[|\]$/g, '');
  } catch {
    return url;
  }
}

async function clientOf(host: HostSystem, server: string): Promise<HttpApi> {
  const [ca, certificate, key] = await Promise.all(
    ['etcd/ca.crt', 'apiserver-etcd-client.crt', 'apiserver-etcd-client.key'].map((name) => host.read(`/etc/kubernetes/pki/${name}`)),
  );
  return new HttpApi({
    server,
    ...(ca === undefined ? {} : {ca}),
    ...(certificate === undefined ? {} : {certificate}),
    ...(key === undefined ? {} : {key}),
  });
}

/** A client of the first etcd member that answers. */
async function anyMember(api: ClusterApi, {scope: {host}, signal}: AgentStepContext): Promise<HttpApi | undefined> {
  const pods = await api.get<{items: readonly {metadata: {annotations?: Record<string, string>}}[]}>(
    '/api/v1/namespaces/kube-system/pods?labelSelector=component%3Detcd',
    signal,
  );
  const urls = (pods?.items ?? []).map((pod) => pod.metadata.annotations?.[annotation]).filter((url) => url !== undefined);
  for (const server of urls) {
    const etcd = await clientOf(host, server);
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
