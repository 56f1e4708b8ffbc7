import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {errorCodes, exitCodes} from '../../src/kernel/error-codes.ts';
import {problemOf} from '../../src/kernel/problem.ts';
import {TriremeError} from '../../src/kernel/errors.ts';
import {projectFolder, readSources, withoutComments, type SourceFile} from './sources.ts';

const sources = readSources('src');

/** Codes in the first argument of `new TriremeError(...)`; a variable there is typed ErrorCode, so the compiler holds it to the table. */
function codesRaised(files: readonly SourceFile[]): readonly {readonly path: string; readonly code: string}[] {
  return files.flatMap(({path, text}) =>
    [...withoutComments(text).matchAll(/new TriremeError\(\s*'([^']+)'/g)].map(([, code]) => ({path, code: code as string})),
  );
}

/** Codes of the table that are raised in two spellings in its own text. */
function duplicates(text: string): readonly string[] {
  const keys = [...text.matchAll(/^ {2}'([a-z.-]+)': \{exit:/gm)].map(([, code]) => code as string);
  return keys.filter((code, index) => keys.indexOf(code) !== index);
}

describe('error codes', () => {
  it('are all in the table', () => {
    expect(codesRaised(sources).length).toBeGreaterThan(50);
    expect(codesRaised(sources).filter(({code}) => !Object.hasOwn(errorCodes, code))).toEqual([]);
  });

  it('are there once', () => {
    expect(duplicates(readFileSync(join(projectFolder, 'src/kernel/error-codes.ts'), 'utf8'))).toEqual([]);
  });

  it('are dotted, lead to an exit code that the help explains, and mean something', () => {
    for (const [code, {exit, meaning}] of Object.entries(errorCodes)) {
      expect(code).toMatch(/^[a-z]+(-[a-z]+)*(\.[a-z]+(-[a-z]+)*)+$/);
      expect(Object.keys(exitCodes)).toContain(String(exit));
      expect(meaning).toMatch(/^\S.{10,}\.$/);
    }
  });

  it('have a message of their own wherever they are raised', () => {
    const empty = sources.flatMap(({path, text}) => [...text.matchAll(/new TriremeError\(\s*'[^']+',\s*(''|``)/g)].map(() => path));
    expect(empty).toEqual([]);
  });

  it('are all in the reference', () => {
    const page = readFileSync(join(projectFolder, 'docs/reference/exit-codes.md'), 'utf8');
    const missing = Object.entries(errorCodes).filter(([code, {exit}]) => !page.includes(`| \`${code}\` | ${exit} |`));
    expect(missing.map(([code]) => code)).toEqual([]);
  });

  it("come out as they went in: the exit code of a problem is its code's", () => {
    for (const code of Object.keys(errorCodes) as (keyof typeof errorCodes)[]) expect(problemOf(new TriremeError(code, 'x')).exit).toBe(errorCodes[code].exit);
    expect(problemOf(new RangeError('x')).exit).toBe(70);
  });
});

describe('the gate itself', () => {
  it('sees a code that is not in the table, and one that is there twice', () => {
    const [found] = codesRaised([{path: 'src/x.ts', text: "throw new TriremeError('cheese.missing', 'No cheese.')"}]);
    expect(Object.hasOwn(errorCodes, found?.code ?? '')).toBe(false);
    expect(duplicates("  'a.b': {exit: 1},\n  'c.d': {exit: 1},\n  'a.b': {exit: 2},\n")).toEqual(['a.b']);
  });
});
