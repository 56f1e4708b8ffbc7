// Cluster: what matters first, then every object of it.
import type {ClusterState} from '../../fleet/cluster-store.ts';
import {actionHandlers} from '../act.ts';
import {subjectIn} from '../subjects.ts';
import {createStore, type WritableStore} from '../../kernel/store.ts';
import type {ClusterView} from '../../modes/mode.ts';
import {clusterLines} from '../cluster-lines.ts';
import {defineScreen, type Opened, type ScreenProps} from '../screen.ts';
import type {Followed} from '../services.ts';
import {treeLine, treeRows, type TreeRow} from '../tree-rows.ts';
import {usePaced, usePacedReducer, useTick, useUi} from '../ui-context.ts';
import {cursorIndex, windowTop} from '../use-list-state.ts';
import {initialTree, reduceTree, type TreeState} from '../use-tree-state.ts';
import {ScreenFrame} from '../widgets/screen-frame.tsx';

interface ClusterOpened extends Opened {
  readonly followed: Followed<ClusterState>;
  readonly tree: WritableStore<TreeState>;
}

export const clusterScreen = defineScreen<'cluster', ClusterOpened>('cluster', {
  crumb: ({id}) => id.split('/').at(-1) ?? id,
  open: ({id}, services) => {
    const followed = services.followCluster(id);
    return {followed, tree: createStore(initialTree), close: () => followed.close()};
  },
  Component: Cluster,
});

/** Running things need no finer steps: changes draw by themselves. */
const agePeriod = 10_000;

function Cluster({reference, opened}: ScreenProps<'cluster', ClusterOpened>) {
  const ui = useUi();
  const {theme, area, services, navigator, now, copy} = ui;
  const state = usePaced(opened.followed.store);
  const fleet = usePaced(services.fleet);
  const {state: tree, get, dispatch} = usePacedReducer(reduceTree, opened.tree);
  useTick(agePeriod);
  // until the whole of it was seen, the fleet's summary is shown
  const viewOf = (seen: ClusterState) => seen.view ?? fleet.rows.find((row) => row.id === reference.id)?.view;
  const view = viewOf(state);
  const rowsFor = (of: ClusterView | undefined, now_: TreeState) =>
    of === undefined ? [] : treeRows(of, {theme, now: now(), all: now_.all, toggled: now_.toggled});
  const rows = rowsFor(view, tree);
  const head =
    view === undefined
      ? [theme.paint('muted', 'Looking...')]
      : clusterLines(view, state, {theme, width: area.columns, height: Math.floor(area.rows * 0.6), now: now()});
  const height = Math.max(1, area.rows - head.length - 1);
  const ids = rows.map((row) => row.id);
  const index = cursorIndex(tree, ids);
  const top = windowTop(tree.top, index, rows.length, height);
  if (top !== tree.top) opened.tree.set({...opened.tree.get(), top});
  const current = (): TreeRow | undefined => {
    const all = rowsFor(viewOf(opened.followed.store.get()), get());
    return all[
      cursorIndex(
        get(),
        all.map((row) => row.id),
      )
    ];
  };
  const allIds = () => rowsFor(viewOf(opened.followed.store.get()), get()).map((row) => row.id);
  const move = (by: number) => () => dispatch({type: 'move', by, ids: allIds()});
  const subjects = () => subjectIn(services, reference.id, current()?.machine, viewOf(opened.followed.store.get()));
  const on = {
    ...actionHandlers(ui, subjects, ['cluster', 'machine']),
    'next-row': move(1),
    'previous-row': move(-1),
    'next-page': move(height - 1),
    'previous-page': move(1 - height),
    'first-row': move(-rows.length),
    'last-row': move(rows.length),
    open: () => {
      const row = current();
      if (row?.machine !== undefined) navigator.push({kind: 'machine', cluster: reference.id, machine: row.machine});
      else if (row?.fold !== undefined) dispatch({type: 'toggle', id: row.id});
    },
    fold: () => {
      const row = current();
      if (row?.fold !== undefined) dispatch({type: 'toggle', id: row.id});
    },
    'fold-all': () => dispatch({type: 'toggle-all'}),
    events: () => navigator.push({kind: 'events', cluster: reference.id}),
    copy: () => {
      const row = current();
      if (row !== undefined) copy(row.name);
    },
  };
  const title = theme.paint('border', theme.symbols.rule.repeat(area.columns));
  const lines = [...head, title, ...rows.slice(top, top + height).map((row, at) => treeLine(row, {theme, width: area.columns, isCursor: top + at === index}))];
  return <ScreenFrame keys={{scopes: ['cluster', 'tree'], on: on}} lines={lines} />;
}
