import {Flags} from '@oclif/core';
import {TriremeError} from '../kernel/errors.ts';
import {renderPlan} from '../output/plan-text.ts';
import {hasChanges} from '../plan/plan.ts';
import {ClusterCommand, planResultOf} from './base-cluster.ts';
import {clusterFlags, concurrencyFlag, limitFlag, takeOverFlag} from './base-flags.ts';
import {planResult, type ResultOf} from './base-results.ts';

export default class PlanCommand extends ClusterCommand<ResultOf<typeof planResult>> {
  static override summary = 'Show what apply would change, why, and what it costs.';
  static override examples = ['<%= config.bin %> plan', '<%= config.bin %> plan --out plan.json', '<%= config.bin %> plan --exit-code -o json'];
  static override flags = {
    ...clusterFlags,
    out: Flags.string({summary: 'Save the plan, for trireme apply FILE.', env: 'TRIREME_OUT', helpValue: 'FILE'}),
    'exit-code': Flags.boolean({summary: 'End with 9 when there is something to do.', env: 'TRIREME_EXIT_CODE'}),
    limit: limitFlag,
    'force-conflicts': takeOverFlag,
    concurrency: concurrencyFlag,
  };
  static override resultSchema = () => planResult;

  async run() {
    const {flags} = await this.parse(PlanCommand);
    const cluster = await this.readRendered(flags);
    return this.withScope(cluster, flags, async (mode, scope) => {
      const limit = flags.limit ?? [];
      const plan = mode.plan(cluster, await mode.facts(cluster, scope), {
        verb: 'converge',
        takeOver: flags['force-conflicts'],
        ...(limit.length === 0 ? {} : {limit}),
      });
      for (const warning of plan.warnings) this.out.warn(warning);
      this.out.print(
        this.out.format === 'name'
          ? plan.hosts
              .filter((host) => host.state !== 'unchanged')
              .map((host) => host.host)
              .join('\n')
          : renderPlan(plan, {style: this.out.style, wide: this.out.format === 'wide'}),
      );
      if (flags.out !== undefined) {
        const {writeSavedPlan} = await import('../plan/saved-plan.ts');
        await writeSavedPlan(flags.out, plan, {desired: cluster, limit, program: this.config.version});
        this.out.note(`Saved. Apply exactly this with: trireme apply ${flags.out}`);
      }
      const unreachable = plan.hosts.find((host) => host.state === 'unreachable');
      if (unreachable !== undefined)
        this.failWith(
          unreachable.problem ?? new TriremeError('host.unreachable', unreachable.reason ?? `Can't reach ${unreachable.host}.`, {host: unreachable.host}),
        );
      else if (flags['exit-code'] && hasChanges(plan)) this.failWith(new TriremeError('plan.something-to-do', 'The plan has changes.'));
      return planResultOf(plan);
    });
  }
}
