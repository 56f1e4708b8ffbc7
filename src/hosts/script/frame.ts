// The frame around every script of ours: sections between boundary lines, helpers that start no process, and a last line that proves the output whole.
import {randomBytes} from 'node:crypto';
import {shellWord} from './quote.ts';

/** A word that no file on a host holds by accident. */
export function newBoundary(): string {
  return `=trireme-${randomBytes(8).toString('hex')}`;
}

const helpers = String.raw`
LC_ALL=C; export LC_ALL
PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"; export PATH
R="$TRIREME_ROOT"
P="$R"; [ -e "$P/proc/meminfo" ] || P=
tab='	'
section() { printf '\n%s %s\n' "$boundary" "$1"; }
has() { command -v "$1" >/dev/null 2>&1; }
show() { if [ -r "$1" ]; then cat "$1"; fi; }
# line NAME FILE: the file's first line, without starting a process
line() { l=; if [ -r "$2" ]; then IFS= read -r l <"$2"; fi; if [ -n "$l" ]; then printf '%s\t%s\n' "$1" "$l"; fi; }
limit() { if has timeout; then timeout "$@"; else shift; "$@"; fi; }
clock() { printf '%s\t%s\n' "$1" "$(date +%s%N)"; }
`;

/** Composes a script of named pieces. It is one function, so that a host runs it only when it has arrived whole, and its standard input is empty. */
export function frameScript(boundary: string, pieces: readonly string[]): string {
  return `boundary=${shellWord(boundary)}\ntrireme_facts() {\nTRIREME_ROOT="\${TRIREME_ROOT-}"\n${helpers}\n${pieces.join('\n')}\nsection end\n}\ntrireme_facts </dev/null 2>/dev/null\n`;
}

/** The sections of a script's output by name; undefined when it isn't whole. */
export function readSections(output: string, boundary: string): ReadonlyMap<string, readonly string[]> | undefined {
  const sections = new Map<string, string[]>();
  let current: string[] | undefined;
  for (const line of output.split('\n')) {
    if (line.startsWith(`${boundary} `)) {
      // the frame begins every boundary on a new line, so the line before it is the frame's own when empty
      if (current?.at(-1) === '') current.pop();
      current = [];
      sections.set(line.slice(boundary.length + 1), current);
    } else {
      current?.push(line);
    }
  }
  return sections.has('end') ? sections : undefined;
}
