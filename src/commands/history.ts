import {Args, Flags} from '@oclif/core';
import {z} from 'zod';
import {viewOfRun} from '../fleet/run-view.ts';
import {stateFolder} from '../kernel/folders.ts';
import {renderEvent} from '../output/plain.ts';
import {renderSummary} from '../output/summary.ts';
import {formatDuration, renderTable, type Column} from '../output/table.ts';
import {isRunning} from '../plan/lock.ts';
import {listRuns, readRun, type RunRecord} from '../plan/ledger.ts';
import {BaseCommand} from './base-command.ts';
import {hostOutcomeResult, runOutcomes, type ResultOf} from './base-results.ts';

const runRow = z.strictObject({
  run: z.string(),
  operation: z.string(),
  cluster: z.string(),
  mode: z.string(),
  startedAt: z.string(),
  /** Null for a run that was killed or goes on, and for a record that can't be read. */
  outcome: runOutcomes.nullable(),
  state: z.enum(['ended', 'goes on', 'killed', 'unreadable']),
  /** The run that this one went on with; null: it began anew. */
  resumed: z.string().nullable(),
  ms: z.number().nullable(),
  hosts: z.array(hostOutcomeResult),
  damaged: z.boolean(),
});
const result = z.strictObject({runs: z.array(runRow)});
type Row = ResultOf<typeof runRow>;

export default class History extends BaseCommand<ResultOf<typeof result>> {
  static override summary = 'List runs, or replay the events of one.';
  static override description =
    'Without a name the runs are listed, newest first. With one its events are printed, and with --replay played on the Run screen (play, pause, step, faster); -o ndjson prints them as they were recorded, and then the result.';
  static override examples = [
    '<%= config.bin %> history',
    '<%= config.bin %> history 20261123-231605-k3f9',
    '<%= config.bin %> history last --replay',
    '<%= config.bin %> history last -o ndjson',
  ];
  static override args = {run: Args.string({description: 'Name of a run, or `last`.', ignoreStdin: true})};
  static override flags = {
    cluster: Flags.string({char: 'c', summary: 'Only runs of this cluster.', env: 'TRIREME_CLUSTER', helpValue: 'NAME'}),
    replay: Flags.boolean({summary: 'In a terminal: play the run on the Run screen, as it went.', env: 'TRIREME_REPLAY'}),
    max: Flags.integer({summary: 'List at most this many runs.', env: 'TRIREME_MAX', min: 1, default: 20}),
  };
  static override resultSchema = () => result;

  async run() {
    const {args, flags} = await this.parse(History);
    const folder = stateFolder();
    if (args.run !== undefined) {
      const name = args.run === 'last' ? (await listRuns(folder))[0] : args.run;
      const record = await readRun(folder, name ?? args.run);
      if (flags.replay && this.#canDraw()) await this.#play(record.header.run);
      else this.#replay(record);
      return {runs: [await rowOf(folder, record)]};
    }
    const rows: Row[] = [];
    for (const run of await listRuns(folder)) {
      if (rows.length >= flags.max) break;
      const row = await readRun(folder, run).then(
        (record) => rowOf(folder, record),
        () => damagedRow(run),
      );
      if (flags.cluster === undefined || row.cluster === flags.cluster) rows.push(row);
    }
    if (this.out.format === 'name') this.out.print(rows.map((row) => row.run).join('\n'));
    else if (rows.length === 0) this.out.note('No runs yet.');
    else this.out.print(renderTable(rows, columns, {style: this.out.style, wide: this.out.format === 'wide', columns: this.out.terminal.stdout.columns}));
    return {runs: rows};
  }

  #canDraw(): boolean {
    return this.out.terminal.canDraw && !this.out.isForPrograms && !this.settings['screen-reader'];
  }

  async #play(run: string): Promise<void> {
    const [{runDashboard}, {replayServices}] = await Promise.all([import('../ui/app.tsx'), import('./base-replay.ts')]);
    const {color, isAscii} = this.out.terminal;
    await runDashboard({
      services: replayServices(),
      first: {kind: 'run', run, isReplay: true},
      signal: this.signal,
      theme: this.settings.theme,
      color,
      isAscii,
      redact: this.out.redact,
    });
  }

  #replay(record: RunRecord): void {
    for (const event of record.events) {
      if (this.out.format === 'ndjson') this.out.event(event);
      const line = renderEvent(event, {style: this.out.style, verbose: this.out.verbose});
      if (line !== undefined) this.out.print(line);
    }
    if (record.truncated) this.out.warn({code: 'ledger.cut', message: `The last line of run ${record.header.run} was cut off; what is before it is whole.`});
    this.out.print(renderSummary(viewOfRun(record.events), {style: this.out.style}));
  }
}

async function rowOf(folder: string, record: RunRecord): Promise<Row> {
  const {run, operation, cluster, mode, startedAt} = record.header;
  const finished = record.events.findLast((event) => event.type === 'run.finished');
  const ended = finished?.type === 'run.finished' ? finished : undefined;
  const state = record.outcome !== undefined ? 'ended' : (await isRunning(folder, cluster, run)) ? 'goes on' : 'killed';
  return {
    run,
    operation,
    cluster,
    mode,
    startedAt,
    outcome: record.outcome ?? null,
    state,
    resumed: record.header.resumed ?? null,
    ms: ended?.ms ?? null,
    hosts: ended?.hosts ?? [],
    damaged: false,
  };
}

function damagedRow(run: string): Row {
  return {run, operation: '', cluster: '', mode: '', startedAt: '', outcome: null, state: 'unreadable', resumed: null, ms: null, hosts: [], damaged: true};
}

const columns: readonly Column<Row>[] = [
  {title: 'RUN', cell: (row) => row.run},
  {title: 'CLUSTER', cell: (row) => row.cluster},
  {title: 'OPERATION', cell: (row) => row.operation},
  {
    title: 'OUTCOME',
    cell: (row) => row.outcome ?? row.state,
    paint: (text, row, {color}) =>
      row.outcome === 'succeeded' || row.outcome === 'unchanged' ? color.green(text) : row.outcome === 'failed' ? color.red(text) : color.yellow(text),
  },
  {title: 'HOSTS', cell: (row) => String(row.hosts.length)},
  {title: 'TOOK', cell: (row) => (row.ms === null ? '-' : formatDuration(row.ms))},
  {title: 'RESUMES', cell: (row) => row.resumed ?? '-', wide: true},
  {title: 'MODE', cell: (row) => row.mode, wide: true},
  {title: 'STARTED', cell: (row) => row.startedAt},
];
