// What Kubernetes reports of its objects, for operators who can't reach the API themselves.
import type {ClusterEvent} from '../../../hostcluster/protocol.ts';
import type {ClusterApi} from '../../cluster-api.ts';

/** Events of the last hour are kept by the API; so many of the latest are told. */
const most = 500;

interface EventItem {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly firstTimestamp?: string | null;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly series?: {readonly count?: number; readonly lastObservedTime?: string};
  readonly involvedObject?: {readonly kind?: string; readonly name?: string; readonly namespace?: string};
  readonly source?: {readonly component?: string};
  readonly reportingComponent?: string;
  readonly metadata: {readonly creationTimestamp: string};
}

/** Oldest first. */
export async function clusterEvents(api: ClusterApi, signal: AbortSignal): Promise<readonly ClusterEvent[]> {
  const list = await api.get<{items: readonly EventItem[]}>('/api/v1/events?limit=5000', signal);
  return (list?.items ?? [])
    .map(eventOf)
    .toSorted((a, b) => (a.last < b.last ? -1 : 1))
    .slice(-most);
}

function eventOf(item: EventItem): ClusterEvent {
  const last = item.series?.lastObservedTime ?? item.lastTimestamp ?? item.eventTime ?? item.metadata.creationTimestamp;
  const first = item.firstTimestamp ?? item.eventTime ?? undefined;
  const source = item.source?.component ?? item.reportingComponent;
  const {kind = 'Object', name = '', namespace} = item.involvedObject ?? {};
  return {
    type: item.type === 'Warning' ? 'Warning' : 'Normal',
    reason: item.reason ?? '',
    message: (item.message ?? '').trim(),
    object: `${kind}/${name}`,
    ...(namespace === undefined ? {} : {namespace}),
    ...(first === undefined ? {} : {first}),
    last,
    count: item.series?.count ?? item.count ?? 1,
    ...(source === undefined || source === '' ? {} : {source}),
  };
}
