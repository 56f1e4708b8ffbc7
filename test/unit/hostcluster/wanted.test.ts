import {describe, expect, it} from 'vitest';
import {hostsOf, membershipOf, wantedOf} from '../../../src/hostcluster/wanted.ts';
import {isReached, type HostClusterFacts} from '../../../src/hostcluster/facts.ts';
import {problemOf} from '../../../src/kernel/problem.ts';
import {TriremeError} from '../../../src/kernel/errors.ts';
import type {DesiredCluster} from '../../../src/spec/desired.ts';
import {desiredCluster, factsOf, freshFacts, memberFacts, settledFacts, threeAndOne} from './fixtures.ts';

function wantedByHost(cluster: DesiredCluster, facts: HostClusterFacts) {
  return Object.fromEntries(
    hostsOf(cluster).flatMap((host) => {
      const member = facts.hosts.find((one) => one.host === host.name);
      return member !== undefined && isReached(member) ? [[host.name, wantedOf(cluster, facts, host, member)]] : [];
    }),
  );
}

const proxied = {proxy: {https: 'http://proxy:3128', noProxy: ['.example']}};
const worker5 = {name: 'h5', address: '10.77.0.15', role: 'worker' as const};

describe('what a host shall be', () => {
  it('changes no other host when a worker is added, behind a proxy too', () => {
    const before = desiredCluster({agent: proxied});
    const after = desiredCluster({agent: proxied, hosts: [...threeAndOne, worker5]});
    const one = wantedByHost(before, settledFacts(before));
    const two = wantedByHost(after, factsOf([...settledFacts(before).hosts, memberFacts('h5')]));
    expect(two['h5']).toBeDefined();
    delete two['h5'];
    expect(two).toEqual(one);
  });

  it('puts the networks of nodes, pods and services, the endpoint and what the file says into NO_PROXY', () => {
    const cluster = desiredCluster({agent: proxied});
    expect(wantedByHost(cluster, freshFacts(cluster))['h4']?.proxy).toEqual({
      HTTPS_PROXY: 'http://proxy:3128',
      NO_PROXY: 'localhost,127.0.0.1,::1,10.77.0.11,.svc,.cluster.local,10.244.0.0/16,10.96.0.0/12,10.96.0.1,10.77.0.0/24,.example',
    });
  });

  it('stays the same when a host that is known only by its facts does not answer', () => {
    const hosts = [...threeAndOne, {name: 'h5', address: 'far.example', role: 'worker' as const}];
    const cluster = desiredCluster({agent: proxied, hosts});
    const far = memberFacts('h5', {networks: ['10.99.1.5/22']});
    const complete = factsOf([...freshFacts(desiredCluster({agent: proxied})).hosts, far]);
    const first = wantedByHost(cluster, complete);
    expect(first['h1']?.proxy['NO_PROXY']).toContain('10.99.0.0/22');
    const settled = settledFacts(cluster, (host) => (host === 'h5' ? {networks: far.networks} : {}));
    const seen = settled.hosts.map((one) =>
      isReached(one) && one.seen?.wanted ? {...one, seen: {...one.seen, wanted: {...one.seen.wanted, proxy: first['h1']?.proxy ?? {}}}} : one,
    );
    const problem = problemOf(new TriremeError('host.unreachable', 'gone', {host: 'h5'}));
    const without = wantedByHost(cluster, factsOf(seen.map((one) => (one.host === 'h5' ? {host: 'h5', problem} : one))));
    expect(without['h1']?.proxy).toEqual(first['h1']?.proxy);
  });

  it('gives workers neither layers nor the images of the control plane', () => {
    const cluster = desiredCluster();
    const wanted = wantedByHost(cluster, freshFacts(cluster));
    expect(wanted['h1']?.content.map((item) => item.name)).toEqual([
      'image:registry.k8s.io/kube-apiserver:v1.36.3',
      'image:registry.k8s.io/pause:3.10.2',
      'kubelet',
    ]);
    expect(wanted['h4']?.content.map((item) => item.name)).toEqual(['image:registry.k8s.io/pause:3.10.2', 'kubelet']);
    expect(wanted['h1']?.layers).toHaveLength(1);
    expect(wanted['h4']?.layers).toEqual([]);
  });

  it("lays the host's settings over the cluster's: maps by key, named arguments by name, null removes", () => {
    const cluster = desiredCluster({
      spec: {
        configuration: {
          kubelet: {maxPods: 100, failSwapOn: false, nested: {a: 1}},
          apiServer: {
            extraArgs: [
              {name: 'v', value: '1'},
              {name: 'audit', value: 'x'},
            ],
          },
          sysctls: {'net.core.somaxconn': 1024},
        },
      },
      hosts: [
        {
          name: 'h1',
          address: '10.77.0.11',
          role: 'control-plane',
          configuration: {
            kubelet: {maxPods: 50, failSwapOn: null, nested: {b: 2}},
            apiServer: {extraArgs: [{name: 'v', value: '4'}]},
            sysctls: {'net.core.somaxconn': 4096},
          },
        },
      ],
    });
    const {configuration} = wantedByHost(cluster, freshFacts(cluster))['h1'] ?? {};
    expect(configuration?.kubelet).toEqual({maxPods: 50, nested: {a: 1, b: 2}});
    expect(configuration?.apiServer).toEqual({
      extraArgs: [
        {name: 'audit', value: 'x'},
        {name: 'v', value: '4'},
      ],
    });
    expect(configuration?.sysctls).toEqual({'net.core.somaxconn': '4096'});
  });

  it("keeps the control plane's own taint beside others, and drops it for an empty list only", () => {
    const gpu = {key: 'gpu', effect: 'NoSchedule' as const};
    const taintsWith = (taints: readonly (typeof gpu)[] | undefined, role: 'control-plane' | 'worker' = 'control-plane') => {
      const cluster = desiredCluster({hosts: [{...threeAndOne[0], role, taints: taints as never}]});
      return wantedByHost(cluster, freshFacts(cluster))['h1']?.node.taints;
    };
    expect(taintsWith(undefined)).toBeUndefined();
    expect(taintsWith([])).toEqual([]);
    expect(taintsWith([gpu])).toEqual([{key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule'}, gpu]);
    expect(taintsWith([gpu], 'worker')).toEqual([gpu]);
  });

  it("takes the node's address from the file, else from an address to log in at, else from the default route", () => {
    const cluster = desiredCluster({
      hosts: [
        {name: 'h1', address: 'a.example', nodeAddress: '10.77.0.99', role: 'control-plane'},
        {name: 'h2', address: '10.77.0.12', role: 'worker'},
        {name: 'h3', address: 'c.example', role: 'worker'},
      ],
    });
    const wanted = wantedByHost(cluster, freshFacts(cluster));
    expect(['h1', 'h2', 'h3'].map((host) => wanted[host]?.node.addresses)).toEqual([['10.77.0.99'], ['10.77.0.12'], ['10.77.0.13']]);
  });

  it('gives a node two addresses when the cluster has two pod networks', () => {
    const cluster = desiredCluster({spec: {network: {pods: ['10.244.0.0/16', 'fd00:1::/56'], services: ['10.96.0.0/12', 'fd00:2::/112']}}});
    const facts = factsOf(
      hostsOf(cluster).map((host) => memberFacts(host.name, {networks: [`10.77.0.${10 + Number(host.name.slice(1))}/24`, 'fe80::1/64', 'fd00:77::11/64']})),
    );
    expect(wantedByHost(cluster, facts)['h1']?.node.addresses).toEqual(['10.77.0.11', 'fd00:77::11']);
  });
});

describe('who starts the cluster', () => {
  it('is the first control plane of the file while there is no cluster', () => {
    const cluster = desiredCluster({hosts: [threeAndOne[3] as object, threeAndOne[1] as object, threeAndOne[0] as object]});
    expect(membershipOf(cluster, freshFacts(cluster))).toEqual({id: '', started: false, bootstrap: 'h2'});
  });

  it('stays the host that did it when the file puts another one first', () => {
    const facts = settledFacts(desiredCluster());
    const reordered = desiredCluster({hosts: [threeAndOne[2] as object, threeAndOne[0] as object, threeAndOne[1] as object, threeAndOne[3] as object]});
    expect(membershipOf(reordered, facts)).toEqual({id: 'id-1', started: true, bootstrap: 'h1'});
  });

  it('is nobody when the host that did it does not answer: no second cluster is started', () => {
    const cluster = desiredCluster();
    const problem = problemOf(new TriremeError('host.unreachable', 'gone', {host: 'h1'}));
    const facts = factsOf(settledFacts(cluster).hosts.map((one) => (one.host === 'h1' ? {host: 'h1', problem} : one)));
    expect(membershipOf(cluster, facts).bootstrap).toBeUndefined();
    expect(wantedByHost(cluster, facts)['h2']?.bootstrap).toBe(false);
  });
});
