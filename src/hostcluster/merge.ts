// Settings laid over settings: the host's over the cluster's.

type PlainObject = Readonly<Record<string, unknown>>;

function isPlainObject(value: unknown): value is PlainObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** A list whose items each have a name of their own, as kubeadm's `extraArgs` and `extraVolumes`. */
export function isNamedList(value: unknown): value is readonly (PlainObject & {readonly name: string})[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => isPlainObject(item) && typeof item['name'] === 'string');
}

/** Lays `over` onto `base`: objects are merged by key, lists of named things by name, everything else is replaced; null removes. */
export function mergeSettings(base: PlainObject | undefined, over: PlainObject | undefined): PlainObject {
  const result: Record<string, unknown> = {...base};
  for (const [key, value] of Object.entries(over ?? {})) {
    if (value === null) delete result[key];
    else if (value !== undefined) result[key] = mergeValue(result[key], value);
  }
  return result;
}

function mergeValue(base: unknown, over: unknown): unknown {
  if (isPlainObject(base) && isPlainObject(over)) return mergeSettings(base, over);
  if (isNamedList(base) && isNamedList(over)) {
    const kept = base.filter((item) => !over.some((other) => other.name === item.name));
    return [...kept, ...over];
  }
  return over;
}
