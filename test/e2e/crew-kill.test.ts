// kill -9 of apply at two seeded moments of a fresh real installation; all ten are in test/long/crew-kill.test.ts. Between them the cluster is taken
// off its hosts, which must then be as they were: so one set of hosts serves for both.
import {afterAll, beforeAll, describe, test} from 'vitest';
import {whyNoBed} from '../support/bed.ts';
import {upCrew, type Crew} from '../support/crew.ts';
import {deleteAndCompare, expectRefusedBeside, killRealAndResume, momentOf} from '../support/crew-kill.ts';
import {snapshotOf, type Snapshot} from '../support/host-snapshot.ts';
import {missingPublicPlaces} from '../support/public-places.ts';

const reason = whyNoBed() ?? missingPublicPlaces();

describe.skipIf(reason !== undefined)(`kill -9 of apply on real hosts${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let crew: Crew;
  const before = new Map<number, Snapshot>();
  beforeAll(async () => {
    crew = await upCrew({hosts: 4});
    for (const index of [1, 2, 3, 4]) before.set(index, await snapshotOf(crew.bed, index));
  });
  afterAll(async () => crew?.down());

  test('at moment 2 of 10: --resume ends in the same healthy cluster, history tells the truth, and a second apply meanwhile is refused', async () => {
    await killRealAndResume(crew, momentOf(2, 10), () => expectRefusedBeside(crew));
    await deleteAndCompare(crew, before);
  });

  test('at moment 7 of 10: the same', async () => {
    await killRealAndResume(crew, momentOf(7, 10));
    await deleteAndCompare(crew, before);
  });
});
