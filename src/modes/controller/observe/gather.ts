// One look at the objects of a cluster, or of a whole fleet: a fixed number of LISTs in parallel, however many machines there are.
import type {KubeApi, ListOptions, Resource} from '../../../kube/api.ts';
import type {KubeObject} from '../../../kube/object.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import {addonBindings, coreGroup, coreKinds, events, readKinds, type CoreKind, type KindName, type KindTable, type Reference} from './kinds.ts';
import {clusterLabel, ObjectIndex} from './object-index.ts';
import {isBootstrap, keyOfReference, lacksMachines, madeKinds, partsOf, templatesOf, type NamedKind} from './references.ts';
import {createSlimmer, type Slimmer} from './slim.ts';
import {standOf} from './standing.ts';

export interface GatherOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  /** One cluster of that namespace; absent: every cluster. */
  readonly cluster?: string;
  /** `summary`: without infrastructure, bootstrap, machine sets, health checks and add-ons. */
  readonly depth: 'full' | 'summary';
  /**
   * Of bootstrap objects of ready machines only that they are there, and of machines and what they own only the conditions that aren't as they shall be; default false.
   * A machine tells with BootstrapConfigReady what its bootstrap object says, and all of those are as large as all infrastructure.
   */
  readonly brief?: boolean;
  /** Warnings too, of the namespace. */
  readonly withEvents?: boolean;
  readonly signal?: AbortSignal;
}

/** What was seen, for the pure functions that make views of it. */
export interface Seen {
  readonly index: ObjectIndex;
  /** Keys of objects that something names and that aren't there: looked for by name. */
  readonly missing: ReadonlySet<string>;
  /** `group/Kind` to why it couldn't be looked at. */
  readonly unreadable: ReadonlyMap<string, string>;
  readonly events: readonly KubeObject[];
  /** In a summary machines have no parts. */
  readonly depth: GatherOptions['depth'];
  /** ISO 8601. */
  readonly seenAt: string;
}

const summaryKinds: readonly CoreKind[] = ['Cluster', 'Machine', 'MachineDeployment', 'MachinePool'];
const fullKinds = Object.keys(coreKinds) as readonly CoreKind[];
/** More objects of a kind than this are looked for by one LIST. */
const fewEnoughToGet = 3;

/** Looks. Throws `api.kind-unknown` where there's no Cluster API, and whatever forbids reading clusters or machines. */
export async function gather(api: KubeApi, options: GatherOptions): Promise<Seen> {
  const look = new Look(api, options);
  return look.run();
}

class Look {
  readonly #api: KubeApi;
  readonly #options: GatherOptions;
  readonly #slim: Slimmer;
  readonly #index = new ObjectIndex();
  readonly #unreadable = new Map<string, string>();
  readonly #missing = new Set<string>();
  /** `group/Kind` of what is listed because something names it. */
  readonly #named = new Set<string>();
  /** Of kinds whose objects' names alone were listed: what must be looked at whole is found once the machines are known. */
  readonly #brief: {readonly resource: Resource; readonly names: readonly string[]}[] = [];

  constructor(api: KubeApi, options: GatherOptions) {
    this.#api = api;
    this.#options = options;
    const slim = createSlimmer({tellingOnly: options.depth === 'summary' || options.brief === true});
    this.#slim = (object) => {
      const kept = slim(object);
      // judged while others are still on their way
      standOf(kept);
      return kept;
    };
  }

  async run(): Promise<Seen> {
    const kinds = readKinds(this.#api, this.#options.signal);
    const wanted = this.#options.depth === 'full' ? fullKinds : summaryKinds;
    const listed = Promise.all(wanted.map(async (kind) => this.#namedBy(await this.#core(kind), kinds)));
    const [table, warnings] = await Promise.all([kinds, this.#events(), listed, this.#addons()]);
    await Promise.all(this.#brief.map(({resource, names}) => this.#lookCloser(resource, names)));
    if (this.#options.depth === 'full') await this.#lookForMissing(table);
    return {
      index: this.#index,
      missing: this.#missing,
      unreadable: this.#unreadable,
      events: warnings,
      depth: this.#options.depth,
      seenAt: new Date().toISOString(),
    };
  }

  get #list(): ListOptions {
    const {namespace, cluster, signal} = this.#options;
    return {
      ...(namespace === undefined ? {} : {namespace}),
      ...(cluster === undefined ? {} : {labelSelector: `${clusterLabel}=${cluster}`}),
      ...(signal === undefined ? {} : {signal}),
      project: this.#slim,
    };
  }

  async #core(kind: CoreKind): Promise<readonly KubeObject[]> {
    const {cluster} = this.#options;
    const {labelSelector: _selected, ...rest} = this.#list;
    const options = kind === 'Cluster' && cluster !== undefined ? {...rest, fieldSelector: `metadata.name=${cluster}`} : this.#list;
    try {
      const objects = await listCore(this.#api, kind, options);
      this.#put(objects);
      return objects;
    } catch (error) {
      if (kind === 'Cluster' || kind === 'Machine') throw error;
      this.#note({group: coreGroup, kind}, error);
      return [];
    }
  }

  /** Lists the kinds that these objects name, and those that a pool's machines will: they are on their way while the machines, which are many, still are. */
  async #namedBy(objects: readonly KubeObject[], kinds: Promise<KindTable>): Promise<void> {
    const named = namedKinds(objects, this.#options.depth);
    const fresh = [...named, ...(this.#options.depth === 'full' ? objects.flatMap(madeKinds) : [])].filter((name) => this.#isFirst(name));
    if (fresh.length === 0) return;
    const table = await kinds;
    await Promise.all(fresh.map((name) => this.#kind(table, name, named.includes(name))));
  }

  #isFirst({group, kind}: KindName): boolean {
    const key = `${group}/${kind}`;
    if (this.#named.has(key)) return false;
    this.#named.add(key);
    return true;
  }

  /** A binding has its cluster's name, and no label. */
  async #addons(): Promise<void> {
    const {depth, cluster} = this.#options;
    if (depth === 'summary' || cluster === undefined) return;
    const {labelSelector: _selected, ...rest} = this.#list;
    try {
      this.#put(await listServed(this.#api, addonBindings, {...rest, fieldSelector: `metadata.name=${cluster}`}));
    } catch (error) {
      this.#note(addonBindings, error);
    }
  }

  async #events(): Promise<readonly KubeObject[]> {
    if (this.#options.withEvents !== true) return [];
    const {labelSelector: _selected, project: _slim, ...rest} = this.#list;
    try {
      return (await this.#api.list(events, {...rest, fieldSelector: 'type=Warning'})).items;
    } catch (error) {
      this.#note({group: '', kind: 'Event'}, error);
      return [];
    }
  }

  /** `isSure`: an object names it. What only may be named is asked for again when one does. */
  async #kind(table: KindTable, name: NamedKind, isSure: boolean): Promise<void> {
    try {
      const resource = await table.resourceOf(name);
      if (resource === undefined && !isSure) this.#named.delete(`${name.group}/${name.kind}`);
      else if (resource === undefined) this.#unreadable.set(`${name.group}/${name.kind}`, 'its kind is not served: is its provider installed?');
      else if (name.isBootstrap && this.#isBrief) await this.#listNames(resource);
      else this.#put((await this.#api.list(resource, this.#list)).items);
    } catch (error) {
      this.#note(name, error);
    }
  }

  /** Names tell neither namespace nor cluster: only a look at one cluster knows them. */
  get #isBrief(): boolean {
    const {brief, namespace, cluster} = this.#options;
    return brief === true && namespace !== undefined && cluster !== undefined;
  }

  async #listNames(resource: Resource): Promise<void> {
    const {project: _slim, ...rest} = this.#list;
    const {items} = await this.#api.list(resource, {...rest, namesOnly: true});
    this.#brief.push({resource, names: items.map((item) => item.metadata.name)});
  }

  /** Those of ready machines are put in as they are known, by name; the others are read. */
  async #lookCloser(resource: Resource, names: readonly string[]): Promise<void> {
    const {namespace = '', cluster = ''} = this.#options;
    const {group, version, kind} = resource;
    const quiet = new Set<string>();
    for (const object of this.#index.all()) {
      if (!isReadyMachine(object)) continue;
      for (const part of partsOf(object)) if (isBootstrap(part) && isOfKind(part.reference, resource)) quiet.add(part.reference.name);
    }
    const labels = {[clusterLabel]: cluster};
    this.#put(names.filter((name) => quiet.has(name)).map((name) => ({apiVersion: `${group}/${version}`, kind, metadata: {name, namespace, labels}})));
    const others = names.filter((name) => !quiet.has(name));
    try {
      if (others.length > fewEnoughToGet) this.#put((await this.#api.list(resource, this.#list)).items);
      else {
        const references = others.map((name) => ({group, kind, namespace, name}));
        this.#put((await fetchNamed(this.#api, resource, references, this.#options)).map(this.#slim));
      }
    } catch (error) {
      this.#note(resource, error);
    }
  }

  /** What a LIST by label didn't bring may be there without the label, or have come later: it's looked for by name. */
  async #lookForMissing(table: KindTable): Promise<void> {
    const unresolved = unresolvedReferences(this.#index, this.#unreadable);
    await Promise.all([...byKind(unresolved).values()].map((references) => this.#lookFor(table, references)));
  }

  async #lookFor(table: KindTable, references: readonly Reference[]): Promise<void> {
    const [first] = references;
    if (first === undefined) return;
    try {
      const resource = await table.resourceOf(first);
      if (resource === undefined) return void this.#unreadable.set(`${first.group}/${first.kind}`, 'its kind is not served: is its provider installed?');
      this.#put((await fetchNamed(this.#api, resource, references, this.#options)).map(this.#slim));
      for (const reference of references) if (this.#index.find(reference) === undefined) this.#missing.add(keyOfReference(reference));
    } catch (error) {
      this.#note(first, error);
    }
  }

  #put(objects: readonly KubeObject[]): void {
    for (const object of objects) this.#index.put(object);
  }

  #note({group, kind}: KindName, error: unknown): void {
    this.#unreadable.set(`${group}/${kind}`, whyUnreadable(error));
  }
}

/** Rethrows what isn't about this kind alone: a connection that is gone, an interruption, a bug. */
export function whyUnreadable(error: unknown): string {
  if (error instanceof TriremeError && ['api.forbidden', 'api.not-found', 'api.kind-unknown', 'api.failed'].includes(error.code)) return error.message;
  throw error;
}

/** Objects of one of Cluster API's own kinds. Throws `api.kind-unknown` where there's no Cluster API. */
export async function listCore(api: KubeApi, kind: CoreKind, options: ListOptions): Promise<readonly KubeObject[]> {
  try {
    return await listServed(api, {group: coreGroup, kind, plural: coreKinds[kind]}, options);
  } catch (error) {
    if (!isUnserved(error)) throw error;
    throw new TriremeError('api.kind-unknown', `${api.context} (${api.server}) serves no ${coreGroup}: Cluster API isn't installed there.`, {
      hints: ['Is it the management cluster? Name another one: --context NAME', 'Install Cluster API: trireme provider init'],
      cause: error,
    });
  }
}

/** By the newest version that is served; Cluster API's own CRDs carry no contract label. */
async function listServed(api: KubeApi, kind: Omit<Resource, 'version' | 'namespaced'>, options: ListOptions): Promise<readonly KubeObject[]> {
  try {
    return (await api.list({...kind, version: 'v1beta2', namespaced: true}, options)).items;
  } catch (error) {
    if (!isUnserved(error)) throw error;
  }
  return (await api.list({...kind, version: 'v1beta1', namespaced: true}, options)).items;
}

export function isUnserved(error: unknown): boolean {
  return error instanceof TriremeError && (error.code === 'api.not-found' || error.code === 'api.kind-unknown');
}

/** The distinct kinds that objects name as their parts. */
export function namedKinds(objects: Iterable<KubeObject>, depth: 'full' | 'summary'): readonly NamedKind[] {
  const found = new Map<string, NamedKind>();
  for (const object of objects) {
    if (depth === 'summary' && object.kind !== 'Cluster') continue;
    for (const named of partsOf(object)) {
      const {part, reference} = named;
      if (depth === 'full' || part === 'control-plane') found.set(`${reference.group}/${reference.kind}`, {...reference, isBootstrap: isBootstrap(named)});
    }
  }
  return [...found.values()];
}

function isOfKind({group, kind}: Reference, resource: Resource): boolean {
  return group === resource.group && kind === resource.kind;
}

/** A machine whose bootstrap object has nothing to tell that the machine doesn't: it's ready, and says so of what it was made from. */
function isReadyMachine(object: KubeObject): boolean {
  if (object.kind !== 'Machine' || object.metadata.deletionTimestamp !== undefined) return false;
  const {conditions} = standOf(object);
  const isTrue = (one: string) => conditions.some(({type, status}) => type === one && status === 'True');
  return isTrue('Ready') && !conditions.some(({type, status}) => (type === 'BootstrapConfigReady' || type === 'BootstrapReady') && status !== 'True');
}

/** What is named and wasn't seen; of templates only those of pools that lack machines. */
export function unresolvedReferences(index: ObjectIndex, unreadable: ReadonlyMap<string, string>): readonly Reference[] {
  const found = new Map<string, Reference>();
  for (const object of index.all()) {
    for (const {reference} of [...partsOf(object), ...(lacksMachines(object) ? templatesOf(object) : [])]) {
      if (unreadable.has(`${reference.group}/${reference.kind}`) || index.find(reference) !== undefined) continue;
      found.set(keyOfReference(reference), reference);
    }
  }
  return [...found.values()];
}

export function byKind(references: readonly Reference[]): ReadonlyMap<string, readonly Reference[]> {
  const kinds = new Map<string, Reference[]>();
  for (const reference of references) {
    const key = `${reference.group}/${reference.kind}`;
    const known = kinds.get(key);
    if (known === undefined) kinds.set(key, [reference]);
    else known.push(reference);
  }
  return kinds;
}

/** Objects of one kind by their names: a few one by one, many by one LIST. */
export async function fetchNamed(
  api: KubeApi,
  resource: Resource,
  references: readonly Reference[],
  options: Pick<GatherOptions, 'namespace' | 'signal'>,
): Promise<readonly KubeObject[]> {
  const call = options.signal === undefined ? {} : {signal: options.signal};
  if (references.length > fewEnoughToGet) {
    const names = new Set(references.map(keyOfReference));
    const {items} = await api.list(resource, {...call, ...(options.namespace === undefined ? {} : {namespace: options.namespace})});
    return items.filter((item) =>
      names.has(keyOfReference({group: resource.group, kind: resource.kind, namespace: item.metadata.namespace ?? '', name: item.metadata.name})),
    );
  }
  const found = await Promise.all(references.map(({name, namespace}) => api.get(resource, {name, namespace}, call)));
  return found.filter((object) => object !== undefined);
}
