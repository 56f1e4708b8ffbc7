// What a management cluster has before anybody makes a cluster: namespaces, Cluster API's definitions, its providers, and a class.
import type {KubeObject} from '../../kube/object.ts';
import {clusterClassObjects} from './class.ts';
import type {Draft} from './draft.ts';
import {builtInDefinitions, crdKind, type KindRegistry} from './kinds.ts';
import type {Writes} from './writes.ts';

/** Cluster API's release whose kinds and rules are simulated. */
export const clusterApiVersion = 'v1.14.2';

interface Provider {
  readonly name: string;
  readonly providerName: string;
  readonly type: string;
  readonly namespace: string;
  readonly deployment: string;
}

const providers: readonly Provider[] = [
  {name: 'cluster-api', providerName: 'cluster-api', type: 'CoreProvider', namespace: 'capi-system', deployment: 'capi-controller-manager'},
  {
    name: 'bootstrap-kubeadm',
    providerName: 'kubeadm',
    type: 'BootstrapProvider',
    namespace: 'capi-kubeadm-bootstrap-system',
    deployment: 'capi-kubeadm-bootstrap-controller-manager',
  },
  {
    name: 'control-plane-kubeadm',
    providerName: 'kubeadm',
    type: 'ControlPlaneProvider',
    namespace: 'capi-kubeadm-control-plane-system',
    deployment: 'capi-kubeadm-control-plane-controller-manager',
  },
  {name: 'infrastructure-docker', providerName: 'docker', type: 'InfrastructureProvider', namespace: 'capd-system', deployment: 'capd-controller-manager'},
];

export interface SeedOptions {
  /** False: an empty cluster, as before `provider init`: no Cluster API in it. */
  readonly providers: boolean;
}

export function seed(writes: Writes, kinds: KindRegistry, options: SeedOptions): void {
  const context = {manager: 'sandbox'};
  const create = (group: string, kind: string, object: Draft, namespace?: string) => writes.create(kinds.need(group, kind), object, namespace, context);
  for (const name of ['default', 'kube-system', 'kube-public']) create('', 'Namespace', namespaceObject(name, {}));
  if (!options.providers) return;
  for (const crd of builtInDefinitions()) writes.create(crdKind, crd, undefined, context);
  for (const {name, providerName, type, namespace, deployment} of providers) {
    const labels = {'clusterctl.cluster.x-k8s.io': '', 'cluster.x-k8s.io/provider': name};
    create('', 'Namespace', namespaceObject(namespace, labels));
    const inventory = {
      apiVersion: 'clusterctl.cluster.x-k8s.io/v1alpha3',
      kind: 'Provider',
      metadata: {name, namespace, labels: {...labels, 'clusterctl.cluster.x-k8s.io/core': 'inventory'}},
      providerName,
      type,
      version: clusterApiVersion,
    };
    create('clusterctl.cluster.x-k8s.io', 'Provider', inventory, namespace);
    create('apps', 'Deployment', deploymentObject(deployment, namespace, {...labels, 'control-plane': 'controller-manager'}), namespace);
  }
  for (const object of clusterClassObjects()) {
    const {apiVersion, kind} = object as unknown as KubeObject;
    create(apiVersion.split('/')[0] ?? '', kind, object, 'default');
  }
}

function namespaceObject(name: string, labels: Readonly<Record<string, string>>): Draft {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {name, labels: {'kubernetes.io/metadata.name': name, ...labels}},
    spec: {finalizers: ['kubernetes']},
    status: {phase: 'Active'},
  };
}

function deploymentObject(name: string, namespace: string, labels: Readonly<Record<string, string>>): Draft {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name, namespace, labels},
    spec: {
      replicas: 1,
      selector: {matchLabels: {'cluster.x-k8s.io/provider': labels['cluster.x-k8s.io/provider'], 'control-plane': 'controller-manager'}},
      template: {metadata: {labels}, spec: {containers: [{name: 'manager', image: `simulated.invalid/${name}:${clusterApiVersion}`}]}},
    },
  };
}
