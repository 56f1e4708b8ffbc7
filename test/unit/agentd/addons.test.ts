// The layers' reconciler against an API of a few answers.
import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {afterEach, describe, expect, it} from 'vitest';
import {adminKubeconfig} from '../../../src/agentd/distributions/kubeadm/access.ts';
import {addons} from '../../../src/agentd/distributions/kubeadm/addons.ts';
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

/** An API that takes the lease, and lets the first `silent` questions for the DaemonSet break off. */
async function targetWith(silent: number): Promise<Target> {
  let left = silent;
  server = createServer((request, response) => {
    const isLease = request.url?.includes('/leases') === true;
    if (!isLease && left > 0) {
      left -= 1;
      request.socket.destroy();
      return;
    }
    request.resume().on('end', () => {
      response.writeHead(isLease && request.method === 'GET' ? 404 : 200, {'content-type': 'application/json'});
      response.end(JSON.stringify(isLease ? {} : healthy));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  fixture = await targetFixture({layers: [layer]});
  await fixture.target.host.write(
    adminKubeconfig,
    `contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\nclusters: [{name: c, cluster: {server: "http://127.0.0.1:${port}"}}]\n`,
  );
  await fixture.target.records.set('layers', {flannel: {digest: digestOf(layer.manifest), ready: false}});
  return fixture.target;
}

describe('waiting for a layer', () => {
  it('goes on when a busy API misses a look: that is told, and is no failure', async () => {
    const target = await targetWith(1);
    const signal = new AbortController().signal;
    const events: EventBody[] = [];
    const step = (await addons.steps(target)).find((one) => one.id === 'layer-health:flannel');
    await step?.apply({scope: target, signal, stopping: signal, emit: (event) => events.push(event)});
    expect(events).toMatchObject([{type: 'step.output', line: expect.stringContaining("doesn't answer")}]);
    expect(target.records.get('layers')).toMatchObject({flannel: {ready: true}});
  });
});
