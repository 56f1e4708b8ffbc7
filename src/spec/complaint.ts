// What is wrong with a file, where, and what would be right.
import {TriremeError} from '../kernel/errors.ts';
import type {ErrorCode} from '../kernel/error-codes.ts';

export interface Complaint {
  /** As it was named by the person; `<stdin>` for standard input. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** Stable: `schema.unknown-key`, `network.overlap`. */
  readonly rule: string;
  /** What is wrong, a sentence. */
  readonly message: string;
  /** What would be right: the nearest valid key, or what to write. */
  readonly hint?: string;
  /** The line before and the line itself; absent where there is no text to show. */
  readonly excerpt?: Excerpt;
}

export interface Excerpt {
  /** Number of the first line shown. */
  readonly from: number;
  readonly lines: readonly string[];
  /** Column of the caret in the last line, from 1, after long lines are cut. */
  readonly caret: number;
  readonly length: number;
}

const widest = 100;
const shownAtMost = 40;

/** A complaint as text: file:line:column and rule, two lines of YAML with a caret, what is wrong, what would be right. */
export function renderComplaint(complaint: Complaint): string {
  const lines = [`${complaint.file}:${complaint.line}:${complaint.column}  ${complaint.rule}`];
  const {excerpt} = complaint;
  if (excerpt !== undefined) {
    const width = String(excerpt.from + excerpt.lines.length - 1).length;
    for (const [index, line] of excerpt.lines.entries()) lines.push(`  ${String(excerpt.from + index).padStart(width)} | ${line}`.trimEnd());
    lines.push(`  ${' '.repeat(width)} | ${' '.repeat(excerpt.caret - 1)}${'^'.repeat(excerpt.length)}`);
  }
  lines.push(`  ${complaint.message}`);
  if (complaint.hint !== undefined) lines.push(`  ${complaint.hint}`);
  return lines.join('\n');
}

/** Two lines of `text` up to `line`, a caret under `column`; tabs and control characters are shown as single characters. */
export function excerptOf(lines: readonly string[], line: number, column: number, length: number): Excerpt | undefined {
  const last = lines[line - 1];
  if (last === undefined) return undefined;
  const from = Math.max(1, line - 1);
  const start = column > widest - 20 ? column - 40 : 0;
  const shown = lines.slice(from - 1, line).map((text) => printable(text.slice(start, start + widest)));
  const caret = column - start;
  const room = Math.max(1, Math.min((shown.at(-1)?.length ?? 0) - caret + 1, widest - caret));
  return {from, lines: shown, caret, length: Math.max(1, Math.min(length, room))};
}

function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters in a file must not reach the terminal
  return text.replaceAll(/\t/g, ' ').replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '�');
}

/** By file as given, line and column; the same complaint is kept once. */
export function sortComplaints(complaints: readonly Complaint[]): Complaint[] {
  const files = [...new Set(complaints.map((complaint) => complaint.file))];
  const seen = new Set<string>();
  const secrets = new Set(complaints.filter((complaint) => complaint.rule === 'secret.inline').map(placeOf));
  return complaints
    .filter((complaint) => complaint.rule !== 'schema.type' || !secrets.has(placeOf(complaint)))
    .toSorted((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column)
    .filter((complaint) => {
      // through an alias the same spot is wrong in several places
      const key = JSON.stringify([
        complaint.file,
        complaint.line,
        complaint.column,
        complaint.rule,
        complaint.rule === 'schema.unknown-key' ? '' : complaint.message,
      ]);
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
}

const placeOf = (complaint: Complaint) => JSON.stringify([complaint.file, complaint.line, complaint.column]);

/** The error that refuses the files: all complaints as text in the message and as data in `details.complaints`. */
export function refuseFiles(complaints: readonly Complaint[]): TriremeError {
  const sorted = sortComplaints(complaints);
  const details = {complaints: sorted};
  const [only] = sorted;
  // a file that isn't there has no place in it, and no fields to explain
  if (only?.rule === 'file.not-found' && sorted.length === 1)
    return new TriremeError('file.not-found', only.message, {hints: only.hint === undefined ? [] : [only.hint], details});
  const files = [...new Set(sorted.map((complaint) => complaint.file))];
  const shown = sorted.slice(0, shownAtMost).map(renderComplaint);
  if (sorted.length > shownAtMost) shown.push(`… and ${sorted.length - shownAtMost} more.`);
  const count = sorted.length === 1 ? '1 complaint' : `${sorted.length} complaints`;
  const message = `${files.join(', ')} can't be used: ${count}.\n\n${shown.join('\n\n')}`;
  return new TriremeError(codeOf(sorted), message, {hints: ['trireme explain spec  (documents every field)'], details});
}

/** The error that refuses a plan: what the file wants can't be had from what is there; complaints as in `refuseFiles`. */
export function refusePlan(complaints: readonly Complaint[], hints: readonly string[] = []): TriremeError {
  const sorted = sortComplaints(complaints);
  const shown = sorted.slice(0, shownAtMost).map(renderComplaint);
  if (sorted.length > shownAtMost) shown.push(`… and ${sorted.length - shownAtMost} more.`);
  const count = sorted.length === 1 ? '1 complaint' : `${sorted.length} complaints`;
  return new TriremeError('plan.refused', `What the file wants can't be had: ${count}. Nothing was changed.\n\n${shown.join('\n\n')}`, {
    hints,
    details: {complaints: sorted},
  });
}

function codeOf(complaints: readonly Complaint[]): ErrorCode {
  if (complaints.some((complaint) => complaint.rule === 'file.not-found')) return 'file.not-found';
  return complaints.every((complaint) => /^(yaml|file)\./.test(complaint.rule)) ? 'file.syntax' : 'file.invalid';
}
