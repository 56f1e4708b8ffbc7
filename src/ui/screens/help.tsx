// Help: the keys of the screen below, from the key table.
import {createStore, type WritableStore} from '../../kernel/store.ts';
import {defineScreen, type Opened, type ScreenKind, type ScreenProps} from '../screen.ts';
import {fit} from '../cells.ts';
import {keyLabel, keyScopes, keyTable, type KeyScope} from '../keys.ts';
import {useText} from '../use-text.ts';
import {useUi} from '../ui-context.ts';
import {ScreenFrame} from '../widgets/screen-frame.tsx';

interface HelpOpened extends Opened {
  readonly top: WritableStore<number>;
}

export const helpScreen = defineScreen<'help', HelpOpened>('help', {
  crumb: () => 'Help',
  open: () => ({top: createStore(0)}),
  Component: Help,
});

/** What counts on a screen, the most special first. */
export const scopesOfScreen: Readonly<Record<ScreenKind, readonly KeyScope[]>> = {
  fleet: ['fleet', 'list', 'filter', 'palette', 'global'],
  cluster: ['cluster', 'tree', 'palette', 'global'],
  machine: ['machine', 'text', 'palette', 'global'],
  events: ['events', 'list', 'filter', 'palette', 'global'],
  logs: ['logs', 'text', 'filter', 'palette', 'global'],
  run: ['replay', 'run', 'list', 'filter', 'palette', 'global'],
  history: ['history', 'list', 'filter', 'palette', 'global'],
  help: ['text', 'global'],
};

function Help({opened}: ScreenProps<'help', HelpOpened>) {
  const {area, navigator, theme} = useUi();
  const below = navigator.place.get().stack.at(-2)?.reference.kind ?? 'fleet';
  const isAscii = theme.symbols.ellipsis === '...';
  const lines = scopesOfScreen[below].flatMap((scope) => {
    const entries = keyTable.filter((entry) => entry.scopes.includes(scope));
    return [
      theme.paint('title', keyScopes[scope]),
      ...entries.map((entry) => {
        const keys = entry.keys.map((key) => keyLabel(key, isAscii)).join(' ');
        return `  ${theme.paint('key', fit(keys, 14))}  ${fit(entry.does, Math.max(10, area.columns - 20), {ellipsis: theme.symbols.ellipsis}).trimEnd()}`;
      }),
      '',
    ];
  });
  const filterHelp = [
    theme.paint('title', 'Filters'),
    '  web !test              with web, without test',
    '  health:degraded        by field: name, mode, health, ns, context, version, class',
    '  team=harbour           by label',
  ];
  const {shown, on} = useText(opened.top, [...lines, ...filterHelp], area.rows);
  return <ScreenFrame keys={{scopes: ['text'], on: on}} lines={shown} />;
}
