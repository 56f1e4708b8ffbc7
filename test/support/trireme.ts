// Runs the built program as a person would: a process of its own, an environment of its own.
import {spawn} from 'node:child_process';
import {fileURLToPath} from 'node:url';

export const program = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningProgram {
  readonly pid: number;
  readonly ended: Promise<Ran>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves once stderr or stdout matches; rejects when the program ends without. */
  saw(pattern: RegExp | ((text: string) => boolean)): Promise<void>;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly input?: string;
  /** In ms; the program is killed then. */
  readonly timeout?: number;
  /** Another build's bin/run.js. */
  readonly program?: string;
}

/** Starts `trireme ARGS`. Only PATH is inherited: HOME and everything else is what the test says. */
export function startTrireme(args: readonly string[], options: RunOptions = {}): RunningProgram {
  const env = {PATH: process.env['PATH'], LANG: 'C.UTF-8', ...options.env} as NodeJS.ProcessEnv;
  const child = spawn(process.execPath, [options.program ?? program, ...args], {
    cwd: options.cwd,
    env,
    stdio: 'pipe',
    timeout: options.timeout ?? 600_000,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    for (const listener of listeners) listener();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    for (const listener of listeners) listener();
  });
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const ended = new Promise<Ran>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({code, signal, stdout, stderr}));
  });
  return {
    pid: child.pid as number,
    ended,
    kill: (signal) => void child.kill(signal),
    saw: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const isIn = (text: string) => (pattern instanceof RegExp ? pattern.test(text) : pattern(text));
          if (!isIn(stdout) && !isIn(stderr)) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
        void ended.then(() => reject(new Error(`the program ended without ${String(pattern)}:\n${stderr}\n${stdout}`)), reject);
      }),
  };
}

/** Runs `trireme ARGS` to its end. */
export function trireme(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return startTrireme(args, options).ended;
}

/** The result part of `-o json`. */
export function resultOf<T = Record<string, unknown>>(ran: Ran): T {
  const answer = JSON.parse(ran.stdout) as {result: T};
  return answer.result;
}

/** True for NDJSON in which at least so many steps have finished. */
export function hasFinishedSteps(count: number): (text: string) => boolean {
  return (text) => text.split('"type":"step.finished"').length > count;
}
