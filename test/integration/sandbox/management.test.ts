// What only the embedded management API has: that it says what it is, faults on demand, fleets without controllers.
import {afterEach, describe, expect, it} from 'vitest';
import type {KubeApi, Resource, WatchEvent} from '../../../src/kube/api.ts';
import {listAt, numberAt, textAt, valueAt, type Condition, type KubeObject} from '../../../src/kube/object.ts';
import {Redactor} from '../../../src/kernel/redact.ts';
import {connect} from '../../../src/kube/client.ts';
import {startManagement, type ManagementApi, type ManagementOptions} from '../../../src/sandbox/management/management.ts';
import {churnMachines, seedFleet} from '../../../src/sandbox/management/scale-out.ts';
import {capi, clusterObject, clusters, codeOf, core} from '../../contract/management-subject.ts';

const machines = capi('Machine', 'machines');
const sets = capi('MachineSet', 'machinesets');
const devMachines: Resource = {group: 'infrastructure.cluster.x-k8s.io', version: 'v1beta2', plural: 'devmachines', kind: 'DevMachine', namespaced: true};
const patience = {timeout: 20_000, interval: 30};

const running: {readonly management: ManagementApi; readonly apis: KubeApi[]}[] = [];

async function start(
  options: ManagementOptions = {},
): Promise<{readonly management: ManagementApi; readonly api: KubeApi; open(kubeconfig: string): Promise<KubeApi>}> {
  const management = await startManagement(options);
  const one = {management, apis: [] as KubeApi[]};
  running.push(one);
  const open = async (kubeconfig: string) => {
    const api = await connect({kubeconfig, signal: new AbortController().signal, redactor: new Redactor(), warn: () => {}});
    one.apis.push(api);
    return api;
  };
  return {management, open, api: await open(management.kubeconfig.path)};
}

afterEach(async () => {
  for (const {management, apis} of running.splice(0)) {
    for (const api of apis) api.close();
    await management.stop();
  }
});

const said = (object: KubeObject | undefined, type: string) =>
  (listAt(object, 'status', 'conditions') as readonly Condition[]).find((one) => one.type === type);
const until = async (api: KubeApi, name: string, what: (cluster: KubeObject | undefined) => boolean) => {
  await expect.poll(async () => what(await api.get(clusters, {name, namespace: 'default'})), patience).toBe(true);
};
const isUp = (cluster: KubeObject | undefined) => said(cluster, 'Available')?.status === 'True';

describe('the embedded management API', () => {
  it('says in every answer, its version and its kubeconfig that it is simulated', async () => {
    const {management, api} = await start();
    expect(await api.serverVersion()).toBe('v1.36.3+simulated');
    expect(api.simulated).toBe(true);
    expect(management.kubeconfig.text).toContain('trireme-simulated');
    expect(management.server).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  });

  it('refuses whoever has no token, or one that is revoked', async () => {
    const {management, open} = await start();
    const viewer = await management.addUser('viewer');
    const api = await open(viewer.kubeconfig.path);
    expect((await api.list(clusters)).items).toEqual([]);
    management.revoke(viewer.token);
    expect(await codeOf(api.list(clusters))).toBe('api.unauthorized');
  });

  it('has no Cluster API in it when it is started without providers', async () => {
    const {api} = await start({providers: false});
    expect(await codeOf(api.resource({apiVersion: 'cluster.x-k8s.io/v1beta2', kind: 'Cluster'}))).toBe('api.kind-unknown');
    expect((await api.list(core('Namespace', 'namespaces', false))).items.map((one) => one.metadata.name)).toEqual(['default', 'kube-public', 'kube-system']);
  });

  it('serves what a CustomResourceDefinition defines from then on, and no more when it goes', async () => {
    const {api} = await start();
    const schema = {openAPIV3Schema: {type: 'object', properties: {spec: {type: 'object', required: ['size'], properties: {size: {type: 'integer'}}}}}};
    const names = {kind: 'Boat', plural: 'boats', singular: 'boat', listKind: 'BoatList'};
    const definition = {group: 'example.com', scope: 'Namespaced', names, versions: [{name: 'v1', served: true, storage: true, schema}]};
    await api.create({apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: {name: 'boats.example.com'}, spec: definition});
    const boats: Resource = {group: 'example.com', version: 'v1', plural: 'boats', kind: 'Boat', namespaced: true};
    const boat = (spec: object) => ({apiVersion: 'example.com/v1', kind: 'Boat', metadata: {name: 'a', namespace: 'default'}, spec});
    expect(await codeOf(api.create(boat({})))).toBe('api.invalid');
    expect(await codeOf(api.create(boat({size: 3, sail: 'red'})))).not.toBe('done');
    expect((await api.create(boat({size: 3})))['spec']).toEqual({size: 3});
    await api.remove(
      {group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions', kind: 'CustomResourceDefinition', namespaced: false},
      {name: 'boats.example.com'},
    );
    expect((await api.send({path: '/apis/example.com/v1/boats'})).status).toBe(404);
    expect(await api.list(boats).catch(() => 'gone')).toBe('gone');
  });

  it('empties a namespace that is deleted', async () => {
    const {api} = await start();
    await api.create({apiVersion: 'v1', kind: 'Namespace', metadata: {name: 'gone'}});
    await api.create({apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'a', namespace: 'gone'}});
    await api.remove(core('Namespace', 'namespaces', false), {name: 'gone'});
    await expect.poll(() => api.get(core('Namespace', 'namespaces', false), {name: 'gone'}), patience).toBeUndefined();
    expect(await api.get(core('ConfigMap', 'configmaps'), {name: 'a', namespace: 'gone'})).toBeUndefined();
  });

  it("holds a cluster's variables to the class's schema, with defaults", async () => {
    const {api} = await start();
    // the class is looked at by its controller first
    await expect
      .poll(async () => valueAt(await api.create(clusterObject('v'), {dryRun: true}), 'spec', 'topology', 'variables'), patience)
      .toEqual([
        {name: 'machineSize', value: 'small'},
        {name: 'diskGiB', value: 20},
      ]);
    const tryOut = async (name: string, value: unknown) => {
      const {status, body} = await api.send<{readonly details?: {readonly causes?: readonly {readonly field: string; readonly message: string}[]}}>({
        method: 'POST',
        path: '/apis/cluster.x-k8s.io/v1beta2/namespaces/default/clusters?dryRun=All',
        body: clusterObject('v', {variables: [{name, value}]}),
      });
      return [status, ...(body.details?.causes ?? []).map((one) => `${one.field}: ${one.message}`)];
    };
    const path = 'spec.topology.variables';
    expect(await tryOut('machineSize', 'huge')).toEqual([
      422,
      `${path}[machineSize].value: Unsupported value: "\\"huge\\"": supported values: "small", "medium", "large"`,
    ]);
    expect(await tryOut('diskGiB', 4)).toEqual([
      422,
      `${path}[diskGiB].value: Invalid value: "4": ${path}[diskGiB].value in body should be greater than or equal to 8`,
    ]);
    expect(await tryOut('diskGiB', '20')).toEqual([422, expect.stringContaining('must be of type integer: "string"')]);
    expect(await tryOut('registryMirror', {insecure: true})).toEqual([422, `${path}[registryMirror].value.host: Required value`]);
    expect(await tryOut('registryMirror', {host: 'a.b', more: 1})).toEqual([
      422,
      expect.stringContaining('"more" field(s) are not specified in the variable schema of variable "registryMirror"'),
    ]);
  });
});

describe('faults on demand', () => {
  it('answer 429 with Retry-After, and 500, as often as asked', async () => {
    const {management, api} = await start({controllers: false});
    management.faults.inject({status: 429, retryAfter: 0, times: 2});
    const before = api.requests;
    expect((await api.list(clusters)).items).toEqual([]);
    expect(api.requests - before).toBe(3);
    management.faults.inject({status: 500, times: 1, matches: ({method}) => method === 'POST'});
    const answer = await api.send({
      method: 'POST',
      path: '/api/v1/namespaces/default/configmaps',
      body: {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'x'}},
    });
    expect(answer).toMatchObject({status: 500, body: {kind: 'Status', reason: 'InternalError'}});
    expect(await api.get(core('ConfigMap', 'configmaps'), {name: 'x', namespace: 'default'})).toBeUndefined();
  });

  it('keep a machine from ever getting ready, and say why on its infrastructure object', async () => {
    const {management, api} = await start();
    management.faults.stuckInfrastructure.add('stuck/md-0');
    await api.create(clusterObject('stuck'));
    await expect
      .poll(async () => (await api.list(devMachines)).items.map((one) => said(one, 'VMProvisioned')?.reason).toSorted(), patience)
      .toEqual(['ProvisioningFailed', 'Provisioned'].toSorted());
    const cluster = await api.get(clusters, {name: 'stuck', namespace: 'default'});
    expect(isUp(cluster)).toBe(false);
    const stuck = (await api.list(machines)).items.find((one) => textAt(one, 'status', 'phase') !== 'Running');
    expect(said(stuck, 'InfrastructureReady')?.message).toContain('SIMULATED fault');
    management.faults.clear();
    await until(api, 'stuck', isUp);
  });

  it("keep a pool's first machine from being made at all", async () => {
    const {management, api} = await start();
    management.faults.uncreatable.add('empty/md-0');
    await api.create(clusterObject('empty'));
    await until(api, 'empty', (cluster) => said(cluster, 'ControlPlaneAvailable')?.status === 'True');
    await expect.poll(async () => said((await api.list(sets)).items[0], 'ScalingUp')?.message, patience).toContain('is blocked because:\n* SIMULATED fault');
    expect((await api.list(machines)).items).toHaveLength(1);
  });

  it('leave a reference dangling when somebody deletes what it points to', async () => {
    const {api} = await start();
    await api.create(clusterObject('dangling'));
    await until(api, 'dangling', isUp);
    const [worker] = (await api.list(devMachines, {labelSelector: '!cluster.x-k8s.io/control-plane'})).items;
    await api.remove(devMachines, {name: worker?.metadata.name ?? '', namespace: 'default'});
    const machine = () => api.get(machines, {name: worker?.metadata.name ?? '', namespace: 'default'});
    await expect
      .poll(async () => said(await machine(), 'InfrastructureReady'), patience)
      .toMatchObject({status: 'False', message: 'DevMachine has been deleted while the Machine still exists'});
  });
});

describe('a fleet of finished clusters', () => {
  it('is listed in pages and followed through cuts and a forgotten history, with an equal result', async () => {
    const {management, api} = await start({controllers: false});
    seedFleet(management, {clusters: 20, machines: 5});
    expect((await api.list(machines, {pageSize: 7})).items).toHaveLength(100);
    expect(numberAt((await api.list(clusters)).items[3], 'status', 'workers', 'readyReplicas')).toBe(4);
    const controller = new AbortController();
    const view = new Map<string, string | undefined>();
    const types = new Set<WatchEvent['type']>();
    const watching = (async () => {
      for await (const event of api.watch(machines, {signal: controller.signal})) {
        types.add(event.type);
        if (event.type === 'listed') for (const one of event.items) view.set(one.metadata.name, one.metadata.resourceVersion);
        else if ('object' in event) view.set(event.object.metadata.name, event.object.metadata.resourceVersion);
      }
    })().catch(() => {});
    await expect.poll(() => view.size, patience).toBe(100);
    const churn = churnMachines(management, 400);
    await expect.poll(() => types.has('modified'), patience).toBe(true);
    management.http.cutConnections();
    await expect.poll(() => management.http.watches.count, patience).toBe(1);
    management.http.watches.cut();
    management.expireHistory();
    const enough = management.store.version + 200;
    await expect.poll(() => management.store.version > enough, patience).toBe(true);
    expect(churn.stop()).toBeGreaterThan(100);
    const wanted = management.store
      .list(management.kinds.need('cluster.x-k8s.io', 'Machine'))
      .map((one) => [one.metadata.name, one.metadata.resourceVersion] as const);
    await expect.poll(() => [...view].toSorted(), patience).toEqual(wanted);
    controller.abort(new Error('done'));
    await watching;
  });
});
