// A management cluster's objects as they are in life: a class with a template, clusters with machines, secrets with and without owners.
import type {FoundObject, MoveKind} from '../../../../../src/modes/controller/move/graph.ts';
import type {SideFacts} from '../../../../../src/modes/controller/move/read.ts';
import type {KubeObject, ObjectMeta} from '../../../../../src/kube/object.ts';

const roots = new Set(['Cluster', 'ClusterClass', 'ClusterResourceSet']);

export function kindOf(apiVersion: string, kind: string): MoveKind {
  const [group = '', version = apiVersion] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const isRoot = roots.has(kind);
  return {resource: {group, version, plural: `${kind.toLowerCase()}s`, kind, namespaced: true}, always: isRoot, hierarchy: isRoot};
}

export function found(apiVersion: string, kind: string, metadata: Partial<ObjectMeta> & {readonly name: string}, rest: object = {}): FoundObject {
  const object: KubeObject = {apiVersion, kind, metadata: {namespace: 'fleet', uid: `uid-${kind}-${metadata.name}`, ...metadata}, ...rest};
  return {kind: kindOf(apiVersion, kind), object};
}

function ownedBy(...owners: readonly FoundObject[]) {
  return {
    ownerReferences: owners.map(({object}) => ({apiVersion: object.apiVersion, kind: object.kind, name: object.metadata.name, uid: object.metadata.uid ?? ''})),
  };
}

const core = 'cluster.x-k8s.io/v1beta2';
const infrastructure = 'infrastructure.cluster.x-k8s.io/v1beta2';

export function classObjects(name = 'quick'): readonly FoundObject[] {
  const used = found(core, 'ClusterClass', {name});
  return [used, found(infrastructure, 'DevMachineTemplate', {name: `${name}-machine`, ...ownedBy(used)})];
}

export function clusterObjects(
  name: string,
  options: {readonly status?: object; readonly annotations?: Record<string, string>; readonly paused?: boolean} = {},
): readonly FoundObject[] {
  const status = options.status ?? {initialization: {infrastructureProvisioned: true, controlPlaneInitialized: true}};
  const cluster = found(
    core,
    'Cluster',
    {name, finalizers: ['cluster.cluster.x-k8s.io'], ...(options.annotations === undefined ? {} : {annotations: options.annotations})},
    {spec: {topology: {classRef: {name: 'quick'}, version: 'v1.36.3'}, ...(options.paused === true ? {paused: true} : {})}, status},
  );
  const controlPlane = found('controlplane.cluster.x-k8s.io/v1beta2', 'KubeadmControlPlane', {name: `${name}-cp`, ...ownedBy(cluster)});
  const machine = found(
    core,
    'Machine',
    {name: `${name}-cp-0`, ...ownedBy(controlPlane)},
    {spec: {clusterName: name}, status: {nodeRef: {name: `${name}-cp-0`}}},
  );
  return [
    cluster,
    controlPlane,
    machine,
    found(infrastructure, 'DevMachine', {name: `${name}-cp-0`, ...ownedBy(machine)}),
    found('v1', 'Secret', {name: `${name}-kubeconfig`, ...ownedBy(controlPlane)}, {type: 'cluster.x-k8s.io/secret', data: {value: 'eA=='}}),
    found('v1', 'Secret', {name: `${name}-ca`}, {type: 'cluster.x-k8s.io/secret', data: {'tls.key': 'eA=='}}),
  ];
}

export function side(id: string, objects: readonly FoundObject[], more: Partial<SideFacts> = {}): SideFacts {
  const kinds = [...classObjects(), ...clusterObjects('any'), found('v1', 'ConfigMap', {name: 'any'})].map((one) => one.kind);
  return {id, server: `https://${id}:6443`, kinds, objects, providers: [{label: 'cluster-api', version: 'v1.14.2'}], ...more};
}
