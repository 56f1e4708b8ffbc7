// Whether what a layer brought is there and works. Asked of the API directly: a kubectl for each look would cost more than all else we do.
import {parseAllDocuments} from 'yaml';
import {healthOf, type LiveObject} from '../../../layers/gate.ts';
import type {ClusterApi} from '../../cluster-api.ts';

interface Manifest {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: {readonly name?: string; readonly namespace?: string};
  readonly items?: readonly Manifest[];
}

/** Kinds whose health is more than being there, by API: their plural, and whether they live in a namespace. */
const kinds: Readonly<Record<string, {readonly path: string; readonly plural: string; readonly namespaced: boolean}>> = {
  'apps/v1 Deployment': {path: '/apis/apps/v1', plural: 'deployments', namespaced: true},
  'apps/v1 DaemonSet': {path: '/apis/apps/v1', plural: 'daemonsets', namespaced: true},
  'apps/v1 StatefulSet': {path: '/apis/apps/v1', plural: 'statefulsets', namespaced: true},
  'batch/v1 Job': {path: '/apis/batch/v1', plural: 'jobs', namespaced: true},
  'v1 Pod': {path: '/api/v1', plural: 'pods', namespaced: true},
  'apiextensions.k8s.io/v1 CustomResourceDefinition': {path: '/apis/apiextensions.k8s.io/v1', plural: 'customresourcedefinitions', namespaced: false},
  'apiregistration.k8s.io/v1 APIService': {path: '/apis/apiregistration.k8s.io/v1', plural: 'apiservices', namespaced: false},
};

/** Why a layer isn't healthy, or undefined when it is. */
export async function whyUnhealthy(api: ClusterApi, manifest: string, signal: AbortSignal): Promise<string | undefined> {
  for (const {apiVersion, kind, metadata} of parseAllDocuments(manifest).flatMap((document) => flatten(document.toJS() as Manifest | null))) {
    const known = kinds[`${apiVersion} ${kind}`];
    if (known === undefined) continue;
    const namespace = metadata?.namespace ?? 'default';
    const found = await api.get<LiveObject>(`${known.path}${known.namespaced ? `/namespaces/${namespace}` : ''}/${known.plural}/${metadata?.name}`, signal);
    // single objects come without their kind
    const health = found === undefined ? {healthy: false as const, waitingFor: "doesn't exist"} : healthOf({...found, kind});
    if (!health.healthy) return `${kind} ${known.namespaced ? `${namespace}/` : ''}${metadata?.name} ${health.waitingFor}`;
  }
  return undefined;
}

function flatten(object: Manifest | null): readonly Manifest[] {
  if (object === null) return [];
  return object.kind?.endsWith('List') === true && object.items !== undefined ? object.items.flatMap(flatten) : [object];
}
