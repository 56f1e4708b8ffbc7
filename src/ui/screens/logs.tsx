// Logs: lines as they come. Scrolling up stays there; G follows again.
import {createStore, type WritableStore} from '../../kernel/store.ts';
import {clean, cut, graphemes, tail, widthOf} from '../cells.ts';
import {parseFilter} from '../filter.ts';
import {followLines, type LogBuffer} from '../log-buffer.ts';
import type {KeyLayer} from '../key-router.ts';
import {defineScreen, type Opened, type ScreenProps} from '../screen.ts';
import {usePaced, usePacedReducer, useUi} from '../ui-context.ts';
import {initialLog, reduceLog, type LogViewState} from '../use-log-state.ts';
import {ScreenFrame} from '../widgets/screen-frame.tsx';

interface LogsOpened extends Opened {
  readonly buffer: LogBuffer;
  readonly view: WritableStore<LogViewState>;
}

export const logsScreen = defineScreen<'logs', LogsOpened>('logs', {
  crumb: ({title}) => title,
  open: ({cluster, machine}, services) => {
    const buffer = followLines((signal) => services.logs(cluster, machine, signal));
    return {buffer, view: createStore(initialLog), close: () => buffer.close()};
  },
  Component: Logs,
});

function Logs({opened}: ScreenProps<'logs', LogsOpened>) {
  const {theme, area, copy} = useUi();
  const log = usePaced(opened.buffer.store);
  const {state, get, dispatch} = usePacedReducer(reduceLog, opened.view);
  const fits = parseFilter(state.filter);
  const kept = state.filter === '' ? log.lines : log.lines.filter((line) => fits({text: line.toLowerCase(), fields: {}}));
  const height = area.rows;
  const shown = state.wraps ? kept.slice(-height * 40).flatMap((line) => wrapLine(line, area.columns)) : kept;
  const last = Math.max(0, shown.length - height);
  const top = state.follows ? last : Math.min(state.top, last);
  if (state.top !== top) opened.view.set({...opened.view.get(), top});
  const lines = shown.slice(top, top + height).map((line) => cut(line, area.columns, theme.symbols.ellipsis));
  const empty = {
    waiting: 'Waiting for the first line...',
    live: state.filter === '' ? 'Nothing yet.' : 'Nothing fits the filter.',
    ended: 'It has ended, without a line.',
    failed: `It can't be read: ${clean(log.why ?? '')}`,
  }[log.phase];
  const go = (by: number) => () => dispatch({type: 'scroll', by, last: Math.max(0, shown.length - height)});
  const isEditing = state.editing !== undefined;
  const {paint, symbols} = theme;
  const end =
    log.phase === 'failed'
      ? `it broke off: ${clean(log.why ?? '')}`
      : log.phase === 'ended'
        ? 'it has ended'
        : state.follows
          ? 'following'
          : 'staying; f follows';
  const foot = isEditing
    ? `${paint('accent', '/')}${tail(clean(state.filter), area.columns - 20)}${paint('accent', symbols.caret)}  ${paint('muted', `${kept.length} lines`)}`
    : paint('muted', cut(`${kept.length} lines, ${end}${log.dropped > 0 ? `, ${log.dropped} older ones dropped` : ''}`, area.columns, symbols.ellipsis));
  const keys = (): KeyLayer =>
    get().editing === undefined
      ? {
          scopes: ['logs', 'text'],
          on: {
            'next-row': go(1),
            'previous-row': go(-1),
            'next-page': go(height - 1),
            'previous-page': go(1 - height),
            'first-row': go(-shown.length),
            'last-row': () => dispatch({type: 'follow', follows: true}),
            follow: () => dispatch({type: 'follow', follows: !get().follows}),
            wrap: () => dispatch({type: 'wrap'}),
            filter: () => dispatch({type: 'begin-filter'}),
            copy: () => copy(lines.join('\n')),
            ...(get().filter === '' ? {} : {back: () => dispatch({type: 'clear-filter'})}),
          },
        }
      : {
          scopes: ['filter'],
          on: {
            accept: () => dispatch({type: 'accept-filter'}),
            cancel: () => dispatch({type: 'cancel-filter'}),
            erase: () => dispatch({type: 'erase'}),
            'erase-all': () => dispatch({type: 'erase-all'}),
          },
          text: (text) => {
            dispatch({type: 'type', text});
            return true;
          },
          takesAll: true,
        };
  return <ScreenFrame keys={keys} lines={lines.length === 0 ? ['', `  ${cut(empty, area.columns - 2, symbols.ellipsis)}`] : lines} foot={foot} />;
}

function wrapLine(line: string, width: number): readonly string[] {
  if (widthOf(line) <= width) return [line];
  const lines: string[] = [];
  let part = '';
  let used = 0;
  for (const letter of graphemes(line)) {
    const more = widthOf(letter);
    if (used + more > width) {
      lines.push(part);
      part = '';
      used = 0;
    }
    part += letter;
    used += more;
  }
  return [...lines, part];
}
