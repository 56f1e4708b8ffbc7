// Writes TOML: tables, strings, numbers, booleans and lists, which is what containerd's configuration has.

type Table = Readonly<Record<string, unknown>>;

const isTable = (value: unknown): value is Table => value !== null && typeof value === 'object' && !Array.isArray(value);

/** Keys of plugins have dots, so all that isn't plain is quoted. */
function key(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name);
}

function scalar(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(scalar).join(', ')}]`;
  if (isTable(value))
    return `{${Object.entries(value)
      .filter(([, item]) => item !== undefined && item !== null)
      .map(([name, item]) => `${key(name)} = ${scalar(item)}`)
      .join(', ')}}`;
  // JSON's escapes are a subset of TOML's basic strings
  return JSON.stringify(value);
}

/** A plain value as TOML text, tables after scalars, in the order of the keys. */
export function toToml(table: Table, path: readonly string[] = []): string {
  const entries = Object.entries(table).filter(([, value]) => value !== undefined && value !== null);
  const own = entries
    .filter(([, value]) => !isTable(value))
    .map(([name, value]) => `${key(name)} = ${scalar(value)}\n`)
    .join('');
  const tables = entries
    .filter(([, value]) => isTable(value))
    .map(([name, value]) => toToml(value as Table, [...path, name]))
    .join('');
  const isNeeded = path.length > 0 && (own !== '' || entries.length === 0);
  return `${isNeeded ? `\n[${path.map(key).join('.')}]\n` : ''}${own}${tables}`;
}
