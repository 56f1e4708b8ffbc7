// The clusters of the demonstration's fleet, as data: what each of them is there to show.
import type {Draft} from '../management/draft.ts';

export interface DemoPool {
  readonly name: string;
  readonly replicas: number;
}

export interface DemoCluster {
  readonly name: string;
  readonly namespace: string;
  readonly version: string;
  readonly controlPlanes: number;
  readonly pools: readonly DemoPool[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly paused?: boolean;
}

/** Versions that the cluster of upgrades goes through; after the last it is made anew. */
export const upgradePath = ['v1.34.8', 'v1.35.4', 'v1.36.3'] as const;

/** Made in the management API. Which of them does what is said in life.ts. */
export const demoClusters = {
  lagoon: {
    name: 'lagoon',
    namespace: 'north',
    version: upgradePath[0],
    controlPlanes: 3,
    pools: [
      {name: 'shallow', replicas: 4},
      {name: 'deep', replicas: 2},
    ],
    labels: {tier: 'production'},
  },
  fjord: {name: 'fjord', namespace: 'north', version: 'v1.36.3', controlPlanes: 1, pools: [{name: 'tide', replicas: 2}], labels: {tier: 'staging'}},
  reef: {name: 'reef', namespace: 'south', version: 'v1.36.3', controlPlanes: 1, pools: [{name: 'coral', replicas: 1}], labels: {tier: 'production'}},
  atoll: {name: 'atoll', namespace: 'south', version: 'v1.35.4', controlPlanes: 3, pools: [{name: 'palm', replicas: 3}], labels: {tier: 'production'}},
  jetty: {
    name: 'jetty',
    namespace: 'south',
    version: 'v1.35.4',
    controlPlanes: 1,
    pools: [{name: 'plank', replicas: 2}],
    labels: {tier: 'staging'},
    paused: true,
  },
  skerry: {name: 'skerry', namespace: 'south', version: 'v1.36.3', controlPlanes: 1, pools: [{name: 'rock', replicas: 1}], labels: {tier: 'test'}},
} as const satisfies Readonly<Record<string, DemoCluster>>;

/** The cluster of the management API that has a file. */
export const fileCluster = {name: 'harbour', controlPlanes: 1, workers: 2} as const;

/** The cluster of hosts, which has a file, too. */
export const hostCluster = {name: 'quay', controlPlanes: 1, workers: 2} as const;

export function clusterDraft({name, namespace, version, controlPlanes, pools, labels}: DemoCluster): Draft {
  return {
    apiVersion: 'cluster.x-k8s.io/v1beta2',
    kind: 'Cluster',
    metadata: {name, namespace, ...(labels === undefined ? {} : {labels})},
    spec: {
      clusterNetwork: {pods: {cidrBlocks: ['10.244.0.0/16']}, services: {cidrBlocks: ['10.96.0.0/12']}},
      topology: {
        classRef: {name: 'in-memory', namespace: 'default'},
        version,
        controlPlane: {replicas: controlPlanes},
        workers: {machineDeployments: pools.map((pool) => ({class: 'default-worker', name: pool.name, replicas: pool.replicas}))},
      },
    },
  };
}
