// What the verbs of day two share: find the cluster, look at it, refuse early, edit the file where one is known, and run the plan.
import {Flags} from '@oclif/core';
import {z} from 'zod';
import {TriremeError} from '../kernel/errors.ts';
import type {ControllerScope} from '../modes/controller/scope.ts';
import type {LiveCluster} from '../modes/controller/verbs/live.ts';
import type {Intent, Scope} from '../modes/mode.ts';
import {hasChanges, type Phase, type Plan} from '../plan/plan.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import type {Edit} from '../spec/edit-text.ts';
import type {RunFlags} from './base-cluster.ts';
import {clusterFlags, concurrencyFlag, managementFlags, parseDuration, runFlags} from './base-flags.ts';
import {planResult, runResult, type ResultOf} from './base-results.ts';
import {TargetCommand, type ClusterTarget, type TargetFlags} from './base-target.ts';

export const verbResult = z.strictObject({
  plan: planResult,
  run: runResult.nullable(),
  /** The file that was changed, or would be; null where none is known or none has to be. */
  file: z.strictObject({path: z.string(), diff: z.string(), written: z.boolean()}).nullable(),
});
export type VerbResult = ResultOf<typeof verbResult>;

/** Of every verb on hosts. */
export const hostVerbFlags = {
  ...clusterFlags,
  yes: runFlags.yes,
  'dry-run': runFlags['dry-run'],
  'break-lock': runFlags['break-lock'],
  timeout: runFlags.timeout,
  concurrency: concurrencyFlag,
};

/** Of every verb that changes a cluster through its management cluster. */
export const verbFlags = {...hostVerbFlags, ...managementFlags};

export const waitFlag = Flags.boolean({summary: 'Wait until it is done, and show how far it is.', env: 'TRIREME_WAIT'});
/** For verbs that mean little before they are done. */
export const waitByDefaultFlag = Flags.boolean({summary: 'Wait until it is done; --no-wait only sets it.', env: 'TRIREME_WAIT', default: true, allowNo: true});

interface GivenFlags extends TargetFlags {
  readonly yes: boolean;
  readonly 'dry-run': boolean;
  readonly 'break-lock': boolean;
  readonly timeout?: string;
  readonly concurrency?: number;
  readonly 'max-failures'?: number;
}

export interface VerbWork {
  readonly intent: Intent;
  plan(live: LiveCluster, scope: ControllerScope): Plan<ControllerScope> | Promise<Plan<ControllerScope>>;
  /** Until it is done. */
  readonly wait?: boolean;
  /** Infrastructure and bootstrap objects are looked at, too. */
  readonly others?: boolean;
  /** What has to be true of the answer before anything is done: a typed name. */
  readonly ask?: (plan: Plan<ControllerScope>) => Promise<void>;
  readonly next?: readonly string[];
  /** The verb would change a file if one were known. */
  readonly changesFiles?: boolean;
  /** After a success. */
  readonly after?: () => Promise<void>;
}

export interface EditWork extends VerbWork {
  /** What the verb changes in the file. Throws when it can't. */
  edits(cluster: DesiredCluster, live: LiveCluster): readonly Edit[];
  /** Steps that come before the file's own plan. */
  readonly first?: (live: LiveCluster) => readonly Phase<ControllerScope>[];
}

/** A file in a mode whose machines are hosts that we log in to. */
export type HostsTarget = Extract<ClusterTarget, {kind: 'file'}>;

export function isOfHosts(target: ClusterTarget): target is HostsTarget {
  return target.kind === 'file' && target.cluster.document.spec.mode === 'agent';
}

/** Waits last as long as the run may. */
function withPatience(flags: RunFlags): RunFlags & {readonly patience?: number} {
  return {...flags, ...(flags.timeout === undefined ? {} : {patience: flags.timeout})};
}

export interface HostsWork<F> {
  /** Absent: what isn't a verb of every mode. */
  readonly intent?: Intent;
  readonly next?: readonly string[];
  /** How to go on after a failure. */
  readonly again?: string;
  readonly resumed?: string;
  plan(cluster: DesiredCluster, facts: F, scope: Scope): Promise<Plan<Scope>>;
  /** A yes is enough for the hosts that it takes out. */
  readonly isRemovalAsked?: boolean;
  /** The name that has to be typed, or was given by --confirm, instead of a yes. */
  readonly confirm?: {readonly name: string; readonly given: string | undefined; readonly what: string};
  /** After a success; `scope` is still open. */
  readonly after?: (scope: Scope) => Promise<void>;
}

export abstract class VerbCommand extends TargetCommand<VerbResult> {
  static override resultSchema: () => z.ZodType = () => verbResult;

  /** Runs a verb on the live objects, whoever describes the cluster. */
  protected async runOnObjects(target: ClusterTarget, given: GivenFlags, work: VerbWork): Promise<VerbResult> {
    const flags = this.#runFlags(given);
    if (target.kind === 'file') await this.requireCapability(target.cluster, work.intent.verb);
    this.#requireAnswer(target, given, work);
    return this.withManagement(target, flags, work.intent.verb, async (scope, name) => {
      const live = await this.#look(scope, name, work, given);
      const plan = await work.plan(live, scope);
      if (target.kind === 'live' && work.changesFiles === true) this.#sayNoFile(name);
      if (!given['dry-run']) await work.ask?.(plan);
      const shown = await this.present(this.#work(plan, scope, work, target.kind === 'file' ? target.cluster : undefined), flags);
      await this.#afterwards(shown.run, work);
      return {...shown, file: null};
    });
  }

  /** Edits the file where one is known, then makes the cluster what it says; else changes the live objects, and says so. */
  protected async runOnFile(target: ClusterTarget, given: GivenFlags, work: EditWork): Promise<VerbResult> {
    if (target.kind === 'live') return this.runOnObjects(target, given, {...work, changesFiles: true});
    await this.requireCapability(target.cluster, work.intent.verb);
    const flags = this.#runFlags(given);
    this.#requireAnswer(target, given, work);
    const {name} = target.cluster.document.metadata;
    return this.withScope(target.cluster, flags, async (mode, scope) => {
      const live = await this.#look(scope as ControllerScope, name, work, given);
      // the live plan is where the verb's own rules are; of it only the warnings and the waiting are used
      const direct = await work.plan(live, scope as ControllerScope);
      const {planEdit, writeEdit} = await import('../spec/edit.ts');
      const edit = await planEdit({files: target.cluster.source.files, name, edits: work.edits(target.cluster, live)});
      const cluster = await this.readEdited(target, edit, given);
      const facts = await mode.facts(cluster, scope);
      const converge = mode.plan(cluster, facts, {verb: 'converge'});
      this.requireFitHosts(mode.obstacles(cluster, facts, converge), flags);
      const plan = join(direct, converge, {first: work.first?.(live) ?? [], wait: work.wait === true});
      if (edit.diff === '') this.out.note(`${edit.file} says so already.`);
      else this.out.note(edit.diff);
      const isChanged = edit.diff !== '';
      const shown = await this.present(
        {...this.#work(plan, scope, work, cluster), ...(isChanged ? {beforeRun: () => writeEdit(edit)} : {}), again: 'trireme apply --resume'},
        flags,
      );
      await this.#afterwards(shown.run, work);
      return {...shown, file: {path: edit.path, diff: edit.diff, written: isChanged && !given['dry-run']}};
    });
  }

  /** Runs a verb on a cluster of hosts: what is planned comes from the mode's own look at them. */
  protected async runOnHosts<F>(target: HostsTarget, given: GivenFlags, work: HostsWork<F>): Promise<VerbResult> {
    // what joins again is given its layers; other verbs want none, and must work where no renderer is at hand
    const cluster = work.intent?.verb === 'machine-replace' ? await this.render(target.cluster) : target.cluster;
    if (work.intent !== undefined) await this.requireCapability(cluster, work.intent.verb);
    const flags = this.#runFlags(given);
    const {confirm} = work;
    if (!given['dry-run']) {
      if (confirm === undefined) this.requireAnswer(given.yes, '--yes', `${work.intent?.verb ?? this.commandName} ${cluster.document.metadata.name}?`);
      else this.requireAnswer(confirm.given !== undefined, `--confirm ${confirm.name}`, confirm.what);
    }
    return this.withScope(cluster, withPatience(flags), async (mode, scope) => {
      const plan = await work.plan(cluster, (await mode.facts(cluster, scope)) as F, scope);
      const again = work.again ?? `Run it again: trireme ${this.commandName}`;
      const resumed = work.resumed === undefined ? {} : {resumed: work.resumed};
      const isAsked = confirm !== undefined && hasChanges(plan);
      if (isAsked && !given['dry-run']) {
        if (confirm.given === undefined) this.out.note(await this.#planText(plan));
        await this.confirmName(confirm.name, confirm.given, confirm.what);
      }
      const answered = isAsked ? {...flags, yes: true} : flags;
      const shown = await this.present(
        {
          plan,
          cluster,
          scope,
          next: work.next ?? ['trireme status'],
          again,
          ...resumed,
          removalConfirmed: confirm !== undefined || work.isRemovalAsked === true,
        },
        answered,
      );
      if (shown.run !== null && (shown.run.outcome === 'succeeded' || shown.run.outcome === 'unchanged')) await work.after?.(scope);
      return {...shown, file: null};
    });
  }

  /** Edits the file of a cluster of hosts, then makes them what it says. */
  protected async runOnHostsFile(
    target: HostsTarget,
    given: GivenFlags,
    work: {readonly intent: Intent; readonly operation: string; readonly limit?: readonly string[]; readonly edits: readonly Edit[]},
  ): Promise<VerbResult> {
    await this.requireCapability(target.cluster, work.intent.verb);
    const flags = this.#runFlags(given);
    const {name} = target.cluster.document.metadata;
    if (!given['dry-run']) this.requireAnswer(given.yes, '--yes', `${work.intent.verb} ${name}?`);
    const {planEdit, writeEdit} = await import('../spec/edit.ts');
    const edit = await planEdit({files: target.cluster.source.files, name, edits: work.edits});
    const cluster = await this.readEdited(target, edit, given);
    return this.withScope(cluster, withPatience(flags), async (mode, scope) => {
      const facts = await mode.facts(cluster, scope);
      const converge = mode.plan(cluster, facts, {verb: 'converge', ...(work.limit === undefined ? {} : {limit: work.limit})});
      requireNoRemovals(converge, work.intent.verb);
      this.requireFitHosts(mode.obstacles(cluster, facts, converge), flags);
      const isChanged = edit.diff !== '';
      this.out.note(isChanged ? edit.diff : `${edit.file} says so already.`);
      const plan = {...converge, operation: work.operation};
      const shown = await this.present(
        {plan, cluster, scope, ...(isChanged ? {beforeRun: () => writeEdit(edit)} : {}), next: ['trireme status'], again: 'trireme apply --resume'},
        flags,
      );
      return {...shown, file: {path: edit.path, diff: edit.diff, written: isChanged && !given['dry-run']}};
    });
  }

  async #planText(plan: Plan<Scope>): Promise<string> {
    const {renderPlan} = await import('../output/plan-text.ts');
    return renderPlan(plan, {style: this.out.terminal.errorStyle});
  }

  /** The cluster as its file will say it is; nothing is written yet. */
  private async readEdited(target: Extract<ClusterTarget, {kind: 'file'}>, edit: {readonly path: string; readonly after: string}, given: TargetFlags) {
    const {readCluster} = await import('../spec/read.ts');
    const read = await readCluster({
      files: target.cluster.source.files,
      name: target.cluster.document.metadata.name,
      redactor: this.redactor,
      contents: new Map([[edit.path, edit.after]]),
    });
    return this.withPlace(await this.render(read), given);
  }

  #runFlags(given: GivenFlags): RunFlags {
    return {
      yes: given.yes,
      'dry-run': given['dry-run'],
      'break-lock': given['break-lock'],
      ...(given.concurrency === undefined ? {} : {concurrency: given.concurrency}),
      ...(given['max-failures'] === undefined ? {} : {'max-failures': given['max-failures']}),
      ...(given.timeout === undefined ? {} : {timeout: parseDuration(given.timeout, 'timeout')}),
    };
  }

  #requireAnswer(target: ClusterTarget, given: GivenFlags, work: VerbWork): void {
    if (given['dry-run'] || work.ask !== undefined) return;
    const name = target.kind === 'live' ? target.name : target.cluster.document.metadata.name;
    const {intent} = work;
    const what = 'machine' in intent ? `${intent.verb.replace('machine-', '')} ${intent.machine} of ${name}` : `${intent.verb} ${name}`;
    this.requireAnswer(given.yes, '--yes', `${what}?`);
  }

  async #look(scope: ControllerScope, name: string, work: VerbWork, given: GivenFlags): Promise<LiveCluster> {
    const [{lookAtCluster}, {rightsFor}, {requireAccess}] = await Promise.all([
      import('../modes/controller/verbs/live.ts'),
      import('../modes/controller/verbs/rights.ts'),
      import('../kube/access.ts'),
    ]);
    const live = await lookAtCluster(scope, name, {signal: this.signal, ...(work.others === true ? {others: true} : {})});
    // a dry run only reads
    if (!given['dry-run']) await requireAccess(scope.api, rightsFor(live, work.intent), {signal: this.signal});
    return live;
  }

  #work(plan: Plan<ControllerScope>, scope: Scope, work: VerbWork, cluster: DesiredCluster | undefined) {
    return {
      plan: plan as unknown as Plan<Scope>,
      scope,
      ...(cluster === undefined ? {} : {cluster}),
      removalConfirmed: work.ask !== undefined,
      next: work.next ?? [`trireme cluster describe ${plan.subject}`],
      again: `Run it again: trireme ${this.commandName}`,
    };
  }

  #sayNoFile(name: string): void {
    this.out.warn({
      code: 'file.unknown',
      message: `No file is known for ${name}: its live objects are changed, and a file that turns up later will differ.`,
      hints: ['Name its file with -f, or write one: trireme init --from-cluster'],
    });
  }

  async #afterwards(run: VerbResult['run'], work: VerbWork): Promise<void> {
    if (run !== null && (run.outcome === 'succeeded' || run.outcome === 'unchanged')) await work.after?.();
  }

  /** The typed name, or --confirm NAME. Throws `answer.refused`. */
  protected async confirmName(name: string, given: string | undefined, what: string): Promise<void> {
    this.requireAnswer(given !== undefined, '--confirm NAME', what);
    const {askText} = await import('../prompts/ask.ts');
    const typed = given ?? (await askText(`${what} Type its name:`, this.signal));
    if (typed.trim() !== name)
      throw new TriremeError('answer.refused', `${typed.trim() === '' ? 'Nothing' : typed.trim()} isn't ${name}; nothing was changed.`);
  }
}

/** A verb does what it is called, and no more: hosts that left the file are apply's to take out. Throws `plan.refused`. */
function requireNoRemovals({hosts, subject}: Plan<Scope>, verb: string): void {
  const leaving = hosts.filter((host) => host.state === 'removed').map((host) => host.host);
  if (leaving.length === 0) return;
  throw new TriremeError(
    'plan.refused',
    `${leaving.join(', ')} left the file and ${leaving.length === 1 ? 'is' : 'are'} still in ${subject}: ${verb} takes no host out.`,
    {
      hints: [`Take out first what left: trireme apply ${leaving.map((host) => `--confirm ${host}`).join(' ')}`, 'Or write it into the file again.'],
    },
  );
}

/**
 * The file's plan under the verb's name: the verb's own first steps before it, and its waiting, which tells more of each pool, before the plan's own.
 * Without waiting the plan's own is left out, too, unless something has to be done after it (the layers of a profile).
 */
function join(direct: Plan<ControllerScope>, converge: Plan<Scope>, options: {readonly first: readonly Phase<ControllerScope>[]; readonly wait: boolean}) {
  const plan = converge as unknown as Plan<ControllerScope>;
  const isWait = (step: {readonly id: string}) => /^wait[:/]/.test(step.id);
  const only = (phases: Plan<ControllerScope>['phases'], keep: (step: {readonly id: string}) => boolean) =>
    phases.map((phase) => ({...phase, steps: phase.steps.filter(keep)})).filter((phase) => phase.steps.length > 0);
  const begin = plan.phases.findIndex((phase) => phase.steps.some(isWait));
  const [before, after] = begin === -1 ? [plan.phases, []] : [plan.phases.slice(0, begin), plan.phases.slice(begin)];
  const hasWorkAfter = after.some((phase) => phase.steps.some((step) => !isWait(step)));
  const known = new Set(plan.hosts.map((host) => host.host));
  return {
    ...plan,
    operation: direct.operation,
    // what a wait is about has to be in the plan
    hosts: [...plan.hosts, ...direct.hosts.filter((host) => !known.has(host.host))],
    phases: [...options.first, ...before, ...only(direct.phases, isWait), ...(options.wait || hasWorkAfter ? after : [])],
    warnings: [...plan.warnings, ...direct.warnings],
  };
}
