// Events of a cluster's objects, the newest first.
import {createStore, type WritableStore} from '../../kernel/store.ts';
import type {EventView} from '../../modes/mode.ts';
import {ageOf, clean} from '../cells.ts';
import {parseFilter} from '../filter.ts';
import {defineScreen, type Opened, type ScreenProps} from '../screen.ts';
import type {EventsState, Followed} from '../services.ts';
import {usePaced, useTick, useUi} from '../ui-context.ts';
import {useList} from '../use-list.ts';
import {initialList, type ListState} from '../use-list-state.ts';
import {ScreenFrame} from '../widgets/screen-frame.tsx';
import {TableText, type TableColumn, type TableRow} from '../widgets/table.ts';

interface EventsOpened extends Opened {
  readonly followed: Followed<EventsState>;
  readonly list: WritableStore<ListState>;
  readonly warningsOnly: WritableStore<boolean>;
  readonly text: TableText<EventView>;
}

export const eventsScreen = defineScreen<'events', EventsOpened>('events', {
  crumb: ({cluster, object}) => (object === undefined ? `${cluster.split('/').at(-1) ?? cluster} events` : `${object} events`),
  open: ({cluster}, services) => {
    const followed = services.followEvents(cluster);
    return {
      followed,
      list: createStore(initialList({column: 'last', descending: true})),
      warningsOnly: createStore(false),
      text: new TableText<EventView>(),
      close: () => followed.close(),
    };
  },
  Component: Events,
});

const columns: readonly TableColumn<EventView>[] = [
  {id: 'last', title: 'LAST', gives: 0, min: 4, max: 5, cell: (event, now) => ageOf(event.last, now), align: 'right'},
  {id: 'type', title: 'TYPE', gives: 3, min: 7, max: 7, cell: (event) => event.type, token: (event) => (event.type === 'Warning' ? 'warning' : 'muted')},
  {id: 'count', title: 'N', gives: 4, min: 2, max: 5, align: 'right', cell: (event) => String(event.count)},
  {id: 'reason', title: 'REASON', gives: 2, min: 8, max: 28, cell: (event) => event.reason},
  {id: 'object', title: 'OBJECT', gives: 0, min: 12, max: 48, cell: (event) => event.object},
  {
    id: 'message',
    title: 'MESSAGE',
    gives: 0,
    min: 16,
    max: 1000,
    grows: true,
    cell: (event) => event.message,
    token: (event) => (event.type === 'Warning' ? 'warning' : undefined),
  },
];

function Events({reference, opened}: ScreenProps<'events', EventsOpened>) {
  const {theme, area, now, copy, clock, navigator} = useUi();
  const {events, phase, why} = usePaced(opened.followed.store);
  useTick(10_000);
  const rowsOf = (all: readonly EventView[], filter: string): readonly TableRow<EventView>[] => {
    const fits = parseFilter(filter);
    return all
      .filter((event) => (reference.object === undefined || event.object === reference.object) && (!opened.warningsOnly.get() || event.type === 'Warning'))
      .filter((event) =>
        fits({
          text: `${event.reason} ${event.object} ${event.message}`.toLowerCase(),
          fields: {type: event.type.toLowerCase(), reason: event.reason.toLowerCase()},
        }),
      )
      .map((event) => ({id: `${event.object} ${event.reason} ${event.first ?? event.last} ${event.message}`, row: event}))
      .toReversed();
  };
  const list = useList({
    store: opened.list,
    ids: (state) => rowsOf(opened.followed.store.get().events, state.filter).map((row) => row.id),
    height: area.rows - 1,
    onOpen: (id) => {
      const event = rowsOf(opened.followed.store.get().events, opened.list.get().filter).find((row) => row.id === id)?.row;
      if (event !== undefined)
        void navigator.ask({
          kind: 'confirm',
          title: `${event.type} ${event.reason} on ${event.object}`,
          body: [clean(event.message), '', clean(`${event.count} times, last ${event.last}${event.source === undefined ? '' : `, from ${event.source}`}`)],
          yes: 'close',
        });
    },
  });
  const rows = rowsOf(events, list.state.filter);
  if (list.top !== list.state.top) opened.list.set({...opened.list.get(), top: list.top});
  const none = {
    looking: 'Looking...',
    live: 'No events: nothing was said of it in the last hour.',
    failed: `There are no events to show: ${clean(why ?? '')}`,
    ended: 'No events.',
  }[phase];
  const lines =
    rows.length === 0
      ? ['', `  ${list.state.filter === '' ? none : 'Nothing fits the filter.'}`]
      : opened.text.render(rows, {
          columns,
          theme,
          width: area.columns,
          height: area.rows,
          now: now(),
          top: list.top,
          cursor: rows[list.index]?.id,
          marks: new Set(),
        });
  const keys = () =>
    list.layer(['events', 'list'], {
      warnings: () => {
        opened.warningsOnly.set(!opened.warningsOnly.get());
        clock.request('key');
      },
      copy: () => {
        const event = rowsOf(opened.followed.store.get().events, list.get().filter).find((row) => row.id === list.current())?.row;
        if (event !== undefined) copy(clean(`${event.last} ${event.type} ${event.reason} ${event.object}: ${event.message}`));
      },
    });
  return <ScreenFrame keys={keys} lines={lines} {...(list.foot === undefined ? {} : {foot: list.foot})} />;
}
