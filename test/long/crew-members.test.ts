// Members of a real cluster come and go while a client writes: 1 to 3 control planes, a dead one replaced, 3 to 5 to 3, and in the end nothing of it
// is left on any host. The tests are in order: each goes on where the one before ended.
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {startWriter, type ApiWriter} from '../support/api-writer.ts';
import {whyNoBed} from '../support/bed.ts';
import {expectCode, upCrew, type Crew} from '../support/crew.ts';
import {differencesOf, snapshotOf, type Snapshot} from '../support/host-snapshot.ts';
import {missingPublicPlaces} from '../support/public-places.ts';
import {resultOf} from '../support/trireme.ts';

const reason = whyNoBed() ?? missingPublicPlaces();
const worker = 6;

describe.skipIf(reason !== undefined)(`members of a real cluster${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let crew: Crew;
  let writer: ApiWriter | undefined;
  const before = new Map<number, Snapshot>();

  const trireme = (...args: readonly string[]) => crew.bed.trireme(args);
  const nodes = async () =>
    resultOf<{machines: {name: string; state: string}[]}>(await trireme('status', '-o', 'json')).machines.map((machine) => `${machine.name} ${machine.state}`);
  const members = async () =>
    (
      await crew.bed.ssh(
        1,
        'crictl exec $(crictl ps --name etcd -q | head -1) etcdctl --endpoints https://127.0.0.1:2379 --cacert /etc/kubernetes/pki/etcd/ca.crt --cert /etc/kubernetes/pki/etcd/server.crt --key /etc/kubernetes/pki/etcd/server.key member list',
      )
    )
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(', ')[2])
      .toSorted();

  beforeAll(async () => {
    crew = await upCrew({hosts: 6});
    for (const index of [1, 2, 3, 4, 5, 6]) before.set(index, await snapshotOf(crew.bed, index));
  });
  afterAll(async () => {
    await writer?.stop();
    await crew?.down();
  });

  test('one control plane and a worker; a client begins to write', async () => {
    await crew.write([1], [worker]);
    expectCode(await trireme('apply', '--yes'), 0);
    const fetched = await trireme('cluster', 'kubeconfig');
    expectCode(fetched, 0);
    writer = startWriter(fetched.stdout, 100);
  });

  test('1 to 3', async () => {
    await crew.write([1, 2, 3], [worker]);
    expectCode(await trireme('apply', '--yes'), 0);
    expect(await members()).toEqual(['h1', 'h2', 'h3']);
  });

  test('refuses to take out the second when one is down', async () => {
    await crew.bed.hosts('kill', 'h3');
    // before the agents have seen it the plan can't know; the agent that does it asks once more then
    const planned = async () => (await trireme('machine', 'replace', 'h2', '--dry-run')).stderr;
    await expect.poll(planned, {timeout: 60_000, interval: 500}).toMatch(/h2 can't be taken out of the cluster: h3 is down/);
    const ran = await trireme('machine', 'replace', 'h2', '--confirm', 'h2');
    expectCode(ran, 3);
    expect(ran.stderr).toMatch(/h2 can't be taken out of the cluster: h3 is down/);
    await crew.write([1, 3, 4], [worker]);
    const swap = await trireme('apply', '--yes', '--confirm', 'h2');
    expectCode(swap, 3);
    expect(swap.stderr).toMatch(/h2 can't be taken out of the cluster: h3 is down/);
  });

  test('replaces the dead control plane by another host', async () => {
    await crew.write([1, 2, 4], [worker]);
    expectCode(await trireme('apply', '--yes'), 2);
    const ran = await trireme('apply', '--yes', '--confirm', 'h3');
    expectCode(ran, 0);
    expect(ran.stderr).toMatch(/h3 isn't reached/);
    expect(await members()).toEqual(['h1', 'h2', 'h4']);
    expect(await nodes()).toEqual(['h1 ready', 'h2 ready', 'h4 ready', `h${worker} ready`]);
  });

  test('3 to 5: the one that was dead comes back with its old data, and joins again only as new', async () => {
    await crew.bed.hosts('boot', 'h3');
    await crew.write([1, 2, 4, 3, 5], [worker]);
    await expect.poll(async () => (await trireme('plan')).stderr, {timeout: 120_000, interval: 5000}).toMatch(/h3 was taken out of berth while it was away/);
    expectCode(await trireme('machine', 'replace', 'h3', '--confirm', 'h3'), 0);
    expectCode(await trireme('apply', '--yes'), 0);
    expect(await members()).toEqual(['h1', 'h2', 'h3', 'h4', 'h5']);
  });

  test('5 to 3: those that left are as they were before', async () => {
    await crew.write([1, 2, 4], [worker]);
    expectCode(await trireme('apply', '--yes', '--confirm', 'h3', '--confirm', 'h5'), 0);
    expect(await members()).toEqual(['h1', 'h2', 'h4']);
    expectCode(await trireme('plan', '--exit-code'), 0);
    for (const index of [3, 5]) expect(differencesOf(before.get(index) as Snapshot, await snapshotOf(crew.bed, index)), `h${index}`).toEqual([]);
  });

  test('no acknowledged write is lost', async () => {
    const {acknowledged, failed, longestGap} = await (writer as ApiWriter).stop();
    const present = await (writer as ApiWriter).list();
    console.log(`${acknowledged.length} writes acknowledged, ${failed} without an answer, the longest time without one ${(longestGap / 1000).toFixed(1)} s`);
    expect(acknowledged.length).toBeGreaterThan(100);
    expect(acknowledged.filter((name) => !present.has(name))).toEqual([]);
  });

  test('a member is not reset without force; deleted by its typed name, the cluster leaves nothing on its hosts', async () => {
    expectCode(await trireme('host', 'reset', `h${worker}`, '--yes'), 8);
    expectCode(await trireme('cluster', 'delete', '--yes'), 2);
    expectCode(await trireme('cluster', 'delete', '--confirm', 'berth'), 0);
    for (const index of [1, 2, 4, worker]) expect(differencesOf(before.get(index) as Snapshot, await snapshotOf(crew.bed, index)), `h${index}`).toEqual([]);
  });
});
