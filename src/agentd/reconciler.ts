// What a reconciler is: it reads parts of wanted, says which steps lead there, and alone writes its outputs.
import {digestOfValue} from '../kernel/digest.ts';
import type {
  CertificateState,
  ClusterEvent,
  DriftArea,
  EndpointState,
  EtcdMember,
  EtcdMemberState,
  NodeState,
  Secrets,
  Wanted,
} from '../hostcluster/protocol.ts';
import type {Step, StepContext} from '../plan/plan.ts';
import type {HostSystem} from './host-system.ts';
import type {ClusterApi} from './cluster-api.ts';
import type {Records} from './records.ts';

/** What reconcilers work on: the host, what is wanted of it, and the agent's memory. */
export interface Target {
  readonly host: HostSystem;
  readonly wanted: Wanted;
  readonly secrets: Secrets | null;
  readonly records: Records;
}

export interface AgentStep extends Step<Target> {
  /** What it concerns, for a report of drift: a path, a service, a key. Default: the title. */
  readonly subject?: string;
  /** How it was found, when the check says needed. */
  found?(target: Target): Promise<string>;
}

export type AgentStepContext = StepContext<Target>;

export interface Reconciler {
  readonly name: string;
  /** Names of those that must have been done for what is wanted now; names that aren't in the list of reconcilers don't count. */
  readonly needs: readonly string[];
  /** What it reads: dotted paths of Wanted, or `secrets`. A change elsewhere doesn't concern it. */
  readonly inputs: readonly string[];
  /** What it alone writes: paths on the host, or objects of the cluster. */
  readonly outputs: readonly string[];
  /** Set where a difference that appears by itself is drift. */
  readonly area?: DriftArea;
  /** Files to look at as soon as they change; default: the absolute paths of `outputs`. */
  watches?(wanted: Wanted): readonly string[];
  /** Time between two looks when all is done, in ms; default 20 s. A function is asked after each look. */
  readonly interval?: number | ((target: Target) => number);
  /** What it has to wait for before it can do anything, in words; undefined when it may begin. Only reads. */
  waitsFor?(target: Target, signal: AbortSignal): Promise<string | undefined>;
  steps(target: Target): readonly AgentStep[] | Promise<readonly AgentStep[]>;
}

/** What a distribution of Kubernetes is to the agent. */
export interface Distribution {
  readonly name: Wanted['distribution'];
  readonly simulated: boolean;
  /** Reconcilers for this role, in any order. */
  reconcilers(wanted: Wanted): readonly Reconciler[];
  /** True once this host's kubelet has its own credentials. */
  isMember(target: Target): Promise<boolean>;
  /** The version that this member runs, all of it; undefined before it's a member. */
  running(target: Target): string | undefined;
  /** What the cluster says of itself; asked of control planes that are members. */
  observe(target: Target, signal: AbortSignal): Promise<Observation>;
  /** The certificates on this host, of a member. */
  certificates(target: Target): Promise<readonly CertificateState[]>;
  /** What was reported in the cluster lately, oldest first. Control planes only. */
  events(target: Target, signal: AbortSignal): Promise<readonly ClusterEvent[]>;
  /** Writes a consistent copy of the cluster's data to a path of the host. Control planes only; throws `backup.failed`. */
  saveSnapshot(target: Target, path: string, signal: AbortSignal): Promise<SavedSnapshot>;
  /** A kubeconfig with administrator's rights, undefined before there is one. */
  kubeconfig(target: Target): Promise<string | undefined>;
  /** Sets labels and taints of any node with administrator's rights; returns what changed, in words. Control planes only. */
  setNode(target: Target, name: string, wish: NodeWish, signal: AbortSignal): Promise<readonly string[]>;
  /** A client with administrator's rights, of the endpoint or of this host's own API server; undefined before there is one. Control planes only. */
  adminApi(target: Target, which: 'endpoint' | 'own'): Promise<ClusterApi | undefined>;
  /** Members of the cluster's etcd, freshly asked. Undefined: it has none of its own (external etcd), or can't be asked here. Control planes only. */
  etcdMembers(target: Target, signal: AbortSignal): Promise<readonly EtcdMember[] | undefined>;
  /** Takes a member out of etcd; the caller has seen that it may go. Control planes only. */
  removeEtcdMember(target: Target, member: EtcdMember, signal: AbortSignal): Promise<void>;
  /** Ends what it runs inside the agent's process. */
  close(): Promise<void>;
}

export interface SavedSnapshot {
  /** Of the program that wrote it. */
  readonly version: string;
}

export interface Observation {
  readonly etcd?: readonly EtcdMemberState[];
  readonly nodes: readonly NodeState[];
  readonly conditions: readonly {readonly type: string; readonly ready: boolean; readonly message?: string}[];
  readonly etcdMembers?: readonly EtcdMember[];
  /** Where the control planes serve the endpoint's address. */
  readonly endpoint?: EndpointState;
}

/** Whether a node is Ready now that wasn't, or wasn't there. */
export function hasNewlyReady(before: Observation, now: Observation): boolean {
  const ready = new Set(before.nodes.filter((node) => node.ready).map((node) => node.name));
  return now.nodes.some((node) => node.ready && !ready.has(node.name));
}

export interface NodeWish {
  readonly labels: Readonly<Record<string, string>>;
  /** Absent: taints are left alone. */
  readonly taints?: Wanted['node']['taints'];
  /** Absent: left alone. */
  readonly annotations?: Readonly<Record<string, string>>;
}

function pick(wanted: Wanted, path: string): unknown {
  let value: unknown = wanted;
  for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key];
  return value;
}

/** Digest of all that a reconciler reads, for this build of the program. */
export function inputsDigest(reconciler: Reconciler, target: Target, build: string): string {
  const values = reconciler.inputs.map((input) => (input === 'secrets' ? target.secrets : pick(target.wanted, input)));
  return digestOfValue([build, values]);
}
