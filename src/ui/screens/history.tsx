// History: runs on disk, the newest first; those that go on, have ended, or broke off and can be gone on with.
import type {RunRow} from '../../fleet/run-rows.ts';
import {formatDuration} from '../../kernel/amounts.ts';
import {createStore, type WritableStore} from '../../kernel/store.ts';
import {actionHandlers} from '../act.ts';
import {ageOf, clean} from '../cells.ts';
import {parseFilter} from '../filter.ts';
import {defineScreen, type Opened, type ScreenProps} from '../screen.ts';
import {runSubjects} from '../subjects.ts';
import type {Token} from '../theme.ts';
import {usePaced, useTick, useUi} from '../ui-context.ts';
import {useList} from '../use-list.ts';
import {initialList, type ListState} from '../use-list-state.ts';
import {ScreenFrame} from '../widgets/screen-frame.tsx';
import {TableText, type TableColumn, type TableRow} from '../widgets/table.ts';

interface Runs {
  readonly rows: readonly RunRow[];
  readonly phase: 'looking' | 'live' | 'failed';
  readonly why?: string;
}

interface HistoryOpened extends Opened {
  readonly runs: WritableStore<Runs>;
  readonly list: WritableStore<ListState>;
  readonly text: TableText<RunRow>;
}

const max = 500;
/** Between two looks at the folder of runs, in ms. */
const interval = 2000;

export const historyScreen = defineScreen<'history', HistoryOpened>('history', {
  crumb: ({cluster}) => (cluster === undefined ? 'History' : `${cluster} history`),
  open: ({cluster}, {desk}) => {
    const runs = createStore<Runs>({rows: [], phase: 'looking'});
    let isOpen = true;
    let timer: NodeJS.Timeout | undefined;
    let known: readonly RunRow[] = [];
    const look = async () => {
      const before = runs.get();
      try {
        known = await desk.runs.list({max, known});
        const rows = cluster === undefined ? known : known.filter((row) => row.header?.cluster === cluster);
        // a store that tells nothing new draws nothing
        const isSame = before.phase === 'live' && rows.length === before.rows.length && rows.every((row, index) => row === before.rows[index]);
        if (isOpen && !isSame) runs.set({rows, phase: 'live'});
      } catch (error) {
        if (isOpen) runs.set({...before, phase: 'failed', why: error instanceof Error ? error.message : String(error)});
      }
      if (isOpen) timer = setTimeout(() => void look(), interval);
    };
    void look();
    return {
      runs,
      list: createStore(initialList({column: 'started', descending: true})),
      text: new TableText<RunRow>(),
      close: () => {
        isOpen = false;
        clearTimeout(timer);
      },
    };
  },
  Component: History,
});

export function outcomeOf(row: RunRow): string {
  return row.outcome ?? (row.state === 'broken-off' ? 'broke off' : row.state);
}

function tokenOf(row: RunRow): Token {
  if (row.outcome === 'succeeded' || row.outcome === 'unchanged') return 'good';
  if (row.outcome === 'failed' || row.state === 'unreadable') return 'bad';
  return row.state === 'running' ? 'working' : 'warning';
}

const columns: readonly TableColumn<RunRow>[] = [
  {id: 'run', title: 'RUN', gives: 2, min: 20, max: 20, cell: (row) => row.run},
  {id: 'cluster', title: 'CLUSTER', gives: 0, min: 8, max: 30, grows: true, cell: (row) => row.header?.cluster ?? ''},
  {id: 'operation', title: 'OPERATION', gives: 0, min: 9, max: 18, cell: (row) => row.header?.operation ?? ''},
  {id: 'outcome', title: 'OUTCOME', gives: 0, min: 11, max: 11, cell: outcomeOf, token: tokenOf},
  {id: 'hosts', title: 'N', gives: 3, min: 1, max: 5, align: 'right', cell: (row) => (row.hosts === undefined ? '' : String(row.hosts.length))},
  {id: 'took', title: 'TOOK', gives: 3, min: 6, max: 7, align: 'right', cell: (row) => (row.ms === undefined ? '' : formatDuration(row.ms))},
  {id: 'age', title: 'AGE', gives: 1, min: 4, max: 4, align: 'right', cell: (row, now) => ageOf(row.header?.startedAt, now)},
  {id: 'mode', title: 'MODE', gives: 4, min: 10, max: 10, cell: (row) => row.header?.mode ?? ''},
];

function rowsOf({rows}: Runs, filter: string): readonly TableRow<RunRow>[] {
  const fits = parseFilter(filter);
  return rows
    .filter((row) => {
      const {cluster = '', operation = '', mode = ''} = row.header ?? {};
      const outcome = outcomeOf(row);
      return fits({text: [row.run, cluster, operation, mode, outcome].join(' ').toLowerCase(), fields: {cluster, operation, mode, outcome}});
    })
    .map((row) => ({id: row.run, row}));
}

function History({opened}: ScreenProps<'history', HistoryOpened>) {
  const ui = useUi();
  const {theme, area, navigator, now, copy} = ui;
  const runs = usePaced(opened.runs);
  useTick(10_000);
  const rowsNow = () => rowsOf(opened.runs.get(), opened.list.get().filter);
  const list = useList({
    store: opened.list,
    ids: (state) => rowsOf(opened.runs.get(), state.filter).map((row) => row.id),
    height: area.rows - 1,
    onOpen: (run) => navigator.push({kind: 'run', run}),
  });
  if (list.top !== list.state.top) opened.list.set({...opened.list.get(), top: list.top});
  const rows = rowsOf(runs, list.state.filter);
  const none = {
    looking: 'Looking...',
    live: 'No runs yet: whatever changes a cluster makes one.',
    failed: `The runs can't be listed: ${clean(runs.why ?? '')}`,
  }[runs.phase];
  const cursor = rows[list.index]?.id;
  const lines =
    rows.length === 0
      ? ['', `  ${list.state.filter === '' ? none : 'Nothing fits the filter.'}`]
      : opened.text.render(rows, {columns, theme, width: area.columns, height: area.rows, now: now(), top: list.top, cursor, marks: new Set()});
  const current = () =>
    rowsNow()
      .filter((row) => row.id === list.current())
      .map(({row}) => row);
  const keys = () =>
    list.layer(['history', 'list'], {
      ...actionHandlers(ui, () => runSubjects(current(), opened.runs.get().rows), ['run']),
      copy: () => {
        const [row] = current();
        if (row !== undefined) copy(row.run);
      },
    });
  return <ScreenFrame keys={keys} lines={lines} {...(list.foot === undefined ? {} : {foot: list.foot})} />;
}
