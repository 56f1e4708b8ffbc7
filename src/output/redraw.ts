// A view that is drawn anew after each change: in place on a terminal, else one after the other.
import type {OutputStream} from './terminal.ts';

const clear = '\u001B[H\u001B[2J\u001B[3J';

export interface RedrawOptions {
  readonly stream: OutputStream;
  /** Writes one text with a newline, secrets taken out. */
  write(text: string): void;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Returns a function that shows a text; an equal one isn't shown again. */
export function createRedraw({stream, write, env = process.env}: RedrawOptions): (text: string) => void {
  const inPlace = stream.isTTY === true && env['TERM'] !== 'dumb';
  let shown: string | undefined;
  return (text) => {
    if (text === shown) return;
    const isFirst = shown === undefined;
    shown = text;
    if (inPlace) write(clear + fitted(text, stream.rows ?? 24));
    else write(isFirst ? text : `\n${text}`);
  };
}

/** A text that is higher than the terminal would scroll away: its end is counted instead. */
function fitted(text: string, rows: number): string {
  const lines = text.split('\n');
  const room = Math.max(3, rows - 1);
  if (lines.length <= room) return text;
  return [...lines.slice(0, room - 1), `... ${lines.length - room + 1} more lines`].join('\n');
}
