import {z} from 'zod';
import type {HostObservation} from '../../hosts/facts.ts';
import {renderTable, type Column} from '../../output/table.ts';
import {clusterFlags, concurrencyFlag, limitFlag} from '../base-flags.ts';
import {HostsCommand} from '../base-hosts.ts';
import {problemResult, type ResultOf} from '../base-results.ts';

const host = z.strictObject({
  host: z.string(),
  address: z.string(),
  ok: z.boolean(),
  simulated: z.boolean(),
  summary: z.string(),
  remedy: z.string(),
  problem: problemResult.optional(),
});
const result = z.strictObject({cluster: z.string(), hosts: z.array(host)});
type Row = z.infer<typeof host>;

const columns: readonly Column<Row>[] = [
  {title: 'HOST', cell: (row) => row.host},
  {title: 'ADDRESS', cell: ({address}) => address},
  {
    title: 'STATUS',
    cell: ({ok, problem}) => (ok ? 'ok' : (problem?.code ?? 'failed')),
    paint: (text, {ok}, {color}) => (ok ? color.green(text) : color.red(text)),
  },
  {title: 'DETAIL', cell: ({summary}) => summary},
  {title: 'REMEDY', cell: ({remedy}) => remedy},
];

export default class HostCheck extends HostsCommand<ResultOf<typeof result>> {
  static override summary = 'Check that every host answers: SSH, sudo, facts.';
  static override description = "One line a host, with what to do where one doesn't answer. Changes nothing. For the hosts' fitness, see: preflight.";
  static override examples = ['<%= config.bin %> host check', '<%= config.bin %> host check --limit h1'];
  static override flags = {...clusterFlags, limit: limitFlag, concurrency: concurrencyFlag};
  static override resultSchema = () => result;

  async run() {
    const {flags} = await this.parse(HostCheck);
    const [{gatherFacts}, {observation}, {exitCodeOf}] = await Promise.all([
      import('../../hosts/gather-facts.ts'),
      import('../../modes/agent/gather.ts'),
      import('../../kernel/errors.ts'),
    ]);
    return this.withHosts(flags, async ({cluster, scope, targets}) => {
      const observations = await gatherFacts(targets, observation(cluster, scope));
      const hosts = observations.map((one, index) => rowOf(one, targets[index]?.address ?? ''));
      this.out.print(
        this.out.format === 'name'
          ? hosts.map((row) => `${row.host} ${row.ok ? 'ok' : row.problem?.code}`).join('\n')
          : renderTable(hosts, columns, {style: this.out.style}),
      );
      const problems = observations.flatMap((one) => ('problem' in one ? [one.problem] : []));
      const exit = exitCodeOf(problems.map((problem) => problem.exit));
      const worst = problems.find((problem) => problem.exit === exit);
      if (worst !== undefined) this.failWith(worst);
      return {cluster: cluster.document.metadata.name, hosts};
    });
  }
}

function rowOf(one: HostObservation, address: string): Row {
  if ('problem' in one)
    return {
      host: one.host,
      address,
      ok: false,
      simulated: false,
      summary: one.problem.message,
      remedy: one.problem.hints[0] ?? '',
      problem: {...one.problem, hints: [...one.problem.hints]},
    };
  const {facts} = one;
  const sudo = facts.sudo.passwordRequired ? 'root by sudo with a password' : 'root';
  return {
    host: one.host,
    address,
    ok: true,
    simulated: facts.simulated,
    remedy: '',
    summary: `${facts.simulated ? 'SIMULATED ' : ''}${facts.os.name}, ${facts.kernel.architecture}, ${sudo}, agent ${facts.agent.active ? 'active' : facts.agent.installed ? 'stopped' : 'not installed'}`,
  };
}
