import {mkdtemp, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {compareBases, readSavedPlan, requireUnmoved, writeSavedPlan} from '../../../src/plan/saved-plan.ts';
import {planOf, hostPlan} from './plan-fixture.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plan-'));
  path = join(folder, 'p.json');
});
afterEach(() => rm(folder, {recursive: true}));

const plan = {...planOf([], [hostPlan('h1')]), basis: {'h1.agent.version': '0.1.0', 'h1.member': false}};
const save = () => writeSavedPlan(path, plan, {desired: {name: 'berth'}, limit: [], program: '0.1.0'});

describe('a saved plan', () => {
  test('comes back whole and is readable for its owner only', async () => {
    await save();
    expect(await readSavedPlan(path, '0.1.0')).toMatchObject({subject: 'berth', basis: plan.basis, desired: {name: 'berth'}});
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('is refused when another version made it: the same file may give another plan', async () => {
    await save();
    await expect(readSavedPlan(path, '0.2.0')).rejects.toMatchObject({code: 'plan.incompatible', exit: 8});
  });

  test('is refused when its basis was edited', async () => {
    await save();
    await writeFile(path, (await readFile(path, 'utf8')).replace('"h1.member": false', '"h1.member": true'));
    await expect(readSavedPlan(path, '0.1.0')).rejects.toMatchObject({code: 'file.invalid'});
  });

  test.each([
    ['nothing there', undefined],
    ['no JSON', 'kind: Cluster'],
    ['other JSON', '[1]'],
  ])('is refused plainly: %s', async (_name, text) => {
    if (text !== undefined) await writeFile(path, text);
    await expect(readSavedPlan(path, '0.1.0')).rejects.toMatchObject({exit: 3});
  });

  test('names what moved, and only that', () => {
    expect(compareBases({a: 1, b: [1, 2], c: {x: 1, y: 2}}, {a: 2, b: [1, 2], c: {y: 2, x: 1}, d: true})).toEqual([
      {path: 'a', planned: 1, found: 2},
      {path: 'd', planned: undefined, found: true},
    ]);
    expect(() => requireUnmoved(path, {'h1.member': false}, {'h1.member': true})).toThrow(/h1\.member: planned with false, now true/);
    expect(() => requireUnmoved(path, {'h1.member': false}, {'h1.member': false})).not.toThrow();
  });
});
