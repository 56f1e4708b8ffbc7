// What a move has to know of both sides: kinds, objects, providers, and who each side is.
import type {KubeApi, Resource} from '../../../kube/api.ts';
import {listAt, textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import {mapPool} from '../../../kernel/pool.ts';
import {clusterctlLabel, moveHierarchyLabel, moveLabel} from './names.ts';
import type {FoundObject, MoveKind} from './graph.ts';

/** Lists at once: a management cluster has some thirty kinds. */
const lists = 8;

export interface ProviderFact {
  /** `infrastructure-docker`. */
  readonly label: string;
  readonly version: string;
}

export interface SideFacts {
  /** The uid of the namespace kube-system: no two clusters share it. */
  readonly id: string;
  readonly server: string;
  readonly kinds: readonly MoveKind[];
  readonly objects: readonly FoundObject[];
  readonly providers: readonly ProviderFact[];
}

const crds: Resource = {group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions', kind: 'CustomResourceDefinition', namespaced: false};
const namespaces: Resource = {group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false};
const coreKinds: readonly MoveKind[] = [
  {resource: {group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true}, always: false, hierarchy: false},
  {resource: {group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true}, always: false, hierarchy: false},
];

/** Looks at one management cluster; `namespace` absent: at all namespaces. */
export async function readSide(api: KubeApi, namespace: string | undefined, signal: AbortSignal): Promise<SideFacts> {
  const [system, kinds] = await Promise.all([api.get(namespaces, {name: 'kube-system'}, {signal}), readKinds(api, signal)]);
  const read = await mapPool(kinds, lists, async (kind) => {
    const where = namespace === undefined || !kind.resource.namespaced ? {} : {namespace};
    const {items} = await api.list(kind.resource, {...where, signal});
    return items.map((object) => ({kind, object: withKind(object, kind.resource)}));
  });
  const objects = read.flatMap((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
  return {id: system?.metadata.uid ?? api.server, server: api.server, kinds, objects, providers: await readProviders(api, kinds, signal)};
}

/** Items of a list come without apiVersion and kind. */
function withKind(object: KubeObject, {group, version, kind}: Resource): KubeObject {
  return {...object, apiVersion: group === '' ? version : `${group}/${version}`, kind};
}

/** Every kind that a provider brought (they carry clusterctl's label), in the version that is stored; and Secrets and ConfigMaps. */
async function readKinds(api: KubeApi, signal: AbortSignal): Promise<readonly MoveKind[]> {
  const {items} = await api.list(crds, {labelSelector: clusterctlLabel, signal});
  const own = items.flatMap((crd): readonly MoveKind[] => {
    const group = textAt(crd, 'spec', 'group') ?? '';
    const kind = textAt(crd, 'spec', 'names', 'kind') ?? '';
    const plural = textAt(crd, 'spec', 'names', 'plural') ?? '';
    const version = listAt(crd, 'spec', 'versions').find((one) => valueAt(one, 'storage') === true);
    const isProviderInventory = group === clusterctlLabel;
    if (version === undefined || isProviderInventory) return [];
    const {labels} = crd.metadata;
    const hierarchy = isRoot(group, kind) || labels?.[moveHierarchyLabel] !== undefined;
    return [
      {
        resource: {group, version: textAt(version, 'name') ?? '', plural, kind, namespaced: textAt(crd, 'spec', 'scope') === 'Namespaced'},
        hierarchy,
        always: hierarchy || labels?.[moveLabel] !== undefined,
      },
    ];
  });
  return [...own, ...coreKinds];
}

/** What carries its hierarchy with it, without a label. */
function isRoot(group: string, kind: string): boolean {
  return (
    (group === 'cluster.x-k8s.io' && (kind === 'Cluster' || kind === 'ClusterClass')) || (group === 'addons.cluster.x-k8s.io' && kind === 'ClusterResourceSet')
  );
}

async function readProviders(api: KubeApi, kinds: readonly MoveKind[], signal: AbortSignal): Promise<readonly ProviderFact[]> {
  if (kinds.length === coreKinds.length) return [];
  const inventory: Resource = {group: clusterctlLabel, version: 'v1alpha3', plural: 'providers', kind: 'Provider', namespaced: true};
  const {items} = await api.list(inventory, {signal});
  return items.map((one) => ({label: one.metadata.labels?.['cluster.x-k8s.io/provider'] ?? one.metadata.name, version: textAt(one, 'version') ?? ''}));
}
