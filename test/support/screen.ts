// A terminal in memory for screens: keys go in, and what a person would see comes out.
import {EventEmitter} from 'node:events';
import {Readable} from 'node:stream';
import xterm from '@xterm/headless';
import {placeIn, testDesk} from './desk.ts';
import {createStore, type WritableStore} from '../../src/kernel/store.ts';
import type {ClusterState} from '../../src/fleet/cluster-store.ts';
import type {FleetRow, FleetState} from '../../src/fleet/fleet-store.ts';
import type {ClusterView} from '../../src/modes/mode.ts';
import {runApp, type AppControl, type AppOptions} from '../../src/ui/app.tsx';
import type {ScreenReference} from '../../src/ui/screen.ts';
import type {DashPreferences, DashServices, EventsState} from '../../src/ui/services.ts';
import {createTheme, type Theme} from '../../src/ui/theme.ts';

/** The time of all golden frames. */
export const frameTime = Date.parse('2026-03-01T12:00:00Z');

class FakeInput extends Readable {
  readonly isTTY = true;
  isRaw = false;
  override _read(): void {}
  setRawMode(isRaw: boolean): this {
    this.isRaw = isRaw;
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

class FakeOutput extends EventEmitter {
  readonly isTTY = true;
  columns: number;
  rows: number;
  readonly written: string[] = [];
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  constructor(columns: number, rows: number) {
    super();
    this.columns = columns;
    this.rows = rows;
    this.#terminal = new xterm.Terminal({cols: columns, rows, allowProposedApi: true});
  }
  write(text: string): boolean {
    this.written.push(text);
    this.#terminal.write(text, () => this.emit('shown'));
    return true;
  }
  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    this.#terminal.resize(columns, rows);
    this.emit('resize');
  }
  text(): string {
    const {active} = this.#terminal.buffer;
    return Array.from({length: this.rows}, (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '').join('\n');
  }
  get isAlternate(): boolean {
    return this.#terminal.buffer.active.type === 'alternate';
  }
}

export interface TestScreen {
  readonly output: FakeOutput;
  readonly input: FakeInput;
  readonly control: AppControl;
  text(): string;
  press(keys: string): void;
  /** Resolves once the screen matches; rejects after a while with what is on it. */
  shows(pattern: RegExp | ((text: string) => boolean)): Promise<string>;
  resize(columns: number, rows: number): void;
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}

export interface TestServices extends DashServices {
  readonly fleet: WritableStore<FleetState>;
  readonly preferences: WritableStore<DashPreferences>;
  readonly clusters: Map<string, WritableStore<ClusterState>>;
  readonly events: WritableStore<EventsState>;
}

export const plainTheme: Theme = createTheme({name: 'dark', level: 0, ascii: false});

export function fleetOf(views: readonly ClusterView[], sources: FleetState['sources'] = {management: {title: 'management', phase: 'live'}}): FleetState {
  const rows = views.map((view): FleetRow => ({id: `management/${view.namespace ?? ''}/${view.name}`, source: 'management', view}));
  return {rows: rows.toSorted((a, b) => (a.id < b.id ? -1 : 1)), sources};
}

export function testServices(fleet: FleetState, more: Partial<DashServices> = {}): TestServices {
  const clusters = new Map<string, WritableStore<ClusterState>>();
  const preferences = createStore<DashPreferences>({columns: [], group: 'none', sort: {column: 'name', descending: false}});
  const live = createStore(fleet);
  const events = createStore<EventsState>({events: [], phase: 'live'});
  return {
    remember: (change) => preferences.set({...preferences.get(), ...change}),
    followCluster: (id) => {
      const store = clusters.get(id) ?? createStore<ClusterState>({phase: 'looking'});
      clusters.set(id, store);
      return {store, close: () => {}};
    },
    followEvents: () => ({store: events, close: () => {}}),
    // oxlint-disable-next-line require-yield -- a log without a line
    logs: async function* () {},
    commands: [],
    desk: testDesk(),
    placeOf: (id) => placeIn(live.get(), id),
    ...more,
    fleet: live,
    clusters,
    events,
    preferences,
  };
}

export interface ScreenOptions extends Partial<AppOptions> {
  readonly columns?: number;
  readonly rows?: number;
  readonly services: DashServices;
  readonly first?: ScreenReference;
}

export async function openScreen(options: ScreenOptions): Promise<TestScreen> {
  const output = new FakeOutput(options.columns ?? 80, options.rows ?? 24);
  const input = new FakeInput();
  const stopping = new AbortController();
  let isReady: (control: AppControl) => void = () => {};
  const ready = new Promise<AppControl>((resolve) => {
    isReady = resolve;
  });
  const ended = runApp({
    theme: plainTheme,
    first: {kind: 'fleet'},
    signal: stopping.signal,
    now: () => frameTime,
    ...options,
    stdin: input as unknown as NodeJS.ReadStream,
    stdout: output as unknown as NodeJS.WriteStream,
    onReady: isReady,
  }).then(
    () => undefined,
    (error: unknown) => error,
  );
  const control = await Promise.race([ready, ended.then((error) => Promise.reject(error as Error))]);
  const text = () => output.text();
  return {
    output,
    input,
    control,
    ended,
    text,
    press: (keys) => void input.push(keys),
    shows: (pattern) =>
      new Promise((resolve, reject) => {
        const fits = () => (pattern instanceof RegExp ? pattern.test(text()) : pattern(text()));
        const timer = setTimeout(() => {
          output.off('shown', look);
          reject(new Error(`never showed ${String(pattern)}:\n${text()}`));
        }, 5000);
        const look = () => {
          if (!fits()) return;
          clearTimeout(timer);
          output.off('shown', look);
          resolve(text());
        };
        output.on('shown', look);
        look();
      }),
    resize: (columns, rows) => output.resize(columns, rows),
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}
