// Which resource serves a kind: learned from the metadata of all CRDs at once, not from discovery kind by kind.
import type {KubeApi, Resource} from '../../../kube/api.ts';
import {groupOf, textAt, type KubeObject} from '../../../kube/object.ts';

export const coreGroup = 'cluster.x-k8s.io';
export const addonBindings = {group: 'addons.cluster.x-k8s.io', kind: 'ClusterResourceSetBinding', plural: 'clusterresourcesetbindings'};

/** Cluster API's own kinds that belong to a cluster, as they are asked for: first what takes long, and what says which kinds must be asked for next. */
export const coreKinds = {
  Machine: 'machines',
  MachineDeployment: 'machinedeployments',
  Cluster: 'clusters',
  MachineSet: 'machinesets',
  MachinePool: 'machinepools',
  MachineHealthCheck: 'machinehealthchecks',
} as const;

export type CoreKind = keyof typeof coreKinds;

const crds: Resource = {group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions', kind: 'CustomResourceDefinition', namespaced: false};
export const events: Resource = {group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true};

/** The contracts that we read, newest first. A CRD's label `cluster.x-k8s.io/<contract>` lists the versions that keep it, joined by `_`. */
const contracts = ['v1beta2', 'v1beta1'];

/** Names a kind: what references in objects tell. */
export interface KindName {
  readonly group: string;
  readonly kind: string;
  /** Of references of v1beta1, which have one. */
  readonly version?: string;
}

export interface KindTable {
  /** The resource that serves the kind; undefined when its CRD isn't there. */
  resourceOf(name: KindName): Promise<Resource | undefined>;
}

/** Reads the CRDs' metadata: one request. Where that isn't allowed, discovery is asked kind by kind. */
export async function readKinds(api: KubeApi, signal?: AbortSignal): Promise<KindTable> {
  const options = {metadataOnly: true, ...(signal === undefined ? {} : {signal})};
  const items = await api.list(crds, options).then(
    (list) => list.items,
    (error: unknown) => {
      if ((error as {code?: unknown}).code === 'api.forbidden') return undefined;
      throw error;
    },
  );
  return items === undefined ? discovering(api) : kindTable(items, api);
}

/** From CRDs' metadata. What carries no contract label is left to discovery. */
export function kindTable(crdMetadata: readonly KubeObject[], api: Pick<KubeApi, 'resource'>): KindTable {
  const byName = new Map(crdMetadata.map((crd) => [crd.metadata.name, crd]));
  const ask = discovering(api);
  return {
    resourceOf: async (name) => {
      const plural = pluralsOf(name.kind).find((one) => byName.has(`${one}.${name.group}`));
      if (plural === undefined) return ask.resourceOf(name);
      const version = contractVersion(byName.get(`${plural}.${name.group}`));
      if (version === undefined) return ask.resourceOf(name);
      return {group: name.group, version, plural, kind: name.kind, namespaced: true};
    },
  };
}

function discovering(api: Pick<KubeApi, 'resource'>): KindTable {
  return {
    resourceOf: async ({group, kind, version}) => {
      for (const one of new Set([...contracts, ...(version === undefined ? [] : [version])])) {
        try {
          return await api.resource({apiVersion: `${group}/${one}`, kind});
        } catch (error) {
          const {code} = error as {code?: unknown};
          if (code !== 'api.kind-unknown' && code !== 'api.not-found') throw error;
        }
      }
      return undefined;
    },
  };
}

/** The plurals that a kind's CRD can have. Cluster API itself relies on the CRD's name following from the kind. */
function pluralsOf(kind: string): readonly string[] {
  const lower = kind.toLowerCase();
  return [`${lower}s`, `${lower}es`, ...(lower.endsWith('y') ? [`${lower.slice(0, -1)}ies`] : []), lower];
}

function contractVersion(crd: KubeObject | undefined): string | undefined {
  for (const contract of contracts) {
    const versions = crd?.metadata.labels?.[`${coreGroup}/${contract}`];
    if (versions !== undefined && versions !== '') return versions.split('_').toSorted(compareVersions).at(-1);
  }
  return undefined;
}

/** Kubernetes' order of versions: v1alpha1 < v1beta1 < v1beta2 < v1 < v2. */
function compareVersions(a: string, b: string): number {
  const rank = (version: string) => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
    if (match === null) return [-1, 0, 0];
    return [match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0, Number(match[1]), Number(match[3] ?? 0)];
  };
  const [left, right] = [rank(a), rank(b)];
  for (let index = 0; index < 3; index += 1) if (left[index] !== right[index]) return (left[index] ?? 0) - (right[index] ?? 0);
  return 0;
}

export interface Reference extends KindName {
  readonly name: string;
  readonly namespace: string;
}

/** A reference in an object: `{apiGroup, kind, name}` of v1beta2 or `{apiVersion, kind, name, namespace}` of v1beta1. */
export function referenceIn(value: unknown, namespace: string): Reference | undefined {
  const kind = textAt(value, 'kind');
  const name = textAt(value, 'name');
  const apiVersion = textAt(value, 'apiVersion');
  const group = textAt(value, 'apiGroup') ?? (apiVersion === undefined ? undefined : groupOf(apiVersion));
  if (kind === undefined || name === undefined || kind === '' || name === '' || group === undefined) return undefined;
  const version = apiVersion?.slice(apiVersion.indexOf('/') + 1);
  return {group, kind, name, namespace: textAt(value, 'namespace') ?? namespace, ...(version === undefined ? {} : {version})};
}

/** Names one object without its uid. */
export function keyOf(group: string, kind: string, namespace: string, name: string): string {
  return `${group}/${kind}/${namespace}/${name}`;
}
