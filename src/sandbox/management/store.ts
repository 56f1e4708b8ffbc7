// The objects, their history, and who follows it. Objects are never changed in place: each write puts a new one, so lists and events are snapshots.
import type {KubeObject} from '../../kube/object.ts';
import {resourceKey, type ServedKind} from './kinds.ts';

export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly kind: ServedKind;
  readonly object: KubeObject;
  readonly previous?: KubeObject;
  readonly at: number;
}

export const clusterNameLabel = 'cluster.x-k8s.io/cluster-name';

const texts = new WeakMap<KubeObject, string>();

/** An object's JSON, written once. */
export function jsonOf(object: KubeObject): string {
  let text = texts.get(object);
  if (text === undefined) texts.set(object, (text = JSON.stringify(object)));
  return text;
}

export const keyOf = (name: string, namespace: string | undefined) => `${namespace ?? ''}/${name}`;
const keyOfObject = (object: KubeObject) => keyOf(object.metadata.name, object.metadata.namespace);

interface Table {
  readonly objects: Map<string, KubeObject>;
  readonly byCluster: Map<string, Set<string>>;
}

export class ObjectStore {
  readonly #tables = new Map<string, Table>();
  readonly #owned = new Map<string, Map<string, {readonly kind: ServedKind; readonly key: string}>>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #limit: number;
  readonly #untold: Change[] = [];
  #isTelling = false;
  #history: Change[] = [];
  #version = 1000;
  /** Changes up to this one are forgotten. */
  #forgotten = 1000;

  constructor(historyLimit: number) {
    this.#limit = historyLimit;
  }

  /** The resourceVersion of the last change. */
  get version(): number {
    return this.#version;
  }

  get(kind: ServedKind, name: string, namespace?: string): KubeObject | undefined {
    return this.#tables.get(resourceKey(kind))?.objects.get(keyOf(name, namespace));
  }

  /** In the order of their keys, as etcd has them. */
  list(kind: ServedKind, namespace?: string): readonly KubeObject[] {
    const objects = this.#tables.get(resourceKey(kind))?.objects;
    if (objects === undefined) return [];
    const prefix = `${namespace}/`;
    const keys = [...objects.keys()].filter((key) => namespace === undefined || key.startsWith(prefix));
    return keys.toSorted((a, b) => (a < b ? -1 : 1)).map((key) => objects.get(key) as KubeObject);
  }

  /** Those with the label of a cluster, without looking at the others. */
  ofCluster(kind: ServedKind, cluster: string, namespace: string | undefined): readonly KubeObject[] {
    const table = this.#tables.get(resourceKey(kind));
    const keys = table?.byCluster.get(keyOf(cluster, namespace));
    return [...(keys ?? [])].toSorted().map((key) => table?.objects.get(key) as KubeObject);
  }

  /** Those with an owner reference to this uid. */
  ownedBy(uid: string): readonly {readonly kind: ServedKind; readonly object: KubeObject}[] {
    return [...(this.#owned.get(uid)?.values() ?? [])].flatMap(({kind, key}) => {
      const object = this.#tables.get(resourceKey(kind))?.objects.get(key);
      return object === undefined ? [] : [{kind, object}];
    });
  }

  count(kind: ServedKind): number {
    return this.#tables.get(resourceKey(kind))?.objects.size ?? 0;
  }

  /** Keeps the object under a new resourceVersion and returns it as it is kept. */
  put(kind: ServedKind, object: KubeObject): KubeObject {
    const table = this.#table(kind);
    const key = keyOfObject(object);
    const previous = table.objects.get(key);
    const kept = this.#stamp(object);
    this.#unindex(kind, table, previous, key);
    table.objects.set(key, kept);
    this.#index(kind, table, kept, key);
    this.#tell({type: previous === undefined ? 'ADDED' : 'MODIFIED', kind, object: kept, ...(previous === undefined ? {} : {previous}), at: this.#version});
    return kept;
  }

  /** Takes the object away; what is told has the resourceVersion of the deletion. */
  remove(kind: ServedKind, object: KubeObject): KubeObject {
    const table = this.#table(kind);
    const key = keyOfObject(object);
    const previous = table.objects.get(key);
    this.#unindex(kind, table, previous, key);
    table.objects.delete(key);
    const last = this.#stamp(object);
    this.#tell({type: 'DELETED', kind, object: last, ...(previous === undefined ? {} : {previous}), at: this.#version});
    return last;
  }

  /** Changes of a kind after a resourceVersion; undefined when they are forgotten. */
  since(version: number, kind: ServedKind): readonly Change[] | undefined {
    if (version < this.#forgotten) return undefined;
    const key = resourceKey(kind);
    return this.#history.filter((change) => change.at > version && resourceKey(change.kind) === key);
  }

  /** Forgets the history, as etcd's compaction does: whoever wants to go on from before gets 410. */
  compact(): void {
    this.#history = [];
    this.#forgotten = this.#version;
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #table(kind: ServedKind): Table {
    const key = resourceKey(kind);
    let table = this.#tables.get(key);
    if (table === undefined) this.#tables.set(key, (table = {objects: new Map(), byCluster: new Map()}));
    return table;
  }

  #stamp(object: KubeObject): KubeObject {
    this.#version += 1;
    return {...object, metadata: {...object.metadata, resourceVersion: String(this.#version)}};
  }

  #tell(change: Change): void {
    this.#history.push(change);
    if (this.#history.length > this.#limit * 1.25) {
      const dropped = this.#history.splice(0, this.#history.length - this.#limit);
      this.#forgotten = dropped.at(-1)?.at ?? this.#forgotten;
    }
    // a listener may write: its change is told after this one has reached everybody
    this.#untold.push(change);
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      for (let next = this.#untold.shift(); next !== undefined; next = this.#untold.shift()) for (const listener of this.#listeners) listener(next);
    } finally {
      this.#isTelling = false;
    }
  }

  #index(kind: ServedKind, table: Table, object: KubeObject, key: string): void {
    const cluster = object.metadata.labels?.[clusterNameLabel];
    if (cluster !== undefined) {
      const place = keyOf(cluster, object.metadata.namespace);
      const keys = table.byCluster.get(place);
      if (keys === undefined) table.byCluster.set(place, new Set([key]));
      else keys.add(key);
    }
    for (const {uid} of object.metadata.ownerReferences ?? []) {
      let owned = this.#owned.get(uid);
      if (owned === undefined) this.#owned.set(uid, (owned = new Map()));
      owned.set(`${resourceKey(kind)} ${key}`, {kind, key});
    }
  }

  #unindex(kind: ServedKind, table: Table, object: KubeObject | undefined, key: string): void {
    const cluster = object?.metadata.labels?.[clusterNameLabel];
    if (cluster !== undefined) {
      const place = keyOf(cluster, object?.metadata.namespace);
      const keys = table.byCluster.get(place);
      keys?.delete(key);
      if (keys?.size === 0) table.byCluster.delete(place);
    }
    for (const {uid} of object?.metadata.ownerReferences ?? []) {
      const owned = this.#owned.get(uid);
      owned?.delete(`${resourceKey(kind)} ${key}`);
      if (owned?.size === 0) this.#owned.delete(uid);
    }
  }
}
