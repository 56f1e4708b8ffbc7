// Steps that only wait: they look until what is wanted is so, say how far it is whenever that changes, and name what is missing when time is up.
import {sleep} from '../../../kernel/cancel.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import type {Step, StepContext} from '../../../plan/plan.ts';
import type {ControllerScope} from '../scope.ts';

/** How often is looked, in ms. */
const interval = 1500;

export interface Progress {
  readonly done: boolean;
  /** How far it is, or what it waits for: `3/5 available`. */
  readonly text: string;
  /** What hinders it, a sentence each. */
  readonly blockedBy?: readonly string[];
}

export interface WaitStepOptions {
  readonly id: string;
  readonly title: string;
  readonly host?: string;
  /** Name of the condition in events. */
  readonly condition: string;
  /** What is waited for; for events without a host. */
  readonly subject: string;
  look(scope: ControllerScope, signal: AbortSignal): Promise<Progress>;
  /** In ms; else only the run's own --timeout ends it. */
  readonly deadline?: number;
}

/** Throws `wait.timed-out` with the last progress when the run's time, or its own, is up. */
export function waitStep(options: WaitStepOptions): Step<ControllerScope> {
  const {id, title, host} = options;
  return {
    id,
    title,
    effect: 'none',
    ...(host === undefined ? {} : {host}),
    check: async ({scope, signal}) => ((await options.look(scope, signal)).done ? 'satisfied' : 'needed'),
    apply: (context) => waitUntilDone(options, context),
  };
}

async function waitUntilDone(options: WaitStepOptions, context: StepContext<ControllerScope>): Promise<string> {
  const {signal} = context;
  const state: {progress: Progress} = {progress: {done: false, text: 'not looked yet'}};
  try {
    return await lookOn(options, context, state);
  } catch (error) {
    // the run's own clock aborts with an error that says so: what was waited for belongs to it
    const reason: unknown = signal.aborted ? signal.reason : undefined;
    if (reason instanceof Error && (reason as {code?: unknown}).code === 'wait.timed-out') throw timedOut(options, state.progress, undefined, error);
    throw error;
  }
}

async function lookOn(options: WaitStepOptions, context: StepContext<ControllerScope>, state: {progress: Progress}): Promise<string> {
  const {scope, signal, stopping, emit} = context;
  const {host, condition, subject, deadline} = options;
  const end = deadline === undefined ? Number.POSITIVE_INFINITY : Date.now() + deadline;
  let told = '';
  for (;;) {
    const progress = await options.look(scope, signal);
    state.progress = progress;
    if (progress.done) return progress.text;
    const message = [progress.text, ...(progress.blockedBy ?? [])].join('; ');
    if (message !== told) emit({type: 'condition.changed', subject, condition, status: 'false', message, ...(host === undefined ? {} : {host})});
    told = message;
    if (Date.now() >= end) throw timedOut(options, progress, `${(deadline ?? 0) / 1000} s`);
    await sleep(Math.min(interval, Math.max(0, end - Date.now())), AbortSignal.any([signal, stopping]));
  }
}

function timedOut({title, subject}: WaitStepOptions, progress: Progress, after: string | undefined, cause?: unknown): TriremeError {
  const blocked = (progress.blockedBy ?? []).map((line) => `\n  ${line}`).join('');
  return new TriremeError(
    'wait.timed-out',
    `${subject}: "${title}" is not done${after === undefined ? ' within --timeout' : ` after ${after}`}: ${progress.text}.${blocked}`,
    {
      hints: ['What was wanted is set, and Cluster API goes on by itself. Look: trireme cluster describe'],
      ...(cause === undefined ? {} : {cause}),
    },
  );
}

/** One look that several steps share, so that waiting for ten pools costs what waiting for one does. */
export class SharedLook<T> {
  readonly #look: (scope: ControllerScope, signal: AbortSignal) => Promise<T>;
  #last: {readonly at: number; readonly value: Promise<T>} | undefined;

  constructor(look: (scope: ControllerScope, signal: AbortSignal) => Promise<T>) {
    this.#look = look;
  }

  /** The last look when it is younger than a moment, else a new one. */
  now(scope: ControllerScope, signal: AbortSignal): Promise<T> {
    if (this.#last === undefined || Date.now() - this.#last.at > interval / 2) {
      const value = this.#look(scope, signal);
      // a failed look is nobody's answer but the one's who asked
      value.catch(() => (this.#last = undefined));
      this.#last = {at: Date.now(), value};
    }
    return this.#last.value;
  }
}
