// A cluster as its objects would say it is: 3 control planes, pools md-0 (3) and md-1 (2).
import type {Resource} from '../../../../../src/kube/api.ts';
import type {KubeObject} from '../../../../../src/kube/object.ts';
import {poolsOf, type LiveCluster, type LiveObject} from '../../../../../src/modes/controller/verbs/live.ts';

const core = (kind: string, plural: string): Resource => ({group: 'cluster.x-k8s.io', version: 'v1beta2', plural, kind, namespaced: true});
export const resources = {
  cluster: core('Cluster', 'clusters'),
  machine: core('Machine', 'machines'),
  deployment: core('MachineDeployment', 'machinedeployments'),
  healthCheck: core('MachineHealthCheck', 'machinehealthchecks'),
  controlPlane: {group: 'controlplane.cluster.x-k8s.io', version: 'v1beta2', plural: 'kubeadmcontrolplanes', kind: 'KubeadmControlPlane', namespaced: true},
};

interface Shape {
  readonly topology?: boolean;
  readonly version?: string;
  readonly controlPlanes?: number;
  readonly kubernetesVersions?: readonly string[];
  readonly cluster?: {readonly metadata?: object; readonly spec?: object; readonly status?: object};
  readonly controlPlane?: {readonly spec?: object; readonly status?: object};
  /** Annotations of md-0. */
  readonly poolAnnotations?: Readonly<Record<string, string>>;
  /** Over each machine. */
  readonly machine?: (name: string, index: number) => {readonly metadata?: object; readonly spec?: object; readonly status?: object};
  readonly healthChecks?: readonly LiveObject[];
}

export function healthCheck(selector: object): LiveObject {
  const {group, version, kind} = resources.healthCheck;
  return {
    resource: resources.healthCheck,
    object: {apiVersion: `${group}/${version}`, kind, metadata: {name: 'web-check', namespace: 'fleet'}, spec: {clusterName: 'web', selector}},
  };
}

const settled = (count: number) => ({observedGeneration: 1, replicas: count, availableReplicas: count, upToDateReplicas: count, readyReplicas: count});

/** All as wanted, unless the shape says otherwise. */
export function liveCluster(shape: Shape = {}): LiveCluster {
  const {topology = true, version = 'v1.35.4', controlPlanes = 3} = shape;
  const cluster: KubeObject = {
    apiVersion: 'cluster.x-k8s.io/v1beta2',
    kind: 'Cluster',
    metadata: {name: 'web', namespace: 'fleet', uid: 'u-web', generation: 1, ...shape.cluster?.metadata},
    spec: {
      ...(topology
        ? {
            topology: {
              classRef: {name: 'dock'},
              version,
              controlPlane: {replicas: controlPlanes},
              workers: {
                machineDeployments: [
                  {class: 'worker', name: 'md-0', replicas: 3},
                  {class: 'worker', name: 'md-1', replicas: 2},
                ],
              },
            },
          }
        : {}),
      ...shape.cluster?.spec,
    },
    ...(shape.cluster?.status === undefined ? {} : {status: shape.cluster.status}),
  };
  const controlPlane: KubeObject = {
    apiVersion: 'controlplane.cluster.x-k8s.io/v1beta2',
    kind: 'KubeadmControlPlane',
    metadata: {name: 'web-cp', namespace: 'fleet', uid: 'u-cp', generation: 1},
    spec: {replicas: controlPlanes, version, ...shape.controlPlane?.spec},
    status: {...settled(controlPlanes), version, versions: [{version, replicas: controlPlanes}], ...shape.controlPlane?.status},
  };
  const pool = (name: string, count: number, annotations?: Readonly<Record<string, string>>): LiveObject => ({
    resource: resources.deployment,
    object: {
      apiVersion: 'cluster.x-k8s.io/v1beta2',
      kind: 'MachineDeployment',
      metadata: {
        name: topology ? `web-${name}-abc` : name,
        namespace: 'fleet',
        uid: `u-${name}`,
        generation: 1,
        labels: topology ? {'topology.cluster.x-k8s.io/deployment-name': name} : {},
        ...(annotations === undefined ? {} : {annotations}),
      },
      spec: {replicas: count, template: {spec: {version}}},
      status: settled(count),
    },
  });
  const pools = poolsOf(cluster, [pool('md-0', 3, shape.poolAnnotations), pool('md-1', 2)], []);
  const machine = (name: string, index: number, labels: Readonly<Record<string, string>>, owner: string): KubeObject => {
    const more = shape.machine?.(name, index);
    return {
      apiVersion: 'cluster.x-k8s.io/v1beta2',
      kind: 'Machine',
      metadata: {
        name,
        namespace: 'fleet',
        uid: `u-${name}`,
        creationTimestamp: '2026-11-01T00:00:00Z',
        labels,
        ownerReferences: [{apiVersion: 'cluster.x-k8s.io/v1beta2', kind: owner, name: 'owner', uid: 'u-owner', controller: true}],
        ...more?.metadata,
      },
      spec: {version, ...more?.spec},
      status: {
        nodeRef: {name: `node-${name}`},
        nodeInfo: {kubeletVersion: version},
        conditions: [
          {type: 'Ready', status: 'True'},
          {type: 'HealthCheckSucceeded', status: 'True'},
        ],
        ...more?.status,
      },
    };
  };
  const machines = [
    ...Array.from({length: controlPlanes}, (_, index) => machine(`web-cp-${index}`, index, {'cluster.x-k8s.io/control-plane': ''}, 'KubeadmControlPlane')),
    ...pools.flatMap((one) =>
      Array.from({length: one.replicas ?? 0}, (_, index) =>
        machine(`web-${one.name}-${index}`, index, {'cluster.x-k8s.io/deployment-name': one.object?.metadata.name ?? ''}, 'MachineSet'),
      ),
    ),
  ];
  return {
    name: 'web',
    namespace: 'fleet',
    simulated: false,
    resource: resources.cluster,
    cluster,
    hasTopology: topology,
    controlPlane: {resource: resources.controlPlane, object: controlPlane},
    pools,
    machines,
    machineResource: resources.machine,
    machineSets: [],
    healthChecks: shape.healthChecks ?? [],
    clusterClass: {
      apiVersion: 'cluster.x-k8s.io/v1beta2',
      kind: 'ClusterClass',
      metadata: {name: 'dock'},
      spec: shape.kubernetesVersions === undefined ? {} : {kubernetesVersions: shape.kubernetesVersions},
    },
    others: [],
  };
}
