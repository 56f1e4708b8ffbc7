// The command palette: everything that can be done or opened, found by a few letters.
import {Fzf} from 'fzf';
import {act, namesOf} from '../act.ts';
import {clean, fit, graphemes, tail} from '../cells.ts';
import {usePacedReducer, useKeys, usePaced, useUi, type Ui} from '../ui-context.ts';
import {HintLine} from './hint-line.tsx';
import {Line} from './line.tsx';

interface PaletteEntry {
  readonly title: string;
  readonly note: string;
  run(): void;
}

interface PaletteState {
  readonly text: string;
  readonly cursor: number;
}

type PaletteAction =
  | {readonly type: 'type'; readonly text: string}
  | {readonly type: 'erase'}
  | {readonly type: 'erase-all'}
  | {readonly type: 'move'; readonly by: number; readonly count: number};

export function reducePalette(state: PaletteState, action: PaletteAction): PaletteState {
  switch (action.type) {
    case 'type':
      return {text: state.text + action.text, cursor: 0};
    case 'erase':
      return {text: graphemes(state.text).slice(0, -1).join(''), cursor: 0};
    case 'erase-all':
      return {text: '', cursor: 0};
    case 'move':
      return {...state, cursor: Math.max(0, Math.min(action.count - 1, state.cursor + action.by))};
  }
}

/** More than anybody reads; fzf stops looking when it has them. */
const limit = 100;

function entriesOf(ui: Ui): readonly PaletteEntry[] {
  const {navigator, services} = ui;
  const {rows} = services.fleet.get();
  return [
    {title: 'Fleet', note: 'screen', run: () => navigator.goTo({kind: 'fleet'})},
    {title: 'History', note: 'screen', run: () => navigator.push({kind: 'history'})},
    {title: 'Keys and help', note: 'screen', run: () => navigator.push({kind: 'help'})},
    ...actionEntries(ui),
    ...services.commands.map((command) => ({title: command.title, note: command.command ?? 'command', run: () => command.run()})),
    ...rows.map(({id, view}) => ({
      title: clean(view.name),
      note: clean(`cluster ${view.namespace ?? ''} ${view.context ?? ''}`).trimEnd(),
      run: () => navigator.push({kind: 'cluster', id}),
    })),
    ...rows.flatMap(({id, view}) =>
      view.machines.map((machine) => ({
        title: clean(machine.name),
        note: clean(`machine of ${view.name}`),
        run: () => navigator.push({kind: 'machine', cluster: id, machine: machine.name}),
      })),
    ),
    {title: 'Quit', note: 'leave the dashboard', run: () => navigator.quit()},
  ];
}

/** What can be done with what is chosen on the screen below. */
function actionEntries(ui: Ui): readonly PaletteEntry[] {
  const subjects = ui.chosen.current();
  return ui.services.desk
    .offers(subjects)
    .filter((offer) => offer.reason === undefined)
    .map((offer) => ({
      title: `${offer.action.title}: ${namesOf(subjects)}`,
      note: `trireme ${offer.action.command.join(' ')}`,
      run: () => void act(ui, offer, subjects),
    }));
}

interface Finder {
  find(text: string): readonly {readonly entry: PaletteEntry; readonly positions: ReadonlySet<number>}[];
}

function createFinder(entries: readonly PaletteEntry[]): Finder {
  const fzf = new Fzf<readonly PaletteEntry[]>(entries, {
    selector: (entry: PaletteEntry) => `${entry.title}  ${entry.note}`,
    limit,
    casing: 'case-insensitive',
  });
  return {
    find: (text) =>
      text.trim() === ''
        ? entries.slice(0, limit).map((entry) => ({entry, positions: new Set<number>()}))
        : fzf
            .find(text.trim())
            .map((found: {readonly item: PaletteEntry; readonly positions: ReadonlySet<number>}) => ({entry: found.item, positions: found.positions})),
  };
}

export function PalettePanel({height}: {readonly height: number}) {
  const ui = useUi();
  const {theme, area, navigator, services} = ui;
  const fleet = usePaced(services.fleet);
  const {state, get, dispatch} = usePacedReducer(reducePalette, () => ({text: '', cursor: 0}));
  const finder = memoFinder(ui, fleet);
  const found = finder.find(state.text);
  const move = (by: number) => () => dispatch({type: 'move', by, count: finder.find(get().text).length});
  const on = {
    accept: () => {
      const now = get();
      const chosen = memoFinder(ui, services.fleet.get()).find(now.text)[now.cursor];
      navigator.closeOverlay();
      chosen?.entry.run();
    },
    cancel: () => navigator.closeOverlay(),
    erase: () => dispatch({type: 'erase'}),
    'erase-all': () => dispatch({type: 'erase-all'}),
    'next-choice': move(1),
    'previous-choice': move(-1),
  };
  useKeys({
    scopes: ['palette'],
    on,
    text: (text) => {
      dispatch({type: 'type', text});
      return true;
    },
    takesAll: true,
  });
  const {ellipsis, cursor, caret, rule} = theme.symbols;
  const room = Math.max(1, height - 3);
  const top = Math.max(0, state.cursor - room + 1);
  const lines = [
    theme.paint('border', rule.repeat(area.columns)),
    `${theme.paint('accent', ':')}${tail(clean(state.text), area.columns - 12)}${theme.paint('accent', caret)}${theme.paint('muted', `  ${found.length === limit ? `${limit}+` : found.length}`)}`,
    ...found.slice(top, top + room).map(({entry, positions}, index) => {
      const isCursor = top + index === state.cursor;
      const plain = fit(`${isCursor ? cursor : ' '} ${entry.title}  ${entry.note}`, area.columns, {ellipsis});
      if (isCursor) return theme.paint('selected', plain);
      const letters = graphemes(plain);
      // positions count in title and note as they were searched: two cells further left
      return [...letters].map((letter, at) => (positions.has(at - 2) ? theme.paint('match', letter) : letter)).join('');
    }),
    ...(found.length === 0 ? [theme.paint('muted', '  Nothing fits.')] : []),
  ];
  return (
    <>
      {Array.from({length: height - 1}, (_, row) => (
        <Line key={row} text={lines[row] ?? ''} />
      ))}
      <HintLine scopes={['palette']} on={on} isRoot />
    </>
  );
}

interface KnownFinder {
  readonly fleet: unknown;
  readonly commands: unknown;
  readonly chosen: string;
  readonly finder: Finder;
}

let known: KnownFinder | undefined;

/** Made anew only when the fleet's rows changed: with thousands of objects that takes a while. */
function memoFinder(ui: Ui, fleet: unknown): Finder {
  const {commands} = ui.services;
  const chosen = namesOf(ui.chosen.current());
  if (known === undefined || known.fleet !== fleet || known.commands !== commands || known.chosen !== chosen)
    known = {fleet, commands, chosen, finder: createFinder(entriesOf(ui))};
  return known.finder;
}
