import {describe, expect, it} from 'vitest';
import type {HostFacts} from '../../../src/hosts/facts.ts';
import type {Severity} from '../../../src/hosts/preflight/check.ts';
import {checks} from '../../../src/hosts/preflight/registry.ts';
import {runPreflight} from '../../../src/hosts/preflight/run-preflight.ts';
import {TriremeError} from '../../../src/kernel/errors.ts';
import {problemOf} from '../../../src/kernel/problem.ts';
import {contextOf, healthyScene, seen, type Loose, type Scene} from './scene.ts';

interface Case {
  readonly breaks: (scene: Scene) => void;
  readonly host?: string;
  readonly severity: Severity;
  readonly observed: string | RegExp;
  readonly remedy: string | RegExp;
}

/** Breaks h2's facts. */
const h2 = (change: (facts: Loose<HostFacts>) => void) => (scene: Scene) => change(scene.facts['h2'] as Loose<HostFacts>);
const onH2 = (severity: Severity, observed: string | RegExp, remedy: string | RegExp, change: (facts: Loose<HostFacts>) => void): Case => ({
  host: 'h2',
  severity,
  observed,
  remedy,
  breaks: h2(change),
});
const root = (facts: Loose<HostFacts>) => facts.mounts.find(({path}) => path === '/') as Loose<HostFacts>['mounts'][number];
const variable = (facts: Loose<HostFacts>) => facts.mounts.find(({path}) => path === '/var') as Loose<HostFacts>['mounts'][number];

/** The control planes serve 10.77.0.100, which nobody has yet. */
const served =
  (change: (facts: Loose<HostFacts>) => void, nodeAddress?: string[]) =>
  (scene: Scene): void => {
    scene.document.spec.endpoint = {host: '10.77.0.100', port: 6443, type: 'vip'};
    for (const facts of Object.values(scene.facts)) facts.reach['10.77.0.100:6443'] = 'none';
    const host = scene.document.spec.agent?.hosts[1];
    if (nodeAddress !== undefined && host !== undefined) host.nodeAddress = nodeAddress;
    h2(change)(scene);
  };
/** All are members, and reach the endpoint. */
const running =
  (change: (facts: Loose<HostFacts>) => void) =>
  (scene: Scene): void => {
    for (const facts of Object.values(scene.facts)) {
      facts.agent = {...facts.agent, installed: true, active: true, seen: seen('berth')};
      facts.reach['10.77.0.11:6443'] = 'open';
    }
    h2(change)(scene);
  };

/** For each check one way to break it, and what it then says. The first test below holds that none is left out. */
const cases: Readonly<Record<string, readonly Case[]>> = {
  ssh: [
    {
      host: 'h4',
      severity: 'error',
      observed: /refused/,
      remedy: 'trireme host check h4',
      breaks: (scene) =>
        (scene.problems['h4'] = problemOf(new TriremeError('host.port-closed', "Can't reach 10.77.0.14 over SSH: connection refused on port 22."))),
    },
  ],
  'root-access': [onH2('error', /root/, /sudo/, (facts) => (facts.sudo.root = false))],
  systemd: [
    onH2('error', 'openrc-init is process 1', /systemd/, (facts) => ((facts.initSystem = 'openrc-init'), (facts.systemdVersion = undefined))),
    onH2('warning', 'systemd 239', /newer/, (facts) => (facts.systemdVersion = 239)),
  ],
  'operating-system': [
    onH2(
      'error',
      'Alpine Linux v3.20',
      /OpenRC/,
      (facts) => (facts.os = {id: 'alpine', idLike: [], versionId: '3.20', name: 'Alpine Linux v3.20', variant: ''}),
    ),
    onH2('warning', 'Exherbo', /tools/, (facts) => (facts.os = {id: 'exherbo', idLike: [], versionId: '', name: 'Exherbo', variant: ''})),
  ],
  architecture: [onH2('error', 'riscv64', /amd64 and arm64/, (facts) => ((facts.architecture = undefined), (facts.kernel.architecture = 'riscv64')))],
  'container-host': [onH2('warning', /lxc/, /machine/, (facts) => (facts.virtualization = 'lxc'))],
  tools: [
    onH2('error', 'missing: losetup, modprobe', 'apt-get install -y kmod mount', (facts) => (delete facts.tools['losetup'], delete facts.tools['modprobe'])),
    onH2('error', 'neither iptables nor nft', 'apt-get install -y iptables', (facts) => (delete facts.tools['iptables'], delete facts.tools['nft'])),
  ],
  'tools-recommended': [onH2('warning', 'missing: conntrack', 'apt-get install -y conntrack', (facts) => delete facts.tools['conntrack'])],
  cpus: [onH2('error', '1', /processors/, (facts) => (facts.cpus = 1))],
  memory: [
    onH2('error', '1024 MiB', /memory/, (facts) => (facts.memory.total = 1024)),
    onH2('warning', '2000 MiB', /memory/, (facts) => (facts.memory.total = 2000)),
  ],
  'disk-space': [
    onH2('error', /^3000 MiB free on \/var \(for \/var\/lib\/trireme, /, 'free or add space: df -h /var', (facts) => (variable(facts).free = 3000)),
    onH2('warning', /^9000 MiB/, /df/, (facts) => (variable(facts).free = 9000)),
  ],
  'disk-pressure': [onH2('error', /^14 % of \/var is free/, /evictionHard/, (facts) => ((variable(facts).size = 200_000), (variable(facts).free = 28_001)))],
  inodes: [onH2('error', '99 inodes free on /var', /inodes/, (facts) => (variable(facts).freeInodes = 99))],
  'kernel-version': [onH2('error', '4.18.0-553.el8_10.x86_64', /kernel|upgrade/, (facts) => (facts.kernel.release = '4.18.0-553.el8_10.x86_64'))],
  'kernel-known-bad': [
    {
      host: 'h2',
      severity: 'error',
      observed: /5\.15\.0-127/,
      remedy: /IPv6/,
      breaks: (scene) => ((scene.cni = 'calico'), h2((facts) => (facts.kernel.release = '5.15.0-127-generic'))(scene)),
    },
    onH2('warning', /6\.8\.0-57/, /IPv6/, (facts) => (facts.kernel.release = '6.8.0-57-generic')),
  ],
  'cgroup-v2': [
    onH2('error', 'cgroup v1', /unified_cgroup_hierarchy=1.*update-grub/, (facts) => (facts.cgroup.version = 1)),
    {
      host: 'h2',
      severity: 'error',
      observed: /failCgroupV1 is false/,
      remedy: /ignore cgroup-v2/,
      breaks: (scene) => ((scene.document.spec.configuration = {kubelet: {failCgroupV1: false}}), h2((facts) => (facts.cgroup.version = 1))(scene)),
    },
  ],
  'cgroup-controllers': [onH2('error', 'missing: memory', /cgroup_enable=memory/, (facts) => (facts.cgroup.controllers = ['cpu', 'cpuset', 'pids']))],
  swap: [
    onH2('error', 'on: /swapfile', /fstab/, (facts) => ((facts.swapOn = true), (facts.swaps = ['/swapfile']))),
    onH2('error', 'on: /dev/zram0', /zram-generator/, (facts) => ((facts.swapOn = true), (facts.swaps = ['/dev/zram0']))),
    {
      host: 'h2',
      severity: 'error',
      observed: /failSwapOn is false/,
      remedy: /ignore swap/,
      breaks: (scene) => (
        (scene.document.spec.configuration = {kubelet: {failSwapOn: false}}),
        h2((facts) => ((facts.swapOn = true), (facts.swaps = ['/swapfile'])))(scene)
      ),
    },
  ],
  modules: [
    onH2('error', 'missing: br_netfilter', /kernel/, (facts) => (facts.modules.available = facts.modules.available.filter((name) => name !== 'br_netfilter'))),
    onH2('warning', 'missing: vxlan', /kernel/, (facts) => (facts.modules.available = facts.modules.available.filter((name) => name !== 'vxlan'))),
  ],
  'modules-locked': [onH2('error', /br_netfilter isn't loaded/, /modules-load\.d/, (facts) => (facts.modules.disabled = true))],
  sysctls: [
    onH2(
      'error',
      '/etc/sysctl.conf sets net.ipv4.ip_forward = 0',
      /remove that line/,
      (facts) => (facts.sysctlOverrides = [{file: '/etc/sysctl.conf', key: 'net.ipv4.ip_forward', value: '0'}]),
    ),
  ],
  'kernel-limits': [
    onH2('warning', 'fs.inotify.max_user_instances = 128', /configuration\.sysctls/, (facts) => (facts.sysctls['fs.inotify.max_user_instances'] = '128')),
  ],
  noexec: [
    onH2('error', '/var is mounted with noexec', 'remove noexec from /var in /etc/fstab, then: mount -o remount,exec /var', (facts) =>
      variable(facts).options.push('noexec'),
    ),
  ],
  'temporary-folders': [onH2('warning', '/var/tmp has mode 755', 'chmod 1777 /var/tmp', (facts) => (facts.folderModes['/var/tmp'] = '755'))],
  'writable-folders': [
    onH2(
      'error',
      '/usr/local/lib/trireme is read-only',
      'set spec.agent.root: /opt/trireme-agent',
      (facts) => (facts.writable['/usr/local/lib/trireme'] = false),
    ),
    onH2('error', 'read-only: /etc', /overlays/, (facts) => (facts.writable['/etc'] = false)),
  ],
  'mount-propagation': [onH2('warning', '/var is mounted private', /make-rshared/, (facts) => (variable(facts).shared = false))],
  'other-runtimes': [
    onH2(
      'error',
      'docker.service is active',
      /systemctl disable --now docker, then apt-get purge -y docker\.io/,
      (facts) => (facts.services['docker'] = 'active'),
    ),
    onH2('error', 'containerd.service is active', /containerd/, (facts) => (facts.services['containerd'] = 'active')),
  ],
  'other-clusters': [
    onH2(
      'error',
      'K3s: k3s.service is active, /var/lib/rancher/k3s exists',
      /k3s-uninstall/,
      (facts) => ((facts.services['k3s'] = 'active'), (facts.leftovers = ['/var/lib/rancher/k3s'])),
    ),
  ],
  'kubernetes-leftovers': [
    onH2(
      'error',
      '/etc/kubernetes/pki, /var/lib/etcd/member',
      /rm -rf \/etc\/kubernetes\/pki \/var\/lib\/etcd\/member/,
      (facts) => (facts.leftovers = ['/etc/kubernetes/pki', '/var/lib/etcd/member']),
    ),
  ],
  'cni-leftovers': [onH2('error', 'not empty: /etc/cni/net.d', 'rm -rf /etc/cni/net.d/*', (facts) => (facts.leftovers = ['/etc/cni/net.d']))],
  'cluster-foreign': [onH2('error', 'its agent works for cluster other', /host reset/, (facts) => (facts.agent.seen = seen('other')))],
  'agent-compatible': [onH2('error', 'agent 9.0.0 speaks protocol 7', /newer/, (facts) => (facts.agent.seen = seen('berth', {protocol: 7, version: '9.0.0'})))],
  ports: [
    onH2('error', 'nginx listens on 0.0.0.0:6443/tcp', /ss -lnp/, (facts) =>
      facts.listening.push({protocol: 'tcp', address: '0.0.0.0', port: 6443, program: 'nginx'}),
    ),
  ],
  firewall: [
    onH2(
      'warning',
      'ufw is active',
      /^ufw allow 6443\/tcp && ufw allow 2379:2380\/tcp && .*ufw allow 8472\/udp$/,
      (facts) => (facts.firewall = {program: 'ufw', active: true, rules: 3, chains: []}),
    ),
    onH2(
      'warning',
      'firewalld is active',
      /^firewall-cmd --permanent --add-port=6443\/tcp .*--reload$/,
      (facts) => (facts.firewall = {program: 'firewalld', active: true, rules: 3, chains: []}),
    ),
    onH2(
      'warning',
      'nftables is active',
      /tcp dport \{ 6443, 2379-2380, .*udp dport/,
      (facts) => (facts.firewall = {program: 'nftables', active: true, rules: 3, chains: []}),
    ),
  ],
  selinux: [onH2('warning', /enforcing/, /container-selinux/, (facts) => (facts.selinux = 'enforcing'))],
  apparmor: [onH2('warning', 'enforced: runc (enforce)', 'aa-complain runc', (facts) => facts.apparmorProfiles.push('runc (enforce)'))],
  'clock-skew': [
    onH2('error', '45.0 s behind the median of the hosts', /timesyncd/, (facts) => (facts.clockOffset = -45_000)),
    onH2('warning', '5.0 s ahead of the median of the hosts', /timesyncd/, (facts) => (facts.clockOffset = 5000)),
  ],
  'time-service': [
    onH2('warning', 'no time service is active', /systemd-timesyncd/, (facts) => ((facts.timeService = undefined), (facts.clockSynchronized = undefined))),
    onH2('warning', /not in step/, /UDP 123/, (facts) => (facts.clockSynchronized = false)),
  ],
  hostname: [
    onH2('error', 'Host_2', 'hostnamectl set-hostname h2', (facts) => (facts.hostname = 'Host_2')),
    onH2('warning', 'localhost', 'hostnamectl set-hostname h2', (facts) => (facts.hostname = 'localhost')),
  ],
  'hostname-unique': [onH2('error', 'h1, like h1', 'hostnamectl set-hostname h2', (facts) => (facts.hostname = 'h1'))],
  'hostname-resolves': [onH2('warning', "h2 doesn't resolve", "echo '10.77.0.12 h2' >> /etc/hosts", (facts) => (facts.hostnameResolves = false))],
  'machine-id': [onH2('error', '/etc/machine-id is empty', /systemd-machine-id-setup/, (facts) => (facts.machineId = ''))],
  'machine-id-unique': [
    {
      host: 'h2',
      severity: 'error',
      observed: /, like h1$/,
      remedy: /systemd-machine-id-setup/,
      breaks: (scene) => h2((facts) => (facts.machineId = scene.facts['h1']?.machineId ?? ''))(scene),
    },
    {
      host: 'h2',
      severity: 'error',
      observed: /one host under two names/,
      remedy: 'list each host once',
      breaks: (scene) => h2((facts) => ((facts.machineId = scene.facts['h1']?.machineId ?? ''), (facts.bootId = scene.facts['h1']?.bootId ?? '')))(scene),
    },
  ],
  'mac-unique': [
    onH2('error', '52:54:00:12:34:00, like h1', /MAC/, (facts) =>
      facts.interfaces.forEach((item) => (item.mac = item.physical ? '52:54:00:12:34:00' : item.mac)),
    ),
  ],
  'default-route': [
    onH2('error', 'no default route', /ip route add default/, (facts) => (facts.routes = facts.routes.filter(({network}) => !network.endsWith('/0')))),
  ],
  'node-address': [
    onH2('error', /^no interface has 10\.77\.0\.12; it has 192\.168\.9\.2/, /nodeAddress of h2/, (facts) =>
      facts.interfaces.forEach((item) => (item.addresses = item.name === 'lo' ? item.addresses : ['192.168.9.2/24'])),
    ),
  ],
  'stable-address': [onH2('warning', /^10\.77\.0\.12 is leased/, /DHCP/, (facts) => facts.interfaces.forEach((item) => (item.leased = ['10.77.0.12/24'])))],
  'network-overlap': [
    onH2('error', '10.244.3.0/24 on ens4 overlaps spec.network.pods 10.244.0.0/16', /spec\.network\.pods/, (facts) =>
      facts.routes.push({network: '10.244.3.0/24', interface: 'ens4', gateway: undefined, metric: 0}),
    ),
    onH2('error', '10.100.0.7/16 on ens4 overlaps spec.network.services 10.96.0.0/12', /spec\.network\.services/, (facts) =>
      facts.interfaces.push({name: 'ens4', mac: '52:54:00:99:00:01', mtu: 1500, up: true, physical: true, addresses: ['10.100.0.7/16'], leased: []}),
    ),
  ],
  ipv6: [
    {
      host: 'h2',
      severity: 'error',
      observed: /disable_ipv6 is 1/,
      remedy: /sysctl -w/,
      breaks: (scene) => (
        (scene.document.spec.network.pods = ['10.244.0.0/16', 'fd00:10::/56']),
        h2((facts) => (facts.sysctls['net.ipv6.conf.all.disable_ipv6'] = '1'))(scene)
      ),
    },
    {
      host: 'h2',
      severity: 'error',
      observed: 'no IPv6 node address (10.77.0.12)',
      remedy: /nodeAddress of h2/,
      breaks: (scene) => (scene.document.spec.network.pods = ['10.244.0.0/16', 'fd00:10::/56']),
    },
  ],
  'network-manager': [onH2('warning', /NetworkManager is active/, /unmanaged-devices/, (facts) => (facts.services['NetworkManager'] = 'active'))],
  networkd: [
    onH2('error', '/etc/systemd/network/lan.network is for Type=ether: the links of pods, too', /Kind=!\*/, (facts) => {
      facts.services['systemd-networkd'] = 'active';
      facts.networkdFiles = [{path: '/etc/systemd/network/lan.network', match: {Type: 'ether'}}];
    }),
    onH2('error', /^\/run\/systemd\/network\/10-all\.network is for Name=e\* v\*/, /networkctl reload/, (facts) => {
      facts.services['systemd-networkd'] = 'active';
      facts.networkdFiles = [
        {path: '/etc/systemd/network/20-lan.network', match: {Name: '*'}},
        {path: '/run/systemd/network/10-all.network', match: {Name: 'e* v*'}},
      ];
    }),
  ],
  'network-driver': [onH2('warning', 'vmxnet3 with flannel', /ethtool -K ens3/, (facts) => (facts.networkDrivers = ['vmxnet3']))],
  'mtu-agreement': [onH2('warning', '1400', /MTU/, (facts) => facts.interfaces.forEach((item) => (item.mtu = item.name === 'ens3' ? 1400 : item.mtu)))],
  'mtu-path': [onH2('error', "packets to h1 (10.77.0.11) of 1400 bytes get through, of 1500 don't", /1400/, (facts) => (facts.mtuTo['10.77.0.11'] = 1372))],
  reachability: [
    onH2(
      'error',
      'no answer from h1 (10.77.0.11) on 2379/tcp, 2380/tcp',
      /^on h1: /,
      (facts) => ((facts.reach['10.77.0.11:2379'] = 'none'), (facts.reach['10.77.0.11:2380'] = 'none')),
    ),
    onH2('warning', /nothing was tried/, /apt-get install -y bash coreutils/, (facts) => (facts.reachTool = 'none')),
  ],
  dns: [
    onH2('warning', /names no server/, /DNS/, (facts) => (facts.resolvConf.nameservers = [])),
    onH2('warning', '4 servers', /remove/, (facts) => (facts.resolvConf.nameservers = ['1.1.1.1', '1.0.0.1', '8.8.8.8', '8.8.4.4'])),
  ],
  'dns-loop': [onH2('error', /names only 127\.0\.0\.53/, /kubelet\.resolvConf/, (facts) => (facts.resolvConf.upstream = []))],
  proxy: [
    onH2(
      'error',
      /NO_PROXY lacks 10\.244\.0\.0\/16, 10\.77\.0\.11, 10\.77\.0\.12, \.svc/,
      /\/etc\/environment/,
      (facts) => (facts.environmentProxy = {https_proxy: 'http://proxy:3128', no_proxy: 'localhost,10.96.0.0/12'}),
    ),
  ],
  'endpoint-resolves': [
    {
      host: 'h2',
      severity: 'error',
      observed: "api.example doesn't resolve here",
      remedy: /DNS record/,
      breaks: (scene) => ((scene.document.spec.endpoint.host = 'api.example'), h2((facts) => (facts.endpointAddresses = []))(scene)),
    },
  ],
  'endpoint-free': [
    {
      host: 'h1',
      severity: 'error',
      observed: /something answers at 10\.77\.0\.11:6443/,
      remedy: /on h1/,
      breaks: h2((facts) => (facts.reach['10.77.0.11:6443'] = 'open')),
    },
    {
      severity: 'warning',
      observed: /something answers at 10\.77\.0\.100:6443/,
      remedy: /curl -k/,
      breaks: (scene) => ((scene.document.spec.endpoint.host = '10.77.0.100'), h2((facts) => (facts.reach['10.77.0.100:6443'] = 'open'))(scene)),
    },
    {
      host: 'h1',
      severity: 'error',
      observed: /already an address of h1/,
      remedy: /free address/,
      breaks: (scene) => (scene.document.spec.endpoint.type = 'vip'),
    },
    {
      severity: 'error',
      observed: /something answers/,
      remedy: /free address/,
      breaks: served((facts) => (facts.reach['10.77.0.100:6443'] = 'open')),
    },
    {
      severity: 'error',
      observed: 'somebody in the network has 10.77.0.100',
      remedy: /free address/,
      breaks: served((facts) => (facts.reach['10.77.0.100:6443'] = 'refused')),
    },
    {
      severity: 'error',
      observed: 'somebody in the network has 10.77.0.100 (its hardware is 52:54:00:ff:00:01)',
      remedy: /free address/,
      breaks: served((facts) => (facts.neighbours = {'10.77.0.100': '52:54:00:ff:00:01'})),
    },
  ],
  'endpoint-network': [
    {
      host: 'h2',
      severity: 'error',
      observed: 'ens3 has 10.77.1.12/24, and 10.77.0.100 is in no network of these',
      remedy: /free address of that network/,
      breaks: served((facts) => ((facts.interfaces[0] as {addresses: string[]}).addresses = ['10.77.1.12/24']), ['10.77.1.12']),
    },
    {
      host: 'h2',
      severity: 'error',
      observed: "there's no interface bond0; there are ens3",
      remedy: /spec\.endpoint\.interface/,
      breaks: (scene) => {
        served(() => {})(scene);
        scene.document.spec.endpoint.interface = 'bond0';
        for (const host of ['h1', 'h3']) (scene.facts[host]?.interfaces[0] ?? {name: ''}).name = 'bond0';
      },
    },
    {
      host: 'h2',
      severity: 'error',
      observed: 'ens3 is down',
      remedy: 'ip link set ens3 up',
      breaks: served((facts) => ((facts.interfaces[0] as {up: boolean}).up = false)),
    },
    {
      host: 'h2',
      severity: 'error',
      observed: '10.77.0.100 is the first or the last of its network',
      remedy: /choose another/,
      breaks: served((facts) => ((facts.interfaces[0] as {addresses: string[]}).addresses = ['10.77.0.12/24', '10.77.0.100/30'])),
    },
  ],
  'endpoint-reachable': [
    {
      host: 'h2',
      severity: 'warning',
      observed: 'no answer from 10.77.0.200:6443',
      remedy: /is let through/,
      breaks: (scene) => ((scene.document.spec.endpoint.host = '10.77.0.200'), h2((facts) => (facts.reach['10.77.0.200:6443'] = 'none'))(scene)),
    },
    {
      host: 'h2',
      severity: 'error',
      observed: /no connection to 10\.77\.0\.11:6443, where the cluster is served/,
      remedy: /load balancer/,
      breaks: running((facts) => ((facts.reach['10.77.0.11:6443'] = 'refused'), (facts.agent.seen = undefined))),
    },
    {
      host: 'h2',
      severity: 'warning',
      observed: /no connection to 10\.77\.0\.11:6443, where the cluster is served/,
      remedy: /load balancer/,
      breaks: running((facts) => (facts.reach['10.77.0.11:6443'] = 'none')),
    },
  ],
  quorum: [
    {
      severity: 'warning',
      observed: '2 control planes',
      remedy: /make it 1 or 3/,
      breaks: (scene) => ((scene.document.spec.agent?.hosts[2] ?? {role: ''}).role = 'worker'),
    },
    {
      severity: 'error',
      observed: '1 of 3 control planes answer',
      remedy: /host check/,
      breaks: (scene) =>
        (scene.problems = Object.fromEntries(['h1', 'h2'].map((host) => [host, problemOf(new TriremeError('host.unreachable', 'No answer.', {host}))]))),
    },
    {
      severity: 'warning',
      observed: 'the agent is stopped on h1',
      remedy: /systemctl start/,
      breaks: (scene) => ((scene.facts['h1'] as Loose<HostFacts>).agent.seen = seen('berth')),
    },
  ],
};

const matches = (text: string, wanted: string | RegExp) => (typeof wanted === 'string' ? text === wanted : wanted.test(text));

describe('preflight checks', () => {
  it('has a failing case for every check, and no case without a check', () => {
    expect(Object.keys(cases).toSorted()).toEqual(checks.map(({id}) => id).toSorted());
  });

  it('has ids that are unique and readable, and at least 38 of them', () => {
    const ids = checks.map(({id}) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThanOrEqual(38);
    expect(ids.filter((id) => !/^[a-z][a-z0-9-]*$/.test(id))).toEqual([]);
  });

  it('finds nothing wrong with recorded healthy hosts', () => {
    const report = runPreflight(contextOf(healthyScene()));
    expect(report.results.filter(({status}) => status !== 'ok')).toEqual([]);
    expect(report.results.length).toBeGreaterThan(150);
  });

  for (const [id, ways] of Object.entries(cases)) {
    for (const [index, way] of ways.entries()) {
      it(`${id} notices what is wrong (${index + 1})`, () => {
        const scene = healthyScene();
        way.breaks(scene);
        const results = runPreflight(contextOf(scene), {only: [id]}).results.filter(({status}) => status !== 'ok');
        const found = results.find((result) => result.host === way.host && matches(result.observed, way.observed));
        expect(found, JSON.stringify(results, null, 1)).toBeDefined();
        expect(found?.status).toBe(way.severity);
        expect(matches(found?.remedy ?? '', way.remedy), found?.remedy).toBe(true);
        expect(found?.wanted).not.toBe('');
      });
    }
  }
});

describe('preflight on hosts that already belong to this cluster', () => {
  const members = () => {
    const scene = healthyScene();
    for (const facts of Object.values(scene.facts)) {
      facts.agent = {installed: true, active: true, seen: seen('berth'), programDigest: undefined, runtimeDigest: undefined};
      facts.services = {...facts.services, containerd: 'active', kubelet: 'active', 'trireme-agent': 'active'};
      facts.leftovers = [
        '/etc/kubernetes/pki',
        '/etc/kubernetes/manifests',
        '/var/lib/etcd/member',
        '/var/lib/kubelet/pki',
        '/etc/cni/net.d',
        '/run/containerd/containerd.sock',
        '/run/flannel',
      ];
      facts.interfaces.push({name: 'cni0', mac: '52:54:00:00:00:99', mtu: 1450, up: true, physical: false, addresses: ['10.244.1.1/24'], leased: []});
      facts.routes.push(
        {network: '10.244.1.0/24', interface: 'cni0', gateway: undefined, metric: 0},
        {network: '10.244.2.0/24', interface: 'ens3', gateway: '10.77.0.13', metric: 0},
      );
      facts.listening.push(
        ...['kube-apiserver:6443', 'etcd:2379', 'etcd:2380', 'kubelet:10250', 'kube-proxy:10256', 'kube-controller:10257', 'kube-scheduler:10259'].map(
          (entry) => {
            const [program = '', port] = entry.split(':');
            return {protocol: 'tcp' as const, address: '*', port: Number(port), program};
          },
        ),
      );
      facts.reach = Object.fromEntries(Object.keys(facts.reach).map((key) => [key, 'open' as const]));
    }
    return scene;
  };

  it("takes what the cluster itself put there for the cluster's own", () => {
    expect(runPreflight(contextOf(members())).results.filter(({status}) => status !== 'ok')).toEqual([]);
  });

  it('takes an address that one of its own hosts serves already for its own: a first run that broke off goes on', () => {
    const scene = healthyScene();
    served(() => {})(scene);
    for (const facts of Object.values(scene.facts)) facts.reach['10.77.0.100:6443'] = 'open';
    const h1 = scene.facts['h1'] as Loose<HostFacts>;
    h1.interfaces[0]?.addresses.push('10.77.0.100/32');
    const found = () => runPreflight(contextOf(scene), {only: ['endpoint-free', 'endpoint-network']}).results.filter(({status}) => status !== 'ok');
    expect(found()).toHaveLength(1);
    h1.agent.seen = seen('berth', {member: false});
    expect(found()).toEqual([]);
  });

  it('holds the endpoint that a running cluster shall move to against others, and asks nobody to reach it yet', () => {
    const scene = members();
    for (const facts of Object.values(scene.facts)) {
      facts.agent.seen = seen('berth', {wanted: {cluster: {name: 'berth', id: 'x'}, endpoint: {host: '10.77.0.11', port: 6443}}});
      facts.reach['10.77.0.100:6443'] = 'none';
    }
    scene.document.spec.endpoint = {host: '10.77.0.100', port: 6443, type: 'vip'};
    const found = () => runPreflight(contextOf(scene), {only: ['endpoint-free', 'endpoint-reachable']}).results.filter(({status}) => status !== 'ok');
    expect(found()).toEqual([]);
    (scene.facts['h4'] as Loose<HostFacts>).reach['10.77.0.100:6443'] = 'refused';
    expect(found()).toMatchObject([{id: 'endpoint-free', observed: 'somebody in the network has 10.77.0.100'}]);
  });

  it('still notices a foreign program on one of its ports', () => {
    const scene = members();
    const h1 = scene.facts['h1'] as Loose<HostFacts>;
    h1.listening = h1.listening.map((listener) => (listener.port === 10_250 ? {...listener, program: 'node_exporter'} : listener));
    expect(runPreflight(contextOf(scene)).results.filter(({status}) => status === 'error')).toMatchObject([
      {id: 'ports', host: 'h1', observed: 'node_exporter listens on *:10250/tcp'},
    ]);
  });

  it('takes the same things on a host of another cluster for errors', () => {
    const scene = members();
    (scene.facts['h1'] as Loose<HostFacts>).agent.seen = seen('other');
    const ids = runPreflight(contextOf(scene))
      .results.filter(({host, status}) => host === 'h1' && status === 'error')
      .map(({id}) => id);
    expect(ids).toEqual(expect.arrayContaining(['cluster-foreign', 'kubernetes-leftovers', 'cni-leftovers', 'other-runtimes', 'ports', 'network-overlap']));
  });
});

it('never advises to remove by hand what belongs to another Trireme cluster', () => {
  const scene = healthyScene();
  h2((facts) => {
    facts.agent.seen = seen('other');
    facts.leftovers = ['/etc/kubernetes/pki', '/etc/cni/net.d', '/var/lib/etcd/member'];
    facts.services['containerd'] = 'active';
    facts.tools['kubeadm'] = '/usr/local/bin/kubeadm';
    facts.listening.push({protocol: 'tcp', address: '*', port: 10_250, program: 'kubelet'});
  })(scene);
  const errors = runPreflight(contextOf(scene)).results.filter(({host, status}) => host === 'h2' && status === 'error');
  expect(errors.map(({id}) => id).toSorted()).toEqual(['cluster-foreign', 'cni-leftovers', 'kubernetes-leftovers', 'other-runtimes', 'ports']);
  expect(errors.filter(({remedy}) => /rm -rf|kubeadm reset|purge|disable/.test(remedy))).toEqual([]);
  expect(errors.filter(({remedy}) => !remedy.includes('trireme host reset'))).toEqual([]);
});

// keeps the helpers honest: a mount that a case bends must exist
it('the recorded healthy host has / and /var as file systems of their own', () => {
  const {facts} = healthyScene();
  expect([root(facts['h1'] as Loose<HostFacts>).fileSystem, variable(facts['h1'] as Loose<HostFacts>).fileSystem]).toEqual(['ext4', 'xfs']);
});
