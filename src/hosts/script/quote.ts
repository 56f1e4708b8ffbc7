// Values into shell words.

/** One shell word: single quotes around, whatever is inside. */
export function shellWord(value: string): string {
  return `'${value.replaceAll("'", String.raw`'\''`)}'`;
}

/** A list as words apart by blanks, for `for x in ...` and `set --`. */
export function shellWords(values: readonly string[]): string {
  return values.map(shellWord).join(' ');
}
