// A plan is data computed by a pure function: phases of steps, what each costs, and the facts that it stands on.
import type {Effect, EventBody} from '../kernel/event.ts';
import type {Problem} from '../kernel/problem.ts';

/** What a step may use while it checks or applies. `S` is the mode's scope: its connections and secrets. */
export interface StepContext<S> {
  readonly scope: S;
  /** Aborts when the person leaves (second Ctrl-C) or the run's deadline is over. */
  readonly signal: AbortSignal;
  /** Aborts at the first Ctrl-C: a step that only waits ends early by throwing the signal's reason; one that changes goes on to its end. */
  readonly stopping: AbortSignal;
  emit(event: EventBody): void;
}

export interface Step<S> {
  /** Stable across runs and computers for the same work: what resume matches on. */
  readonly id: string;
  /** Imperative: "Join workers". */
  readonly title: string;
  readonly host?: string;
  /** Of a step without a host: whose outcome it is all the same. */
  readonly affects?: readonly string[];
  readonly effect: Effect;
  /** Only reads. A step that is satisfied isn't applied. */
  check(context: StepContext<S>): Promise<'needed' | 'satisfied'>;
  /** Changes. May return a fact about what it did, for the finished line. */
  apply(context: StepContext<S>): Promise<string | void>;
}

/**
 * Steps of one title. A host goes on to its next step as soon as its last one is done, over the phases' borders; a step without a host is a
 * border: it waits for all before it, and all after it wait for it.
 */
export interface Phase<S> {
  readonly title: string;
  readonly steps: readonly Step<S>[];
  /** How many steps of this phase run at the same time; default: as many as the run allows. */
  readonly concurrency?: number;
  /** Starts only when every step of the phases before has ended. */
  readonly barrier?: boolean;
  /** When more hosts than this have failed in this phase, its remaining steps are skipped; default: the other hosts go on. */
  readonly maxFailures?: number;
  /**
   * How many hosts may be under way in this phase: each from its first step here to its last, and one that failed for good, because it's away. A
   * host that has begun goes on to its end whatever fails elsewhere; what may not begin any more is skipped.
   */
  readonly window?: number;
}

/** One line of a diff: what the file wants against what is. Secrets are never in here. */
export interface Change {
  /** Dotted path in the wanted document: `node.labels.zone`. */
  readonly path: string;
  readonly from?: unknown;
  readonly to?: unknown;
  readonly effect: Effect;
  /** Why, where the path doesn't say it. */
  readonly why?: string;
}

export interface HostPlan {
  readonly host: string;
  readonly role?: string;
  /** `removed`: it leaves, which is asked for by its name; with a reason when it isn't reached. */
  readonly state: 'new' | 'changed' | 'unchanged' | 'unreachable' | 'removed';
  /** The highest effect of its changes. */
  readonly effect: Effect;
  readonly changes: readonly Change[];
  /** Set when the host is unreachable. */
  readonly reason?: string;
  readonly problem?: Problem;
}

/** The facts that a plan stands on: dotted path to plain value. Only what the plan reads is in here. */
export type Basis = Readonly<Record<string, unknown>>;

export interface Warning {
  readonly code: string;
  readonly message: string;
  readonly host?: string;
  readonly hints?: readonly string[];
}

export interface Plan<S> {
  /** What the run does, as in its title: `apply`, `upgrade`. */
  readonly operation: string;
  /** The cluster's name. */
  readonly subject: string;
  readonly mode: string;
  /** True when nothing of it is real (sandbox). */
  readonly simulated: boolean;
  readonly hosts: readonly HostPlan[];
  readonly phases: readonly Phase<S>[];
  readonly basis: Basis;
  readonly warnings: readonly Warning[];
}

export function hasChanges(plan: Pick<Plan<never>, 'hosts'>): boolean {
  return plan.hosts.some((host) => host.state === 'new' || host.state === 'changed' || host.state === 'removed');
}
