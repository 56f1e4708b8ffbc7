// Certificates, backup, restore and watching, by the program, on simulated hosts: the way of each command, and what it refuses.
import {readFile, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {generateX25519Identity, identityToRecipient} from 'age-encryption';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {waitFor} from '../../src/kernel/retry.ts';
import {startTestSandbox, type TestSandbox} from '../support/sandbox-run.ts';
import {resultOf, type Ran} from '../support/trireme.ts';

interface Shown {
  readonly certificates: readonly {readonly host: string; readonly name: string; readonly state: string; readonly notAfter: string}[];
  readonly authorities: readonly {readonly name: string; readonly hosts: readonly string[]}[];
}

const passphrase = 'correct horse battery';

describe('care for a cluster of simulated hosts', {timeout: 300_000}, () => {
  let sandbox: TestSandbox;
  let other: TestSandbox;
  const expectCode = (ran: Ran, code: number) => expect(ran.code, `${ran.stderr}\n${ran.stdout}`).toBe(code);
  const onHost = (name: string, path: string) => join(sandbox.hosts.find((host) => host.name === name)?.root ?? '', path);
  const certificates = async () => resultOf<Shown>(await sandbox.trireme(['cluster', 'certificates', '-o', 'json']));

  beforeAll(async () => {
    [sandbox, other] = await Promise.all([startTestSandbox({controlPlanes: 1, workers: 1}), startTestSandbox({controlPlanes: 1, workers: 0})]);
    expectCode(await sandbox.trireme(['apply', '--yes', '-q']), 0);
  }, 300_000);
  afterAll(async () => {
    await sandbox?.stop();
    await other?.stop();
  });

  it('shows every certificate with its end, the authorities by fingerprint, and says SIMULATED', async () => {
    const ran = await sandbox.trireme(['cluster', 'certificates']);
    expectCode(ran, 0);
    expect(ran.stdout).toMatch(/^SIMULATED/);
    expect(ran.stdout).toMatch(/^ca ([0-9A-F]{2}:){31}[0-9A-F]{2}$/m);
    expect((await certificates()).authorities.find((one) => one.name === 'ca')?.hosts).toEqual(['cp1', 'w1']);
  });

  it('renews nothing that is not due', async () => {
    const before = await certificates();
    const ran = await sandbox.trireme(['cluster', 'certificates', '--renew', '--yes']);
    expectCode(ran, 0);
    expect(ran.stdout).toContain('unchanged');
    expect((await certificates()).certificates).toEqual(before.certificates);
  });

  it('the agent renews by itself what is due', async () => {
    const path = onHost('cp1', '/etc/kubernetes/pki/apiserver.simulated.json');
    const soon = new Date(Date.now() + 20 * 24 * 3_600_000).toISOString();
    await writeFile(path, JSON.stringify({SIMULATED: true, notBefore: '2026-01-01T00:00:00Z', notAfter: soon}));
    const renewed = await waitFor(async () => ((await readFile(path, 'utf8')).includes(soon) ? undefined : true), {timeout: 60_000, interval: 200});
    expect(renewed).toBe(true);
  });

  it('says which certificate has expired, and repairs it by one command, also where the agent does not run', async () => {
    const agent = sandbox.hosts.find((host) => host.name === 'cp1');
    await agent?.services.stopAll('SIGTERM');
    const path = onHost('cp1', '/etc/kubernetes/pki/apiserver.simulated.json');
    await writeFile(path, JSON.stringify({SIMULATED: true, notBefore: '2025-01-01T00:00:00Z', notAfter: '2026-01-01T00:00:00Z'}));
    const ran = await sandbox.trireme(['cluster', 'certificates', '--renew', '--yes']);
    expectCode(ran, 0);
    expect(ran.stderr).toContain('agent.running');
    expect((await certificates()).certificates.every((one) => one.state === 'valid')).toBe(true);
    expect(await readFile(path, 'utf8')).not.toContain('"2026-01-01');
  });

  it('shows etcd, certificates and since when in status, describe and of one machine', async () => {
    expectCode(await sandbox.trireme(['status', '--wait', '--timeout', '1m']), 0);
    const status = await sandbox.trireme(['status']);
    expect(status.stdout).toMatch(/etcd 1\/1 healthy, leader cp1/);
    expect(status.stdout).toMatch(/certificates: the first ends in 364d/);
    const described = await sandbox.trireme(['cluster', 'describe']);
    expect(described.stdout).toMatch(/cp1 \(192\.0\.2\.1\): ready for .* v1\.36\.3, agent .* converged/);
    const machine = await sandbox.trireme(['machine', 'describe', 'cp1']);
    expect(machine.stdout).toMatch(/reconcilers done for/);
    expect(machine.stdout).toMatch(/Ready True KubeletReady for/);
    const listed = await sandbox.trireme(['cluster', 'list', '--live']);
    expectCode(listed, 0);
    expect(listed.stdout).toContain('healthy');
  });

  it("tells what the agents did as the cluster's events", async () => {
    const ran = await sandbox.trireme(['cluster', 'events']);
    expectCode(ran, 0);
    expect(ran.stdout).toContain('Host/cp1');
    expect(ran.stdout).toContain('Start the cluster');
    const {events} = resultOf<{events: {type: string}[]}>(await sandbox.trireme(['cluster', 'events', '--warnings', '-o', 'json']));
    expect(events.every((event) => event.type === 'Warning')).toBe(true);
  });

  it('refuses a backup that nobody could open again, one that protects nothing, and to replace a file', async () => {
    const none = await sandbox.trireme(['cluster', 'backup']);
    expectCode(none, 2);
    expect(none.stderr).toContain('TRIREME_BACKUP_PASSPHRASE');
    expectCode(await sandbox.trireme(['cluster', 'backup'], {env: {TRIREME_BACKUP_PASSPHRASE: 'short'}}), 2);
    expectCode(await sandbox.trireme(['cluster', 'backup', '--recipient', 'age1nonsense']), 2);
    await writeFile(join(sandbox.home, 'there.backup'), '');
    expectCode(await sandbox.trireme(['cluster', 'backup', '--out', 'there.backup'], {env: {TRIREME_BACKUP_PASSPHRASE: passphrase}}), 2);
  });

  it('brings the cluster back onto other hosts, from a backup for a key', async () => {
    const identity = await generateX25519Identity();
    await writeFile(join(other.home, 'key.txt'), `# a test's\n${identity}\n`, {mode: 0o600});
    const path = join(other.home, 'harbour.backup');
    const taken = await sandbox.trireme(['cluster', 'backup', '--out', path, '--recipient', await identityToRecipient(identity)]);
    expectCode(taken, 0);
    expect(taken.stdout).toContain('SIMULATED');
    expect((await stat(path)).mode & 0o777).toBe(0o600);

    // onto hosts that have it already: no
    const onOld = await sandbox.trireme(['cluster', 'restore', path, '--identity', join(other.home, 'key.txt'), '--yes']);
    expectCode(onOld, 8);
    expect(onOld.stderr).toContain('belongs to the cluster harbour');

    const ran = await other.trireme(['cluster', 'restore', path, '--identity', 'key.txt', '--yes']);
    expectCode(ran, 0);
    const idOf = async (box: TestSandbox) =>
      (JSON.parse(await readFile(join(box.hosts[0]?.root ?? '', '/var/lib/trireme/wanted.json'), 'utf8')) as {cluster: {id: string}}).cluster.id;
    expect(await idOf(other)).toBe(await idOf(sandbox));
    const {machines} = resultOf<{machines: {name: string; state: string}[]}>(await other.trireme(['status', '-o', 'json']));
    expect(machines).toEqual([expect.objectContaining({name: 'cp1', state: 'ready'})]);
    const again = await other.trireme(['apply', '--yes']);
    expect(again.stdout).toContain('unchanged');
  });

  it('refuses a wrong passphrase, a changed byte and a cut file before anything is touched', async () => {
    const path = join(sandbox.home, 'harbour.backup');
    expectCode(await sandbox.trireme(['cluster', 'backup', '--out', path], {env: {TRIREME_BACKUP_PASSPHRASE: passphrase}}), 0);
    const bytes = await readFile(path);
    const restore = (file: string, secret = passphrase) => sandbox.trireme(['cluster', 'restore', file, '--yes'], {env: {TRIREME_BACKUP_PASSPHRASE: secret}});
    const wrong = await restore(path, 'another horse battery');
    expectCode(wrong, 5);
    expect(wrong.stderr).toContain("isn't opened by this passphrase");
    const changed = Buffer.from(bytes);
    changed[bytes.length - 40] = (bytes.at(-40) as number) ^ 1;
    await writeFile(join(sandbox.home, 'changed.backup'), changed);
    await writeFile(join(sandbox.home, 'cut.backup'), bytes.subarray(0, bytes.length - 100));
    await writeFile(join(sandbox.home, 'text.backup'), 'a shopping list\n');
    for (const file of ['changed.backup', 'cut.backup', 'text.backup']) {
      const ran = await restore(file);
      expectCode(ran, 1);
      expect(ran.stderr).toContain(`${file} is damaged`);
    }
    expectCode(await restore('missing.backup'), 3);
  });
});
