// kill -9 of `apply` in the middle of a real installation, and what must come of it.
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {expect} from 'vitest';
import {expectCode, type Crew} from './crew.ts';
import {differencesOf, snapshotOf, type Snapshot} from './host-snapshot.ts';
import {resultOf} from './trireme.ts';

/** Lines of events that an undisturbed installation of 3+1 has, at least. */
const leastLines = 150;

/** A number from 0 to 1 that a seed stands for (mulberry32). */
export function seeded(seed: number): number {
  let t = (seed + 0x6d2b79f5) | 0;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

/** The line of the event stream after which seed `index` of `count` kills: each has its own stretch of the run. */
export function momentOf(index: number, count: number): number {
  return Math.max(1, Math.floor(((index + seeded(index)) / count) * leastLines));
}

interface History {
  readonly runs: readonly {
    readonly run: string;
    readonly operation: string;
    readonly outcome: string | null;
    readonly state: string;
    readonly resumed: string | null;
  }[];
}

interface Status {
  readonly health: string;
  readonly machines: readonly {readonly name: string; readonly role: string; readonly state: string}[];
}

/**
 * Kills apply after so many lines of its events, goes on with --resume, and holds the cluster and the history against what they must be.
 * `beside` is done while the resumed run holds the cluster's lease.
 */
export async function killRealAndResume(crew: Crew, line: number, beside?: () => Promise<void>): Promise<void> {
  const {bed} = crew;
  await crew.write([1, 2, 3], [4]);
  const running = bed.start(['apply', '--yes', '-o', 'ndjson']);
  await running.saw((text) => text.split('\n').length > line);
  running.kill('SIGKILL');
  const killed = await running.ended;
  expect(killed.signal).toBe('SIGKILL');
  const last = killed.stdout.trim().split('\n').at(-2) ?? '';

  const cut = resultOf<History>(await bed.trireme(['history', '-o', 'json'])).runs[0];
  expect({outcome: cut?.outcome, state: cut?.state}).toEqual({outcome: null, state: 'killed'});

  const resumed = bed.start(['apply', '--resume', '--yes', '-o', 'ndjson']);
  if (beside !== undefined) {
    await resumed.saw(/"type":"step\.finished","step":"lease"/);
    await beside();
  }
  expectCode(await resumed.ended, 0);
  const {health, machines} = resultOf<Status>(await bed.trireme(['status', '--wait', '--timeout', '5m', '-o', 'json']));
  expect(health).toBe('healthy');
  expect(machines.map(({name, role, state}) => `${name} ${role} ${state}`)).toEqual([
    'h1 control-plane ready',
    'h2 control-plane ready',
    'h3 control-plane ready',
    'h4 worker ready',
  ]);
  expect(await etcdMembers(crew)).toEqual(['h1', 'h2', 'h3']);

  const {runs} = resultOf<History>(await bed.trireme(['history', '-o', 'json']));
  expect(runs.slice(0, 2).map(({outcome, state, resumed: of}) => ({outcome, state, resumed: of}))).toEqual([
    {outcome: 'succeeded', state: 'ended', resumed: cut?.run ?? ''},
    {outcome: null, state: 'killed', resumed: null},
  ]);
  expectCode(await bed.trireme(['plan', '--exit-code']), 0);
  console.log(
    `killed after ${line} lines, at ${/"type":"[^"]*"/.exec(last)?.[0] ?? ''} ${/"step":"[^"]*"/.exec(last)?.[0] ?? ''}: resumed to the same healthy cluster`,
  );
}

/** A second apply, from another folder and by an operator who shares nothing with the first, while one is at work. */
export async function expectRefusedBeside({bed}: Crew): Promise<void> {
  const place = join(bed.work, 'second');
  await mkdir(place, {recursive: true});
  const second = await bed.trireme(['apply', '--yes', '-f', '../trireme.yaml'], {cwd: place, env: {HOME: join(place, 'home')}});
  expectCode(second, 8);
  expect(second.stderr).toMatch(/\S+@\S+ is working on the cluster of h1 since \d{4}-\d\d-\d\dT[\d:.]+Z/);
  console.log(`the second apply was refused: ${second.stderr.split('\n').find((line) => line.includes('is working on')) ?? ''}`);
}

/** Names of etcd's members, as etcd itself tells them. */
export async function etcdMembers({bed}: Crew): Promise<readonly string[]> {
  const keys = '--cacert /etc/kubernetes/pki/etcd/ca.crt --cert /etc/kubernetes/pki/etcd/server.crt --key /etc/kubernetes/pki/etcd/server.key';
  const list = await bed.ssh(1, `crictl exec $(crictl ps --name etcd -q | head -1) etcdctl --endpoints https://127.0.0.1:2379 ${keys} member list`);
  return list
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(', ')[2] ?? '')
    .toSorted();
}

/** Takes the cluster off its hosts: they're fresh again, which is held against how they were. */
export async function deleteAndCompare(crew: Crew, before: ReadonlyMap<number, Snapshot>): Promise<void> {
  expectCode(await crew.bed.trireme(['cluster', 'delete', '--confirm', 'berth']), 0);
  for (const [index, snapshot] of before) expect(differencesOf(snapshot, await snapshotOf(crew.bed, index)), `h${index}`).toEqual([]);
}
