// spec.controller as a Cluster object with a topology: v1beta2, and the form of v1beta1 where only that is served. Pure.
import type {KubeObject} from '../../../kube/object.ts';
import {replicasOf} from '../../../spec/machine-count.ts';
import type {ClusterDocument, ControllerPool, ControllerSettings} from '../../../spec/schema.ts';
import {autoscalerMax, autoscalerMin, coreGroup, type CoreVersion} from './names.ts';

export interface RenderOptions {
  /** The variables of the whole cluster, the profile's image among them (image-variable.ts). */
  readonly variables: Readonly<Record<string, unknown>>;
  /** What the cluster has now, if it is there: defaults of the file's networks are no reason to give it some. */
  readonly live?: KubeObject;
}

type Fields = Readonly<Record<string, unknown>>;

/** The Cluster object that we apply: only what the file says. In v1beta2. */
export function renderCluster(document: ClusterDocument, options: RenderOptions): KubeObject {
  const {spec, metadata} = document;
  const controller = requireController(document);
  const {controlPlane} = controller;
  return {
    apiVersion: `${coreGroup}/v1beta2`,
    kind: 'Cluster',
    metadata: {
      name: metadata.name,
      namespace: controller.namespace,
      ...(isEmpty(controller.labels) ? {} : {labels: controller.labels}),
      ...(isEmpty(controller.annotations) ? {} : {annotations: controller.annotations}),
    },
    spec: {
      ...part('clusterNetwork', renderNetwork(document, options.live)),
      topology: {
        classRef: {name: controller.class ?? '', ...(controller.classNamespace === undefined ? {} : {namespace: controller.classNamespace})},
        version: spec.kubernetes.version,
        ...part('controlPlane', {
          ...part('metadata', metadataOf(controlPlane.labels, controlPlane.annotations)),
          ...(controlPlane.replicas === 0 ? {} : {replicas: controlPlane.replicas}),
          ...taintsOf(controlPlane.taints),
          ...overrides(controlPlane.variables),
        }),
        ...part('workers', {
          ...list('machineDeployments', controller.pools.filter(({kind}) => kind === 'MachineDeployment').map(renderPool)),
          ...list('machinePools', controller.pools.filter(({kind}) => kind === 'MachinePool').map(renderPool)),
        }),
        ...list('variables', namedValues(options.variables)),
      },
    },
  };
}

function requireController(document: ClusterDocument): ControllerSettings {
  const {controller} = document.spec;
  if (controller === undefined) throw new RangeError(`${document.metadata.name} has no spec.controller; the reader refuses such files`);
  return controller;
}

/** Networks as the file has them; of a cluster that was made without, only what the file doesn't have by default. */
function renderNetwork({spec}: ClusterDocument, live: KubeObject | undefined): Fields {
  const {pods, services, dnsDomain} = spec.network;
  const network = (live?.['spec'] as {clusterNetwork?: {pods?: unknown; services?: unknown}} | undefined)?.clusterNetwork;
  const isDefault = (blocks: readonly string[], standard: string) => live !== undefined && blocks.length === 1 && blocks[0] === standard;
  return {
    ...(network?.pods === undefined && isDefault(pods, '10.244.0.0/16') ? {} : {pods: {cidrBlocks: pods}}),
    ...(network?.services === undefined && isDefault(services, '10.96.0.0/12') ? {} : {services: {cidrBlocks: services}}),
    ...(dnsDomain === 'cluster.local' ? {} : {serviceDomain: dnsDomain}),
  };
}

function renderPool(pool: ControllerPool): Fields {
  const {autoscale} = pool;
  const annotations =
    autoscale === undefined ? pool.annotations : {...pool.annotations, [autoscalerMin]: String(autoscale.min), [autoscalerMax]: String(autoscale.max)};
  return {
    ...part('metadata', metadataOf(pool.labels, annotations)),
    class: pool.class,
    name: pool.name,
    ...(pool.failureDomain === undefined ? {} : pool.kind === 'MachinePool' ? {failureDomains: [pool.failureDomain]} : {failureDomain: pool.failureDomain}),
    ...(autoscale === undefined ? {replicas: replicasOf(pool)} : {}),
    ...taintsOf(pool.taints),
    ...overrides(pool.variables),
  };
}

function metadataOf(labels: Readonly<Record<string, string>> | undefined, annotations: Readonly<Record<string, string>> | undefined): Fields {
  return {...(isEmpty(labels) ? {} : {labels}), ...(isEmpty(annotations) ? {} : {annotations})};
}

/** `Always`: Cluster API keeps them on the nodes; what only a new node shall have is the class's business. */
function taintsOf(taints: ControllerPool['taints']): Fields {
  return list(
    'taints',
    (taints ?? []).map(({key, value, effect}) => ({key, ...(value === undefined ? {} : {value}), effect, propagation: 'Always'})),
  );
}

function overrides(variables: Readonly<Record<string, unknown>> | undefined): Fields {
  return isEmpty(variables) ? {} : {variables: {overrides: namedValues(variables ?? {})}};
}

function namedValues(variables: Readonly<Record<string, unknown>>): readonly Fields[] {
  return Object.entries(variables).map(([name, value]) => ({name, value}));
}

function part(key: string, fields: Fields): Fields {
  return Object.keys(fields).length === 0 ? {} : {[key]: fields};
}

function list(key: string, items: readonly unknown[]): Fields {
  return items.length === 0 ? {} : {[key]: items};
}

function isEmpty(map: object | undefined): boolean {
  return map === undefined || Object.keys(map).length === 0;
}

/** The object in the form of a served version. */
export function toServed(object: KubeObject, version: CoreVersion): KubeObject {
  if (version === 'v1beta2') return object;
  const spec = object['spec'] as Fields;
  const {classRef, ...topology} = spec['topology'] as Fields & {classRef?: {name: string; namespace?: string}};
  return {
    ...object,
    apiVersion: `${coreGroup}/v1beta1`,
    spec: {
      ...spec,
      topology: {
        ...(classRef === undefined ? {} : {class: classRef.name, ...(classRef.namespace === undefined ? {} : {classNamespace: classRef.namespace})}),
        ...topology,
      },
    },
  };
}

/** What a server answered, in the form of v1beta2 as far as a plan reads it. */
export function fromServed(object: KubeObject): KubeObject {
  const spec = object['spec'] as (Fields & {topology?: Fields}) | undefined;
  const topology = spec?.topology;
  if (spec === undefined || topology === undefined || topology['class'] === undefined) return object;
  const {class: name, classNamespace, ...rest} = topology;
  return {...object, spec: {...spec, topology: {classRef: {name, ...(classNamespace === undefined ? {} : {namespace: classNamespace})}, ...rest}}};
}
