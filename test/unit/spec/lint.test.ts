import {describe, expect, test} from 'vitest';
import type {Complaint} from '../../../src/spec/complaint.ts';
import {checkFiles} from '../../../src/spec/read.ts';

const base = `apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: berth}
spec:
  mode: agent
  kubernetes: {version: v1.36.3}
  network:
    pods: [10.244.0.0/16]
    services: [10.96.0.0/12]
  endpoint: {host: api.berth.example}
  configuration: {}
  agent:
    ssh: {user: ops}
    hosts:
      - {name: h1, address: 10.77.0.11, role: control-plane}
      - {name: h2, address: 10.77.0.12, role: worker}
`;

async function check(text: string, options: {allowSimulated?: boolean; env?: Record<string, string>} = {}) {
  return checkFiles({
    files: ['-'],
    folder: '/nonexistent',
    env: {HOME: '/nonexistent', ...options.env},
    stdin: async () => text,
    ...(options.allowSimulated === undefined ? {} : {allowSimulated: options.allowSimulated}),
  });
}

const brief = (complaints: readonly Complaint[]) => complaints.map((complaint) => `${complaint.rule} at ${complaint.line}:${complaint.column}`);
const h = (name: string, address: string, role: string, more = '') => `      - {name: ${name}, address: ${address}, role: ${role}${more}}\n`;

test('an address that the control planes serve, and its interface, are nothing to complain about', async () => {
  for (const endpoint of ['10.77.0.100, type: vip', '"fd00:77::100", type: vip, interface: bond0.7'])
    expect((await check(base.replace('api.berth.example', endpoint))).complaints).toEqual([]);
});

test('simulated control planes serve loopback, and nothing else', async () => {
  const simulated = base.replace('version: v1.36.3', 'distribution: simulated, version: v1.36.3');
  const vip = (address: string) => check(simulated.replace('api.berth.example', `${address}, port: 20443, type: vip`), {allowSimulated: true});
  expect(brief((await vip('10.77.0.100')).complaints)).toEqual(['endpoint.vip-address at 10:20']);
  expect((await vip('127.0.0.1')).complaints).toEqual([]);
});

test('a plain cluster has nothing to complain about', async () => {
  expect((await check(base)).complaints).toEqual([]);
});

describe('refuses, at its place', () => {
  test.each<[string, string, string, string]>([
    [
      'an even number of control planes',
      h('h2', '10.77.0.12', 'worker'),
      h('h2', '10.77.0.12', 'control-plane') + h('h3', '10.77.0.13', 'control-plane') + h('h4', '10.77.0.14', 'control-plane'),
      'hosts.even-control-planes at 14:5',
    ],
    ['two control planes', h('h2', '10.77.0.12', 'worker'), h('h2', '10.77.0.12', 'control-plane'), 'hosts.even-control-planes at 14:5'],
    ['no control plane', 'role: control-plane', 'role: worker', 'hosts.no-control-plane at 14:5'],
    ['pods and services that overlap', '10.96.0.0/12', '10.244.128.0/20', 'network.overlap at 9:16'],
    ['pods and hosts that overlap', '10.244.0.0/16', '10.77.0.0/16', 'network.overlap at 15:29'],
    [
      'pods and services that overlap in IPv6',
      'pods: [10.244.0.0/16]\n    services: [10.96.0.0/12]',
      'pods: [10.244.0.0/16, "fd00::/60"]\n    services: [10.96.0.0/12, "fd00:0:0:0:f::/112"]',
      'network.overlap at 9:30',
    ],
    ['an endpoint in the pods network', 'api.berth.example', '10.244.1.1', 'network.overlap at 10:20'],
    ['two pods networks of one family', 'pods: [10.244.0.0/16]', 'pods: [10.244.0.0/16, 10.245.0.0/16]', 'network.family at 8:27'],
    ['dual-stack pods with single-stack services', 'pods: [10.244.0.0/16]', 'pods: [10.244.0.0/16, "fd00::/56"]', 'network.family at 9:15'],
    [
      'families in different order',
      'pods: [10.244.0.0/16]\n    services: [10.96.0.0/12]',
      'pods: ["fd00::/56", 10.244.0.0/16]\n    services: [10.96.0.0/12, "fd01::/112"]',
      'network.family at 9:15',
    ],
    ['a node address of a family without pods', 'role: worker', 'nodeAddress: "fd01::2", role: worker', 'network.family at 16:54'],
    ['a network that is none', '10.244.0.0/16', '10.244.0.0/33', 'network.cidr at 8:12'],
    ['a network with bits after its prefix', '10.244.0.0/16', '10.244.1.0/16', 'network.cidr at 8:12'],
    ['a services network that is too large', '10.96.0.0/12', '11.0.0.0/8', 'network.size at 9:16'],
    ['a pods network without room for the nodes', '10.244.0.0/16', '10.244.0.0/24', 'network.size at 8:12'],
    ['two hosts of one name', 'name: h2', 'name: h1', 'hosts.duplicate-name at 16:16'],
    ['two hosts of one address', '10.77.0.12', '10.77.0.11', 'hosts.duplicate-address at 16:29'],
    ['two hosts of one node address', 'role: worker', 'nodeAddress: 10.77.0.11, role: worker', 'hosts.duplicate-node-address at 16:54'],
    ['a node address that is a name', 'role: worker', 'nodeAddress: h2.example, role: worker', 'host.node-address at 16:54'],
    ['a Kubernetes minor that is too old', 'v1.36.3', 'v1.33.1', 'version.unsupported at 6:25'],
    ['a Kubernetes minor that is too new', 'v1.36.3', 'v1.37.0', 'version.unsupported at 6:25'],
    ["an endpoint that is a worker's address", 'api.berth.example', '10.77.0.12', 'endpoint.worker at 10:20'],
    ['an endpoint with its port in the host', 'api.berth.example', 'api.berth.example:6443', 'endpoint.host at 10:20'],
    [
      'a password as text',
      'configuration: {}',
      'configuration: {apiServer: {extraArgs: [{name: oidc-client-secret, value: deadbeef}]}}',
      'secret.inline at 11:77',
    ],
    ['a bootstrap token as text', 'configuration: {}', 'configuration: {kubeadm: {join: abcdef.0123456789abcdef}}', 'secret.inline at 11:35'],
    ['a private key as text', 'configuration: {}', 'configuration: {kubelet: {x: "-----BEGIN OPENSSH PRIVATE KEY-----"}}', 'secret.inline at 11:32'],
    ['Trusted Boot in agent mode', '  configuration: {}', '  trustedBoot: true', 'mode.trusted-boot at 11:3'],
    ['central management', '  configuration: {}', '  management: central', 'mode.management at 11:15'],
    ['the simulated distribution', 'version: v1.36.3', 'distribution: simulated, version: v1.36.3', 'mode.simulated at 6:30'],
    ['a name as the address that control planes serve', 'api.berth.example', 'api.berth.example, type: vip', 'endpoint.vip-address at 10:20'],
    ["a host's own address as one that control planes serve", 'api.berth.example', '10.77.0.11, type: vip', 'endpoint.vip-host at 10:20'],
    ["a worker's address as one that control planes serve", 'api.berth.example', '10.77.0.12, type: vip', 'endpoint.vip-host at 10:20'],
    ['an address of the services as one that control planes serve', 'api.berth.example', '10.96.0.1, type: vip', 'network.overlap at 10:20'],
    ['loopback as an address that control planes serve', 'api.berth.example', '127.0.0.1, type: vip', 'endpoint.vip-address at 10:20'],
    ['a link-local address as one that control planes serve', 'api.berth.example', '"fe80::1", type: vip', 'endpoint.vip-address at 10:20'],
    ["another port than the API servers' own where control planes serve", 'api.berth.example', '10.77.0.9, port: 443, type: vip', 'endpoint.vip-port at 10:37'],
    ['an interface for an endpoint that others serve', 'api.berth.example', 'api.berth.example, interface: eth0', 'endpoint.interface at 10:39'],
    ['controller mode without its section', 'mode: agent', 'mode: controller', 'mode.section at 4:1'],
    ['appliance mode', 'mode: agent', 'mode: appliance', 'mode.unsupported at 5:9'],
    ["another mode's section", '  configuration: {}', '  controller: {class: quick}', 'mode.section at 11:3'],
    ['a label that the kubelet sets', 'role: worker', 'role: worker, labels: {kubernetes.io/hostname: x}', 'label.reserved at 16:64'],
    ["a label below Kubernetes' domain", 'role: worker', 'role: worker, labels: {storage.k8s.io/x: y}', 'label.reserved at 16:64'],
    [
      "a control plane's role label on a worker",
      'role: worker',
      'role: worker, labels: {node-role.kubernetes.io/control-plane: ""}',
      'label.reserved at 16:64',
    ],
    ['a label key with two slashes', 'role: worker', 'role: worker, labels: {a/b/c: y}', 'label.key at 16:64'],
    ['a label value with a blank', 'role: worker', 'role: worker, labels: {zone: a b}', 'label.value at 16:70'],
    [
      'a taint that Kubernetes keeps',
      'role: worker',
      'role: worker, taints: [{key: node.kubernetes.io/not-ready, effect: NoExecute}]',
      'taint.reserved at 16:70',
    ],
    ['a taint key that is none', 'role: worker', 'role: worker, taints: [{key: "g p u", effect: NoExecute}]', 'taint.key at 16:70'],
    [
      'the same taint twice',
      'role: worker',
      'role: worker, taints: [{key: gpu, effect: NoExecute}, {key: gpu, value: x, effect: NoExecute}]',
      'taint.duplicate at 16:95',
    ],
    ['a kernel parameter that is none', 'configuration: {}', 'configuration: {sysctls: {/proc/sys/x: 1}}', 'sysctl.name at 11:29'],
    ['forwarding switched off', 'configuration: {}', 'configuration: {sysctls: {net.ipv4.ip_forward: 0}}', 'sysctl.breaks at 11:50'],
    ['a jump host that is none', '{user: ops}', '{jump: ["ops@bastion:port"]}', 'ssh.jump at 13:18'],
    ['a jump host that is an option', '{user: ops}', '{jump: ["-oProxyCommand=x"]}', 'ssh.jump at 13:18'],
    ['a file that is not there', 'role: worker', 'role: worker, files: [{source: nowhere.txt, path: /etc/x}]', 'files.missing at 16:72'],
    ['a hook that is not there', 'role: worker', 'role: worker, hooks: {beforeApply: nowhere.sh}', 'files.missing at 16:76'],
    ["a file over the agent's own", 'role: worker', 'role: worker, files: [{source: nowhere.txt, path: /var/lib/trireme/wanted.json}]', 'files.path at 16:91'],
    ['a runtime that is not there', '    ssh:', '    runtime: {arm64: ./node}\n    ssh:', 'files.missing at 13:22'],
    ['a share that allows nothing', '  configuration: {}', '  rollout: {maxUnavailable: 0%}', 'rollout.share at 11:29'],
    ['a proxy that is no URL', '{user: ops}', '{user: ops}\n    proxy: {https: "proxy.example:3128"}', 'proxy.url at 14:20'],
    ['a profile that is not there', '  configuration: {}', '  profile: {file: nowhere.yaml}', 'files.missing at 11:19'],
    ['a profile that is no document', '  configuration: {}', '  profile: {name: harbour}', 'profile.not-found at 11:19'],
  ])('%s', async (_what, from, to, expected) => {
    expect(base).toContain(from);
    expect(brief((await check(base.replace(from, to))).complaints)).toContain(expected);
  });
});

describe('lets through', () => {
  test.each<[string, string, string]>([
    ['three control planes', h('h2', '10.77.0.12', 'worker'), h('h2', '10.77.0.12', 'control-plane') + h('h3', '10.77.0.13', 'control-plane')],
    [
      'dual-stack',
      'pods: [10.244.0.0/16]\n    services: [10.96.0.0/12]',
      'pods: [10.244.0.0/16, "fd00:10:244::/56"]\n    services: [10.96.0.0/12, "fd00:10:96::/112"]',
    ],
    [
      'hosts behind one address on different ports',
      h('h2', '10.77.0.12', 'worker'),
      h('h2', '10.77.0.11', 'worker', ', nodeAddress: 10.9.0.2, ssh: {port: 2222}'),
    ],
    [
      'words that only sound like secrets',
      'configuration: {}',
      'configuration: {apiServer: {extraArgs: [{name: service-account-key-file, value: /etc/x}]}, kubelet: {tokenTTL: 1h, serverTLSBootstrap: true}}',
    ],
    ['topology labels', 'role: worker', 'role: worker, labels: {topology.kubernetes.io/zone: a, node-role.kubernetes.io/edge: ""}'],
    [
      'parameters of an interface with a dot in its name',
      'configuration: {}',
      'configuration: {sysctls: {net.ipv4.conf.eth0/100.rp_filter: 2, net.core.somaxconn: 1024}}',
    ],
    ['jump hosts in every form', '{user: ops}', '{jump: [a, ops@b, "c:2222", "ops@[fd00::1]:22"]}'],
    ['secrets from elsewhere', '{user: ops}', '{sudo: {password: {fromEnv: SUDO_PASSWORD}}, passphrase: {fromEnv: KEY_PASSPHRASE}}'],
  ])('%s', async (_what, from, to) => {
    expect(base).toContain(from);
    expect(brief((await check(base.replace(from, to))).complaints)).toEqual([]);
  });

  test('the simulated distribution in the sandbox, told by option or environment', async () => {
    const text = base.replace('version: v1.36.3', 'distribution: simulated, version: v1.36.3');
    expect((await check(text, {allowSimulated: true})).complaints).toEqual([]);
    expect((await check(text, {env: {TRIREME_SANDBOX: '1'}})).complaints).toEqual([]);
  });
});

test('all complaints come at once, those of the form and those of the rules, in the order of the file', async () => {
  const text = base.replace('{user: ops}', '{usr: ops}').replace('10.244.0.0/16', '10.96.0.0/16').replace('name: h2', 'name: h1');
  expect(brief((await check(text)).complaints)).toEqual(['network.overlap at 9:16', 'schema.unknown-key at 13:11', 'hosts.duplicate-name at 16:16']);
});

test('an inline secret is shown nowhere', async () => {
  const {complaints} = await check(base.replace('{user: ops}', '{sudo: {password: correct-horse}}'));
  expect(brief(complaints)).toEqual(['secret.inline at 13:28']);
  expect(JSON.stringify(complaints)).not.toContain('correct-horse');
});

test('a key that is missing here is a warning, since another computer may apply', async () => {
  const {complaints, clusters} = await check(base.replace('{user: ops}', '{identityFile: ~/.ssh/nowhere}'));
  expect(complaints).toEqual([]);
  expect(clusters[0]?.warnings.map((warning) => warning.code)).toContain('files.missing-later');
});

test('an endpoint on one of three control planes is a warning', async () => {
  const text = base
    .replace('api.berth.example', '10.77.0.11')
    .replace('role: worker}', 'role: control-plane}\n      - {name: h3, address: 10.77.0.13, role: control-plane}');
  const {complaints, clusters} = await check(text);
  expect(complaints).toEqual([]);
  expect(clusters[0]?.warnings.map((warning) => warning.code)).toContain('endpoint.single');
});

test('an endpoint that a control plane and a worker share, behind one translated address, is no mistake', async () => {
  const text = base
    .replace('api.berth.example', '203.0.113.5')
    .replace(
      h('h1', '10.77.0.11', 'control-plane') + h('h2', '10.77.0.12', 'worker'),
      h('w', '203.0.113.5', 'worker', ', nodeAddress: 10.9.0.2, ssh: {port: 2202}') +
        h('c', '203.0.113.5', 'control-plane', ', nodeAddress: 10.9.0.1, ssh: {port: 2201}'),
    );
  expect(brief((await check(text)).complaints)).toEqual([]);
});
