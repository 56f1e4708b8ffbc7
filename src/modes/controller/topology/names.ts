// Names that Cluster API gives meaning to, as of v1.14 (sigs.k8s.io/cluster-api/api/core/v1beta2/common_types.go).

export const coreGroup = 'cluster.x-k8s.io';

/** Served versions of the core API that are spoken, newest first. */
export const coreVersions = ['v1beta2', 'v1beta1'] as const;
export type CoreVersion = (typeof coreVersions)[number];

export const clusterNameLabel = 'cluster.x-k8s.io/cluster-name';
export const ownedLabel = 'topology.cluster.x-k8s.io/owned';
/** On a topology's MachineDeployments, their MachineSets and Machines: the pool's name in the topology. */
export const deploymentNameLabel = 'topology.cluster.x-k8s.io/deployment-name';
export const poolNameLabel = 'topology.cluster.x-k8s.io/pool-name';
export const machineDeploymentLabel = 'cluster.x-k8s.io/deployment-name';

export const autoscalerMin = 'cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size';
export const autoscalerMax = 'cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size';

/** A comma-separated list of the lifecycle hooks that are waited for. */
export const pendingHooksAnnotation = 'runtime.cluster.x-k8s.io/pending-hooks';
export const skipVersionCheckAnnotation = 'unsafe.topology.cluster.x-k8s.io/disable-update-version-check';

/** Our field manager (the default of KubeApi.apply). */
export const ourManager = 'trireme';
