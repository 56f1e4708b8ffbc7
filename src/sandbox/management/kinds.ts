// The kinds that the embedded API serves: Cluster API's own by their definitions (kinds.json), Kubernetes' own in short, and whatever a
// CustomResourceDefinition adds while it runs.
import definitions from './kinds.json' with {type: 'json'};
import type {Schema} from './schema.ts';

export interface ServedKind {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Fields below metadata; absent: anything goes. */
  readonly schema?: Schema;
  readonly hasStatus: boolean;
  readonly scale?: {readonly specReplicasPath: string; readonly statusReplicasPath: string; readonly labelSelectorPath?: string};
  /** Whether metadata.generation is kept. */
  readonly countsGeneration: boolean;
  /** Made of a CustomResourceDefinition. */
  readonly isCustom: boolean;
}

export const apiVersionOf = ({group, version}: {readonly group: string; readonly version: string}) => (group === '' ? version : `${group}/${version}`);
/** Names a kind whatever its version: `machines.cluster.x-k8s.io`. */
export const resourceKey = ({group, plural}: {readonly group: string; readonly plural: string}) => `${plural}.${group}`;

const loose: Schema = {type: 'object', 'x-kubernetes-preserve-unknown-fields': true};
const textMap: Schema = {type: 'object', additionalProperties: {type: 'string'}};
const byName: Schema = {type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], items: loose};
const podTemplate: Schema = {...loose, properties: {spec: {...loose, properties: {containers: byName, volumes: byName}}}};

interface Short {
  readonly group?: string;
  readonly version?: string;
  readonly shortNames?: readonly string[];
  readonly clusterScoped?: boolean;
  readonly hasStatus?: boolean;
  readonly countsGeneration?: boolean;
  readonly schema?: Schema;
}

function own(kind: string, plural: string, short: Short = {}): ServedKind {
  return {
    group: short.group ?? '',
    version: short.version ?? 'v1',
    plural,
    singular: kind.toLowerCase(),
    kind,
    shortNames: short.shortNames ?? [],
    categories: [],
    namespaced: short.clusterScoped !== true,
    hasStatus: short.hasStatus ?? false,
    countsGeneration: short.countsGeneration ?? false,
    isCustom: false,
    ...(short.schema === undefined ? {} : {schema: short.schema}),
  };
}

const rbac = 'rbac.authorization.k8s.io';
const admission = 'admissionregistration.k8s.io';

export const crdKind = own('CustomResourceDefinition', 'customresourcedefinitions', {
  group: 'apiextensions.k8s.io',
  clusterScoped: true,
  hasStatus: true,
  countsGeneration: true,
  shortNames: ['crd', 'crds'],
});

const ownKinds: readonly ServedKind[] = [
  own('Namespace', 'namespaces', {clusterScoped: true, hasStatus: true, shortNames: ['ns']}),
  own('Secret', 'secrets', {schema: {type: 'object', properties: {type: {type: 'string'}, immutable: {type: 'boolean'}, data: textMap, stringData: textMap}}}),
  own('ConfigMap', 'configmaps', {
    shortNames: ['cm'],
    schema: {type: 'object', properties: {immutable: {type: 'boolean'}, data: textMap, binaryData: textMap}},
  }),
  own('Event', 'events', {shortNames: ['ev']}),
  own('ServiceAccount', 'serviceaccounts', {shortNames: ['sa']}),
  own('Service', 'services', {shortNames: ['svc'], hasStatus: true}),
  own('Node', 'nodes', {clusterScoped: true, hasStatus: true, shortNames: ['no']}),
  own('Pod', 'pods', {hasStatus: true, shortNames: ['po']}),
  own('Deployment', 'deployments', {
    group: 'apps',
    shortNames: ['deploy'],
    hasStatus: true,
    countsGeneration: true,
    schema: {...loose, properties: {spec: {...loose, properties: {template: podTemplate}}}},
  }),
  own('Role', 'roles', {group: rbac}),
  own('RoleBinding', 'rolebindings', {group: rbac}),
  own('ClusterRole', 'clusterroles', {group: rbac, clusterScoped: true}),
  own('ClusterRoleBinding', 'clusterrolebindings', {group: rbac, clusterScoped: true}),
  own('MutatingWebhookConfiguration', 'mutatingwebhookconfigurations', {group: admission, clusterScoped: true, countsGeneration: true}),
  own('ValidatingWebhookConfiguration', 'validatingwebhookconfigurations', {group: admission, clusterScoped: true, countsGeneration: true}),
  own('Lease', 'leases', {group: 'coordination.k8s.io'}),
  crdKind,
];

interface Definition {
  readonly provider: string;
  readonly group: string;
  readonly version: string;
  readonly names: {
    readonly kind: string;
    readonly listKind: string;
    readonly plural: string;
    readonly singular: string;
    readonly shortNames?: readonly string[];
  };
  readonly scope: string;
  readonly subresources?: Readonly<Record<string, unknown>>;
  readonly columns: readonly unknown[];
  readonly schema: Schema;
}

/** The CustomResourceDefinitions that Cluster API's providers bring, as they are in a management cluster. */
export function builtInDefinitions(): readonly Readonly<Record<string, unknown>>[] {
  return (definitions as unknown as readonly Definition[]).map((one) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${one.names.plural}.${one.group}`,
      labels: {
        'clusterctl.cluster.x-k8s.io': '',
        ...(one.provider === '' ? {'clusterctl.cluster.x-k8s.io/core': 'inventory'} : {'cluster.x-k8s.io/provider': one.provider}),
        // only what providers bring has a contract; the core's own kinds don't
        ...(['', 'cluster-api'].includes(one.provider) ? {} : {'cluster.x-k8s.io/v1beta2': 'v1beta2'}),
      },
    },
    spec: {
      group: one.group,
      names: one.names,
      scope: one.scope,
      conversion: {strategy: 'None'},
      versions: [
        {
          name: one.version,
          served: true,
          storage: true,
          schema: {openAPIV3Schema: one.schema},
          ...(one.subresources === undefined ? {} : {subresources: one.subresources}),
          ...(one.columns.length === 0 ? {} : {additionalPrinterColumns: one.columns}),
        },
      ],
    },
  }));
}

interface CrdSpec {
  readonly group: string;
  readonly scope: string;
  readonly names: {
    readonly kind: string;
    readonly plural: string;
    readonly singular?: string;
    readonly shortNames?: readonly string[];
    readonly categories?: readonly string[];
  };
  readonly versions: readonly {
    readonly name: string;
    readonly served: boolean;
    readonly storage: boolean;
    readonly schema?: {readonly openAPIV3Schema?: Schema};
    readonly subresources?: {readonly status?: unknown; readonly scale?: ServedKind['scale']};
  }[];
}

/** What a CustomResourceDefinition makes the API serve: its storage version only, since nothing is converted here. */
export function kindOfDefinition(crd: Readonly<Record<string, unknown>>): ServedKind | undefined {
  const {group, names, scope, versions} = crd['spec'] as CrdSpec;
  const version = versions.find((one) => one.storage && one.served) ?? versions.find((one) => one.served);
  if (version === undefined) return undefined;
  const schema = version.schema?.openAPIV3Schema;
  return {
    group,
    version: version.name,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    kind: names.kind,
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: scope === 'Namespaced',
    hasStatus: version.subresources?.status !== undefined,
    countsGeneration: true,
    isCustom: true,
    ...(schema === undefined ? {} : {schema}),
    ...(version.subresources?.scale === undefined ? {} : {scale: version.subresources.scale}),
  };
}

/** What is served now. */
export class KindRegistry {
  readonly #kinds = new Map<string, ServedKind>(ownKinds.map((kind) => [resourceKey(kind), kind]));

  get all(): readonly ServedKind[] {
    return [...this.#kinds.values()];
  }

  add(kind: ServedKind): void {
    this.#kinds.set(resourceKey(kind), kind);
  }

  remove(key: string): void {
    this.#kinds.delete(key);
  }

  byPlural(group: string, version: string, plural: string): ServedKind | undefined {
    const kind = this.#kinds.get(resourceKey({group, plural}));
    return kind?.version === version ? kind : undefined;
  }

  /** Throws when the kind isn't served: for the server's own use. */
  need(group: string, kind: string): ServedKind {
    const found = this.find(group, kind);
    if (found === undefined) throw new Error(`The embedded management API doesn't serve ${kind} of ${group}.`);
    return found;
  }

  find(group: string, kind: string): ServedKind | undefined {
    return this.all.find((one) => one.group === group && one.kind === kind);
  }
}
