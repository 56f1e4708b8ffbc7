// An endpoint that the control planes of a real cluster serve themselves: whoever serves it loses its power, is replaced, and in the end nothing of it is
// left on any host. The tests are in order: each goes on where the one before ended.
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {startPulse, type ApiPulse} from '../support/api-pulse.ts';
import {whyNoBed} from '../support/bed.ts';
import {expectCode, upCrew, type Crew} from '../support/crew.ts';
import {differencesOf, snapshotOf, type Snapshot} from '../support/host-snapshot.ts';
import {missingPublicPlaces} from '../support/public-places.ts';
import {resultOf} from '../support/trireme.ts';

const reason = whyNoBed() ?? missingPublicPlaces();
const worker = 4;
const spare = 5;
/** In ms: what the address may be away for when its holder loses its power. */
const goal = 10_000;

interface Status {
  readonly machines: readonly {readonly name: string; readonly state: string}[];
  readonly endpoint: string;
  readonly endpointHolder?: {readonly holder?: string};
}

/** Addresses of the hosts' network that no host has; one of another network; and the one of the switch. */
let address: string;
let moved: string;
const elsewhere = '10.200.0.100';
let taken: string;

describe.skipIf(reason !== undefined)(`an endpoint that the control planes serve${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let crew: Crew;
  let pulse: ApiPulse | undefined;
  const before = new Map<number, Snapshot>();

  const trireme = (...args: readonly string[]) => crew.bed.trireme(args);
  const status = async () => resultOf<Status>(await trireme('status', '-o', 'json'));
  const holder = async () => (await status()).endpointHolder?.holder ?? 'nobody';
  const write = (controlPlanes: readonly number[], host = address) => crew.write(controlPlanes, [worker], {host, type: 'vip'});
  const numberOf = (name: string) => Number(name.slice(1));
  /** Which hosts have the address on an interface. */
  const havers = async (hosts: readonly number[], which = address) => {
    const found = await Promise.all(hosts.map(async (host) => ((await crew.bed.ssh(host, 'ip -o address show')).includes(` ${which}/`) ? [host] : [])));
    return found.flat();
  };
  /** One host has it, and it's the one of whom the status tells so. Under load the address may change hands between the two looks. */
  const expectServed = async (hosts: readonly number[], which = address) => {
    const look = async () => `${(await havers(hosts, which)).map((host) => `h${host}`).join(' and ')} of ${await holder()}`;
    await expect.poll(look, {timeout: 60_000, interval: 1000}).toMatch(/^(h\d) of \1$/);
  };

  beforeAll(async () => {
    crew = await upCrew({hosts: 5});
    [address, moved, taken] = [crew.bed.address(90), crew.bed.address(91), crew.bed.address(-9)];
    for (const index of [1, 2, 3, worker, spare]) before.set(index, await snapshotOf(crew.bed, index));
  });
  afterAll(async () => {
    await pulse?.stop().catch(() => {});
    await crew?.down();
  });

  test('an address of another network, or one that somebody has, is refused before anything is touched', async () => {
    await write([1, 2, 3], elsewhere);
    const outside = await trireme('preflight');
    expectCode(outside, 10);
    expect(outside.stdout + outside.stderr).toMatch(/is in no network of these/);
    await write([1, 2, 3], taken);
    const occupied = await trireme('preflight');
    expectCode(occupied, 10);
    expect(occupied.stdout + occupied.stderr).toContain(`somebody in the network has ${taken} (its hardware is `);
  });

  test('three control planes and a worker; the plan says where the address comes from, the status whose it is', async () => {
    await write([1, 2, 3]);
    const planned = await trireme('plan');
    expect(planned.stdout + planned.stderr).toContain('static pod ghcr.io/kube-vip/kube-vip:');
    const started = Date.now();
    expectCode(await trireme('apply', '--yes'), 0);
    console.log(`3+1 with a served endpoint from nothing: ${Math.round((Date.now() - started) / 1000)} s`);
    expect(await status()).toMatchObject({endpoint: `${address}:6443`, endpointHolder: {holder: expect.stringMatching(/^h[123]$/)}});
    await expectServed([1, 2, 3, worker]);
    expectCode(await trireme('plan', '--exit-code'), 0);
    const fetched = await trireme('cluster', 'kubeconfig');
    expectCode(fetched, 0);
    expect(fetched.stdout).toContain(`https://${address}:6443`);
    pulse = startPulse(fetched.stdout, 'pulse');
    await pulse.acknowledgedAfter(Date.now(), 10_000);
  });

  test('who serves it loses its power: the API answers again in under 10 s', async () => {
    const old = await holder();
    const cut = Date.now();
    await crew.bed.hosts('kill', old);
    const dead = Date.now();
    const back = (await (pulse as ApiPulse).acknowledgedAfter(dead, 60_000)) - cut;
    console.log(`crew-10: the power of ${old}, which had the address, was cut; a write at the address was acknowledged ${(back / 1000).toFixed(1)} s later`);
    expect(back).toBeLessThan(goal);
    await expect.poll(holder, {timeout: 60_000, interval: 1000}).not.toBe(old);
    await crew.bed.hosts('boot', old);
    const isReady = async () => (await status()).machines.every((machine) => machine.state === 'ready');
    await expect.poll(isReady, {timeout: 240_000, interval: 2000}).toBe(true);
    await expectServed([1, 2, 3]);
  });

  test('who serves it is replaced by another host: the others go on serving, and nothing is left on it', async () => {
    const old = numberOf(await holder());
    const stays = [1, 2, 3].filter((index) => index !== old);
    await write([...stays, spare]);
    expectCode(await trireme('apply', '--yes', '--confirm', `h${old}`), 0);
    expect(differencesOf(before.get(old) as Snapshot, await snapshotOf(crew.bed, old)), `h${old}`).toEqual([]);
    await expectServed([...stays, spare]);
    expect(await crew.bed.ssh(spare, 'ls /etc/kubernetes/manifests')).toContain('trireme-endpoint.yaml');
    expectCode(await trireme('plan', '--exit-code'), 0);
  });

  test('no acknowledged write is lost', async () => {
    const {acknowledged, present, longestGap} = await (pulse as ApiPulse).stop();
    console.log(`${acknowledged.length} writes acknowledged, the longest time without one ${(longestGap / 1000).toFixed(1)} s`);
    expect(acknowledged.length).toBeGreaterThan(100);
    expect(acknowledged.filter((name) => !present.has(name))).toEqual([]);
  });

  test('the certificate of who serves is told with its end, and made anew by the same command', async () => {
    const shown = async () =>
      resultOf<{certificates: readonly {host: string; name: string; notAfter: string}[]}>(await trireme('cluster', 'certificates', '-o', 'json'))
        .certificates.filter(({name}) => name === 'trireme-endpoint.conf')
        .map(({host, notAfter}) => `${host} ${notAfter}`);
    const old = await shown();
    expect(old).toHaveLength(3);
    expectCode(await trireme('cluster', 'certificates', '--renew', '--all', '--yes'), 0);
    const now = await shown();
    expect(now).toHaveLength(3);
    expect(now.filter((one) => old.includes(one))).toEqual([]);
    await expect.poll(async () => await holder(), {timeout: 60_000, interval: 1000}).toMatch(/^h[1235]$/);
  });

  test('the address itself is changed while the cluster runs: hosts, later joins, kube-proxy and kubeconfigs use the new one', async () => {
    const members = (await status()).machines.map(({name}) => numberOf(name)).filter((index) => index !== worker);
    await write(members, moved);
    const started = Date.now();
    expectCode(await trireme('apply', '--yes'), 0);
    console.log(`moved to ${moved}: ${Math.round((Date.now() - started) / 1000)} s`);
    // each kubelet ends in its own time the pod that served the old one
    await expect.poll(() => havers([1, 2, 3, worker, spare]), {timeout: 60_000, interval: 1000}).toEqual([]);
    await expectServed(members, moved);
    expect((await trireme('cluster', 'kubeconfig')).stdout).toContain(`https://${moved}:6443`);
    expect(await crew.bed.ssh(worker, 'grep server: /etc/kubernetes/kubelet.conf')).toContain(`https://${moved}:6443`);
    const maps = await crew.bed.ssh(
      members[0] as number,
      'for map in "kube-system kubeadm-config" "kube-system kube-proxy" "kube-public cluster-info"; do kubectl --kubeconfig /etc/kubernetes/admin.conf -n ${map% *} get configmap ${map#* } -o yaml; done',
    );
    expect(maps.split(`${moved}:6443`)).toHaveLength(4);
    expect(maps).not.toContain(`${address}:`);
    const isReady = async () => (await status()).machines.map((machine) => machine.state);
    await expect.poll(isReady, {timeout: 60_000, interval: 2000}).toEqual(['ready', 'ready', 'ready', 'ready']);
    expectCode(await trireme('plan', '--exit-code'), 0);
  });

  test('deleted by its typed name, the cluster leaves nothing on its hosts, the address included', async () => {
    expectCode(await trireme('cluster', 'delete', '--confirm', 'berth'), 0);
    for (const index of [1, 2, 3, worker, spare])
      expect(differencesOf(before.get(index) as Snapshot, await snapshotOf(crew.bed, index)), `h${index}`).toEqual([]);
  });
});
