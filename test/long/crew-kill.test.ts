// kill -9 of apply at ten seeded moments of a fresh real installation of three control planes and a worker.
import {afterAll, beforeAll, describe, test} from 'vitest';
import {whyNoBed} from '../support/bed.ts';
import {upCrew, type Crew} from '../support/crew.ts';
import {deleteAndCompare, killRealAndResume, momentOf} from '../support/crew-kill.ts';
import {snapshotOf, type Snapshot} from '../support/host-snapshot.ts';
import {missingPublicPlaces} from '../support/public-places.ts';

// ten installations one after the other fill what a CI run has left: it does two of them in test/e2e/crew-kill.test.ts
const reason = process.env['TRIREME_KILLS'] === '10' ? (whyNoBed() ?? missingPublicPlaces()) : 'ten installations take 25 minutes: TRIREME_KILLS=10';
const moments = 10;

describe.skipIf(reason !== undefined)(`kill -9 of apply on real hosts${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let crew: Crew;
  const before = new Map<number, Snapshot>();
  beforeAll(async () => {
    crew = await upCrew({hosts: 4});
    for (const index of [1, 2, 3, 4]) before.set(index, await snapshotOf(crew.bed, index));
  });
  afterAll(async () => crew?.down());

  test.each(Array.from({length: moments}, (_, index) => index))(
    `at moment %i of ${moments}: --resume ends in the same healthy cluster, and history tells the truth`,
    async (index) => {
      await killRealAndResume(crew, momentOf(index, moments));
      await deleteAndCompare(crew, before);
    },
  );
});
