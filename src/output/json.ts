// The envelope of every command's JSON output, in success and in failure.
import type {ExitCode} from '../kernel/error-codes.ts';
import type {Problem} from '../kernel/problem.ts';

export interface JsonWarning {
  readonly code: string;
  readonly message: string;
  readonly host?: string;
  readonly hints?: readonly string[];
}

export interface Envelope {
  readonly ok: boolean;
  readonly exit: ExitCode;
  /** As typed, without the program's name: `host list`. */
  readonly command: string;
  /** What the command returns; null when it failed before there was a result. */
  readonly result: unknown;
  readonly warnings: readonly JsonWarning[];
  readonly problem?: Problem;
}

export interface EnvelopeParts {
  readonly command: string;
  readonly result: unknown;
  readonly warnings: readonly JsonWarning[];
  readonly problem?: Problem;
}

/** Puts an envelope together; the exit code is the problem's, or 0. */
export function envelopeOf(parts: EnvelopeParts): Envelope {
  const exit = parts.problem?.exit ?? 0;
  return {
    ok: exit === 0,
    exit,
    command: parts.command,
    result: parts.result === undefined ? null : parts.result,
    warnings: parts.warnings,
    ...(parts.problem === undefined ? {} : {problem: parts.problem}),
  };
}

/** Indented for `-o json`, one line for `-o ndjson`. */
export function renderEnvelope(envelope: Envelope, format: 'json' | 'ndjson'): string {
  return `${JSON.stringify(envelope, null, format === 'json' ? 2 : undefined)}\n`;
}
