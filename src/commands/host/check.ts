import {Args} from '@oclif/core';
import {z} from 'zod';
import type {HostObservation} from '../../hosts/facts.ts';
import type {Problem} from '../../kernel/problem.ts';
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
  static override summary = 'Check that every host answers and can be worked on: SSH, sudo, systemd, architecture, disk.';
  static override description =
    "One line a host, with what to do where one doesn't answer or can't be worked on at all. Changes nothing. For the hosts' fitness, see: preflight.";
  static override examples = ['<%= config.bin %> host check', '<%= config.bin %> host check h1', '<%= config.bin %> host check --limit role=worker'];
  static override args = {host: Args.string({description: 'Name of a host; default: all of the file.', ignoreStdin: true})};
  static override flags = {...clusterFlags, limit: limitFlag, concurrency: concurrencyFlag};
  static override resultSchema = () => result;

  async run() {
    const {args, flags} = await this.parse(HostCheck);
    const [{gatherFacts}, {observation}, {obstructionOf}, {exitCodeOf}] = await Promise.all([
      import('../../hosts/gather-facts.ts'),
      import('../../modes/agent/gather.ts'),
      import('../../modes/agent/facts.ts'),
      import('../../kernel/errors.ts'),
    ]);
    return this.withHosts(
      flags,
      async ({cluster, scope, targets}) => {
        const observations = await gatherFacts(targets, observation(cluster, scope));
        const hosts = observations.map((one, index) => rowOf(one, targets[index]?.address ?? '', obstructionOf(one)));
        this.out.print(
          this.out.format === 'name'
            ? hosts.map((row) => `${row.host} ${row.ok ? 'ok' : row.problem?.code}`).join('\n')
            : renderTable(hosts, columns, {style: this.out.style}),
        );
        const problems = observations.flatMap((one) => obstructionOf(one) ?? []);
        const exit = exitCodeOf(problems.map((problem) => problem.exit));
        const worst = problems.find((problem) => problem.exit === exit);
        if (worst !== undefined) this.failWith(worst);
        return {cluster: cluster.document.metadata.name, hosts};
      },
      args.host,
    );
  }
}

function rowOf(one: HostObservation, address: string, problem: Problem | undefined): Row {
  const isSimulated = 'facts' in one && one.facts.simulated;
  if (problem !== undefined)
    return {
      host: one.host,
      address,
      ok: false,
      simulated: isSimulated,
      summary: `${isSimulated ? 'SIMULATED ' : ''}${problem.message}`,
      remedy: problem.hints[0] ?? '',
      problem: {...problem, hints: [...problem.hints]},
    };
  const {facts} = one as Extract<HostObservation, {readonly facts: unknown}>;
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
