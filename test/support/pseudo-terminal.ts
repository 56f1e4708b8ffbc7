// The built program on a pseudo-terminal: what a person would see, and types.
import {spawn, type IPty} from '@lydell/node-pty';
import xterm from '@xterm/headless';
import {program} from './trireme.ts';

export interface PseudoTerminal {
  readonly pty: IPty;
  readonly exited: Promise<number>;
  /** The lines now on the screen, and those that have been scrolled out of it. */
  text(): string;
  readonly isAlternate: boolean;
  /** All that was written, with its escapes. */
  raw(): string;
  press(keys: string): void;
  /** Resolves once the screen matches; rejects with what is on it when the program ends, or `timeout` (ms) is over, without. */
  shows(pattern: RegExp, timeout?: number): Promise<string>;
}

export interface PseudoTerminalOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly columns?: number;
  readonly rows?: number;
}

export function openPseudoTerminal(args: readonly string[], {env, cwd, columns = 100, rows = 30}: PseudoTerminalOptions): PseudoTerminal {
  const terminal = new xterm.Terminal({cols: columns, rows, allowProposedApi: true});
  const given = {PATH: process.env['PATH'], TERM: 'xterm-256color', LANG: 'C.UTF-8', CI: 'false', ...env};
  const pty = spawn(process.execPath, [program, ...args], {
    cols: columns,
    rows,
    cwd,
    env: Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined)),
  });
  const listeners = new Set<() => void>();
  let written = '';
  pty.onData((data) => {
    written += data;
    terminal.write(data, () => listeners.forEach((listener) => listener()));
  });
  const exited = new Promise<number>((resolve) => pty.onExit(({exitCode}) => terminal.write('', () => resolve(exitCode))));
  const text = () => {
    const {active} = terminal.buffer;
    return Array.from({length: active.length}, (_, row) => active.getLine(row)?.translateToString(true).trimEnd() ?? '')
      .join('\n')
      .trimEnd();
  };
  return {
    pty,
    exited,
    text,
    raw: () => written,
    press: (keys) => pty.write(keys),
    get isAlternate() {
      return terminal.buffer.active.type === 'alternate';
    },
    shows: (pattern, timeout = 30_000) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error) => {
          clearTimeout(timer);
          listeners.delete(look);
          if (error === undefined) resolve(text());
          else reject(error);
        };
        const look = () => {
          if (pattern.test(text())) end();
        };
        const timer = setTimeout(() => end(new Error(`never showed ${pattern}:\n${text()}`)), timeout);
        listeners.add(look);
        look();
        void exited.then(() => end(pattern.test(text()) ? undefined : new Error(`ended without ${pattern}:\n${text()}`)));
      }),
  };
}
