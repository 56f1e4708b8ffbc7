// The checks of the house: each takes sources and returns complaints, so that a test can hand it a house with a fault.
import {isBuiltin} from 'node:module';
import {importTable, lazyPackages, mayTouchProcess, type RoomRule} from './import-table.ts';
import {importsOf, resolveImport, roomOf, withoutComments, type Import, type SourceFile} from './sources.ts';

/** Imports that the table doesn't allow, with what to do instead. */
export function findForbiddenImports(sources: readonly SourceFile[]): readonly string[] {
  return sources.flatMap((source) => {
    const room = roomOf(source.path);
    const rule = importTable[room];
    if (rule === undefined) return [`${source.path}: the room ${room} isn't in the import table. Add it, with what it may import.`];
    return importsOf(source.text).flatMap((one) => {
      const path = resolveImport(source.path, one.target);
      const complaint = path === undefined ? packageComplaint(rule, one) : roomComplaint(room, path, one);
      return complaint === undefined ? [] : [`${source.path}: ${complaint} Instead: ${rule.instead}`];
    });
  });
}

function packageComplaint({packages: allowed, isLazy: isLazyRoom}: RoomRule, {target, isTypeOnly, isLazy}: Import): string | undefined {
  if (isBuiltin(target)) return target.startsWith('node:') ? undefined : `${target} is written node:${target}.`;
  const name = target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
  if (!allowed.includes('*') && !allowed.includes(name)) return `may not import the package ${name}.`;
  if (!isTypeOnly && !isLazy && isLazyRoom !== true && lazyPackages.some((pattern) => pattern.test(target)))
    return `${name} is heavy: reach it by import() only.`;
  return undefined;
}

function roomComplaint(room: string, path: string, {isTypeOnly, isLazy}: Import): string | undefined {
  const target = roomOf(path);
  const rule = importTable[room];
  if (target === room || rule === undefined) return undefined;
  const module = path.replace(/^src\//, '').replace(/\.tsx?$/, '');
  const covers = (list: readonly string[] | undefined) =>
    list?.some((entry) => entry === target || entry === module || target.startsWith(`${entry}/`)) ?? false;
  if (covers(rule.may)) return undefined;
  if (covers(rule.mayTypes)) return isTypeOnly ? undefined : `may import only types of ${module} (write import type).`;
  if (covers(rule.lazily)) return isLazy || isTypeOnly ? undefined : `may import ${module} only by import().`;
  return `may not import ${module}.`;
}

/** Cycles of imports that are there when the program runs, each once, as `a -> b -> a`. */
export function findCycles(sources: readonly SourceFile[]): readonly string[] {
  const edges = new Map(
    sources.map((source) => [
      source.path,
      importsOf(source.text)
        .filter((one) => !one.isTypeOnly && !one.isLazy)
        .flatMap((one) => resolveImport(source.path, one.target) ?? []),
    ]),
  );
  const cycles = new Set<string>();
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]) => {
    const start = trail.indexOf(path);
    if (start !== -1) return void cycles.add([...trail.slice(start), path].join(' -> '));
    if (done.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return [...cycles];
}

/** Writing to the process's streams, ending it, and `console`, where that isn't allowed. */
export function findProcessUse(sources: readonly SourceFile[]): readonly string[] {
  const pattern = /\bconsole\s*\.|\bprocess\s*\.\s*(exit|stdout|reallyExit|abort)\b|\bprocess\s*\[\s*'(exit|stdout)'/g;
  return sources
    .filter((source) => !mayTouchProcess.some((allowed) => allowed.test(source.path)))
    .flatMap((source) =>
      [...withoutComments(source.text).matchAll(pattern)].map(
        ([found]) => `${source.path}: ${found} is for output/ only. Instead: return the value, emit an event, or throw a TriremeError.`,
      ),
    );
}

export const longestFile = 400;

/** Files that are past 400 lines. */
export function findLongFiles(sources: readonly SourceFile[]): readonly string[] {
  return sources.flatMap((source) => {
    const lines = source.text.trimEnd().split('\n').length;
    return lines <= longestFile ? [] : [`${source.path}: ${lines} lines; split it by subject, ${longestFile} is the most.`];
  });
}

/** Names that say nothing. */
export function findEmptyNames(sources: readonly SourceFile[]): readonly string[] {
  return sources.flatMap(({path}) => {
    const name = (path.split('/').at(-1) ?? '').replace(/\.tsx?$/, '');
    if (/^(utils?|helpers?|common|types|misc)$/.test(name)) return [`${path}: name the file for its one subject.`];
    return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) ? [] : [`${path}: file names are kebab-case.`];
  });
}
