// Stands between Ink and the terminal: takes whole frames, and writes only the lines that changed, at their place, as one synchronised update.
import {channel} from 'node:diagnostics_channel';
import {EventEmitter} from 'node:events';
import {lineOfName, nameWidth} from './line-texts.ts';

/** What is needed of the terminal's stream. */
export interface ScreenStream {
  write(text: string): boolean;
  readonly columns?: number;
  readonly rows?: number;
  readonly writableNeedDrain?: boolean;
  on(event: 'resize' | 'drain', listener: () => void): unknown;
  off(event: 'resize' | 'drain', listener: () => void): unknown;
}

// DEC private mode 2026; a terminal that doesn't know it ignores it, as it ignores any private mode.
const beginUpdate = '\u001B[?2026h';
const endUpdate = '\u001B[?2026l';
// Ink shows and hides the cursor itself; here the session does
// oxlint-disable-next-line no-control-regex -- escapes are what this is about
const cursorOnly = /^(?:\u001B\[\?25[hl])*$/;

/** For whoever measures: how long a frame took from the clock's beat until it was handed to the terminal, as `{ms}`. */
const drawn = channel('trireme:frame');

/** Ink runs in its debug mode on this: one write is one whole frame. */
export class FrameStream extends EventEmitter {
  readonly isTTY = true;
  readonly #stream: ScreenStream;
  readonly #redact: (text: string) => string;
  #shown: readonly string[] = [];
  #wanted: readonly string[] = [];
  #isOpen = false;
  #written = 0;
  #begun: number | undefined;

  /** `redact` takes secrets out of what is about to be shown. */
  constructor(stream: ScreenStream, redact: (text: string) => string = (text) => text) {
    super();
    this.#stream = stream;
    this.#redact = redact;
  }

  /** For Ink, which lays out lines' names. */
  get columns(): number {
    return nameWidth;
  }

  /** The terminal's. */
  get width(): number {
    return this.#stream.columns || 80;
  }

  get rows(): number {
    return this.#stream.rows || 24;
  }

  /** The lines of the newest frame. */
  get frame(): readonly string[] {
    return this.#wanted;
  }

  /** How many frames reached the terminal. */
  get written(): number {
    return this.#written;
  }

  open(): void {
    this.#isOpen = true;
    this.#stream.on('resize', this.#resized);
    this.#stream.on('drain', this.#drained);
    this.repaint();
  }

  /** Nothing is written any more until `open`. */
  close(): void {
    this.#isOpen = false;
    this.#stream.off('resize', this.#resized);
    this.#stream.off('drain', this.#drained);
  }

  /** Draws everything anew: what the terminal shows isn't known any more. */
  repaint(): void {
    this.#shown = [];
    this.#draw('\u001B[H\u001B[2J');
  }

  /** The next frame is being made from now on. */
  begin(): void {
    if (drawn.hasSubscribers) this.#begun = performance.now();
  }

  write(chunk: string | Uint8Array, ...rest: readonly unknown[]): boolean {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    if (!cursorOnly.test(text)) {
      this.#wanted = this.#redact(text.split('\n').map(lineOfName).join('\n')).split('\n');
      this.#draw('');
      if (this.#begun !== undefined) drawn.publish({ms: performance.now() - this.#begun});
      this.#begun = undefined;
    }
    const done = rest.find((one) => typeof one === 'function') as (() => void) | undefined;
    if (done !== undefined) setImmediate(done);
    return true;
  }

  readonly #resized = () => {
    this.#shown = [];
    this.emit('resize');
    this.repaint();
  };

  readonly #drained = () => this.#draw('');

  #draw(before: string): void {
    // a terminal that is slow gets the newest frame when it can take one, not all of them
    if (!this.#isOpen || this.#stream.writableNeedDrain === true) return;
    const lines = this.#wanted.slice(0, this.rows);
    const height = Math.min(this.rows, Math.max(lines.length, this.#shown.length));
    let changes = '';
    for (let row = 0; row < height; row += 1) {
      const line = lines[row] ?? '';
      if (line !== this.#shown[row]) changes += `\u001B[${row + 1};1H${line}\u001B[0m\u001B[K`;
    }
    this.#shown = lines;
    if (changes === '' && before === '') return;
    this.#written += 1;
    this.#stream.write(`${beginUpdate}${before}${changes}${endUpdate}`);
  }
}
