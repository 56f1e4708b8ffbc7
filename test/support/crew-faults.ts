// What is done to real hosts, and what must be so afterwards: a healthy cluster, one member of etcd for each control plane, nothing half-written.
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {expect} from 'vitest';
import type {HostOutcome, TriremeEvent} from '../../src/kernel/event.ts';
import {expectCode, type Crew} from './crew.ts';
import {resultOf, type Ran} from './trireme.ts';

const relay = fileURLToPath(new URL('../testbed/delay.mjs', import.meta.url));

/** An ssh_config in which every connection takes so many ms longer for an answer; returns its path. */
export async function slowConfig({bed}: Crew, ms: number): Promise<string> {
  const path = join(bed.work, 'ssh_config');
  await writeFile(path, `Host *\n  ProxyCommand ${process.execPath} ${relay} %h %p ${ms / 2}\nInclude ${join(bed.folder, 'ssh_config')}\n`);
  return path;
}

/** One TCP packet of so many that come to a host is lost, until `mendLoss`. */
export async function loseOneOf(crew: Crew, index: number, packets: number): Promise<void> {
  const rule = `type filter hook input priority raw; policy accept;\niif != lo meta l4proto tcp numgen random mod ${packets} < 1 drop`;
  await crew.bed.ssh(index, `nft -f - <<'END'\ntable inet testbed_loss {\nchain input {\n${rule}\n}\n}\nEND`);
}

export async function mendLoss(crew: Crew, index: number): Promise<void> {
  await crew.bed.ssh(index, 'nft delete table inet testbed_loss');
}

/** A file system of its own for a folder of a host. It takes memory only for what is in it. */
export async function mountOver(crew: Crew, index: number, folder: string): Promise<void> {
  await crew.bed.ssh(index, `mkdir -p ${folder} && mount -t tmpfs -o size=5g tmpfs ${folder}`);
}

/** The file system gets as small as what is in it; while that grows, it's refused. */
export async function fill(crew: Crew, index: number, folder: string): Promise<void> {
  await crew.bed.ssh(
    index,
    `for try in $(seq 100); do
       used=$(df -k --output=used ${folder} | tail -1)
       if mount -o remount,size=$((used + 64))k ${folder} 2>/dev/null; then exit 0; fi
     done
     exit 1`,
  );
}

export async function makeRoom(crew: Crew, index: number, folder: string): Promise<void> {
  await crew.bed.ssh(index, `mount -o remount,size=5g ${folder}`);
}

/** Names in a host's content folder that lead to other bytes than they say. */
export async function damagedContent({bed}: Crew, index: number): Promise<readonly string[]> {
  const script = `cd /var/lib/trireme/content/sha256 2>/dev/null || exit 0
for f in *; do [ ! -f "$f" ] || echo "$f  $f"; done >/run/testbed-sums
[ ! -s /run/testbed-sums ] || sha256sum --quiet -c /run/testbed-sums 2>&1
rm /run/testbed-sums`;
  return (await bed.ssh(index, script)).split('\n').filter((line) => line !== '');
}

/** Kills the agent's process so many times, each time once it answers again. */
export async function killAgent(crew: Crew, index: number, times: number): Promise<void> {
  await crew.bed.ssh(
    index,
    `for i in $(seq ${times}); do
       until /usr/local/bin/trireme-agent answers >/dev/null 2>&1; do sleep 0.2; done
       kill -KILL $(systemctl show -p MainPID --value trireme-agent.service)
     done`,
  );
}

/** Of an `-o ndjson` run that came to an end. */
export function outcomesOf(ran: Ran): readonly HostOutcome[] {
  const events = ran.stdout.split('\n').flatMap((line): readonly TriremeEvent[] => (line.startsWith('{"') ? [JSON.parse(line) as TriremeEvent] : []));
  const end = events.findLast((event) => event.type === 'run.finished');
  return end?.type === 'run.finished' ? end.hosts : [];
}

export interface Wrong {
  readonly host: string;
  readonly code: readonly string[];
  /** In the message: what is wrong. */
  readonly cause: RegExp;
  /** In one of the hints: what to do. */
  readonly remedy: RegExp;
}

/** The run names the host, the cause and the remedy. */
export function expectNamed(ran: Ran, wrong: Wrong): void {
  const problem = outcomesOf(ran).find((one) => one.host === wrong.host)?.problem;
  expect(wrong.code, JSON.stringify(problem)).toContain(problem?.code);
  expect(problem?.host).toBe(wrong.host);
  expect(problem?.message).toContain(wrong.host);
  expect(problem?.message).toMatch(wrong.cause);
  expect(problem?.hints.join('\n')).toMatch(wrong.remedy);
}

interface Status {
  readonly health: string;
  readonly machines: readonly {readonly name: string; readonly state: string}[];
}

/** Healthy without an operator's doing, etcd with one member for each control plane, and no file on any host that a cut-off write has left. */
export async function expectWell(crew: Crew, controlPlanes: readonly number[], workers: readonly number[] = []): Promise<void> {
  const {bed} = crew;
  const status = await bed.trireme(['status', '--wait', '--timeout', '8m', '-o', 'json']);
  expectCode(status, 0);
  const {health, machines} = resultOf<Status>(status);
  expect(health).toBe('healthy');
  const all = [...controlPlanes, ...workers];
  expect(machines.map(({name, state}) => `${name} ${state}`)).toEqual(all.map((index) => `h${index} ready`));
  // a member is known by its peer URL: two for one host would share it, or its name
  await expect
    .poll(() => etcdMemberLines(crew, controlPlanes[0] as number), {timeout: 60_000, interval: 2000})
    .toEqual(controlPlanes.map((index) => `started h${index} https://${bed.address(index)}:2380 false`));
  // agents write all the time: what is left stays, and what is being written goes
  for (const index of all) await expect.poll(() => leftOvers(crew, index), {timeout: 30_000, interval: 1000, message: `h${index}`}).toEqual([]);
}

/** `STATE NAME PEERS LEARNER` of each member, as etcd itself tells them. */
async function etcdMemberLines({bed}: Crew, index: number): Promise<readonly string[]> {
  const keys = '--cacert /etc/kubernetes/pki/etcd/ca.crt --cert /etc/kubernetes/pki/etcd/server.crt --key /etc/kubernetes/pki/etcd/server.key';
  const list = await bed
    .ssh(index, `crictl exec $(crictl ps --name etcd -q | head -1) etcdctl --endpoints https://127.0.0.1:2379 ${keys} member list`)
    .catch((error: unknown) => `doesn't answer: ${(error as Error).message}`);
  return list
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(', '))
    .map(([, state = '', name = '', peers = '', , learner = '']) => `${state} ${name} ${peers} ${learner}`)
    .toSorted();
}

/** Names that a write has only until it's whole: the agent's, the scripts' and the uploads'. And files that shall never be empty. */
async function leftOvers({bed}: Crew, index: number): Promise<readonly string[]> {
  const places = '/etc /usr/local /opt /var/lib/trireme';
  const names = ['*.tmp', '*.part', '*.new', '*.trireme-part', '*.json.[0-9]*'].map((name) => `-name '${name}'`).join(' -o ');
  const empty = `find /etc/kubernetes /etc/containerd /etc/systemd/system/*.service /usr/local/bin /usr/local/lib/trireme /var/lib/trireme /var/lib/kubelet/pki /var/lib/kubelet/config.yaml -type f -empty -printf 'empty: %p\\n' 2>/dev/null`;
  // a copy that kubeadm makes of etcd's data has the log file in it that etcd makes beforehand
  const kubeadms = "! -path '/etc/kubernetes/tmp/kubeadm-backup-etcd-*/etcd/member/wal/*'";
  const found = await bed.ssh(index, `find ${places} \\( ${names} \\) ! -path '/etc/ssl/*' ${kubeadms} 2>/dev/null; ${empty}; true`);
  return found.split('\n').filter((line) => line !== '' && !line.includes('/content/sha256/e3b0c44298fc1c14'));
}
