// What every command stands on: global flags, the typed result, and the only place where errors become text or JSON.
import {Command, Errors, type Interfaces} from '@oclif/core';
import type {z} from 'zod';
import {createInterruption, type Interruption} from '../kernel/cancel.ts';
import {TriremeError} from '../kernel/errors.ts';
import {problemOf, type Problem} from '../kernel/problem.ts';
import {Redactor} from '../kernel/redact.ts';
import {Presenter, outputFormats, type OutputFormat} from '../output/present.ts';
import {createTerminal, leaveNow, onInterrupt, setExitCode, type Terminal} from '../output/terminal.ts';
import {readSettings, type Settings} from '../settings.ts';
import {globalFlags} from './base-flags.ts';
import {usageErrorOf} from './base-usage.ts';

/** How long after the second Ctrl-C (or the first, where nothing is being changed) the process is given to end by itself, in ms. */
const graceMs = 2000;

/**
 * A command returns its result and prints text for people on the way; with `-o json` the text is dropped and the envelope
 * `{ok, exit, command, result, warnings, problem?}` is printed, on success and on failure.
 */
export abstract class BaseCommand<R> extends Command {
  static override baseFlags = globalFlags;

  /** The schema of `result` in the JSON output. A contract test holds real output against it. Running a command doesn't need it. */
  static resultSchema?: () => z.ZodType | Promise<z.ZodType>;

  protected readonly redactor = new Redactor();
  protected readonly interruption: Interruption = createInterruption();
  /** Aborts when the person leaves. */
  protected readonly signal: AbortSignal = this.interruption.leaving;
  protected out!: Presenter;
  protected settings!: Settings;
  #problem: Problem | undefined;
  #isShown = false;
  #noteStopping: ((text: string) => void) | undefined;
  #stack: string | undefined;

  abstract override run(): Promise<R>;

  // oclif gives a repeatable flag's environment variable as one text: here it is a list, apart by commas
  protected override async parse<F extends Interfaces.OutputFlags<F>, B extends Interfaces.OutputFlags<B>, A extends Interfaces.OutputArgs<A>>(
    options?: Interfaces.Input<F, B, A>,
    argv?: string[],
  ): Promise<Interfaces.ParserOutput<F, B, A>> {
    const parsed = await super.parse<F, B, A>(options, argv);
    const flags: Record<string, unknown> = parsed.flags;
    for (const [name, flag] of Object.entries(this.ctor.flags ?? {})) {
      const value = flags[name];
      if ('multiple' in flag && flag.multiple === true && typeof value === 'string') flags[name] = value.split(',').filter((item) => item !== '');
    }
    return parsed;
  }

  /** The command as typed: `host list`. */
  protected get commandName(): string {
    return (this.id ?? '').replaceAll(':', ' ');
  }

  /** Reports a failure although there is a result: it decides the exit code, and the result is printed all the same. `isShown`: a person has read it already. */
  protected failWith(problem: Problem | TriremeError, options: {readonly isShown?: boolean} = {}): void {
    this.#isShown = options.isShown ?? false;
    this.#problem = problem instanceof TriremeError ? problemOf(problem) : problem;
  }

  /** From here on the first Ctrl-C only asks to stop: what runs is finished first, and `note` says so. */
  protected finishStepsOnInterrupt(note: (text: string) => void): void {
    this.#noteStopping = note;
  }

  /** Throws `usage.answer-required`, naming the flag, unless the answer is given or a person can be asked. Call it before any work. */
  protected requireAnswer(given: boolean, flag: string, question: string): void {
    if (given || (this.out.terminal.canAsk && !this.out.isForPrograms)) return;
    throw new TriremeError('usage.answer-required', `There's no terminal to ask on: ${question}`, {
      hints: [`Answer beforehand with ${flag} (or TRIREME_${flag.replace(/^-+/, '').split(' ')[0]?.replaceAll('-', '_').toUpperCase()}).`],
    });
  }

  /** Asks; throws `answer.refused` when the answer isn't yes. */
  protected async confirm(question: string, options: {readonly given: boolean; readonly flag: string}): Promise<void> {
    if (options.given) return;
    this.requireAnswer(false, options.flag, question);
    const {askYes} = await import('../prompts/ask.ts');
    if (!(await askYes(question, this.signal))) throw new TriremeError('answer.refused', 'The answer is no; nothing was changed.');
  }

  /** For scopes: asks for a secret and registers it for redaction; undefined where there is no terminal. */
  protected get askSecret(): ((question: string) => Promise<string>) | undefined {
    if (!this.out.terminal.canAsk) return undefined;
    return async (question) => {
      const {askSecret} = await import('../prompts/ask.ts');
      const secret = await askSecret(question, this.signal);
      this.redactor.add(secret);
      return secret;
    };
  }

  protected override async init(): Promise<void> {
    await super.init();
    const {settings, complaints} = readSettings();
    this.settings = settings;
    const asked = askedFor(this.argv);
    this.out = this.createPresenter(createTerminal({color: asked.noColor ? 'never' : settings.color, ascii: asked.ascii || settings.ascii}), asked);
    for (const message of complaints) this.out.warn({code: 'settings.invalid', message});
  }

  protected createPresenter(terminal: Terminal, asked: AskedFor): Presenter {
    return new Presenter({terminal, format: asked.format, quiet: asked.quiet, verbose: asked.verbose, redactor: this.redactor});
  }

  // oclif's own order is init, run, catch, finally, and it prints no JSON for a falsy result: here the envelope is always printed.
  protected override async _run<T>(): Promise<T> {
    const stopListening = onInterrupt(() => this.#interrupted());
    let result: R | undefined;
    try {
      await this.init();
      result = await this.run();
    } catch (error) {
      this.#isShown = false;
      this.#problem = await this.#problemFor(error);
    } finally {
      stopListening();
    }
    this.out ??= this.createPresenter(createTerminal(), askedFor(this.argv));
    const problem = this.#problem;
    const envelope = await this.out.finish({command: this.commandName, result, ...(problem === undefined ? {} : {problem})});
    if (problem !== undefined && problem.code !== 'plan.something-to-do' && !this.#isShown) this.out.problem(problem);
    if (this.#stack !== undefined) this.out.detail(this.#stack);
    setExitCode(envelope.exit);
    return result as T;
  }

  async #problemFor(error: unknown): Promise<Problem> {
    const known = error instanceof Errors.CLIError ? usageErrorOf(error, this.ctor) : error;
    const problem = problemOf(known);
    if (known instanceof Error && (this.out?.verbose || problem.exit === 70)) this.#stack = stackOf(known);
    if (problem.exit !== 70 || this.#stack === undefined) return problem;
    const {writeBugLog} = await import('../output/bug-log.ts');
    const path = await writeBugLog({command: this.commandName, version: this.config.version, stack: this.redactor.text(this.#stack)});
    return path === undefined ? problem : {...problem, hints: [...problem.hints, `The details are in ${path}`]};
  }

  #interrupted(): void {
    const {stopping, leaving} = this.interruption;
    if (leaving.aborted) leaveNow(130);
    this.interruption.request();
    if (this.#noteStopping === undefined && !leaving.aborted) this.interruption.request();
    if (leaving.aborted) setTimeout(() => leaveNow(130), graceMs).unref();
    else if (stopping.aborted) this.#noteStopping?.('Stopping: the steps that run now are finished first. Press Ctrl-C again to leave at once.');
  }
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\nCaused by: ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}

export interface AskedFor {
  readonly format: OutputFormat;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly noColor: boolean;
  readonly ascii: boolean;
}

const truthy = (value: string | undefined) => value !== undefined && /^(1|true|yes|y)$/i.test(value);

/** The global flags, read by hand: they must count even when parsing the rest fails. */
export function askedFor(argv: readonly string[], env: Readonly<Record<string, string | undefined>> = process.env): AskedFor {
  const end = argv.indexOf('--');
  const own = end === -1 ? argv : argv.slice(0, end);
  const has = (...names: readonly string[]) => own.some((word) => names.includes(word));
  let format = env['TRIREME_OUTPUT'];
  for (const [index, word] of own.entries()) {
    if (word === '-o' || word === '--output') format = own[index + 1];
    else if (word.startsWith('--output=')) format = word.slice('--output='.length);
    else if (/^-o.+/.test(word)) format = word.slice(2).replace(/^=/, '');
  }
  return {
    format: outputFormats.find((known) => known === format) ?? 'text',
    quiet: has('-q', '--quiet') || truthy(env['TRIREME_QUIET']),
    verbose: has('-v', '--verbose') || truthy(env['TRIREME_VERBOSE']),
    noColor: has('--no-color') || truthy(env['TRIREME_NO_COLOR']),
    ascii: has('--ascii') || truthy(env['TRIREME_ASCII']),
  };
}
