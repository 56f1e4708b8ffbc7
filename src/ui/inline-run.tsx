// The Run picture under the lines of a command: `apply` in a terminal. It takes no keys and no screen of its own, so its end stays to be scrolled to.
import {EventEmitter} from 'node:events';
import {Box, render} from 'ink';
import {emptyRunView, reduceRun, type RunView} from '../fleet/run-view.ts';
import type {TriremeEvent} from '../kernel/event.ts';
import {lineOfName, nameWidth} from './line-texts.ts';
import {runLines} from './run-lines.ts';
import {colorLevelOf, createTheme, themeNameOf, type ThemeName, type ThemeOptions} from './theme.ts';
import {Line} from './widgets/line.tsx';

/** In ms. */
const frameInterval = 100;
const hideCursor = '\u001B[?25l';
const showCursor = '\u001B[?25h';

export interface InlineRunOptions {
  readonly stream: {write(text: string): unknown; readonly columns?: number; readonly rows?: number};
  readonly theme: ThemeOptions;
  /** Takes the command's secrets out of all that is written. */
  readonly redact: (text: string) => string;
  /** What is worth a line of its own above the picture: it stays. */
  readonly lineFor: (event: TriremeEvent) => string | undefined;
}

export interface InlineRun {
  /** Subscribe this to the run's journal. */
  readonly follow: (event: TriremeEvent) => void;
  readonly view: RunView;
  /** Prints a line above the picture. */
  note(text: string): void;
  /** Draws the end, which stays, and gives the cursor back; harmless when called twice. */
  close(): void;
}

/** As `followInline`, for a command: looks follow the terminal and what the person prefers. */
export function drawRunInline({
  theme,
  color,
  isAscii,
  env = process.env,
  ...options
}: Omit<InlineRunOptions, 'theme'> & {
  readonly theme: ThemeName | 'auto';
  readonly color: 'auto' | 'always' | 'never';
  readonly isAscii: boolean;
  readonly env?: Readonly<Record<string, string | undefined>>;
}): InlineRun {
  return followInline({...options, theme: {name: themeNameOf(theme, env), level: colorLevelOf(env, color), ascii: isAscii}});
}

export function followInline({stream, theme: look, redact, lineFor}: InlineRunOptions): InlineRun {
  const theme = createTheme(look);
  const block = new Block(stream, redact);
  let view = emptyRunView;
  let isOpen = true;
  let drawnAt = 0;
  let timer: NodeJS.Timeout | undefined;
  const picture = () => {
    // one row less than there are: a terminal that scrolls by itself would tear the picture
    const width = stream.columns ?? 80;
    const height = Math.max(3, (stream.rows ?? 24) - 1);
    // what became of each host is told by the summary, below
    const shown = view.outcome === undefined ? view : {...view, hosts: [], problems: [], warnings: []};
    // warnings are above the picture already
    return <RunPicture lines={runLines({...shown, warnings: []}, {theme, width, height, now: Date.now()})} />;
  };
  // in debug mode Ink writes whole frames, at once, whatever it takes CI for; the block finds out what to erase
  const instance = render(<Box />, {stdout: block as unknown as NodeJS.WriteStream, debug: true, exitOnCtrlC: false, patchConsole: false});
  const draw = () => {
    drawnAt = Date.now();
    instance.rerender(picture());
  };
  const schedule = () => {
    if (timer !== undefined || !isOpen) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        draw();
        schedule(); // time and spinner go on without events
      },
      Math.max(0, drawnAt + frameInterval - Date.now()),
    );
    timer.unref();
  };
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    clearTimeout(timer);
    if (view.run !== '') draw();
    block.close();
    instance.unmount();
  };
  return {
    follow: (event) => {
      view = reduceRun(view, event);
      const line = lineFor(event);
      if (line !== undefined) block.above(line);
      if (event.type === 'run.started') block.open();
      if (event.type === 'run.finished') close();
      else schedule();
    },
    get view() {
      return view;
    },
    note: (text) => {
      block.above(text);
      schedule();
    },
    close,
  };
}

/** The same lines as on the Run screen. */
function RunPicture({lines}: {readonly lines: readonly string[]}) {
  return (
    <Box flexDirection="column">
      {lines.map((line, row) => (
        // oxlint-disable-next-line react/no-array-index-key -- rows have no other name
        <Line key={row} text={line} />
      ))}
    </Box>
  );
}

/** Takes whole frames and draws each in the place of the one before; lines that stay go above it. */
class Block extends EventEmitter {
  readonly isTTY = true;
  readonly #stream: InlineRunOptions['stream'];
  readonly #redact: (text: string) => string;
  #height = 0;
  #above = '';
  #isOpen = false;
  #isClosed = false;

  constructor(stream: InlineRunOptions['stream'], redact: (text: string) => string) {
    super();
    this.#stream = stream;
    this.#redact = redact;
  }

  get columns(): number {
    return nameWidth;
  }

  get rows(): number {
    return this.#stream.rows ?? 24;
  }

  open(): void {
    this.#isOpen = true;
    this.#stream.write(hideCursor);
  }

  above(text: string): void {
    this.#above += `${text}\n`;
  }

  /** What Ink draws. */
  write(frame: string | Uint8Array, ...rest: readonly unknown[]): boolean {
    const text = String(frame);
    // Ink's own escapes for the cursor are ours here
    // oxlint-disable-next-line no-control-regex -- escapes are what this is about
    if (this.#isOpen && !this.#isClosed && !/^(?:\u001B\[\?25[hl])*$/.test(text)) this.#draw(text.split('\n').map(lineOfName));
    const done = rest.find((one) => typeof one === 'function') as (() => void) | undefined;
    if (done !== undefined) setImmediate(done);
    return true;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#above !== '') this.#stream.write(this.#redact(`${this.#erase()}${this.#above}`));
    if (this.#isOpen) this.#stream.write(showCursor);
  }

  #draw(lines: readonly string[]): void {
    // a window that became narrower has wrapped what was drawn: its lines can't be counted any more, and the rest of them stays
    this.#stream.write(this.#redact(`${this.#erase()}${this.#above}${lines.map((line) => `${line}\n`).join('')}`));
    this.#above = '';
    this.#height = lines.length;
  }

  #erase(): string {
    return this.#height === 0 ? '' : `\u001B[${this.#height}A\r\u001B[0J`;
  }
}
