// A failure as plain data, for events, the ledger and JSON output.
import {errorCodes, type ErrorCode, type ExitCode} from './error-codes.ts';
import {isAbortError, isTriremeError, TriremeError} from './errors.ts';

export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hints: readonly string[];
  readonly exit: ExitCode;
  readonly host?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Turns anything thrown into a Problem; what isn't a TriremeError, an interruption or a full disk is a bug of ours (exit 70). */
export function problemOf(error: unknown): Problem {
  if (isTriremeError(error)) {
    return {
      code: error.code,
      message: error.message,
      hints: error.hints,
      exit: error.exit,
      ...(error.host === undefined ? {} : {host: error.host}),
      ...(error.details === undefined ? {} : {details: error.details}),
    };
  }
  if (isAbortError(error)) {
    return {code: 'run.interrupted', message: 'Interrupted.', hints: [], exit: 130};
  }
  const message = error instanceof Error ? error.message : String(error);
  if (isFullDisk(error))
    return {
      code: 'host.disk-full',
      message: `A file system is full: ${message}.`,
      hints: ['Make room there, then run the same command again.'],
      exit: errorCodes['host.disk-full'].exit,
    };
  return {
    code: 'bug.unexpected',
    message: `This is a bug in Trireme: ${message}`,
    hints: ['Please report it with the run shown by: trireme history'],
    exit: errorCodes['bug.unexpected'].exit,
  };
}

/** What node:fs throws when there's no room, or no quota, left. */
export function isFullDisk(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** The way back: an error that carries what a Problem says. */
export function errorOf(problem: Problem): TriremeError {
  return new TriremeError(problem.code, problem.message, {
    hints: problem.hints,
    ...(problem.host === undefined ? {} : {host: problem.host}),
    ...(problem.details === undefined ? {} : {details: problem.details}),
  });
}
