// A list's cursor, window, marks, order and filter. Rows are known by their ids, so the cursor stays on its row when others come, go and move.

export interface SortOrder {
  readonly column: string;
  readonly descending: boolean;
}

export interface ListState {
  /** The row under the cursor. */
  readonly cursor?: string;
  /** Where the cursor was last: it stays about there when its row goes. */
  readonly index: number;
  /** The first row of the window. */
  readonly top: number;
  readonly marks: ReadonlySet<string>;
  readonly filter: string;
  /** Set while the filter is being typed: what to go back to. */
  readonly editing?: {readonly before: string};
  readonly sort: SortOrder;
}

export type ListAction =
  | {readonly type: 'move'; readonly by: number; readonly ids: readonly string[]}
  | {readonly type: 'go-first'; readonly ids: readonly string[]}
  | {readonly type: 'go-last'; readonly ids: readonly string[]}
  | {readonly type: 'go-to'; readonly id: string; readonly ids: readonly string[]}
  | {readonly type: 'toggle-mark'; readonly ids: readonly string[]}
  | {readonly type: 'toggle-all'; readonly ids: readonly string[]}
  | {readonly type: 'clear-marks'}
  | {readonly type: 'begin-filter'}
  | {readonly type: 'type'; readonly text: string}
  | {readonly type: 'erase'}
  | {readonly type: 'erase-all'}
  | {readonly type: 'accept-filter'}
  | {readonly type: 'cancel-filter'}
  | {readonly type: 'set-filter'; readonly filter: string}
  | {readonly type: 'sort-next'; readonly columns: readonly string[]}
  | {readonly type: 'sort-reverse'};

export function initialList(sort: SortOrder): ListState {
  return {index: 0, top: 0, marks: new Set(), filter: '', sort};
}

/** The cursor's place among the rows as they are now; -1 when there are none. */
export function cursorIndex(state: {readonly cursor?: string; readonly index: number}, ids: readonly string[]): number {
  if (ids.length === 0) return -1;
  const at = state.cursor === undefined ? -1 : ids[state.index] === state.cursor ? state.index : ids.indexOf(state.cursor);
  return at === -1 ? Math.min(state.index, ids.length - 1) : at;
}

/** The first row to draw, so that the cursor is in view and the window moves no further than it must. */
export function windowTop(top: number, index: number, count: number, height: number): number {
  const last = Math.max(0, count - height);
  if (index < top) return Math.max(0, Math.min(index, last));
  if (index >= top + height) return Math.min(index - height + 1, last);
  return Math.max(0, Math.min(top, last));
}

export function reduceList(state: ListState, action: ListAction): ListState {
  switch (action.type) {
    case 'move':
      return at(state, action.ids, cursorIndex(state, action.ids) + action.by);
    case 'go-first':
      return at(state, action.ids, 0);
    case 'go-last':
      return at(state, action.ids, action.ids.length - 1);
    case 'go-to':
      return at(state, action.ids, action.ids.indexOf(action.id));
    case 'toggle-mark': {
      const index = cursorIndex(state, action.ids);
      const id = action.ids[index];
      if (id === undefined) return state;
      const marks = new Set(state.marks);
      if (!marks.delete(id)) marks.add(id);
      return at({...state, marks}, action.ids, index + 1);
    }
    case 'toggle-all':
      return {...state, marks: action.ids.every((id) => state.marks.has(id)) ? new Set() : new Set([...state.marks, ...action.ids])};
    case 'clear-marks':
      return {...state, marks: new Set()};
    case 'begin-filter':
      return {...state, editing: {before: state.filter}};
    case 'type':
      return {...state, filter: state.filter + action.text};
    case 'erase':
      return {...state, filter: [...state.filter].slice(0, -1).join('')};
    case 'erase-all':
      return {...state, filter: ''};
    case 'accept-filter':
      return {...state, editing: undefined};
    case 'cancel-filter':
      return {...state, filter: state.editing?.before ?? '', editing: undefined};
    case 'set-filter':
      return {...state, filter: action.filter, editing: undefined};
    case 'sort-next': {
      const next = action.columns[(action.columns.indexOf(state.sort.column) + 1) % action.columns.length];
      return next === undefined ? state : {...state, sort: {column: next, descending: false}};
    }
    case 'sort-reverse':
      return {...state, sort: {...state.sort, descending: !state.sort.descending}};
  }
}

function at(state: ListState, ids: readonly string[], wanted: number): ListState {
  const index = Math.max(0, Math.min(ids.length - 1, wanted));
  const id = ids[index];
  return id === undefined ? state : {...state, index, cursor: id};
}
