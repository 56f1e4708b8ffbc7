import {beforeAll, describe, expect, test} from 'vitest';
import {killAndResume, undisturbed} from '../support/resume.ts';

let expected: Awaited<ReturnType<typeof undisturbed>>;
beforeAll(async () => {
  expected = await undisturbed();
});

describe('kill -9 of apply in the sandbox', () => {
  test('after each step k: apply --resume ends as an undisturbed run', {timeout: 1_800_000}, async () => {
    expect(expected.steps).toBeGreaterThan(10);
    for (let k = 1; k < expected.steps; k += 1) {
      await killAndResume(k, expected.view);
      console.log(`killed after step ${k} of ${expected.steps}: resumed to the same end`);
    }
  });
});
