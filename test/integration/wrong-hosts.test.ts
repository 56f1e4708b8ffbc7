// Each way for a host to be wrong: its own code, exit code, the host's name and a remedy; the other hosts go on.
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {HostOutcome} from '../../src/kernel/event.ts';
import {closedPort} from '../support/closed-port.ts';
import {startFleet, type Fleet, type FleetHost} from '../support/fleet.ts';
import {whyNoMount} from '../support/small-disk.ts';
import {resultOf, type Ran} from '../support/trireme.ts';

const noMount = await whyNoMount();
const closed = await closedPort();

/** By name of the host: how it is wrong, and what must be said. */
const wrong: readonly (readonly [FleetHost, string, number])[] = [
  [{name: 'sudo', file: {ssh: {sudo: {password: {fromFile: 'wrong-password'}}}}}, 'host.sudo-password-wrong', 5],
  [{name: 'stranger', known: 'nothing'}, 'host.key-unknown', 5],
  [{name: 'changed', known: 'another'}, 'host.key-changed', 5],
  [{name: 'refused', file: {ssh: {user: 'nobody'}}}, 'host.authentication-failed', 5],
  [{name: 'closed', host: 'none', file: {port: closed.port}}, 'host.port-closed', 4],
  [{name: 'unnamed', host: 'none', file: {address: 'no-such-host.invalid'}}, 'host.name-unresolved', 4],
  [{name: 'sysv', host: {systemd: false}}, 'host.systemd-missing', 1],
  [{name: 'riscv', host: {facts: {kernel: {release: '6.12.48', architecture: 'riscv64'}}}}, 'host.architecture-unsupported', 1],
];
const full: FleetHost = {name: 'full', disk: {folder: 'var/lib/trireme', kib: 1024}};

let fleet: Fleet;
let check: Ran;
let apply: Ran;

beforeAll(async () => {
  fleet = await startFleet([
    {name: 'good', role: 'control-plane'},
    {name: 'good-worker'},
    ...wrong.map(([host]) => host),
    ...(noMount === undefined ? [full] : []),
  ]);
  await writeFile(join(fleet.folder, 'wrong-password'), 'a wrong password\n');
  check = await fleet.trireme(['host', 'check', '-o', 'json']);
  apply = await fleet.trireme(['apply', '--yes', '-o', 'json']);
}, 120_000);

afterAll(async () => {
  await fleet?.stop();
  await closed.free();
});

const outcomeOf = (host: string) => resultOf<{run: {hosts: HostOutcome[]}}>(apply).run.hosts.find((one) => one.host === host);
const checkOf = (host: string) =>
  resultOf<{hosts: {host: string; ok: boolean; remedy: string; problem?: {code: string}}[]}>(check).hosts.find((one) => one.host === host);

describe('hosts that are wrong', () => {
  test.each(wrong.map(([host, code, exit]) => [host.name, code, exit] as const))(
    '%s: apply says %s, exit %i, names the host and what to do',
    (name, code, exit) => {
      const problem = outcomeOf(name)?.problem;
      expect(problem).toMatchObject({code, exit, host: name});
      expect(problem?.message).toContain(name);
      expect(problem?.hints[0]).toMatch(/\w+/);
    },
  );

  test.each(wrong.map(([host, code]) => [host.name, code] as const))('%s: host check says %s in its line, with a remedy', (name, code) => {
    expect(checkOf(name)).toMatchObject({ok: false, problem: {code}});
    expect(checkOf(name)?.remedy).not.toBe('');
  });

  test.skipIf(noMount !== undefined)(`a full disk${noMount === undefined ? '' : ` (skipped: ${noMount})`}: the file system is named, exit 1`, () => {
    const problem = outcomeOf('full')?.problem;
    expect(problem).toMatchObject({code: 'host.disk-full', exit: 1, host: 'full'});
    expect(problem?.message).toContain('/var/lib/trireme');
    expect(problem?.hints[0]).toMatch(/^Make room/);
    expect(checkOf('full')).toMatchObject({ok: false, remedy: expect.stringMatching(/^Make room/), problem: {code: 'host.disk-full'}});
  });

  test('the other hosts go on to the end, and the gravest exit code is the run’s', () => {
    expect(outcomeOf('good')).toEqual({host: 'good', outcome: 'changed'});
    expect(outcomeOf('good-worker')).toEqual({host: 'good-worker', outcome: 'changed'});
    expect(apply.code).toBe(5);
    expect(check.code).toBe(5);
    // the problem of the whole is one that this exit code belongs to
    for (const ran of [apply, check]) expect(JSON.parse(ran.stdout)).toMatchObject({exit: 5, problem: {code: 'host.sudo-password-wrong', exit: 5}});
  });

  test('a wrong password is tried once in a command, so that no account is locked', async () => {
    const tries = await readFile(join(fleet.folder, 'sudo', 'sudo-password.tries'), 'utf8');
    expect(tries.trim().split('\n')).toHaveLength(2);
  });

  test('a single host can be checked by its name, as the remedies say, in one line', async () => {
    const ran = await fleet.trireme(['host', 'check', 'closed', '--no-color']);
    expect(ran.code).toBe(4);
    const [title, ...lines] = ran.stdout.trim().split('\n');
    expect(title).toMatch(/^HOST .*REMEDY$/);
    expect(lines).toEqual([
      expect.stringMatching(/^closed +127\.0\.0\.1 +host\.port-closed .*connection refused on port \d+ of 127\.0\.0\.1\. +Is an SSH server running there/),
    ]);
  });
});
