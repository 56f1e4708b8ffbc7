import {describe, expect, it} from 'vitest';
import type {KubeObject} from '../../../../../src/kube/object.ts';
import type {ObjectNode} from '../../../../../src/modes/mode.ts';
import {gather} from '../../../../../src/modes/controller/observe/gather.ts';
import {viewCluster} from '../../../../../src/modes/controller/observe/view.ts';
import {bootstrapConfig, clusterSet, condition, infraMachine, machine, object, withConditions} from '../../../../support/cluster-api-objects.ts';
import {MemoryApi, type MemoryApiOptions} from '../../../../support/memory-api.ts';

async function see(objects: readonly KubeObject[], options: MemoryApiOptions = {}) {
  const seen = await gather(new MemoryApi(objects, options), {namespace: 'fleet', cluster: 'web', depth: 'full', withEvents: true});
  const view = viewCluster(seen, 'fleet/web', {context: 'memory', simulated: false, depth: 'full'});
  if (view === undefined) throw new Error('the cluster is not seen');
  return view;
}

const replace = (objects: readonly KubeObject[], kind: string, name: string, by: (object: KubeObject) => KubeObject) =>
  objects.map((one) => (one.kind === kind && one.metadata.name === name ? by(one) : one));

function nodes(tree: ObjectNode | undefined): readonly ObjectNode[] {
  return tree === undefined ? [] : [tree, ...tree.children.flatMap(nodes)];
}

describe('the view of a healthy cluster', () => {
  it('is healthy, without a reason, and rests', async () => {
    const view = await see(clusterSet().objects);
    expect(view).toMatchObject({
      name: 'web',
      namespace: 'fleet',
      mode: 'controller',
      version: 'v1.36.3',
      health: 'healthy',
      reasons: [],
      controlPlanes: {ready: 1, wanted: 1},
      workers: {ready: 3, wanted: 3},
      class: 'in-memory',
      endpoint: '10.0.0.1:6443',
      paused: false,
    });
    expect(view.now).toBeUndefined();
    expect(view.upgrade).toBeUndefined();
  });

  it('has every object once in its tree', async () => {
    const {objects} = clusterSet();
    const {tree} = await see(objects);
    const names = nodes(tree)
      .filter((node) => node.role !== 'group' && node.role !== 'node')
      .map((node) => `${node.kind}/${node.name}`);
    expect(names.toSorted()).toEqual(objects.map((one) => `${one.kind}/${one.metadata.name}`).toSorted());
  });

  it('knows each machine with its node, pool and parts', async () => {
    const {machines} = await see(clusterSet().objects);
    expect(machines.map((one) => [one.name, one.role, one.pool, one.state, one.node])).toEqual([
      ['web-cp-1', 'control-plane', 'web-cp', 'ready', 'node-web-cp-1'],
      ['web-md-0-1', 'worker', 'web-md-0', 'ready', 'node-web-md-0-1'],
      ['web-md-0-2', 'worker', 'web-md-0', 'ready', 'node-web-md-0-2'],
      ['web-md-0-3', 'worker', 'web-md-0', 'ready', 'node-web-md-0-3'],
    ]);
    expect(machines[1]?.infrastructure).toEqual({kind: 'DevMachine', name: 'web-md-0-1', standing: 'good', missing: false, reasons: []});
  });
});

describe('what clusterctl describe hides', () => {
  it('shows a pool whose first machine cannot be made, though no worker exists', async () => {
    const {objects, deployment} = clusterSet({workers: 0});
    const stuck: KubeObject = {
      ...deployment,
      metadata: {...deployment.metadata, name: 'web-stuck', uid: 'uid-stuck', labels: {'cluster.x-k8s.io/cluster-name': 'web'}},
      spec: {...(deployment['spec'] as object), replicas: 2},
      status: {
        replicas: 0,
        conditions: [
          condition('Available', 'False', 'NotAvailable', '0 available replicas, at least 2 required'),
          condition('ScalingUp', 'True', 'ScalingUp', 'Scaling up from 0 to 2 replicas is blocked because DevMachineTemplate does not exist'),
        ],
      },
    };
    const view = await see([...objects, stuck]);
    expect(view.health).toBe('degraded');
    const pool = nodes(view.tree).find((node) => node.name === 'web-stuck');
    expect(pool).toMatchObject({role: 'pool', standing: 'bad', replicas: {wanted: 2, current: 0}});
    expect(pool?.children.filter((child) => child.missing).map((child) => child.kind)).toEqual(['DevMachineTemplate', 'KubeadmConfigTemplate']);
    expect(view.reasons.join('\n')).toContain('MachineDeployment/web-stuck: ScalingUp is True: Scaling up from 0 to 2 replicas is blocked');
    expect(view.pools?.map((one) => [one.name, one.standing])).toContainEqual(['web-stuck', 'bad']);
  });

  it('shows why machines cannot be made where only the old conditions tell', async () => {
    const {objects} = clusterSet({workers: 1});
    const failing = replace(objects, 'MachineSet', 'web-md-0-a', (set) => ({
      ...set,
      status: {
        ...(set['status'] as object),
        deprecated: {
          v1beta1: {
            conditions: [{type: 'MachinesCreated', status: 'False', severity: 'Error', reason: 'MachineCreationFailed', message: 'quota "cpus" is used up'}],
          },
        },
      },
    }));
    const view = await see(failing);
    expect(view.reasons).toEqual(['MachineSet/web-md-0-a: MachinesCreated is False (MachineCreationFailed): quota "cpus" is used up']);
  });

  it('shows a dangling reference as missing, with who names it', async () => {
    const {objects} = clusterSet();
    const view = await see(objects.filter((one) => !(one.kind === 'DevMachine' && one.metadata.name === 'web-md-0-2')));
    expect(nodes(view.tree).filter((node) => node.missing)).toMatchObject([
      {kind: 'DevMachine', name: 'web-md-0-2', standing: 'bad', remarks: ['named by Machine/web-md-0-2 (spec.infrastructureRef)']},
    ]);
    expect(view.health).toBe('degraded');
    expect(view.machines.find((one) => one.name === 'web-md-0-2')).toMatchObject({state: 'not-ready', standing: 'bad', infrastructure: {missing: true}});
  });

  it('shows a missing control plane together with its machines', async () => {
    const {objects} = clusterSet();
    const view = await see(objects.filter((one) => one.kind !== 'KubeadmControlPlane'));
    const missing = nodes(view.tree).find((node) => node.missing);
    expect(missing).toMatchObject({role: 'control-plane', name: 'web-cp'});
    expect(missing?.children.map((child) => child.name)).toEqual(['web-cp-1']);
  });

  it('shows failing infrastructure behind machines that say the same', async () => {
    const {objects} = clusterSet();
    const notReady = condition('Ready', 'False', 'NotReady', '* InfrastructureReady: see the object');
    const mirrored = condition('InfrastructureReady', 'False', 'NotReady');
    let failing = objects;
    for (const [number, message] of [
      ['1', 'no quota left'],
      ['2', 'the image is gone'],
    ] as const) {
      failing = replace(failing, 'Machine', `web-md-0-${number}`, (one) => withConditions(one, notReady, mirrored));
      failing = replace(failing, 'DevMachine', `web-md-0-${number}`, (one) => withConditions(one, condition('Ready', 'False', 'InstanceFailed', message)));
    }
    const view = await see(failing);
    expect(view.reasons).toEqual([
      'DevMachine/web-md-0-1: Ready is False (InstanceFailed): no quota left',
      'DevMachine/web-md-0-2: Ready is False (InstanceFailed): the image is gone',
    ]);
    expect(view.machines.filter((one) => one.standing === 'bad').map((one) => one.name)).toEqual(['web-md-0-1', 'web-md-0-2']);
  });

  it('shows failing infrastructure although its machine says Ready', async () => {
    const {objects} = clusterSet();
    const view = await see(
      replace(objects, 'DevMachine', 'web-md-0-3', (one) => withConditions(one, condition('Ready', 'False', 'InstanceTerminated', 'gone'))),
    );
    expect(view.health).toBe('degraded');
    expect(view.machines.find((one) => one.name === 'web-md-0-3')).toMatchObject({state: 'not-ready', infrastructure: {standing: 'bad'}});
  });

  it('counts the versions of a pool where machines agree in everything else', async () => {
    const {objects} = clusterSet();
    const view = await see(replace(objects, 'Machine', 'web-md-0-2', (one) => ({...one, spec: {...(one['spec'] as object), version: 'v1.35.4'}})));
    expect(view.pools?.[0]).toMatchObject({
      versions: [
        {version: 'v1.35.4', replicas: 1},
        {version: 'v1.36.3', replicas: 2},
      ],
      upgrade: {from: ['v1.35.4'], to: 'v1.36.3', done: 2, total: 3},
    });
  });

  it('shows health checks below their pool, nodes below their machines', async () => {
    const {tree} = await see(clusterSet().objects);
    const pool = nodes(tree).find((node) => node.kind === 'MachineDeployment');
    expect(pool?.children[0]).toMatchObject({role: 'health-check', remarks: ['3/3 machines healthy']});
    expect(nodes(tree).filter((node) => node.role === 'node')).toHaveLength(4);
  });

  it('shows add-ons, with what is not applied', async () => {
    const binding = object(
      'addons.cluster.x-k8s.io/v1beta2',
      'ClusterResourceSetBinding',
      'web',
      {clusterName: 'web', bindings: [{clusterResourceSetName: 'calico', resources: [{kind: 'ConfigMap', name: 'calico', applied: false}]}]},
      {},
    );
    const view = await see([...clusterSet().objects, binding]);
    expect(nodes(view.tree).find((node) => node.role === 'add-on')).toMatchObject({
      name: 'calico',
      standing: 'working',
      remarks: ["ConfigMap calico isn't applied"],
    });
  });

  it('shows warnings about its own objects only', async () => {
    const event = (name: string, kind: string, involved: string) => ({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {name, namespace: 'fleet'},
      type: 'Warning',
      reason: 'FailedCreate',
      message: 'no quota',
      count: 4,
      lastTimestamp: '2026-11-25T10:05:00Z',
      involvedObject: {kind, name: involved, namespace: 'fleet'},
    });
    const view = await see([...clusterSet().objects, event('a', 'MachineSet', 'web-md-0-a'), event('b', 'MachineSet', 'other')]);
    expect(view.events).toMatchObject([{object: 'MachineSet/web-md-0-a', reason: 'FailedCreate', count: 4}]);
  });

  it('shows the steps of a chained upgrade, and what a pool waits for', async () => {
    const {objects} = clusterSet({
      version: 'v1.34.2',
      conditions: [condition('TopologyReconciled', 'False', 'MachineDeploymentsUpgradePending', 'md-0 waits for the control plane')],
      status: {controlPlane: {upgradePlan: [{version: 'v1.35.4'}, {version: 'v1.36.3'}]}, workers: {upgradePlan: [{version: 'v1.35.4'}, {version: 'v1.36.3'}]}},
    });
    const upgrading = replace(objects, 'Cluster', 'web', (one) => {
      const spec = one['spec'] as {readonly topology: object};
      return {...one, spec: {...spec, topology: {...spec.topology, version: 'v1.36.3'}}};
    });
    const view = await see(upgrading);
    expect(view.upgrade).toMatchObject({from: ['v1.34.2'], to: 'v1.36.3', plan: ['v1.35.4', 'v1.36.3'], done: 0, total: 4});
    expect(view.pools?.[0]?.upgrade?.waiting).toBe('the control plane and the pools before it come first');
    expect(view.now).toContain('upgrading to v1.36.3 by v1.35.4, v1.36.3: 0/4 machines');
  });

  it('shows how far a deletion is, and what holds it', async () => {
    const {objects} = clusterSet({
      deleting: '2026-11-25T10:30:00Z',
      conditions: [condition('Deleting', 'True', 'WaitingForWorkersDeletion', '* Control plane Machines: web-cp-1')],
    });
    const held = replace(objects, 'Machine', 'web-md-0-1', (one) =>
      withConditions(
        {...one, metadata: {...one.metadata, deletionTimestamp: '2026-11-25T10:30:10Z', finalizers: ['machine.cluster.x-k8s.io']}},
        condition('Deleting', 'True', 'DrainingNode', 'Drain not completed yet: Pod db-0 can not be evicted'),
      ),
    );
    const view = await see(held);
    expect(view).toMatchObject({health: 'progressing', deletion: {since: '2026-11-25T10:30:00Z'}});
    expect(view.deletion?.remaining).toContainEqual({kind: 'Machine', count: 4});
    expect(view.deletion?.blockedBy).toEqual([
      '* Control plane Machines: web-cp-1',
      'Machine/web-md-0-1: DrainingNode: Drain not completed yet: Pod db-0 can not be evicted',
    ]);
  });

  it('says that a paused cluster is not deleted', async () => {
    const view = await see(clusterSet({deleting: '2026-11-25T10:30:00Z', paused: true}).objects);
    expect(view.deletion?.blockedBy[0]).toContain('paused');
    expect(view.paused).toBe(true);
  });

  it('shows machines that nothing keeps, and objects that nobody names', async () => {
    const {objects, set} = clusterSet();
    const orphan = machine('web', 'alone', {...set, metadata: {...set.metadata, uid: 'gone'}}, 'v1.36.3');
    const parts = [infraMachine('web', 'alone'), bootstrapConfig('web', 'alone'), infraMachine('web', 'left-behind')];
    const {tree} = await see([...objects, orphan, ...parts]);
    const groups = nodes(tree).filter((node) => node.role === 'group');
    expect(groups.find((node) => node.name === 'machines that nothing keeps')?.children.map((child) => child.name)).toEqual(['alone']);
    expect(groups.find((node) => node.name === 'objects that nothing names')?.children.map((child) => child.name)).toEqual(['left-behind']);
  });

  it('marks what may not be read as unknown instead of missing', async () => {
    const view = await see(clusterSet().objects, {forbidden: ['devmachines']});
    expect(view.unseen).toEqual(['DevMachine: reader may not list devmachines']);
    expect(nodes(view.tree).filter((node) => node.missing)).toEqual([]);
    expect(view.health).toBe('unknown');
  });
});

describe('what goes on', () => {
  it('calls a cluster that is being made progressing', async () => {
    const view = await see([
      object(
        'cluster.x-k8s.io/v1beta2',
        'Cluster',
        'web',
        {topology: {version: 'v1.36.3'}},
        {phase: 'Pending', conditions: [condition('Available', 'False', 'NotAvailable')]},
      ),
    ]);
    expect(view).toMatchObject({health: 'progressing', now: 'being made'});
  });

  it('does not call a cluster healthy of which nothing is there yet', async () => {
    const view = await see([
      object(
        'cluster.x-k8s.io/v1beta2',
        'Cluster',
        'web',
        {topology: {version: 'v1.36.3'}},
        {conditions: [condition('Paused', 'False', 'NotPaused')], initialization: {}},
      ),
    ]);
    expect(view.health).toBe('progressing');
  });

  it('calls a pool that scales up progressing', async () => {
    const {objects} = clusterSet();
    const growing = replace(objects, 'MachineDeployment', 'web-md-0', (one) =>
      withConditions(
        {...one, spec: {...(one['spec'] as object), replicas: 5}},
        condition('ScalingUp', 'True', 'ScalingUp', 'Scaling up from 3 to 5 replicas'),
        condition('Available', 'False', 'NotAvailable', '3 available replicas, at least 5 required'),
      ),
    );
    const labels = {'cluster.x-k8s.io/cluster-name': 'web'};
    const templates = [
      object('infrastructure.cluster.x-k8s.io/v1beta2', 'DevMachineTemplate', 'web-md-0', {}, {}, {labels}),
      object('bootstrap.cluster.x-k8s.io/v1beta2', 'KubeadmConfigTemplate', 'web-md-0', {}, {}, {labels}),
    ];
    const view = await see([...growing, ...templates]);
    expect(
      nodes(view.tree)
        .filter((node) => node.role === 'group')
        .map((node) => node.name),
    ).toEqual(['workers']);
    expect(view).toMatchObject({health: 'progressing', now: 'md-0: scaling from 3 to 5'});
  });

  it('calls a node that went away degraded', async () => {
    const {objects} = clusterSet();
    const view = await see(
      replace(objects, 'Machine', 'web-md-0-1', (one) =>
        withConditions(
          one,
          condition('Ready', 'False', 'NotReady'),
          condition('NodeHealthy', 'False', 'NodeNotHealthy', 'Kubelet stopped posting node status'),
        ),
      ),
    );
    expect(view.health).toBe('degraded');
    expect(view.reasons).toEqual(['Machine/web-md-0-1: NodeHealthy is False (NodeNotHealthy): Kubelet stopped posting node status']);
  });

  it('tells what many objects say in one line', async () => {
    const {objects} = clusterSet({workers: 6});
    const failing = objects.map((one) =>
      one.kind === 'DevMachine' && one.metadata.name.includes('md-0') ? withConditions(one, condition('Ready', 'False', 'NoQuota', 'no quota')) : one,
    );
    const view = await see(failing);
    expect(view.reasons).toEqual(['DevMachine/web-md-0-1, DevMachine/web-md-0-2, DevMachine/web-md-0-3 and 3 more: Ready is False (NoQuota): no quota']);
  });
});
