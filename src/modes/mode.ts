// The seam between the verbs and the three modes.
import type {Redactor} from '../kernel/redact.ts';
import type {Plan} from '../plan/plan.ts';
import type {DesiredCluster} from '../spec/desired.ts';

/** What a verb wants of a cluster. Numbers, names and times are decided before: a plan is pure. */
export type Intent =
  | {
      readonly verb: 'converge';
      readonly limit?: readonly string[];
      /** Controller mode: take fields that other managers own, where the file wants another value. Default: refuse with `api.conflict`. */
      readonly takeOver?: boolean;
    }
  | {readonly verb: 'scale'; readonly controlPlane?: number; readonly pools: Readonly<Record<string, number>>}
  | {readonly verb: 'upgrade'; readonly to: string}
  | {readonly verb: 'pause'}
  | {readonly verb: 'resume'}
  /** `at`: ISO 8601, whole seconds; machines that are older are replaced. Without `controlPlane` and `pools`: all. */
  | {readonly verb: 'restart'; readonly at: string; readonly controlPlane?: boolean; readonly pools?: readonly string[]}
  | {readonly verb: 'delete'}
  | {readonly verb: 'host-maintain' | 'agent-upgrade'}
  | {
      readonly verb: 'machine-remediate' | 'machine-delete' | 'machine-replace' | 'machine-cordon' | 'machine-uncordon' | 'machine-drain';
      readonly machine: string;
    };

export type Verb = Intent['verb'];

/** What a verb brings along: how to ask, when to stop, and what must not be printed. */
export interface ScopeOptions {
  readonly signal: AbortSignal;
  readonly redactor: Redactor;
  /** Asks for a secret on the terminal; absent where there is none. */
  readonly askSecret?: (question: string) => Promise<string>;
  /** How many hosts are looked at at once. */
  readonly concurrency: number;
  /** Take the cluster's lease from whoever holds it. Default false. */
  readonly breakLock?: boolean;
  /** How long the run may take, in ms, where its person said so: its waits last as long. Default: each wait has a length of its own. */
  readonly patience?: number;
  /** Raised while facts are gathered: what isn't worth stopping for. */
  warn(message: string): void;
}

/** Open connections and read secrets of one command; closed at its end. */
export interface Scope {
  close(): Promise<void>;
}

export interface Capability {
  readonly supported: boolean;
  /** Why not, in a sentence. */
  readonly reason?: string;
}

/** One mode. `F` are its facts, `S` its scope. */
export interface Mode<F, S extends Scope> {
  readonly name: 'controller' | 'agent' | 'appliance';
  readonly capabilities: Readonly<Record<string, Capability>>;
  openScope(cluster: DesiredCluster, options: ScopeOptions): Promise<S>;
  /** Only reads. */
  facts(cluster: DesiredCluster, scope: S): Promise<F>;
  /** Pure: the same spec, facts and intent give the same plan. */
  plan(cluster: DesiredCluster, facts: F, intent: Intent): Plan<S>;
  /** What speaks against beginning to work on the plan's new hosts or machines; pure. */
  obstacles(cluster: DesiredCluster, facts: F, plan: Plan<S>): readonly Obstacle[];
  /** One look at the cluster as it is. */
  observe(cluster: DesiredCluster, facts: F, scope: S, options?: LookOptions): Promise<ClusterView>;
}

export interface LookOptions {
  /** For whoever shows how things stand, and of what is fine no details: saves looking at those. Default false. */
  readonly brief?: boolean;
}

/** An error of a named check that nobody chose to ignore. */
export interface Obstacle {
  readonly id: string;
  readonly host?: string;
  readonly observed: string;
  readonly wanted: string;
  readonly remedy: string;
}

/** How something stands: as it shall be; on its way; wrong until somebody does something; not to be told. */
export type Standing = 'good' | 'working' | 'bad' | 'unknown';

export interface ConditionView {
  readonly type: string;
  /** Whether it is as it shall be, whatever the condition's polarity. */
  readonly ready: boolean;
  readonly message?: string;
  readonly status?: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  /** ISO 8601: when it last changed. */
  readonly since?: string;
  readonly standing?: Standing;
  /** Repeats what an object below tells better. */
  readonly echo?: boolean;
}

export interface ReplicaCounts {
  readonly wanted: number;
  readonly current: number;
  readonly ready: number;
  readonly available: number;
  readonly upToDate: number;
}

export interface VersionCount {
  readonly version: string;
  readonly replicas: number;
}

/** How far a change of version is. */
export interface UpgradeView {
  /** Versions that machines have now, oldest first. */
  readonly from: readonly string[];
  readonly to: string;
  /** Versions that are still to come, one after the other, where the steps are known; the last one is `to`. */
  readonly plan: readonly string[];
  /** Machines that have the wanted version. */
  readonly done: number;
  readonly total: number;
  /** What it waits for, when it doesn't go on by itself now. */
  readonly waiting?: string;
}

/** Machines that are made alike: the control plane, or a group of workers. */
export interface PoolView {
  /** The object's name. */
  readonly name: string;
  /** `KubeadmControlPlane`, `MachineDeployment`, `MachinePool`. */
  readonly kind: string;
  /** The pool's name in the cluster's topology, and so in the file; absent without a topology. */
  readonly topologyName?: string;
  readonly role: 'control-plane' | 'worker';
  readonly standing: Standing;
  readonly replicas: ReplicaCounts;
  /** The wanted version. */
  readonly version?: string;
  /** What the machines have. */
  readonly versions: readonly VersionCount[];
  readonly upgrade?: UpgradeView;
  /** Bounds of an autoscaler that owns the number of machines. */
  readonly autoscaled?: {readonly min: number; readonly max: number};
  readonly paused: boolean;
  /** ISO 8601: since when it is being deleted. */
  readonly deleting?: string;
  /** Why it doesn't stand well, worst first. */
  readonly reasons: readonly string[];
  readonly conditions: readonly ConditionView[];
}

export type ObjectRole =
  | 'cluster'
  | 'infrastructure'
  | 'control-plane'
  | 'pool'
  | 'machine-set'
  | 'machine'
  | 'bootstrap'
  | 'node'
  | 'health-check'
  | 'add-on'
  | 'template'
  | 'group';

/** One object of a cluster, and what hangs on it. */
export interface ObjectNode {
  readonly role: ObjectRole;
  readonly kind: string;
  readonly name: string;
  /** The worst of its own conditions; what hangs on it doesn't count. */
  readonly standing: Standing;
  /** The worst of itself and of all below. */
  readonly worst: Standing;
  readonly created?: string;
  readonly version?: string;
  readonly replicas?: ReplicaCounts;
  /** True when something names it and it isn't there. */
  readonly missing?: boolean;
  /** Facts that no condition holds, such as who names a missing object. */
  readonly remarks: readonly string[];
  readonly paused: boolean;
  readonly deleting?: string;
  /** All of them, worst first. */
  readonly conditions: readonly ConditionView[];
  readonly children: readonly ObjectNode[];
}

/** How far a deletion is, and what it waits for. */
export interface DeletionView {
  readonly since: string;
  /** What is still there, by kind. */
  readonly remaining: readonly {readonly kind: string; readonly count: number}[];
  /** What it waits for, in sentences. */
  readonly blockedBy: readonly string[];
}

export interface EventView {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** `Machine/web-1`. */
  readonly object: string;
  readonly namespace?: string;
  readonly first?: string;
  readonly last: string;
  readonly count: number;
  /** Who reports it. */
  readonly source?: string;
}

/** A cluster as plain data, for `status`, lists and screens. */
export interface ClusterView {
  readonly name: string;
  readonly mode: string;
  readonly simulated: boolean;
  readonly version: string;
  readonly health: 'healthy' | 'progressing' | 'degraded' | 'unknown';
  /** Why it isn't healthy, worst first. */
  readonly reasons: readonly string[];
  readonly controlPlanes: {readonly ready: number; readonly wanted: number};
  readonly workers: {readonly ready: number; readonly wanted: number};
  readonly conditions: readonly ConditionView[];
  /** Empty in a summary. */
  readonly machines: readonly MachineView[];
  /** Agent mode: the members of etcd, as a control plane sees them. */
  readonly etcd?: readonly EtcdMemberView[];
  /** Agent mode: how the certificates on the hosts stand. */
  readonly certificates?: CertificatesView;
  /** What follows is known in controller mode. */
  readonly namespace?: string;
  /** Context of the management cluster. */
  readonly context?: string;
  readonly created?: string;
  readonly phase?: string;
  /** Name of the ClusterClass. */
  readonly class?: string;
  /** `host:port` of its API. */
  readonly endpoint?: string;
  /** Where the control planes serve the endpoint's address themselves: which of them has it, and since when. Without a holder nobody has. */
  readonly endpointHolder?: {readonly holder?: string; readonly since?: string};
  readonly paused?: boolean;
  /** What it does at the moment, in a few words; absent when it rests. */
  readonly now?: string;
  readonly controlPlane?: PoolView;
  readonly pools?: readonly PoolView[];
  readonly upgrade?: UpgradeView;
  readonly deletion?: DeletionView;
  /** Every object of it; absent in a summary. */
  readonly tree?: ObjectNode;
  /** Warnings of the last hour or so; absent where nobody asked. */
  readonly events?: readonly EventView[];
  /** What couldn't be looked at, and why. */
  readonly unseen?: readonly string[];
  /** A person's labels on it, without the tools' own. */
  readonly labels?: Readonly<Record<string, string>>;
  /** ISO 8601: when it was looked at. */
  readonly seenAt?: string;
  /** Set when the connection is gone: what is shown is as old as `since`. */
  readonly stale?: {readonly since: string; readonly why: string};
}

export interface MachineView {
  readonly name: string;
  readonly role: string;
  readonly address: string;
  readonly state: 'ready' | 'not-ready' | 'not-joined' | 'unreachable';
  readonly version?: string;
  readonly agent?: {readonly version: string; readonly converged: boolean; readonly answering: boolean};
  readonly reasons: readonly string[];
  readonly drift: number;
  /** What follows is known in agent mode. */
  readonly reconcilers?: readonly ReconcilerView[];
  /** The latest differences that the agent found, repaired or not. */
  readonly drifts?: readonly DriftView[];
  /** ISO 8601: when the agent was started. */
  readonly agentSince?: string;
  /** What follows is known in controller mode. */
  readonly namespace?: string;
  /** Name of the object that keeps it: a control plane, a MachineDeployment or a MachinePool. */
  readonly pool?: string;
  readonly phase?: string;
  readonly standing?: Standing;
  /** Name of the node in the cluster. */
  readonly node?: string;
  readonly providerId?: string;
  readonly failureDomain?: string;
  readonly upToDate?: boolean;
  readonly created?: string;
  readonly paused?: boolean;
  readonly deleting?: string;
  /** `DevMachine/web-1`, with how it stands. */
  readonly infrastructure?: PartView;
  readonly bootstrap?: PartView;
  readonly conditions?: readonly ConditionView[];
}

export interface EtcdMemberView {
  /** Empty: announced, and not started yet. */
  readonly name: string;
  readonly id: string;
  readonly healthy: boolean;
  readonly leader: boolean;
  readonly learner: boolean;
  readonly version?: string;
  /** Bytes. */
  readonly size?: number;
  readonly message?: string;
}

export interface CertificatesView {
  readonly expired: number;
  /** To be renewed by now. */
  readonly due: number;
  /** What ends first. */
  readonly next?: {readonly host: string; readonly name: string; readonly notAfter: string};
}

/** What an agent keeps right, part by part. */
export interface ReconcilerView {
  readonly name: string;
  readonly status: 'waiting' | 'working' | 'done' | 'failed';
  readonly message?: string;
  /** ISO 8601: since when it is so. */
  readonly since: string;
  readonly attempts: number;
}

export interface DriftView {
  readonly area: string;
  readonly subject: string;
  readonly found: string;
  readonly at: string;
  readonly outcome: string;
}

export interface PartView {
  readonly kind: string;
  readonly name: string;
  readonly standing: Standing;
  readonly missing: boolean;
  readonly reasons: readonly string[];
}
