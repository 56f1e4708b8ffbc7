// The objects of a cluster or a fleet, kept up to date: LIST, then WATCH, every kind into one index; changes come in batches.
import {setMaxListeners} from 'node:events';
import type {KubeApi, ListOptions, Resource, WatchEvent} from '../../../kube/api.ts';
import type {KubeObject} from '../../../kube/object.ts';
import {isAbortError} from '../../../kernel/errors.ts';
import {byKind, fetchNamed, isUnserved, namedKinds, unresolvedReferences, whyUnreadable, type GatherOptions, type Seen} from './gather.ts';
import {addonBindings, coreGroup, coreKinds, readKinds, type CoreKind, type KindName, type KindTable, type Reference} from './kinds.ts';
import {clusterKeyOf, clusterLabel, keyOfObject, ObjectIndex, type ClusterKey} from './object-index.ts';
import {keyOfReference} from './references.ts';
import {createSlimmer, type Slimmer} from './slim.ts';

export interface WatchOptions extends Omit<GatherOptions, 'signal' | 'withEvents'> {
  readonly signal: AbortSignal;
  /** Changes that come within this time come together, in ms. */
  readonly interval?: number;
  /** Of a fleet: tell of clusters as soon as they are listed, before the rest of their objects is. Default false. */
  readonly early?: boolean;
}

export interface Batch {
  readonly seen: Seen;
  /** Clusters of which something changed: at first all. Those that are gone are in here too. */
  readonly changed: readonly ClusterKey[];
  /** Set as long as what is seen may be old. */
  readonly stale?: {readonly since: string; readonly why: string};
  /** Only Clusters were listed yet, and maybe not all of them. */
  readonly isEarly?: boolean;
}

const defaultInterval = 100;
/** So many clusters come with the first page: a screen full of them is what somebody waits for. */
const earlyPage = 60;
/** How often what isn't watched (objects without the cluster's label) and what is missing is looked at again, in ms. */
const recheck = 5000;

/** Follows until the signal aborts. Throws what the first LISTs of clusters and machines throw. */
export async function* watchObjects(api: KubeApi, options: WatchOptions): AsyncGenerator<Batch, void, undefined> {
  const live = new LiveObjects(api, options);
  try {
    yield* live.run();
  } finally {
    live.stop();
  }
}

class LiveObjects {
  readonly #api: KubeApi;
  readonly #options: WatchOptions;
  readonly #stopping = new AbortController();
  readonly #signal: AbortSignal;
  readonly #slim: Slimmer;
  readonly #index = new ObjectIndex();
  readonly #missing = new Set<string>();
  readonly #unreadable = new Map<string, string>();
  readonly #stale = new Map<string, {readonly since: string; readonly why: string}>();
  /** `group/Kind` of what is watched. */
  readonly #watched = new Set<string>();
  /** Objects that were fetched by name, because no watch brings them. */
  readonly #fetched = new Map<string, Reference>();
  /** Came since it was last looked which kinds are named. */
  #fresh: KubeObject[] = [];
  #changed = new Set<ClusterKey>();
  #failure: unknown;
  #goOn: () => void = () => {};
  /** Resolves when whoever watches has taken what was there first: until then nothing more is asked for. */
  readonly #taken = new Promise<void>((resolve) => (this.#goOn = resolve));
  #wake: (() => void) | undefined;
  #table: KindTable | undefined;
  #checkedAt = 0;
  #seenAt = '';

  constructor(api: KubeApi, options: WatchOptions) {
    this.#api = api;
    this.#options = options;
    this.#slim = createSlimmer({tellingOnly: options.depth === 'summary'});
    this.#signal = AbortSignal.any([options.signal, this.#stopping.signal]);
    setMaxListeners(0, this.#signal); // every watch listens, and there's one for each kind
  }

  stop(): void {
    this.#stopping.abort();
  }

  async *run(): AsyncGenerator<Batch, void, undefined> {
    const kinds: readonly CoreKind[] =
      this.#options.depth === 'full' ? (Object.keys(coreKinds) as CoreKind[]) : ['Cluster', 'Machine', 'MachineDeployment', 'MachinePool'];
    const starting = (some: readonly CoreKind[]) => Promise.all(some.map((kind) => this.#startCore(kind)));
    if (this.#options.early === true && this.#options.depth === 'summary') {
      const clusters = starting(['Cluster']);
      clusters.catch(() => {}); // heard of below
      // what is a page now is a frame's worth: the rest, which is much more, waits for it
      await Promise.race([clusters, this.#something()]);
      if (this.#changed.size > 0) yield {...this.#take(), isEarly: true};
      this.#goOn();
      const rest = starting(kinds.filter((kind) => kind !== 'Cluster'));
      const all = Promise.all([readKinds(this.#api, this.#signal), clusters, rest]);
      all.catch(() => {});
      yield* this.#earlyUntil(clusters);
      [this.#table] = await all;
    } else {
      // both must have somebody who hears of their failure
      [this.#table] = await Promise.all([readKinds(this.#api, this.#signal), starting(kinds), this.#startAddons()]);
    }
    await this.#startNamed();
    await this.#check();
    for (const key of this.#index.clusters()) this.#changed.add(key);
    yield this.#take();
    const interval = this.#options.interval ?? defaultInterval;
    while (!this.#signal.aborted) {
      await this.#somethingOrRecheck();
      if (this.#signal.aborted) return;
      await pause(interval, this.#signal);
      if (this.#failure !== undefined) throw this.#failure;
      await this.#startNamed();
      await this.#check();
      if (this.#changed.size > 0) yield this.#take();
    }
  }

  /** Clusters page by page, until all of them are listed. */
  async *#earlyUntil(clusters: Promise<unknown>): AsyncGenerator<Batch, void, undefined> {
    let isListed = false;
    const listed = clusters.then(() => (isListed = true));
    for (;;) {
      if (this.#changed.size > 0) yield {...this.#take(), isEarly: true};
      if (isListed) return;
      await Promise.race([listed, this.#something()]);
    }
  }

  #take(): Batch {
    const changed = [...this.#changed];
    this.#changed = new Set();
    const [stale] = [...this.#stale.values()].toSorted((a, b) => (a.since < b.since ? -1 : 1));
    if (stale === undefined) this.#seenAt = new Date().toISOString();
    const seen: Seen = {index: this.#index, missing: this.#missing, unreadable: this.#unreadable, events: [], depth: this.#options.depth, seenAt: this.#seenAt};
    return {seen, changed, ...(stale === undefined ? {} : {stale})};
  }

  get #list(): ListOptions & {readonly signal: AbortSignal} {
    const {namespace, cluster} = this.#options;
    return {
      ...(namespace === undefined ? {} : {namespace}),
      ...(cluster === undefined ? {} : {labelSelector: `${clusterLabel}=${cluster}`}),
      signal: this.#signal,
      project: this.#slim,
    };
  }

  async #startCore(kind: CoreKind): Promise<void> {
    const {cluster} = this.#options;
    const {labelSelector: _selected, ...rest} = this.#list;
    const options = kind === 'Cluster' && cluster !== undefined ? {...rest, fieldSelector: `metadata.name=${cluster}`} : this.#list;
    await this.#startServed({group: coreGroup, plural: coreKinds[kind], kind}, options, kind === 'Cluster' || kind === 'Machine');
  }

  async #startAddons(): Promise<void> {
    const {depth, cluster} = this.#options;
    if (depth === 'summary' || cluster === undefined) return;
    const {labelSelector: _selected, ...rest} = this.#list;
    await this.#startServed(addonBindings, {...rest, fieldSelector: `metadata.name=${cluster}`}, false);
  }

  /** By the newest version that is served. */
  async #startServed(kind: Omit<Resource, 'version' | 'namespaced'>, options: ListOptions & {readonly signal: AbortSignal}, isNeeded: boolean): Promise<void> {
    try {
      return await this.#start({...kind, version: 'v1beta2', namespaced: true}, options, true);
    } catch (error) {
      if (isUnserved(error)) return this.#start({...kind, version: 'v1beta1', namespaced: true}, options, isNeeded);
      if (isNeeded) throw error;
      this.#note(kind, error);
    }
  }

  /** Kinds that objects name and that nobody watches yet: a new pool may bring a new one. */
  async #startNamed(): Promise<void> {
    const fresh = this.#fresh;
    this.#fresh = [];
    const names = namedKinds(fresh, this.#options.depth).filter(({group, kind}) => !this.#watched.has(`${group}/${kind}`));
    await Promise.all(names.map((name) => this.#startKind(name)));
  }

  async #startKind(name: KindName): Promise<void> {
    this.#watched.add(`${name.group}/${name.kind}`);
    try {
      const resource = await this.#table?.resourceOf(name);
      if (resource === undefined) this.#unreadable.set(`${name.group}/${name.kind}`, 'its kind is not served: is its provider installed?');
      else await this.#start(resource, this.#list, false);
    } catch (error) {
      this.#note(name, error);
    }
  }

  /** Resolves when the first list is there. */
  #start(resource: Resource, options: ListOptions & {readonly signal: AbortSignal}, isNeeded: boolean): Promise<void> {
    this.#watched.add(`${resource.group}/${resource.kind}`);
    return new Promise((resolve, reject) => {
      let isListed = false;
      const follow = async () => {
        const mine = new Map<string, KubeObject>();
        const early = {
          firstPageSize: earlyPage,
          onPage: (items: readonly KubeObject[]) => {
            if (isListed) return undefined;
            for (const object of items) this.#put(object, mine);
            this.#notify();
            return this.#taken;
          },
        };
        const isEarly = this.#options.early === true && resource.kind === 'Cluster';
        for await (const event of this.#api.watch(resource, isEarly ? {...options, ...early} : options)) {
          this.#absorb(resource, event, mine);
          isListed = true;
          resolve();
        }
        resolve(); // aborted
      };
      follow().catch((error: unknown) => {
        if (!isListed && isNeeded) return reject(error as Error);
        try {
          this.#note(resource, error);
        } catch (rest) {
          if (!isAbortError(rest)) this.#failure = rest;
        }
        this.#notify();
        return resolve();
      });
    });
  }

  #absorb({group, kind}: Resource, event: WatchEvent, mine: Map<string, KubeObject>): void {
    const source = `${group}/${kind}`;
    if (event.type === 'stale' || event.type === 'fresh') {
      if (event.type === 'stale') this.#stale.set(source, {since: event.since, why: event.why});
      else this.#stale.delete(source);
      for (const key of this.#index.clusters()) this.#changed.add(key);
    } else if (event.type === 'listed') {
      this.#stale.delete(source);
      const listed = new Set(event.items.map(keyOfObject));
      for (const [key, object] of mine) if (!listed.has(key)) this.#drop(object, mine);
      for (const object of event.items) this.#put(object, mine);
    } else if (event.type === 'deleted') this.#drop(event.object, mine);
    else this.#put(event.object, mine);
    this.#notify();
  }

  #put(object: KubeObject, mine?: Map<string, KubeObject>): void {
    const key = keyOfObject(object);
    mine?.set(key, object);
    this.#index.put(object);
    this.#fresh.push(object);
    this.#missing.delete(key);
    if (mine !== undefined) this.#fetched.delete(key);
    this.#touch(object);
  }

  #drop(object: KubeObject, mine?: Map<string, KubeObject>): void {
    mine?.delete(keyOfObject(object));
    this.#index.remove(object);
    this.#touch(object);
  }

  #touch(object: KubeObject): void {
    const key = clusterKeyOf(object) ?? this.#onlyCluster;
    if (key !== undefined) this.#changed.add(key);
  }

  get #onlyCluster(): ClusterKey | undefined {
    const {namespace, cluster} = this.#options;
    return namespace === undefined || cluster === undefined ? undefined : `${namespace}/${cluster}`;
  }

  /** What is named and isn't there is looked for by name before it's called missing, and again from time to time. */
  async #check(): Promise<void> {
    if (this.#options.depth === 'summary' || this.#stale.size > 0) return;
    const isDue = Date.now() - this.#checkedAt >= recheck;
    const unresolved = unresolvedReferences(this.#index, this.#unreadable).filter((one) => isDue || !this.#missing.has(keyOfReference(one)));
    const again = isDue ? [...this.#fetched.values()] : [];
    if (isDue) this.#checkedAt = Date.now();
    await Promise.all([...byKind([...unresolved, ...again]).values()].map((references) => this.#lookFor(references)));
  }

  async #lookFor(references: readonly Reference[]): Promise<void> {
    const [first] = references;
    if (first === undefined) return;
    try {
      const resource = await this.#table?.resourceOf(first);
      if (resource === undefined) return;
      const {namespace} = this.#options;
      const found = await fetchNamed(this.#api, resource, references, {signal: this.#signal, ...(namespace === undefined ? {} : {namespace})});
      const byKey = new Map(found.map((object) => [keyOfObject(object), object]));
      for (const reference of references) this.#settle(reference, byKey.get(keyOfReference(reference)));
    } catch (error) {
      if (!this.#signal.aborted) this.#noteQuietly(first, error);
    }
  }

  #settle(reference: Reference, object: KubeObject | undefined): void {
    const key = keyOfReference(reference);
    const before = this.#index.find(reference);
    if (object !== undefined) {
      const slim = this.#slim(object);
      this.#fetched.set(key, reference);
      if (JSON.stringify(before) === JSON.stringify(slim)) return;
      this.#put(slim);
    } else {
      if (before !== undefined && this.#fetched.delete(key)) this.#drop(before);
      if (this.#missing.has(key)) return;
      this.#missing.add(key);
    }
    for (const cluster of this.#onlyCluster === undefined ? this.#index.clusters() : [this.#onlyCluster]) this.#changed.add(cluster);
  }

  #note({group, kind}: KindName, error: unknown): void {
    this.#unreadable.set(`${group}/${kind}`, whyUnreadable(error));
  }

  /** A look that fails now is tried again later. */
  #noteQuietly(name: KindName, error: unknown): void {
    try {
      this.#note(name, error);
    } catch {
      this.#checkedAt = 0;
    }
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #something(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  #somethingOrRecheck(): Promise<void> {
    if (this.#changed.size > 0 || this.#failure !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#options.depth === 'full' ? setTimeout(done, recheck) : undefined;
      const {signal} = this.#stopping;
      const onAbort = () => done();
      this.#options.signal.addEventListener('abort', onAbort, {once: true});
      signal.addEventListener('abort', onAbort, {once: true});
      const {signal: outer} = this.#options;
      this.#wake = done;
      function done(): void {
        clearTimeout(timer);
        outer.removeEventListener('abort', onAbort);
        signal.removeEventListener('abort', onAbort);
        resolve();
      }
    });
  }
}

/** Ends early, without an error, when the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, {once: true});
  });
}
