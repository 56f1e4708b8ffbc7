// The life of a cluster with a class: the same objects, the same order, and nothing left, whoever runs the controllers.
import {describe, expect, it, vi} from 'vitest';
import type {KubeApi, Resource} from '../../src/kube/api.ts';
import {listAt, numberAt, textAt, valueAt, type Condition, type KubeObject} from '../../src/kube/object.ts';
import {capi, clusterObject, clusters, core, type ManagementSubject} from './management-subject.ts';

const provider = (group: string, kind: string, plural: string): Resource => ({
  group: `${group}.cluster.x-k8s.io`,
  version: 'v1beta2',
  plural,
  kind,
  namespaced: true,
});
const machines = capi('Machine', 'machines');
const deployments = capi('MachineDeployment', 'machinedeployments');
const controlPlanes = provider('controlplane', 'KubeadmControlPlane', 'kubeadmcontrolplanes');
const kinds: readonly Resource[] = [
  clusters,
  controlPlanes,
  deployments,
  capi('MachineSet', 'machinesets'),
  machines,
  capi('MachineHealthCheck', 'machinehealthchecks'),
  provider('infrastructure', 'DevCluster', 'devclusters'),
  provider('infrastructure', 'DevMachine', 'devmachines'),
  provider('infrastructure', 'DevMachineTemplate', 'devmachinetemplates'),
  provider('bootstrap', 'KubeadmConfig', 'kubeadmconfigs'),
  provider('bootstrap', 'KubeadmConfigTemplate', 'kubeadmconfigtemplates'),
  core('Secret', 'secrets'),
];
const label = (name: string) => `cluster.x-k8s.io/cluster-name=${name}`;

async function everything(api: KubeApi, name: string): Promise<readonly KubeObject[]> {
  const lists = await Promise.all(kinds.map((kind) => api.list(kind, {namespace: 'default', labelSelector: label(name)})));
  return lists.flatMap((list) => list.items);
}

const conditionsOf = (object: unknown) => new Map((listAt(object, 'status', 'conditions') as readonly Condition[]).map((one) => [one.type, one]));
const isUp = (cluster: KubeObject | undefined) => conditionsOf(cluster).get('Available')?.status === 'True';

/** Owners by kind, conditions by type, finalizers, and which labels it has. */
function shapeOf(object: KubeObject) {
  const {metadata} = object;
  return {
    owners: (metadata.ownerReferences ?? []).map((one) => `${one.kind}${one.controller === true ? ' (controller)' : ''}`),
    conditions: [...conditionsOf(object).keys()].toSorted(),
    finalizers: (metadata.finalizers ?? []).toSorted(),
    labels: Object.keys(metadata.labels ?? {}).toSorted(),
  };
}

const owned = 'topology.cluster.x-k8s.io/owned';
const ofCluster = 'cluster.x-k8s.io/cluster-name';
const pool = 'topology.cluster.x-k8s.io/deployment-name';
const machineConditions = [
  'Available',
  'BootstrapConfigReady',
  'Deleting',
  'HealthCheckSucceeded',
  'InfrastructureReady',
  'NodeHealthy',
  'NodeReady',
  'Paused',
  'Ready',
  'UpToDate',
  'Updating',
];
const controlPlaneMachineConditions = [
  'APIServerPodHealthy',
  'ControllerManagerPodHealthy',
  'EtcdMemberHealthy',
  'EtcdPodHealthy',
  'NodeKubeadmLabelsAndTaintsSet',
  'SchedulerPodHealthy',
];
const groupConditions = ['Deleting', 'MachinesReady', 'MachinesUpToDate', 'Paused', 'Remediating', 'ScalingDown', 'ScalingUp'];

export function describeClusterLife(subjectOf: () => ManagementSubject): void {
  describe('a cluster with a class', () => {
    const name = 'contract-life';
    const key = {name, namespace: 'default'};
    const api = () => subjectOf().api;
    const read = () => api().get(clusters, key);
    const until = async (what: (cluster: KubeObject | undefined) => boolean, factor = 1) => {
      await expect.poll(async () => what(await read()), {timeout: subjectOf().patience * factor, interval: 100}).toBe(true);
    };
    const scale = (replicas: number) =>
      api().patch(clusters, key, {
        type: 'json',
        body: [
          {op: 'test', path: '/spec/topology/workers/machineDeployments/0/name', value: 'md-0'},
          {op: 'replace', path: '/spec/topology/workers/machineDeployments/0/replicas', value: replicas},
        ],
      });
    const setVersion = (version: string) =>
      api().send<{readonly details?: {readonly causes?: readonly {readonly field: string; readonly message: string}[]}}>({
        method: 'PATCH',
        path: `/apis/cluster.x-k8s.io/v1beta2/namespaces/default/clusters/${name}`,
        type: 'application/merge-patch+json',
        body: {spec: {topology: {version}}},
      });

    it('becomes Available, and says so as Cluster API does', {timeout: 300_000}, async () => {
      await api().apply(clusterObject(name, {workers: {machineDeployments: [{class: 'default-worker', name: 'md-0', replicas: 2}]}}));
      await until(isUp, 3);
      // counts and the other conditions may be told after it
      const soon = {timeout: subjectOf().patience, interval: 100};
      await expect
        .poll(async () => valueAt(await read(), 'status'), soon)
        .toMatchObject({
          initialization: {infrastructureProvisioned: true, controlPlaneInitialized: true},
          phase: 'Provisioned',
          controlPlane: {
            desiredReplicas: 1,
            replicas: 1,
            upToDateReplicas: 1,
            readyReplicas: 1,
            availableReplicas: 1,
            versions: [{version: 'v1.35.4', replicas: 1}],
          },
          workers: {
            desiredReplicas: 2,
            replicas: 2,
            upToDateReplicas: 2,
            readyReplicas: 2,
            availableReplicas: 2,
            versions: [{version: 'v1.35.4', replicas: 2}],
          },
        });
      const told = async () => [...conditionsOf(await read())].map(([type, {status, reason}]) => `${type} ${status} ${reason}`).toSorted();
      await expect
        .poll(told, soon)
        .toEqual(
          [
            'Available True Available',
            'ControlPlaneAvailable True Available',
            'ControlPlaneInitialized True Initialized',
            'ControlPlaneMachinesReady True Ready',
            'ControlPlaneMachinesUpToDate True UpToDate',
            'Deleting False NotDeleting',
            'InfrastructureReady True Ready',
            'Paused False NotPaused',
            'Remediating False NotRemediating',
            'RemoteConnectionProbe True ProbeSucceeded',
            'RollingOut False NotRollingOut',
            'ScalingDown False NotScalingDown',
            'ScalingUp False NotScalingUp',
            'TopologyReconciled True ReconcileSucceeded',
            'WorkerMachinesReady True Ready',
            'WorkerMachinesUpToDate True UpToDate',
            'WorkersAvailable True Available',
          ].toSorted(),
        );
    });

    it('has the same objects, owners, labels, finalizers and conditions', async () => {
      // each controller writes its part in its own time: a machine that is healthy, and who watches its health, are told in two requests
      const look = async () => {
        const objects = await everything(api(), name);
        const healthy = objects.filter((one) => one.kind === 'Machine').map((one) => conditionsOf(one).get('HealthCheckSucceeded')?.status);
        expect(healthy).toEqual(['True', 'True', 'True']);
        const count = new Map<string, number>();
        for (const {kind, metadata} of objects) {
          const what = kind === 'Secret' ? `Secret ${metadata.ownerReferences?.[0]?.kind}` : kind;
          count.set(what, (count.get(what) ?? 0) + 1);
        }
        expect(Object.fromEntries(count)).toEqual({
          Cluster: 1,
          KubeadmControlPlane: 1,
          MachineDeployment: 1,
          MachineSet: 1,
          Machine: 3,
          MachineHealthCheck: 2,
          DevCluster: 1,
          DevMachine: 3,
          DevMachineTemplate: 2,
          KubeadmConfig: 3,
          KubeadmConfigTemplate: 1,
          'Secret KubeadmControlPlane': 5,
          'Secret KubeadmConfig': 3,
        });
        const shapes = (kind: string) => objects.filter((one) => one.kind === kind).map(shapeOf);
        expect(shapes('Cluster')[0]).toMatchObject({owners: [], finalizers: ['cluster.cluster.x-k8s.io'], labels: [ofCluster, owned]});
        expect(shapes('KubeadmControlPlane')).toEqual([
          {
            owners: ['Cluster (controller)'],
            finalizers: ['kubeadm.controlplane.cluster.x-k8s.io'],
            labels: [ofCluster, owned],
            conditions: [
              ...groupConditions,
              'Available',
              'CertificatesAvailable',
              'ControlPlaneComponentsHealthy',
              'EtcdClusterHealthy',
              'Initialized',
              'RollingOut',
            ].toSorted(),
          },
        ]);
        expect(shapes('MachineDeployment')).toEqual([
          {
            owners: ['Cluster'],
            finalizers: ['cluster.x-k8s.io/machinedeployment', 'machinedeployment.topology.cluster.x-k8s.io'],
            labels: [ofCluster, pool, owned],
            conditions: [...groupConditions, 'Available', 'RollingOut'].toSorted(),
          },
        ]);
        const workerLabels = [ofCluster, 'cluster.x-k8s.io/deployment-name', 'machine-template-hash', pool, owned];
        expect(shapes('MachineSet')).toEqual([
          {
            owners: ['MachineDeployment (controller)'],
            finalizers: ['cluster.x-k8s.io/machineset', 'machineset.topology.cluster.x-k8s.io'],
            labels: workerLabels,
            conditions: groupConditions,
          },
        ]);
        const worker = {
          owners: ['MachineSet (controller)'],
          finalizers: ['machine.cluster.x-k8s.io'],
          labels: [...workerLabels, 'cluster.x-k8s.io/set-name'].toSorted(),
          conditions: machineConditions,
        };
        const member = {
          owners: ['KubeadmControlPlane (controller)'],
          finalizers: ['machine.cluster.x-k8s.io'],
          labels: [ofCluster, 'cluster.x-k8s.io/control-plane', 'cluster.x-k8s.io/control-plane-name', owned],
          conditions: [...machineConditions, ...controlPlaneMachineConditions].toSorted(),
        };
        expect(shapes('Machine').toSorted((a, b) => a.conditions.length - b.conditions.length)).toEqual([worker, worker, member]);
        for (const kind of ['DevMachine', 'KubeadmConfig']) expect(shapes(kind).map((one) => one.owners)).toEqual(Array(3).fill(['Machine (controller)']));
        expect(shapes('DevCluster')[0]).toMatchObject({owners: ['Cluster (controller)'], conditions: ['Paused']});
        expect(shapes('MachineHealthCheck')).toEqual(
          Array(2).fill({owners: ['Cluster'], finalizers: [], labels: [ofCluster, owned], conditions: ['Paused', 'RemediationAllowed']}),
        );
        const machine = objects.find((one) => one.kind === 'Machine');
        expect(valueAt(machine, 'status')).toMatchObject({phase: 'Running', nodeRef: {name: machine?.metadata.name}, nodeInfo: {kubeletVersion: 'v1.35.4'}});
        const kubeconfig = objects.find((one) => one.metadata.name === `${name}-kubeconfig`);
        expect([kubeconfig?.['type'], Object.keys(kubeconfig?.['data'] as object)]).toEqual(['cluster.x-k8s.io/secret', ['value']]);
      };
      await vi.waitFor(look, {timeout: subjectOf().patience, interval: 100});
    });

    it('scales by its topology, and takes the marked machine first', {timeout: 300_000}, async () => {
      await scale(3);
      await until((cluster) => numberAt(cluster, 'status', 'workers', 'availableReplicas') === 3, 2);
      const [marked] = (await api().list(machines, {namespace: 'default', labelSelector: `${label(name)},${pool}=md-0`})).items.toSorted((a, b) =>
        (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? ''),
      );
      await api().patch(
        machines,
        {name: marked?.metadata.name ?? '', namespace: 'default'},
        {type: 'merge', body: {metadata: {annotations: {'cluster.x-k8s.io/delete-machine': ''}}}},
      );
      await scale(2);
      await until((cluster) => numberAt(cluster, 'status', 'workers', 'replicas') === 2 && isUp(cluster), 2);
      const left = async () => {
        const {items} = await api().list(machines, {namespace: 'default', labelSelector: `${label(name)},${pool}=md-0`});
        return [items.length, items.some((one) => one.metadata.name === marked?.metadata.name)];
      };
      await expect.poll(left, {timeout: subjectOf().patience, interval: 100}).toEqual([2, false]);
    });

    it('refuses versions that go back or skip one, and odd moves of a control plane', async () => {
      const causes = async (version: string) => (await setVersion(version)).body.details?.causes?.map((one) => `${one.field}: ${one.message}`);
      expect(await causes('v1.34.8')).toEqual(['spec.topology.version: Invalid value: "v1.34.8": version cannot be decreased from "1.35.4" to "1.34.8"']);
      expect(await causes('v1.37.0')).toEqual(['spec.topology.version: Invalid value: "v1.37.0": version cannot be increased from "1.35.4" to "1.37.0"']);
      const [controlPlane] = (await api().list(controlPlanes, {namespace: 'default', labelSelector: label(name)})).items;
      const even = await api().send<{readonly message: string}>({
        method: 'PATCH',
        path: `/apis/controlplane.cluster.x-k8s.io/v1beta2/namespaces/default/kubeadmcontrolplanes/${controlPlane?.metadata.name}?dryRun=All`,
        type: 'application/merge-patch+json',
        body: {spec: {replicas: 2}},
      });
      expect(even).toMatchObject({
        status: 422,
        body: {message: expect.stringContaining('spec.replicas: Forbidden: cannot be an even number when etcd is stacked') as string},
      });
    });

    it('stands still while it is paused', {timeout: 300_000}, async () => {
      await api().patch(clusters, key, {type: 'merge', body: {spec: {paused: true}}});
      await expect
        .poll(
          async () =>
            (await everything(api(), name)).filter((one) => conditionsOf(one).has('Paused')).every((one) => conditionsOf(one).get('Paused')?.status === 'True'),
          {timeout: subjectOf().patience, interval: 100},
        )
        .toBe(true);
      await scale(3);
      const [deployment] = (await api().list(deployments, {namespace: 'default', labelSelector: label(name)})).items;
      expect(numberAt(deployment, 'spec', 'replicas')).toBe(2);
      await scale(2);
      await api().patch(clusters, key, {type: 'merge', body: {spec: {paused: null}}});
      await until((cluster) => conditionsOf(cluster).get('Paused')?.status === 'False');
    });

    it('upgrades its control plane first, its pool after it, and takes no second version meanwhile', {timeout: 600_000}, async () => {
      await until(isUp, 2);
      await expect.poll(async () => (await setVersion('v1.36.3')).body.details?.causes, {timeout: subjectOf().patience}).toBeUndefined();
      await until((cluster) => conditionsOf(cluster).get('TopologyReconciled')?.reason === 'ClusterUpgrading');
      expect((await setVersion('v1.36.4')).body.details?.causes?.[0]?.message).toContain('version cannot be changed');
      const seen: string[] = [];
      await expect
        .poll(
          async () => {
            // the pool first: what it has by now, its control plane had before
            const [deployment] = (await api().list(deployments, {namespace: 'default', labelSelector: label(name)})).items;
            const [controlPlane] = (await api().list(controlPlanes, {namespace: 'default', labelSelector: label(name)})).items;
            const state = [textAt(controlPlane, 'status', 'version'), textAt(deployment, 'spec', 'template', 'spec', 'version')].join(' ');
            if (seen.at(-1) !== state) seen.push(state);
            return state;
          },
          {timeout: subjectOf().patience * 6, interval: 20},
        )
        .toBe('v1.36.3 v1.36.3');
      expect(seen).not.toContain('v1.35.4 v1.36.3');
      await until(
        (cluster) =>
          conditionsOf(cluster).get('TopologyReconciled')?.status === 'True' &&
          isUp(cluster) &&
          numberAt(cluster, 'status', 'workers', 'upToDateReplicas') === 2 &&
          numberAt(cluster, 'status', 'workers', 'replicas') === 2,
        4,
      );
      const versions = async () =>
        (await api().list(machines, {namespace: 'default', labelSelector: label(name)})).items.map((one) => textAt(one, 'spec', 'version'));
      await expect.poll(versions, {timeout: subjectOf().patience, interval: 100}).toEqual(['v1.36.3', 'v1.36.3', 'v1.36.3']);
    });

    it('replaces a machine that is marked for remediation', {timeout: 300_000}, async () => {
      const [machine] = (await api().list(machines, {namespace: 'default', labelSelector: `${label(name)},${pool}=md-0`})).items;
      const place = {name: machine?.metadata.name ?? '', namespace: 'default'};
      await api().patch(machines, place, {type: 'merge', body: {metadata: {annotations: {'cluster.x-k8s.io/remediate-machine': ''}}}});
      await expect.poll(() => api().get(machines, place), {timeout: subjectOf().patience * 2, interval: 100}).toBeUndefined();
      await until((cluster) => numberAt(cluster, 'status', 'workers', 'availableReplicas') === 2, 2);
    });

    it('leaves nothing when it is deleted', {timeout: 300_000}, async () => {
      const reasons = new Set<string>();
      const signal = AbortSignal.timeout(subjectOf().patience * 3);
      // a watch is told every state, however short it lasts
      for await (const event of api().watch(clusters, {namespace: 'default', fieldSelector: `metadata.name=${name}`, signal})) {
        if (event.type === 'listed') await api().remove(clusters, key);
        if (event.type === 'deleted' || (event.type === 'listed' && event.items.length === 0)) break;
        if (event.type !== 'modified') continue;
        const deleting = conditionsOf(event.object).get('Deleting');
        if (deleting?.status === 'True') reasons.add(deleting.reason ?? '');
      }
      expect(await read()).toBeUndefined();
      expect([...reasons]).toContain('WaitingForWorkersDeletion');
      await expect
        .poll(async () => (await everything(api(), name)).map((one) => `${one.kind} ${one.metadata.name}`), {timeout: subjectOf().patience})
        .toEqual([]);
    });
  });
}
