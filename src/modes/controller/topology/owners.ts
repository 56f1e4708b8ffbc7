// Who owns a field of a live object (managedFields), and which fields are left to a GitOps tool. Pure.
import {canonicalJson} from '../../../kernel/digest.ts';
import {type KubeObject, type ManagedFields, valueAt} from '../../../kube/object.ts';
import {ourManager} from './names.ts';

export interface Owner {
  readonly manager: string;
  readonly operation: ManagedFields['operation'];
}

/** One field that we would write: its path as keys, `{name: x}` standing for the item of a keyed list. */
export interface Leaf {
  readonly path: readonly LeafKey[];
  readonly value: unknown;
}
export type LeafKey = string | Readonly<Record<string, string>>;

/** Lists whose items are told apart by these fields (x-kubernetes-list-map-keys of the Cluster's CRD); other lists are written whole. */
const listKeys: Readonly<Record<string, readonly string[]>> = {
  variables: ['name'],
  overrides: ['name'],
  machineDeployments: ['name'],
  machinePools: ['name'],
  taints: ['key', 'effect'],
};

/** Every field of an object below `metadata.labels`, `metadata.annotations` and `spec`, as server-side apply tells them apart. */
export function leavesOf(object: unknown): readonly Leaf[] {
  return [
    ...leavesBelow(valueAt(object, 'metadata', 'labels'), ['metadata', 'labels']),
    ...leavesBelow(valueAt(object, 'metadata', 'annotations'), ['metadata', 'annotations']),
    ...leavesBelow(valueAt(object, 'spec'), ['spec']),
  ];
}

function leavesBelow(value: unknown, path: readonly LeafKey[]): Leaf[] {
  if (value === undefined) return [];
  const last = path.at(-1);
  if (Array.isArray(value)) {
    const keys = typeof last === 'string' ? listKeys[last] : undefined;
    if (keys === undefined) return [{path, value}];
    return value.flatMap((item: Readonly<Record<string, unknown>>) => {
      const key = Object.fromEntries(keys.map((name) => [name, String(item[name] ?? '')]));
      return Object.entries(item).flatMap(([field, inner]) => leavesBelow(inner, [...path, key, field]));
    });
  }
  if (value === null || typeof value !== 'object' || last === 'value') return [{path, value}];
  return Object.entries(value).flatMap(([field, inner]) => leavesBelow(inner, [...path, field]));
}

/** The value of a leaf in another object. */
export function leafIn(object: unknown, path: readonly LeafKey[]): unknown {
  let at = object;
  for (const key of path) {
    if (typeof key === 'string') at = valueAt(at, key);
    else at = Array.isArray(at) ? at.find((item) => Object.entries(key).every(([name, value]) => String(valueAt(item, name) ?? '') === value)) : undefined;
    if (at === undefined) return undefined;
  }
  return at;
}

/** `spec.topology.variables[gpu].value`. */
export function leafText(path: readonly LeafKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'string') return text === '' ? key : /[./]/.test(key) ? `${text}[${key}]` : `${text}.${key}`;
    return `${text}[${Object.values(key).join(',')}]`;
  }, '');
}

/** Everybody who owns a field, but for the status's controllers. */
export function ownersOf(object: KubeObject | undefined, path: readonly LeafKey[]): readonly Owner[] {
  return (object?.metadata.managedFields ?? [])
    .filter((entry) => entry.subresource === undefined && owns(entry.fieldsV1, path))
    .map(({manager, operation}) => ({manager, operation}));
}

/** Walks `f:` and `k:` keys; what is below an owned leaf (`{}`) is owned too. */
function owns(fields: unknown, path: readonly LeafKey[]): boolean {
  let at = fields;
  for (const key of path) {
    if (at === null || typeof at !== 'object') return false;
    const map = at as Readonly<Record<string, unknown>>;
    if (Object.keys(map).length === 0) return true;
    if (typeof key === 'string') at = map[`f:${key}`];
    else {
      const wanted = canonicalJson(key);
      const found = Object.keys(map).find((name) => name.startsWith('k:') && canonicalText(name.slice(2)) === wanted);
      at = found === undefined ? undefined : map[found];
    }
    if (at === undefined) return false;
  }
  return true;
}

function canonicalText(json: string): string {
  try {
    return canonicalJson(JSON.parse(json));
  } catch {
    return json;
  }
}

/** Field managers of tools that bring objects back to what a repository says. */
const gitOpsManagers =
  /^(argocd|argo-cd|argocd-.+|kustomize-controller|helm-controller|gotk-.+|flux|fluxcd|flux-.+|fleetagent|fleet-agent|fleet|configsync|config-sync.*|reconciler-manager)$/;

/** Marks that such tools leave on objects. */
const gitOpsMarks: readonly (readonly [tool: string, place: 'labels' | 'annotations', key: RegExp])[] = [
  ['Argo CD', 'annotations', /^argocd\.argoproj\.io\/(tracking-id|installation-id)$/],
  ['Argo CD', 'labels', /^argocd\.argoproj\.io\/instance$/],
  ['Flux', 'labels', /^kustomize\.toolkit\.fluxcd\.io\/name$/],
  ['Flux', 'labels', /^helm\.toolkit\.fluxcd\.io\/name$/],
  ['Fleet', 'annotations', /^objectset\.rio\.cattle\.io\/id$/],
  ['Config Sync', 'annotations', /^configmanagement\.gke\.io\/managed$/],
];

export function isGitOpsManager(manager: string): boolean {
  return gitOpsManagers.test(manager);
}

/** The tool that an object is marked by, for sentences. */
export function gitOpsToolOf(object: KubeObject | undefined): string | undefined {
  const found = gitOpsMarks.find(([, place, key]) => Object.keys(object?.metadata[place] ?? {}).some((name) => key.test(name)));
  return found?.[0];
}

export interface LeftField {
  /** The server's path. */
  readonly field: string;
  readonly manager: string;
  readonly wanted: unknown;
  readonly live: unknown;
}

export interface Contested {
  readonly field: string;
  readonly managers: readonly string[];
  readonly wanted: unknown;
  readonly live: unknown;
}

export interface Ownership {
  /** What we apply: the rendered object without what a GitOps tool owns. */
  readonly object: KubeObject;
  /** Owned by a GitOps tool, and so left alone. */
  readonly left: readonly LeftField[];
  /** We want another value than the field's owner. */
  readonly contested: readonly Contested[];
  /** Our own verbs wrote some of the fields by a patch: the apply must take them over from ourselves. */
  readonly ours: boolean;
}

/** Parts the rendered object by who owns its fields in the live one; `rendered` and `live` are of the served version. */
export function partByOwner(rendered: KubeObject, live: KubeObject | undefined): Ownership {
  if (live === undefined) return {object: rendered, left: [], contested: [], ours: false};
  const left: LeftField[] = [];
  const contested: Contested[] = [];
  const dropped: Leaf[] = [];
  let ours = false;
  for (const leaf of leavesOf(rendered)) {
    const last = leaf.path.at(-1);
    const key = leaf.path.at(-2);
    const isKey = typeof key === 'object' && typeof last === 'string' && Object.hasOwn(key, last);
    const owners = ownersOf(live, leaf.path);
    const value = leafIn(live, leaf.path);
    const differs = canonicalJson(value ?? null) !== canonicalJson(leaf.value ?? null);
    const gitOps = owners.find(({manager}) => isGitOpsManager(manager));
    if (gitOps !== undefined) {
      if (isKey) continue;
      left.push({field: leafText(leaf.path), manager: gitOps.manager, wanted: leaf.value, live: value});
      dropped.push(leaf);
      continue;
    }
    if (!differs) continue;
    const others = owners.filter(({manager, operation}) => manager !== ourManager || operation !== 'Apply');
    if (others.some(({manager}) => manager === ourManager)) ours = true;
    const foreign = [...new Set(others.filter(({manager}) => manager !== ourManager).map(({manager}) => manager))];
    if (foreign.length > 0) contested.push({field: leafText(leaf.path), managers: foreign, wanted: leaf.value, live: value});
  }
  return {object: dropped.length === 0 ? rendered : without(rendered, dropped), left, contested, ours};
}

function without(object: KubeObject, leaves: readonly Leaf[]): KubeObject {
  const copy = structuredClone(object) as KubeObject;
  for (const {path} of leaves) {
    const parent = leafIn(copy, path.slice(0, -1));
    const last = path.at(-1);
    if (typeof last === 'string' && parent !== null && typeof parent === 'object') delete (parent as Record<string, unknown>)[last];
  }
  return copy;
}
