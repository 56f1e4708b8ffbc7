// Many clusters, of many management clusters and of files, as screens and lists read them.
import type {Store} from '../kernel/store.ts';
import type {ClusterView} from '../modes/mode.ts';
import type {KnownCluster} from './known-clusters.ts';

/** Why a source says nothing new, and since when (ISO 8601): what was seen of it is that old. */
export interface SourceTrouble {
  readonly since: string;
  readonly why: string;
}

/** What a source tells: views that are new or changed, and `namespace/name` of those that are gone. */
export interface FleetChange {
  readonly changed: readonly ClusterView[];
  readonly removed: readonly string[];
  /** Set as long as the source can't see what is now. */
  readonly trouble?: SourceTrouble;
  /** The source's name for people, as soon as it's known better. */
  readonly title?: string;
  /** What changed is everything there is: whatever else was seen of this source is gone. */
  readonly isComplete?: boolean;
  /** A first look: more of it is on its way. */
  readonly isPartial?: boolean;
}

export interface FleetSource {
  /** Names the source, for instance a context; clusters of different sources may have equal names. */
  readonly id: string;
  /** For people; default: the id. */
  readonly title?: string;
  /** Sources of one group are told as a number: thousands of hosts' clusters are one word in a header. */
  readonly group?: string;
  readonly changes: AsyncIterable<FleetChange>;
}

export interface FleetRow {
  /** Unique: source, namespace and name. */
  readonly id: string;
  readonly source: string;
  readonly view: ClusterView;
  /** What this computer knows of it, where it knows it. */
  readonly known?: KnownCluster;
  /** Nothing was seen of it yet: the view is what is known. */
  readonly isLooking?: boolean;
}

export interface SourceState {
  readonly title: string;
  readonly group?: string;
  readonly phase: 'looking' | 'live' | 'ended' | 'failed';
  readonly failure?: unknown;
  readonly trouble?: SourceTrouble;
}

export interface FleetState {
  /** By source, namespace and name. */
  readonly rows: readonly FleetRow[];
  readonly sources: Readonly<Record<string, SourceState>>;
}

export interface FleetStore extends Store<FleetState> {
  /** Resolves when every source has ended. */
  readonly done: Promise<void>;
  /** The row as it is now. */
  find(id: string): FleetRow | undefined;
}

/** `source/namespace/name`. */
export function fleetRowId(source: string, view: Pick<ClusterView, 'namespace' | 'name'>): string {
  return `${source}/${view.namespace ?? ''}/${view.name}`;
}

/**
 * Fills a store from several sources at once; one that fails leaves the others alone, and its rows stay as they were seen last.
 * `expected` are rows that are there before anything was seen; they stay, whatever their source doesn't have.
 */
export function followFleet(sources: readonly FleetSource[], expected: readonly FleetRow[] = []): FleetStore {
  const fleet = new LiveFleet(sources, expected);
  const follow = async ({id, changes}: FleetSource) => {
    for await (const change of changes) fleet.absorb(id, change);
    fleet.tell(id, {phase: 'ended'});
  };
  const done = Promise.all(sources.map((source) => follow(source).catch((failure: unknown) => fleet.tell(source.id, {phase: 'failed', failure}))));
  return {get: fleet.get, subscribe: fleet.subscribe, find: fleet.find, done: done.then(() => undefined)};
}

class LiveFleet {
  readonly #rows = new Map<string, FleetRow>();
  readonly #expected: ReadonlyMap<string, FleetRow>;
  readonly #sources: Map<string, SourceState>;
  readonly #listeners = new Set<() => void>();
  /** Ids in order; undefined when it must be sorted again: only when rows come or go, never when they change. */
  #order: string[] | undefined;
  /** Made when somebody asks, not at each change. */
  #snapshot: FleetState | undefined;

  constructor(sources: readonly FleetSource[], expected: readonly FleetRow[]) {
    this.#expected = new Map(expected.map((row) => [row.id, row]));
    for (const row of expected) this.#rows.set(row.id, row);
    this.#sources = new Map(sources.map(({id, title = id, group}) => [id, {title, phase: 'looking', ...(group === undefined ? {} : {group})}]));
  }

  readonly get = (): FleetState => {
    this.#order ??= [...this.#rows.keys()].toSorted();
    this.#snapshot ??= {rows: this.#order.flatMap((id) => this.#rows.get(id) ?? []), sources: Object.fromEntries(this.#sources)};
    return this.#snapshot;
  };

  readonly find = (id: string): FleetRow | undefined => this.#rows.get(id);

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  absorb(source: string, {changed, removed, trouble, title, isComplete}: FleetChange): void {
    if (isComplete === true) {
      const told = new Set(changed.map((view) => fleetRowId(source, view)));
      for (const row of [...this.#rows.values()]) if (row.source === source && !told.has(row.id)) this.#remove(row.id);
    }
    for (const key of removed) this.#remove(`${source}/${key}`);
    for (const view of changed) {
      const id = fleetRowId(source, view);
      const known = this.#expected.get(id)?.known;
      if (!this.#rows.has(id)) this.#order = undefined;
      this.#rows.set(id, {id, source, view, ...(known === undefined ? {} : {known})});
    }
    this.tell(source, {phase: 'live', ...(title === undefined ? {} : {title}), ...(trouble === undefined ? {} : {trouble})});
  }

  tell(source: string, state: Omit<SourceState, 'title' | 'group'> & {readonly title?: string}): void {
    const {title = source, group} = this.#sources.get(source) ?? {};
    this.#sources.set(source, {title, ...(group === undefined ? {} : {group}), ...state});
    this.#snapshot = undefined;
    for (const listener of this.#listeners) listener();
  }

  #remove(id: string): void {
    const expected = this.#expected.get(id);
    if (expected !== undefined) {
      const {isLooking: _past, ...row} = expected;
      this.#rows.set(id, {...row, view: {...row.view, health: 'unknown', reasons: ["it isn't there: trireme apply"]}});
    } else if (this.#rows.delete(id)) this.#order = undefined;
  }
}
