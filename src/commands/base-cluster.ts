// What commands on a cluster share: read the file, open the mode's scope, plan, show, ask, apply, summarise.
import {access} from 'node:fs/promises';
import {resolve} from 'node:path';
import {stateFolder} from '../kernel/folders.ts';
import {TriremeError} from '../kernel/errors.ts';
import {errorOf, problemOf} from '../kernel/problem.ts';
import {findKnownCluster, rememberCluster} from '../fleet/known-clusters.ts';
import type {Mode, Obstacle, Scope} from '../modes/mode.ts';
import type {FollowPicture} from '../output/follow.ts';
import type {ExecutedRun} from '../plan/execute.ts';
import {hasChanges, type Plan} from '../plan/plan.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import {BaseCommand} from './base-command.ts';
import {looksAtOnce} from './base-flags.ts';

export interface ClusterFlags {
  readonly file?: readonly string[];
  readonly cluster?: string;
}

export interface ScopeFlags {
  readonly concurrency?: number;
  readonly 'break-lock'?: boolean;
  /** In ms: how long the run may take, and its waits with it. */
  readonly patience?: number;
}

export interface RunFlags extends ScopeFlags {
  readonly yes: boolean;
  readonly 'dry-run': boolean;
  readonly 'max-failures'?: number;
  readonly 'break-lock': boolean;
  /** In ms. */
  readonly timeout?: number;
  /** Names that a person typed beforehand, of hosts that are removed. */
  readonly confirm?: readonly string[];
}

export type AnyMode = Mode<unknown, Scope>;

export interface PlannedWork {
  readonly plan: Plan<Scope>;
  /** Absent when no file describes the cluster. */
  readonly cluster?: DesiredCluster;
  readonly scope: Scope;
  readonly resumed?: string;
  /** What is done after the answer and before the first step: writing the file that was changed. With it there's something to ask for even when no step is needed. */
  readonly beforeRun?: () => Promise<void>;
  /** The removal of hosts was asked for by another name: the cluster's, or the command's own argument. */
  readonly removalConfirmed?: boolean;
  /** What to try after a success; default: status and kubeconfig. */
  readonly next?: readonly string[];
  /** What goes on after a failure; default: `trireme apply --resume`. */
  readonly again?: string;
}

/** The file that is read when no -f is given. */
export const defaultFile = 'trireme.yaml';

export abstract class ClusterCommand<R> extends BaseCommand<R> {
  /** Reads the wanted cluster completely: -f, else trireme.yaml here, else the file of a known cluster with this name. */
  protected async readCluster(flags: ClusterFlags): Promise<DesiredCluster> {
    const {readCluster} = await import('../spec/read.ts');
    const files = flags.file ?? (await this.#defaultFiles(flags.cluster));
    const cluster = await readCluster({files, redactor: this.redactor, ...(flags.cluster === undefined ? {} : {name: flags.cluster})});
    for (const warning of cluster.warnings) this.out.warn(warning);
    return cluster;
  }

  /** The cluster with its charts and kustomizations as manifests: for what plans, compares or collects layers. */
  protected async readRendered(flags: ClusterFlags): Promise<DesiredCluster> {
    return this.render(await this.readCluster(flags));
  }

  protected async render(cluster: DesiredCluster): Promise<DesiredCluster> {
    if (cluster.layers.every((layer) => layer.source === undefined)) return cluster;
    const [{renderLayers}, {rendererPlaces}] = await Promise.all([import('../layers/render.ts'), import('./base-content.ts')]);
    return renderLayers(cluster, {programs: rendererPlaces(cluster), signal: this.signal});
  }

  async #defaultFiles(name: string | undefined): Promise<readonly string[]> {
    if (name === undefined) return [];
    const isHere = await access(defaultFile).then(
      () => true,
      () => false,
    );
    if (isHere) return [];
    return (await findKnownCluster(stateFolder(), name))?.files ?? [];
  }

  /** Opens the mode's connections, does the work, and closes them whatever happens. */
  protected async withScope<T>(cluster: DesiredCluster, flags: ScopeFlags, work: (mode: AnyMode, scope: Scope) => Promise<T>): Promise<T> {
    const {modeFor} = await import('../modes/registry.ts');
    const mode = (await modeFor(cluster)) as AnyMode;
    const askSecret = this.askSecret;
    const scope = await mode.openScope(cluster, {
      signal: this.signal,
      redactor: this.redactor,
      concurrency: looksAtOnce(flags.concurrency, this.settings.concurrency),
      breakLock: flags['break-lock'] ?? false,
      ...(askSecret === undefined ? {} : {askSecret}),
      ...(flags.patience === undefined ? {} : {patience: flags.patience}),
      warn: (message) => this.out.warn({code: 'facts.incomplete', message}),
    });
    try {
      return await work(mode, scope);
    } finally {
      await scope.close();
    }
  }

  /** Throws `preflight.failed` when a check speaks against beginning with a new host; with --dry-run that is a warning. */
  protected requireFitHosts(obstacles: readonly Obstacle[], flags: Pick<RunFlags, 'dry-run'>): void {
    const [first] = obstacles;
    if (first === undefined) return;
    const lines = obstacles.map((one) => `  ${one.host ?? '(cluster)'}: ${one.id}: ${one.observed}; wanted: ${one.wanted}\n    ${one.remedy}`);
    const message = `Preflight speaks against beginning:\n${lines.join('\n')}`;
    const hints = [
      'Everything that preflight finds: trireme preflight',
      `What you accept goes into the file: spec.agent.preflight.ignore: [${[...new Set(obstacles.map((one) => one.id))].join(', ')}]`,
    ];
    if (flags['dry-run']) this.out.warn({code: 'preflight.failed', message, hints});
    else throw new TriremeError('preflight.failed', message, {hints, details: {obstacles}});
  }

  /** Shows the plan, asks, applies it and summarises: the same for every verb that changes something. */
  protected async present(work: PlannedWork, flags: RunFlags) {
    const {plan, cluster} = work;
    const result = {plan: planResultOf(plan), run: null};
    for (const warning of plan.warnings) this.out.warn(warning);
    const {renderPlan} = await import('../output/plan-text.ts');
    this.out.note(renderPlan(plan, {style: this.out.terminal.errorStyle, wide: this.out.format === 'wide'}));
    if (flags['dry-run']) return result;
    if (work.removalConfirmed !== true) await this.#confirmRemovals(plan, flags.confirm ?? []);
    if (cluster !== undefined)
      await rememberCluster(stateFolder(), cluster).catch((error: Error) =>
        this.out.warn({code: 'clusters.not-recorded', message: `The list of known clusters can't be written: ${error.message}`}),
      );
    if (hasChanges(plan) || work.beforeRun !== undefined) await this.confirm(`Apply this to ${plan.subject}?`, {given: flags.yes, flag: '--yes'});
    await work.beforeRun?.();
    const unreachable = plan.hosts.filter((host) => host.state === 'unreachable');
    if (plan.phases.every((phase) => phase.steps.length === 0)) {
      const hosts = plan.hosts.map((host) => ({
        host: host.host,
        outcome: host.state === 'unreachable' ? ('unreachable' as const) : ('unchanged' as const),
        ...(host.problem === undefined ? {} : {problem: host.problem}),
      }));
      if (unreachable[0] !== undefined)
        this.failWith(
          unreachable[0].problem ??
            problemOf(new TriremeError('host.unreachable', unreachable[0].reason ?? `Can't reach ${unreachable[0].host}.`, {host: unreachable[0].host})),
        );
      else this.out.print(`${plan.simulated ? 'SIMULATED ' : ''}${plan.subject}: unchanged`);
      return {
        ...result,
        run: {
          cluster: plan.subject,
          mode: plan.mode,
          simulated: plan.simulated,
          outcome: unreachable.length > 0 ? ('failed' as const) : ('unchanged' as const),
          hosts,
          ms: 0,
        },
      };
    }
    const {run, outcome, hosts, ms} = await this.#execute(work, flags);
    return {...result, run: {run, cluster: plan.subject, mode: plan.mode, simulated: plan.simulated, outcome, hosts, ms}};
  }

  /** On a real terminal a run is drawn as on the Run screen; whoever reads lines gets lines, and waits for nothing. */
  async #picture(): Promise<FollowPicture | undefined> {
    const {terminal, showsProgress} = this.out;
    if (!showsProgress || !terminal.canRedraw || this.settings['screen-reader']) return undefined;
    const {drawRunInline} = await import('../ui/app.tsx');
    const {color, isAscii} = terminal;
    return (options) => drawRunInline({...options, theme: this.settings.theme, color, isAscii});
  }

  /** Hosts that leave are asked for by their names: --yes is no answer to that. Throws `usage.answer-required`, `answer.refused`. */
  async #confirmRemovals(plan: Plan<Scope>, given: readonly string[]): Promise<void> {
    const leaving = plan.hosts.filter((host) => host.state === 'removed').map((host) => host.host);
    if (leaving.every((host) => given.includes(host))) return;
    const question = `${leaving.join(', ')} ${leaving.length === 1 ? 'is' : 'are'} taken out of ${plan.subject} for good, with all that is on ${leaving.length === 1 ? 'it' : 'them'}.`;
    this.requireAnswer(false, leaving.map((host) => `--confirm ${host}`).join(' '), question);
    const {askText} = await import('../prompts/ask.ts');
    const typed = (await askText(`${question} Type ${leaving.length === 1 ? 'its name' : 'their names'}:`, this.signal))
      .split(/[\s,]+/)
      .filter((name) => name !== '');
    const missing = leaving.filter((host) => !typed.includes(host));
    if (missing.length > 0)
      throw new TriremeError('answer.refused', `${missing.join(', ')} ${missing.length === 1 ? "wasn't" : "weren't"} named; nothing was changed.`);
  }

  async #execute({plan, cluster, scope, resumed, ...work}: PlannedWork, flags: RunFlags): Promise<ExecutedRun> {
    const [{executePlan}, {followRun}, {renderSummary}] = await Promise.all([
      import('../plan/execute.ts'),
      import('../output/follow.ts'),
      import('../output/summary.ts'),
    ]);
    const follower = followRun(this.out, await this.#picture());
    const again = work.again ?? 'trireme apply --resume';
    const clock = deadline(flags.timeout, again);
    this.finishStepsOnInterrupt((text) => follower.note(text));
    try {
      const executed = await executePlan(plan, {
        scope,
        stopping: this.interruption.stopping,
        leaving: AbortSignal.any([this.interruption.leaving, clock.signal]),
        concurrency: flags.concurrency ?? this.settings.concurrency,
        ...(flags['max-failures'] === undefined ? {} : {maxFailures: flags['max-failures']}),
        ...(resumed === undefined ? {} : {resumed}),
        folder: stateFolder(),
        // whoever goes on with the run may be in another folder
        files: (cluster?.source.files ?? []).map((file) => (file === '-' || file === '<stdin>' ? file : resolve(file))),
        specDigest: cluster?.source.digest ?? '',
        program: this.config.version,
        redactor: this.redactor,
        subscriber: follower.follow,
        breakLock: flags['break-lock'],
      });
      follower.close();
      const isGood = executed.outcome === 'succeeded' || executed.outcome === 'unchanged';
      const next = isGood ? (work.next ?? ['trireme status', 'trireme cluster kubeconfig']) : [again, `trireme history ${executed.run}`];
      this.out.print(renderSummary(follower.view, {style: this.out.style, next: this.out.quiet ? [] : next}));
      if (executed.exit !== 0)
        this.failWith(
          {...(executed.problem ?? problemOf(interruptedError(executed.run, again))), exit: executed.exit},
          {isShown: executed.problem !== undefined},
        );
      return executed;
    } finally {
      follower.close();
      clock.stop();
    }
  }
}

function interruptedError(run: string, again: string): TriremeError {
  return new TriremeError('run.interrupted', `The run ${run} was interrupted; finished steps are kept.`, {hints: [again]});
}

/** A signal that aborts after `ms` with an error of ours, so that a step that was waiting says why it ended. */
function deadline(ms: number | undefined, again: string): {readonly signal: AbortSignal; stop(): void} {
  const controller = new AbortController();
  if (ms === undefined) return {signal: controller.signal, stop: () => {}};
  const error = new TriremeError('wait.timed-out', `The run took longer than --timeout allows (${ms / 1000} s).`, {hints: [again]});
  const timer = setTimeout(() => controller.abort(errorOf(problemOf(error))), ms);
  return {signal: controller.signal, stop: () => clearTimeout(timer)};
}

/** A plan as plain data for the JSON output. */
export function planResultOf(plan: Plan<Scope>) {
  return {
    operation: plan.operation,
    cluster: plan.subject,
    mode: plan.mode,
    simulated: plan.simulated,
    changes: hasChanges(plan),
    hosts: [...plan.hosts],
    phases: plan.phases.map((phase) => ({
      title: phase.title,
      steps: phase.steps.map(({id, title, host, effect}) => ({id, title, effect, ...(host === undefined ? {} : {host})})),
    })),
  };
}
