// A real terminal: a pseudo-terminal with a screen behind it.
import {spawn} from '@lydell/node-pty';
import xterm from '@xterm/headless';

export interface PtyScreen {
  readonly pid: number;
  readonly exited: Promise<number>;
  /** The lines now on the screen. */
  text(): string;
  /** Everything that was written to the terminal. */
  written(): string;
  /** Whether the screen for full-screen programs is in use. */
  isAlternate(): boolean;
  isCursorShown(): boolean;
  write(keys: string): void;
  resize(columns: number, rows: number): void;
  kill(signal: string): void;
  /** Resolves with the screen once it is so; rejects with what is on it when the program ends without, or after a while (ms). */
  shows(pattern: RegExp | (() => boolean), timeout?: number): Promise<string>;
}

export interface PtyOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/** How long something may take to be shown, in ms. */
const patience = 25_000;

/** Starts a program on a terminal of its own. Only PATH is inherited; Ink takes an empty CI for CI. */
export function openPty(file: string, args: readonly string[], options: PtyOptions = {}): PtyScreen {
  const {columns = 100, rows = 30} = options;
  const terminal = new xterm.Terminal({cols: columns, rows, allowProposedApi: true});
  const pty = spawn(file, [...args], {
    cols: columns,
    rows,
    ...(options.cwd === undefined ? {} : {cwd: options.cwd}),
    env: {PATH: process.env['PATH'], TERM: 'xterm-256color', LANG: 'C.UTF-8', CI: 'false', ...options.env},
  });
  const listeners = new Set<() => void>();
  let written = '';
  pty.onData((text) => {
    written += text;
    terminal.write(text, () => listeners.forEach((listener) => listener()));
  });
  const exited = new Promise<number>((resolve) => pty.onExit(({exitCode}) => terminal.write('', () => resolve(exitCode))));
  const text = () => {
    const {active} = terminal.buffer;
    return Array.from({length: terminal.rows}, (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '').join('\n');
  };
  return {
    pid: pty.pid,
    exited,
    text,
    written: () => written,
    isAlternate: () => terminal.buffer.active.type === 'alternate',
    isCursorShown: () => written.lastIndexOf('\u001B[?25h') >= written.lastIndexOf('\u001B[?25l'),
    write: (keys) => pty.write(keys),
    resize: (newColumns, newRows) => {
      terminal.resize(newColumns, newRows);
      pty.resize(newColumns, newRows);
    },
    kill: (signal) => pty.kill(signal),
    shows: (pattern, timeout = patience) =>
      new Promise((resolve, reject) => {
        const fits = () => (pattern instanceof RegExp ? pattern.test(text()) : pattern());
        const end = (why?: string) => {
          clearTimeout(timer);
          listeners.delete(look);
          if (why === undefined) resolve(text());
          else reject(new Error(`${why} without ${String(pattern)}:\n${text()}`));
        };
        const look = () => void (fits() && end());
        const timer = setTimeout(() => end('waited'), timeout);
        listeners.add(look);
        look();
        void exited.then(() => (fits() ? end() : end('ended')));
      }),
  };
}
