// Runs reconcilers, level-triggered: each looks at what is, works out the few steps that are missing, and has them run by the one engine.
import {isAbortError, TriremeError} from '../kernel/errors.ts';
import type {ErrorCode} from '../kernel/error-codes.ts';
import type {Emit, EventBody} from '../kernel/event.ts';
import {problemOf} from '../kernel/problem.ts';
import {applyPlan} from '../plan/apply.ts';
import type {Plan} from '../plan/plan.ts';
import type {Drift, DriftArea, ReconcilerState} from '../hostcluster/protocol.ts';
import type {EventLog} from './event-log.ts';
import {inputsDigest, type AgentStep, type Reconciler, type Target} from './reconciler.ts';

/** In ms. */
const times = {look: 20_000, wait: 1500, firstRetry: 1000, longestRetry: 60_000};
/** How many of the latest drifts are told. */
const driftKept = 50;

interface Entry {
  reconciler: Reconciler;
  status: ReconcilerState['status'];
  message: string | undefined;
  /** Of the last failure. */
  code: ErrorCode | undefined;
  since: string;
  attempts: number;
  running: boolean;
  nextAt: number;
  digest: string;
}

export interface ManagerOptions {
  readonly events: EventLog;
  /** Digest of the program: another build may render anew without that being drift. */
  readonly build: string;
  /** Called whenever something that AgentState tells has changed. */
  onChange(): void;
}

/** Keeps one host right. A reconciler that waits or fails holds up only those that need it. */
export class Manager {
  readonly #options: ManagerOptions;
  readonly #stop = new AbortController();
  readonly #entries = new Map<string, Entry>();
  readonly #running = new Set<Promise<void>>();
  #target: Target | undefined;
  #timer: NodeJS.Timeout | undefined;
  #drift: readonly Drift[] = [];
  #runs = 0;

  constructor(options: ManagerOptions) {
    this.#options = options;
  }

  get states(): readonly ReconcilerState[] {
    return [...this.#entries.values()].map(({reconciler, status, message, code, since, attempts}) => ({
      name: reconciler.name,
      status,
      since,
      attempts,
      ...(message === undefined ? {} : {message}),
      ...(status === 'failed' && code !== undefined ? {code} : {}),
    }));
  }

  get drift(): readonly Drift[] {
    return this.#drift;
  }

  /** True when every reconciler is done for what is wanted now. */
  get converged(): boolean {
    return this.#entries.size > 0 && [...this.#entries.values()].every((entry) => entry.status === 'done' && this.#isDone(entry));
  }

  /** Looks at these reconcilers now rather than at their next turn; those that wait or work aren't hurried. */
  hurry(names: readonly string[]): void {
    for (const name of names) {
      const entry = this.#entries.get(name);
      if (entry?.status === 'done') entry.nextAt = 0;
    }
    this.#schedule();
  }

  /** Looks once more: what this one found, or finds just now, may be older than what is known. One that waits or failed comes back by itself. */
  again(name: string): void {
    const entry = this.#entries.get(name);
    if (entry?.status === 'done' || entry?.status === 'working') entry.nextAt = 0;
    this.#schedule();
  }

  /** Works towards this from now on. What runs is finished for the old; then it looks again. */
  setTarget(target: Target, reconcilers: readonly Reconciler[]): void {
    if (this.#target === undefined) this.#drift = target.records.get<readonly Drift[]>('drift') ?? [];
    this.#target = target;
    const names = new Set(reconcilers.map((one) => one.name));
    for (const name of this.#entries.keys()) if (!names.has(name)) this.#entries.delete(name);
    for (const reconciler of reconcilers) {
      const digest = inputsDigest(reconciler, target, this.#options.build);
      const entry = this.#entries.get(reconciler.name);
      if (entry === undefined) {
        this.#entries.set(reconciler.name, {
          reconciler,
          status: 'waiting',
          message: undefined,
          code: undefined,
          since: now(),
          attempts: 0,
          running: false,
          nextAt: 0,
          digest,
        });
      } else {
        if (entry.digest !== digest) this.#set(entry, entry.running ? 'working' : 'waiting', undefined, 0);
        Object.assign(entry, {reconciler, digest, nextAt: 0});
      }
    }
    this.#options.onChange();
    this.#schedule();
  }

  /** Aborts what runs and waits for it to end. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await Promise.allSettled(this.#running);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const target = this.#target;
    if (target === undefined || this.#stop.signal.aborted) return;
    const time = Date.now();
    for (const entry of this.#entries.values()) {
      if (entry.running || entry.nextAt > time) continue;
      const missing = entry.reconciler.needs.filter((name) => this.#entries.has(name) && !this.#isDone(this.#entries.get(name) as Entry));
      if (missing.length > 0) {
        // looked at again when one of those is done
        this.#set(entry, 'waiting', `waits for: ${missing.join(', ')}`);
        continue;
      }
      entry.running = true;
      const work = this.#turn(entry, target).finally(() => {
        entry.running = false;
        this.#running.delete(work);
        this.#schedule();
      });
      this.#running.add(work);
    }
    const next = Math.min(...[...this.#entries.values()].filter((entry) => !entry.running && entry.nextAt > time).map((entry) => entry.nextAt));
    if (Number.isFinite(next)) this.#timer = setTimeout(() => this.#schedule(), Math.max(next - time, 10));
  }

  #isDone(entry: Entry): boolean {
    return this.#target?.records.get(`done.${entry.reconciler.name}`) === entry.digest;
  }

  #set(entry: Entry, status: ReconcilerState['status'], message: string | undefined, attempts = entry.attempts): void {
    if (entry.status === status && entry.message === message && entry.attempts === attempts) return;
    if (entry.status !== status) entry.since = now();
    Object.assign(entry, {status, message, attempts});
    this.#options.onChange();
  }

  /** One look, and the work that it finds. Never throws. */
  async #turn(entry: Entry, target: Target): Promise<void> {
    const {reconciler, digest} = entry;
    // a change of wanted during the turn replaces the entry's digest and sets nextAt to 0: then this turn says nothing about the new
    entry.nextAt = Number.POSITIVE_INFINITY;
    const isCurrent = () => entry.digest === digest;
    const next = (ms: number) => (isCurrent() && entry.nextAt > 0 ? Object.assign(entry, {nextAt: Date.now() + ms}) : (entry.nextAt = 0));
    try {
      const waitsFor = await reconciler.waitsFor?.(target, this.#stop.signal);
      if (waitsFor !== undefined) {
        this.#set(entry, 'waiting', waitsFor);
        next(times.wait);
        return;
      }
      const message = await this.#work(entry, target, await this.#needed(entry, await reconciler.steps(target), target));
      if (isCurrent()) {
        await target.records.set(`done.${reconciler.name}`, digest);
        this.#set(entry, 'done', message, 0);
        this.#wakeDependents(reconciler.name);
      }
      const {interval = times.look} = reconciler;
      next(typeof interval === 'function' ? interval(target) : interval);
    } catch (error) {
      if (this.#stop.signal.aborted && isAbortError(error)) return;
      const problem = problemOf(error);
      const attempts = entry.attempts + 1;
      entry.code = problem.code;
      this.#set(entry, 'failed', problem.message, attempts);
      if (problem.exit === 70)
        this.#emit(`agent-${reconciler.name}`)({
          type: 'warning.raised',
          code: problem.code,
          message: `${reconciler.name}: ${(error as Error).stack ?? problem.message}`,
          host: target.host.name,
        });
      next(Math.min(times.firstRetry * 2 ** (attempts - 1), times.longestRetry));
    }
  }

  #wakeDependents(name: string): void {
    for (const entry of this.#entries.values()) {
      if (entry.status === 'waiting' && entry.reconciler.needs.includes(name)) entry.nextAt = 0;
    }
  }

  async #needed(
    entry: Entry,
    steps: readonly AgentStep[],
    target: Target,
  ): Promise<{readonly steps: readonly AgentStep[]; readonly needed: readonly AgentStep[]}> {
    const signal = this.#stop.signal;
    const needed: AgentStep[] = [];
    for (const step of steps) {
      if ((await step.check({scope: target, signal, stopping: signal, emit: () => {}})) === 'satisfied') continue;
      needed.push(step);
      // the first time one is enough to begin; afterwards each is drift to tell
      if (!this.#isDone(entry)) break;
    }
    return {steps, needed};
  }

  /** Runs what is needed; returns a remark for the state. Throws when it failed. */
  async #work(entry: Entry, target: Target, found: {readonly steps: readonly AgentStep[]; readonly needed: readonly AgentStep[]}): Promise<string | undefined> {
    const {reconciler} = entry;
    const {area} = reconciler;
    if (found.needed.length === 0) {
      if (area !== undefined) await this.#forget(area, target);
      return undefined;
    }
    // only what was right once, for these very inputs, can have drifted
    const isDrift = area !== undefined && this.#isDone(entry);
    if (!isDrift) {
      await this.#apply(entry, target, found.steps);
      return undefined;
    }
    if (target.wanted.drift[area] === 'report') {
      await this.#tell(area, found.needed, target, 'reported');
      return `drift reported, not repaired: ${found.needed.map(subjectOf).join(', ')}`;
    }
    const drifts = await describe(area, found.needed, target);
    try {
      await this.#apply(entry, target, found.steps);
    } catch (error) {
      await this.#record(drifts, 'failed', target);
      throw error;
    }
    await this.#record(drifts, 'repaired', target);
    return undefined;
  }

  async #apply(entry: Entry, target: Target, steps: readonly AgentStep[]): Promise<void> {
    const {reconciler} = entry;
    const {host, wanted} = target;
    this.#set(entry, 'working', undefined);
    const plan: Plan<Target> = {
      operation: reconciler.name,
      subject: wanted.cluster.name,
      mode: 'agent',
      simulated: host.simulated,
      hosts: [{host: host.name, role: wanted.role, state: 'changed', effect: 'none', changes: []}],
      phases: [{title: reconciler.name, steps: steps.map((step) => ({...step, host: host.name}))}],
      basis: {},
      warnings: [],
    };
    this.#runs += 1;
    const log = this.#emit(`agent-${reconciler.name}-${Date.now().toString(36)}${this.#runs.toString(36)}`);
    const emit: Emit = (event) => {
      if (event.type === 'step.started') this.#set(entry, 'working', event.title);
      log(event);
    };
    const summary = await applyPlan(plan, {scope: target, emit, stopping: this.#stop.signal, leaving: this.#stop.signal, concurrency: 1});
    if (summary.outcome === 'interrupted') throw this.#stop.signal.reason ?? new TriremeError('run.interrupted', 'The agent is stopping.');
    if (summary.problem !== undefined) throw new TriremeError(summary.problem.code, summary.problem.message, {hints: summary.problem.hints, host: host.name});
  }

  #emit(run: string): (event: EventBody) => void {
    return (event) => this.#options.events.write(run, event);
  }

  /** Drift under the policy `report`: told once while it lasts. */
  async #tell(area: DriftArea, steps: readonly AgentStep[], target: Target, outcome: Drift['outcome']): Promise<void> {
    const known = new Set(this.#drift.filter((one) => one.area === area && one.outcome === outcome).map((one) => one.subject));
    await this.#record(
      await describe(
        area,
        steps.filter((step) => !known.has(subjectOf(step))),
        target,
      ),
      outcome,
      target,
    );
  }

  /** What was only reported and is right again is no drift any more. */
  async #forget(area: DriftArea, target: Target): Promise<void> {
    const kept = this.#drift.filter((one) => one.area !== area || one.outcome !== 'reported');
    if (kept.length === this.#drift.length) return;
    this.#drift = kept;
    await target.records.set('drift', kept);
  }

  async #record(drifts: readonly Omit<Drift, 'outcome'>[], outcome: Drift['outcome'], target: Target): Promise<void> {
    if (drifts.length === 0) return;
    for (const drift of drifts) {
      this.#emit('agent-drift')({
        type: 'warning.raised',
        code: 'drift.found',
        message: `${drift.subject} was not as wanted (${drift.found}): ${outcome}.`,
        host: target.host.name,
      });
    }
    this.#drift = [...this.#drift, ...drifts.map((drift) => ({...drift, outcome}))].slice(-driftKept);
    await target.records.set('drift', this.#drift);
    this.#options.onChange();
  }
}

function subjectOf(step: AgentStep): string {
  return step.subject ?? step.title;
}

async function describe(area: DriftArea, steps: readonly AgentStep[], target: Target): Promise<readonly Omit<Drift, 'outcome'>[]> {
  const at = now();
  return Promise.all(steps.map(async (step) => ({area, subject: subjectOf(step), found: (await step.found?.(target)) ?? 'differs', at})));
}

function now(): string {
  return new Date().toISOString();
}
