// What we saw of a host. Gathered by one read-only script in one round trip; nothing here is ever written into the spec.

export interface InterfaceFacts {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  /** In CIDR form: `10.77.0.11/24`. */
  readonly addresses: readonly string[];
}

export interface MountFacts {
  readonly path: string;
  readonly fileSystem: string;
  readonly options: readonly string[];
  /** MiB. */
  readonly size: number;
  /** MiB. */
  readonly free: number;
  readonly freeInodes: number;
}

export interface HostFacts {
  readonly host: string;
  readonly os: {readonly id: string; readonly idLike: readonly string[]; readonly versionId: string; readonly name: string};
  readonly kernel: {readonly release: string; readonly architecture: string};
  /** Node's and OCI's name for the architecture; undefined for one that isn't supported. */
  readonly architecture: 'amd64' | 'arm64' | undefined;
  readonly initSystem: string;
  readonly systemdVersion: number | undefined;
  readonly virtualization: string;
  readonly hostname: string;
  readonly machineId: string;
  readonly bootId: string;
  readonly cpus: number;
  /** MiB. */
  readonly memory: {readonly total: number; readonly available: number; readonly swap: number};
  /** True when zram or a swap file or partition is active. */
  readonly swapOn: boolean;
  readonly cgroup: {readonly version: 1 | 2; readonly controllers: readonly string[]};
  /** The host's clock against ours, in ms, round trip halved. */
  readonly clockOffset: number;
  readonly clockSynchronized: boolean | undefined;
  readonly timeService: string | undefined;
  readonly mounts: readonly MountFacts[];
  readonly interfaces: readonly InterfaceFacts[];
  readonly defaultRoute: {readonly interface: string; readonly address: string} | undefined;
  /** TCP and UDP ports on which something listens. */
  readonly listening: readonly {readonly protocol: 'tcp' | 'udp'; readonly address: string; readonly port: number; readonly program: string}[];
  readonly tools: Readonly<Record<string, string | undefined>>;
  readonly modules: {readonly loaded: readonly string[]; readonly available: readonly string[]; readonly disabled: boolean};
  readonly sysctls: Readonly<Record<string, string>>;
  /** Files that set sysctls after our drop-in and would win. */
  readonly sysctlOverrides: readonly {readonly file: string; readonly key: string; readonly value: string}[];
  readonly selinux: 'enforcing' | 'permissive' | 'disabled';
  readonly apparmor: boolean;
  readonly firewall: {readonly program: 'ufw' | 'firewalld' | 'nftables' | 'none'; readonly active: boolean; readonly rules: number};
  /** Services by unit name: active state. */
  readonly services: Readonly<Record<string, string>>;
  /** Leftovers of other runtimes and clusters: existing paths of a known list. */
  readonly leftovers: readonly string[];
  /** Which of the folders that we need can be written: path to true or false. */
  readonly writable: Readonly<Record<string, boolean>>;
  readonly resolvConf: {readonly nameservers: readonly string[]; readonly stub: boolean};
  /** Whether the cluster's endpoint name resolves on the host, and to what. */
  readonly endpointAddresses: readonly string[];
  readonly hostnameResolves: boolean;
  readonly environmentProxy: Readonly<Record<string, string>>;
  readonly sudo: {readonly root: boolean; readonly passwordRequired: boolean};
  /** Connections that the host tried: `ADDRESS:PORT` to open, refused (reachable, nothing listens) or none. */
  readonly reach: Readonly<Record<string, 'open' | 'refused' | 'none'>>;
  /** Path MTU problems, ping losses: address to the largest payload that got through. */
  readonly mtuTo: Readonly<Record<string, number>>;
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
export type HostObservation = {readonly host: string; readonly facts: HostFacts} | {readonly host: string; readonly problem: import('../kernel/problem.ts').Problem};
