import {resolve} from 'node:path';
import {Flags} from '@oclif/core';
import {outputFormats} from '../output/present.ts';
import {clusterFlags, concurrencyFlag, limitFlag, outputFlag} from './base-flags.ts';
import {HostsCommand} from './base-hosts.ts';
import {preflightResult, renderFindings} from './base-preflight.ts';
import {openLibrary, providerFlags, type LibraryFlags} from './base-provider.ts';
import type {ResultOf} from './base-results.ts';
import type {PreflightChoice} from '../modes/controller/preflight/run.ts';
import type {DesiredCluster} from '../spec/desired.ts';

export default class Preflight extends HostsCommand<ResultOf<typeof preflightResult>> {
  static override summary = 'Check every host, or the management cluster and the cloud account, before anything is changed.';
  static override description =
    'Runs every named check and changes nothing. In agent mode against the hosts, two round trips each; in controller mode against the management cluster (its version, rights, providers, contracts, class, namespace, clock) and, where the file names one in spec.controller.cloud, the cloud account (identity, region, permissions by policy simulation, key pair, quotas). Ends with 10 when errors remain; what is ignored stays visible as a warning.';
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
    config: providerFlags.config,
    repository: providerFlags.repository,
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
    const desired = await this.readRendered(flags);
    if (desired.document.spec.mode === 'controller') return this.#controller(desired, flags, chosen);
    return this.withHostsOf(desired, flags, async ({cluster, scope, targets}) => {
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

  async #controller(cluster: DesiredCluster, flags: LibraryFlags, chosen: PreflightChoice) {
    const [{gatherPreflight, problemOrScope}, run, reports, {ControllerScope, referenceOf}] = await Promise.all([
      import('../modes/controller/preflight/gather.ts'),
      import('../modes/controller/preflight/run.ts'),
      import('../hosts/preflight/report.ts'),
      import('../modes/controller/scope.ts'),
    ]);
    run.requireKnownIds(cluster.document, chosen);
    const library = await openLibrary(flags, {signal: this.signal, redactor: this.redactor});
    const reference = referenceOf(cluster, (path) => resolve(cluster.source.folder, path));
    const warn = (message: string) => this.out.warn({code: 'facts.incomplete', message});
    const scope = await problemOrScope(() =>
      ControllerScope.open(reference, {signal: this.signal, redactor: this.redactor, concurrency: this.settings.concurrency, warn}),
    );
    try {
      const facts = await gatherPreflight(cluster.document, scope, library, this.signal);
      const report = run.runControllerPreflight(facts, chosen);
      const rows = reports.reportRows(report);
      if (this.out.format === 'junit') this.out.print(reports.reportJUnit(report));
      else if (this.out.format === 'name') this.out.print([...new Set(rows.map(({id}) => id))].join('\n'));
      else {
        if (rows.length > 0) this.out.print(renderFindings(rows, {style: this.out.style, wide: this.out.format === 'wide'}));
        this.out.print(`${report.simulated ? 'SIMULATED ' : ''}${run.summaryOf(report)}`);
      }
      const problem = run.problemOfReport(report, facts);
      if (problem !== undefined) this.failWith(problem);
      return {...report, results: [...report.results], unreachable: [...report.unreachable]};
    } finally {
      if (!('problem' in scope)) await scope.close();
    }
  }
}
