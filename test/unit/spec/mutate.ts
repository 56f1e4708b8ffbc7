// Breaks a YAML text in one to three places, the same way for the same seed.

/** A small generator of pseudo-random numbers (mulberry32): tests need the same ones every time. */
function generator(seed: number): () => number {
  let state = (seed + 1) * 0x9e3779b9;
  return () => {
    state = Math.trunc(state + 0x6d2b79f5);
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Mutation = (text: string, pick: (below: number) => number) => string;

const onLine =
  (change: (line: string, pick: (below: number) => number) => string): Mutation =>
  (text, pick) => {
    const lines = text.split('\n');
    const candidates = lines.flatMap((line, index) => (line.trim() === '' ? [] : [index]));
    const index = candidates[pick(candidates.length)] ?? 0;
    lines[index] = change(lines[index] ?? '', pick);
    return lines.join('\n');
  };

const tokens = /[A-Za-z0-9_./-]+|[{}[\],:"'#&*|>]/g;

const onToken =
  (change: (token: string, pick: (below: number) => number) => string): Mutation =>
  (text, pick) => {
    const found = [...text.matchAll(tokens)];
    const match = found[pick(found.length)];
    if (match === undefined) return text;
    return `${text.slice(0, match.index)}${change(match[0], pick)}${text.slice(match.index + match[0].length)}`;
  };

const values = [
  'null',
  '[]',
  '{}',
  'true',
  '-1',
  '3.5e300',
  '.nan',
  '"text"',
  '!!binary aGk=',
  '*anchor',
  '&anchor x',
  '|',
  '>-',
  '0x10',
  '2026-01-01',
  '~',
  '"\\u0000"',
  '[[[]]]',
  '? x',
  '- x',
  '%x',
  '@x',
  '`x`',
];

const mutations: readonly Mutation[] = [
  onLine(() => ''),
  onLine((line) => `${line}\n${line}`),
  onLine((line) => ` ${line}`),
  onLine((line) => line.replace(/^ {1,2}/, '')),
  onLine((line) => `\t${line}`),
  onLine((line, pick) => line.replace(/:\s.*$/, `: ${values[pick(values.length)]}`)),
  onLine((line, pick) => line.slice(0, pick(line.length))),
  onLine((line, pick) => `${line}${['"', "'", '{', '[', ']', '}', ':', ' #', '\u0000', '\u001b[31m', '\\'][pick(11)]}`),
  onToken(() => ''),
  onToken((token) => token + token),
  onToken((token) => [...token].toReversed().join('')),
  onToken((token, pick) => `${token.slice(0, pick(token.length))}x${token.slice(pick(token.length))}`),
  onToken((_token, pick) => values[pick(values.length)] ?? ''),
  (text, pick) => {
    const found = [...text.matchAll(tokens)];
    const [a, b] = [pick(found.length), pick(found.length)].toSorted((x, y) => x - y).map((index) => found[index]);
    if (a === undefined || b === undefined || a.index === b.index) return text.slice(1);
    return text.slice(0, a.index) + b[0] + text.slice(a.index + a[0].length, b.index) + a[0] + text.slice(b.index + b[0].length);
  },
];

export function mutate(text: string, seed: number): string {
  const random = generator(seed);
  const pick = (below: number) => Math.floor(random() * below);
  let result = text;
  const times = 1 + pick(3);
  for (let index = 0; index < times || result === text; index += 1) result = (mutations[pick(mutations.length)] as Mutation)(result, pick);
  return result;
}
