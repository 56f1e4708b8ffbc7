// The ClusterClass `in-memory`, named and built like the one of Cluster API's in-memory backend, with a few typed variables to try them out.
import type {Draft} from './draft.ts';

const infrastructure = 'infrastructure.cluster.x-k8s.io/v1beta2';

function machineTemplate(name: string): Draft {
  const provisioning = (startupDuration: string) => ({provisioning: {startupDuration, startupJitter: '0.2'}});
  const inMemory = {vm: provisioning('10s'), node: provisioning('2s'), apiServer: provisioning('2s'), etcd: provisioning('2s')};
  return {apiVersion: infrastructure, kind: 'DevMachineTemplate', metadata: {name}, spec: {template: {spec: {backend: {inMemory}}}}};
}

const nodeRegistration = {
  criSocket: 'unix:///var/run/containerd/containerd.sock',
  kubeletExtraArgs: [{name: 'eviction-hard', value: 'nodefs.available<0%,nodefs.inodesFree<0%,imagefs.available<0%'}],
};

const healthCheck = {
  checks: {
    unhealthyNodeConditions: [
      {type: 'Ready', status: 'Unknown', timeoutSeconds: 300},
      {type: 'Ready', status: 'False', timeoutSeconds: 300},
    ],
    unhealthyMachineConditions: [
      {type: 'NodeReady', status: 'Unknown', timeoutSeconds: 300},
      {type: 'NodeReady', status: 'False', timeoutSeconds: 300},
    ],
  },
};

const templateRef = (apiVersion: string, kind: string, name: string) => ({templateRef: {apiVersion, kind, name}});

const variables = [
  {
    name: 'machineSize',
    required: false,
    schema: {openAPIV3Schema: {type: 'string', enum: ['small', 'medium', 'large'], default: 'small', description: 'Size of the machines; SIMULATED.'}},
  },
  {
    name: 'diskGiB',
    required: false,
    schema: {openAPIV3Schema: {type: 'integer', minimum: 8, maximum: 1024, default: 20, description: 'Size of the root disk, in GiB; SIMULATED.'}},
  },
  {
    name: 'sshKeys',
    required: false,
    schema: {openAPIV3Schema: {type: 'array', maxItems: 10, items: {type: 'string', minLength: 1}, description: 'Public keys that may log in; SIMULATED.'}},
  },
  {
    name: 'registryMirror',
    required: false,
    schema: {
      openAPIV3Schema: {
        type: 'object',
        required: ['host'],
        properties: {host: {type: 'string', pattern: '^[a-z0-9.-]+(:[0-9]+)?$'}, insecure: {type: 'boolean', default: false}},
        description: 'Where images are taken from; SIMULATED.',
      },
    },
  },
];

/** Templates first, the class last. */
export function clusterClassObjects(): readonly Draft[] {
  const controlPlaneApi = 'controlplane.cluster.x-k8s.io/v1beta2';
  const bootstrapApi = 'bootstrap.cluster.x-k8s.io/v1beta2';
  return [
    {apiVersion: infrastructure, kind: 'DevClusterTemplate', metadata: {name: 'in-memory-cluster'}, spec: {template: {spec: {backend: {inMemory: {}}}}}},
    {
      apiVersion: controlPlaneApi,
      kind: 'KubeadmControlPlaneTemplate',
      metadata: {name: 'in-memory-control-plane'},
      spec: {
        template: {
          spec: {
            kubeadmConfigSpec: {
              clusterConfiguration: {apiServer: {certSANs: ['localhost', '127.0.0.1', '0.0.0.0']}},
              initConfiguration: {nodeRegistration},
              joinConfiguration: {nodeRegistration},
            },
          },
        },
      },
    },
    machineTemplate('in-memory-control-plane'),
    machineTemplate('in-memory-default-worker-machinetemplate'),
    {
      apiVersion: bootstrapApi,
      kind: 'KubeadmConfigTemplate',
      metadata: {name: 'in-memory-default-worker-bootstraptemplate'},
      spec: {template: {spec: {joinConfiguration: {nodeRegistration}}}},
    },
    {
      apiVersion: 'cluster.x-k8s.io/v1beta2',
      kind: 'ClusterClass',
      metadata: {name: 'in-memory'},
      spec: {
        infrastructure: templateRef(infrastructure, 'DevClusterTemplate', 'in-memory-cluster'),
        controlPlane: {
          ...templateRef(controlPlaneApi, 'KubeadmControlPlaneTemplate', 'in-memory-control-plane'),
          machineInfrastructure: templateRef(infrastructure, 'DevMachineTemplate', 'in-memory-control-plane'),
          healthCheck,
        },
        workers: {
          machineDeployments: [
            {
              class: 'default-worker',
              bootstrap: templateRef(bootstrapApi, 'KubeadmConfigTemplate', 'in-memory-default-worker-bootstraptemplate'),
              infrastructure: templateRef(infrastructure, 'DevMachineTemplate', 'in-memory-default-worker-machinetemplate'),
              healthCheck,
            },
          ],
        },
        variables,
      },
    },
  ];
}
