// Facts of a host that exists only in the sandbox: a healthy one, with what the simulation wants otherwise.
import type {HostFacts} from './facts.ts';
import {architectures} from './parse/system.ts';
import {knownModules} from './script/kernel.ts';
import {knownTools} from './script/programs.ts';
import {watchedFolders} from './script/storage.ts';

/** What a simulated host's file (`simulatedFactsPath`) may say: any fact but those that are read from the agent. */
export type SimulatedFacts = Partial<Omit<HostFacts, 'host' | 'agent' | 'lock' | 'content' | 'simulated' | 'reach' | 'reachTool' | 'mtuTo'>> & {
  /** The node's address; default 127.0.0.1. */
  readonly address?: string;
};

/** A healthy Debian host with cgroup v2 and 4 processors; each fact in `given` replaces the healthy one. */
export function simulatedFacts(host: string, given: SimulatedFacts = {}): HostFacts {
  const {address = '127.0.0.1', ...facts} = given;
  const kernel = given.kernel ?? {release: '6.12.48-simulated', architecture: 'x86_64'};
  const seed = [...host]
    .reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 0xff_ff_ff, 7)
    .toString(16)
    .padStart(6, '0');
  const modules = Object.keys(knownModules);
  return {
    host,
    simulated: true,
    os: {id: 'debian', idLike: [], versionId: '13', name: 'Debian GNU/Linux 13 (simulated)', variant: ''},
    kernel,
    architecture: architectures[kernel.architecture],
    initSystem: 'systemd',
    systemdVersion: 257,
    virtualization: 'none',
    hostname: host,
    machineId: seed.padStart(32, '0'),
    bootId: '00000000-0000-4000-8000-000000000000',
    cpus: 4,
    memory: {total: 8192, available: 7168, swap: 0},
    swapOn: false,
    swaps: [],
    cgroup: {version: 2, controllers: ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids']},
    clockOffset: 0,
    clockSynchronized: true,
    timeService: 'systemd-timesyncd',
    mounts: [{path: '/', fileSystem: 'ext4', options: ['rw', 'relatime'], shared: true, size: 102_400, free: 81_920, inodes: 6_553_600, freeInodes: 6_000_000}],
    folderModes: {'/tmp': '1777', '/var/tmp': '1777'},
    interfaces: [
      {name: 'lo', mac: '00:00:00:00:00:00', mtu: 65_536, up: true, physical: false, addresses: ['127.0.0.1/8', '::1/128'], leased: []},
      {name: 'eth0', mac: `02:00:00:${seed.match(/../g)?.join(':')}`, mtu: 1500, up: true, physical: true, addresses: [`${address}/24`], leased: []},
    ],
    routes: [{network: '0.0.0.0/0', interface: 'eth0', gateway: undefined, metric: 0}],
    defaultRoute: {interface: 'eth0', address},
    networkDrivers: [],
    listening: [{protocol: 'tcp', address: '0.0.0.0', port: 22, program: 'sshd'}],
    tools: Object.fromEntries(
      knownTools
        .filter((tool) => !['docker', 'containerd', 'kubelet', 'kubeadm', 'crictl', 'ufw', 'firewall-cmd', 'dnf', 'yum', 'zypper'].includes(tool))
        .map((tool) => [tool, `/usr/bin/${tool}`]),
    ),
    modules: {loaded: modules, available: modules, disabled: false},
    sysctls: {
      'net.ipv4.ip_forward': '1',
      'net.ipv6.conf.all.disable_ipv6': '0',
      'fs.inotify.max_user_instances': '8192',
      'fs.inotify.max_user_watches': '524288',
      'kernel.pid_max': '4194304',
    },
    sysctlOverrides: [],
    selinux: 'disabled',
    selinuxContainerPolicy: false,
    apparmor: false,
    apparmorProfiles: [],
    firewall: {program: 'none', active: false, rules: 0, chains: []},
    services: {'systemd-timesyncd': 'active'},
    leftovers: [],
    writable: Object.fromEntries(watchedFolders.map((folder) => [folder, true])),
    resolvConf: {nameservers: ['192.0.2.53'], stub: false, upstream: [], search: []},
    networkdFiles: [],
    endpointAddresses: [address],
    hostnameResolves: true,
    environmentProxy: {},
    sudo: {root: true, passwordRequired: false},
    reach: {},
    reachTool: undefined,
    mtuTo: {},
    content: [],
    agent: {installed: false, active: false, seen: undefined, programDigest: undefined, runtimeDigest: undefined},
    lock: undefined,
    ...facts,
  };
}
