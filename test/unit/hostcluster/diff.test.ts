import {describe, expect, it} from 'vitest';
import {diffWanted, effectOfPath, summarizeNew} from '../../../src/hostcluster/diff.ts';
import type {Wanted} from '../../../src/hostcluster/protocol.ts';
import {hostsOf, wantedOf} from '../../../src/hostcluster/wanted.ts';
import {desiredCluster, freshFacts, memberFacts, threeAndOne, type FixtureCluster} from './fixtures.ts';

function wantedWith(options: FixtureCluster = {}, name = 'h4'): Wanted {
  const cluster = desiredCluster(options);
  const host = hostsOf(cluster).find((one) => one.name === name);
  if (host === undefined) throw new Error(`no host ${name}`);
  return wantedOf(cluster, freshFacts(cluster), host, memberFacts(name));
}

const worker = (over: object): FixtureCluster => ({hosts: [...threeAndOne.slice(0, 3), {...threeAndOne[3], ...over}]});

describe('the changes between two documents', () => {
  it('are none for equal ones, in whatever order their keys are', () => {
    const wanted = wantedWith(worker({labels: {a: '1', b: '2'}}));
    expect(diffWanted(wanted, {...wanted, node: {...wanted.node, labels: {b: '2', a: '1'}}})).toEqual([]);
  });

  it.each([
    ['a label', worker({labels: {zone: 'a'}}), [{path: 'node.labels.zone', from: undefined, to: 'a', effect: 'none'}]],
    [
      'a taint',
      worker({taints: [{key: 'gpu', value: 'yes', effect: 'NoSchedule'}]}),
      [{path: 'node.taints.gpu', from: undefined, to: 'yes:NoSchedule', effect: 'none'}],
    ],
    [
      'a sysctl',
      worker({configuration: {sysctls: {'net.core.somaxconn': 4096}}}),
      [{path: 'configuration.sysctls.net.core.somaxconn', from: undefined, to: '4096', effect: 'reload'}],
    ],
    [
      'a kubelet setting',
      worker({configuration: {kubelet: {maxPods: 60}}}),
      [{path: 'configuration.kubelet.maxPods', from: undefined, to: 60, effect: 'restart'}],
    ],
    [
      'an argument of a component',
      worker({configuration: {apiServer: {extraArgs: [{name: 'v', value: '2'}]}}}),
      [{path: 'configuration.apiServer.extraArgs.v', from: undefined, to: '2', effect: 'restart'}],
    ],
    ['the drift policy', {agent: {drift: {kubelet: 'report'}}}, [{path: 'drift.kubelet', from: 'repair', to: 'report', effect: 'none'}]],
    ['the endpoint', {spec: {endpoint: {host: 'api.example'}}}, [{path: 'endpoint.host', from: '10.77.0.11', to: 'api.example', effect: 'restart'}]],
  ] as const)('name exactly %s with what it costs', (_what, options, changes) => {
    expect(diffWanted(wantedWith(), wantedWith(options as FixtureCluster))).toEqual(changes);
  });

  it("name a control plane's own taint only when it goes", () => {
    const controlPlane = (taints: readonly object[]): FixtureCluster => ({hosts: [{...threeAndOne[0], taints: taints as never}]});
    expect(diffWanted(wantedWith({}, 'h1'), wantedWith(controlPlane([{key: 'gpu', effect: 'NoSchedule'}]), 'h1')).map((change) => change.path)).toEqual([
      'node.taints.gpu',
    ]);
    expect(diffWanted(wantedWith({}, 'h1'), wantedWith(controlPlane([]), 'h1'))).toEqual([
      {path: 'node.taints.node-role.kubernetes.io/control-plane', from: 'NoSchedule', to: undefined, effect: 'none'},
    ]);
  });

  it('show the digest of a file and of a layer, never their text', () => {
    const file = {path: '/etc/x', content: 'password', mode: '0600', owner: 'root:root'};
    const before = wantedWith({}, 'h1');
    const after = wantedWith({desired: {hostFiles: {h1: [file]}, layers: [{name: 'cni', kind: 'cni', manifest: 'kind: Other'}]}}, 'h1');
    const changes = diffWanted(before, after);
    expect(changes.map((change) => change.path)).toEqual(['files./etc/x.content', 'files./etc/x.mode', 'files./etc/x.owner', 'layers.cni']);
    expect(JSON.stringify(changes)).not.toMatch(/password|kind: Other/);
  });

  it('see another content by its name and digest', () => {
    const before = wantedWith();
    const after = {...before, content: before.content.map((item) => (item.name === 'kubelet' ? {...item, digest: 'sha256:new'} : item))};
    expect(diffWanted(before, after)).toMatchObject([{path: 'content.kubelet', to: 'sha256:new', effect: 'none'}]);
  });

  it('do not count a cluster id that is not known yet', () => {
    const before = wantedWith();
    expect(diffWanted({...before, cluster: {...before.cluster, id: 'x'}}, before)).toEqual([]);
  });
});

describe('what a change costs', () => {
  it('follows the longest prefix that is known', () => {
    expect(effectOfPath('node.labels.topology.kubernetes.io/zone')).toBe('none');
    expect(effectOfPath('configuration.kubelet')).toBe('restart');
    expect(effectOfPath('kubernetesVersion')).toBe('drain');
  });

  it('is a restart where nothing is known', () => {
    expect(effectOfPath('node.addresses')).toBe('restart');
    expect(effectOfPath('something.new')).toBe('restart');
  });
});

it('says of a new host what it gets, in a few lines', () => {
  const changes = summarizeNew(wantedWith(worker({labels: {zone: 'a'}})));
  expect(changes.map(({path, to}) => `${path}=${String(to)}`)).toEqual(['role=worker', 'kubernetesVersion=v1.36.3', 'node.labels.zone=a']);
});
