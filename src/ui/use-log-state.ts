// What of a log is in view: the end as it grows, or a place to stay at.
export interface LogViewState {
  readonly top: number;
  readonly follows: boolean;
  readonly wraps: boolean;
  readonly filter: string;
  readonly editing?: {readonly before: string};
}

export type LogViewAction =
  | {readonly type: 'scroll'; readonly by: number; readonly last: number}
  | {readonly type: 'follow'; readonly follows: boolean}
  | {readonly type: 'wrap'}
  | {readonly type: 'begin-filter'}
  | {readonly type: 'type'; readonly text: string}
  | {readonly type: 'erase'}
  | {readonly type: 'erase-all'}
  | {readonly type: 'accept-filter'}
  | {readonly type: 'cancel-filter'}
  | {readonly type: 'clear-filter'};

export const initialLog: LogViewState = {top: 0, follows: true, wraps: false, filter: ''};

export function reduceLog(state: LogViewState, action: LogViewAction): LogViewState {
  switch (action.type) {
    case 'scroll': {
      const top = Math.max(0, Math.min(action.last, (state.follows ? action.last : state.top) + action.by));
      // at the end it follows by itself
      return {...state, top, follows: top === action.last && action.by > 0};
    }
    case 'follow':
      return {...state, follows: action.follows};
    case 'wrap':
      return {...state, wraps: !state.wraps};
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
    case 'clear-filter':
      return {...state, filter: ''};
  }
}
