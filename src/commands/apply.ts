import {Args, Flags} from '@oclif/core';
import {z} from 'zod';
import {stateFolder} from '../kernel/folders.ts';
import {TriremeError} from '../kernel/errors.ts';
import {requireUnmoved, readSavedPlan} from '../plan/saved-plan.ts';
import {findUnfinishedRun} from '../plan/ledger.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import {ClusterCommand} from './base-cluster.ts';
import {clusterFlags, concurrencyFlag, confirmHostsFlag, limitFlag, parseDuration, runFlags, takeOverFlag} from './base-flags.ts';
import {planResult, runResult, type ResultOf} from './base-results.ts';

const result = z.strictObject({plan: planResult, run: runResult.nullable()});

export default class Apply extends ClusterCommand<ResultOf<typeof result>> {
  static override summary = 'Make the cluster what the file says: plan, show, ask, run.';
  static override description =
    'A saved plan is refused when the hosts, or the objects in the management cluster, moved since (exit code 8). Run it again after a failure or an interruption: what is done stays done. Hosts that left the file are drained, taken out of the cluster and reset, which is asked for by their names: --yes is no answer to that, --confirm HOST is.';
  static override examples = [
    '<%= config.bin %> apply',
    '<%= config.bin %> apply --yes --limit role=worker',
    '<%= config.bin %> apply plan.json',
    '<%= config.bin %> apply --resume',
    '<%= config.bin %> apply --yes --confirm w3',
  ];
  static override args = {plan: Args.string({description: 'A plan that was saved by trireme plan --out.', ignoreStdin: true})};
  static override flags = {
    ...clusterFlags,
    ...runFlags,
    confirm: confirmHostsFlag,
    resume: Flags.boolean({summary: 'Go on with the last run of this cluster, which did not succeed.', env: 'TRIREME_RESUME'}),
    limit: limitFlag,
    'force-conflicts': takeOverFlag,
    concurrency: concurrencyFlag,
  };
  static override resultSchema = () => result;

  async run() {
    const {args, flags} = await this.parse(Apply);
    const timeout = flags.timeout === undefined ? undefined : parseDuration(flags.timeout, 'timeout');
    const saved = args.plan === undefined ? undefined : await readSavedPlan(args.plan, this.config.version);
    const cluster = saved === undefined ? await this.readCluster(flags) : (saved.desired as DesiredCluster);
    const {name} = cluster.document.metadata;
    if (!flags['dry-run']) this.requireAnswer(flags.yes, '--yes', `Apply the plan to ${name}?`);
    const unfinished = await findUnfinishedRun(stateFolder(), name);
    if (flags.resume && unfinished === undefined)
      throw new TriremeError('run.not-found', `There's no unfinished run of ${name} to go on with.`, {hints: ['trireme apply', 'trireme history']});
    if (flags.resume && unfinished !== undefined && unfinished.header.specDigest !== cluster.source.digest)
      this.out.warn({code: 'resume.file-changed', message: `The file changed since run ${unfinished.header.run}; what it says now is applied.`});
    if (!flags.resume && unfinished !== undefined)
      this.out.note(`The last run of ${name} (${unfinished.header.run}) did not succeed: what it left undone is in this plan.`);
    const limit = saved?.limit ?? flags.limit ?? [];
    return this.withScope(cluster, {...flags, ...(timeout === undefined ? {} : {patience: timeout})}, async (mode, scope) => {
      const facts = await mode.facts(cluster, scope);
      const plan = mode.plan(cluster, facts, {verb: 'converge', takeOver: flags['force-conflicts'], ...(limit.length === 0 ? {} : {limit})});
      if (saved !== undefined && args.plan !== undefined) requireUnmoved(args.plan, saved.basis, plan.basis);
      this.requireFitHosts(mode.obstacles(cluster, facts, plan), flags);
      return this.present(
        {plan, cluster, scope, ...(flags.resume && unfinished !== undefined ? {resumed: unfinished.header.run} : {})},
        {...flags, ...(timeout === undefined ? {timeout: undefined} : {timeout})},
      );
    });
  }
}
