// Objects without what nobody looks at: of ten thousand machines only what a view needs stays in memory.
import {listAt, textAt, valueAt, type Condition, type KubeObject, type ObjectMeta} from '../../../kube/object.ts';
import {negative} from './conditions.ts';

type Fields = Readonly<Record<string, unknown>>;
export type Slimmer = (object: KubeObject) => KubeObject;

/** How many different texts are kept once; more than that are kept as they come. */
const maxTexts = 20_000;

const labels = new Set([
  'cluster.x-k8s.io/cluster-name',
  'cluster.x-k8s.io/control-plane',
  'cluster.x-k8s.io/control-plane-name',
  'cluster.x-k8s.io/deployment-name',
  'cluster.x-k8s.io/set-name',
  'cluster.x-k8s.io/pool-name',
  'topology.cluster.x-k8s.io/owned',
  'topology.cluster.x-k8s.io/deployment-name',
  'topology.cluster.x-k8s.io/pool-name',
]);

/** Annotations that steer Cluster API; those with a hook's prefix too. */
const annotations = new Set([
  'cluster.x-k8s.io/paused',
  'cluster.x-k8s.io/delete-machine',
  'cluster.x-k8s.io/remediate-machine',
  'cluster.x-k8s.io/skip-remediation',
  'cluster.x-k8s.io/replicas-managed-by',
  'cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size',
  'cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size',
  'topology.cluster.x-k8s.io/defer-upgrade',
  'topology.cluster.x-k8s.io/hold-upgrade-sequence',
  'runtime.cluster.x-k8s.io/ok-to-delete',
]);
const hooks = /^pre-(drain|terminate)\.delete\.hook\.machine\.cluster\.x-k8s\.io/;

/** Fields of `spec` that are kept, by kind; of other kinds (infrastructure, bootstrap) those of `*`. */
const specFields: Readonly<Record<string, readonly string[]>> = {
  Cluster: ['paused', 'controlPlaneRef', 'infrastructureRef', 'controlPlaneEndpoint'],
  Machine: ['clusterName', 'version', 'providerID', 'failureDomain', 'infrastructureRef', 'bootstrap'],
  MachineSet: ['clusterName', 'replicas'],
  MachineDeployment: ['clusterName', 'replicas', 'paused'],
  MachinePool: ['clusterName', 'replicas'],
  MachineHealthCheck: ['clusterName', 'selector'],
  ClusterResourceSetBinding: ['clusterName', 'bindings'],
  '*': ['replicas', 'version', 'paused'],
};

const statusFields = [
  'phase',
  'ready',
  'infrastructureReady',
  'controlPlaneReady',
  'initialized',
  'initialization',
  'failureReason',
  'failureMessage',
  'replicas',
  'readyReplicas',
  'availableReplicas',
  'upToDateReplicas',
  'updatedReplicas',
  'unavailableReplicas',
  'version',
  'versions',
  'controlPlane',
  'workers',
  'nodeRef',
  'nodeRefs',
  'addresses',
  'deletion',
  'targets',
  'expectedMachines',
  'currentHealthy',
  'remediationsAllowed',
];

export interface SlimmerOptions {
  /** Of machines, and of what machines own, only the conditions that aren't as they shall be: enough to tell how they stand. */
  readonly tellingOnly?: boolean;
}

/** Counts that objects of v1beta1 have for the newer contract. */
const countFields = ['readyReplicas', 'availableReplicas', 'upToDateReplicas'];

/** Makes a function that slims objects and keeps equal texts of conditions once. Every store has its own. */
export function createSlimmer(options: SlimmerOptions = {}): Slimmer {
  const texts = new Map<string, string>();
  const once = (text: string | undefined): string | undefined => {
    if (text === undefined) return undefined;
    const known = texts.get(text);
    if (known !== undefined) return known;
    if (texts.size < maxTexts) texts.set(text, text);
    return text;
  };
  return (object) => ({
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: slimMeta(object.metadata, object.kind === 'Cluster'),
    spec: slimSpec(object),
    status: slimStatus(object, once, options.tellingOnly === true && isOfMachine(object)),
  });
}

function pick(value: unknown, names: readonly string[]): Fields {
  const kept: Record<string, unknown> = {};
  if (value === null || typeof value !== 'object') return kept;
  for (const name of names) {
    const field = (value as Fields)[name];
    if (field !== undefined) kept[name] = field;
  }
  return kept;
}

function filterKeys(map: Readonly<Record<string, string>> | undefined, isKept: (key: string) => boolean): Readonly<Record<string, string>> | undefined {
  if (map === undefined) return undefined;
  const kept = Object.entries(map).filter(([key]) => isKept(key));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

// a person's labels are looked for on clusters only
function slimMeta(meta: ObjectMeta, keepsLabels: boolean): ObjectMeta {
  const keptLabels = filterKeys(meta.labels, (key) => keepsLabels || labels.has(key));
  const keptAnnotations = filterKeys(meta.annotations, (key) => annotations.has(key) || hooks.test(key));
  return {
    name: meta.name,
    ...(pick(meta, ['namespace', 'uid', 'creationTimestamp', 'deletionTimestamp']) as Partial<ObjectMeta>),
    ...(keptLabels === undefined ? {} : {labels: keptLabels}),
    ...(keptAnnotations === undefined ? {} : {annotations: keptAnnotations}),
    ...(meta.ownerReferences === undefined
      ? {}
      : {
          ownerReferences: meta.ownerReferences.map(({apiVersion, kind, name, uid, controller}) => ({
            apiVersion,
            kind,
            name,
            uid,
            ...(controller === undefined ? {} : {controller}),
          })),
        }),
    ...(meta.deletionTimestamp === undefined || meta.finalizers === undefined ? {} : {finalizers: meta.finalizers}),
  };
}

function slimSpec(object: KubeObject): Fields {
  const {kind, spec} = object;
  const kept = pick(spec, specFields[kind] ?? specFields['*'] ?? []);
  const topology = valueAt(spec, 'topology');
  if (kind === 'Cluster' && topology !== undefined) return {...kept, topology: slimTopology(topology)};
  const template = valueAt(spec, 'template');
  if (template !== undefined && (kind === 'MachineDeployment' || kind === 'MachineSet' || kind === 'MachinePool')) {
    return {
      ...kept,
      template: {
        metadata: {labels: filterKeys(valueAt(template, 'metadata', 'labels') as Readonly<Record<string, string>> | undefined, () => true) ?? {}},
        spec: pick(valueAt(template, 'spec'), ['version', 'infrastructureRef', 'bootstrap']),
      },
    };
  }
  const machineTemplate = valueAt(spec, 'machineTemplate');
  if (machineTemplate !== undefined) {
    return {...kept, machineTemplate: {...pick(machineTemplate, ['infrastructureRef']), spec: pick(valueAt(machineTemplate, 'spec'), ['infrastructureRef'])}};
  }
  return kept;
}

function slimTopology(topology: unknown): Fields {
  const pools = (name: string) =>
    listAt(topology, 'workers', name).map((pool) => ({
      ...pick(pool, ['name', 'class', 'replicas']),
      ...(valueAt(pool, 'metadata', 'annotations') === undefined ? {} : {metadata: {annotations: valueAt(pool, 'metadata', 'annotations')}}),
    }));
  return {
    ...pick(topology, ['version', 'class', 'classRef', 'classNamespace']),
    controlPlane: pick(valueAt(topology, 'controlPlane'), ['replicas']),
    workers: {machineDeployments: pools('machineDeployments'), machinePools: pools('machinePools')},
  };
}

type Once = (text: string | undefined) => string | undefined;

function slimStatus({status}: KubeObject, once: Once, isTellingOnly: boolean): Fields {
  const slim = (conditions: readonly unknown[]) =>
    conditions.filter((one) => !isTellingOnly || !isQuiet(one as Condition)).map((one) => slimCondition(one as Condition, once));
  const v1beta1 = valueAt(status, 'deprecated', 'v1beta1');
  const newer = listAt(status, 'v1beta2', 'conditions');
  return {
    ...pick(status, statusFields),
    conditions: slim(listAt(status, 'conditions')),
    ...(newer.length === 0 ? {} : {v1beta2: {...pick(valueAt(status, 'v1beta2'), countFields), conditions: slim(newer)}}),
    ...(v1beta1 === undefined ? {} : {deprecated: {v1beta1: slimOld(v1beta1, slim)}}),
  };
}

function slimOld(v1beta1: unknown, slim: (conditions: readonly unknown[]) => readonly Condition[]): Fields {
  const failures = listAt(v1beta1, 'conditions').filter((one) => textAt(one, 'status') === 'False');
  return {...pick(v1beta1, ['failureReason', 'failureMessage']), conditions: slim(failures)};
}

/** A machine, or its infrastructure or bootstrap object. */
function isOfMachine({kind, metadata}: KubeObject): boolean {
  return kind === 'Machine' || metadata.ownerReferences?.some((owner) => owner.kind === 'Machine') === true;
}

function isQuiet({type, status}: Condition): boolean {
  if (type === 'Ready' || type === 'Available') return false; // that there is one is told by it
  return status === (negative.has(type) ? 'False' : 'True');
}

function slimCondition({type, status, reason, message, severity, lastTransitionTime}: Condition, once: Once): Condition {
  return {
    type: once(type),
    status: once(status),
    ...(reason === undefined ? {} : {reason: once(reason)}),
    ...(message === undefined ? {} : {message: once(message)}),
    ...(severity === undefined ? {} : {severity: once(severity)}),
    ...(lastTransitionTime === undefined ? {} : {lastTransitionTime: once(lastTransitionTime)}),
  } as Condition;
}
