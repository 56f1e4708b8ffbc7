// The dashboard's root: takes the terminal, draws the screen on top of the stack, and gives the terminal back. Only here Ink is started and ended.
import {Box, render, useInput} from 'ink';
import {useEffect, useLayoutEffect, type ReactNode} from 'react';
import {createStore} from '../kernel/store.ts';
import {TriremeError} from '../kernel/errors.ts';
import {healthChanges} from '../fleet/health-changes.ts';
import {createReadinessHistory} from '../fleet/readiness-history.ts';
import {clean} from './cells.ts';
import {createFrameClock, type FrameClock} from './frame-clock.ts';
import {FrameStream} from './frame-stream.ts';
import {createKeyRouter} from './key-router.ts';
import {strokesOf} from './keys.ts';
import {createNavigator, type Navigator, type StackEntry} from './navigator.ts';
import type {ScreenReference, ScreenTable} from './screen.ts';
import {screens} from './screens/table.ts';
import type {DashServices} from './services.ts';
import {openTerminalSession, type Leaving, type TerminalSession} from './terminal-session.ts';
import {colorLevelOf, createTheme, themeNameOf, type Theme, type ThemeName} from './theme.ts';
import {UiContext, useFrames, useKeys, type Notice, type Ui} from './ui-context.ts';
import {countHealth, headerLines, troubles, type HealthCounts} from './widgets/header.ts';
import {Line} from './widgets/line.tsx';
import {PalettePanel} from './widgets/palette.tsx';
import {promptHeight, PromptPanel} from './widgets/prompt.tsx';
import {footRows} from './widgets/screen-frame.tsx';

export interface AppOptions {
  readonly theme: Theme;
  readonly services: DashServices;
  readonly first: ScreenReference;
  /** Aborts when the program shall end. */
  readonly signal: AbortSignal;
  readonly stdin?: NodeJS.ReadStream;
  readonly stdout?: NodeJS.WriteStream;
  /** In ms since 1970. */
  now?(): number;
  /** For what works with the dashboard from outside of it: intents that ask, and open screens. */
  onReady?(control: AppControl): void;
  /** Default: all of ours. */
  readonly screens?: ScreenTable;
  /** Takes secrets out of what is about to be shown. */
  redact?(text: string): string;
}

export interface DashboardOptions extends Omit<AppOptions, 'theme' | 'first'> {
  readonly theme: ThemeName | 'auto';
  readonly color: 'auto' | 'always' | 'never';
  readonly isAscii: boolean;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly first?: ScreenReference;
}

/** The dashboard as a command starts it: looks follow the terminal and what the person prefers. */
export async function runDashboard({theme, color, isAscii, env = process.env, first = {kind: 'fleet'}, ...options}: DashboardOptions): Promise<void> {
  await runApp({...options, first, theme: createTheme({name: themeNameOf(theme, env), level: colorLevelOf(env, color), ascii: isAscii})});
}

// the screens are one bundle, and the run under a command's lines comes with it
export {drawRunInline} from './inline-run.tsx';

export interface AppControl {
  readonly navigator: Navigator;
  say: Ui['say'];
  copy: Ui['copy'];
  lend: Ui['lend'];
}

const least = {columns: 40, rows: 10};
/** Lines above a screen. */
const headRows = 2;
/** How often the age of a trouble is drawn anew, in ms. */
const troublePeriod = 10_000;

/** Shows the dashboard until the person leaves or the signal aborts. Throws what a component or anything else in the program throws meanwhile. */
export async function runApp(options: AppOptions): Promise<void> {
  const {theme, services, signal} = options;
  const stdin = options.stdin ?? process.stdin;
  const stdout = options.stdout ?? process.stdout;
  const now = options.now ?? Date.now;
  const clock = createFrameClock();
  const router = createKeyRouter();
  const frames = new FrameStream(stdout, options.redact);
  const ended = deferred<Leaving | undefined>();
  const table = options.screens ?? screens;
  const navigator = createNavigator({screens: table, services, first: options.first, onQuit: () => ended.resolve(undefined)});
  const notice = createStore<Notice | undefined>(undefined);
  const say: Ui['say'] = (text, token = 'muted') => {
    notice.set({text: clean(text), token, at: now()});
    clock.request('key');
  };
  const watch = createWatch(services, say, now);
  const leave = () => ended.resolve(undefined);
  const session: TerminalSession = openTerminalSession({
    stdin,
    stdout,
    frames,
    host: process,
    onLeaving: (leaving) => ended.resolve(leaving),
    onResumed: () => clock.request('key'),
  });
  const isLent = createStore(false);
  const lend: Ui['lend'] = async (work) => {
    isLent.set(true);
    clock.request('key');
    await frameAfter(clock);
    // Ink took its listener away; the stream must stop reading too, or it would take the other program's keys
    stdin.resume();
    stdin.pause();
    try {
      return await session.lend(work);
    } finally {
      isLent.set(false);
      clock.request('key');
    }
  };
  const control = {
    theme,
    clock,
    router,
    navigator,
    services,
    now,
    say,
    notice,
    lend,
    history: watch.history,
    chosen: {current: () => []},
    copy: (text: string) => {
      session.write(`\u001B]52;c;${Buffer.from(text, 'utf8').toString('base64')}\u0007`);
      say(`Copied: ${text}`);
    },
  };
  const stopping = [
    services.fleet.subscribe(() => clock.request('data')),
    navigator.place.subscribe(() => {
      router.hold();
      clock.request('key');
    }),
    clock.subscribe(() => frames.begin()),
    clock.subscribe(watch.look),
  ];
  frames.on('resize', () => {
    // what was too small for a screen may have room for it now: its keys wait for it
    router.hold();
    clock.request('key');
  });
  signal.addEventListener('abort', leave, {once: true});
  if (signal.aborted) leave();
  const restoreConsole = muteConsole();
  watch.look();
  const instance = render(
    <Root
      control={control}
      table={table}
      frames={frames}
      counts={watch.counts}
      isLent={isLent.get}
      session={session}
      onQuit={() => ended.resolve(undefined)}
    />,
    // in debug mode Ink writes whole frames: the frame stream finds out what changed in them
    {stdout: frames as unknown as NodeJS.WriteStream, stdin, debug: true, exitOnCtrlC: false, patchConsole: false},
  );
  options.onReady?.({navigator, say, lend, copy: control.copy});
  try {
    const leaving = await Promise.race([ended.promise, instance.waitUntilExit().then(() => undefined)]);
    if (leaving?.why === 'crash') throw leaving.error;
    if (leaving !== undefined) throw new TriremeError('run.interrupted', 'The terminal is gone.');
  } finally {
    signal.removeEventListener('abort', leave);
    for (const stop of stopping) stop();
    clock.stop();
    navigator.close();
    // first the terminal, so that nothing that goes wrong from here on can keep it
    session.close();
    instance.unmount();
    restoreConsole();
  }
}

// Node 20 has no Promise.withResolvers
function deferred<T>(): {readonly promise: Promise<T>; resolve(value: T): void} {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return {promise, resolve};
}

function frameAfter(clock: FrameClock): Promise<void> {
  return new Promise((resolve) => {
    const stop = clock.subscribe(() => {
      stop();
      setImmediate(resolve);
    });
  });
}

/** Whatever writes to the console would tear the screen; React does when a component throws, and that error is told in the end anyway. */
function muteConsole(): () => void {
  const names = ['log', 'info', 'warn', 'error', 'debug'] as const;
  const before = names.map((name) => [name, console[name]] as const);
  for (const name of names) console[name] = () => {};
  return () => {
    for (const [name, write] of before) console[name] = write;
  };
}

/** Looks at the fleet once a frame: what is counted, remembered and worth a remark. */
function createWatch(services: DashServices, say: Ui['say'], now: () => number) {
  const history = createReadinessHistory();
  let seen = services.fleet.get();
  let counts: HealthCounts = countHealth(seen);
  let isFirst = true;
  return {
    history,
    counts: () => counts,
    look: () => {
      const fleet = services.fleet.get();
      if (fleet === seen && !isFirst) return;
      isFirst = false;
      history.record(fleet.rows, now());
      counts = countHealth(fleet);
      const changes = healthChanges(seen, fleet).filter((change) => change.kind === 'bad' || change.kind === 'good');
      seen = fleet;
      const told = changes.find((change) => change.kind === 'bad') ?? changes[0];
      if (told === undefined) return;
      const more = changes.length > 1 ? ` (and ${changes.length - 1} more)` : '';
      say(`${told.name} ${told.text}${more}`, told.kind === 'bad' ? 'bad' : 'good');
    },
  };
}

interface RootProps {
  readonly control: Omit<Ui, 'size' | 'area'>;
  readonly table: ScreenTable;
  readonly frames: FrameStream;
  counts(): HealthCounts;
  isLent(): boolean;
  readonly session: TerminalSession;
  onQuit(): void;
}

function Root({control, table, frames, counts, isLent, session, onQuit}: RootProps) {
  const {clock, router, navigator, theme, now} = control;
  useFrames(clock);
  useInput((input, key) => router.press(strokesOf(input, key)), {isActive: !isLent()});
  const {width: columns, rows} = frames;
  const {stack, overlay} = navigator.place.get();
  const top = stack.at(-1);
  // what is on the stack now is on the screen, and hears its keys
  useLayoutEffect(() => router.release());
  const isTroubled = troubles(control.services.fleet.get(), now()).length > 0;
  // the age of what is shown goes on
  useEffect(() => (isTroubled ? clock.tick(troublePeriod) : undefined), [isTroubled, clock]);
  const isSmall = columns < least.columns || rows < least.rows;
  const panel = overlay === undefined ? 0 : overlay.kind === 'palette' ? rows - headRows - 3 : Math.min(rows - headRows - 3, promptHeight(overlay.prompt) + 1);
  const bodyRows = rows - headRows - (panel === 0 ? footRows : panel);
  const ui: Ui = {...control, size: {columns, rows}, area: {columns, rows: Math.max(0, bodyRows)}};
  const [first, second] = headerLines({
    fleet: control.services.fleet.get(),
    counts: counts(),
    crumbs: stack.map((entry) => entry.crumb),
    theme,
    width: columns,
    now: now(),
  });
  return (
    <UiContext.Provider value={ui}>
      <GlobalKeys session={session} frames={frames} onQuit={onQuit} control={control} />
      {isSmall ? (
        <TooSmall columns={columns} rows={rows} />
      ) : (
        <Box flexDirection="column" height={rows}>
          <Line text={first} />
          <Line text={second} />
          <Box flexDirection="column" height={bodyRows + (panel === 0 ? footRows : 0)} overflowY="hidden">
            {top === undefined ? null : <Top key={top.key} entry={top} table={table} />}
          </Box>
          {overlay?.kind === 'palette' ? <PalettePanel key="palette" height={panel} /> : null}
          {overlay?.kind === 'prompt' ? <PromptPanel key={overlay.key} prompt={overlay.prompt} answer={overlay.answer} height={panel} /> : null}
        </Box>
      )}
    </UiContext.Provider>
  );
}

function Top({entry, table}: {readonly entry: StackEntry; readonly table: ScreenTable}): ReactNode {
  const {Component} = table[entry.reference.kind] as ScreenTable['fleet'];
  return <Component reference={entry.reference as Extract<ScreenReference, {kind: 'fleet'}>} opened={entry.opened} />;
}

function GlobalKeys(props: Pick<RootProps, 'session' | 'frames' | 'onQuit' | 'control'>) {
  const {session, frames, onQuit, control} = props;
  const {navigator, notice, clock} = control;
  useKeys({
    scopes: ['global'],
    on: {
      quit: onQuit,
      back: () => navigator.back(),
      palette: () => navigator.showPalette(),
      help: () => {
        if (navigator.place.get().stack.at(-1)?.reference.kind !== 'help') navigator.push({kind: 'help'});
      },
      suspend: () => session.suspend(),
      redraw: () => frames.repaint(),
      'dismiss-notice': () => {
        notice.set(undefined);
        clock.request('key');
      },
    },
  });
  return null;
}

function TooSmall({columns, rows}: {readonly columns: number; readonly rows: number}) {
  const lines = [
    'Trireme needs a bit more room:',
    `at least ${least.columns}x${least.rows},`,
    `and this is ${columns}x${rows}.`,
    '',
    'Make the window larger,',
    'or press q to leave.',
  ];
  return (
    <Box flexDirection="column" height={rows} overflowY="hidden">
      {lines.slice(0, rows).map((line) => (
        <Line key={line} text={line.slice(0, columns)} />
      ))}
    </Box>
  );
}
