// What stands for something else in ssh's settings: `~`, `%h`, and patterns with `*` and `?`.
import {join} from 'node:path';

/** Replaces `%h` and its kin (ssh_config(5), TOKENS); a token without a value here stays as it is. */
export function expandTokens(text: string, tokens: Readonly<Record<string, string>>): string {
  return text.replaceAll(/%([%a-zA-Z])/g, (whole, letter: string) => (letter === '%' ? '%' : (tokens[letter] ?? whole)));
}

/** `~` and `~/x` below the person's home. */
export function expandHome(path: string, home: string): string {
  if (path === '~') return home;
  return path.startsWith('~/') ? join(home, path.slice(2)) : path;
}

/** True when `value` matches a pattern of ssh_config or known_hosts: `*` any letters, `?` one; letter case doesn't count. */
export function matchesPattern(pattern: string, value: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'is').test(value);
}

/** True when one of the patterns matches and none of those that begin with `!`. */
export function matchesPatterns(patterns: readonly string[], value: string): boolean {
  if (patterns.some((pattern) => pattern.startsWith('!') && matchesPattern(pattern.slice(1), value))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && matchesPattern(pattern, value));
}
