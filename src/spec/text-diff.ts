// What differs between two texts, line by line, as a unified diff.

/** More lines than this between the first and the last difference aren't compared one by one: they are shown as taken out and put in. */
const mostCompared = 2000;
const contextLines = 3;

interface Line {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

/** The unified diff with its header; empty when the texts are equal. A last line without its newline is marked as `diff` marks it. */
export function unifiedDiff(before: string, after: string, name: string): string {
  if (before === after) return '';
  const lines = compare(linesOf(before), linesOf(after));
  const shown = hunks(lines).map((hunk) => renderHunk(lines, hunk));
  return [`--- ${name}`, `+++ ${name}`, ...shown].join('\n');
}

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  return last === '' ? lines : [...lines, `${last}\n\\ No newline at end of file`];
}

function compare(a: readonly string[], b: readonly string[]): readonly Line[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const same = (text: string): Line => ({sign: ' ', text});
  return [
    ...a.slice(0, start).map(same),
    ...compareMiddle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...a.slice(a.length - end).map(same),
  ];
}

/** By the longest common subsequence. */
function compareMiddle(a: readonly string[], b: readonly string[]): readonly Line[] {
  const out = (text: string): Line => ({sign: '-', text});
  const into = (text: string): Line => ({sign: '+', text});
  if (a.length === 0 || b.length === 0 || a.length > mostCompared || b.length > mostCompared) return [...a.map(out), ...b.map(into)];
  const lengths = Array.from({length: a.length + 1}, () => new Uint16Array(b.length + 1));
  const at = (i: number, j: number) => lengths[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const row = lengths[i];
      if (row !== undefined) row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  const lines: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = a[i];
    const right = b[j];
    if (left !== undefined && left === right) {
      lines.push({sign: ' ', text: left});
      i += 1;
      j += 1;
    } else if (left !== undefined && (right === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push(out(left));
      i += 1;
    } else if (right !== undefined) {
      lines.push(into(right));
      j += 1;
    }
  }
  return lines;
}

interface Hunk {
  readonly start: number;
  readonly end: number;
}

function hunks(lines: readonly Line[]): readonly Hunk[] {
  const found: Hunk[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.sign === ' ') continue;
    const start = Math.max(0, index - contextLines);
    const end = Math.min(lines.length, index + contextLines + 1);
    const last = found.at(-1);
    if (last !== undefined && start <= last.end) found[found.length - 1] = {start: last.start, end};
    else found.push({start, end});
  }
  return found;
}

function renderHunk(lines: readonly Line[], {start, end}: Hunk): string {
  const before = lines.slice(0, start);
  const inside = lines.slice(start, end);
  const count = (list: readonly Line[], without: '-' | '+') => list.filter((line) => line.sign !== without).length;
  const range = (without: '-' | '+') => {
    const length = count(inside, without);
    const first = count(before, without) + (length === 0 ? 0 : 1);
    return length === 1 ? `${first}` : `${first},${length}`;
  };
  return [`@@ -${range('+')} +${range('-')} @@`, ...inside.map((line) => `${line.sign}${line.text}`)].join('\n');
}
