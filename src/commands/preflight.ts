import {Flags} from '@oclif/core';
import {z} from 'zod';
import type {PreflightRow} from '../hosts/preflight/report.ts';
import {outputFormats} from '../output/present.ts';
import {renderTable, type Column} from '../output/table.ts';
import {clusterFlags, concurrencyFlag, limitFlag, outputFlag} from './base-flags.ts';
import {HostsCommand} from './base-hosts.ts';
import type {ResultOf} from './base-results.ts';

const result = z.strictObject({
  cluster: z.string(),
  simulated: z.boolean(),
  checks: z.int(),
  errors: z.int(),
  warnings: z.int(),
  ignored: z.int(),
  unreachable: z.array(z.string()),
  results: z.array(
    z.strictObject({
      id: z.string(), title: z.string(), scope: z.enum(['host', 'cluster']), host: z.string().optional(), status: z.enum(['ok', 'warning', 'error']), ignored: z.boolean(), observed: z.string(), wanted: z.string(), remedy: z.string(),
    }),
  ),
});

const columns: readonly Column<PreflightRow>[] = [
  {title: 'HOST', cell: ({host}) => host},
  {title: 'SEVERITY', cell: ({status}) => status, paint: (text, {status}, {color}) => (status === 'error' ? color.red(text) : color.yellow(text))},
  {title: 'ID', cell: ({id}) => id},
  {title: 'OBSERVED', cell: ({observed}) => observed},
  {title: 'WANTED', cell: ({wanted}) => wanted},
  {title: 'REMEDY', cell: ({remedy}) => remedy},
];

export default class Preflight extends HostsCommand<ResultOf<typeof result>> {
  static override summary = 'Check every host before anything is changed.';
  static override description = 'Runs every named check against the hosts, two round trips each, and changes nothing. Ends with 10 when errors remain; what is ignored stays visible as a warning.';
  static override examples = ['<%= config.bin %> preflight', '<%= config.bin %> preflight --only swap --only cgroup-v2', '<%= config.bin %> preflight --ignore cgroup-v2 -o junit >preflight.xml'];
  static override flags = {
    ...clusterFlags,
    output: outputFlag(outputFormats.filter((format) => format !== 'ndjson')),
    limit: limitFlag,
    only: Flags.string({summary: 'Run only the check with this id; repeatable.', env: 'TRIREME_ONLY', multiple: true, multipleNonGreedy: true, helpValue: 'ID'}),
    ignore: Flags.string({summary: "Take this check's errors for warnings; repeatable.", env: 'TRIREME_IGNORE', multiple: true, multipleNonGreedy: true, helpValue: 'ID'}),
    concurrency: concurrencyFlag,
  };
  static override resultSchema = () => result;

  async run() {
    const {flags} = await this.parse(Preflight);
    const [{observeForPreflight}, {runPreflight}, reports, {observation}, {protocol}] = await Promise.all([
      import('../hosts/preflight/observe.ts'),
      import('../hosts/preflight/run-preflight.ts'),
      import('../hosts/preflight/report.ts'),
      import('../modes/agent/gather.ts'),
      import('../hostcluster/protocol.ts'),
    ]);
    return this.withHosts(flags, async ({cluster, scope, targets}) => {
      const context = await observeForPreflight(cluster, targets, {...observation(cluster, scope), protocol});
      const report = runPreflight(context, {...(flags.only === undefined ? {} : {only: flags.only}), ...(flags.ignore === undefined ? {} : {ignore: flags.ignore})});
      const rows = reports.reportRows(report);
      if (this.out.format === 'junit') this.out.print(reports.reportJUnit(report));
      else if (this.out.format === 'name') this.out.print([...new Set(rows.map(({id}) => id))].join('\n'));
      else {
        if (rows.length > 0) this.out.print(renderTable(rows, columns, {style: this.out.style}));
        this.out.print(`${report.simulated ? 'SIMULATED ' : ''}${reports.reportSummary(report, context.hosts.length)}`);
      }
      const problem = reports.reportProblem(report, context);
      if (problem !== undefined) this.failWith(problem);
      return {...report, results: [...report.results], unreachable: [...report.unreachable]};
    });
  }
}
