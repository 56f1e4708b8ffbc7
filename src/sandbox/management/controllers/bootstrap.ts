// Bootstrap configurations: data secrets, once the cluster's infrastructure stands and, for all but the first machine, its control plane answers.
import {valueAt, type KubeObject} from '../../../kube/object.ts';
import type {Draft} from '../draft.ts';
import {isFalse, isTrue, withConditions, type Said} from './conditions.ts';
import {isControlPlane, isLeaving, kinds, labels} from './names.ts';
import {keepPaused, pausedCondition} from './paused.ts';
import {ownerReference, type Controller, type Reach} from './runtime.ts';

export const bootstrapConfigs: Controller = {
  name: 'kubeadm-config',
  kind: kinds.bootstrapConfig,
  follows: [kinds.cluster, kinds.machine],
  reconcile: (config, reach) => {
    const cluster = reach.clusterOf(config);
    if (isLeaving(config) || cluster === undefined || keepPaused(config, cluster, reach)) return undefined;
    const machineName = config.metadata.ownerReferences?.find((one) => one.kind === 'Machine')?.name;
    const machine = reach.get(kinds.machine, machineName, config.metadata.namespace);
    if (machine === undefined) return undefined;
    const why = whyWaiting(config, {machine, cluster}, reach);
    if (why !== undefined) {
      keep(config, cluster, [isFalse('DataSecretAvailable', 'NotAvailable', why), isFalse('Ready', 'NotReady', why)], reach);
      return undefined;
    }
    const {name, namespace} = config.metadata;
    if (reach.get(kinds.secret, name, namespace) === undefined)
      reach.create(
        kinds.secret,
        {
          metadata: {name, namespace, labels: {[labels.cluster]: cluster.metadata.name}, ownerReferences: [ownerReference(config, {controller: true})]},
          type: 'cluster.x-k8s.io/secret',
          stringData: {value: '## template: jinja\n#cloud-config\n# SIMULATED: nothing boots from this\n', format: 'cloud-config'},
        },
        namespace,
      );
    keep(config, cluster, [isTrue('DataSecretAvailable', 'Available'), isTrue('CertificatesAvailable', 'Available'), isTrue('Ready', 'Ready')], reach, {
      dataSecretName: name,
      initialization: {dataSecretCreated: true},
    });
    return undefined;
  },
};

interface Around {
  readonly machine: KubeObject;
  readonly cluster: KubeObject;
}

function whyWaiting(config: KubeObject, {machine, cluster}: Around, reach: Reach): string | undefined {
  if (valueAt(cluster, 'status', 'initialization', 'infrastructureProvisioned') !== true) return 'Waiting for Cluster status.infrastructureReady to be true';
  if (valueAt(cluster, 'status', 'initialization', 'controlPlaneInitialized') === true || valueAt(config, 'status', 'dataSecretName') !== undefined)
    return undefined;
  if (!isControlPlane(machine)) return 'Waiting for Cluster control plane to be initialized';
  // one machine begins the cluster, the others join it
  const first = reach.ofCluster(kinds.machine, cluster.metadata.name, cluster.metadata.namespace).filter(isControlPlane)[0];
  return first === undefined || first.metadata.uid === machine.metadata.uid ? undefined : 'Waiting for Cluster control plane to be initialized';
}

function keep(config: KubeObject, cluster: KubeObject, said: readonly Said[], reach: Reach, more: Draft = {}): void {
  const status = valueAt(config, 'status') as Draft | undefined;
  const conditions = withConditions(config, [...said, pausedCondition(config, cluster)]);
  reach.setStatus(config, {...status, ...more, conditions, observedGeneration: config.metadata.generation});
}
