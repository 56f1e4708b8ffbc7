// Many clusters, of many management clusters and of files, as screens and lists read them.
import {createStore, type Store} from '../kernel/store.ts';
import type {ClusterView} from '../modes/mode.ts';

/** What a source tells: views that are new or changed, and `namespace/name` of those that are gone. */
export interface FleetChange {
  readonly changed: readonly ClusterView[];
  readonly removed: readonly string[];
}

export interface FleetSource {
  /** Names the source, for instance a context; clusters of different sources may have equal names. */
  readonly id: string;
  readonly changes: AsyncIterable<FleetChange>;
}

export interface FleetRow {
  /** Unique: source, namespace and name. */
  readonly id: string;
  readonly source: string;
  readonly view: ClusterView;
}

export interface SourceState {
  readonly phase: 'looking' | 'live' | 'ended' | 'failed';
  readonly failure?: unknown;
}

export interface FleetState {
  /** By source, namespace and name. */
  readonly rows: readonly FleetRow[];
  readonly sources: Readonly<Record<string, SourceState>>;
}

export interface FleetStore extends Store<FleetState> {
  /** Resolves when every source has ended. */
  readonly done: Promise<void>;
}

/** Fills a store from several sources at once; one that fails leaves the others alone, and its rows stay as they were seen last. */
export function followFleet(sources: readonly FleetSource[]): FleetStore {
  const rows = new Map<string, FleetRow>();
  const states = new Map<string, SourceState>(sources.map(({id}) => [id, {phase: 'looking'}]));
  const snapshot = (): FleetState => ({
    rows: [...rows.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    sources: Object.fromEntries(states),
  });
  const store = createStore(snapshot());
  const tell = (source: string, state: SourceState) => {
    states.set(source, state);
    store.set(snapshot());
  };
  const follow = async ({id, changes}: FleetSource) => {
    for await (const {changed, removed} of changes) {
      for (const key of removed) rows.delete(rowId(id, key));
      for (const view of changed) {
        const row = rowId(id, `${view.namespace ?? ''}/${view.name}`);
        rows.set(row, {id: row, source: id, view});
      }
      tell(id, {phase: 'live'});
    }
    tell(id, {phase: 'ended'});
  };
  const done = Promise.all(sources.map((source) => follow(source).catch((failure: unknown) => tell(source.id, {phase: 'failed', failure}))));
  return {get: store.get, subscribe: store.subscribe, done: done.then(() => undefined)};
}

function rowId(source: string, key: string): string {
  return `${source}/${key}`;
}
