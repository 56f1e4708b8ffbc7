import {describe, expect, it} from 'vitest';
import {parseAllDocuments} from 'yaml';
import {keepInitialCluster} from '../../../src/agentd/distributions/kubeadm/components.ts';
import {isContained, leafPaths, mergeOver, without} from '../../../src/agentd/distributions/kubeadm/merge.ts';
import {renderContainerd} from '../../../src/agentd/distributions/kubeadm/render-containerd.ts';
import {renderDiscovery, renderInit, renderJoin, renderUpgrade} from '../../../src/agentd/distributions/kubeadm/render-kubeadm.ts';
import {dnsAddressOf, proxyDropIn, renderKubelet} from '../../../src/agentd/distributions/kubeadm/render-kubelet.ts';
import {toToml} from '../../../src/agentd/distributions/kubeadm/toml.ts';
import type {Secrets} from '../../../src/hostcluster/protocol.ts';
import {wantedFixture} from './agentd-fixture.ts';

const traits = {cgroup: 2, bin: '/usr/local/bin'} as const;
const secrets: Secrets = {ca: {certificate: 'CA\n'}, bootstrapToken: 'abcdef.0123456789abcdef'};
const documents = (text: string) => parseAllDocuments(text).map((document) => document.toJS() as Record<string, unknown>);
const configuration = (over: Partial<ReturnType<typeof wantedFixture>['configuration']>) => ({configuration: {...wantedFixture().configuration, ...over}});

describe("kubeadm's configuration", () => {
  it('of the first control plane is as it was', async () => {
    await expect(renderInit({wanted: wantedFixture(), traits, secrets})).toMatchFileSnapshot('golden/init.yaml');
  });

  it('of a worker with taints and settings is as it was', async () => {
    const wanted = wantedFixture({
      role: 'worker',
      bootstrap: false,
      node: {name: 'w1', addresses: ['10.77.0.14', 'fd00::14'], labels: {}, taints: [{key: 'gpu', effect: 'NoSchedule'}]},
      ...configuration({kubeadm: {ignorePreflightErrors: ['SystemVerification'], timeouts: {tlsBootstrap: '10m0s'}}}),
    });
    await expect(renderJoin({wanted, secrets, discoveryFile: '/etc/kubernetes/discovery.conf'})).toMatchFileSnapshot('golden/join.yaml');
  });

  it('of an upgrade keeps what was ignored, patched and left to others', () => {
    const wanted = wantedFixture(
      configuration({
        kubeadm: {ignorePreflightErrors: ['SystemVerification'], timeouts: {kubernetesAPICall: '5m0s'}, skipPhases: ['addon/kube-proxy', 'mark-control-plane']},
      }),
    );
    const both = {
      certificateRenewal: true,
      etcdUpgrade: true,
      imagePullPolicy: 'IfNotPresent',
      ignorePreflightErrors: ['SystemVerification'],
      skipPhases: ['addon/kube-proxy'],
      patches: {directory: '/etc/kubernetes/trireme-patches'},
    };
    expect(documents(renderUpgrade(wanted))).toEqual([
      {
        apiVersion: 'kubeadm.k8s.io/v1beta4',
        kind: 'UpgradeConfiguration',
        apply: {kubernetesVersion: wanted.kubernetesVersion, ...both},
        node: both,
        timeouts: {kubernetesAPICall: '5m0s'},
      },
    ]);
  });

  it('passes component settings through and turns a map of arguments into a list', () => {
    const wanted = wantedFixture(
      configuration({
        apiServer: {extraArgs: {'audit-log-path': '/var/log/audit.log'}, certSANs: ['api.example']},
        scheduler: {extraArgs: [{name: 'v', value: '4'}]},
        kubeProxy: {mode: 'nftables'},
        kubeadm: {featureGates: {X: true}, patches: {directory: '/etc/my-patches'}},
      }),
    );
    const [init, cluster, , proxy] = documents(renderInit({wanted, traits}));
    expect(cluster).toMatchObject({
      apiServer: {extraArgs: [{name: 'audit-log-path', value: '/var/log/audit.log'}], certSANs: ['api.example']},
      scheduler: {extraArgs: [{name: 'v', value: '4'}]},
      featureGates: {X: true},
    });
    expect(init).toMatchObject({patches: {directory: '/etc/my-patches'}});
    expect(init).not.toHaveProperty('bootstrapTokens');
    expect(proxy).toMatchObject({kind: 'KubeProxyConfiguration', mode: 'nftables'});
  });

  it('ignores the leftovers of its own unfinished run beside what the user ignores', () => {
    const [init] = documents(
      renderInit({wanted: wantedFixture(configuration({kubeadm: {ignorePreflightErrors: ['Swap']}})), traits, secrets, ignored: ['Port-6443']}),
    );
    expect(init).toMatchObject({nodeRegistration: {ignorePreflightErrors: ['Port-6443', 'Swap']}});
  });

  it('finds the cluster by a file without any secret', () => {
    const text = renderDiscovery(wantedFixture(), secrets.ca.certificate);
    expect(text).toContain('https://10.77.0.11:6443');
    expect(text).not.toContain(secrets.bootstrapToken);
  });
});

describe("containerd's configuration", () => {
  it('is as it was, with the systemd driver on cgroup v2', async () => {
    await expect(renderContainerd(wantedFixture(), traits)).toMatchFileSnapshot('golden/containerd.toml');
  });

  it("takes the file's settings over ours, and cgroupfs on cgroup v1", () => {
    const text = renderContainerd(
      wantedFixture(configuration({containerd: {plugins: {'io.containerd.cri.v1.runtime': {restrict_oom_score_adj: true}}, oom_score: null}})),
      {...traits, cgroup: 1},
    );
    expect(text).toContain('[plugins."io.containerd.cri.v1.runtime"]\nrestrict_oom_score_adj = true');
    expect(text).toContain('SystemdCgroup = false');
    expect(text).not.toContain('oom_score =');
  });

  it('quotes what TOML needs quoted', () => {
    expect(toToml({a: {'b.c': {text: 'say "x"\n', list: [1, true, 'z'], inline: [{k: 'v'}], empty: {}}}})).toBe(
      '\n[a."b.c"]\ntext = "say \\"x\\"\\n"\nlist = [1, true, "z"]\ninline = [{k = "v"}]\n\n[a."b.c".empty]\n',
    );
  });
});

describe("the kubelet's configuration", () => {
  it('has the cgroup driver of the host unless the file says another', () => {
    expect(renderKubelet(wantedFixture(), traits)).toMatchObject({cgroupDriver: 'systemd', clusterDNS: ['10.96.0.10']});
    expect(renderKubelet(wantedFixture(configuration({kubelet: {cgroupDriver: 'cgroupfs', maxPods: 50}})), traits)).toMatchObject({
      cgroupDriver: 'cgroupfs',
      maxPods: 50,
    });
  });

  it.each([
    ['10.96.0.0/12', '10.96.0.10'],
    ['192.168.255.0/24', '192.168.255.10'],
    ['fd00:10:96::/112', 'fd00:10:96::a'],
  ])('has cluster DNS of %s at %s', (cidr, address) => expect(dnsAddressOf(cidr)).toBe(address));

  it('escapes what systemd would expand in a proxy', () => {
    expect(proxyDropIn({HTTPS_PROXY: 'http://u:p%40@proxy:3128'})).toContain('Environment="HTTPS_PROXY=http://u:p%%40@proxy:3128"');
    expect(proxyDropIn({})).toBeUndefined();
  });
});

describe('merging', () => {
  it('finds leaves, contains parts, and takes leaves out with the tables that they leave empty', () => {
    const value = mergeOver({a: {b: 1, c: 2}, d: [1]}, {a: {b: 3}, d: [2]});
    expect(value).toEqual({a: {b: 3, c: 2}, d: [2]});
    expect(isContained({a: {c: 2}}, value)).toBe(true);
    expect(isContained({a: {c: 3}}, value)).toBe(false);
    expect(leafPaths(value)).toEqual([['a', 'b'], ['a', 'c'], ['d']]);
    expect(without({a: {b: 1}, d: 1}, ['a', 'b'])).toEqual({d: 1});
  });
});

describe("etcd's manifest", () => {
  it('keeps the members that it was started with', () => {
    const before = '    - --initial-cluster=h2=https://b:2380,h1=https://a:2380\n    - --initial-cluster-state=existing\n    - --name=h2\n';
    const rendered = '    - --initial-cluster=h2=https://b:2380\n    - --name=h2\n    - --quota=1\n';
    expect(keepInitialCluster(rendered, before)).toBe(`${before}    - --quota=1\n`);
  });
});
