// The in-memory infrastructure: clusters that get an endpoint, machines that get a provider id once their bootstrap data is there.
import {textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import type {Draft} from '../draft.ts';
import {isFalse, isTrue, summarise, withConditions, type Said} from './conditions.ts';
import {isControlPlane, isLeaving, kinds, labels} from './names.ts';
import {startupOf} from './pace.ts';
import {keepPaused, pausedCondition} from './paused.ts';
import type {Controller, Reach} from './runtime.ts';

// the names are Cluster API's own: its in-memory kinds grew out of the Docker ones
const clusterFinalizer = 'dockercluster.infrastructure.cluster.x-k8s.io';
const ready = {good: 'Ready', bad: 'NotReady', unknown: 'ReadyUnknown'};

export const devClusters: Controller = {
  name: 'dev-cluster',
  kind: kinds.devCluster,
  follows: [kinds.cluster, kinds.machine, kinds.devMachine],
  reconcile: (devCluster, reach) => {
    const cluster = reach.clusterOf(devCluster);
    if (keepPaused(devCluster, cluster, reach)) return undefined;
    if (isLeaving(devCluster)) {
      reach.dropFinalizer(devCluster, clusterFinalizer);
      return undefined;
    }
    if (cluster === undefined) return undefined;
    // the cluster's controller must own it first: until then nobody would delete it
    if (devCluster.metadata.ownerReferences?.some((one) => one.kind === 'Cluster') !== true) return undefined;
    const owned = reach.addFinalizer(devCluster, clusterFinalizer) ?? devCluster;
    const port = 20_000 + (Number.parseInt((owned.metadata.uid ?? '0').slice(0, 4), 16) % 10_000);
    const withEndpoint =
      valueAt(owned, 'spec', 'controlPlaneEndpoint', 'host') === undefined
        ? reach.change(owned, (draft) => ({...draft, spec: {...(draft['spec'] as object), controlPlaneEndpoint: {host: '127.0.0.1', port}}}))
        : owned;
    if (withEndpoint === undefined) return undefined;
    const said: Said[] = [pausedCondition(owned, cluster)];
    reach.setStatus(withEndpoint, {
      ...(valueAt(withEndpoint, 'status') as Draft | undefined),
      initialization: {provisioned: true},
      conditions: withConditions(withEndpoint, said),
    });
    return undefined;
  },
};

const machineFinalizer = 'dockermachine.infrastructure.cluster.x-k8s.io';

/** `CLUSTER/POOL`, as faults name a part of a cluster: the pool's name in the topology, else the deployment's. */
export function partOf(object: KubeObject): string {
  const {[labels.cluster]: cluster = '', [labels.topologyDeployment]: pool, [labels.deployment]: deployment} = object.metadata.labels ?? {};
  return `${cluster}/${isControlPlane(object) ? 'control-plane' : (pool ?? deployment ?? '')}`;
}

export const devMachines: Controller = {
  name: 'dev-machine',
  kind: kinds.devMachine,
  follows: [kinds.cluster, kinds.machine],
  reconcile: (devMachine, reach) => {
    const cluster = reach.clusterOf(devMachine);
    if (keepPaused(devMachine, cluster, reach)) return undefined;
    if (isLeaving(devMachine)) {
      const left = reach.left(devMachine, 'removal', reach.pace.removal);
      if (left > 0) return left;
      reach.dropFinalizer(devMachine, machineFinalizer);
      return undefined;
    }
    const machineName = devMachine.metadata.ownerReferences?.find((one) => one.kind === 'Machine')?.name;
    const machine = reach.get(kinds.machine, machineName, devMachine.metadata.namespace);
    if (machine === undefined || cluster === undefined) return undefined;
    const owned = reach.addFinalizer(devMachine, machineFinalizer) ?? devMachine;
    return provision(owned, {machine, cluster}, reach);
  },
};

interface Around {
  readonly machine: KubeObject;
  readonly cluster: KubeObject;
}

function provision(devMachine: KubeObject, {machine, cluster}: Around, reach: Reach): number | undefined {
  const keep = (said: readonly Said[], more: Draft = {}) => {
    const all = [...said, pausedCondition(devMachine, cluster)];
    const summary = summarise(
      'Ready',
      {said: all},
      said.map((one) => one.type),
      ready,
    );
    return reach.setStatus(devMachine, {
      ...(valueAt(devMachine, 'status') as Draft | undefined),
      ...more,
      conditions: withConditions(devMachine, [...all, summary]),
    });
  };
  const waiting = (reason: string, again?: number, message = '') => {
    keep([isFalse('VMProvisioned', reason, message)]);
    return again;
  };
  if (valueAt(cluster, 'status', 'initialization', 'infrastructureProvisioned') !== true) return waiting('WaitingForClusterInfrastructureReady');
  if (valueAt(machine, 'spec', 'bootstrap', 'dataSecretName') === undefined) {
    const isInitialized = valueAt(cluster, 'status', 'initialization', 'controlPlaneInitialized') === true;
    return waiting(isControlPlane(machine) || isInitialized ? 'WaitingForBootstrapData' : 'WaitingForControlPlaneInitialized');
  }
  if (reach.faults.stuckInfrastructure.has(partOf(devMachine)) && textAt(devMachine, 'spec', 'providerID') === undefined)
    return waiting('ProvisioningFailed', 500, 'SIMULATED fault: the infrastructure has no capacity for this machine (InsufficientInstanceCapacity)');
  const left = textAt(devMachine, 'spec', 'providerID') === undefined ? reach.left(devMachine, 'vm', startupOf(reach.pace, devMachine, 'vm')) : 0;
  if (left > 0) return waiting('WaitingForStartupTimeout', left);
  const {name} = devMachine.metadata;
  if (textAt(devMachine, 'spec', 'providerID') === undefined) {
    reach.change(devMachine, (draft) => ({...draft, spec: {...(draft['spec'] as object), providerID: `in-memory://${name}`}}));
    return 0;
  }
  const nodeLeft = reach.left(devMachine, 'node', startupOf(reach.pace, devMachine, 'node'));
  const node = nodeLeft > 0 ? isFalse('NodeProvisioned', 'WaitingForStartupTimeout') : isTrue('NodeProvisioned', 'Provisioned');
  const components = isControlPlane(machine)
    ? ['EtcdProvisioned', 'APIServerProvisioned'].map((type) => (nodeLeft > 0 ? isFalse(type, 'WaitingForStartupTimeout') : isTrue(type, 'Provisioned')))
    : [];
  keep([isTrue('VMProvisioned', 'Provisioned'), node, ...components], {
    initialization: {provisioned: true},
    addresses: [
      {type: 'InternalIP', address: addressOf(devMachine)},
      {type: 'Hostname', address: name},
    ],
  });
  return nodeLeft > 0 ? nodeLeft : undefined;
}

/** An address of a network that exists nowhere (RFC 2544): nothing is ever sent there. */
export function addressOf({metadata: {uid = ''}}: KubeObject): string {
  const number = Number.parseInt(uid.replaceAll('-', '').slice(0, 8), 16);
  return `198.${18 + (number % 2)}.${(number >> 8) & 0xff}.${(number >> 16) & 0xff}`;
}
