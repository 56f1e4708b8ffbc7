// The inventory that clusterctl reads and writes: one Provider object for each installed provider, and the CRD of that kind.
import type {KubeApi} from '../../../kube/api.ts';
import type {KubeObject} from '../../../kube/object.ts';
import {textAt} from '../../../kube/object.ts';
import {isTriremeError} from '../../../kernel/errors.ts';
import {clusterctlLabel, type Components, coreLabel, providerLabel} from './components.ts';
import {compareProviders, labelOf, type Provider, type ProviderType, providerTypes} from './provider.ts';

export const inventoryApiVersion = 'clusterctl.cluster.x-k8s.io/v1alpha3';
export const inventoryCrdName = 'providers.clusterctl.cluster.x-k8s.io';

export interface InstalledProvider extends Provider {
  readonly version: string;
  readonly namespace: string;
}

/** What is installed, in the order in which providers are installed; empty where the inventory isn't there. */
export async function readInventory(api: KubeApi, signal: AbortSignal): Promise<readonly InstalledProvider[]> {
  let items: readonly KubeObject[];
  try {
    const resource = await api.resource({apiVersion: inventoryApiVersion, kind: 'Provider'});
    items = (await api.list(resource, {signal})).items;
  } catch (error) {
    if (isTriremeError(error) && error.code === 'api.kind-unknown') return [];
    throw error;
  }
  return items.flatMap((item) => installedOf(item) ?? []).toSorted(compareProviders);
}

function installedOf(item: KubeObject): InstalledProvider | undefined {
  const [name, type, version] = [textAt(item, 'providerName'), textAt(item, 'type'), textAt(item, 'version')];
  if (name === undefined || version === undefined || !providerTypes.includes(type as ProviderType)) return undefined;
  return {name, type: type as ProviderType, version, namespace: item.metadata.namespace ?? ''};
}

/** The inventory object of components, field by field as clusterctl v1.14 writes it. */
export function inventoryObjectOf({provider, version, namespace}: Pick<Components, 'provider' | 'version' | 'namespace'>): KubeObject {
  const label = labelOf(provider);
  return {
    apiVersion: inventoryApiVersion,
    kind: 'Provider',
    metadata: {name: label, namespace, labels: {[clusterctlLabel]: '', [coreLabel]: 'inventory', [providerLabel]: label}},
    providerName: provider.name,
    type: provider.type,
    version,
  };
}

const described = (description: string) => ({description, type: 'string'});

/** The CRD of the inventory, for management clusters that never saw clusterctl. */
export const inventoryCrd: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: inventoryCrdName,
    labels: {[coreLabel]: 'inventory'},
  },
  spec: {
    group: 'clusterctl.cluster.x-k8s.io',
    names: {categories: ['cluster-api'], kind: 'Provider', listKind: 'ProviderList', plural: 'providers', singular: 'provider'},
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1alpha3',
        served: true,
        storage: true,
        subresources: {},
        additionalPrinterColumns: [
          {description: 'Time duration since creation of Provider', jsonPath: '.metadata.creationTimestamp', name: 'Age', type: 'date'},
          {jsonPath: '.type', name: 'Type', type: 'string'},
          {jsonPath: '.providerName', name: 'Provider', type: 'string'},
          {jsonPath: '.version', name: 'Version', type: 'string'},
        ],
        schema: {
          openAPIV3Schema: {
            description: 'Provider defines an entry in the provider inventory.',
            type: 'object',
            properties: {
              apiVersion: {type: 'string'},
              kind: {type: 'string'},
              metadata: {type: 'object'},
              providerName: described('Name of the provider.'),
              type: described('Type of the provider: CoreProvider, BootstrapProvider, and so on.'),
              version: described('Version of the components.'),
              watchedNamespace: described('Namespace that the provider watches; empty: all. Deprecated.'),
            },
          },
        },
      },
    ],
  },
};
