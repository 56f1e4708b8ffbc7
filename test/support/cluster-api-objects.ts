// Objects of Cluster API as its controllers write them (v1.14, v1beta2), made by hand for tests; a few of v1beta1.
import type {Condition, KubeObject} from '../../src/kube/object.ts';

const core = 'cluster.x-k8s.io/v1beta2';
const infra = 'infrastructure.cluster.x-k8s.io';
const boot = 'bootstrap.cluster.x-k8s.io';
const control = 'controlplane.cluster.x-k8s.io';
export const since = '2026-11-25T10:00:00Z';

export function condition(type: string, status: Condition['status'], reason: string, message = ''): Condition {
  return {type, status, reason, message, lastTransitionTime: since};
}

const quiet = (...types: readonly string[]) => types.map((type) => condition(type, 'False', `Not${type}`));

interface Extra {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner?: KubeObject;
  readonly deleting?: string;
  readonly finalizers?: readonly string[];
  readonly namespace?: string;
}

export function object(apiVersion: string, kind: string, name: string, spec: unknown, status: unknown, extra: Extra = {}): KubeObject {
  const {labels, annotations, owner, deleting, finalizers, namespace = 'fleet'} = extra;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace,
      uid: `uid-${kind}-${namespace}-${name}`,
      resourceVersion: '1',
      creationTimestamp: since,
      managedFields: [{manager: 'manager', operation: 'Update'}],
      ...(labels === undefined ? {} : {labels}),
      ...(annotations === undefined ? {} : {annotations}),
      ...(deleting === undefined ? {} : {deletionTimestamp: deleting}),
      ...(finalizers === undefined ? {} : {finalizers}),
      ...(owner === undefined
        ? {}
        : {ownerReferences: [{apiVersion: owner.apiVersion, kind: owner.kind, name: owner.metadata.name, uid: owner.metadata.uid ?? '', controller: true}]}),
    },
    spec,
    status,
  };
}

const labelled = (cluster: string, more: Readonly<Record<string, string>> = {}) => ({'cluster.x-k8s.io/cluster-name': cluster, ...more});

export interface ClusterShape {
  readonly name?: string;
  readonly namespace?: string;
  readonly version?: string;
  readonly controlPlanes?: number;
  readonly workers?: number;
  readonly conditions?: readonly Condition[];
  readonly deleting?: string;
  readonly paused?: boolean;
  readonly status?: Readonly<Record<string, unknown>>;
}

/** Replaces conditions of the same types, adds the others. */
export function withConditions(original: KubeObject, ...changed: readonly Condition[]): KubeObject {
  const status = original['status'] as {readonly conditions?: readonly Condition[]};
  const kept = (status.conditions ?? []).filter((one) => !changed.some((other) => other.type === one.type));
  return {...original, status: {...status, conditions: [...kept, ...changed]}};
}

export function infraMachine(cluster: string, name: string, extra: Extra = {}): KubeObject {
  return object(
    `${infra}/v1beta2`,
    'DevMachine',
    name,
    {providerID: `in-memory://${name}`},
    {initialization: {provisioned: true}, conditions: [condition('Ready', 'True', 'Ready'), condition('VMProvisioned', 'True', 'Provisioned')]},
    {labels: labelled(cluster), ...extra},
  );
}

export function bootstrapConfig(cluster: string, name: string, extra: Extra = {}): KubeObject {
  return object(
    `${boot}/v1beta2`,
    'KubeadmConfig',
    name,
    {},
    {initialization: {dataSecretCreated: true}, conditions: [condition('Ready', 'True', 'Ready'), condition('DataSecretAvailable', 'True', 'Available')]},
    {labels: labelled(cluster), ...extra},
  );
}

export function machine(cluster: string, name: string, owner: KubeObject, version: string, more: Extra = {}): KubeObject {
  const isControlPlane = owner.kind === 'KubeadmControlPlane';
  const ready = ['Available', 'Ready', 'UpToDate', 'BootstrapConfigReady', 'InfrastructureReady', 'NodeReady', 'NodeHealthy'];
  return object(
    core,
    'Machine',
    name,
    {
      clusterName: cluster,
      version,
      providerID: `in-memory://${name}`,
      infrastructureRef: {apiGroup: infra, kind: 'DevMachine', name},
      bootstrap: {configRef: {apiGroup: boot, kind: 'KubeadmConfig', name}, dataSecretName: name},
    },
    {
      phase: 'Running',
      nodeRef: {name: `node-${name}`},
      addresses: [{type: 'InternalIP', address: '10.0.0.7'}],
      initialization: {infrastructureProvisioned: true, bootstrapDataSecretCreated: true},
      conditions: [...ready.map((type) => condition(type, 'True', type)), ...quiet('Updating', 'Deleting', 'Paused')],
    },
    {owner, ...more, labels: labelled(cluster, {...(isControlPlane ? {'cluster.x-k8s.io/control-plane': ''} : {}), ...more.labels})},
  );
}

export interface ClusterSet {
  readonly cluster: KubeObject;
  readonly controlPlane: KubeObject;
  readonly deployment: KubeObject;
  readonly set: KubeObject;
  readonly machines: readonly KubeObject[];
  readonly objects: readonly KubeObject[];
}

/** A healthy ClusterClass cluster: control planes `web-cp-1`..., one pool `md-0` with machines `web-md-0-1`..., all their parts and health checks. */
export function clusterSet(shape: ClusterShape = {}): ClusterSet {
  const {name = 'web', namespace = 'fleet', version = 'v1.36.3', controlPlanes = 1, workers = 3} = shape;
  const here = {namespace};
  const counts = (of: number) => ({desiredReplicas: of, replicas: of, readyReplicas: of, availableReplicas: of, upToDateReplicas: of});
  const replicas = (of: number) => ({replicas: of, readyReplicas: of, availableReplicas: of, upToDateReplicas: of, versions: [{version, replicas: of}]});
  const positive = ['Available', 'TopologyReconciled', 'InfrastructureReady', 'ControlPlaneInitialized', 'ControlPlaneAvailable', 'WorkersAvailable'];
  const sums = ['ControlPlaneMachinesReady', 'WorkerMachinesReady', 'ControlPlaneMachinesUpToDate', 'WorkerMachinesUpToDate', 'RemoteConnectionProbe'];
  const moves = quiet('RollingOut', 'ScalingUp', 'ScalingDown', 'Remediating', 'Deleting', 'Paused');
  const cluster = withConditions(
    object(
      core,
      'Cluster',
      name,
      {
        ...(shape.paused === true ? {paused: true} : {}),
        controlPlaneEndpoint: {host: '10.0.0.1', port: 6443},
        controlPlaneRef: {apiGroup: control, kind: 'KubeadmControlPlane', name: `${name}-cp`},
        infrastructureRef: {apiGroup: infra, kind: 'DevCluster', name: `${name}-infra`},
        topology: {
          classRef: {name: 'in-memory'},
          version,
          controlPlane: {replicas: controlPlanes},
          workers: {machineDeployments: [{class: 'default-worker', name: 'md-0', replicas: workers}]},
        },
      },
      {
        phase: 'Provisioned',
        initialization: {infrastructureProvisioned: true, controlPlaneInitialized: true},
        controlPlane: counts(controlPlanes),
        workers: counts(workers),
        conditions: [...[...positive, ...sums].map((type) => condition(type, 'True', type)), ...moves],
        ...shape.status,
      },
      {...here, labels: labelled(name), ...(shape.deleting === undefined ? {} : {deleting: shape.deleting, finalizers: ['cluster.cluster.x-k8s.io']})},
    ),
    ...(shape.conditions ?? []),
  );
  const infraCluster = object(
    `${infra}/v1beta2`,
    'DevCluster',
    `${name}-infra`,
    {},
    {initialization: {provisioned: true}, conditions: [condition('Ready', 'True', 'Ready')]},
    {...here, labels: labelled(name), owner: cluster},
  );
  const kept = [...['Available', 'MachinesReady', 'MachinesUpToDate'].map((type) => condition(type, 'True', type)), ...moves];
  const controlPlane = object(
    `${control}/v1beta2`,
    'KubeadmControlPlane',
    `${name}-cp`,
    {replicas: controlPlanes, version, machineTemplate: {spec: {infrastructureRef: {apiGroup: infra, kind: 'DevMachineTemplate', name: `${name}-cp`}}}},
    {...replicas(controlPlanes), initialization: {controlPlaneInitialized: true}, conditions: [...kept, condition('EtcdClusterHealthy', 'True', 'Healthy')]},
    {...here, labels: labelled(name, {'topology.cluster.x-k8s.io/owned': ''}), owner: cluster},
  );
  const poolLabels = {'topology.cluster.x-k8s.io/deployment-name': 'md-0', 'cluster.x-k8s.io/deployment-name': `${name}-md-0`};
  const template = {
    metadata: {labels: labelled(name, poolLabels)},
    spec: {
      clusterName: name,
      version,
      infrastructureRef: {apiGroup: infra, kind: 'DevMachineTemplate', name: `${name}-md-0`},
      bootstrap: {configRef: {apiGroup: boot, kind: 'KubeadmConfigTemplate', name: `${name}-md-0`}},
    },
  };
  const deployment = object(
    core,
    'MachineDeployment',
    `${name}-md-0`,
    {clusterName: name, replicas: workers, template},
    {...replicas(workers), conditions: kept},
    {
      ...here,
      labels: labelled(name, {'topology.cluster.x-k8s.io/owned': '', 'topology.cluster.x-k8s.io/deployment-name': 'md-0'}),
      owner: cluster,
    },
  );
  const set = object(
    core,
    'MachineSet',
    `${name}-md-0-a`,
    {clusterName: name, replicas: workers, template},
    {...replicas(workers), conditions: kept.slice(1)},
    {
      ...here,
      labels: labelled(name, poolLabels),
      owner: deployment,
    },
  );
  const check = object(
    core,
    'MachineHealthCheck',
    `${name}-md-0`,
    {clusterName: name, selector: {matchLabels: {'topology.cluster.x-k8s.io/deployment-name': 'md-0'}}},
    {
      expectedMachines: workers,
      currentHealthy: workers,
      remediationsAllowed: workers,
      conditions: [condition('RemediationAllowed', 'True', 'RemediationAllowed')],
    },
    {...here, labels: labelled(name)},
  );
  const numbers = (of: number) => Array.from({length: of}, (_, index) => index + 1);
  const machines = [
    ...numbers(controlPlanes).map((number) => machine(name, `${name}-cp-${number}`, controlPlane, version, here)),
    ...numbers(workers).map((number) =>
      machine(name, `${name}-md-0-${number}`, set, version, {...here, labels: {...poolLabels, 'cluster.x-k8s.io/set-name': set.metadata.name}}),
    ),
  ];
  const parts = machines.flatMap((one) => [infraMachine(name, one.metadata.name, here), bootstrapConfig(name, one.metadata.name, here)]);
  return {cluster, controlPlane, deployment, set, machines, objects: [cluster, infraCluster, controlPlane, deployment, set, check, ...machines, ...parts]};
}
