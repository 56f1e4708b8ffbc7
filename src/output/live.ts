// One block on standard error that is redrawn in place, at most ten times a second; what must stay is printed above it.
import {emptyRunView, reduceRun, type RunView} from '../fleet/run-view.ts';
import type {TriremeEvent} from '../kernel/event.ts';
import {renderFrame} from './frame.ts';
import {renderEvent} from './plain.ts';
import type {OutputStream} from './terminal.ts';
import type {Style} from './style.ts';

/** In ms. */
const frameInterval = 100;
const hideCursor = '\u001B[?25l';
const showCursor = '\u001B[?25h';

export interface LiveOptions {
  readonly stream: OutputStream;
  readonly style: Style;
  readonly verbose: boolean;
  readonly redact: (text: string) => string;
}

/** What is worth a line of its own above the block. */
const permanent: ReadonlySet<TriremeEvent['type']> = new Set(['run.started', 'host.unreachable', 'warning.raised', 'question.asked']);

/** Follows one run on a terminal. */
export class LiveBlock {
  readonly #options: LiveOptions;
  #view: RunView = emptyRunView;
  #height = 0;
  #drawnAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #above: string[] = [];

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  get view(): RunView {
    return this.#view;
  }

  /** Subscribe this to the run's journal. */
  readonly follow = (event: TriremeEvent): void => {
    this.#view = reduceRun(this.#view, event);
    const line = this.#isPermanent(event) ? renderEvent(event, {style: this.#options.style, verbose: this.#options.verbose}) : undefined;
    if (line !== undefined) this.#above.push(line);
    if (event.type === 'run.started') this.#options.stream.write(hideCursor);
    if (event.type === 'run.finished') this.close();
    else this.#schedule();
  };

  /** Prints a line above the block. */
  note(text: string): void {
    this.#above.push(text);
    this.#schedule();
  }

  /** Takes the block away and gives the cursor back; what was printed above stays. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#options.stream.write(this.#options.redact(`${this.#erase()}${this.#takeAbove()}`) + showCursor);
    this.#height = 0;
  }

  #isPermanent(event: TriremeEvent): boolean {
    if (permanent.has(event.type)) return true;
    if (event.type === 'step.finished') return event.outcome === 'failed';
    return event.type === 'step.output' && (this.#options.verbose || event.asked === true);
  }

  #schedule(): void {
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#drawnAt + frameInterval - Date.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#draw();
      this.#schedule(); // time and spinner go on without events
    }, wait);
    this.#timer.unref();
  }

  #draw(): void {
    const {stream, style, redact} = this.#options;
    this.#drawnAt = Date.now();
    const lines = renderFrame(this.#view, {style, columns: stream.columns ?? 80, rows: stream.rows ?? 24, now: this.#drawnAt});
    stream.write(redact(`${this.#erase()}${this.#takeAbove()}${lines.map((line) => `${line}\n`).join('')}`));
    this.#height = lines.length;
  }

  #erase(): string {
    return this.#height === 0 ? '' : `\u001B[${this.#height}A\r\u001B[0J`;
  }

  #takeAbove(): string {
    const text = this.#above.map((line) => `${line}\n`).join('');
    this.#above = [];
    return text;
  }
}
