// What is typed behind `/`: words that must be there, words with ! that must not, and key:value for a field or a label.

export interface Searchable {
  /** Lower case. */
  readonly text: string;
  /** `health`, `mode`, `ns`: lower case; a value fits by its beginning. */
  readonly fields: Readonly<Record<string, string | undefined>>;
  readonly labels?: Readonly<Record<string, string>>;
}

interface Term {
  readonly isNot: boolean;
  test(row: Searchable): boolean;
}

/** True for rows that fit every word; an empty filter lets all through. */
export function parseFilter(filter: string): (row: Searchable) => boolean {
  const terms = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '' && word !== '!')
    .map(termOf);
  return terms.length === 0 ? () => true : (row) => terms.every((term) => term.test(row) !== term.isNot);
}

function termOf(word: string): Term {
  const isNot = word.startsWith('!');
  const rest = isNot ? word.slice(1) : word;
  const label = /^(?:label:|l:)?([^:=]+)=(.*)$/.exec(rest);
  if (label !== null) {
    const [, name = '', value = ''] = label;
    return {isNot, test: ({labels}) => Object.entries(labels ?? {}).some(([key, has]) => key.toLowerCase() === name && has.toLowerCase().startsWith(value))};
  }
  const field = /^([a-z-]+):(.*)$/.exec(rest);
  if (field !== null) {
    const [, name = '', value = ''] = field;
    // a word with a colon that names no field is a word: an address, an image
    return {isNot, test: ({fields, text}) => (Object.hasOwn(fields, name) ? (fields[name] ?? '').startsWith(value) : text.includes(rest))};
  }
  return {isNot, test: ({text}) => text.includes(rest)};
}
