import {readdir, readFile} from 'node:fs/promises';
import {describe, expect, test} from 'vitest';
import {isTriremeError} from '../../../src/kernel/errors.ts';
import {errorCodes} from '../../../src/kernel/error-codes.ts';
import type {Complaint} from '../../../src/spec/complaint.ts';
import {readCluster} from '../../../src/spec/read.ts';
import {mutate} from './mutate.ts';

const folder = new URL('../../fixtures/spec/broken/', import.meta.url).pathname;
const valid = new URL('../../fixtures/spec/valid/', import.meta.url).pathname;
const expected = JSON.parse(await readFile(`${folder}expected.json`, 'utf8')) as Record<string, {rule: string; line: number}>;

/** What refuses the files; fails for anything that isn't a refusal with exit code 3. */
async function refusalOf(files: readonly string[], stdin?: string): Promise<{complaints: readonly Complaint[]; message: string} | undefined> {
  try {
    await readCluster({files, folder: valid, env: {HOME: '/nonexistent'}, ...(stdin === undefined ? {} : {stdin: async () => stdin})});
    return undefined;
  } catch (error) {
    if (!isTriremeError(error)) throw error;
    expect(errorCodes[error.code].exit).toBe(3);
    return {complaints: (error.details?.['complaints'] ?? []) as readonly Complaint[], message: error.message};
  }
}

describe('hand-made broken files', () => {
  test('there are at least thirty, and each has its expectation', async () => {
    const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml'));
    expect(files.length).toBeGreaterThanOrEqual(30);
    expect(Object.keys(expected).toSorted()).toEqual(files.toSorted());
  });

  test.each(Object.entries(expected))('%s is refused by its rule at its line', async (file, {rule, line}) => {
    const refusal = await refusalOf([`${folder}${file}`]);
    expect(refusal?.complaints.map((complaint) => `${complaint.rule} at ${complaint.line}`)).toContain(`${rule} at ${line}`);
    expect(refusal?.message).toContain(`${file}:${line}:`);
    expect(refusal?.message).not.toMatch(/\n\s+at .*\.(ts|js):\d+/);
  });

  test('a secret that is refused is not printed', async () => {
    const refusal = await refusalOf([`${folder}secret-without-source.yaml`]);
    expect(JSON.stringify(refusal)).not.toContain('hunter2');
  });
});

describe('mutated files', () => {
  const seeds = Array.from({length: 400}, (_, seed) => seed);

  test('each of 400 mutations is read or refused with position and rule; none ends in an exception', async () => {
    const texts = await Promise.all(['trireme.yaml', 'profile.yaml'].map((file) => readFile(`${valid}${file}`, 'utf8')));
    const whole = `${texts[0]}---\n${texts[1]}`.replace('    file: profile.yaml\n', '');
    expect(await refusalOf(['-'], whole)).toBeUndefined();
    let refused = 0;
    const rules = new Set<string>();
    for (const seed of seeds) {
      const text = mutate(whole, seed);
      expect(text, `mutation ${seed} changes something`).not.toBe(whole);
      const refusal = await refusalOf(['-'], text).catch((error: unknown) => {
        // a mutation can take the cluster itself away, or make a second one: that's no fault of the YAML
        if (isTriremeError(error) && (error.code === 'cluster.not-found' || error.code === 'usage.invalid')) return undefined;
        throw new Error(`mutation ${seed} ends in: ${String(error)}\n${text}`, {cause: error});
      });
      if (refusal === undefined) continue;
      refused += 1;
      expect(refusal.complaints.length, `mutation ${seed} is refused with a complaint`).toBeGreaterThan(0);
      const lines = text.split('\n');
      for (const complaint of refusal.complaints) {
        rules.add(complaint.rule);
        expect(complaint.rule).toMatch(/^[a-z]+\.[a-z-]+$/);
        expect(complaint.line).toBeGreaterThanOrEqual(1);
        expect(complaint.line, `mutation ${seed}: ${complaint.rule}`).toBeLessThanOrEqual(lines.length);
        if (complaint.file === '<stdin>') expect(complaint.column).toBeLessThanOrEqual((lines[complaint.line - 1]?.length ?? 0) + 1);
      }
      expect(refusal.message).not.toMatch(/\n\s+at .*\.(ts|js):\d+|\[object Object\]|undefined/);
    }
    expect(refused).toBeGreaterThan(200);
    expect(rules.size).toBeGreaterThan(15);
  });

  test('the same seed gives the same mutation', () => {
    expect(mutate('a: 1\nb: [2, 3]\n', 7)).toBe(mutate('a: 1\nb: [2, 3]\n', 7));
  });
});
