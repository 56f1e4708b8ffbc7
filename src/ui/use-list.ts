// A list on a screen: ties rows, cursor, filter and marks to keys, and gives the window that is drawn.
import {cut, tail, clean} from './cells.ts';
import type {KeyHandlers, KeyLayer} from './key-router.ts';
import type {KeyScope} from './keys.ts';
import {usePacedReducer, useUi} from './ui-context.ts';
import type {WritableStore} from '../kernel/store.ts';
import {cursorIndex, reduceList, windowTop, type ListAction, type ListState} from './use-list-state.ts';

export interface UseListOptions {
  readonly store: WritableStore<ListState>;
  /** Ids of the rows that can be under the cursor, as they are now: filtered and in order. */
  ids(state: ListState): readonly string[];
  /** Rows in the window. */
  readonly height: number;
  /** Columns that can be sorted by. */
  readonly sortable?: readonly string[];
  onOpen?(id: string): void;
  /** Called after a change of the order: to remember it. */
  onSort?(sort: ListState['sort']): void;
  readonly isMarkable?: boolean;
}

export interface UsedList {
  readonly state: ListState;
  get(): ListState;
  dispatch(action: ListAction): void;
  /** The keys as of now, to be asked when one is pressed: after `/` the next letter is the filter's, drawn or not. */
  layer(scopes: readonly KeyScope[], on: KeyHandlers): KeyLayer;
  /** The row under the cursor, as of now. */
  current(): string | undefined;
  /** What is marked and shown, else what is under the cursor. */
  chosen(): readonly string[];
  readonly index: number;
  readonly top: number;
  readonly foot?: string;
}

export function useList(options: UseListOptions): UsedList {
  const {store, ids, height, sortable = [], onOpen, onSort, isMarkable = false} = options;
  const {theme, area} = useUi();
  const {state, get, dispatch} = usePacedReducer(reduceList, store);
  const now = () => ids(get());
  const move = (by: number) => () => dispatch({type: 'move', by, ids: now()});
  const page = Math.max(1, height - 1);
  const current = () => {
    const all = now();
    return all[cursorIndex(get(), all)];
  };
  const shown = ids(state);
  const index = cursorIndex(state, shown);
  const sorted = () => onSort?.(get().sort);
  const resting = (): KeyHandlers => ({
    'next-row': move(1),
    'previous-row': move(-1),
    'next-page': move(page),
    'previous-page': move(-page),
    'first-row': () => dispatch({type: 'go-first', ids: now()}),
    'last-row': () => dispatch({type: 'go-last', ids: now()}),
    filter: () => dispatch({type: 'begin-filter'}),
    ...(onOpen === undefined
      ? {}
      : {
          open: () => {
            const id = current();
            if (id !== undefined) onOpen(id);
          },
        }),
    ...(isMarkable ? {mark: () => dispatch({type: 'toggle-mark', ids: now()}), 'mark-all': () => dispatch({type: 'toggle-all', ids: now()})} : {}),
    ...(sortable.length < 2
      ? {}
      : {
          sort: () => {
            dispatch({type: 'sort-next', columns: sortable});
            sorted();
          },
          'reverse-sort': () => {
            dispatch({type: 'sort-reverse'});
            sorted();
          },
        }),
    // esc first takes away what was done to the list, then goes back
    ...(get().filter !== '' || get().marks.size > 0
      ? {back: () => dispatch(get().marks.size > 0 ? {type: 'clear-marks'} : {type: 'set-filter', filter: ''})}
      : {}),
  });
  const editing: KeyHandlers = {
    accept: () => dispatch({type: 'accept-filter'}),
    cancel: () => dispatch({type: 'cancel-filter'}),
    erase: () => dispatch({type: 'erase'}),
    'erase-all': () => dispatch({type: 'erase-all'}),
    'next-row': move(1),
    'previous-row': move(-1),
  };
  const foot = footOf(state, shown.length, area.columns, theme);
  return {
    state,
    get,
    dispatch,
    layer: (scopes, on) =>
      get().editing === undefined
        ? {scopes, on: {...resting(), ...on}}
        : {
            scopes: ['filter', 'list'],
            on: editing,
            text: (typed) => {
              dispatch({type: 'type', text: typed});
              return true;
            },
            takesAll: true,
          },
    current,
    chosen: () => {
      const marked = now().filter((id) => get().marks.has(id));
      const id = current();
      return marked.length > 0 ? marked : id === undefined ? [] : [id];
    },
    index,
    top: windowTop(state.top, index, shown.length, height),
    ...(foot === undefined ? {} : {foot}),
  };
}

function footOf(state: ListState, count: number, columns: number, theme: ReturnType<typeof useUi>['theme']): string | undefined {
  const {paint, symbols} = theme;
  const matches = `${count} shown`;
  if (state.editing !== undefined)
    return `${paint('accent', '/')}${tail(clean(state.filter), columns - matches.length - 6)}${paint('accent', symbols.caret)}  ${paint('muted', matches)}`;
  const parts = [
    ...(state.filter === '' ? [] : [`filter ${clean(state.filter)}: ${matches}`]),
    ...(state.marks.size === 0 ? [] : [`${state.marks.size} marked`]),
  ];
  return parts.length === 0 ? undefined : paint('mark', cut(parts.join(`  ${symbols.separator}  `), columns, symbols.ellipsis));
}
