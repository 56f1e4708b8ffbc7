// What the agent does with a real etcd of three members on loopback: who answers, who may go, and that a member that goes is gone. No hosts are needed.
import {execFile, spawn, type ChildProcess} from 'node:child_process';
import {existsSync, readdirSync} from 'node:fs';
import {copyFile, mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {createConnection} from 'node:net';
import {homedir, tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {etcdMembersOf, removeEtcdMember} from '../../src/agentd/distributions/kubeadm/etcd.ts';
import {hostFiles} from '../../src/agentd/host-system.ts';
import type {Target} from '../../src/agentd/reconciler.ts';
import {memberOfHost, whyNotRemovable} from '../../src/hostcluster/quorum.ts';
import type {EtcdMember} from '../../src/hostcluster/protocol.ts';

const run = promisify(execFile);
const bed = process.env['TESTBED'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'trireme-testbed');

/** The newest etcd that the test bed has built. */
function etcdProgram(): string | undefined {
  const folder = join(bed, 'bin/etcd');
  const versions = existsSync(folder) ? readdirSync(folder).toSorted() : [];
  const path = join(folder, versions.at(-1) ?? '', 'etcd');
  return versions.length > 0 && existsSync(path) ? path : undefined;
}

const isFree = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = createConnection({host: '127.0.0.1', port});
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', () => resolve(true));
  });

/** It writes until it's gone. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

const program = etcdProgram();
// the agent asks the etcd of its own host, which is there by kubeadm's rule
const reason = program === undefined ? 'test/testbed/build.sh etcd has not been run' : (await isFree(2379)) ? undefined : 'something listens on port 2379';

describe.skipIf(reason !== undefined)(`a real etcd of three members${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let folder: string;
  let target: Target;
  const {signal} = new AbortController();
  const running = new Map<number, ChildProcess>();
  const clientPort = (index: number) => (index === 1 ? 2379 : 2379 + index * 10_000);
  const peerUrl = (index: number) => `https://127.0.0.1:${clientPort(index) + 1}`;
  const members = async (): Promise<readonly EtcdMember[]> => (await etcdMembersOf(target, signal)) ?? [];
  const told = async () => (await members()).map((member) => `${member.name} ${member.healthy ? 'well' : 'down'}`).toSorted();
  const find = async (name: string) => memberOfHost(await members(), name) as EtcdMember;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'etcd-'));
    const openssl = (...args: readonly string[]) => run('openssl', [...args], {cwd: folder});
    await openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=etcd-ca', '-days', '2');
    await openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'etcd.key', '-out', 'etcd.csr', '-subj', '/CN=etcd');
    await writeFile(join(folder, 'names'), 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n');
    await openssl(
      'x509',
      '-req',
      '-in',
      'etcd.csr',
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-out',
      'etcd.crt',
      '-days',
      '2',
      '-extfile',
      'names',
    );
    const pki = join(folder, 'root/etc/kubernetes/pki');
    await mkdir(join(pki, 'etcd'), {recursive: true});
    await copyFile(join(folder, 'ca.crt'), join(pki, 'etcd/ca.crt'));
    await copyFile(join(folder, 'etcd.crt'), join(pki, 'apiserver-etcd-client.crt'));
    await copyFile(join(folder, 'etcd.key'), join(pki, 'apiserver-etcd-client.key'));
    target = {host: {...hostFiles(join(folder, 'root')), name: 'h1'}, wanted: {configuration: {etcd: {}}}} as unknown as Target;
    const tls = ['cert-file=etcd.crt', 'key-file=etcd.key', 'trusted-ca-file=ca.crt'].flatMap((flag) => [`--${flag}`, `--peer-${flag}`]);
    for (const index of [1, 2, 3]) {
      const client = `https://127.0.0.1:${clientPort(index)}`;
      const args = [
        ...[`--name=h${index}`, `--data-dir=data-${index}`, `--listen-client-urls=${client}`, `--advertise-client-urls=${client}`],
        ...[`--listen-peer-urls=${peerUrl(index)}`, `--initial-advertise-peer-urls=${peerUrl(index)}`],
        ...[`--initial-cluster=${[1, 2, 3].map((one) => `h${one}=${peerUrl(one)}`).join(',')}`, '--client-cert-auth', '--peer-client-cert-auth'],
      ];
      running.set(index, spawn(program as string, [...args, ...tls], {cwd: folder, stdio: 'ignore'}));
    }
  });
  afterAll(async () => {
    for (const child of running.values()) await end(child);
    await rm(folder, {recursive: true, force: true});
  });

  test('tells who is there, and who has gone down', async () => {
    await expect.poll(() => told().catch(() => []), {timeout: 60_000}).toEqual(['h1 well', 'h2 well', 'h3 well']);
    running.get(3)?.kill('SIGKILL');
    await expect.poll(told, {timeout: 30_000}).toEqual(['h1 well', 'h2 well', 'h3 down']);
  });

  test('lets the dead one go, and no living one before that', async () => {
    // a member that doesn't answer within a second counts as down: one that is only slow is asked again
    const whyNot = async (name: string) => whyNotRemovable(await members(), await find(name));
    await expect.poll(() => whyNot('h2'), {timeout: 30_000}).toMatch(/^h3 is down/);
    await expect.poll(() => whyNot('h3'), {timeout: 30_000}).toBeUndefined();
    await removeEtcdMember(target, await find('h3'), signal);
    await expect.poll(told, {timeout: 30_000}).toEqual(['h1 well', 'h2 well']);
  });

  test('takes out a living one, a leader, too, and then the last one stays', async () => {
    await removeEtcdMember(target, await find('h2'), signal);
    await expect.poll(told, {timeout: 30_000}).toEqual(['h1 well']);
    expect(whyNotRemovable(await members(), await find('h1'))).toMatch(/only member/);
  });
});
