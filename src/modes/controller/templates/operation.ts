// What `${VAR...}` does to a value that is there. Results are those of drone/envsubst v2: lengths and places are counted in bytes.
import type {Operation, Part} from './expression.ts';

type Transform = Exclude<Operation, {readonly kind: 'default' | 'required'}>;

export function applyOperation(value: string, operation: Transform, textOf: (part: Part) => string): string {
  switch (operation.kind) {
    case 'none':
      return value;
    case 'length':
      return String(Buffer.byteLength(value));
    case 'case': {
      const changed = operation.all ? value : ([...value][0] ?? '');
      return (operation.upper ? changed.toUpperCase() : changed.toLowerCase()) + value.slice(changed.length);
    }
    case 'substring':
      return substring(value, textOf(operation.from), operation.length === undefined ? undefined : textOf(operation.length));
    case 'remove':
      return remove(value, textOf(operation.pattern), operation.from, operation.longest);
    case 'replace':
      return replace(value, operation.where, textOf(operation.pattern), textOf(operation.by));
  }
}

function substring(value: string, from: string, length: string | undefined): string {
  if (!/^[+-]?\d+$/.test(from) || (length !== undefined && !/^[+-]?\d+$/.test(length))) return value;
  const bytes = Buffer.from(value);
  const start = Number(from) < 0 ? Math.max(0, bytes.length + Number(from)) : Number(from);
  const end = length === undefined ? bytes.length : Math.max(start, start + Number(length));
  return bytes.subarray(start, end).toString();
}

function remove(value: string, pattern: string, from: 'start' | 'end', longest: boolean): string {
  const matcher = globMatcher(pattern);
  const cuts = Array.from({length: value.length}, (_, index) => index + 1);
  for (const cut of longest ? cuts.toReversed() : cuts) {
    if (from === 'start' && matcher.test(value.slice(0, cut))) return value.slice(cut);
    if (from === 'end' && matcher.test(value.slice(value.length - cut))) return value.slice(0, value.length - cut);
  }
  return value;
}

/** `*`, `?`, `[a-z]`, `[^a]` and `\x`; `*` goes over slashes too. */
function globMatcher(pattern: string): RegExp {
  let expression = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] as string;
    const close = character === '[' ? pattern.indexOf(']', at + 1) : -1;
    if (character === '*') expression += '[^]*';
    else if (character === '?') expression += '[^]';
    else if (close !== -1) {
      expression += `[${pattern.slice(at + 1, close).replaceAll(/[\\[\]]/g, String.raw`\$&`)}]`;
      at = close;
    } else {
      const literal = character === '\\' ? (pattern[++at] ?? '\\') : character;
      expression += literal.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
    }
  }
  return new RegExp(`^${expression}$`);
}

function replace(value: string, where: 'first' | 'all' | 'start' | 'end', pattern: string, by: string): string {
  switch (where) {
    case 'first':
      return value.replace(pattern, () => by);
    case 'all':
      return value.replaceAll(pattern, () => by);
    case 'start':
      return value.startsWith(pattern) ? by + value.slice(pattern.length) : value;
    case 'end':
      return value.endsWith(pattern) ? value.slice(0, value.length - pattern.length) + by : value;
  }
}
