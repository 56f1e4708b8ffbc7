// What we saw of a host. Gathered by one read-only script in one round trip; nothing here is ever written into the spec.
import type {Problem} from '../kernel/problem.ts';

export interface InterfaceFacts {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  /** True for a device with hardware (or a VM's) behind it. */
  readonly physical: boolean;
  /** In CIDR form: `10.77.0.11/24`; link-local ones are left out. */
  readonly addresses: readonly string[];
  /** Those of the addresses that a DHCP server or a router's announcement gave, with an end. */
  readonly leased: readonly string[];
}

export interface RouteFacts {
  /** `0.0.0.0/0` and `::/0` are default routes. */
  readonly network: string;
  readonly interface: string;
  readonly gateway: string | undefined;
  readonly metric: number;
}

export interface MountFacts {
  readonly path: string;
  readonly fileSystem: string;
  readonly options: readonly string[];
  /** Mounts in it reach containers (mount propagation `shared`). */
  readonly shared: boolean;
  /** MiB. */
  readonly size: number;
  /** MiB. */
  readonly free: number;
  /** Undefined where the file system has no fixed number. */
  readonly inodes: number | undefined;
  readonly freeInodes: number | undefined;
}

export interface ListenerFacts {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  /** Empty when it can't be told (no `ss`, or the kernel itself). */
  readonly program: string;
}

/** A chain of the firewall that sees packets to this host. */
export interface InputChainFacts {
  /** `inet firewalld filter_INPUT`. */
  readonly chain: string;
  readonly policy: string;
  readonly rules: number;
  /** Rules in it that drop or reject. */
  readonly drops: number;
}

export interface HostFacts {
  readonly host: string;
  /** True when these facts describe a simulated host (TRIREME_ROOT). */
  readonly simulated: boolean;
  readonly os: {readonly id: string; readonly idLike: readonly string[]; readonly versionId: string; readonly name: string; readonly variant: string};
  readonly kernel: {readonly release: string; readonly architecture: string};
  /** Node's and OCI's name for the architecture; undefined for one that isn't supported. */
  readonly architecture: 'amd64' | 'arm64' | undefined;
  /** `systemd`, or what runs as process 1. */
  readonly initSystem: string;
  readonly systemdVersion: number | undefined;
  /** As systemd-detect-virt says: `none`, `kvm`, `lxc`, `systemd-nspawn`; empty when unknown. */
  readonly virtualization: string;
  readonly hostname: string;
  readonly machineId: string;
  readonly bootId: string;
  readonly cpus: number;
  /** MiB. */
  readonly memory: {readonly total: number; readonly available: number; readonly swap: number};
  /** True when zram or a swap file or partition is active. */
  readonly swapOn: boolean;
  /** The active swap areas: `/dev/zram0`, `/swapfile`. */
  readonly swaps: readonly string[];
  readonly cgroup: {readonly version: 1 | 2; readonly controllers: readonly string[]};
  /** The host's clock against ours, in ms, round trip halved. */
  readonly clockOffset: number;
  readonly clockSynchronized: boolean | undefined;
  /** The unit that keeps the time. */
  readonly timeService: string | undefined;
  readonly mounts: readonly MountFacts[];
  /** `/tmp` and `/var/tmp`: octal mode. */
  readonly folderModes: Readonly<Record<string, string>>;
  readonly interfaces: readonly InterfaceFacts[];
  readonly routes: readonly RouteFacts[];
  readonly defaultRoute: {readonly interface: string; readonly address: string} | undefined;
  /** Network drivers with known trouble that are in use: `vmxnet3`. */
  readonly networkDrivers: readonly string[];
  /** TCP and UDP ports on which something listens. */
  readonly listening: readonly ListenerFacts[];
  /** Programs found: name to path. */
  readonly tools: Readonly<Record<string, string | undefined>>;
  /** `loaded` includes what is built in. */
  readonly modules: {readonly loaded: readonly string[]; readonly available: readonly string[]; readonly disabled: boolean};
  readonly sysctls: Readonly<Record<string, string>>;
  /** Settings of sysctl.d files and sysctl.conf that are read after our drop-in and would win, in that order. */
  readonly sysctlOverrides: readonly {readonly file: string; readonly key: string; readonly value: string}[];
  readonly selinux: 'enforcing' | 'permissive' | 'disabled';
  /** True when the policy module for containers is installed. */
  readonly selinuxContainerPolicy: boolean;
  readonly apparmor: boolean;
  /** AppArmor profiles of container programs: `runc (enforce)`. */
  readonly apparmorProfiles: readonly string[];
  /** `rules` counts those in the chains that see packets to this host. */
  readonly firewall: {
    readonly program: 'ufw' | 'firewalld' | 'nftables' | 'iptables' | 'none';
    readonly active: boolean;
    readonly rules: number;
    readonly chains: readonly InputChainFacts[];
  };
  /** Services by unit name: active state. Only those that exist. */
  readonly services: Readonly<Record<string, string>>;
  /** Leftovers of other runtimes and clusters, and /etc/NetworkManager/conf.d: paths of a known list that exist and aren't empty. */
  readonly leftovers: readonly string[];
  /** Which of the folders that we need can be written: path to true or false. */
  readonly writable: Readonly<Record<string, boolean>>;
  readonly resolvConf: {
    readonly nameservers: readonly string[];
    /** True when every name server is this host itself. */
    readonly stub: boolean;
    /** The real servers behind systemd-resolved's stub. */
    readonly upstream: readonly string[];
    readonly search: readonly string[];
  };
  /** What systemd-networkd's files say of which links they are for: the keys of [Match]. */
  readonly networkdFiles: readonly {readonly path: string; readonly match: Readonly<Record<string, string>>}[];
  /** Whether the cluster's endpoint name resolves on the host, and to what. */
  readonly endpointAddresses: readonly string[];
  readonly hostnameResolves: boolean;
  /** http_proxy, https_proxy, no_proxy and all_proxy in lower case; user and password are taken out. */
  readonly environmentProxy: Readonly<Record<string, string>>;
  readonly sudo: {readonly root: boolean; readonly passwordRequired: boolean};
  /** Connections that the host tried: `ADDRESS:PORT` to open, refused (reachable, nothing listens) or none. */
  readonly reach: Readonly<Record<string, 'open' | 'refused' | 'none'>>;
  /** With what the host tried them; `none` when it has nothing to try with, undefined when nobody asked. */
  readonly reachTool: 'bash' | 'nc' | 'python3' | 'none' | undefined;
  /** Path MTU: address to the largest ping payload that got through unfragmented. */
  readonly mtuTo: Readonly<Record<string, number>>;
  /** Of addresses that were tried in the host's own network: the hardware that answers for them. Undefined when nobody asked. */
  readonly neighbours?: Readonly<Record<string, string>>;
  /** Digests of blobs in the agent's content folder. */
  readonly content: readonly string[];
  readonly agent: {
    readonly installed: boolean;
    readonly active: boolean;
    /** `AgentState` as parsed JSON; hostcluster/ knows its shape. */
    readonly seen: unknown;
    /** Digest of the agent's program file, when installed. */
    readonly programDigest: string | undefined;
    /** Digest of its Node runtime. */
    readonly runtimeDigest: string | undefined;
  };
  /** Content of the lock on the host, parsed; undefined when there's none. */
  readonly lock: unknown;
}

/** A host's facts, or why there are none. */
export type HostObservation = {readonly host: string; readonly facts: HostFacts} | {readonly host: string; readonly problem: Problem};

/** The mount that holds a path; undefined when none is known. */
export function mountOf(facts: Pick<HostFacts, 'mounts'>, path: string): MountFacts | undefined {
  const holds = (mount: MountFacts) => mount.path === '/' || path === mount.path || path.startsWith(`${mount.path}/`);
  return facts.mounts.filter(holds).toSorted((a, b) => b.path.length - a.path.length)[0];
}
