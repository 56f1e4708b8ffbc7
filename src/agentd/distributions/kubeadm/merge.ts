// Merging settings: the file's over what we render. Tables merge by key, everything else replaces; null takes a key away.

export type Settings = Readonly<Record<string, unknown>>;

const isTable = (value: unknown): value is Settings => value !== null && typeof value === 'object' && !Array.isArray(value);

/** Merges `over` into `base`; a null in `over` removes the key. */
export function mergeOver(base: Settings, over: Settings): Settings {
  const result: Record<string, unknown> = {...base};
  for (const [name, value] of Object.entries(over)) {
    const before = result[name];
    if (value === null) delete result[name];
    else result[name] = isTable(value) ? mergeOver(isTable(before) ? before : {}, value) : value;
  }
  return result;
}

/** Whether every leaf of `part` is in `whole`, lists as wholes. */
export function isContained(part: unknown, whole: unknown): boolean {
  if (!isTable(part)) return JSON.stringify(part) === JSON.stringify(whole);
  return isTable(whole) && Object.entries(part).every(([name, value]) => isContained(value, whole[name]));
}

/** The dotted-away paths of all leaves, as lists of keys. */
export function leafPaths(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (!isTable(value)) return [path];
  return Object.entries(value).flatMap(([name, item]) => leafPaths(item, [...path, name]));
}

/** A copy without the leaf at this path, and without tables that it leaves empty. */
export function without(value: Settings, path: readonly string[]): Settings {
  const [first, ...rest] = path;
  if (first === undefined || !(first in value)) return value;
  const {[first]: child, ...others} = value;
  if (rest.length === 0) return others;
  if (!isTable(child)) return value;
  const smaller = without(child, rest);
  return Object.keys(smaller).length === 0 ? others : {...value, [first]: smaller};
}
