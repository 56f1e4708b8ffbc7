// A trace of system calls, read for one question: would a power cut right after a file got its name leave it half-written, or without its name?
import {execFile} from 'node:child_process';
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import {promisify} from 'node:util';

const run = promisify(execFile);

const calls = [
  ...['write', 'pwrite64', 'writev', 'pwritev', 'pwritev2', 'ftruncate', 'truncate', 'copy_file_range', 'sendfile', 'splice'],
  ...['fsync', 'fdatasync', 'syncfs', 'sync', 'rename', 'renameat', 'renameat2', 'link', 'linkat'],
  // who belongs to whom
  ...['clone', 'clone3', 'fork', 'vfork'],
];

/** One call that succeeded. `begins` and `ends` are its lines: two calls of different threads may overlap. */
export interface Call {
  readonly name: string;
  /** The program, or the whole shell script, that it's a part of: a script's programs are one, a program's threads too. */
  readonly actor: string;
  readonly begins: number;
  readonly ends: number;
  /** Of the file that is written or flushed; of the old name. Absolute. */
  readonly path: string;
  /** The new name. */
  readonly to: string;
}

/** Why nothing can be traced here; undefined where it can. */
export async function whyNoTrace(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'tracing system calls needs Linux';
  const folder = await mkdtemp(join(tmpdir(), 'strace-'));
  try {
    await run('strace', ['-f', '-o', join(folder, 'trace'), 'true']);
    return undefined;
  } catch (error) {
    const {code, message} = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'strace is missing (apt package strace). Try: test/testbed/setup.sh' : `strace doesn't work here: ${message.trim()}`;
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}

/** Runs a program, with all that it starts, under strace; returns what it did to files. Throws when the program fails. */
export async function trace(
  program: string,
  args: readonly string[],
  options: {readonly env: Readonly<Record<string, string>>; readonly cwd: string; readonly input?: Uint8Array},
): Promise<readonly Call[]> {
  const folder = await mkdtemp(join(tmpdir(), 'strace-'));
  const file = join(folder, 'trace');
  try {
    // strings cut to nothing: no secret gets into the trace; names of files are always whole
    const tracing = ['-f', '-y', '-qq', '-s', '0', '--seccomp-bpf', '-e', `trace=${calls.join(',')}`, '-o', file, program, ...args];
    const traced = run('strace', tracing, {env: {PATH: process.env['PATH'], ...options.env}, cwd: options.cwd, maxBuffer: 1 << 26});
    traced.child.stdin?.end(options.input ?? '');
    await traced;
    return readCalls(await readFile(file, 'utf8'), options.cwd);
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}

/** The calls of a trace made with `-f -y`; those that failed are left out. */
export function readCalls(text: string, cwd: string): readonly Call[] {
  const open = new Map<string, {readonly head: string; readonly line: number}>();
  const found: (Omit<Call, 'actor'> & {readonly pid: string})[] = [];
  const processes = new Processes();
  for (const [line, raw] of text.split('\n').entries()) {
    const [, pid = '', said = ''] = /^(\d+) +(.*)$/.exec(raw) ?? [];
    if (said.endsWith('<unfinished ...>')) {
      open.set(pid, {head: said.slice(0, -'<unfinished ...>'.length).trimEnd(), line});
      continue;
    }
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(said);
    const begun = resumed === null ? undefined : open.get(pid);
    if (resumed !== null) open.delete(pid);
    const whole = begun === undefined ? said : `${begun.head}${resumed?.[2] ?? ''}`;
    processes.hear(pid, whole);
    const call = callIn(whole, cwd);
    if (call !== undefined) found.push({...call, pid, begins: begun?.line ?? line, ends: line});
  }
  return found.map(({pid, ...call}) => ({...call, actor: processes.actorOf(pid)}));
}

/** Who was started by whom. A process that has threads is a program of ours; what has none is a shell, or what a shell started. */
class Processes {
  readonly #parents = new Map<string, string>();
  readonly #leaders = new Map<string, string>();
  readonly #threaded = new Set<string>();

  hear(pid: string, said: string): void {
    const [, inside = '', child = ''] = /^(?:clone3?|v?fork)\((.*)\) += (\d+)/.exec(said) ?? [];
    if (child === '') return;
    if (inside.includes('CLONE_THREAD')) {
      this.#leaders.set(child, this.#leaderOf(pid));
      this.#threaded.add(this.#leaderOf(pid));
    } else this.#parents.set(child, this.#leaderOf(pid));
  }

  #leaderOf(pid: string): string {
    return this.#leaders.get(pid) ?? pid;
  }

  actorOf(pid: string): string {
    let at = this.#leaderOf(pid);
    while (!this.#threaded.has(at)) {
      const parent = this.#parents.get(at);
      if (parent === undefined || this.#threaded.has(parent)) break;
      at = parent;
    }
    return at;
  }
}

function callIn(said: string, cwd: string): Omit<Call, 'begins' | 'ends' | 'actor'> | undefined {
  const [, name = '', inside = '', result = ''] = /^(\w+)\((.*)\) += (-?\d+)/.exec(said) ?? [];
  if (name === '' || result.startsWith('-') || /^(clone|v?fork)/.test(name)) return undefined;
  const descriptors = [...inside.matchAll(/(?:\d+|AT_FDCWD)<([^>]*)>/g)].map((match) => match[1] ?? '');
  const names = [...inside.matchAll(/"((?:[^"\\]|\\.)*)"(?!\.\.\.)/g)].map((match) => match[1] ?? '');
  if (/^(rename|link)/.test(name)) {
    const [from = '', to = ''] = names;
    const [a = cwd, b = a] = descriptors;
    return {name, path: resolve(a, from), to: resolve(b, to)};
  }
  // what copies from one file to another names the target first or second
  const path = name === 'copy_file_range' || name === 'splice' ? (descriptors[1] ?? '') : (descriptors[0] ?? names[0] ?? '');
  return {name, path: path.replace(/ \(deleted\)$/, ''), to: ''};
}

const writes = new Set(['write', 'pwrite64', 'writev', 'pwritev', 'pwritev2', 'ftruncate', 'truncate', 'copy_file_range', 'sendfile', 'splice']);
const flushes = new Set(['fsync', 'fdatasync']);
const flushesAll = new Set(['sync', 'syncfs']);

export interface Asked {
  /** Names to look at. */
  isAsked(path: string): boolean;
  /** Names that may be lost in a power cut, though never half there. */
  mayBeLost?(path: string): boolean;
}

/**
 * What a power cut could do to files that got their names by a rename or a link: each must have been flushed before, and its folder afterwards, by the
 * program or the script that gave the name.
 */
export function notDurable(trace: readonly Call[], {isAsked, mayBeLost = () => false}: Asked): readonly string[] {
  const complaints: string[] = [];
  for (const [index, named] of trace.entries()) {
    if (named.to === '' || !isAsked(named.to)) continue;
    const where = `${named.path} -> ${named.to}`;
    const before = trace.slice(0, index);
    // an older file of that name has left it
    const since = before.findLastIndex((call) => call.name.startsWith('rename') && call.path === named.path);
    const isInside = (path: string) => path === named.path || path.startsWith(`${named.path}/`);
    const written = new Map<string, Call>();
    for (const call of before.slice(since + 1)) if (writes.has(call.name) && isInside(call.path)) written.set(call.path, call);
    for (const [path, last] of written) {
      const isFlush = (call: Call) => (flushes.has(call.name) && call.path === path) || flushesAll.has(call.name);
      if (!before.some((call) => isFlush(call) && call.begins > last.ends && call.ends < named.begins))
        complaints.push(`${where}: ${path} isn't flushed before`);
    }
    if (mayBeLost(named.to)) continue;
    const folder = dirname(named.to);
    const isKeeping = (call: Call) => ((flushes.has(call.name) && call.path === folder) || flushesAll.has(call.name)) && call.actor === named.actor;
    if (!trace.some((call) => isKeeping(call) && call.begins > named.ends)) complaints.push(`${where}: the folder isn't flushed after`);
  }
  return complaints;
}

/** Files whose last write nothing flushes. */
export function neverFlushed(trace: readonly Call[], isAsked: (path: string) => boolean): readonly string[] {
  const last = new Map<string, Call>();
  for (const call of trace) if (writes.has(call.name) && isAsked(call.path)) last.set(call.path, call);
  return [...last]
    .filter(([path, write]) => !trace.some((call) => flushes.has(call.name) && call.path === path && call.begins > write.ends))
    .map(([path]) => path);
}
