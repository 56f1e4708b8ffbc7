// What screens may ask for, done by the same code as the commands'.
import type {Desk} from '../actions/desk.ts';
import {placeOfRow} from './base-dash-desk.ts';
import {createStore, type Store} from '../kernel/store.ts';
import {TriremeError} from '../kernel/errors.ts';
import type {ClusterState} from '../fleet/cluster-store.ts';
import type {FleetRow, FleetStore} from '../fleet/fleet-store.ts';
import {restarted} from '../fleet/restarting.ts';
import type {ControllerScope} from '../modes/controller/scope.ts';
import type {EventView, ScopeOptions} from '../modes/mode.ts';
import type {Settings} from '../settings.ts';
import type {DashPreferences, DashServices, EventsState, Followed, PaletteCommand} from '../ui/services.ts';
import type {ManagementPlace} from './base-dash-sources.ts';

export interface DashServicesOptions {
  readonly fleet: FleetStore;
  readonly places: ReadonlyMap<string, ManagementPlace>;
  readonly scope: ScopeOptions;
  readonly settings: Settings;
  readonly commands: readonly PaletteCommand[];
  readonly desk: Desk;
}

/** Events that are kept for a screen. */
const eventsKept = 1000;

export function createDashServices({fleet, places, scope, settings, commands, desk}: DashServicesOptions): DashServices {
  const preferences = createStore<DashPreferences>(preferencesOf(settings));
  const requireRow = (id: string): FleetRow => {
    const row = fleet.find(id);
    if (row === undefined) throw new TriremeError('cluster.not-found', `${id.split('/').at(-1) ?? id} isn't there any more.`);
    return row;
  };
  const openPlace = async (row: FleetRow, signal: AbortSignal): Promise<ControllerScope> => {
    const {ControllerScope: Scope} = await import('../modes/controller/scope.ts');
    const {namespace} = row.view;
    return Scope.open({...places.get(row.source), ...(namespace === undefined ? {} : {namespace})}, {...scope, signal});
  };
  return {
    fleet,
    preferences,
    commands,
    desk,
    placeOf: (id) => {
      const row = fleet.find(id);
      return row === undefined ? undefined : placeOfRow(row, places);
    },
    remember: (change) => {
      preferences.set({...preferences.get(), ...change});
      void rememberPreferences(change);
    },
    followCluster: (id) => {
      const row = fleet.find(id);
      return row?.view.mode === 'controller' ? followLive(row, openPlace) : followRow(fleet, id);
    },
    followEvents: (id) => followEvents(requireRow(id), openPlace),
    logs: (id, machine, signal) => hostLog(requireRow(id), machine, {...scope, signal}),
  };
}

function preferencesOf(settings: Settings): DashPreferences {
  const sort = settings['fleet-sort'];
  return {
    columns: settings['fleet-columns'].split(',').filter((id) => id !== ''),
    group: settings['fleet-group'],
    sort: {column: sort.replace(/^-/, ''), descending: sort.startsWith('-')},
  };
}

/** A preference that can't be kept counts until the end: not worth a word. */
async function rememberPreferences({columns, group, sort}: Partial<DashPreferences>): Promise<void> {
  const {writeSetting} = await import('../settings.ts');
  try {
    if (columns !== undefined) await writeSetting('fleet-columns', columns.join(','));
    if (group !== undefined) await writeSetting('fleet-group', group);
    if (sort !== undefined) await writeSetting('fleet-sort', `${sort.descending ? '-' : ''}${sort.column}`);
  } catch {}
}

/** A cluster of a management cluster, with every object of it. */
function followLive(row: FleetRow, openPlace: (row: FleetRow, signal: AbortSignal) => Promise<ControllerScope>): Followed<ClusterState> {
  const stopping = new AbortController();
  const store = createStore<ClusterState>({phase: 'looking'});
  const views = async function* (signal: AbortSignal) {
    const scope = await openPlace(row, signal);
    try {
      const {watchCluster} = await import('../modes/controller/observe/observe.ts');
      yield* watchCluster(scope, row.view.name, signal);
    } finally {
      await scope.close();
    }
  };
  const follow = async () => {
    for await (const told of restarted(views, {signal: stopping.signal})) {
      if ('trouble' in told) store.set({...store.get(), trouble: told.trouble});
      else if (told.value === undefined) store.set({...store.get(), phase: 'gone', trouble: undefined});
      else store.set({view: told.value, phase: 'live'});
    }
  };
  void follow();
  return {store, close: () => stopping.abort()};
}

/** A cluster of hosts: its row has all there is of it. */
function followRow(fleet: FleetStore, id: string): Followed<ClusterState> {
  let seen: FleetRow | undefined;
  let state: ClusterState = {phase: 'looking'};
  const get = () => {
    const row = fleet.find(id);
    if (row !== seen) {
      if (row !== undefined) state = {view: row.view, phase: row.isLooking === true ? 'looking' : 'live'};
      else state = {...state, phase: 'gone'};
      seen = row;
    }
    return state;
  };
  const store: Store<ClusterState> = {get, subscribe: fleet.subscribe};
  return {store, close: () => {}};
}

function followEvents(row: FleetRow, openPlace: (row: FleetRow, signal: AbortSignal) => Promise<ControllerScope>): Followed<EventsState> {
  if (row.view.mode !== 'controller')
    return {
      store: createStore<EventsState>({events: [], phase: 'failed', why: 'hosts keep logs instead of events: open a host, and press L'}),
      close: () => {},
    };
  const stopping = new AbortController();
  const store = createStore<EventsState>({events: [], phase: 'looking'});
  const events = async function* (signal: AbortSignal) {
    const scope = await openPlace(row, signal);
    try {
      const {observeEvents, watchEvents} = await import('../modes/controller/observe/observe.ts');
      yield await observeEvents(scope, row.view.name, {warningsOnly: false});
      for await (const event of watchEvents(scope, row.view.name, {warningsOnly: false, signal})) yield [event];
    } finally {
      await scope.close();
    }
  };
  const follow = async () => {
    let known = new Map<string, EventView>();
    for await (const told of restarted(events, {signal: stopping.signal})) {
      if ('trouble' in told) {
        store.set({...store.get(), ...(known.size === 0 ? {phase: 'failed' as const} : {}), why: told.trouble.why});
        continue;
      }
      if (told.isFirst) known = new Map();
      for (const event of told.value) {
        const key = `${event.object} ${event.reason} ${event.first ?? ''} ${event.message}`;
        known.delete(key);
        known.set(key, event); // the newest at the end
      }
      if (known.size > eventsKept) known = new Map([...known].slice(-eventsKept));
      store.set({events: [...known.values()], phase: 'live'});
    }
  };
  void follow();
  return {store, close: () => stopping.abort()};
}

/** The agent's log on a host, from the last lines on. */
async function* hostLog(row: FleetRow, machine: string | undefined, scopeOptions: ScopeOptions): AsyncGenerator<string, void, undefined> {
  const {known} = row;
  if (machine === undefined || known === undefined || known.mode === 'controller' || known.files.length === 0)
    throw new TriremeError('mode.unsupported', 'Logs are read from hosts that a file describes; in controller mode see the events.');
  const [{readCluster}, {AgentScope}, {readJournal}] = await Promise.all([
    import('../spec/read.ts'),
    import('../modes/agent/scope.ts'),
    import('./base-journal.ts'),
  ]);
  const cluster = await readCluster({files: known.files, name: known.name, redactor: scopeOptions.redactor});
  const scope = await AgentScope.open(cluster, scopeOptions);
  try {
    const lines: string[] = [];
    let wake: () => void = () => {};
    let ended: {readonly error?: unknown} | undefined;
    const reading = readJournal(await scope.runner(machine), {
      units: ['trireme-agent'],
      lines: 200,
      follow: true,
      signal: scopeOptions.signal,
      onLine: (line) => {
        lines.push(line);
        wake();
      },
    }).then(
      () => (ended = {}),
      (error: unknown) => (ended = {error}),
    );
    void reading.then(() => wake());
    scopeOptions.signal.addEventListener('abort', () => wake(), {once: true});
    while (!scopeOptions.signal.aborted) {
      for (let line = lines.shift(); line !== undefined; line = lines.shift()) yield line;
      if (ended !== undefined) {
        if (ended.error !== undefined) throw ended.error;
        return;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (lines.length > 0 || ended !== undefined || scopeOptions.signal.aborted) resolve();
      });
    }
  } finally {
    await scope.close();
  }
}
