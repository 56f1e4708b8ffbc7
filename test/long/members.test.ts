// Members come and go on simulated hosts, by the program itself: the file says who, etcd's majority says whether.
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {pathsBelow} from '../support/file-tree.ts';
import {startTestSandbox, type TestSandbox} from '../support/sandbox-run.ts';
import {resultOf, type Ran} from '../support/trireme.ts';

interface Verb {
  readonly plan: {readonly hosts: readonly {readonly host: string; readonly state: string}[]};
  readonly run: {readonly outcome: string; readonly hosts: readonly {readonly host: string; readonly outcome: string}[]} | null;
}

describe('members of a cluster of simulated hosts', () => {
  let sandbox: TestSandbox;
  let whole: string;
  const before = new Map<string, readonly string[]>();
  const rootOf = (name: string) => sandbox.hosts.find((host) => host.name === name)?.root ?? '';
  const without = (...names: readonly string[]) =>
    writeFile(
      sandbox.file,
      whole
        .split('\n')
        .filter((line) => !names.some((name) => line.includes(`name: ${name},`)))
        .join('\n'),
    );
  const expectCode = (ran: Ran, code: number) => expect(ran.code, `${ran.stderr}\n${ran.stdout}`).toBe(code);
  const machines = async () => resultOf<{machines: {name: string; state: string}[]}>(await sandbox.trireme(['status', '-o', 'json'])).machines;

  beforeAll(async () => {
    sandbox = await startTestSandbox({controlPlanes: 4, workers: 2});
    whole = await readFile(sandbox.file, 'utf8');
    await without('cp4');
    // what every Linux has
    for (const {name} of sandbox.hosts)
      for (const folder of ['run', 'usr/local/bin', 'usr/local/lib', 'var/lib']) await mkdir(join(rootOf(name), folder), {recursive: true});
    for (const {name} of sandbox.hosts) before.set(name, await pathsBelow(rootOf(name)));
    expectCode(await sandbox.trireme(['apply', '--yes']), 0);
  }, 180_000);
  afterAll(() => sandbox?.stop());

  it('asks for a host that left the file by its name: --yes is no answer to that', async () => {
    await without('cp4', 'w2');
    const ran = await sandbox.trireme(['apply', '--yes']);
    expectCode(ran, 2);
    expect(ran.stderr).toContain('--confirm w2');
    const plan = await sandbox.trireme(['plan', '--exit-code']);
    expectCode(plan, 9);
    expect(plan.stdout).toMatch(/w2 .*removed/);
    // an upgrade isn't the one to take it out
    const upgrade = await sandbox.trireme(['cluster', 'upgrade', '--to', 'v1.36.3', '--yes']);
    expectCode(upgrade, 3);
    expect(upgrade.stderr).toMatch(/w2 left the file and is still in harbour[\s\S]*trireme apply --confirm w2/);
    expect((await machines()).map((machine) => machine.name)).toContain('w2');
  });

  it('takes it out and resets it: nothing of ours is left on it', async () => {
    const ran = await sandbox.trireme(['apply', '--yes', '--confirm', 'w2', '-o', 'json']);
    expectCode(ran, 0);
    const {plan, run} = resultOf<Verb>(ran);
    expect(plan.hosts.find((host) => host.host === 'w2')?.state).toBe('removed');
    expect(run?.hosts.filter((host) => host.outcome !== 'unchanged').map((host) => host.host)).toEqual(['w2']);
    expect((await machines()).map((machine) => machine.name)).toEqual(['cp1', 'cp2', 'cp3', 'w1']);
    expect(await pathsBelow(rootOf('w2'))).toEqual(before.get('w2'));
    expectCode(await sandbox.trireme(['plan', '--exit-code']), 0);
  }, 180_000);

  it('says of two applies from two folders who works, where and since when', async () => {
    await without('cp4', 'w2');
    const first = sandbox.start(['machine', 'replace', 'w1', '--confirm', 'w1', '-o', 'ndjson']);
    await first.saw(/"type":"step\.finished","step":"lease"/);
    // the local lock is another's, too: with a state folder of its own only the lease on the hosts is in the way
    const env = {XDG_STATE_HOME: join(sandbox.folder, 'state-2')};
    const [same, other] = await Promise.all([
      sandbox.trireme(['machine', 'replace', 'w1', '--confirm', 'w1']),
      sandbox.trireme(['machine', 'replace', 'w1', '--confirm', 'w1'], {env}),
    ]);
    for (const ran of [same, other]) {
      expectCode(ran, 8);
      expect(ran.stderr).toMatch(/\S+@\S+ is working on .+ since \d{4}-\d\d-\d\dT[\d:.]+Z/);
    }
    expectCode(await first.ended, 0);
    expect((await machines()).find((machine) => machine.name === 'w1')?.state).toBe('ready');
  }, 180_000);

  it('refuses to take out a control plane while another is down, and names it', async () => {
    const cp3 = sandbox.hosts.find((host) => host.name === 'cp3');
    await cp3?.powerCut();
    await cp3?.server.close();
    // cp4 shall come for cp2
    await without('w2', 'cp2');
    await expect.poll(async () => (await sandbox.trireme(['plan'])).code, {timeout: 40_000, interval: 2000}).toBe(3);
    const ran = await sandbox.trireme(['apply', '--yes', '--confirm', 'cp2']);
    expectCode(ran, 3);
    expect(ran.stderr).toMatch(/cp2 can't be taken out of the cluster: cp3 is down/);
    await without('w2', 'cp4');
    const replace = await sandbox.trireme(['machine', 'replace', 'cp2', '--confirm', 'cp2']);
    expectCode(replace, 3);
    expect(replace.stderr).toMatch(/cp2 can't be taken out of the cluster: cp3 is down/);
  }, 180_000);

  it('replaces the dead one by another host, through the living ones, and says that it was not reached', async () => {
    await without('w2', 'cp3');
    const ran = await sandbox.trireme(['apply', '--yes', '--confirm', 'cp3']);
    expectCode(ran, 0);
    expect(ran.stderr).toMatch(/cp3 isn't reached/);
    expect((await machines()).map((machine) => machine.name)).toEqual(['cp1', 'cp2', 'cp4', 'w1']);
  }, 180_000);

  it('refuses to reset a member, and another role for one', async () => {
    const reset = await sandbox.trireme(['host', 'reset', 'w1', '--yes']);
    expectCode(reset, 8);
    expect(reset.stderr).toContain('machine replace w1');
    await without('w2', 'cp3', 'cp4');
    await writeFile(sandbox.file, (await readFile(sandbox.file, 'utf8')).replace(/(name: w1, .*role: )worker/, '$1control-plane'));
    const role = await sandbox.trireme(['apply', '--yes']);
    expectCode(role, 3);
    expect(role.stderr).toMatch(/w1: the file wants a control-plane, and the host is a worker/);
  }, 180_000);

  it('replaces a control plane: out of etcd, off the host, and in again as new', async () => {
    await without('w2', 'cp3');
    const ran = await sandbox.trireme(['machine', 'replace', 'cp1', '--confirm', 'cp1', '-o', 'json']);
    expectCode(ran, 0);
    expect((await machines()).every((machine) => machine.state === 'ready')).toBe(true);
    expectCode(await sandbox.trireme(['plan', '--exit-code']), 0);
  }, 180_000);

  it('is taken off its hosts by its typed name, and leaves nothing behind', async () => {
    expectCode(await sandbox.trireme(['cluster', 'kubeconfig', '--merge']), 0);
    expectCode(await sandbox.trireme(['cluster', 'delete', '--yes']), 2);
    expectCode(await sandbox.trireme(['cluster', 'delete', '--confirm', 'another']), 5);
    const ran = await sandbox.trireme(['cluster', 'delete', '--confirm', 'harbour']);
    expectCode(ran, 0);
    for (const name of ['cp1', 'cp2', 'cp4', 'w1']) expect(await pathsBelow(rootOf(name)), name).toEqual(before.get(name));
    expect(await readFile(join(sandbox.folder, 'kubeconfig'), 'utf8')).not.toContain('harbour');
    expectCode(await sandbox.trireme(['plan', '--exit-code']), 9);
  }, 180_000);
});
