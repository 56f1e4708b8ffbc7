// A tree's cursor and what of it is folded.
import {cursorIndex} from './use-list-state.ts';

export interface TreeState {
  readonly cursor?: string;
  readonly index: number;
  readonly top: number;
  /** Nothing is left out. */
  readonly all: boolean;
  /** Rows whose fold isn't as it'd be by itself. */
  readonly toggled: ReadonlySet<string>;
}

export type TreeAction =
  | {readonly type: 'move'; readonly by: number; readonly ids: readonly string[]}
  | {readonly type: 'toggle'; readonly id: string}
  | {readonly type: 'toggle-all'};

export const initialTree: TreeState = {index: 0, top: 0, all: false, toggled: new Set()};

export function reduceTree(state: TreeState, action: TreeAction): TreeState {
  switch (action.type) {
    case 'move': {
      const index = Math.max(0, Math.min(action.ids.length - 1, cursorIndex(state, action.ids) + action.by));
      const cursor = action.ids[index];
      return cursor === undefined ? state : {...state, index, cursor};
    }
    case 'toggle': {
      const toggled = new Set(state.toggled);
      if (!toggled.delete(action.id)) toggled.add(action.id);
      return {...state, toggled};
    }
    case 'toggle-all':
      return {...state, all: !state.all, toggled: new Set()};
  }
}
