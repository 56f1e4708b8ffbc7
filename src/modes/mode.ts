// The seam between the verbs and the three modes.
import type {Redactor} from '../kernel/redact.ts';
import type {Plan} from '../plan/plan.ts';
import type {DesiredCluster} from '../spec/desired.ts';

export type Intent = {readonly verb: 'converge'; readonly limit?: readonly string[]};

/** What a verb brings along: how to ask, when to stop, and what must not be printed. */
export interface ScopeOptions {
  readonly signal: AbortSignal;
  readonly redactor: Redactor;
  /** Asks for a secret on the terminal; absent where there is none. */
  readonly askSecret?: (question: string) => Promise<string>;
  /** How many hosts are worked on at once. */
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
  observe(cluster: DesiredCluster, facts: F, scope: S): Promise<ClusterView>;
}

/** An error of a named check that nobody chose to ignore. */
export interface Obstacle {
  readonly id: string;
  readonly host?: string;
  readonly observed: string;
  readonly wanted: string;
  readonly remedy: string;
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
  readonly conditions: readonly {readonly type: string; readonly ready: boolean; readonly message?: string}[];
  readonly machines: readonly MachineView[];
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
}
