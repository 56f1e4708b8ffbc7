// A plan as a file: what is wanted, what the plan stands on, and what it would do. Applied later, it is refused when the world has moved.
import {readFile} from 'node:fs/promises';
import {canonicalJson, digestOfValue} from '../kernel/digest.ts';
import {TriremeError} from '../kernel/errors.ts';
import {writeFileAtomic} from '../kernel/files.ts';
import type {Basis, HostPlan, Plan} from './plan.ts';

const format = 1;

export interface SavedPlan {
  readonly trireme: 'plan';
  readonly format: typeof format;
  /** Version of the program that wrote it. */
  readonly program: string;
  readonly createdAt: string;
  readonly operation: string;
  readonly subject: string;
  readonly mode: string;
  /** The completely read cluster (spec/desired.ts), as it was planned. */
  readonly desired: unknown;
  readonly limit: readonly string[];
  readonly basis: Basis;
  /** digestOfValue of the basis: what `apply` compares first. */
  readonly basisDigest: string;
  readonly hosts: readonly HostPlan[];
}

export interface Moved {
  readonly path: string;
  readonly planned: unknown;
  readonly found: unknown;
}

/** Writes a plan, readable for its owner only: host names, addresses and file contents are in it. */
export async function writeSavedPlan(
  path: string,
  plan: Plan<never>,
  more: {readonly desired: unknown; readonly limit: readonly string[]; readonly program: string},
): Promise<void> {
  const saved: SavedPlan = {
    trireme: 'plan',
    format,
    program: more.program,
    createdAt: new Date().toISOString(),
    operation: plan.operation,
    subject: plan.subject,
    mode: plan.mode,
    desired: more.desired,
    limit: more.limit,
    basis: plan.basis,
    basisDigest: digestOfValue(plan.basis),
    hosts: plan.hosts,
  };
  await writeFileAtomic(path, `${JSON.stringify(saved, null, 2)}\n`, {mode: 0o600});
}

/** Reads a saved plan. Throws `file.not-found`, `file.invalid`, and `plan.incompatible` for another version's. */
export async function readSavedPlan(path: string, program: string): Promise<SavedPlan> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new TriremeError('file.not-found', `Can't read the plan ${path}.`, {hints: [`Make one: trireme plan --out ${path}`], cause: error});
  }
  let saved: SavedPlan;
  try {
    saved = JSON.parse(text) as SavedPlan;
  } catch (error) {
    throw new TriremeError('file.invalid', `${path} isn't JSON: ${(error as Error).message}`, {
      hints: [`Make it again: trireme plan --out ${path}`],
      cause: error,
    });
  }
  if (saved?.trireme !== 'plan') throw new TriremeError('file.invalid', `${path} isn't a plan of Trireme.`, {hints: [`Make one: trireme plan --out ${path}`]});
  if (saved.format !== format || saved.program !== program) {
    throw new TriremeError('plan.incompatible', `${path} was made by Trireme ${saved.program} and this is ${program}: the same file may give another plan.`, {
      hints: [`Make it again: trireme plan --out ${path}`],
    });
  }
  if (digestOfValue(saved.basis) !== saved.basisDigest)
    throw new TriremeError('file.invalid', `${path} was edited: its basis no longer has its digest.`, {hints: [`Make it again: trireme plan --out ${path}`]});
  return saved;
}

/** What differs between two bases, by path; empty when the plan still stands. */
export function compareBases(planned: Basis, found: Basis): readonly Moved[] {
  const paths = [...new Set([...Object.keys(planned), ...Object.keys(found)])].toSorted();
  return paths
    .filter((path) => canonicalJson(planned[path] ?? null) !== canonicalJson(found[path] ?? null))
    .map((path) => ({path, planned: planned[path], found: found[path]}));
}

/** Throws `plan.moved`, naming each fact that differs, unless the plan still stands. */
export function requireUnmoved(path: string, planned: Basis, found: Basis): void {
  const moved = compareBases(planned, found);
  if (moved.length === 0) return;
  const named = moved.slice(0, 5).map((one) => `${one.path}: planned with ${show(one.planned)}, now ${show(one.found)}`);
  const rest = moved.length > 5 ? [`and ${moved.length - 5} more`] : [];
  throw new TriremeError('plan.moved', `The world moved since ${path} was made:\n  ${[...named, ...rest].join('\n  ')}`, {
    hints: [`Look at what would be done now: trireme plan --out ${path}`],
    details: {moved},
  });
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = canonicalJson(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
