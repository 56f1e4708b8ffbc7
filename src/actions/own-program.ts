// Trireme's own commands as processes: what a person would type, started by a screen.
import {spawn, type ChildProcess} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdir, open, readdir, readFile, rm, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {sleep} from '../kernel/cancel.ts';
import type {TriremeEvent} from '../kernel/event.ts';
import type {Problem} from '../kernel/problem.ts';
import {actions} from './table.ts';

export interface OwnProgram {
  /** Node, and bin/run.js with its arguments of its own, if there are any. */
  readonly execPath: string;
  readonly script: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The state folder. */
  readonly folder: string;
}

/** The last line of what a command prints for programs. */
export interface Envelope {
  readonly ok: boolean;
  readonly exit: number;
  readonly command: string;
  readonly result: unknown;
  readonly warnings: readonly {readonly code: string; readonly message: string; readonly host?: string; readonly hints?: readonly string[]}[];
  readonly problem?: Problem;
}

/** What an action says, it says whole: a flag's environment variable must not add a file, another management cluster, or an answer to it. */
const said: readonly string[] = [
  ...['file', 'cluster', 'kubeconfig', 'context', 'namespace', 'output', 'yes', 'dry-run', 'control-plane', 'resume', 'replay'],
  ...actions.flatMap((action) => action.inputs.flatMap((input) => ('flag' in input && input.flag !== undefined ? [input.flag] : []))),
].map((flag) => `TRIREME_${flag.replaceAll('-', '_').toUpperCase()}`);
/** A dry run's answer is small; this is only a bound, in bytes. */
const longestAnswer = 64 * 1024 * 1024;
const dayMs = 86_400_000;

export function environmentOf({env}: Pick<OwnProgram, 'env'>): NodeJS.ProcessEnv {
  const own = {...env};
  for (const name of said) delete own[name];
  return own as NodeJS.ProcessEnv;
}

/** Runs a command to its end and returns its envelope. Throws when it printed none, and when the signal aborts. */
export async function askProgram(program: OwnProgram, argv: readonly string[], signal: AbortSignal): Promise<Envelope> {
  const child = spawn(program.execPath, [program.script, ...argv], {
    cwd: program.cwd,
    env: environmentOf(program),
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (stdout.length < longestAnswer) stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-4096)));
  const code = await ended(child);
  const envelope = parse<Envelope>(stdout);
  if (envelope?.command === undefined) throw new Error(`trireme ${argv.join(' ')} ended with ${code} and no answer: ${stderr.trim()}`);
  return envelope;
}

/** Runs a command on this terminal, which must have been given over before. Returns its exit code. */
export async function runOnTerminal(program: OwnProgram, argv: readonly string[]): Promise<number> {
  const child = spawn(program.execPath, [program.script, ...argv], {cwd: program.cwd, env: environmentOf(program), stdio: 'inherit'});
  // Ctrl-C is for the program that has the terminal: here it would end the dashboard under it
  const listeners = process.listeners('SIGINT');
  const ignore = () => {};
  process.on('SIGINT', ignore);
  for (const listener of listeners) process.off('SIGINT', listener);
  try {
    return (await ended(child)) ?? 130;
  } finally {
    for (const listener of listeners) process.on('SIGINT', listener);
    process.off('SIGINT', ignore);
  }
}

export type Launched =
  /** The run has begun; its journal is below the state folder from now on. */
  | {readonly kind: 'run'; readonly run: string; readonly pid: number}
  /** It ended before a run began: nothing to do, or a reason why not. */
  | {readonly kind: 'ended'; readonly envelope: Envelope};

/**
 * Starts a command in a session of its own, so that neither a closed terminal nor the end of this program, however it ends, stops it. Resolves as
 * soon as its run has begun. It writes to files, not to a pipe: a pipe breaks with its reader.
 */
export async function launchProgram(program: OwnProgram, argv: readonly string[]): Promise<Launched> {
  const folder = join(program.folder, 'launched', `${Date.now()}-${randomBytes(3).toString('hex')}`);
  await mkdir(folder, {recursive: true, mode: 0o700});
  const stdout = await open(join(folder, 'stdout'), 'ax', 0o600);
  const stderr = await open(join(folder, 'stderr'), 'ax', 0o600);
  let child: ChildProcess;
  try {
    child = spawn(program.execPath, [program.script, ...argv], {
      cwd: program.cwd,
      env: environmentOf(program),
      detached: true,
      stdio: ['ignore', stdout.fd, stderr.fd],
    });
  } finally {
    await stdout.close();
    await stderr.close();
  }
  child.unref();
  let exit: {readonly code: number | null} | undefined;
  const end = ended(child).then((code) => (exit = {code}));
  end.catch(() => {});
  try {
    for (;;) {
      const isOver = exit !== undefined;
      const text = await readFile(join(folder, 'stdout'), 'utf8');
      const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
      const started = lines.map((line) => (line.includes('"run.started"') ? parse<TriremeEvent>(line) : undefined)).find((event) => event !== undefined);
      if (started?.type === 'run.started') return {kind: 'run', run: started.run, pid: child.pid as number};
      if (isOver) return {kind: 'ended', envelope: await lastWord(folder, lines, argv, exit?.code ?? null)};
      await Promise.race([end, sleep(50)]);
    }
  } finally {
    // the run's own journal tells the rest; when this program ends first, the next one sweeps
    void end.catch(() => {}).then(() => rm(folder, {recursive: true, force: true}));
  }
}

async function lastWord(folder: string, lines: readonly string[], argv: readonly string[], code: number | null): Promise<Envelope> {
  const envelope = lines
    .toReversed()
    .map((line) => parse<Envelope>(line))
    .find((one) => one?.command !== undefined && 'exit' in one);
  if (envelope !== undefined) return envelope;
  const stderr = await readFile(join(folder, 'stderr'), 'utf8').catch(() => '');
  throw new Error(`trireme ${argv.join(' ')} ended with ${code} and no answer: ${stderr.trim().slice(-4096)}`);
}

/** Takes away what launches of a program that was killed left behind. */
export async function sweepLaunched(folder: string, now: number = Date.now()): Promise<void> {
  const path = join(folder, 'launched');
  const names = await readdir(path).catch(() => []);
  for (const name of names) {
    const age =
      now -
      (await stat(join(path, name)).then(
        (found) => found.mtimeMs,
        () => now,
      ));
    if (age > dayMs) await rm(join(path, name), {recursive: true, force: true}).catch(() => {});
  }
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
}

function parse<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}
