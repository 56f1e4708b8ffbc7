// From what was given to the answers from which a file is written, and to the command that gives the same without questions.
import {answersSchema, hostText, placeAnswer, type Answers} from '../spec/answers.ts';
import type {Given, GivenValue} from './flow.ts';

/** What comes before the dot of one variable's own answer. */
export const variablePrefix = 'variable.';
export const profileVariablePrefix = 'profileVariable.';

/** The answers among what was given; hosts without a name get one: `hostNames` by place, else h1, h2. */
export function answersOf(given: Given, hostNames: ReadonlyMap<string, string> = new Map()): Answers {
  const plain = Object.entries(given).flatMap(([key, value]) =>
    value === null || !Object.hasOwn(answersSchema.shape, key) ? [] : [[key, numbers.has(key) ? Number(value) : value] as const],
  );
  const answers = {...Object.fromEntries(plain)} as Record<string, unknown>;
  Object.assign(answers, namedHosts(given, hostNames));
  for (const [key, prefix] of [
    ['variable', variablePrefix],
    ['profileVariable', profileVariablePrefix],
  ] as const) {
    const own = Object.entries(given).flatMap(([id, value]) =>
      id.startsWith(prefix) && typeof value === 'string' ? [`${id.slice(prefix.length)}=${value}`] : [],
    );
    if (own.length > 0) answers[key] = [...((answers[key] as readonly string[] | undefined) ?? []), ...own];
  }
  return answers as Answers;
}

const numbers = new Set(['sshPort', 'controlPlanes']);

/** Lists of hosts, each with a name. */
export function namedHosts(
  given: Given,
  hostNames: ReadonlyMap<string, string>,
): {readonly controlPlane?: readonly string[]; readonly worker?: readonly string[]} {
  const taken = new Set(
    [...entriesOf(given['controlPlane']), ...entriesOf(given['worker'])].filter((entry) => entry.includes('=')).map((entry) => entry.split('=')[0] ?? ''),
  );
  let number = 0;
  const nameFor = (entry: string) => {
    const known = hostNames.get(entry);
    if (known !== undefined && !taken.has(known)) return known;
    do number += 1;
    while (taken.has(`h${number}`));
    return `h${number}`;
  };
  const named = (value: GivenValue | undefined) =>
    entriesOf(value).map((entry) => {
      if (entry.includes('=')) return entry;
      const name = nameFor(entry);
      taken.add(name);
      const place = placeAnswer(entry);
      return place === undefined ? `${name}=${entry}` : hostText({name, ...place});
    });
  const controlPlane = named(given['controlPlane']);
  const worker = named(given['worker']);
  return {...(controlPlane.length === 0 ? {} : {controlPlane}), ...(worker.length === 0 ? {} : {worker})};
}

export function entriesOf(value: GivenValue | undefined): readonly string[] {
  return Array.isArray(value) ? (value as readonly string[]) : typeof value === 'string' ? [value] : [];
}

/** As they were typed or chosen. */
export function allHosts(given: Given): readonly string[] {
  return [...entriesOf(given['controlPlane']), ...entriesOf(given['worker'])];
}

/** What is typed for a list: apart by spaces or commas. */
export function listOf(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((one) => one !== '');
}

/** The flags that give these answers, one after the other, quoted for a shell where that is needed. */
export function flagsOf(answers: Answers): readonly string[] {
  return Object.keys(answersSchema.shape).flatMap((key) => {
    const value = (answers as Readonly<Record<string, unknown>>)[key];
    if (value === undefined) return [];
    const flag = `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return (Array.isArray(value) ? value : [value]).flatMap((one) => [flag, typeof one === 'object' && one !== null ? hostText(one as never) : String(one)]);
  });
}

export function shellWord(word: string): string {
  return /^[\w@%+=:,./[\]-]+$/.test(word) && !word.includes('[') ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
