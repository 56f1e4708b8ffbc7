// Runs a local program: arguments as a list, output captured, a deadline always.
import {spawn} from 'node:child_process';
import {createInterface} from 'node:readline';
import {withDeadline} from './cancel.ts';
import {isAbortError, TriremeError} from './errors.ts';

export interface ExecOptions {
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  /** In ms. */
  readonly deadline: number;
  /** Called with each whole line as it arrives. */
  readonly onLine?: (stream: 'stdout' | 'stderr', line: string) => void;
}

export interface ExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. A failure's exit code is returned, not thrown; throws `exec.not-found` and `wait.timed-out`. */
export function exec(program: string, args: readonly string[], options: ExecOptions): Promise<ExecResult> {
  const signal = withDeadline(options.signal, options.deadline);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {cwd: options.cwd, env: options.env as NodeJS.ProcessEnv, signal, stdio: ['pipe', 'pipe', 'pipe']});
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    if (options.onLine !== undefined) {
      for (const stream of ['stdout', 'stderr'] as const) createInterface({input: child[stream]}).on('line', (line) => options.onLine?.(stream, line));
    }
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') reject(new TriremeError('exec.not-found', `The program ${program} isn't installed.`, {cause: error}));
      else if (isAbortError(error) && !options.signal?.aborted)
        reject(new TriremeError('wait.timed-out', `${program} ran longer than ${options.deadline / 1000} s.`, {cause: error}));
      else reject(error);
    });
    child.on('close', (code) => resolve({code: code ?? 1, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString()}));
    child.stdin.on('error', () => {}); // a program may end without reading its input
    child.stdin.end(options.stdin ?? '');
  });
}
