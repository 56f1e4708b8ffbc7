// Pieces of the scripts that run on hosts.

/** A text as one word of a POSIX shell. */
export function shellQuote(text: string): string {
  return /^[A-Za-z0-9_/.:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A path of the host below TRIREME_ROOT, as one word: what simulated hosts and images have as their root. */
export function rootedPath(path: string): string {
  return `"\${TRIREME_ROOT:-}"${shellQuote(path)}`;
}
