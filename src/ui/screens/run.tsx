// Run: phases, a line a host, failures with remedies; a run that goes on, has ended, or is played back.
import type {Subject} from '../../actions/action.ts';
import type {Replay} from '../../fleet/replay.ts';
import type {FollowedRun, RunStore} from '../../fleet/run-store.ts';
import type {RunHostView, RunView} from '../../fleet/run-view.ts';
import {formatDuration} from '../../kernel/amounts.ts';
import {createStore, type Store, type WritableStore} from '../../kernel/store.ts';
import {actionHandlers} from '../act.ts';
import {clean} from '../cells.ts';
import {parseFilter} from '../filter.ts';
import {hostRoom, problemText, runLines, type RunLinesOptions} from '../run-lines.ts';
import {defineScreen, type Opened, type ScreenProps} from '../screen.ts';
import {joinSegments} from '../segments.ts';
import {placeOfRun} from '../subjects.ts';
import {usePaced, useTick, useUi, type Ui} from '../ui-context.ts';
import {useList} from '../use-list.ts';
import {initialList, type ListState} from '../use-list-state.ts';
import {bar} from '../widgets/bar.ts';
import {ScreenFrame} from '../widgets/screen-frame.tsx';

interface RunOpened extends Opened {
  readonly followed: RunStore;
  readonly list: WritableStore<ListState>;
  /** Filled as soon as the record is read; a text is why it can't be. */
  readonly replay: Store<Replay | string | undefined>;
}

/** A spinner's turn and a second's step while something goes on, in ms. */
const period = 200;

export const runScreen = defineScreen<'run', RunOpened>('run', {
  crumb: ({run, isReplay}) => `${isReplay === true ? 'Replay' : 'Run'} ${run}`,
  open: ({run, isReplay}, {desk}) => {
    const followed = desk.runs.follow(run);
    const replay = createStore<Replay | string | undefined>(undefined);
    let isOpen = true;
    if (isReplay === true)
      void desk.runs.replay(run).then(
        (read) => {
          if (!isOpen) return;
          replay.set(read);
          read.play();
        },
        (error: Error) => replay.set(error.message),
      );
    return {
      followed,
      replay,
      list: createStore(initialList({column: '', descending: false})),
      close: () => {
        isOpen = false;
        followed.stop();
        const read = replay.get();
        if (typeof read === 'object') read.stop();
      },
    };
  },
  Component: Run,
});

function Run(props: ScreenProps<'run', RunOpened>) {
  const {reference, opened} = props;
  const read = usePaced(opened.replay);
  if (reference.isReplay !== true) return <LiveRun {...props} />;
  if (typeof read === 'object') return <ReplayedRun opened={opened} replay={read} />;
  return <ScreenFrame keys={{scopes: ['run'], on: {}}} lines={['', `  ${read === undefined ? 'Reading its record...' : clean(read)}`]} />;
}

function LiveRun({reference, opened}: ScreenProps<'run', RunOpened>) {
  const ui = useUi();
  const followed = usePaced(opened.followed);
  useTick(followed.state === 'running' || followed.state === 'looking' ? period : undefined);
  const {lines, list} = useHosts(opened, () => opened.followed.get().view, followed.view, {now: ui.now(), isBrokenOff: followed.state === 'broken-off'});
  const subjects = (): readonly Subject[] => subjectsOf(opened.followed.get());
  const shown =
    followed.state === 'unreadable'
      ? ['', `  The record of run ${clean(reference.run)} can't be read.`]
      : [
          ...lines,
          ...(followed.damaged === 0 ? [] : [ui.theme.paint('warning', `${ui.theme.symbols.warning} ${followed.damaged} lines of its record are damaged.`)]),
        ];
  const keys = () =>
    list.layer(['run', 'list'], {
      ...actionHandlers(ui, subjects, ['run']),
      ...(opened.followed.get().state === 'running' ? {'stop-run': () => void stop(ui, reference.run, opened)} : {}),
    });
  return <ScreenFrame keys={keys} lines={shown} {...(list.foot === undefined ? {} : {foot: list.foot})} />;
}

function ReplayedRun({opened, replay}: {readonly opened: RunOpened; readonly replay: Replay}) {
  const ui = useUi();
  const {theme, area, clock} = ui;
  const state = usePaced(replay);
  useTick(state.isPlaying ? period : undefined);
  const isOver = state.position >= state.total;
  const {lines, list} = useHosts(opened, () => replay.get().view, state.view, {
    now: replay.recordedNow(),
    isBrokenOff: isOver && state.view.outcome === undefined,
  });
  const press = (work: () => void) => () => {
    work();
    clock.request('key');
  };
  const on = {
    'toggle-play': press(() => (replay.get().isPlaying ? replay.pause() : replay.play())),
    'step-forward': press(() => replay.step(1)),
    'step-back': press(() => replay.step(-1)),
    faster: press(replay.faster),
    slower: press(replay.slower),
    'to-start': press(replay.toStart),
    'to-end': press(replay.toEnd),
  };
  const cells = Math.max(4, Math.min(30, area.columns - 50));
  const foot = joinSegments(
    [
      [state.isPlaying ? 'playing' : isOver ? 'ended' : 'paused', 'accent'],
      ` ${state.speed}x  `,
      {
        picture: bar(
          [
            {amount: state.position, token: 'accent'},
            {amount: state.total - state.position, token: 'muted', fill: 'empty'},
          ],
          cells,
          theme,
        ),
        cells,
      },
      `  ${state.position}/${state.total}`,
      [`  ${formatDuration(state.elapsed)} of ${formatDuration(state.length)}`, 'muted'],
    ],
    area.columns,
    theme,
  );
  const isFiltering = list.state.editing !== undefined;
  return <ScreenFrame keys={() => list.layer(['replay', 'list'], on)} lines={lines} foot={isFiltering ? (list.foot ?? foot) : foot} />;
}

/** The picture with a cursor among the hosts, and the keys of their list. */
function useHosts(opened: RunOpened, current: () => RunView, view: RunView, time: Pick<RunLinesOptions, 'now' | 'isBrokenOff'>) {
  const {theme, area, navigator} = useUi();
  const options: RunLinesOptions = {theme, width: area.columns, height: area.rows, ...time};
  const hostsOf = (of: RunView, state: ListState): readonly RunHostView[] => {
    if (state.filter === '') return of.hosts;
    const fits = parseFilter(state.filter);
    return of.hosts.filter((host) =>
      fits({text: `${host.host} ${host.step?.title ?? ''} ${host.outcome ?? ''}`.toLowerCase(), fields: {outcome: host.outcome ?? ''}}),
    );
  };
  const list = useList({
    store: opened.list,
    ids: (state) => hostsOf(current(), state).map((host) => host.host),
    height: hostRoom(view, options),
    onOpen: (name) => {
      const host = current().hosts.find((one) => one.host === name);
      if (host?.problem === undefined) return;
      void navigator.ask({kind: 'confirm', title: clean(name), body: problemText(host.problem, [name], {theme, width: area.columns - 4}), yes: 'close'});
    },
  });
  if (list.top !== list.state.top) opened.list.set({...opened.list.get(), top: list.top});
  const shown = hostsOf(view, list.state);
  const cursor = shown[list.index]?.host;
  return {list, lines: runLines(view, {...options, hosts: {shown, top: list.top, ...(cursor === undefined ? {} : {cursor})}})};
}

function subjectsOf(followed: FollowedRun): readonly Subject[] {
  const {header, state, run, view} = followed;
  if (header === undefined || state === 'looking') return [];
  return [{about: 'run', run, state, cluster: placeOfRun(header), ...(view.outcome === undefined ? {} : {outcome: view.outcome})}];
}

async function stop(ui: Ui, run: string, opened: RunOpened): Promise<void> {
  const answer = await ui.navigator.ask({
    kind: 'confirm',
    title: 'Stop this run?',
    body: [
      'What runs now is finished first, and nothing new begins; what is done stays done.',
      'It can be gone on with. Asked a second time, it leaves at once.',
    ],
    yes: 'stop it',
  });
  if (answer !== true) return;
  const isAsked = await ui.services.desk.runs.stop(run);
  ui.say(
    isAsked
      ? 'Stopping: the steps that run now are finished first.'
      : `The run has ended already${opened.followed.get().state === 'running' ? ', or its program is gone' : ''}.`,
    'warning',
  );
}
