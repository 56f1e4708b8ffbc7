// Sections of `key TAB value` lines.

export type Sections = ReadonlyMap<string, readonly string[]>;

/** All values of a key, in order. */
export function valuesOf(sections: Sections, section: string, key: string): readonly string[] {
  const prefix = `${key}\t`;
  return (sections.get(section) ?? []).filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length).trim());
}

/** The first value of a key; the empty string without one. */
export function valueOf(sections: Sections, section: string, key: string): string {
  return valuesOf(sections, section, key)[0] ?? '';
}

/** A section as a record. */
export function recordOf(sections: Sections, section: string): Readonly<Record<string, string>> {
  const pairs = (sections.get(section) ?? []).map((line) => line.split('\t')).filter((parts) => parts.length >= 2);
  return Object.fromEntries(pairs.map(([key, ...rest]) => [key as string, rest.join('\t').trim()]));
}

/** A section as JSON; undefined when it is empty or isn't JSON (a file half-written is as good as none). */
export function jsonOf(sections: Sections, section: string): unknown {
  const text = (sections.get(section) ?? []).join('\n').trim();
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A member of a parsed JSON value, when it is a string. */
export function stringIn(value: unknown, key: string): string | undefined {
  const member = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
  return typeof member === 'string' ? member : undefined;
}
