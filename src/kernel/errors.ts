// The one error type, and the rule that picks an exit code when several things went wrong.
import {errorCodes, type ErrorCode, type ExitCode} from './error-codes.ts';

export interface TriremeErrorOptions {
  /** What to do about it, most promising first; each a sentence or a command. */
  readonly hints?: readonly string[];
  readonly cause?: unknown;
  /** The host (or machine) that it happened on. */
  readonly host?: string;
  /** More facts for the JSON output; never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An error that a person can act on: what is, why, what to do. The exit code follows from the code. */
export class TriremeError extends Error {
  readonly code: ErrorCode;
  readonly hints: readonly string[];
  readonly host: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: TriremeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : {cause: options.cause});
    this.name = 'TriremeError';
    this.code = code;
    this.hints = options.hints ?? [];
    this.host = options.host;
    this.details = options.details;
  }

  get exit(): ExitCode {
    return errorCodes[this.code].exit;
  }
}

export function isTriremeError(error: unknown): error is TriremeError {
  return error instanceof TriremeError;
}

/** True for what an AbortSignal throws, whoever threw it. */
export function isAbortError(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || (error as {code?: unknown}).code === 'ABORT_ERR');
}

const precedence: readonly ExitCode[] = [70, 130, 8, 5, 1, 4, 6, 7];

/** The exit code for several failures at once: the first of 70, 130, 8, 5, 1, 4, 6, 7 that applies, else the first one's own. */
export function exitCodeOf(exits: readonly ExitCode[]): ExitCode {
  return precedence.find((code) => exits.includes(code)) ?? exits.find((code) => code !== 0) ?? 0;
}
