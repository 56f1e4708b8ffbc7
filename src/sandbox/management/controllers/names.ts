// The kinds, labels and annotations that controllers use, as Cluster API has them.
import type {KubeObject} from '../../../kube/object.ts';
import {valueAt} from '../../../kube/object.ts';

const core = 'cluster.x-k8s.io';
const infrastructure = `infrastructure.${core}`;

export const kinds = {
  cluster: `Cluster.${core}`,
  clusterClass: `ClusterClass.${core}`,
  machine: `Machine.${core}`,
  machineSet: `MachineSet.${core}`,
  machineDeployment: `MachineDeployment.${core}`,
  healthCheck: `MachineHealthCheck.${core}`,
  controlPlane: `KubeadmControlPlane.controlplane.${core}`,
  controlPlaneTemplate: `KubeadmControlPlaneTemplate.controlplane.${core}`,
  bootstrapConfig: `KubeadmConfig.bootstrap.${core}`,
  bootstrapTemplate: `KubeadmConfigTemplate.bootstrap.${core}`,
  devCluster: `DevCluster.${infrastructure}`,
  devMachine: `DevMachine.${infrastructure}`,
  devMachineTemplate: `DevMachineTemplate.${infrastructure}`,
  secret: 'Secret',
} as const;

export const labels = {
  cluster: 'cluster.x-k8s.io/cluster-name',
  controlPlane: 'cluster.x-k8s.io/control-plane',
  controlPlaneName: 'cluster.x-k8s.io/control-plane-name',
  deployment: 'cluster.x-k8s.io/deployment-name',
  set: 'cluster.x-k8s.io/set-name',
  hash: 'machine-template-hash',
  owned: 'topology.cluster.x-k8s.io/owned',
  topologyDeployment: 'topology.cluster.x-k8s.io/deployment-name',
} as const;

export const annotations = {
  paused: 'cluster.x-k8s.io/paused',
  deleteMachine: 'cluster.x-k8s.io/delete-machine',
  remediate: 'cluster.x-k8s.io/remediate-machine',
  skipRemediation: 'cluster.x-k8s.io/skip-remediation',
  clonedFromName: 'cluster.x-k8s.io/cloned-from-name',
  clonedFromKind: 'cluster.x-k8s.io/cloned-from-groupkind',
  revision: 'machinedeployment.clusters.x-k8s.io/revision',
  deferUpgrade: 'topology.cluster.x-k8s.io/defer-upgrade',
  holdUpgrade: 'topology.cluster.x-k8s.io/hold-upgrade-sequence',
  pendingHooks: 'runtime.cluster.x-k8s.io/pending-hooks',
  concurrency: 'topology.cluster.x-k8s.io/upgrade-concurrency',
} as const;

/** Whether controllers must leave an object alone: its cluster is paused, or it has the annotation. */
export function isPaused(object: KubeObject, cluster: KubeObject | undefined): boolean {
  return valueAt(cluster, 'spec', 'paused') === true || object.metadata.annotations?.[annotations.paused] !== undefined;
}

/** What the condition Paused says when it isn't so. */
export function pauseMessage(object: KubeObject, cluster: KubeObject | undefined): string {
  const why = [
    ...(valueAt(cluster, 'spec', 'paused') === true ? ['Cluster spec.paused is set to true'] : []),
    ...(object.metadata.annotations?.[annotations.paused] === undefined ? [] : [`${object.kind} has the cluster.x-k8s.io/paused annotation`]),
  ];
  return why.join(', ');
}

export const isLeaving = (object: KubeObject) => object.metadata.deletionTimestamp !== undefined;
export const isControlPlane = (machine: KubeObject) => machine.metadata.labels?.[labels.controlPlane] !== undefined;

export const ownedBy = (object: KubeObject, owner: KubeObject) => object.metadata.ownerReferences?.some((one) => one.uid === owner.metadata.uid) ?? false;

export const byAge = (a: KubeObject, b: KubeObject) =>
  (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '') || Number(a.metadata.uid?.localeCompare(b.metadata.uid ?? ''));
