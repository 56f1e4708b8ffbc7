import {mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile} from 'node:fs/promises';
import {hostname, tmpdir} from 'node:os';
import {basename, dirname, join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {Leases} from '../../../src/hostcluster/lease.ts';
import {agentPaths} from '../../../src/hostcluster/protocol.ts';
import {SecretsKeeper} from '../../../src/hostcluster/secrets-keeper.ts';
import {TriremeError} from '../../../src/kernel/errors.ts';
import {exec} from '../../../src/kernel/exec.ts';
import {Redactor} from '../../../src/kernel/redact.ts';
import type {LockOwner} from '../../../src/plan/lock.ts';
import {localRunner} from '../../support/local-runner.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trireme-lease-'));
});
afterEach(() => rm(folder, {recursive: true, force: true}));

const at = (host: string, path: string) => join(folder, host, path);
const runner = async (host: string) => localRunner(host, join(folder, host));
const owner = (over: Partial<LockOwner> = {}): LockOwner => ({
  user: 'ann',
  computer: 'elsewhere',
  pid: 1,
  run: 'r1',
  since: '2026-01-01T00:00:00Z',
  operation: 'apply',
  ...over,
});

describe('the lease of a cluster', () => {
  const broken: string[] = [];
  const leases = (who: LockOwner, breakLock = false) =>
    new Leases({owner: who, breakLock, runner, onBroken: (host, holder) => broken.push(`${host} ${holder.user}`)});
  async function put(host: string, who: LockOwner, age = 0): Promise<void> {
    await mkdir(dirname(at(host, agentPaths.lock)), {recursive: true});
    await writeFile(at(host, agentPaths.lock), `${JSON.stringify(who)}\n`);
    const time = Date.now() / 1000 - age;
    await utimes(at(host, agentPaths.lock), time, time);
  }
  const holder = async (host: string) => (JSON.parse(await readFile(at(host, agentPaths.lock), 'utf8')) as LockOwner).user;

  it('is taken on each host and given back', async () => {
    const ours = leases(owner({user: 'me'}));
    await ours.acquire(['h1', 'h2']);
    expect([await holder('h1'), await holder('h2'), ours.holds(['h1', 'h2'])]).toEqual(['me', 'me', true]);
    await ours.release();
    await expect(holder('h1')).rejects.toMatchObject({code: 'ENOENT'});
    expect(ours.holds(['h1'])).toBe(false);
  });

  it('is refused while another holds it, and what was taken before is given back', async () => {
    await put('h2', owner());
    await expect(leases(owner({user: 'me'})).acquire(['h1', 'h2'])).rejects.toMatchObject({
      code: 'lock.held',
      host: 'h2',
      message: expect.stringContaining('ann@elsewhere'),
      details: {holder: owner()},
    });
    await expect(holder('h1')).rejects.toMatchObject({code: 'ENOENT'});
    expect(await holder('h2')).toBe('ann');
  });

  it('is taken over from one who has not renewed it for long, and from a process of this computer that is gone', async () => {
    await put('h1', owner(), 3600);
    const {stdout} = await exec('/bin/sh', ['-c', 'echo $$'], {deadline: 5000});
    await put('h2', owner({computer: hostname(), pid: Number(stdout)}));
    await leases(owner({user: 'me'})).acquire(['h1', 'h2']);
    expect([await holder('h1'), await holder('h2')]).toEqual(['me', 'me']);
    expect(broken).toEqual([]);
  });

  it.each(['', '\0'.repeat(64)])('is free where a power cut has left a file that says nothing: %j', async (text) => {
    await mkdir(dirname(at('h1', agentPaths.lock)), {recursive: true});
    await writeFile(at('h1', agentPaths.lock), text);
    await leases(owner({user: 'me'})).acquire(['h1']);
    expect(await holder('h1')).toBe('me');
    expect(await readdir(dirname(at('h1', agentPaths.lock)))).toEqual([basename(agentPaths.lock)]);
  });

  it('leaves out a host that has become silent, unless there is no other', async () => {
    const silent = (hosts: readonly string[]) => async (host: string) => {
      if (hosts.includes(host)) throw new TriremeError('host.connection-lost', 'broke', {host});
      return runner(host);
    };
    const leasesWith = (hosts: readonly string[]) => new Leases({owner: owner({user: 'me'}), breakLock: false, runner: silent(hosts), onBroken: () => {}});
    expect(await leasesWith(['h2']).acquire(['h1', 'h2', 'h3'])).toEqual(['h2']);
    expect([await holder('h1'), await holder('h3')]).toEqual(['me', 'me']);
    await expect(leasesWith(['h4', 'h5']).acquire(['h4', 'h5'])).rejects.toMatchObject({code: 'host.connection-lost', host: 'h5'});
  });

  it('is broken when asked, and the one it was taken from is named', async () => {
    await put('h1', owner());
    const ours = leases(owner({user: 'me'}), true);
    await ours.acquire(['h1']);
    expect(await holder('h1')).toBe('me');
    expect(broken).toEqual(['h1 ann']);
    await ours.release();
  });

  it("does not give back what isn't ours any more", async () => {
    const ours = leases(owner({user: 'me'}));
    await ours.acquire(['h1']);
    await put('h1', owner());
    await ours.release();
    expect(await holder('h1')).toBe('ann');
  });

  it('goes to one of two who take it at once', async () => {
    const outcomes = await Promise.allSettled([leases(owner({user: 'a', run: 'a'})).acquire(['h1']), leases(owner({user: 'b', run: 'b'})).acquire(['h1'])]);
    expect(outcomes.map((one) => one.status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });
});

describe("keeping a cluster's secrets", () => {
  const keeper = (redactor = new Redactor()) => new SecretsKeeper({redactor, runner});

  it('finds none on untouched hosts', async () => {
    expect(await keeper().read(['h1', 'h2'])).toBeUndefined();
    expect(() => keeper().require()).toThrow(expect.objectContaining({code: 'cluster.not-made'}));
  });

  it('makes them once, private on the host, with none in a script, where ps would show it; another computer reads the same back', async () => {
    const redactor = new Redactor();
    const local = localRunner('h2', join(folder, 'h2'));
    const made = await new SecretsKeeper({redactor, runner: async () => local}).make('h2');
    expect((await stat(at('h2', agentPaths.secrets))).mode & 0o777).toBe(0o600);
    expect(local.scripts.join('\n')).not.toMatch(/PRIVATE/);
    expect(local.scripts.join('\n')).not.toContain(made.bootstrapToken);
    expect(redactor.text(`token ${made.bootstrapToken}`)).toBe('token [redacted]');
    const other = keeper();
    expect(await other.read(['h1', 'h2'])).toEqual(made);
    expect(other.clusterId).toMatch(/^[0-9a-f]{16}$/);
    // somebody who makes them at the same moment gets these instead of replacing them
    expect(await keeper().make('h2')).toEqual(made);
  });
});
