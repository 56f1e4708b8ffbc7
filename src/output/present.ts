// Who writes where: results to stdout, everything else to stderr, all of it redacted.
import type {TriremeEvent} from '../kernel/event.ts';
import type {Problem} from '../kernel/problem.ts';
import type {Redactor} from '../kernel/redact.ts';
import {hintLines, renderProblem} from './error.ts';
import {envelopeOf, renderEnvelope, type Envelope, type JsonWarning} from './json.ts';
import {sanitize} from './sanitize.ts';
import type {Style} from './style.ts';
import type {Terminal} from './terminal.ts';

/** `text` and `wide` are for people; the others for programs. A command may offer fewer. */
export const outputFormats = ['text', 'wide', 'name', 'yaml', 'json', 'ndjson', 'junit'] as const;
export type OutputFormat = (typeof outputFormats)[number];

export interface PresenterOptions {
  readonly terminal: Terminal;
  readonly format: OutputFormat;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly redactor: Redactor;
}

/** Collects what one command has to say and writes it in the chosen format. */
export class Presenter {
  readonly format: OutputFormat;
  readonly verbose: boolean;
  readonly quiet: boolean;
  readonly terminal: Terminal;
  readonly #redactor: Redactor;
  readonly #warnings: JsonWarning[] = [];

  constructor(options: PresenterOptions) {
    this.format = options.format;
    this.quiet = options.quiet;
    this.verbose = options.verbose;
    this.terminal = options.terminal;
    this.#redactor = options.redactor;
  }

  /** Style of results. */
  get style(): Style {
    return this.terminal.style;
  }

  /** True when stdout is for a program: then `print` says nothing. */
  get isForPrograms(): boolean {
    return this.format === 'json' || this.format === 'ndjson' || this.format === 'yaml';
  }

  /** True when stderr may show progress for a person. */
  get showsProgress(): boolean {
    return !this.quiet && this.format !== 'ndjson';
  }

  get warnings(): readonly JsonWarning[] {
    return this.#warnings;
  }

  /** Writes a result to stdout; nothing where the result goes out as JSON or YAML. Untrusted parts must be sanitized by the renderer. */
  print(text: string): void {
    if (!this.isForPrograms) this.#write('stdout', text);
  }

  /** Writes a part of a stream to stdout, whatever the format: one of several results, each complete in itself. */
  stream(text: string): void {
    this.#write('stdout', text);
  }

  /** Writes progress or a remark to stderr, unless --quiet. */
  note(text: string): void {
    if (this.showsProgress) this.#write('stderr', text);
  }

  /** Writes a remark to stderr only with --verbose. */
  detail(text: string): void {
    if (this.verbose) this.#write('stderr', text);
  }

  /** The text without this command's secrets. */
  readonly redact = (text: string): string => this.#redactor.text(text);

  /** Keeps a warning for the JSON output without showing it; false when it is known already. */
  remember(warning: JsonWarning): boolean {
    if (this.#warnings.some((known) => known.code === warning.code && known.message === warning.message && known.host === warning.host)) return false;
    this.#warnings.push(this.#redactor.value(warning));
    return true;
  }

  /** Remembers a warning for the JSON output and shows it; the same one only once. */
  warn(warning: JsonWarning): void {
    if (!this.remember(warning) || this.format === 'ndjson') return;
    const {color, symbols} = this.terminal.errorStyle;
    const host = warning.host === undefined || warning.message.includes(warning.host) ? '' : `${color.bold(warning.host)}: `;
    const line = `${color.yellow(symbols.warning)} ${host}${sanitize(warning.message)}`;
    this.#write('stderr', [line, ...hintLines(warning.hints ?? [], this.terminal.errorStyle)].join('\n'));
  }

  /** Shows a failure on stderr. */
  problem(problem: Problem): void {
    if (this.format !== 'ndjson') this.#write('stderr', renderProblem(problem, this.terminal.errorStyle));
  }

  /** One event as a line on stdout: `-o ndjson`. */
  event(event: TriremeEvent): void {
    this.#write('stdout', JSON.stringify(event));
  }

  /** Writes the end of the command: the envelope where a program reads, the result as YAML, else nothing. */
  async finish(parts: {readonly command: string; readonly result: unknown; readonly problem?: Problem}): Promise<Envelope> {
    const whole = envelopeOf({...parts, warnings: this.#warnings});
    // what isn't printed needn't be searched for secrets: a fleet's result is large
    const envelope = this.isForPrograms ? this.#redactor.value(whole) : whole;
    if (this.format === 'json' || this.format === 'ndjson') this.#write('stdout', renderEnvelope(envelope, this.format));
    else if (this.format === 'yaml' && envelope.result !== null) {
      const {stringify} = await import('yaml');
      this.#write('stdout', stringify(envelope.result));
    }
    return envelope;
  }

  #write(stream: 'stdout' | 'stderr', text: string): void {
    const clean = this.#redactor.text(text);
    this.terminal[stream].write(clean.endsWith('\n') ? clean : `${clean}\n`);
  }
}
