// All objects that were seen, found by uid, by name, by owner and by cluster: each step of a view is one look-up, so a tree costs O(its objects).
import {groupOf, textAt, type KubeObject} from '../../../kube/object.ts';
import {coreGroup, keyOf, type Reference} from './kinds.ts';

export const clusterLabel = 'cluster.x-k8s.io/cluster-name';

/** `namespace/name`. */
export type ClusterKey = string;

export function keyOfObject(object: KubeObject): string {
  return keyOf(groupOf(object.apiVersion), object.kind, object.metadata.namespace ?? '', object.metadata.name);
}

/** The cluster that an object belongs to, or is. */
export function clusterKeyOf(object: KubeObject): ClusterKey | undefined {
  const {name, namespace = '', labels} = object.metadata;
  if (object.kind === 'Cluster' && groupOf(object.apiVersion) === coreGroup) return `${namespace}/${name}`;
  const cluster = textAt(object.spec, 'clusterName') ?? labels?.[clusterLabel] ?? (object.kind === 'ClusterResourceSetBinding' ? name : undefined);
  return cluster === undefined ? undefined : `${namespace}/${cluster}`;
}

export class ObjectIndex {
  /** By `group/kind/namespace/name`. */
  readonly #objects = new Map<string, KubeObject>();
  /** Keys of objects, by the uid of their controller (else of any owner). */
  readonly #owned = new Map<string, Set<string>>();
  readonly #clusters = new Map<ClusterKey, Set<string>>();

  constructor(objects: Iterable<KubeObject> = []) {
    for (const object of objects) this.put(object);
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Adds an object, or takes the place of it as it was. */
  put(object: KubeObject): void {
    const key = keyOfObject(object);
    const before = this.#objects.get(key);
    if (before !== undefined) this.#unlink(key, before);
    this.#objects.set(key, object);
    const owner = ownerUidOf(object);
    if (owner !== undefined) addTo(this.#owned, owner, key);
    const cluster = clusterKeyOf(object);
    if (cluster !== undefined) addTo(this.#clusters, cluster, key);
  }

  remove(object: KubeObject): void {
    const key = keyOfObject(object);
    const before = this.#objects.get(key);
    if (before === undefined) return;
    this.#unlink(key, before);
    this.#objects.delete(key);
  }

  #unlink(key: string, object: KubeObject): void {
    removeFrom(this.#owned, ownerUidOf(object), key);
    removeFrom(this.#clusters, clusterKeyOf(object), key);
  }

  find({group, kind, namespace, name}: Reference): KubeObject | undefined {
    return this.#objects.get(keyOf(group, kind, namespace, name));
  }

  has(key: string): boolean {
    return this.#objects.has(key);
  }

  all(): IterableIterator<KubeObject> {
    return this.#objects.values();
  }

  /** What the object with this uid controls. */
  ownedBy(uid: string | undefined): readonly KubeObject[] {
    return this.#read(uid === undefined ? undefined : this.#owned.get(uid));
  }

  /** Everything of a cluster, itself included. */
  ofCluster(key: ClusterKey): readonly KubeObject[] {
    return this.#read(this.#clusters.get(key));
  }

  /** Keys of the clusters whose Cluster object is there. */
  clusters(): readonly ClusterKey[] {
    return [...this.#clusters.keys()].filter((key) => this.cluster(key) !== undefined);
  }

  cluster(key: ClusterKey): KubeObject | undefined {
    const slash = key.indexOf('/');
    return this.#objects.get(keyOf(coreGroup, 'Cluster', key.slice(0, slash), key.slice(slash + 1)));
  }

  #read(keys: ReadonlySet<string> | undefined): readonly KubeObject[] {
    return keys === undefined ? [] : [...keys].flatMap((key) => this.#objects.get(key) ?? []);
  }
}

/** The controller's uid, else the first owner's. */
export function ownerUidOf(object: KubeObject): string | undefined {
  const owners = object.metadata.ownerReferences ?? [];
  return (owners.find((owner) => owner.controller === true) ?? owners[0])?.uid;
}

function addTo(map: Map<string, Set<string>>, at: string, key: string): void {
  const keys = map.get(at);
  if (keys === undefined) map.set(at, new Set([key]));
  else keys.add(key);
}

function removeFrom(map: Map<string, Set<string>>, at: string | undefined, key: string): void {
  if (at === undefined) return;
  const keys = map.get(at);
  keys?.delete(key);
  if (keys?.size === 0) map.delete(at);
}
