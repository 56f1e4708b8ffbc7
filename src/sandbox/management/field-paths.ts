// Sets of field paths, as managedFields writes them (fieldsV1): `f:name` for fields, `k:{...}` for items of keyed lists, `v:...` for members of sets.
import {isDeepStrictEqual} from 'node:util';
import {isMap, schemaOf, type Schema} from './schema.ts';

/** A path is its elements joined by a byte that no name has. An item itself is its path and `.`. */
export type FieldPath = string;
const separator = '\u0000';

export const elementsOf = (path: FieldPath): readonly string[] => path.split(separator);

const keyedList: Schema = {type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['uid']};
const metadataSchema: Schema = {
  type: 'object',
  properties: {
    finalizers: {type: 'array', 'x-kubernetes-list-type': 'set'},
    ownerReferences: keyedList,
    labels: {type: 'object'},
    annotations: {type: 'object'},
  },
};

/** The schema of a whole object. */
export function wholeSchema(schema: Schema | undefined): Schema {
  return {...schema, properties: {...schema?.properties, metadata: metadataSchema}};
}

const unowned = new Set([
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'resourceVersion',
  'generation',
  'generateName',
  'managedFields',
  'selfLink',
]);

/** The object without what nobody owns. */
export function ownable(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const {apiVersion: _apiVersion, kind: _kind, metadata, ...rest} = object;
  const kept = Object.fromEntries(Object.entries((metadata as Record<string, unknown> | undefined) ?? {}).filter(([key]) => !unowned.has(key)));
  return Object.keys(kept).length === 0 ? rest : {...rest, metadata: kept};
}

export type ListKind = 'map' | 'set' | 'atomic';
export const listKind = (schema: Schema | undefined): ListKind => {
  const type = schema?.['x-kubernetes-list-type'];
  return type === 'map' || type === 'set' ? type : 'atomic';
};
export const isAtomicMap = (schema: Schema | undefined) => schema?.['x-kubernetes-map-type'] === 'atomic';

export function itemElement(item: unknown, schema: Schema | undefined): string {
  if (listKind(schema) === 'set') return `v:${JSON.stringify(item)}`;
  const keys = schema?.['x-kubernetes-list-map-keys'] ?? [];
  return `k:${JSON.stringify(Object.fromEntries(keys.toSorted().map((key) => [key, isMap(item) ? (item[key] ?? schema?.items?.properties?.[key]?.default) : undefined])))}`;
}

/** Every leaf of a value with what stands there. */
export function leavesOf(value: unknown, schema: Schema | undefined, leaves = new Map<FieldPath, unknown>(), path = ''): Map<FieldPath, unknown> {
  const at = (element: string) => (path === '' ? element : path + separator + element);
  if (isMap(value) && !isAtomicMap(schema) && Object.keys(value).length > 0) {
    for (const [key, one] of Object.entries(value)) leavesOf(one, schemaOf(schema, key), leaves, at(`f:${key}`));
  } else if (Array.isArray(value) && listKind(schema) === 'map' && value.length > 0) {
    for (const item of value) {
      const place = at(itemElement(item, schema));
      leaves.set(place + separator + '.', undefined);
      leavesOf(item, schema?.items, leaves, place);
    }
  } else if (Array.isArray(value) && listKind(schema) === 'set' && value.length > 0) {
    for (const item of value) leaves.set(at(itemElement(item, schema)), undefined);
  } else if (path !== '') leaves.set(path, value);
  return leaves;
}

/** Paths whose value is new or other than before, and paths that are gone. */
export function compare(
  before: ReadonlyMap<FieldPath, unknown>,
  after: ReadonlyMap<FieldPath, unknown>,
): {readonly changed: readonly FieldPath[]; readonly removed: readonly FieldPath[]} {
  const changed = [...after].filter(([path, value]) => !before.has(path) || !isDeepStrictEqual(before.get(path), value)).map(([path]) => path);
  const removed = [...before.keys()].filter((path) => !after.has(path));
  return {changed, removed};
}

/** Lays an applied value over a live one: maps and keyed lists by key, sets joined, all else taken whole. */
export function merge(live: unknown, applied: unknown, schema: Schema | undefined): unknown {
  if (isMap(live) && isMap(applied) && !isAtomicMap(schema)) {
    const result: Record<string, unknown> = {...live};
    for (const [key, one] of Object.entries(applied)) result[key] = merge(live[key], one, schemaOf(schema, key));
    return result;
  }
  if (!Array.isArray(live) || !Array.isArray(applied) || listKind(schema) === 'atomic') return applied;
  const rest = new Map(live.map((item) => [itemElement(item, schema), item as unknown]));
  const merged = new Map<string, unknown>();
  // the live order stays, what is new follows
  const news = new Map(applied.map((item) => [itemElement(item, schema), item as unknown]));
  for (const [key, item] of rest) merged.set(key, news.has(key) ? merge(item, news.get(key), schema?.items) : item);
  for (const [key, item] of news) if (!merged.has(key)) merged.set(key, item);
  return [...merged.values()];
}

/** A copy without the value at a path; parents stay. */
export function without(value: unknown, schema: Schema | undefined, path: readonly string[]): unknown {
  const [element = '', ...rest] = path;
  if (element === '.') return value;
  if (isMap(value) && element.startsWith('f:')) {
    const key = element.slice(2);
    if (value[key] === undefined) return value;
    const {[key]: child, ...others} = value;
    return rest.length === 0 ? others : {...value, [key]: without(child, schemaOf(schema, key), rest)};
  }
  if (!Array.isArray(value)) return value;
  const isItself = rest.length === 0 || (rest.length === 1 && rest[0] === '.');
  return value.flatMap((item) => {
    if (itemElement(item, schema) !== element) return [item as unknown];
    return isItself ? [] : [without(item, schema?.items, rest)];
  });
}

/** `.spec.topology.workers.machineDeployments[name="md-0"].replicas`. */
export function shownPath(path: FieldPath): string {
  return elementsOf(path)
    .filter((element) => element !== '.')
    .map((element) => {
      const rest = element.slice(2);
      if (element.startsWith('f:')) return `.${rest}`;
      if (element.startsWith('v:')) return `[=${rest}]`;
      const keys = JSON.parse(rest) as Record<string, unknown>;
      return `[${Object.entries(keys)
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .join(',')}]`;
    })
    .join('');
}

export type FieldsV1 = {readonly [element: string]: FieldsV1};

export function toFieldsV1(paths: Iterable<FieldPath>): FieldsV1 {
  const root: Record<string, unknown> = {};
  for (const path of paths) {
    let node = root;
    for (const element of elementsOf(path)) node = (node[element] ??= {}) as Record<string, unknown>;
  }
  return root as FieldsV1;
}

export function fromFieldsV1(fields: unknown, paths = new Set<FieldPath>(), path = ''): Set<FieldPath> {
  const entries = isMap(fields) ? Object.entries(fields) : [];
  if (entries.length === 0 && path !== '') paths.add(path);
  for (const [element, below] of entries) fromFieldsV1(below, paths, path === '' ? element : path + separator + element);
  return paths;
}
