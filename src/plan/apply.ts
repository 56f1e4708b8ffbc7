// Runs a plan: every mode's, here and on hosts. It decides nothing; it only orders, bounds, records and reports.
import type {Emit, HostOutcome, RunOutcome, StepOutcome} from '../kernel/event.ts';
import {exitCodeOf, isAbortError, TriremeError} from '../kernel/errors.ts';
import {problemOf, type Problem} from '../kernel/problem.ts';
import type {ExitCode} from '../kernel/error-codes.ts';
import {Schedule, type PlannedStep} from './schedule.ts';
import type {Plan, StepContext} from './plan.ts';

export interface ApplyOptions<S> {
  readonly scope: S;
  readonly emit: Emit;
  /** First Ctrl-C: what runs is finished, nothing new begins. */
  readonly stopping: AbortSignal;
  /** Second Ctrl-C, or the run's deadline: running steps are aborted. */
  readonly leaving: AbortSignal;
  /** How many steps run at once over the whole run. */
  readonly concurrency: number;
  /** When more hosts than this have failed, no further step begins; default: the other hosts go on. */
  readonly maxFailures?: number;
  /** The run that this one goes on with. */
  readonly resumed?: string;
}

export interface RunSummary {
  readonly outcome: RunOutcome;
  readonly exit: ExitCode;
  readonly hosts: readonly HostOutcome[];
  /** In ms. */
  readonly ms: number;
  readonly problem?: Problem;
}

/** Runs every step that its check calls needed and returns what became of each host. Throws only for bugs; failures are in the summary. */
export async function applyPlan<S>(plan: Plan<S>, options: ApplyOptions<S>): Promise<RunSummary> {
  const {emit} = options;
  const started = Date.now();
  emit({
    type: 'run.started',
    operation: plan.operation,
    subject: plan.subject,
    mode: plan.mode,
    simulated: plan.simulated,
    phases: plan.phases.map((phase) => ({
      title: phase.title,
      steps: phase.steps.map(({id, title, host, effect}) => ({id, title, effect, ...(host === undefined ? {} : {host})})),
    })),
    ...(options.resumed === undefined ? {} : {resumed: options.resumed}),
  });
  for (const host of plan.hosts) {
    if (host.state === 'unreachable') emit({type: 'host.unreachable', host: host.host, problem: host.problem ?? unreachable(host.host, host.reason)});
  }
  for (const warning of plan.warnings) emit({type: 'warning.raised', ...warning});

  const run = new Run(plan, options);
  await run.toEnd();
  const hosts = run.hostOutcomes();
  const ms = Date.now() - started;
  const problems = [...run.problems, ...hosts.flatMap((host) => host.problem ?? [])];
  const outcome = outcomeOf(run, hosts);
  const exit = outcome === 'interrupted' && run.problems.length === 0 ? 130 : exitCodeOf(problems.map((one) => one.exit));
  // the one that the exit code comes from: code and exit of what is told go together
  const problem = problems.find((one) => one.exit === exit) ?? problems[0];
  emit({type: 'run.finished', outcome, ms, hosts, ...(problem === undefined ? {} : {problem})});
  return {outcome, exit, hosts, ms, ...(problem === undefined ? {} : {problem})};
}

function unreachable(host: string, reason: string | undefined): Problem {
  return problemOf(new TriremeError('host.unreachable', reason ?? `Can't reach ${host}.`, {host}));
}

function outcomeOf<S>(run: Run<S>, hosts: readonly HostOutcome[]): RunOutcome {
  if (run.problems.length > 0 || hosts.some((host) => host.outcome === 'failed' || host.outcome === 'unreachable')) return 'failed';
  if (run.interrupted) return 'interrupted';
  return run.changed ? 'succeeded' : 'unchanged';
}

/** The state of one run: what began, what ended, and how. */
class Run<S> {
  readonly problems: Problem[] = [];
  changed = false;
  interrupted = false;
  readonly #plan: Plan<S>;
  readonly #options: ApplyOptions<S>;
  readonly #schedule: Schedule<S>;
  readonly #hosts = new Map<string, HostOutcome>();
  readonly #phases = new Map<string, {started: number; ended: number; readonly counts: Record<StepOutcome, number>}>();

  constructor(plan: Plan<S>, options: ApplyOptions<S>) {
    this.#plan = plan;
    this.#options = options;
    this.#schedule = new Schedule(plan, options.concurrency);
    for (const host of plan.hosts) {
      if (host.state !== 'unreachable') this.#hosts.set(host.host, {host: host.host, outcome: 'unchanged'});
      else this.#hosts.set(host.host, {host: host.host, outcome: 'unreachable', problem: host.problem ?? unreachable(host.host, host.reason)});
    }
  }

  hostOutcomes(): readonly HostOutcome[] {
    return [...this.#hosts.values()];
  }

  async toEnd(): Promise<void> {
    const running = new Set<Promise<void>>();
    for (;;) {
      this.#skipWhatMayNotBegin();
      for (const planned of this.#schedule.takeReady()) {
        const work = this.#runStep(planned).finally(() => running.delete(work));
        running.add(work);
      }
      if (running.size > 0) {
        await Promise.race(running);
        continue;
      }
      const stuck = this.#schedule.takeStuck();
      if (stuck.length === 0) break;
      this.#stopRollout(stuck);
    }
  }

  /** Ends everything that waits when the run is being stopped, and everything of a phase that had too many failures. */
  #skipWhatMayNotBegin(): void {
    const {stopping, leaving, maxFailures} = this.#options;
    const failedHosts = this.hostOutcomes().filter((host) => host.outcome === 'failed').length;
    if (stopping.aborted || leaving.aborted) this.#drop(this.#schedule.takeAllWaiting(), 'interrupted');
    else if (maxFailures !== undefined && failedHosts > maxFailures) this.#stopRollout(this.#schedule.takeUnbegun());
    for (const phase of this.#plan.phases) {
      const failed = this.#phases.get(phase.title)?.counts.failed ?? 0;
      if (phase.maxFailures !== undefined && failed > phase.maxFailures) this.#stopRollout(this.#schedule.takeUnbegun(phase.title));
    }
  }

  /** Says which hosts a roll-out doesn't reach any more, and skips them. */
  #stopRollout(list: readonly PlannedStep<S>[]): void {
    const inWindow = list.filter((planned) => planned.step.host !== undefined && this.#plan.phases[planned.phaseIndex]?.window !== undefined);
    const spared = [...new Set(inWindow.map((planned) => planned.step.host as string))].filter((host) => this.#hosts.get(host)?.outcome !== 'failed');
    const failed = this.hostOutcomes().filter((host) => host.outcome === 'failed');
    if (spared.length > 0)
      this.#options.emit({
        type: 'warning.raised',
        code: 'rollout.stopped',
        message: `${failed.map((host) => host.host).join(', ')} failed, so ${spared.join(', ')} ${spared.length === 1 ? "isn't" : "aren't"} touched.`,
      });
    this.#drop(list, 'skipped');
  }

  #drop(list: readonly PlannedStep<S>[], outcome: 'interrupted' | 'skipped'): void {
    for (const planned of list) this.#finish(planned, outcome, 0);
  }

  async #runStep(planned: PlannedStep<S>): Promise<void> {
    const {step, phase} = planned;
    const {emit} = this.#options;
    const begun = Date.now();
    this.#beginPhase(phase);
    emit({type: 'step.started', step: step.id, title: step.title, phase, ...(step.host === undefined ? {} : {host: step.host})});
    const context: StepContext<S> = {scope: this.#options.scope, signal: this.#options.leaving, stopping: this.#options.stopping, emit};
    try {
      if ((await step.check(context)) === 'satisfied') {
        this.#finish(planned, 'satisfied', Date.now() - begun);
        return;
      }
      const summary = await step.apply(context);
      this.changed = true;
      this.#finish(planned, 'done', Date.now() - begun, summary === undefined ? {} : {summary});
    } catch (error) {
      const stopped = isAbortError(error) && (this.#options.stopping.aborted || this.#options.leaving.aborted);
      if (stopped) this.#finish(planned, 'interrupted', Date.now() - begun);
      else this.#finish(planned, 'failed', Date.now() - begun, {problem: withHost(problemOf(error), step.host)});
    }
  }

  #beginPhase(title: string): void {
    if (this.#phases.has(title)) return;
    this.#phases.set(title, {started: Date.now(), ended: 0, counts: {done: 0, satisfied: 0, failed: 0, skipped: 0, unreachable: 0, interrupted: 0}});
    this.#options.emit({type: 'phase.started', phase: title, steps: this.#stepsOf(title)});
  }

  #stepsOf(title: string): number {
    return this.#plan.phases.find((phase) => phase.title === title)?.steps.length ?? 0;
  }

  #finish(planned: PlannedStep<S>, outcome: StepOutcome, ms: number, more: {readonly summary?: string; readonly problem?: Problem} = {}): void {
    const {step, phase} = planned;
    this.#beginPhase(phase);
    this.#schedule.ended(planned, outcome === 'failed');
    this.#options.emit({
      type: 'step.finished',
      step: step.id,
      title: step.title,
      phase,
      outcome,
      ms,
      ...(step.host === undefined ? {} : {host: step.host}),
      ...more,
    });
    this.#recordHost(step.host, outcome, more.problem);
    if (step.host === undefined && outcome !== 'skipped') for (const host of step.affects ?? []) this.#recordOutcome(host, outcome, more.problem);
    this.#endPhase(phase, outcome);
    if (outcome === 'failed' || outcome === 'interrupted')
      this.#drop(this.#schedule.takeWaitingBehind(planned), outcome === 'failed' ? 'skipped' : 'interrupted');
  }

  #recordHost(host: string | undefined, outcome: StepOutcome, problem: Problem | undefined): void {
    if (outcome === 'interrupted') this.interrupted = true;
    if (problem !== undefined) this.problems.push(problem);
    if (host !== undefined) this.#recordOutcome(host, outcome, problem);
  }

  #recordOutcome(host: string, outcome: StepOutcome, problem: Problem | undefined): void {
    const before = this.#hosts.get(host)?.outcome ?? 'unchanged';
    if (outcome === 'failed') this.#hosts.set(host, {host, outcome: 'failed', ...(problem === undefined ? {} : {problem})});
    else if (before === 'failed') return;
    else if (outcome === 'interrupted') this.#hosts.set(host, {host, outcome: 'interrupted'});
    else if (outcome === 'done' && before === 'unchanged') this.#hosts.set(host, {host, outcome: 'changed'});
  }

  #endPhase(title: string, outcome: StepOutcome): void {
    const phase = this.#phases.get(title);
    if (phase === undefined) return;
    phase.counts[outcome] += 1;
    phase.ended += 1;
    if (phase.ended < this.#stepsOf(title)) return;
    const {done, satisfied, failed} = phase.counts;
    this.#options.emit({type: 'phase.finished', phase: title, done, satisfied, failed, ms: Date.now() - phase.started});
  }
}

function withHost(problem: Problem, host: string | undefined): Problem {
  return problem.host === undefined && host !== undefined ? {...problem, host} : problem;
}
