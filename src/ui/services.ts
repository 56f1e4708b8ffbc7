// What screens may ask for. They get stores of plain views, and callbacks; the work behind them is the commands' own.
import type {ClusterPlace} from '../actions/action.ts';
import type {Desk} from '../actions/desk.ts';
import type {ClusterState} from '../fleet/cluster-store.ts';
import type {FleetState} from '../fleet/fleet-store.ts';
import type {Store} from '../kernel/store.ts';
import type {EventView} from '../modes/mode.ts';

/** A source that was begun for a screen; `close` ends it. */
export interface Followed<T> {
  readonly store: Store<T>;
  close(): void;
}

export interface EventsState {
  /** Oldest first. */
  readonly events: readonly EventView[];
  readonly phase: 'looking' | 'live' | 'failed' | 'ended';
  /** Why there's nothing (more) to see, for people. */
  readonly why?: string;
}

/** The dashboard's preferences that are remembered. */
export interface DashPreferences {
  /** Ids of the Fleet's columns, in order; empty: the default ones. */
  readonly columns: readonly string[];
  readonly group: 'none' | 'mode' | 'namespace';
  readonly sort: {readonly column: string; readonly descending: boolean};
}

/** A line of the command palette that isn't a screen's own. */
export interface PaletteCommand {
  readonly title: string;
  /** The same as a command line. */
  readonly command?: string;
  run(): void;
}

export interface DashServices {
  readonly fleet: Store<FleetState>;
  /** Follows one cluster with all its objects; `id` is the fleet row's. */
  followCluster(id: string): Followed<ClusterState>;
  followEvents(id: string): Followed<EventsState>;
  /** Lines of a machine's log, until the signal aborts. Throws what the host says. */
  logs(id: string, machine: string | undefined, signal: AbortSignal): AsyncIterable<string>;
  readonly preferences: Store<DashPreferences>;
  remember(change: Partial<DashPreferences>): void;
  /** What can be done, and the runs that came of it. */
  readonly desk: Desk;
  /** Where the cluster of a fleet row is described and kept; undefined when there's no such row. */
  placeOf(id: string): ClusterPlace | undefined;
  /** What the palette offers beside screens and objects. */
  readonly commands: readonly PaletteCommand[];
}
