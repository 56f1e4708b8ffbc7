import {describe, expect, it} from 'vitest';
import {isReached} from '../../../src/hostcluster/facts.ts';
import type {HostFacts} from '../../../src/hosts/facts.ts';
import {simulatedFacts, type SimulatedFacts} from '../../../src/hosts/simulated-facts.ts';
import {memberOf} from '../../../src/modes/agent/facts.ts';
import {agentMode, fetchClusterKubeconfig} from '../../../src/modes/agent/agent-mode.ts';
import type {AgentFacts} from '../../../src/modes/agent/facts.ts';
import type {AgentScope} from '../../../src/modes/agent/scope.ts';
import {contentRequest} from '../../../src/modes/agent/gather.ts';
import {modeFor} from '../../../src/modes/registry.ts';
import {TriremeError} from '../../../src/kernel/errors.ts';
import {problemOf} from '../../../src/kernel/problem.ts';
import {desiredCluster, freshFacts, settledFacts} from '../hostcluster/fixtures.ts';

const memberWith = (given: SimulatedFacts, over: Partial<HostFacts> = {}) => memberOf({host: 'h1', facts: {...simulatedFacts('h1', given), ...over}});

describe('what planning reads of a host', () => {
  it("is its architecture, its networks with the default route's address first, and what its agent says", () => {
    const member = memberWith({
      interfaces: [
        {name: 'eth1', mac: '', mtu: 1500, up: true, physical: true, addresses: ['192.168.1.5/16'], leased: []},
        {name: 'eth0', mac: '', mtu: 1500, up: true, physical: true, addresses: ['10.0.0.9/24', '10.0.0.5/24'], leased: []},
        {name: 'eth2', mac: '', mtu: 1500, up: false, physical: true, addresses: ['172.16.0.1/24'], leased: []},
      ],
      defaultRoute: {interface: 'eth0', address: '10.0.0.5'},
    });
    expect(member).toMatchObject({architecture: 'amd64', networks: ['10.0.0.5/24', '10.0.0.9/24', '192.168.1.5/16'], seen: undefined, agentActive: false});
  });

  it('takes a state of unknown shape for none', () => {
    const agent = (seen: unknown) => memberWith({}, {agent: {installed: true, active: true, seen, programDigest: undefined, runtimeDigest: undefined}});
    expect(agent({some: 'thing'})).toMatchObject({seen: undefined});
    expect(agent('text')).toMatchObject({seen: undefined});
    expect(agent(null)).toMatchObject({seen: undefined});
  });

  it.each([
    ['an architecture that agent mode does not know', {architecture: undefined}, 'host.architecture-unsupported', /amd64 and arm64/],
    ['no systemd', {initSystem: 'openrc'}, 'host.systemd-missing', /openrc as its first process/],
  ])('is a problem of the host for %s', (_what, given, code, message) => {
    const member = memberWith(given as SimulatedFacts);
    expect(isReached(member)).toBe(false);
    expect(member).toMatchObject({problem: {code, host: 'h1', message: expect.stringMatching(message)}});
  });
});

describe('the mode of a cluster', () => {
  it('is agent mode, which says why it cannot do a thing', async () => {
    expect(await modeFor(desiredCluster())).toBe(agentMode);
    expect(agentMode.capabilities['trustedBoot']).toMatchObject({supported: false, reason: expect.stringContaining("the user's own")});
  });

  it.each(['appliance'] as const)('is not %s mode yet, and the reason is given', async (mode) => {
    const cluster = desiredCluster();
    const other = {...cluster, document: {...cluster.document, spec: {...cluster.document.spec, mode}}};
    await expect(modeFor(other)).rejects.toMatchObject({code: 'mode.unsupported', message: expect.stringContaining('later version')});
  });
});

it('asks the bundle room for what the file and its layers name, with paths relative to the file', () => {
  const manifest =
    'kind: DaemonSet\nspec: {template: {spec: {initContainers: [{image: b:1}], containers: [{image: "a:1"}, {image: b:1}]}}}\n---\nkind: ConfigMap\n';
  const cluster = desiredCluster({
    agent: {bundle: './bundle'},
    desired: {layers: [{name: 'cni', kind: 'cni', manifest}], source: {files: [], folder: '/srv', digest: ''}},
  });
  expect(contentRequest(cluster, ['amd64'])).toEqual({
    version: 'v1.36.3',
    distribution: 'kubeadm',
    architectures: ['amd64'],
    images: ['a:1', 'b:1'],
    folder: '/srv',
    lockFile: '/srv/trireme.lock',
    bundle: '/srv/bundle',
  });
});

describe("a cluster's kubeconfig", () => {
  const cluster = desiredCluster();
  const scope = (links: Readonly<Record<string, () => Promise<string>>>) =>
    ({
      link: async (host: string) => ({kubeconfig: links[host] ?? (async () => Promise.reject(new TriremeError('agent.not-answering', `${host} is silent`)))}),
    }) as unknown as AgentScope;
  const facts = (over: Partial<AgentFacts> = {}): AgentFacts => ({...settledFacts(cluster), observations: [], ...over});

  it('comes from the first control plane that answers', async () => {
    expect(await fetchClusterKubeconfig(cluster, facts(), scope({h2: async () => 'from h2'}))).toBe('from h2');
    await expect(fetchClusterKubeconfig(cluster, facts(), scope({}))).rejects.toMatchObject({message: 'h3 is silent'});
  });

  it('does not exist before the cluster, and cannot be had while no control plane is reached', async () => {
    await expect(fetchClusterKubeconfig(cluster, facts(freshFacts(cluster)), scope({}))).rejects.toMatchObject({code: 'cluster.not-made'});
    const hosts = ['h1', 'h2', 'h3', 'h4'].map((host) => ({host, problem: problemOf(new TriremeError('host.unreachable', 'gone', {host}))}));
    await expect(fetchClusterKubeconfig(cluster, facts({hosts}), scope({}))).rejects.toMatchObject({
      code: 'host.unreachable',
      message: expect.stringContaining('h1, h2, h3'),
    });
  });
});
