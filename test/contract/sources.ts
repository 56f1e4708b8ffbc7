// Reads the sources of src/: imports by pattern, which is enough for code that oxfmt has formatted.
import {readdirSync, readFileSync} from 'node:fs';
import {join, posix} from 'node:path';
import {fileURLToPath} from 'node:url';

export const projectFolder = fileURLToPath(new URL('../..', import.meta.url));

export interface SourceFile {
  /** `src/kernel/event.ts`. */
  readonly path: string;
  readonly text: string;
}

export interface Import {
  readonly target: string;
  readonly isTypeOnly: boolean;
  readonly isLazy: boolean;
}

export function readSources(folder: string): readonly SourceFile[] {
  return readdirSync(join(projectFolder, folder), {recursive: true, encoding: 'utf8'})
    .filter((name) => /\.tsx?$/.test(name))
    .toSorted()
    .map((name) => ({path: posix.join(folder, name.replaceAll('\\', '/')), text: readFileSync(join(projectFolder, folder, name), 'utf8')}));
}

/** The text without comments (strings stay; a `//` within a string is kept by asking for what comes before it). */
export function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|[\s;,{}()])\/\/[^\n]*/g, '$1');
}

export function importsOf(text: string): readonly Import[] {
  const code = withoutComments(text);
  const found: Import[] = [];
  for (const [, typeWord, names, target] of code.matchAll(/^\s*(?:import|export)\s+(type\s+)?((?:[\w$*\s,]|\{[^}]*\})*?)\s*from\s*'([^']+)'/gm)) {
    found.push({target: target as string, isTypeOnly: typeWord !== undefined || hasOnlyTypes(names ?? ''), isLazy: false});
  }
  for (const [, target] of code.matchAll(/^\s*import\s+'([^']+)'/gm)) found.push({target: target as string, isTypeOnly: false, isLazy: false});
  // `typeof import('x')` and `import('x').Type` in type positions are types; a call is awaited, returned or passed on.
  for (const [, before, target] of code.matchAll(/(typeof\s+|:\s*|<\s*)?\bimport\(\s*'([^']+)'\s*\)/g))
    found.push({target: target as string, isTypeOnly: before !== undefined, isLazy: true});
  return found;
}

function hasOnlyTypes(names: string): boolean {
  const inner = /^\{([\s\S]*)\}$/.exec(names.trim())?.[1];
  if (inner === undefined) return false;
  const list = inner
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return list.length > 0 && list.every((name) => name.startsWith('type '));
}

/** `src/plan/plan.ts` for `../plan/plan.ts` seen from `src/output/x.ts`; undefined for a package. */
export function resolveImport(from: string, target: string): string | undefined {
  return target.startsWith('.') ? posix.normalize(posix.join(posix.dirname(from), target)) : undefined;
}

/** The room of a file: `kernel`, `modes/agent`, `settings`. */
export function roomOf(path: string): string {
  const parts = path
    .replace(/^src\//, '')
    .replace(/\.tsx?$/, '')
    .split('/');
  return parts[0] === 'modes' ? parts.slice(0, 2).join('/') : (parts[0] as string);
}
