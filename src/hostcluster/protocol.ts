// What operator and agent say to each other. Both sides import this file; a change of meaning raises `protocol`.
import type {ContentItem} from '../bundle/content.ts';
import type {ErrorCode} from '../kernel/error-codes.ts';
import type {Effect} from '../kernel/event.ts';

export type {ContentItem} from '../bundle/content.ts';

/** The version of this protocol. The agent refuses what it doesn't speak; the operator says which side is older. */
export const protocol = 1;

/** Paths on the host. With TRIREME_ROOT in the environment (simulated hosts, images) each is below that folder. */
export const agentPaths = {
  /** Default of `spec.agent.root`: versions side by side, `current` is a link. */
  program: '/usr/local/lib/trireme',
  /** On the PATH for people: `trireme-agent`. */
  command: '/usr/local/bin/trireme-agent',
  state: '/var/lib/trireme',
  /** Blobs by digest: `content/sha256/HEX`. */
  content: '/var/lib/trireme/content/sha256',
  /** `AgentState` as JSON, rewritten whenever something changes; the facts script reads it without starting a program. */
  seen: '/var/lib/trireme/seen.json',
  wanted: '/var/lib/trireme/wanted.json',
  /** 0600. */
  secrets: '/var/lib/trireme/secrets.json',
  events: '/var/lib/trireme/events.ndjson',
  lock: '/var/lib/trireme/lock.json',
  /** A backup on its way back: `expected` says that there is to be one, `snapshot.db` is its data. Gone when the cluster is back. */
  restore: '/var/lib/trireme/restore',
  socket: '/run/trireme/agent.sock',
  unit: '/etc/systemd/system/trireme-agent.service',
  /** 0600: an `Enrolment` that lies here is taken by an agent that belongs to no cluster yet, and removed. */
  enrolment: '/etc/trireme/enrolment.json',
} as const;

export interface WantedTaint {
  readonly key: string;
  readonly value?: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

/** The taint of a control plane whose `taints` are absent. */
export const controlPlaneTaint: WantedTaint = {key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule'};

/** Where a host answers SSH, as its file says. The rest (user, key, jump hosts) is the file's. */
export interface HostAccess {
  readonly address: string;
  /** Absent: what the file says for all hosts. */
  readonly port?: number;
  readonly user?: string;
}

/** The node's annotation that holds its `HostAccess` as JSON. */
export const accessAnnotation = 'trireme.dev/access';

export interface WantedFile {
  readonly path: string;
  /** Text; binary content comes by digest. */
  readonly content: string;
  /** Octal: `0644`. */
  readonly mode: string;
  readonly owner: string;
}

/** One layer of the profile, rendered: applied by a control plane when the ones before are healthy. */
export interface WantedLayer {
  readonly name: string;
  readonly kind: 'cni' | 'csi' | 'addon';
  /** Kubernetes objects as one YAML text. */
  readonly manifest: string;
  /** Where objects go that live in a namespace and name none; absent: `default`. */
  readonly namespace?: string;
  /** How long it may take to get healthy, in ms; absent: ten minutes. */
  readonly patience?: number;
}

/** A registry's mirrors, for images that aren't in the content. */
export interface WantedRegistry {
  readonly name: string;
  readonly mirrors: readonly {readonly url: string; readonly capabilities: readonly string[]; /** PEM. */ readonly authority?: string}[];
  readonly fallback: boolean;
}

/** How a control plane takes part in serving the endpoint's address. */
export interface WantedVip {
  /** Of the static pod; it's in the content. */
  readonly image: string;
  /** Absent: the interface that has the node's address. */
  readonly interface?: string;
}

/** What a host shall be. Holds no secret. Comparing two of these, leaf by leaf, is how a plan finds changes. */
export interface Wanted {
  readonly protocol: number;
  /** Version of the program that wrote it. */
  readonly program: string;
  readonly cluster: {readonly name: string; readonly id: string};
  readonly distribution: 'kubeadm' | 'simulated';
  readonly kubernetesVersion: string;
  readonly role: 'control-plane' | 'worker';
  /** The one control plane that starts the cluster; the others join. Fixed once the cluster exists. */
  readonly bootstrap: boolean;
  readonly node: {
    readonly name: string;
    readonly addresses: readonly string[];
    readonly labels: Readonly<Record<string, string>>;
    /** Absent: the distribution's default. */
    readonly taints?: readonly WantedTaint[];
    /** How an operator reaches the host. It's kept at the node, so that a host that left the file can still be found. Absent: written by an older version. */
    readonly access?: HostAccess;
  };
  readonly endpoint: {
    readonly host: string;
    readonly port: number;
    /** Control planes of a cluster that serves the address itself. Absent: somebody else does. */
    readonly vip?: WantedVip;
  };
  readonly network: {readonly pods: readonly string[]; readonly services: readonly string[]; readonly dnsDomain: string};
  /** Component settings as in the file, cluster-wide and host merged; the distribution renders them. */
  readonly configuration: {
    readonly kubelet: Readonly<Record<string, unknown>>;
    readonly apiServer: Readonly<Record<string, unknown>>;
    readonly controllerManager: Readonly<Record<string, unknown>>;
    readonly scheduler: Readonly<Record<string, unknown>>;
    readonly etcd: Readonly<Record<string, unknown>>;
    readonly kubeProxy: Readonly<Record<string, unknown>>;
    readonly kubeadm: Readonly<Record<string, unknown>>;
    readonly containerd: Readonly<Record<string, unknown>>;
    readonly sysctls: Readonly<Record<string, string>>;
  };
  /** Environment of container runtime and kubelet: HTTPS_PROXY and its kin, with NO_PROXY computed. */
  readonly proxy: Readonly<Record<string, string>>;
  /** Absent: none. */
  readonly registries?: readonly WantedRegistry[];
  readonly files: readonly WantedFile[];
  readonly content: readonly ContentItem[];
  /** Only on control planes. */
  readonly layers: readonly WantedLayer[];
  readonly drift: Readonly<Record<DriftArea, 'repair' | 'report'>>;
}

export const driftAreas = ['files', 'sysctls', 'modules', 'runtime', 'kubelet', 'node'] as const;
export type DriftArea = (typeof driftAreas)[number];

/** A key pair in PEM. Workers get `ca.certificate` only. */
export interface PemPair {
  readonly certificate: string;
  readonly key?: string;
}

/** What must be known to be a member. Handed over beside `Wanted`, kept 0600, never in events. */
export interface Secrets {
  readonly ca: PemPair;
  readonly etcdCa?: PemPair;
  readonly frontProxyCa?: PemPair;
  /** Service-account signing key: `certificate` holds the public key in PEM. */
  readonly serviceAccount?: PemPair;
  /** `abcdef.0123456789abcdef`. */
  readonly bootstrapToken: string;
}

export interface ReconcilerState {
  readonly name: string;
  readonly status: 'waiting' | 'working' | 'done' | 'failed';
  /** What it waits for, does, or what failed. */
  readonly message?: string;
  /** Of the last failure, when it failed. */
  readonly code?: ErrorCode;
  /** ISO 8601: when the status last changed. */
  readonly since: string;
  readonly attempts: number;
}

export interface Drift {
  readonly area: DriftArea;
  readonly subject: string;
  readonly found: string;
  readonly at: string;
  readonly outcome: 'repaired' | 'reported' | 'failed';
}

export interface NodeState {
  readonly name: string;
  readonly ready: boolean;
  readonly roles: readonly string[];
  readonly version: string;
  /** Takes no new pods. Absent: it does, or an older agent tells it. */
  readonly unschedulable?: boolean;
  /** Set where we cordoned it, with what for: `upgrade`. Whoever goes on uncordons it; a person's own cordon stays. */
  readonly cordonedFor?: string;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
    readonly since?: string;
  }[];
  /** How its host is reached, when the node says so. */
  readonly access?: HostAccess;
}

/** A certificate on a host. Never its key. */
export interface CertificateState {
  /** As kubeadm calls it: `apiserver`, `etcd-server`, `admin.conf`; `kubelet`; authorities `ca`, `etcd-ca`, `front-proxy-ca`. */
  readonly name: string;
  /** The file that holds it. */
  readonly path: string;
  readonly kind: 'authority' | 'certificate';
  /** Common name of whom it is for, and of who signed it. */
  readonly subject: string;
  readonly issuer: string;
  /** ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** SHA-256 of the certificate: pairs of hex digits with colons. */
  readonly fingerprint: string;
  readonly renewedBy: 'agent' | 'kubelet' | 'nobody';
  /** ISO 8601: from when the agent makes a new one. Absent where nobody does. */
  readonly renewsAt?: string;
}

/** A member of etcd, as one control plane sees it. */
export interface EtcdMemberState {
  /** Empty: announced, and not started yet. */
  readonly name: string;
  readonly id: string;
  readonly peerUrls: readonly string[];
  readonly learner: boolean;
  readonly leader: boolean;
  readonly healthy: boolean;
  readonly version?: string;
  /** Bytes of its database on disk. */
  readonly size?: number;
  /** Why it isn't healthy. */
  readonly message?: string;
}

/** Who serves the endpoint's address. */
export interface EndpointState {
  readonly address: string;
  /** Absent: nobody does, or it isn't known. */
  readonly holder?: string;
  /** ISO 8601: since when. */
  readonly since?: string;
}

/** Something that was reported in the cluster. */
export interface ClusterEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** `Pod/web-1`. */
  readonly object: string;
  readonly namespace?: string;
  readonly first?: string;
  readonly last: string;
  readonly count: number;
  readonly source?: string;
}

/** A member of etcd. */
export interface EtcdMember {
  readonly id: string;
  /** Its host's name; empty while it was only announced. */
  readonly name: string;
  /** Addresses of its peer URLs. */
  readonly addresses: readonly string[];
  /** It has no vote yet. */
  readonly learner: boolean;
  readonly healthy: boolean;
}

/** On a node that we cordoned, with what for. */
export const cordonAnnotation = 'trireme.dev/cordoned-for';

/** What an agent says of itself: the answer to `GET /v1/state`, and the content of `seen.json`. Holds no secret. */
export interface AgentState {
  readonly protocol: number;
  /** The agent's version. */
  readonly version: string;
  readonly host: string;
  readonly simulated: boolean;
  readonly startedAt: string;
  /** The wanted document that it works towards, or null before the first. */
  readonly wanted: Wanted | null;
  /** digestOfValue(wanted); the empty string without one. */
  readonly wantedDigest: string;
  /** True when every reconciler is done for `wanted`. */
  readonly converged: boolean;
  /** True once this host is a member of the cluster: its kubelet has its own credentials. */
  readonly member: boolean;
  /** The version of Kubernetes that this member joined with or was last upgraded to, all of it. Older agents don't tell. */
  readonly running?: string;
  /** Digest of the agent's own program. Older agents don't tell. */
  readonly build?: string;
  /** The version of the agent that was tried last and given up, by the agent itself. */
  readonly fellBack?: {readonly from: string; readonly at: string};
  /** Digest of the secrets that it holds; empty without any. Says nothing of their content. */
  readonly secretsDigest: string;
  readonly reconcilers: readonly ReconcilerState[];
  readonly drift: readonly Drift[];
  /** Control planes: all nodes, as the API tells them; workers: none. */
  readonly nodes: readonly NodeState[];
  /** Control planes: the conditions of the cluster: ApiReady, DnsReady, and one per layer. */
  readonly conditions: readonly {readonly type: string; readonly ready: boolean; readonly message?: string}[];
  /** Control planes with an etcd of their own: its members, as this one sees them. */
  readonly etcdMembers?: readonly EtcdMember[];
  readonly lastSeq: number;
  /** Of a member: the certificates on this host. Absent in agents of the first release. */
  readonly certificates?: readonly CertificateState[];
  /** Control planes: the members of etcd; empty where etcd is elsewhere. */
  readonly etcd?: readonly EtcdMemberState[];
  /** Control planes that serve the endpoint's address: which of them has it, as the API tells. */
  readonly endpoint?: EndpointState;
  /** The last renewal that somebody asked for by a command: `at` as they said it, and whether it is done. */
  readonly renewal?: {readonly at: string; readonly done: boolean};
}

/** Body of `PUT /v1/wanted`. */
export interface PutWanted {
  readonly wanted: Wanted;
  /** Absent: keep those that it has. */
  readonly secrets?: Secrets;
}

/** What a host that nobody logs in to is given as a file. Holds secrets. */
export interface Enrolment extends PutWanted {
  readonly kind: 'TriremeEnrolment';
}

/** Body of `POST /v1/kubernetes`: a request to the Kubernetes API that a control plane sends for the operator, with its own administrator's rights. */
export interface KubernetesRequest {
  readonly method: string;
  /** With the query; begins with a slash. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Ask this host's own API server, not the one behind the endpoint. */
  readonly own?: boolean;
  /** Of a text, only lines that begin with this: metrics are many. */
  readonly lines?: string;
}

/** Its answer, whatever the API said. */
export interface KubernetesAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** What a change below this path of Wanted costs; the longest matching prefix counts. */
export const effectsByPath: Readonly<Record<string, Effect>> = {
  'node.labels': 'none',
  'node.taints': 'none',
  'node.access': 'none',
  bootstrap: 'none',
  'configuration.sysctls': 'reload',
  'configuration.kubelet': 'restart',
  'configuration.containerd': 'restart',
  'configuration.apiServer': 'restart',
  'configuration.controllerManager': 'restart',
  'configuration.scheduler': 'restart',
  'configuration.etcd': 'restart',
  'configuration.kubeProxy': 'none',
  'configuration.kubeadm': 'none',
  proxy: 'restart',
  // read anew at each pull
  registries: 'none',
  files: 'none',
  layers: 'none',
  drift: 'none',
  content: 'none',
  program: 'none',
  kubernetesVersion: 'drain',
  cluster: 'replace',
  network: 'replace',
  role: 'replace',
  endpoint: 'restart',
};
