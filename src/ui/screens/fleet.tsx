// Fleet: one row a cluster.
import type {FleetRow, FleetState} from '../../fleet/fleet-store.ts';
import {actionHandlers} from '../act.ts';
import {clusterSubjects} from '../subjects.ts';
import {createStore, type WritableStore} from '../../kernel/store.ts';
import {clean, cut} from '../cells.ts';
import {defineScreen, type Opened, type ScreenProps} from '../screen.ts';
import {parseFilter, type Searchable} from '../filter.ts';
import type {DashPreferences} from '../services.ts';
import {usePaced, useTick, useUi, type Notice, type Ui} from '../ui-context.ts';
import {useList} from '../use-list.ts';
import {initialList, type ListState} from '../use-list-state.ts';
import {ScreenFrame} from '../widgets/screen-frame.tsx';
import {sortRows, TableText, type TableRow} from '../widgets/table.ts';
import {fleetColumns, healthToken, nowText, shownColumns} from './fleet-columns.ts';

interface FleetOpened extends Opened {
  readonly list: WritableStore<ListState>;
  readonly text: TableText<FleetRow>;
  readonly arranged: Arranger;
}

/** How often ages are drawn anew, in ms. */
const agePeriod = 30_000;

export const fleetScreen = defineScreen<'fleet', FleetOpened>('fleet', {
  crumb: () => 'Fleet',
  open: (_reference, services) => ({
    list: createStore(initialList(services.preferences.get().sort)),
    text: new TableText<FleetRow>(),
    arranged: createArranger(),
  }),
  Component: Fleet,
});

function Fleet({opened}: ScreenProps<'fleet', FleetOpened>) {
  const ui = useUi();
  const {theme, area, services, navigator, now, history, copy, notice} = ui;
  const fleet = usePaced(services.fleet);
  const preferences = usePaced(services.preferences);
  const said = usePaced(notice);
  useTick(agePeriod);
  const columns = shownColumns(fleetColumns(history), preferences.columns);
  const arrange = (state: ListState) => opened.arranged(services.fleet.get(), state, services.preferences.get(), ui);
  const list = useList({
    store: opened.list,
    ids: (state) => arrange(state).ids,
    height: area.rows - 1,
    sortable: columns.map((column) => column.id),
    isMarkable: true,
    onOpen: (id) => navigator.push({kind: 'cluster', id}),
    onSort: (sort) => services.remember({sort}),
  });
  const {rows, lineOf, ids} = opened.arranged(fleet, list.state, preferences, ui);
  const line = lineOf(list.index);
  // with headings between them the window is counted in lines
  const top = keepInView(opened, line, rows.length, area.rows - 1, list.index === 0);
  const lines =
    rows.length === 0
      ? emptyLines(fleet, list.state, ui)
      : opened.text.render(rows, {
          columns,
          theme,
          width: area.columns,
          height: area.rows,
          now: now(),
          top,
          cursor: ids[list.index],
          marks: list.state.marks,
          sort: list.state.sort,
        });
  const keys = () =>
    list.layer(['fleet', 'list'], {
      ...actionHandlers(ui, () => clusterSubjects(services, list.chosen()), ['cluster']),
      group: () => services.remember({group: nextGroup(services.preferences.get().group)}),
      columns: () => void chooseColumns(ui),
      events: () => {
        const id = list.current();
        if (id !== undefined) navigator.push({kind: 'events', cluster: id});
      },
      copy: () => {
        const names = list.chosen().flatMap((id) => services.fleet.get().rows.find((row) => row.id === id)?.view.name ?? []);
        if (names.length > 0) copy(names.join('\n'));
      },
    });
  const foot = list.foot ?? footOf(rows.find((one) => one.id === ids[list.index] && one.heading === undefined)?.row, said, ui);
  return <ScreenFrame keys={keys} lines={lines} {...(foot === undefined ? {} : {foot})} />;
}

/** How long a remark goes before the whole of what the row under the cursor has to say, in ms. */
const remarkMs = 15_000;

function footOf(row: FleetRow | undefined, said: Notice | undefined, {theme, area, now}: Ui): string | undefined {
  if (row === undefined || (said !== undefined && now() - said.at < remarkMs)) return undefined;
  const text = clean(nowText(row));
  // what stands in its column as a whole needn't be told again
  return text.length < 16 ? undefined : theme.paint(healthToken(row), cut(`${clean(row.view.name)}: ${text}`, area.columns, theme.symbols.ellipsis));
}

function keepInView(opened: FleetOpened, line: number, count: number, height: number, isFirst: boolean): number {
  const {list} = opened;
  const {top} = list.get();
  const last = Math.max(0, count - height);
  const wanted = isFirst ? 0 : line < top ? line : line >= top + height ? line - height + 1 : Math.min(top, last);
  // where the window is belongs to the list, and changes nothing that is drawn otherwise
  if (wanted !== top) list.set({...list.get(), top: wanted});
  return wanted;
}

function nextGroup(group: DashPreferences['group']): DashPreferences['group'] {
  return group === 'none' ? 'mode' : group === 'mode' ? 'namespace' : 'none';
}

async function chooseColumns({navigator, services, history}: Ui): Promise<void> {
  const all = fleetColumns(history);
  const answer = await navigator.ask({
    kind: 'choose-many',
    title: 'Which columns?',
    choices: all.map(({id, title, does}) => ({id, label: title, note: does})),
    chosen: shownColumns(all, services.preferences.get().columns).map((column) => column.id),
  });
  if (Array.isArray(answer)) services.remember({columns: answer as readonly string[]});
}

function emptyLines(fleet: FleetState, state: ListState, {theme}: Ui): readonly string[] {
  if (state.filter !== '') return ['', '  Nothing fits the filter.'];
  const isLooking = Object.values(fleet.sources).some((source) => source.phase === 'looking');
  if (isLooking) return ['', theme.paint('muted', '  Looking for clusters...')];
  return ['', '  No clusters yet.', '', '  Make one: leave with q, then run trireme init', '  See those of a management cluster: trireme dash --context NAME'];
}

interface Arranged {
  /** With headings where they are grouped. */
  readonly rows: readonly TableRow<FleetRow>[];
  /** Without headings. */
  readonly ids: readonly string[];
  /** The line of the row with this index. */
  lineOf(index: number): number;
}

type Arranger = (fleet: FleetState, state: ListState, preferences: DashPreferences, ui: Pick<Ui, 'now' | 'history'>) => Arranged;

/** Filtered, sorted and grouped; made anew only when something of it changed. */
function createArranger(): Arranger {
  const searchable = new WeakMap<FleetRow, Searchable>();
  const search = (row: FleetRow): Searchable => {
    const known = searchable.get(row);
    if (known !== undefined) return known;
    const made = searchableOf(row);
    searchable.set(row, made);
    return made;
  };
  let last: {readonly inputs: readonly unknown[]; readonly arranged: Arranged} | undefined;
  return (fleet, state, preferences, {now, history}) => {
    const inputs = [fleet.rows, state.filter, state.sort, preferences.group];
    if (last !== undefined && last.inputs.every((input, index) => input === inputs[index])) return last.arranged;
    const fits = parseFilter(state.filter);
    const rows = fleet.rows.filter((row) => fits(search(row))).map((row) => ({id: row.id, row}));
    const column = fleetColumns(history).find((one) => one.id === state.sort.column);
    const sorted = sortRows(rows, column, {descending: state.sort.descending, now: now()});
    const arranged = groupRows(sorted, preferences.group);
    last = {inputs, arranged};
    return arranged;
  };
}

function groupRows(rows: readonly TableRow<FleetRow>[], group: DashPreferences['group']): Arranged {
  if (group === 'none') return {rows, ids: rows.map((row) => row.id), lineOf: (index) => index};
  const groups = new Map<string, TableRow<FleetRow>[]>();
  for (const one of rows) {
    const {mode, namespace, context} = one.row.view;
    const key =
      group === 'mode' ? `${mode} mode` : namespace === undefined ? 'no namespace' : `${context === undefined ? '' : `${context} `}namespace ${namespace}`;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [one]);
    else known.push(one);
  }
  const names = [...groups.keys()].toSorted();
  const lines: number[] = [];
  const arranged = names.flatMap((name) => {
    const members = groups.get(name) ?? [];
    const [first] = members;
    return first === undefined ? [] : [{id: `heading ${name}`, row: first.row, heading: `${name} (${members.length})`}, ...members];
  });
  for (const [line, one] of arranged.entries()) if (!('heading' in one)) lines.push(line);
  return {
    rows: arranged,
    ids: arranged.filter((one) => !('heading' in one)).map((one) => one.id),
    lineOf: (index) => lines[index] ?? 0,
  };
}

function searchableOf({view, source, known}: FleetRow): Searchable {
  const {name, mode, namespace, context, version, health, reasons, now} = view;
  return {
    text: [name, mode, namespace, context, version, health, now, ...reasons, source, ...(known?.hosts.map((host) => host.name) ?? [])].join(' ').toLowerCase(),
    fields: {name, mode, health, ns: namespace ?? '', namespace: namespace ?? '', context: (context ?? source).toLowerCase(), version, class: view.class ?? ''},
    ...(view.labels === undefined ? {} : {labels: view.labels}),
  };
}
