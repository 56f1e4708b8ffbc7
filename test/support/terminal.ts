// A terminal for tests: a program on a pseudo-terminal, its screen as a person sees it, and keys as a person presses them.
import {spawn, type IPty} from '@lydell/node-pty';
import xterm from '@xterm/headless';
import {program} from './trireme.ts';

/** What keys send, as xterm does. */
const keys = {
  enter: '\r',
  escape: '\u001B',
  tab: '\t',
  'shift-tab': '\u001B[Z',
  space: ' ',
  backspace: '\u007F',
  delete: '\u001B[3~',
  up: '\u001B[A',
  down: '\u001B[B',
  right: '\u001B[C',
  left: '\u001B[D',
  home: '\u001B[H',
  end: '\u001B[F',
  'page-up': '\u001B[5~',
  'page-down': '\u001B[6~',
  'ctrl-c': '\u0003',
  'ctrl-d': '\u0004',
  'ctrl-z': '\u001A',
} as const;
export type Key = keyof typeof keys;

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  /** All of the environment but PATH, TERM, LANG and CI, which are set; each can be replaced. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** How long `shows` waits, in ms; default 20,000. */
  readonly patience?: number;
}

export interface TestTerminal {
  readonly pty: IPty;
  /** The exit code; what was written last is on the screen then. */
  readonly exited: Promise<number>;
  /** Keys pressed and characters typed so far. */
  readonly presses: number;
  /** Everything the program wrote, escapes included. */
  readonly raw: string;
  /** How long `shows` waits where it isn't told, in ms. */
  readonly patience: number;
  /** The visible lines, without what scrolled away; trailing blanks cut. */
  screen(): string;
  /** All lines, with those that scrolled away; one that the terminal wrapped is one line. */
  text(): string;
  /** True while the program shows its alternate screen. */
  isAlternate(): boolean;
  /** Resolves once all lines match; rejects, with what is on the screen, when the program ends or patience does. */
  shows(wanted: RegExp | string | ((text: string) => boolean), options?: ShowsOptions): Promise<void>;
  /** Types text; each character is one press. */
  type(text: string): void;
  /** Presses keys one after the other. */
  key(...pressed: readonly (Key | (string & {}))[]): void;
  /** Resizes and tells the program. */
  resize(columns: number, rows: number): void;
  /** Ends the program if it still runs. */
  close(): Promise<void>;
}

export interface ShowsOptions {
  /** Only the visible lines count; default: what scrolled away counts too. */
  readonly visible?: boolean;
  /** Only lines below the last one that matches this. */
  readonly after?: RegExp;
  readonly patience?: number;
}

/** Opens `trireme ARGS` on a terminal. Only PATH is inherited: HOME and everything else is what the test says. */
export function openTerminal(args: readonly string[], options: TerminalOptions = {}): TestTerminal {
  return openProgram(process.execPath, [program, ...args], options);
}

/** Opens any program on a terminal: a shell, say. */
export function openProgram(file: string, args: readonly string[], options: TerminalOptions = {}): TestTerminal {
  const {columns = 100, rows = 30, patience: usualPatience = 20_000} = options;
  const terminal = new xterm.Terminal({cols: columns, rows, scrollback: 10_000, allowProposedApi: true});
  const env = {PATH: process.env['PATH'], TERM: 'xterm-256color', LANG: 'C.UTF-8', CI: 'false', ...options.env};
  const pty = spawn(file, [...args], {
    cols: columns,
    rows,
    name: env.TERM ?? 'xterm-256color',
    env: Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)),
    ...(options.cwd === undefined ? {} : {cwd: options.cwd}),
  });
  const listeners = new Set<() => void>();
  let raw = '';
  let presses = 0;
  let hasEnded = false;
  pty.onData((content) => {
    raw += content;
    terminal.write(content, () => listeners.forEach((listener) => listener()));
  });
  // programs that ask the terminal something (cursor position, colours) get their answer
  terminal.onData((answer) => pty.write(answer));
  const exited = new Promise<number>((resolve) => {
    pty.onExit(({exitCode}) => {
      hasEnded = true;
      terminal.write('', () => resolve(exitCode));
    });
  });
  const line = (row: number) => terminal.buffer.active.getLine(row);
  const screen = () =>
    Array.from({length: terminal.rows}, (_, row) => line(terminal.buffer.active.viewportY + row)?.translateToString(true) ?? '')
      .join('\n')
      .trimEnd();
  // a line that the terminal wrapped is one line: what a program wrote, whatever the width
  const text = () =>
    Array.from({length: terminal.buffer.active.length}, (_, row) => {
      const goesOn = line(row + 1)?.isWrapped === true;
      return `${line(row)?.translateToString(!goesOn) ?? ''}${goesOn ? '' : '\n'}`;
    })
      .join('')
      .trimEnd();
  return {
    pty,
    exited,
    get presses() {
      return presses;
    },
    get raw() {
      return raw;
    },
    patience: usualPatience,
    screen,
    text,
    isAlternate: () => terminal.buffer.active.type === 'alternate',
    shows: (wanted, {visible = false, after, patience = usualPatience} = {}) =>
      new Promise<void>((resolve, reject) => {
        const seen = () => {
          const all = visible ? screen() : text();
          if (after === undefined) return all;
          const rowsSeen = all.split('\n');
          return rowsSeen.slice(rowsSeen.findLastIndex((row) => after.test(row)) + 1).join('\n');
        };
        const isThere = () => (typeof wanted === 'string' ? seen().includes(wanted) : wanted instanceof RegExp ? wanted.test(seen()) : wanted(seen()));
        const finish = (error?: Error) => {
          listeners.delete(look);
          clearTimeout(timer);
          if (error === undefined) resolve();
          else reject(error);
        };
        const look = () => {
          if (isThere()) finish();
        };
        const timer = setTimeout(() => finish(new Error(`waited ${patience} ms for ${String(wanted)}; on the screen:\n${text()}`)), patience);
        listeners.add(look);
        look();
        void exited.then(() => (isThere() ? finish() : finish(new Error(`the program ended without ${String(wanted)}; on the screen:\n${text()}`))));
      }),
    type: (typed) => {
      for (const character of typed) {
        presses += 1;
        pty.write(character);
      }
    },
    key: (...pressed) => {
      for (const one of pressed) {
        presses += 1;
        pty.write(Object.hasOwn(keys, one) ? keys[one as Key] : one);
      }
    },
    resize: (newColumns, newRows) => {
      terminal.resize(newColumns, newRows);
      pty.resize(newColumns, newRows);
    },
    close: async () => {
      if (!hasEnded) pty.kill('SIGKILL');
      await exited;
      terminal.dispose();
    },
  };
}
