import {generateKeyPairSync} from 'node:crypto';
import {createServer, type Server} from 'node:https';
import type {AddressInfo} from 'node:net';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {stringify} from 'yaml';
import {endpointClients} from '../../../src/agentd/distributions/kubeadm/endpoint-clients.ts';
import type {Target} from '../../../src/agentd/reconciler.ts';
import type {Wanted} from '../../../src/hostcluster/protocol.ts';
import {selfSignedServer} from '../../../src/kernel/certificate.ts';
import {targetFixture, type TargetFixture} from './agentd-fixture.ts';

const never = new AbortController().signal;
const {privateKey} = generateKeyPairSync('rsa', {modulusLength: 2048});
const certificate = selfSignedServer({
  commonName: 'localhost',
  dnsNames: ['localhost'],
  addresses: ['127.0.0.1'],
  key: privateKey,
  notBefore: new Date(Date.now() - 60_000),
  notAfter: new Date(Date.now() + 3_600_000),
});

describe('an endpoint that has moved', () => {
  let fixture: TargetFixture;
  let target: Target;
  let server: Server;
  let restarts: string[];

  /** The new endpoint is a server here, with the cluster's certificate; the old one is nobody's. */
  const make = async (over: Partial<Wanted> = {}) => {
    const {port} = server.address() as AddressInfo;
    fixture = await targetFixture({endpoint: {host: '127.0.0.1', port}, ...over});
    restarts = [];
    const {host} = fixture.target;
    const services = {...host.services, restart: async (unit: string) => void restarts.push(unit)};
    target = {...fixture.target, host: {...host, services}};
    await target.records.set('member', {kubernetesVersion: 'v1.36.3', at: 'now'});
  };
  const put = (path: string, to: string) => {
    const cluster = {server: to, 'certificate-authority-data': Buffer.from(certificate).toString('base64')};
    return target.host.write(
      path,
      stringify({apiVersion: 'v1', kind: 'Config', clusters: [{name: 'berth', cluster}], users: [{name: 'x', user: {token: 'server: y'}}]}),
    );
  };
  const serverIn = async (path: string) => /^\s*server: (.*)$/m.exec((await target.host.read(path)) ?? '')?.[1];
  const converge = async () => {
    const why = await endpointClients.waitsFor?.(target, never);
    if (why !== undefined) return why;
    const context = {scope: target, signal: never, stopping: never, emit: () => {}};
    for (const step of await endpointClients.steps(target)) if ((await step.check(context)) === 'needed') await step.apply(context);
    return undefined;
  };
  const wanted = () => `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kubelet = '/etc/kubernetes/kubelet.conf';
  const admin = '/etc/kubernetes/admin.conf';

  beforeEach(async () => {
    server = createServer({key: privateKey.export({type: 'pkcs8', format: 'pem'}), cert: certificate}, (_request, response) =>
      response.writeHead(401).end('{}'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await fixture.remove();
  });

  it("is written into a worker's kubeconfig, and its kubelet is started anew, once", async () => {
    await make({role: 'worker'});
    await put(kubelet, 'https://10.77.0.11:6443');
    expect(await converge()).toBeUndefined();
    expect(await serverIn(kubelet)).toBe(wanted());
    expect(await target.host.read(kubelet)).toContain('token: "server: y"');
    await converge();
    expect(restarts).toEqual(['kubelet.service']);
  });

  it("leaves a control plane's kubelet to the API server beside it, and writes the administrators' kubeconfigs", async () => {
    await make();
    await put(kubelet, 'https://10.77.0.11:6443');
    await put(admin, 'https://10.77.0.99:6443');
    await put('/etc/kubernetes/scheduler.conf', 'https://10.77.0.11:6443');
    expect(await converge()).toBeUndefined();
    expect([await serverIn(kubelet), await serverIn(admin)]).toEqual(['https://10.77.0.11:6443', wanted()]);
    expect(await serverIn('/etc/kubernetes/scheduler.conf')).toBe('https://10.77.0.11:6443');
    expect(restarts).toEqual([]);
  });

  it("is waited for until it answers with the cluster's certificate: nobody is cut off from where the API still is", async () => {
    await make({role: 'worker', endpoint: {host: '127.0.0.1', port: 1}});
    await put(kubelet, 'https://10.77.0.11:6443');
    expect(await converge()).toMatch(/^the new endpoint https:\/\/127\.0\.0\.1:1: .*doesn't answer/);
    expect(await serverIn(kubelet)).toBe('https://10.77.0.11:6443');
  });

  it('gets its kubelet started anew when the agent was cut off between the two', async () => {
    await make({role: 'worker'});
    await put(kubelet, wanted());
    await target.records.set('endpoint.kubelet-restart', true);
    await converge();
    expect(restarts).toEqual(['kubelet.service']);
  });
});
