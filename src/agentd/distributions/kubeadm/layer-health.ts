// Whether what a layer brought is there and works. Workloads are asked for their own counts; other objects are healthy by existing.
import {parseAllDocuments} from 'yaml';
import type {ClusterApi} from '../../cluster-api.ts';

interface Manifest {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: {readonly name?: string; readonly namespace?: string};
  readonly items?: readonly Manifest[];
}

interface Workload {
  readonly metadata: {readonly generation?: number};
  readonly spec?: {readonly replicas?: number};
  readonly status?: Readonly<Record<string, unknown>>;
}

const plurals: Readonly<Record<string, string>> = {Deployment: 'deployments', DaemonSet: 'daemonsets', StatefulSet: 'statefulsets'};

/** Why a layer isn't healthy, or undefined when it is. */
export async function whyUnhealthy(api: ClusterApi, manifest: string, signal: AbortSignal): Promise<string | undefined> {
  const objects = parseAllDocuments(manifest).flatMap((document) => flatten(document.toJS() as Manifest | null));
  for (const {apiVersion, kind = '', metadata} of objects) {
    const plural = plurals[kind];
    if (plural === undefined || apiVersion !== 'apps/v1') continue;
    const namespace = metadata?.namespace ?? 'default';
    const found = await api.get<Workload>(`/apis/apps/v1/namespaces/${namespace}/${plural}/${metadata?.name}`, signal);
    const why = found === undefined ? 'is missing' : whyNotReady(kind, found);
    if (why !== undefined) return `${kind} ${namespace}/${metadata?.name} ${why}`;
  }
  return undefined;
}

function flatten(object: Manifest | null): readonly Manifest[] {
  if (object === null) return [];
  return object.kind?.endsWith('List') === true && object.items !== undefined ? object.items.flatMap(flatten) : [object];
}

function whyNotReady(kind: string, {metadata, spec, status = {}}: Workload): string | undefined {
  const count = (key: string) => Number(status[key] ?? 0);
  if (count('observedGeneration') < (metadata.generation ?? 0)) return "isn't seen by its controller yet";
  if (kind === 'DaemonSet') {
    const wanted = count('desiredNumberScheduled');
    const [updated, available] = [count('updatedNumberScheduled'), count('numberAvailable')];
    return updated >= wanted && available >= wanted ? undefined : `has ${available} of ${wanted} pods available`;
  }
  const wanted = spec?.replicas ?? 1;
  const available = kind === 'StatefulSet' ? count('readyReplicas') : count('availableReplicas');
  return available >= wanted && count('updatedReplicas') >= wanted ? undefined : `has ${available} of ${wanted} pods available`;
}
