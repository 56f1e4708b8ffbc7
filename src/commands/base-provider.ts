// What the commands on providers share: the management cluster, the repositories, and a plan shown, asked for and run.
import {Flags} from '@oclif/core';
import {z} from 'zod';
import {stateFolder} from '../kernel/folders.ts';
import {TriremeError} from '../kernel/errors.ts';
import {errorOf, problemOf} from '../kernel/problem.ts';
import {digestOfValue} from '../kernel/digest.ts';
import type {ControllerScope} from '../modes/controller/scope.ts';
import type {Redactor} from '../kernel/redact.ts';
import type {Library} from '../modes/controller/providers/facts.ts';
import type {AskedProviders} from '../modes/controller/providers/plan-init.ts';
import type {PrepareOptions} from '../modes/controller/providers/prepare-init.ts';
import {wordOfType, type ProviderType} from '../modes/controller/providers/provider.ts';
import {followRun} from '../output/follow.ts';
import {renderPlan} from '../output/plan-text.ts';
import {renderSummary} from '../output/summary.ts';
import {findUnfinishedRun, type RunRecord} from '../plan/ledger.ts';
import {hasChanges, type Plan} from '../plan/plan.ts';
import {planResultOf} from './base-cluster.ts';
import {managementFlags, parseDuration, yesFlag} from './base-flags.ts';
import {planResult, runResult} from './base-results.ts';
import {TargetCommand, type PlaceFlags} from './base-target.ts';

const {namespace: _, ...whereFlags} = managementFlags;

/** Which management cluster, and which repositories. */
export const providerFlags = {
  ...whereFlags,
  config: Flags.string({summary: "clusterctl.yaml to read; default: clusterctl's own places.", env: 'TRIREME_CONFIG', helpValue: 'FILE'}),
  repository: Flags.string({
    summary: 'A folder or OCI layout of repositories (LABEL/VERSION/FILE), read before clusterctl.yaml.',
    env: 'TRIREME_REPOSITORY',
    helpValue: 'PATH',
  }),
  set: Flags.string({
    summary: "A variable of the components; repeatable. Not for secrets: other users see arguments, but not this command's environment.",
    env: 'TRIREME_SET',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME=VALUE',
  }),
};

/** Of those that run a plan. */
export const providerRunFlags = {
  yes: yesFlag,
  'dry-run': Flags.boolean({summary: 'Show the plan and stop.', env: 'TRIREME_DRY_RUN'}),
  'break-lock': Flags.boolean({summary: "Take the management cluster's lock from whoever holds it.", env: 'TRIREME_BREAK_LOCK'}),
  'webhook-certificates': Flags.option({
    summary: 'Who issues the certificates of webhooks: cert-manager, or this program (own: valid for two years, made anew by running it again).',
    env: 'TRIREME_WEBHOOK_CERTIFICATES',
    options: ['cert-manager', 'own'] as const,
  })(),
  timeout: Flags.string({
    summary: "How long each wait may take: 90s, 10m; default 5m, and for cert-manager clusterctl.yaml's.",
    env: 'TRIREME_TIMEOUT',
    helpValue: 'DURATION',
  }),
};

const typeFlag = (type: ProviderType, more: string) => {
  const word = wordOfType(type);
  return Flags.string({
    summary: `${word.charAt(0).toUpperCase()}${word.slice(1)} provider; repeatable.${more}`,
    env: `TRIREME_${word.toUpperCase().replaceAll('-', '_')}`,
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME[:VERSION]',
  });
};

/** Which providers, and where. */
export const providerChoiceFlags = {
  core: typeFlag('CoreProvider', ' Default: cluster-api.'),
  bootstrap: typeFlag('BootstrapProvider', ' Default: kubeadm; - for none.'),
  'control-plane': typeFlag('ControlPlaneProvider', ' Default: kubeadm; - for none.'),
  infrastructure: typeFlag('InfrastructureProvider', ''),
  ipam: typeFlag('IPAMProvider', ''),
  'runtime-extension': typeFlag('RuntimeExtensionProvider', ''),
  addon: typeFlag('AddonProvider', ''),
  'target-namespace': Flags.string({summary: "Namespace for the providers; default: each one's own.", env: 'TRIREME_TARGET_NAMESPACE', helpValue: 'NAME'}),
};

interface ChoiceFlags {
  readonly core?: readonly string[];
  readonly bootstrap?: readonly string[];
  readonly 'control-plane'?: readonly string[];
  readonly infrastructure?: readonly string[];
  readonly ipam?: readonly string[];
  readonly 'runtime-extension'?: readonly string[];
  readonly addon?: readonly string[];
}

/** What the flags ask for, by type. */
export function askedByFlags(flags: ChoiceFlags): AskedProviders {
  const asked: Readonly<Record<ProviderType, readonly string[] | undefined>> = {
    CoreProvider: flags.core,
    BootstrapProvider: flags.bootstrap,
    ControlPlaneProvider: flags['control-plane'],
    InfrastructureProvider: flags.infrastructure,
    IPAMProvider: flags.ipam,
    RuntimeExtensionProvider: flags['runtime-extension'],
    AddonProvider: flags.addon,
  };
  return Object.fromEntries(Object.entries(asked).filter(([, names]) => names !== undefined));
}

export const providerRunResult = z.strictObject({plan: planResult, run: runResult.nullable()});

export interface LibraryFlags {
  readonly config?: string;
  readonly repository?: string;
  readonly set?: readonly string[];
}

interface RunFlags {
  readonly yes: boolean;
  readonly 'dry-run': boolean;
  readonly 'break-lock': boolean;
}

interface PrepareFlags {
  readonly timeout?: string;
  readonly 'target-namespace'?: string;
  readonly 'webhook-certificates'?: 'cert-manager' | 'own';
}

/** Names of variables that hold something to hide. */
const secretName = /token|secret|password|credential|b64encoded|private|api_?key|access_?key/i;

/** Reads clusterctl.yaml; values of variables that look like secrets are never printed. */
export async function openLibrary(flags: LibraryFlags, {signal, redactor}: {readonly signal: AbortSignal; readonly redactor: Redactor}): Promise<Library> {
  const [{readConfiguration, valuesOf}, {Library: Opened}, {resolve}] = await Promise.all([
    import('../modes/controller/providers/configuration.ts'),
    import('../modes/controller/providers/facts.ts'),
    import('node:path'),
  ]);
  const configuration = await readConfiguration({...(flags.config === undefined ? {} : {file: flags.config}), values: valuesOf(flags.set ?? [])});
  const lookup = (name: string) => {
    const value = configuration.lookup(name);
    if (value !== undefined && value.length >= 8 && secretName.test(name)) redactor.add(value);
    return value;
  };
  return new Opened({
    configuration: {...configuration, lookup},
    signal,
    ...(flags.repository === undefined ? {} : {root: resolve(flags.repository)}),
  });
}

export abstract class ProviderCommand<R> extends TargetCommand<R> {
  /** Opens the management cluster that flags, or kubectl's own settings, name. */
  protected async withApi<T>(flags: PlaceFlags, work: (scope: ControllerScope) => Promise<T>): Promise<T> {
    const {ControllerScope} = await import('../modes/controller/scope.ts');
    const {kubeconfig, context} = flags;
    const reference = {...(kubeconfig === undefined ? {} : {kubeconfig}), ...(context === undefined ? {} : {context})};
    const scope = await ControllerScope.open(reference, this.scopeOptions({}));
    try {
      return await work(scope);
    } finally {
      await scope.close();
    }
  }

  /** What planning an installation needs of this command. */
  protected prepareOptions(flags: PrepareFlags): PrepareOptions {
    return {
      ...(flags.timeout === undefined ? {} : {timeout: parseDuration(flags.timeout, 'timeout')}),
      ...(flags['target-namespace'] === undefined ? {} : {namespace: flags['target-namespace']}),
      ...(flags['webhook-certificates'] === undefined ? {} : {certificates: flags['webhook-certificates']}),
      hide: (secret) => this.redactor.add(secret),
      signal: this.signal,
      warn: (message) => this.out.warn({code: 'provider.contract-unknown', message}),
    };
  }

  protected openLibrary(flags: LibraryFlags): Promise<Library> {
    return openLibrary(flags, {signal: this.signal, redactor: this.redactor});
  }

  /** The unfinished run of this operation on the same management cluster. Throws `run.not-found`. */
  protected async unfinishedRun(subject: string, operation: string): Promise<RunRecord> {
    const record = await findUnfinishedRun(stateFolder(), subject);
    if (record === undefined || record.header.operation !== operation)
      throw new TriremeError('run.not-found', `There's no unfinished ${operation} of ${subject} to go on with.`, {hints: [`trireme ${operation}`]});
    return record;
  }

  /** Shows the plan, asks, runs it, and summarises. A failure of one provider begins nothing more. */
  protected async presentPlan(plan: Plan<ControllerScope>, scope: ControllerScope, flags: RunFlags, resumed?: string) {
    for (const warning of plan.warnings) this.out.warn(warning);
    this.out.note(renderPlan(plan, {style: this.out.terminal.errorStyle, wide: this.out.format === 'wide'}));
    const result = {plan: planResultOf(plan as never), run: null};
    if (flags['dry-run']) return result;
    if (hasChanges(plan)) await this.confirm(`Apply this to ${plan.subject}?`, {given: flags.yes, flag: '--yes'});
    const {executePlan} = await import('../plan/execute.ts');
    const follower = followRun(this.out);
    this.finishStepsOnInterrupt((text) => follower.note(text));
    try {
      const executed = await executePlan(plan, {
        scope,
        stopping: this.interruption.stopping,
        leaving: this.interruption.leaving,
        concurrency: this.settings.concurrency,
        maxFailures: 0,
        ...(resumed === undefined ? {} : {resumed}),
        folder: stateFolder(),
        files: [],
        specDigest: digestOfValue(plan.hosts),
        program: this.config.version,
        redactor: this.redactor,
        subscriber: follower.follow,
        breakLock: flags['break-lock'],
      });
      follower.close();
      const next = executed.exit === 0 ? ['trireme provider list'] : [`trireme ${plan.operation} --resume`, `trireme history ${executed.run}`];
      this.out.print(renderSummary(follower.view, {style: this.out.style, next: this.out.quiet ? [] : next}));
      if (executed.exit !== 0) {
        const problem = executed.problem ?? problemOf(new TriremeError('run.interrupted', `The run ${executed.run} was interrupted; finished steps are kept.`));
        this.failWith({...problemOf(errorOf(problem)), exit: executed.exit}, {isShown: executed.problem !== undefined});
      }
      const {run, outcome, hosts, ms} = executed;
      return {...result, run: {run, cluster: plan.subject, mode: plan.mode, simulated: plan.simulated, outcome, hosts, ms}};
    } finally {
      follower.close();
    }
  }
}
