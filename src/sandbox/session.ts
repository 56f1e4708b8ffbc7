// Runs the program's own commands, or a person's shell, inside a sandbox.
import {spawn} from 'node:child_process';
import {join} from 'node:path';

/** Where programs find a sandbox. */
export interface SessionPlace {
  readonly folder: string;
  /** Where a shell begins; default: where the person is. */
  readonly cwd?: string;
  /** Environment in which commands use the sandbox and leave everything of the person's own alone. */
  readonly env: Readonly<Record<string, string>>;
  /** Told of every process that is started here, so that it ends with the sandbox even when that is killed; returns how to take that back. */
  readonly guard: (pid: number) => () => void;
}

export interface SessionOptions {
  /** The package's folder: bin/run.js lies below it. */
  readonly root: string;
  readonly signal: AbortSignal;
  /** What the programs print goes to stderr: stdout is somebody else's. */
  readonly toStderr?: boolean;
  /** It has no terminal, and nobody reads what it prints. */
  readonly isSilent?: boolean;
}

/** Runs `trireme ARGS` against the sandbox on the same terminal, and returns its exit code. */
export function runInSandbox(sandbox: SessionPlace, args: readonly string[], options: SessionOptions): Promise<number> {
  return runProgram(process.execPath, [join(options.root, 'bin/run.js'), ...args], {...process.env, ...sandbox.env}, {...options, guard: sandbox.guard});
}

/** Opens a shell, or runs the given program, in which `trireme` uses the sandbox. */
export function openShell(sandbox: SessionPlace, program: readonly string[], options: SessionOptions): Promise<number> {
  const [command, ...args] = program.length > 0 ? (program as [string, ...string[]]) : ([process.env['SHELL'] ?? '/bin/sh'] as [string]);
  const path = `${join(sandbox.folder, 'path')}:${process.env['PATH'] ?? ''}`;
  return runProgram(command, args, {...process.env, ...sandbox.env, PATH: path}, {...options, cwd: sandbox.cwd, guard: sandbox.guard});
}

function runProgram(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  {signal, cwd, toStderr = false, isSilent = false, guard}: SessionOptions & Pick<SessionPlace, 'guard'> & {readonly cwd?: string | undefined},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {env, cwd, stdio: isSilent ? 'ignore' : toStderr ? ['inherit', 2, 2] : 'inherit'});
    const onEnd = child.pid === undefined ? undefined : guard(child.pid);
    const onAbort = () => child.kill('SIGTERM');
    signal.addEventListener('abort', onAbort, {once: true});
    child.on('error', reject);
    child.on('close', (code, killed) => {
      signal.removeEventListener('abort', onAbort);
      onEnd?.();
      resolve(killed === null ? (code ?? 1) : 130);
    });
  });
}
