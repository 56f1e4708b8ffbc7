// Many finished clusters at once, and changes of them at a steady pace: for benches, and for tests of what has to stay quick. No controller works on them.
import {randomUUID} from 'node:crypto';
import type {KubeObject} from '../../kube/object.ts';
import type {KindRegistry} from './kinds.ts';
import type {ObjectStore} from './store.ts';
import {timestamp} from './writes.ts';

interface Parts {
  readonly store: ObjectStore;
  readonly kinds: KindRegistry;
}

export interface FleetOptions {
  readonly clusters: number;
  /** Machines of each; one is a control plane. */
  readonly machines: number;
  /** Default `default`. */
  readonly namespace?: string;
}

const conditions = (...types: readonly (readonly [string, string, string])[]) =>
  types.map(([type, status, reason]) => ({type, status, reason, message: '', lastTransitionTime: timestamp(), observedGeneration: 1}));
const machineConditions = [
  ['Available', 'True', 'Available'],
  ['Ready', 'True', 'Ready'],
  ['UpToDate', 'True', 'UpToDate'],
  ['BootstrapConfigReady', 'True', 'Ready'],
  ['InfrastructureReady', 'True', 'Ready'],
  ['NodeHealthy', 'True', 'NodeHealthy'],
  ['NodeReady', 'True', 'NodeReady'],
  ['HealthCheckSucceeded', 'True', 'HealthCheckSucceeded'],
  ['Updating', 'False', 'NotUpdating'],
  ['Paused', 'False', 'NotPaused'],
  ['Deleting', 'False', 'NotDeleting'],
] as const;
const groupConditions = [
  ['Available', 'True', 'Available'],
  ['MachinesReady', 'True', 'Ready'],
  ['MachinesUpToDate', 'True', 'UpToDate'],
  ['RollingOut', 'False', 'NotRollingOut'],
  ['ScalingUp', 'False', 'NotScalingUp'],
  ['ScalingDown', 'False', 'NotScalingDown'],
  ['Remediating', 'False', 'NotRemediating'],
  ['Paused', 'False', 'NotPaused'],
  ['Deleting', 'False', 'NotDeleting'],
] as const;

/** Puts finished clusters into the store: `fleet-0000` and so on, each with control plane, one pool, machines, infrastructure and bootstrap objects. */
export function seedFleet({store, kinds}: Parts, options: FleetOptions): void {
  const namespace = options.namespace ?? 'default';
  const put = (
    group: string,
    kind: string,
    name: string,
    rest: {readonly labels: Readonly<Record<string, string>>; readonly owner?: KubeObject; readonly spec: unknown; readonly status?: unknown},
  ) => {
    const served = kinds.need(group, kind);
    const {labels, owner, spec, status} = rest;
    const ownerReferences =
      owner === undefined
        ? {}
        : {
            ownerReferences: [
              {
                apiVersion: owner.apiVersion,
                kind: owner.kind,
                name: owner.metadata.name,
                uid: owner.metadata.uid ?? '',
                controller: true,
                blockOwnerDeletion: true,
              },
            ],
          };
    const metadata = {name, namespace, uid: randomUUID(), creationTimestamp: timestamp(), generation: 1, labels, ...ownerReferences};
    return store.put(served, {apiVersion: `${group}/${served.version}`, kind, metadata, spec, ...(status === undefined ? {} : {status})} as KubeObject);
  };
  const core = 'cluster.x-k8s.io';
  const version = 'v1.36.3';
  for (let index = 0; index < options.clusters; index += 1) {
    const name = `fleet-${String(index).padStart(4, '0')}`;
    const labels = {'cluster.x-k8s.io/cluster-name': name, 'topology.cluster.x-k8s.io/owned': ''};
    const workers = options.machines - 1;
    const counts = (count: number) => ({
      desiredReplicas: count,
      replicas: count,
      readyReplicas: count,
      availableReplicas: count,
      upToDateReplicas: count,
      versions: [{version, replicas: count}],
    });
    const reference = (group: string, kind: string, of: string) => ({apiGroup: `${group}.${core}`, kind, name: of});
    const cluster = put(core, 'Cluster', name, {
      labels,
      spec: {
        controlPlaneEndpoint: {host: '127.0.0.1', port: 6443},
        controlPlaneRef: reference('controlplane', 'KubeadmControlPlane', name),
        infrastructureRef: reference('infrastructure', 'DevCluster', name),
        topology: {
          classRef: {name: 'in-memory'},
          version,
          controlPlane: {replicas: 1},
          workers: {machineDeployments: [{class: 'default-worker', name: 'md-0', replicas: workers}]},
        },
      },
      status: {
        phase: 'Provisioned',
        initialization: {infrastructureProvisioned: true, controlPlaneInitialized: true},
        controlPlane: counts(1),
        workers: counts(workers),
        observedGeneration: 1,
        conditions: conditions(
          ...groupConditions,
          ['TopologyReconciled', 'True', 'ReconcileSucceeded'],
          ['ControlPlaneAvailable', 'True', 'Available'],
          ['WorkersAvailable', 'True', 'Available'],
          ['InfrastructureReady', 'True', 'Ready'],
        ),
      },
    });
    put(`infrastructure.${core}`, 'DevCluster', name, {labels, owner: cluster, spec: {backend: {inMemory: {}}}, status: {initialization: {provisioned: true}}});
    const {desiredReplicas: _desired, ...own} = counts(1);
    const controlPlane = put(`controlplane.${core}`, 'KubeadmControlPlane', name, {
      labels,
      owner: cluster,
      spec: {
        replicas: 1,
        version,
        kubeadmConfigSpec: {},
        machineTemplate: {spec: {infrastructureRef: reference('infrastructure', 'DevMachineTemplate', name)}},
      },
      status: {
        ...own,
        version,
        initialization: {controlPlaneInitialized: true},
        conditions: conditions(...groupConditions, ['Initialized', 'True', 'Initialized']),
      },
    });
    const pool = {...labels, 'topology.cluster.x-k8s.io/deployment-name': 'md-0'};
    const machineSpec = {clusterName: name, version};
    const {desiredReplicas: _wanted, ...counted} = counts(workers);
    const group = {clusterName: name, replicas: workers, selector: {matchLabels: pool}, template: {metadata: {labels: pool}, spec: machineSpec}};
    const deployment = put(core, 'MachineDeployment', `${name}-md-0`, {
      labels: pool,
      owner: cluster,
      spec: group,
      status: {...counted, phase: 'Running', conditions: conditions(...groupConditions)},
    });
    const setLabels = {...pool, 'cluster.x-k8s.io/deployment-name': deployment.metadata.name};
    const set = put(core, 'MachineSet', `${name}-md-0-set`, {
      labels: setLabels,
      owner: deployment,
      spec: group,
      status: {...counted, conditions: conditions(...groupConditions)},
    });
    for (let number = 0; number < options.machines; number += 1) {
      const isControlPlane = number === 0;
      const machineName = isControlPlane ? `${name}-cp` : `${set.metadata.name}-${number}`;
      const machineLabels = isControlPlane
        ? {...labels, 'cluster.x-k8s.io/control-plane': '', 'cluster.x-k8s.io/control-plane-name': name}
        : {...setLabels, 'cluster.x-k8s.io/set-name': set.metadata.name};
      const machine = put(core, 'Machine', machineName, {
        labels: machineLabels,
        owner: isControlPlane ? controlPlane : set,
        spec: {
          ...machineSpec,
          providerID: `in-memory://${machineName}`,
          bootstrap: {configRef: reference('bootstrap', 'KubeadmConfig', machineName), dataSecretName: machineName},
          infrastructureRef: reference('infrastructure', 'DevMachine', machineName),
          deletion: {nodeDeletionTimeoutSeconds: 10},
        },
        status: {
          phase: 'Running',
          nodeRef: {name: machineName},
          initialization: {bootstrapDataSecretCreated: true, infrastructureProvisioned: true},
          observedGeneration: 1,
          conditions: conditions(...machineConditions),
        },
      });
      put(`infrastructure.${core}`, 'DevMachine', machineName, {
        labels: machineLabels,
        owner: machine,
        spec: {providerID: `in-memory://${machineName}`, backend: {inMemory: {}}},
        status: {initialization: {provisioned: true}, conditions: conditions(['Ready', 'True', 'Ready'])},
      });
      put(`bootstrap.${core}`, 'KubeadmConfig', machineName, {
        labels: machineLabels,
        owner: machine,
        spec: {},
        status: {dataSecretName: machineName, initialization: {dataSecretCreated: true}, conditions: conditions(['Ready', 'True', 'Ready'])},
      });
    }
  }
}

/** How often changes are made, in ms: many small bunches rather than one a second. */
const beat = 50;

/** Changes machines' status, one after the other, `perSecond` of them; returns how to stop, and how many there were. */
export function churnMachines({store, kinds}: Parts, perSecond: number): {stop(): number} {
  const kind = kinds.need('cluster.x-k8s.io', 'Machine');
  const names = store.list(kind).map(({metadata: {name, namespace}}) => ({name, namespace}));
  const started = Date.now();
  let done = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((Date.now() - started) / 1000) * perSecond);
    for (; done < due; done += 1) {
      const {name = '', namespace} = names[done % names.length] ?? {};
      const machine = store.get(kind, name, namespace);
      if (machine === undefined) continue;
      const status = machine['status'] as {readonly conditions: readonly {readonly type: string; readonly status: string}[]};
      const flipped = status.conditions.map((one) =>
        one.type === 'Ready' ? {...one, status: one.status === 'True' ? 'False' : 'True', lastTransitionTime: timestamp()} : one,
      );
      store.put(kind, {...machine, status: {...status, conditions: flipped}});
    }
  }, beat);
  return {
    stop: () => {
      clearInterval(timer);
      return done;
    },
  };
}
