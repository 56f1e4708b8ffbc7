// The layers' reconciler against an API of a few answers.
import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {afterEach, describe, expect, it} from 'vitest';
import {adminKubeconfig} from '../../../src/agentd/distributions/kubeadm/access.ts';
import {addons} from '../../../src/agentd/distributions/kubeadm/addons.ts';
import {observeCluster} from '../../../src/agentd/distributions/kubeadm/observe.ts';
import type {ClusterApi} from '../../../src/agentd/cluster-api.ts';
import type {Target} from '../../../src/agentd/reconciler.ts';
import {digestOf} from '../../../src/kernel/digest.ts';
import type {EventBody} from '../../../src/kernel/event.ts';
import {targetFixture, type TargetFixture} from './agentd-fixture.ts';

let fixture: TargetFixture;
let server: Server;
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await fixture.remove();
});

const layer = {name: 'flannel', kind: 'cni' as const, manifest: 'apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: flannel, namespace: kube-flannel}\n'};
const healthy = {
  metadata: {name: 'flannel', generation: 1},
  spec: {},
  status: {observedGeneration: 1, desiredNumberScheduled: 1, updatedNumberScheduled: 1, numberAvailable: 1},
};

/** An API that takes the lease, and lets the first `silent` questions for the DaemonSet break off. It knows two kinds, and keeps what it is given. */
async function targetWith(silent: number): Promise<Target> {
  let left = silent;
  server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const isDaemonSet = path.includes('/daemonsets/');
    if (isDaemonSet && left > 0) {
      left -= 1;
      request.socket.destroy();
      return;
    }
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const [status, value] = answerTo(request.method ?? 'GET', path, body);
      response.writeHead(status, {'content-type': 'application/json'});
      response.end(JSON.stringify(value));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  fixture = await targetFixture({layers: [layer]});
  await fixture.target.host.write(
    adminKubeconfig,
    `apiVersion: v1\nkind: Config\nusers: [{name: u, user: {token: letmein}}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\nclusters: [{name: c, cluster: {server: "http://127.0.0.1:${port}"}}]\n`,
  );
  return fixture.target;
}

const kinds: Readonly<Record<string, unknown>> = {
  '/api/v1': {
    groupVersion: 'v1',
    resources: [
      {name: 'configmaps', kind: 'ConfigMap', namespaced: true},
      {name: 'pods', kind: 'Pod', namespaced: true},
    ],
  },
  '/apis/apps/v1': {groupVersion: 'apps/v1', resources: [{name: 'daemonsets', kind: 'DaemonSet', namespaced: true}]},
};
const note = {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'trireme-layers', namespace: 'kube-system'}};
let noted: Record<string, string> = {};

function answerTo(method: string, path: string, body: string): readonly [number, unknown] {
  if (path.includes('/leases')) return method === 'GET' ? [404, {}] : [201, {}];
  if (kinds[path] !== undefined) return [200, {kind: 'APIResourceList', apiVersion: 'v1', ...(kinds[path] as object)}];
  if (path.endsWith('/trireme-layers')) {
    if (method === 'PATCH') noted = {...noted, ...(JSON.parse(body) as {data: Record<string, string>}).data};
    return [200, {...note, data: noted}];
  }
  if (path.includes('/daemonsets/')) return [200, {apiVersion: 'apps/v1', kind: 'DaemonSet', ...healthy}];
  return [404, {kind: 'Status', message: `no ${path}`}];
}

describe('the layers of a profile, as an agent puts them on', () => {
  it('goes on waiting when a busy API misses a look: that is no failure', async () => {
    const target = await targetWith(1);
    const signal = new AbortController().signal;
    const step = (await addons.steps(target)).find((one) => one.id === 'layer-health:flannel');
    await step?.apply({scope: target, signal, stopping: signal, emit: () => {}});
    expect(target.records.get('layers')).toMatchObject({flannel: {ready: true}});
  });

  it('applies a layer once, by the note that the cluster keeps', async () => {
    noted = {};
    const target = await targetWith(0);
    const signal = new AbortController().signal;
    const context = {scope: target, signal, stopping: signal, emit: (_event: EventBody) => {}};
    const step = (await addons.steps(target)).find((one) => one.id === 'layer:flannel');
    expect(await step?.check(context)).toBe('needed');
    await step?.apply(context);
    expect(noted).toEqual({flannel: digestOf(layer.manifest), 'flannel.objects': 'apps/v1 DaemonSet kube-flannel/flannel\n'});
    expect(await step?.check(context)).toBe('satisfied');
  });

  it('takes a layer away that the profile has no more', async () => {
    noted = {flannel: digestOf(layer.manifest), old: 'sha256:00', 'old.objects': 'v1 ConfigMap default/gone\n'};
    const target = await targetWith(0);
    const ids = (await addons.steps(target)).map((step) => step.id);
    expect(ids).toEqual(['layer-leaves:old', 'layer:flannel', 'layer-health:flannel']);
  });

  it('looks again soon while a layer is not healthy, and seldom once all are', async () => {
    const target = await targetWith(0);
    const next = () => (typeof addons.interval === 'function' ? addons.interval(target) : undefined);
    expect(next()).toBe(2000);
    const {signal} = new AbortController();
    await (await addons.steps(target)).find((one) => one.id === 'layer-health:flannel')?.check({scope: target, signal, stopping: signal, emit: () => {}});
    expect(next()).toBe(30_000);
  });

  it("doesn't call a layer healthy that was looked at before a node came", async () => {
    const target = await targetWith(0);
    const {signal} = new AbortController();
    const see = async (...ready: readonly string[]) => {
      const items = ready.map((name) => ({metadata: {name}, status: {conditions: [{type: 'Ready', status: 'True'}]}}));
      const api = {get: async (path: string) => (path.startsWith('/api/v1/nodes') ? {items} : undefined)} as unknown as ClusterApi;
      return (await observeCluster(api, target, signal)).conditions.find((one) => one.type === 'Layer/flannel');
    };
    const look = async () =>
      (await addons.steps(target)).find((one) => one.id === 'layer-health:flannel')?.check({scope: target, signal, stopping: signal, emit: () => {}});
    await see('h1');
    await look();
    expect(await see('h1')).toEqual({type: 'Layer/flannel', ready: true});
    expect(await see('h1', 'h4')).toEqual({type: 'Layer/flannel', ready: false, message: 'not looked at since h4 became Ready'});
    await look();
    expect(await see('h1', 'h4')).toEqual({type: 'Layer/flannel', ready: true});
    // one that goes away changes nothing
    expect(await see('h4')).toEqual({type: 'Layer/flannel', ready: true});
  });
});
