// The streams and what they can do. Besides bin/run.js this is the only place that touches the process.
import {createStyle, type Style} from './style.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface Terminal {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** True when a person can answer: standard input and standard error are a terminal. */
  readonly canAsk: boolean;
  /** True when standard error can be redrawn. */
  readonly canRedraw: boolean;
  /** True when screens can be drawn: standard input and output are a terminal that knows the cursor. */
  readonly canDraw: boolean;
  /** What was wanted of colours. */
  readonly color: 'auto' | 'always' | 'never';
  readonly isAscii: boolean;
  /** Style of what goes to stdout. */
  readonly style: Style;
  /** Style of what goes to stderr. */
  readonly errorStyle: Style;
}

export interface TerminalOptions {
  /** `auto`: as NO_COLOR, FORCE_COLOR and the stream say. */
  readonly color?: 'auto' | 'always' | 'never';
  readonly ascii?: boolean;
  readonly env?: Environment;
  readonly stdin?: {readonly isTTY?: boolean};
  readonly stdout?: OutputStream;
  readonly stderr?: OutputStream;
}

/** What the streams of this process can do: NO_COLOR, FORCE_COLOR, TERM=dumb, CI and the locale count. */
export function createTerminal(options: TerminalOptions = {}): Terminal {
  const env = options.env ?? process.env;
  const stdin = options.stdin ?? process.stdin;
  const stdout = options.stdout ?? process.stdout;
  const stderr = options.stderr ?? process.stderr;
  const ascii = options.ascii === true || !speaksUnicode(env);
  const colorOf = (stream: OutputStream) => {
    if (options.color === 'never' || env['NO_COLOR']) return false;
    if (options.color === 'always') return true;
    if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0') return true;
    return stream.isTTY === true && env['TERM'] !== 'dumb';
  };
  return {
    stdout,
    stderr,
    canAsk: stdin.isTTY === true && stderr.isTTY === true,
    canRedraw: stderr.isTTY === true && env['TERM'] !== 'dumb' && !isSet(env['CI']),
    canDraw: stdin.isTTY === true && stdout.isTTY === true && env['TERM'] !== 'dumb' && env['TERM'] !== undefined && env['TERM'] !== '',
    color: options.color ?? 'auto',
    isAscii: ascii,
    style: createStyle({color: colorOf(stdout), ascii}),
    errorStyle: createStyle({color: colorOf(stderr), ascii}),
  };
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== 'false' && value !== '0';
}

/** The locale's own word counts (POSIX: LC_ALL over LC_CTYPE over LANG); an unset locale is taken for UTF-8, as modern systems are. */
function speaksUnicode(env: Environment): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return env['TERM'] !== 'linux' && (locale === '' || /utf-?8/i.test(locale));
}

/** Calls `onInterrupt` for each Ctrl-C and SIGTERM; returns the function that ends it. */
export function onInterrupt(listener: () => void): () => void {
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return () => {
    process.off('SIGINT', listener);
    process.off('SIGTERM', listener);
  };
}

/** When all that was written has left, or can't leave any more because whoever read it is gone: `trireme help | head -1`. */
export function written(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write('', () => resolve());
  });
}

/** Ends the process now, whatever still runs. */
export function leaveNow(code: number): never {
  process.exit(code);
}

/** The exit code that the process ends with when it is done. */
export function setExitCode(code: number): void {
  process.exitCode = code;
}
