// The keys that count now, as many as there's room for. From the key table and nothing else.
import {keyLabel, keyTable, type KeyAction, type KeyScope} from '../keys.ts';
import type {KeyHandlers} from '../key-router.ts';
import {widthOf} from '../cells.ts';
import type {Theme} from '../theme.ts';
import {useUi} from '../ui-context.ts';
import {Line} from './line.tsx';

/** Always shown, at the end. */
const general: readonly KeyAction[] = ['palette', 'help', 'back', 'quit'];

export function HintLine({scopes, on, isRoot}: {readonly scopes: readonly KeyScope[]; readonly on: KeyHandlers; readonly isRoot: boolean}) {
  const {theme, size} = useUi();
  return <Line text={hintText({scopes, on, isRoot, width: size.columns, theme})} />;
}

export function hintText(options: {
  readonly scopes: readonly KeyScope[];
  readonly on: KeyHandlers;
  readonly isRoot: boolean;
  readonly width: number;
  readonly theme: Theme;
}): string {
  const {scopes, on, isRoot, width, theme} = options;
  const isAscii = theme.symbols.ellipsis === '...';
  const own = keyTable.filter((entry) => entry.hint !== undefined && on[entry.action] !== undefined && entry.scopes.some((scope) => scopes.includes(scope)));
  // what belongs to this screen alone is told first
  const isFirst = (entry: (typeof keyTable)[number]) => entry.action === 'choose-action';
  const others = own.filter((entry) => !isFirst(entry));
  // what can be done, then what belongs to this screen alone
  const ordered = [...own.filter(isFirst), ...others.filter((entry) => entry.scopes.length === 1), ...others.filter((entry) => entry.scopes.length > 1)];
  const isAsking = scopes.some((scope) => scope === 'filter' || scope === 'palette' || scope === 'prompt');
  const last = isAsking ? [] : keyTable.filter((entry) => general.includes(entry.action) && !(isRoot && entry.action === 'back'));
  const textOf = (entry: (typeof keyTable)[number]) => [keyLabel(entry.keys[0] ?? '', isAscii), entry.hint ?? ''] as const;
  let room = width;
  const shown: string[] = [];
  const put = (entries: readonly (typeof keyTable)[number][], reserve: number) => {
    for (const entry of entries) {
      const [key, hint] = textOf(entry);
      const cells = widthOf(key) + 1 + widthOf(hint) + 2;
      if (cells > room - reserve) continue;
      room -= cells;
      shown.push(`${theme.paint('key', key)} ${theme.paint('muted', hint)}`);
    }
  };
  const reserve = last.reduce((sum, entry) => sum + textOf(entry).join(' ').length + 2, 0);
  put(ordered, Math.min(reserve, Math.floor(width / 2)));
  put(last, 0);
  return shown.join('  ');
}
