// This terminal as the screen and keyboard of a program elsewhere: raw, so that every key goes there.
import type {Readable, Writable} from 'node:stream';

export interface RemoteScreen {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<{readonly code: number}>;
  resize(rows: number, columns: number): void;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
  /** TERM. */
  readonly term: string;
}

/** The size of this terminal; undefined when standard input and output aren't one. */
export function terminalSize(): TerminalSize | undefined {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) return undefined;
  return {rows: process.stdout.rows, columns: process.stdout.columns, term: process.env['TERM'] ?? 'xterm'};
}

/** Joins the two until the program ends, and gives the terminal back whatever happens. Returns the program's exit code. */
export async function attachTerminal(screen: RemoteScreen): Promise<number> {
  const {stdin, stdout, stderr} = process;
  const resize = () => screen.resize(stdout.rows, stdout.columns);
  const send = (chunk: Buffer) => void screen.stdin.write(chunk);
  stdin.setRawMode(true);
  stdout.on('resize', resize);
  stdin.on('data', send);
  stdin.resume();
  screen.stdout.on('data', (chunk: Buffer) => stdout.write(chunk));
  screen.stderr.on('data', (chunk: Buffer) => stderr.write(chunk));
  try {
    return (await screen.exited).code;
  } finally {
    stdin.off('data', send);
    stdout.off('resize', resize);
    stdin.setRawMode(false);
    stdin.pause();
  }
}
