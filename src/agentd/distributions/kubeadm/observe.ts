// What the cluster says of itself, for AgentState.
import {accessAnnotation, cordonAnnotation, type EtcdMemberState, type HostAccess, type NodeState} from '../../../hostcluster/protocol.ts';
import type {ClusterApi} from '../../cluster-api.ts';
import type {Observation, Target} from '../../reconciler.ts';
import {observeEndpoint} from './endpoint.ts';
import {etcdMembers} from './local-etcd.ts';

interface NodeItem {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: {readonly unschedulable?: boolean};
  readonly status?: {
    readonly nodeInfo?: {readonly kubeletVersion?: string};
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
      readonly lastTransitionTime?: string;
    }[];
  };
}

const rolePrefix = 'node-role.kubernetes.io/';

/** Nodes as plain data; heartbeats are left out, so that nothing changes while nothing happens. */
export function nodeStatesOf(items: readonly NodeItem[]): readonly NodeState[] {
  return items
    .map(({metadata, spec, status}): NodeState => ({
      name: metadata.name,
      ready: status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false,
      roles: Object.keys(metadata.labels ?? {})
        .filter((key) => key.startsWith(rolePrefix))
        .map((key) => key.slice(rolePrefix.length)),
      version: status?.nodeInfo?.kubeletVersion ?? '',
      ...(spec?.unschedulable === true ? {unschedulable: true} : {}),
      ...(metadata.annotations?.[cordonAnnotation] === undefined ? {} : {cordonedFor: metadata.annotations[cordonAnnotation]}),
      conditions: (status?.conditions ?? []).map(({type, status: value, reason, message, lastTransitionTime}) => ({
        type,
        status: value,
        ...(reason === undefined ? {} : {reason}),
        ...(message === undefined ? {} : {message}),
        ...(lastTransitionTime === undefined ? {} : {since: lastTransitionTime}),
      })),
      ...accessIn(metadata.annotations),
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Written by its own host, so read with care: what isn't as we write it counts as absent. */
function accessIn(annotations: Readonly<Record<string, string>> = {}): Pick<NodeState, 'access'> {
  try {
    const {address, port, user} = JSON.parse(annotations[accessAnnotation] ?? '') as Partial<HostAccess>;
    if (typeof address !== 'string' || !/^[\w.:-]+$/.test(address)) return {};
    return {
      access: {
        address,
        ...(typeof port === 'number' && Number.isInteger(port) ? {port} : {}),
        ...(typeof user === 'string' && /^[\w.-]+$/.test(user) ? {user} : {}),
      },
    };
  } catch {
    return {};
  }
}

/** Nodes and the state of API, cluster DNS and layers. An API that doesn't answer is an observation too. */
export async function observeCluster(api: ClusterApi, target: Target, signal: AbortSignal): Promise<Observation> {
  const layers = Object.entries(target.records.get<Readonly<Record<string, LayerRecord>>>('layers') ?? {}).filter(([name]) =>
    target.wanted.layers.some((layer) => layer.name === name),
  );
  const [etcd, etcdCondition] = await observeEtcd(target, signal);
  const layerConditions = () => layers.map(([name, record]) => layerCondition(name, record));
  try {
    // from the API server's cache: cheap for it, and never older than a moment
    const nodes = await api.get<{items: readonly NodeItem[]}>('/api/v1/nodes?resourceVersion=0', signal);
    const dns = await api.get<{spec: {replicas?: number}; status?: {availableReplicas?: number}}>(
      '/apis/apps/v1/namespaces/kube-system/deployments/coredns',
      signal,
    );
    const endpoint = await observeEndpoint(api, target, signal);
    const available = dns?.status?.availableReplicas ?? 0;
    const states = nodeStatesOf(nodes?.items ?? []);
    readyNodes = states.filter((node) => node.ready).map((node) => node.name);
    return {
      etcd,
      ...(endpoint === undefined ? {} : {endpoint}),
      nodes: states,
      conditions: [
        {type: 'ApiReady', ready: true},
        ...etcdCondition,
        available > 0
          ? {type: 'DnsReady', ready: true}
          : {type: 'DnsReady', ready: false, message: dns === undefined ? 'there is no CoreDNS deployment' : 'no replica of CoreDNS is available'},
        ...layerConditions(),
      ],
    };
  } catch (error) {
    signal.throwIfAborted();
    return {etcd, nodes: [], conditions: [{type: 'ApiReady', ready: false, message: (error as Error).message}, ...etcdCondition, ...layerConditions()]};
  }
}

/** Nodes that were Ready when this agent looked last. */
let readyNodes: readonly string[] = [];

export function nodesSeenReady(): readonly string[] {
  return readyNodes;
}

/** A node that has become Ready since the layer was looked at may lack its part of it: its pods are made and started when it comes. */
function layerCondition(name: string, {ready, message, nodes}: LayerRecord): Observation['conditions'][number] {
  const type = `Layer/${name}`;
  const fresh = nodes === undefined ? [] : readyNodes.filter((node) => !nodes.includes(node));
  if (ready && fresh.length > 0) return {type, ready: false, message: `not looked at since ${fresh.slice(0, 3).join(', ')} became Ready`};
  return {type, ready, ...(message === undefined ? {} : {message})};
}

type EtcdView = readonly [readonly EtcdMemberState[], Observation['conditions']];

/** In ms: operators look every second, several of them at times. */
const fresh = 1000;
let latest: {readonly at: number; readonly view: EtcdView} | undefined;

/** What is seen next is newer than what has just been changed. */
export function forgetEtcd(): void {
  latest = undefined;
}

async function observeEtcd(target: Target, signal: AbortSignal): Promise<EtcdView> {
  if (latest !== undefined && performance.now() - latest.at < fresh) return latest.view;
  const view = await lookAtEtcd(target, signal);
  latest = {at: performance.now(), view};
  return view;
}

/** The members, and a condition where there are any: all are well, or who isn't. */
async function lookAtEtcd({host}: Target, signal: AbortSignal): Promise<EtcdView> {
  try {
    const members = await etcdMembers(host, signal);
    if (members.length === 0) return [[], []];
    const ill = members.filter((member) => !member.healthy && !member.learner);
    if (ill.length === 0) return [members, [{type: 'EtcdReady', ready: true}]];
    const who = ill.map((member) => `${member.name || member.id}: ${member.message ?? 'it has no leader'}`).join('; ');
    return [members, [{type: 'EtcdReady', ready: false, message: who}]];
  } catch (error) {
    signal.throwIfAborted();
    return [[], [{type: 'EtcdReady', ready: false, message: `etcd on ${host.name} doesn't answer: ${(error as Error).message}`}]];
  }
}

export interface LayerRecord {
  /** Digest of the manifest that was applied. */
  readonly digest: string;
  readonly ready: boolean;
  readonly message?: string;
  /** Nodes that were known to be Ready when it was looked at. */
  readonly nodes?: readonly string[];
}
