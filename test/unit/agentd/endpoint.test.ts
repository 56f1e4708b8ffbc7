import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {afterEach, describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import {ClusterApi} from '../../../src/agentd/cluster-api.ts';
import {kubeadmDistribution} from '../../../src/agentd/distributions/kubeadm.ts';
import {placesOf} from '../../../src/agentd/distributions/kubeadm/certificate-files.ts';
import {observeEndpoint} from '../../../src/agentd/distributions/kubeadm/endpoint.ts';
import {endpointRights, renderEndpoint} from '../../../src/agentd/distributions/kubeadm/render-endpoint.ts';
import {targetFixture, wantedFixture} from './agentd-fixture.ts';

const image = 'ghcr.io/kube-vip/kube-vip:v1.0.0';
const served = wantedFixture({endpoint: {host: '10.77.0.100', port: 6443, vip: {image}}});

interface Pod {
  readonly spec: {
    readonly hostNetwork: boolean;
    readonly hostAliases: readonly {readonly ip: string; readonly hostnames: readonly string[]}[];
    readonly containers: readonly {
      readonly image: string;
      readonly env: readonly {readonly name: string; readonly value: string}[];
      readonly securityContext: {readonly capabilities: unknown};
      readonly volumeMounts: readonly {readonly mountPath: string}[];
    }[];
    readonly volumes: readonly {readonly hostPath: {readonly path: string}}[];
  };
}

function render(wanted = served, serving: {readonly interface: string | undefined} = {interface: 'eth0'}) {
  const pod = parse(renderEndpoint(wanted, {image, ...serving})) as Pod;
  const [container] = pod.spec.containers;
  return {pod, container, env: Object.fromEntries((container?.env ?? []).map(({name, value}) => [name, value]))};
}

describe('the static pod that serves the endpoint', () => {
  it('holds the address by a Lease of its own, for which it asks the API server of its host', () => {
    const {pod, container, env} = render();
    expect(env).toMatchObject({address: '10.77.0.100', vip_subnet: '32', vip_interface: 'eth0', vip_nodename: 'h1', vip_arp: 'true', cp_enable: 'true'});
    expect([env['cp_namespace'], env['vip_leasename']]).toEqual(['trireme-endpoint', 'address-10.77.0.100-holder']);
    expect(pod.spec).toMatchObject({hostNetwork: true, hostAliases: [{ip: '10.77.0.11', hostnames: ['kubernetes']}]});
    expect(container?.image).toBe(image);
  });

  it('gives up the address before another may take it, and both in far less than ten seconds', () => {
    const {env} = render();
    const [lease, renew, retry] = ['vip_leaseduration', 'vip_renewdeadline', 'vip_retryperiod'].map((name) => Number(env[name])) as [number, number, number];
    expect(renew).toBeLessThan(lease);
    expect(lease + 2 * retry).toBeLessThan(8);
  });

  it("has the network's rights alone, and credentials of its own", () => {
    const {pod, container} = render();
    expect(container?.securityContext.capabilities).toEqual({drop: ['ALL'], add: ['NET_ADMIN', 'NET_RAW']});
    expect(pod.spec.volumes.map(({hostPath}) => hostPath.path)).toEqual(['/etc/kubernetes/trireme-endpoint.conf']);
    const rules = endpointRights.flatMap(({body}) => ('rules' in body ? body.rules : []));
    expect(rules.flatMap((rule) => rule.resources)).toEqual(['leases']);
    expect(endpointRights.map(({body}) => `${body.kind} ${'namespace' in body.metadata ? body.metadata.namespace : body.metadata.name}`)).toEqual([
      'Namespace trireme-endpoint',
      'Role trireme-endpoint',
      'RoleBinding trireme-endpoint',
    ]);
  });

  it('serves an IPv6 address as one alone, and leaves the interface to kube-vip where the node has no address', () => {
    const {env} = render({...served, endpoint: {...served.endpoint, host: 'fd00:77::100'}});
    expect(env['vip_subnet']).toBe('128');
    expect(env['vip_leasename']).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
    expect(render({...served, node: {...served.node, addresses: []}}, {interface: undefined}).env).not.toHaveProperty('vip_interface');
  });
});

describe('the reconciler of the endpoint', () => {
  const stepsFor = async (wanted: typeof served) => {
    const {target, remove} = await targetFixture(wanted);
    try {
      const found = kubeadmDistribution()
        .reconcilers(wanted)
        .find((one) => one.name === 'endpoint');
      return (await found?.steps({...target, wanted}))?.map((step) => step.id);
    } finally {
      await remove();
    }
  };

  it('takes manifest and credentials away where somebody else serves', async () => {
    expect(await stepsFor(wantedFixture())).toEqual(['absent:/etc/kubernetes/manifests/trireme-endpoint.yaml', 'absent:/etc/kubernetes/trireme-endpoint.conf']);
    expect(await stepsFor(served)).toEqual(['endpoint:rights', 'endpoint:kubeconfig', 'endpoint:manifest']);
  });

  it('is none of a worker', async () => {
    expect(await stepsFor({...served, role: 'worker'})).toBeUndefined();
  });

  it('has its certificate watched like the others, and started anew when it is renewed', () => {
    expect(placesOf({role: 'control-plane'}).find((one) => one.name === 'trireme-endpoint.conf')).toMatchObject({renewedBy: 'agent', readers: ['kube-vip']});
  });
});

describe('who has the address', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  const ask = async (status: number, body: object, wanted = served) => {
    server = createServer((_request, response) => response.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(body)));
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const api = new ClusterApi({server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`});
    try {
      return await observeEndpoint(api, {wanted}, AbortSignal.timeout(5000));
    } finally {
      api.close();
    }
  };

  it('is told by the Lease', async () => {
    const spec = {holderIdentity: 'h2', acquireTime: '2026-01-01T00:00:00.123456Z'};
    expect(await ask(200, {spec})).toEqual({address: '10.77.0.100', holder: 'h2', since: '2026-01-01T00:00:00Z'});
  });

  it('is nobody when the Lease was given back or never taken, and not asked where others serve', async () => {
    expect(await ask(200, {spec: {holderIdentity: '', acquireTime: '2026-01-01T00:00:00.123456Z'}})).toEqual({address: '10.77.0.100'});
    expect(await ask(404, {})).toEqual({address: '10.77.0.100'});
    expect(await ask(200, {spec: {holderIdentity: 'h2'}}, wantedFixture())).toBeUndefined();
  });
});
