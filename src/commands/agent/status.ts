import {z} from 'zod';
import {renderTable, type Column} from '../../output/table.ts';
import {clusterFlags, concurrencyFlag, limitFlag} from '../base-flags.ts';
import {HostsCommand} from '../base-hosts.ts';
import {problemResult, type ResultOf} from '../base-results.ts';

const reconciler = z.strictObject({
  name: z.string(),
  status: z.enum(['waiting', 'working', 'done', 'failed']),
  message: z.string().optional(),
  since: z.string(),
  attempts: z.int(),
  code: z.string().optional(),
});
const agentRow = z.strictObject({
  host: z.string(),
  answering: z.boolean(),
  version: z.string().optional(),
  simulated: z.boolean().optional(),
  converged: z.boolean().optional(),
  member: z.boolean().optional(),
  startedAt: z.string().optional(),
  reconcilers: z.array(reconciler).optional(),
  drift: z.array(z.strictObject({area: z.string(), subject: z.string(), found: z.string(), at: z.string(), outcome: z.string()})).optional(),
  problem: problemResult.optional(),
});
const result = z.strictObject({agents: z.array(agentRow)});
type Row = ResultOf<typeof agentRow>;

export default class AgentStatus extends HostsCommand<ResultOf<typeof result>> {
  static override summary = 'Show what the agents on the hosts do: reconcilers and drift.';
  static override examples = ['<%= config.bin %> agent status', '<%= config.bin %> agent status --limit h1 -o json'];
  static override flags = {...clusterFlags, limit: limitFlag, concurrency: concurrencyFlag};
  static override resultSchema = () => result;

  async run() {
    const {flags} = await this.parse(AgentStatus);
    return this.withHosts(flags, async (open) => {
      const outcomes = await this.eachHost(open, async ({host}) => (await open.scope.link(host)).state({signal: this.signal}));
      const agents = outcomes.map((one): Row => {
        if ('problem' in one) return {host: one.host, answering: false, problem: one.problem};
        const {version, simulated, converged, member, startedAt, reconcilers, drift} = one.value;
        return {host: one.host, answering: true, version, simulated, converged, member, startedAt, reconcilers, drift};
      });
      if (this.out.format === 'name') this.out.print(agents.map((agent) => agent.host).join('\n'));
      else
        this.out.print(
          `${agents.some((agent) => agent.simulated === true) ? 'SIMULATED\n' : ''}${renderTable(agents, columns, {style: this.out.style, wide: this.out.format === 'wide', columns: this.out.terminal.stdout.columns})}`,
        );
      await this.failHosts(agents.flatMap((agent) => agent.problem ?? []) as Parameters<typeof this.failHosts>[0]);
      return {agents};
    });
  }
}

const columns: readonly Column<Row>[] = [
  {title: 'HOST', cell: (row) => row.host},
  {title: 'AGENT', cell: (row) => row.version ?? ''},
  {
    title: 'STATE',
    cell: stateOf,
    paint: (text, row, {color}) => (row.converged === true ? color.green(text) : row.answering ? color.yellow(text) : color.red(text)),
  },
  {title: 'MEMBER', cell: (row) => (row.member === undefined ? '' : row.member ? 'yes' : 'no')},
  {title: 'DRIFT', cell: (row) => (row.drift === undefined ? '' : String(row.drift.length))},
  {title: 'STARTED', cell: (row) => row.startedAt ?? '', wide: true},
  {title: 'DOES', cell: busyWith},
];

function stateOf(row: Row): string {
  if (!row.answering) return 'not answering';
  return row.converged === true ? 'converged' : 'working';
}

function busyWith(row: Row): string {
  const busy = (row.reconcilers ?? []).filter((one) => one.status !== 'done');
  return busy.map((one) => `${one.name} ${one.status}${one.message === undefined ? '' : `: ${one.message}`}`).join('; ');
}
