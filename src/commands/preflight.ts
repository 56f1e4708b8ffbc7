import {Flags} from '@oclif/core';
import {outputFormats} from '../output/present.ts';
import {clusterFlags, concurrencyFlag, limitFlag, outputFlag} from './base-flags.ts';
import {HostsCommand} from './base-hosts.ts';
import {preflightResult, renderFindings} from './base-preflight.ts';
import type {ResultOf} from './base-results.ts';

export default class Preflight extends HostsCommand<ResultOf<typeof preflightResult>> {
  static override summary = 'Check every host before anything is changed.';
  static override description =
    'Runs every named check against the hosts, two round trips each, and changes nothing. Ends with 10 when errors remain; what is ignored stays visible as a warning.';
  static override examples = [
    '<%= config.bin %> preflight',
    '<%= config.bin %> preflight --only swap --only cgroup-v2',
    '<%= config.bin %> preflight --ignore cgroup-v2 -o junit >preflight.xml',
  ];
  static override flags = {
    ...clusterFlags,
    output: outputFlag(outputFormats.filter((format) => format !== 'ndjson')),
    limit: limitFlag,
    only: Flags.string({
      summary: 'Run only the check with this id; repeatable.',
      env: 'TRIREME_ONLY',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'ID',
    }),
    ignore: Flags.string({
      summary: "Take this check's errors for warnings; repeatable.",
      env: 'TRIREME_IGNORE',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'ID',
    }),
    concurrency: concurrencyFlag,
  };
  static override resultSchema = () => preflightResult;

  async run() {
    const {flags} = await this.parse(Preflight);
    const [{observeForPreflight}, {requireKnownChecks, runPreflight}, reports, {observation}, {protocol}] = await Promise.all([
      import('../hosts/preflight/observe.ts'),
      import('../hosts/preflight/run-preflight.ts'),
      import('../hosts/preflight/report.ts'),
      import('../modes/agent/gather.ts'),
      import('../hostcluster/protocol.ts'),
    ]);
    const chosen = {...(flags.only === undefined ? {} : {only: flags.only}), ...(flags.ignore === undefined ? {} : {ignore: flags.ignore})};
    return this.withHosts(flags, async ({cluster, scope, targets}) => {
      requireKnownChecks(cluster.document, chosen);
      const context = await observeForPreflight(cluster, targets, {...observation(cluster, scope), protocol});
      const report = runPreflight(context, chosen);
      const rows = reports.reportRows(report);
      if (this.out.format === 'junit') this.out.print(reports.reportJUnit(report));
      else if (this.out.format === 'name') this.out.print([...new Set(rows.map(({id}) => id))].join('\n'));
      else {
        if (rows.length > 0) this.out.print(renderFindings(rows, {style: this.out.style, wide: this.out.format === 'wide'}));
        this.out.print(`${report.simulated ? 'SIMULATED ' : ''}${reports.reportSummary(report, context.hosts.length)}`);
      }
      const problem = reports.reportProblem(report, context);
      if (problem !== undefined) this.failWith(problem);
      return {...report, results: [...report.results], unreachable: [...report.unreachable]};
    });
  }
}
