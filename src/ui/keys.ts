// The one key table: what a key does on which screen. The hint line, the help and the reference of keys are derived from it.
import type {Action} from '../actions/action.ts';
import {actions} from '../actions/table.ts';

/** Where an entry counts. `list`, `tree` and `text` are shared by the screens that show one. */
export const keyScopes = {
  global: 'Everywhere',
  list: 'In lists',
  tree: 'In trees',
  text: 'In texts',
  fleet: 'Fleet',
  cluster: 'Cluster',
  machine: 'Machine or host',
  events: 'Events',
  logs: 'Logs',
  run: 'Run',
  replay: 'Replay of a run',
  history: 'History',
  help: 'Help',
  filter: 'While filtering',
  palette: 'In the command palette',
  prompt: 'In a question',
} as const;

export type KeyScope = keyof typeof keyScopes;

interface KeyEntryShape {
  readonly scopes: readonly KeyScope[];
  /** Names as `strokeOf` makes them; the first is the one that hints show. */
  readonly keys: readonly string[];
  /** For the help: what it does. */
  readonly does: string;
  /** For the hint line: one or two words. Absent: only in the help. */
  readonly hint?: string;
}

const table = {
  help: {scopes: ['global'], keys: ['?', 'f1'], does: 'Show the keys of this screen', hint: 'help'},
  palette: {scopes: ['global'], keys: [':', 'ctrl+p'], does: 'Find a command or an object by a few letters', hint: 'commands'},
  back: {scopes: ['global'], keys: ['escape', 'backspace', 'left', 'h'], does: 'Go back', hint: 'back'},
  quit: {scopes: ['global'], keys: ['q', 'ctrl+c'], does: 'Leave the dashboard', hint: 'quit'},
  suspend: {scopes: ['global'], keys: ['ctrl+z'], does: 'Put the dashboard to sleep; fg brings it back'},
  redraw: {scopes: ['global'], keys: ['ctrl+l'], does: 'Draw the screen anew'},
  'dismiss-notice': {scopes: ['global'], keys: ['ctrl+x'], does: 'Take the notice away'},
  'next-row': {scopes: ['list', 'tree', 'text'], keys: ['down', 'j'], does: 'Go down'},
  'previous-row': {scopes: ['list', 'tree', 'text'], keys: ['up', 'k'], does: 'Go up'},
  'next-page': {scopes: ['list', 'tree', 'text'], keys: ['pagedown', 'ctrl+f'], does: 'Go down a page'},
  'previous-page': {scopes: ['list', 'tree', 'text'], keys: ['pageup', 'ctrl+b'], does: 'Go up a page'},
  'first-row': {scopes: ['list', 'tree', 'text'], keys: ['g', 'home'], does: 'Go to the first'},
  'last-row': {scopes: ['list', 'tree', 'text'], keys: ['G', 'end'], does: 'Go to the last'},
  open: {scopes: ['list', 'tree'], keys: ['return', 'l', 'right'], does: 'Open what is under the cursor', hint: 'open'},
  filter: {scopes: ['list', 'logs'], keys: ['/'], does: 'Filter; a word with ! before it leaves out', hint: 'filter'},
  mark: {scopes: ['list'], keys: ['space'], does: 'Mark, for many at once', hint: 'mark'},
  'mark-all': {scopes: ['list'], keys: ['a'], does: 'Mark all that are shown, or none'},
  sort: {scopes: ['list'], keys: ['s'], does: 'Sort by the next column', hint: 'sort'},
  'reverse-sort': {scopes: ['list'], keys: ['S'], does: 'Turn the order around'},
  fold: {scopes: ['tree'], keys: ['h', 'left'], does: 'Fold what stands well'},
  'fold-all': {scopes: ['tree'], keys: ['z'], does: 'Fold or unfold everything that stands well', hint: 'fold'},
  copy: {scopes: ['list', 'tree', 'machine', 'logs'], keys: ['y'], does: 'Copy the name or the line to the clipboard'},
  group: {scopes: ['fleet'], keys: ['b'], does: 'Group by mode, by namespace, or not at all', hint: 'group'},
  columns: {scopes: ['fleet'], keys: ['c'], does: 'Choose the columns', hint: 'columns'},
  events: {scopes: ['fleet', 'cluster', 'machine'], keys: ['e'], does: 'Show its events', hint: 'events'},
  logs: {scopes: ['machine'], keys: ['L'], does: 'Show its logs', hint: 'logs'},
  warnings: {scopes: ['events'], keys: ['w'], does: 'Show warnings only, or all', hint: 'warnings'},
  follow: {scopes: ['logs'], keys: ['f'], does: 'Follow what comes, or stay', hint: 'follow'},
  'choose-action': {scopes: ['fleet', 'cluster', 'machine', 'run', 'history'], keys: ['x'], does: 'Choose what to do with it', hint: 'actions'},
  'stop-run': {scopes: ['run'], keys: ['X'], does: 'Stop the run, as Ctrl-C does: what runs is finished first', hint: 'stop'},
  'toggle-play': {scopes: ['replay'], keys: ['space'], does: 'Play, or pause', hint: 'play'},
  'step-forward': {scopes: ['replay'], keys: ['right', '.'], does: 'One event on', hint: 'step'},
  'step-back': {scopes: ['replay'], keys: ['left', ','], does: 'One event back'},
  faster: {scopes: ['replay'], keys: ['+'], does: 'Play faster', hint: 'faster'},
  slower: {scopes: ['replay'], keys: ['-'], does: 'Play slower', hint: 'slower'},
  'to-start': {scopes: ['replay'], keys: ['0'], does: 'Back to the beginning'},
  'to-end': {scopes: ['replay'], keys: ['$'], does: 'On to the end'},
  wrap: {scopes: ['logs'], keys: ['w'], does: 'Wrap long lines, or cut them', hint: 'wrap'},
  accept: {scopes: ['filter', 'palette', 'prompt'], keys: ['return'], does: 'Take it', hint: 'take'},
  cancel: {scopes: ['filter', 'palette', 'prompt'], keys: ['escape', 'ctrl+c'], does: 'Leave it as it was', hint: 'cancel'},
  erase: {scopes: ['filter', 'palette', 'prompt'], keys: ['backspace', 'delete'], does: 'Take the last letter away'},
  'erase-all': {scopes: ['filter', 'palette', 'prompt'], keys: ['ctrl+u'], does: 'Take all letters away'},
  'next-choice': {scopes: ['palette', 'prompt'], keys: ['down', 'tab'], does: 'Go to the next'},
  'previous-choice': {scopes: ['palette', 'prompt'], keys: ['up', 'shift+tab'], does: 'Go to the one before'},
  toggle: {scopes: ['prompt'], keys: ['space'], does: 'Choose it, or not'},
} as const satisfies Readonly<Record<string, KeyEntryShape>>;

/** The keys of what can be done: they come from the table of actions. */
export type ActionKeyName = `do ${string}`;
export const actionKeyName = (key: string): ActionKeyName => `do ${key}`;

const scopesOfActions: Readonly<Record<Action['about'], readonly KeyScope[]>> = {
  fleet: ['fleet'],
  cluster: ['fleet', 'cluster'],
  // on the cluster's tree the cursor may be on a machine
  machine: ['cluster', 'machine'],
  run: ['history', 'run'],
};

const screenKeys: ReadonlySet<string> = new Set(table.logs.keys);

function actionKeys(): readonly KeyEntry[] {
  // an action that is a screen with a key of its own, as logs are, needs no second entry
  const isOwn = (action: Action) => action.kind === 'screen' && screenKeys.has(action.key);
  const keys = [...new Set(actions.filter((action) => !isOwn(action)).map((action) => action.key))];
  return keys.flatMap((key) => {
    const meant = actions.filter((action) => action.key === key);
    const byScope = [...new Set(meant.flatMap((action) => scopesOfActions[action.about]))].map((scope) => ({
      scope,
      does: [...new Set(meant.filter((action) => scopesOfActions[action.about].includes(scope)).map((action) => action.title))].join(', or: '),
    }));
    const texts = [...new Set(byScope.map((one) => one.does))];
    return texts.map((does) => ({action: actionKeyName(key), keys: [key], does, scopes: byScope.filter((one) => one.does === does).map((one) => one.scope)}));
  });
}

export type KeyAction = keyof typeof table | ActionKeyName;

export interface KeyEntry extends KeyEntryShape {
  readonly action: KeyAction;
}

export const keyTable: readonly KeyEntry[] = [
  ...Object.entries(table).map(([action, entry]) => ({action: action as KeyAction, ...(entry as KeyEntryShape)})),
  ...actionKeys(),
];

/** What a key does in a scope. */
export function actionFor(scope: KeyScope, key: string): KeyAction | undefined {
  return keyTable.find((entry) => entry.scopes.includes(scope) && entry.keys.includes(key))?.action;
}

const shownNames: Readonly<Record<string, string>> = {
  return: 'enter',
  escape: 'esc',
  pagedown: 'PgDn',
  pageup: 'PgUp',
  up: '↑',
  down: '↓',
  left: '←',
  right: '→',
};
const asciiNames: Readonly<Record<string, string>> = {up: 'up', down: 'down', left: 'left', right: 'right'};

/** A key as people read it: `ctrl+z`, `enter`, `↑`. */
export function keyLabel(key: string, ascii = false): string {
  return (ascii ? asciiNames[key] : undefined) ?? shownNames[key] ?? key;
}

/** One key that was pressed: its name, and the text that it types. */
export interface Stroke {
  readonly name: string;
  readonly text?: string;
}

interface InkKey {
  readonly upArrow: boolean;
  readonly downArrow: boolean;
  readonly leftArrow: boolean;
  readonly rightArrow: boolean;
  readonly pageDown: boolean;
  readonly pageUp: boolean;
  readonly home: boolean;
  readonly end: boolean;
  readonly return: boolean;
  readonly escape: boolean;
  readonly ctrl: boolean;
  readonly shift: boolean;
  readonly tab: boolean;
  readonly backspace: boolean;
  readonly delete: boolean;
  readonly meta: boolean;
}

const named = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageDown', 'pagedown'],
  ['pageUp', 'pageup'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'return'],
  ['escape', 'escape'],
  ['backspace', 'backspace'],
  ['delete', 'backspace'], // Ink names 0x7f, which the backspace key sends, delete
] as const;

/** The strokes in what Ink reports: keys that come fast come together. */
export function strokesOf(input: string, key: InkKey): readonly Stroke[] {
  for (const [flag, name] of named) if (key[flag]) return [{name}];
  if (key.tab) return [{name: key.shift ? 'shift+tab' : 'tab'}];
  if (key.ctrl) return [{name: `ctrl+${input}`}];
  if (key.meta) return [{name: `alt+${input}`}];
  return [...new Intl.Segmenter('en', {granularity: 'grapheme'}).segment(input)].flatMap(({segment}): readonly Stroke[] => {
    if (segment === '\r' || segment === '\n' || segment === '\r\n') return [{name: 'return'}];
    if (segment === '\t') return [{name: 'tab'}];
    if (segment === '\u007F' || segment === '\b') return [{name: 'backspace'}];
    // letters with ctrl are the first control characters, also in the middle of what came together
    const code = segment.charCodeAt(0);
    if (code >= 1 && code <= 26) return [{name: `ctrl+${String.fromCharCode(code + 96)}`}];
    // oxlint-disable-next-line no-control-regex -- other control characters type nothing
    if (/^[\u0000-\u001F]/.test(segment)) return [];
    return [{name: segment === ' ' ? 'space' : segment, text: segment}];
  });
}
