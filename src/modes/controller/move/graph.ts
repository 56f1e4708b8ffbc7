// Which objects go together: the graph of owners, split into what belongs to one cluster and what clusters share. Pure.
import type {Resource} from '../../../kube/api.ts';
import {groupOf, listAt, textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import {blockMoveAnnotation, moveHierarchyLabel, moveLabel} from './names.ts';

/** A kind that a move looks at. */
export interface MoveKind {
  readonly resource: Resource;
  /** Moved whatever owns it. */
  readonly always: boolean;
  /** Moved with all that it owns. */
  readonly hierarchy: boolean;
}

export interface FoundObject {
  readonly kind: MoveKind;
  readonly object: KubeObject;
}

export interface MoveNode {
  /** `cluster.x-k8s.io/Cluster default/berth`: the same on both sides. */
  readonly key: string;
  readonly resource: Resource;
  readonly object: KubeObject;
  /** Keys of the owners that move too. */
  readonly owners: readonly string[];
  /** Must be there before this one: owners, and what it belongs to by name. */
  readonly after: readonly string[];
  readonly isBlocked: boolean;
}

export interface ClusterGroup {
  /** `NAMESPACE/NAME`. */
  readonly id: string;
  readonly cluster: MoveNode;
  /** In levels: what is in one needs only what is in those before. The Cluster is the first. */
  readonly levels: readonly (readonly MoveNode[])[];
  /** Keys of shared objects that it needs. */
  readonly shared: readonly string[];
}

export interface MoveGraph {
  readonly clusters: readonly ClusterGroup[];
  /** Classes, their templates, resource sets and identities, in levels. */
  readonly shared: readonly (readonly MoveNode[])[];
  /** What looks as if it belonged to a cluster and isn't moved, with the reason. */
  readonly leftOut: readonly {readonly key: string; readonly why: string}[];
}

const coreGroup = 'cluster.x-k8s.io';

export function keyOf(object: KubeObject): string {
  const {namespace, name} = object.metadata;
  const group = groupOf(object.apiVersion);
  return `${group === '' ? '' : `${group}/`}${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

export function isCluster(object: KubeObject): boolean {
  return object.kind === 'Cluster' && groupOf(object.apiVersion) === coreGroup;
}

export function isClusterClass(object: KubeObject): boolean {
  return object.kind === 'ClusterClass' && groupOf(object.apiVersion) === coreGroup;
}

/** `NAMESPACE/NAME` of the class of a cluster with a topology, in v1beta2's words or v1beta1's. */
export function classOf(cluster: KubeObject): string | undefined {
  const topology = ['spec', 'topology'] as const;
  const name = textAt(cluster, ...topology, 'classRef', 'name') ?? textAt(cluster, ...topology, 'class');
  if (name === undefined) return undefined;
  const namespace = textAt(cluster, ...topology, 'classRef', 'namespace') ?? textAt(cluster, ...topology, 'classNamespace') ?? cluster.metadata.namespace;
  return `${namespace ?? ''}/${name}`;
}

/** Secrets that users bring for a cluster have no owner: `NAME-ca`, `NAME-etcd` and so on (util/secret/consts.go). */
const secretPurposes = ['kubeconfig', 'ca', 'etcd', 'proxy', 'sa', 'apiserver-etcd-client'];

interface Draft {
  readonly found: FoundObject;
  readonly key: string;
  readonly owners: readonly string[];
  readonly soft: Set<string>;
  /** An owner of a kind that isn't moved. */
  readonly strange: string | undefined;
}

/** Builds the graph of everything that was found. */
export function buildGraph(found: readonly FoundObject[]): MoveGraph {
  const keyByUid = new Map(found.map(({object}) => [object.metadata.uid ?? '', keyOf(object)] as const));
  const drafts = new Map(found.map((one) => [keyOf(one.object), draftOf(one, keyByUid)] as const));
  addSoftOwners(drafts);
  const ancestors = ancestorsOf(drafts);
  const clusterKeys = new Set([...drafts.values()].filter((draft) => isCluster(draft.found.object)).map((draft) => draft.key));
  const belongs = new Map<string, string>();
  const shared = new Set<string>();
  const leftOut: {key: string; why: string}[] = [];
  for (const draft of drafts.values()) {
    const above = [draft.key, ...(ancestors.get(draft.key) ?? [])];
    const clusters = above.filter((key) => clusterKeys.has(key));
    const isMoved = above.some((key) => movesHierarchy(drafts.get(key)!)) || draft.found.kind.always || hasLabel(draft.found.object, moveLabel);
    if (!isMoved) continue;
    if (draft.strange !== undefined && draft.owners.length === 0)
      leftOut.push({key: draft.key, why: `its owner ${draft.strange} is of a kind that isn't moved`});
    else if (clusters.length === 1 && clusters[0] !== undefined) belongs.set(draft.key, clusters[0]);
    else shared.add(draft.key);
  }
  const nodes = new Map([...drafts.values()].map((draft) => [draft.key, nodeOf(draft)] as const));
  const pick = (keys: Iterable<string>) => [...keys].flatMap((key) => nodes.get(key) ?? []);
  const groups = [...clusterKeys].toSorted().map((key): ClusterGroup => {
    const own = pick([...belongs].filter(([, cluster]) => cluster === key).map(([member]) => member));
    const {namespace, name} = nodes.get(key)!.object.metadata;
    return {
      id: `${namespace ?? ''}/${name}`,
      cluster: nodes.get(key)!,
      levels: levelsOf(own),
      shared: [...new Set(own.flatMap((node) => node.after.filter((one) => shared.has(one))))],
    };
  });
  return {clusters: groups, shared: levelsOf(pick(shared)), leftOut};
}

function draftOf(found: FoundObject, keyByUid: ReadonlyMap<string, string>): Draft {
  const references = found.object.metadata.ownerReferences ?? [];
  const strange = references.find((owner) => !keyByUid.has(owner.uid));
  return {
    found,
    key: keyOf(found.object),
    owners: references.flatMap((owner) => keyByUid.get(owner.uid) ?? []),
    soft: new Set(),
    strange: strange === undefined ? undefined : `${strange.kind} ${strange.name}`,
  };
}

function addSoftOwners(drafts: ReadonlyMap<string, Draft>): void {
  const all = [...drafts.values()];
  const clusters = all.filter((draft) => isCluster(draft.found.object));
  const byPlace = new Map(clusters.map((draft) => [`${draft.found.object.metadata.namespace}/${draft.found.object.metadata.name}`, draft] as const));
  const classes = new Map(
    all
      .filter((draft) => isClusterClass(draft.found.object))
      .map((draft) => [`${draft.found.object.metadata.namespace}/${draft.found.object.metadata.name}`, draft]),
  );
  for (const draft of clusters) {
    const used = classes.get(classOf(draft.found.object) ?? '');
    if (used !== undefined) draft.soft.add(used.key);
  }
  for (const draft of all) {
    const {object} = draft.found;
    const {namespace, name} = object.metadata;
    if (object.kind === 'Secret' && object.apiVersion === 'v1' && draft.owners.length === 0 && draft.strange === undefined) {
      const purpose = secretPurposes.find((one) => name.endsWith(`-${one}`));
      const cluster = purpose === undefined ? undefined : byPlace.get(`${namespace}/${name.slice(0, -purpose.length - 1)}`);
      if (cluster !== undefined) draft.soft.add(cluster.key);
    }
    if (object.kind === 'ClusterResourceSetBinding') {
      const cluster = byPlace.get(`${namespace}/${textAt(object, 'spec', 'clusterName') ?? name}`);
      if (cluster !== undefined) draft.soft.add(cluster.key);
    }
  }
  // a resource set lists what it puts onto clusters; what it lists has it as owner as soon as it was used once
  for (const set of all.filter((draft) => draft.found.object.kind === 'ClusterResourceSet')) {
    for (const resource of listAt(set.found.object, 'spec', 'resources')) {
      const listed = drafts.get(`${String(valueAt(resource, 'kind'))} ${set.found.object.metadata.namespace}/${String(valueAt(resource, 'name'))}`);
      if (listed !== undefined && listed.owners.length === 0) listed.soft.add(set.key);
    }
  }
}

/** Everything above a node, over the relation "a class is above its cluster" too; owners that form a circle are walked once. */
function ancestorsOf(drafts: ReadonlyMap<string, Draft>): ReadonlyMap<string, readonly string[]> {
  const result = new Map<string, readonly string[]>();
  for (const key of drafts.keys()) {
    const seen = new Set<string>();
    const waiting = [key];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const draft = drafts.get(next);
      for (const above of [...(draft?.owners ?? []), ...(draft?.soft ?? [])]) {
        if (seen.has(above) || above === key) continue;
        seen.add(above);
        waiting.push(above);
      }
    }
    result.set(key, [...seen]);
  }
  return result;
}

function movesHierarchy(draft: Draft): boolean {
  return draft.found.kind.hierarchy || hasLabel(draft.found.object, moveHierarchyLabel);
}

function hasLabel(object: KubeObject, label: string): boolean {
  return object.metadata.labels?.[label] !== undefined;
}

function nodeOf(draft: Draft): MoveNode {
  return {
    key: draft.key,
    resource: draft.found.kind.resource,
    object: draft.found.object,
    owners: draft.owners,
    after: [...new Set([...draft.owners, ...draft.soft])],
    isBlocked: draft.found.object.metadata.annotations?.[blockMoveAnnotation] !== undefined,
  };
}

/** Levels by what must be there before. Nodes of a circle go together into a last level: their references are made in a second pass. */
function levelsOf(nodes: readonly MoveNode[]): readonly (readonly MoveNode[])[] {
  const levels: (readonly MoveNode[])[] = [];
  let waiting = nodes.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  while (waiting.length > 0) {
    const open = new Set(waiting.map((node) => node.key));
    const ready = waiting.filter((node) => !node.after.some((key) => open.has(key)));
    if (ready.length === 0) return [...levels, waiting];
    levels.push(ready);
    waiting = waiting.filter((node) => !ready.includes(node));
  }
  return levels;
}

/** All nodes of levels, in order. */
export function flat(levels: readonly (readonly MoveNode[])[]): readonly MoveNode[] {
  return levels.flat();
}
