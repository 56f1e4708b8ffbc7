import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {listHostNames} from '../../../src/ssh/ssh-config.ts';
import {parseHop, resolveTarget, type HostTarget} from '../../../src/ssh/target.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'cfg-'));
});
afterEach(() => rm(home, {recursive: true}));

async function config(text: string, name = 'config'): Promise<void> {
  const path = join(home, '.ssh', name);
  await mkdir(dirname(path), {recursive: true});
  await writeFile(path, text);
}
const resolve = (target: Partial<HostTarget> = {}, env = {}) => resolveTarget({host: 'h1', address: 'ship', ...target}, {HOME: home, USER: 'anna', ...env});

describe('ssh_config', () => {
  test('is not needed: the defaults are those of ssh', async () => {
    expect(await resolve()).toMatchObject({
      hostName: 'ship',
      port: 22,
      user: 'anna',
      keyNames: ['ship'],
      identityFiles: ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(home, '.ssh', name)),
      identitiesOnly: false,
      identityAgent: undefined,
      jump: [],
    });
  });

  test('gives the first value of a setting, and all identity files', async () => {
    await config(`
Host other
  User nobody
Host ship !ship2
  HostName %h.example
  Port 2222
  IdentityFile ~/.ssh/%n_%r
Host *
  User=ops
  Port 22
  IdentityFile "~/.ssh/with blank"
`);
    expect(await resolve()).toMatchObject({
      hostName: 'ship.example',
      port: 2222,
      user: 'ops',
      keyNames: ['[ship.example]:2222', 'ship.example'],
      identityFiles: [join(home, '.ssh/ship_ops'), join(home, '.ssh/with blank')],
    });
  });

  test("gives way to the cluster's file", async () => {
    await config('Host *\n  User ops\n  Port 2222\n  ProxyJump bastion\n  UserKnownHostsFile /other\n');
    expect(await resolve({user: 'root', port: 22, jump: [], knownHostsFiles: ['~/kh'], identityFile: '~/key'})).toMatchObject({
      user: 'root',
      port: 22,
      jump: [],
      knownHostsFiles: [join(home, 'kh')],
      identityFile: join(home, 'key'),
    });
  });

  test('includes files by pattern, below ~/.ssh, and only where the Host applies', async () => {
    await config('Include conf.d/*\nHost other\n  Include other\nHost *\n  User last\n');
    await config('Host ship\n  Port 2201\n', 'conf.d/a');
    await config('Host ship\n  Port 2202\n  User first\n', 'conf.d/b');
    await config('Port 1\nHostName wrong\n', 'other');
    expect(await resolve()).toMatchObject({port: 2201, user: 'first', hostName: 'ship'});
  });

  test('that includes itself is refused', async () => {
    await config('Include config\n');
    await expect(resolve()).rejects.toMatchObject({code: 'file.invalid'});
  });

  test.each([
    ['host ship.example', true],
    ['host ship', false],
    ['originalhost ship,boat', true],
    ['originalhost boat', false],
    ['user ops', true],
    ['!user ops', false],
    ['originalhost ship user nobody', false],
    ['originalhost s* user o*', true],
    ['localuser anna', true],
    ['all', true],
    ['final originalhost ship', true],
  ])('takes a part by "Match %s": %s', async (criteria, applies) => {
    await config(`Host ship\n  HostName ship.example\n  User ops\nMatch ${criteria}\n  Port 2222\n`);
    expect((await resolve()).port).toBe(applies ? 2222 : 22);
  });

  test('never runs a program to find out what applies, and says so', async () => {
    await config(`Match exec "touch ${join(home, 'ran')}"\n  Port 2222\n`);
    const target = await resolve();
    expect(target.port).toBe(22);
    expect(target.warnings.join()).toContain('Match exec');
    await expect(import('node:fs/promises').then(({stat}) => stat(join(home, 'ran')))).rejects.toThrow('ENOENT');
  });

  test('cannot turn the verification of host keys off', async () => {
    await config('Host *\n  StrictHostKeyChecking no\n');
    expect((await resolve()).warnings.join()).toContain('verifies host keys always');
  });

  test('takes whichever of ProxyJump and ProxyCommand comes first, and none', async () => {
    await config('Host ship\n  ProxyCommand nc -X 5 "%h" %p\nHost *\n  ProxyJump a,ops@b:2222\n');
    expect(await resolve()).toMatchObject({jump: [], proxyCommand: 'nc -X 5 "ship" 22'});
    expect(await resolve({address: 'boat'})).toMatchObject({jump: ['a', 'ops@b:2222'], proxyCommand: undefined});
    await config('Host ship\n  ProxyJump none\nHost *\n  ProxyJump a\n');
    expect(await resolve()).toMatchObject({jump: [], proxyCommand: undefined});
  });

  test.each([
    ['', {SSH_AUTH_SOCK: '/run/agent'}, '/run/agent'],
    ['IdentityAgent none', {SSH_AUTH_SOCK: '/run/agent'}, undefined],
    ['IdentityAgent SSH_AUTH_SOCK', {SSH_AUTH_SOCK: '/run/agent'}, '/run/agent'],
    ['IdentityAgent $OTHER', {OTHER: '/run/other'}, '/run/other'],
    ['IdentityAgent ~/%r.sock', {}, 'HOME/anna.sock'],
  ])('finds the agent by "%s"', async (text, env, socket) => {
    await config(`${text}\n`);
    expect((await resolve({}, env)).identityAgent).toBe(socket?.replace('HOME', home));
  });

  test('can be another file, or none', async () => {
    await config('Port 2222\n');
    await config('Port 2223\n', 'mine');
    expect((await resolve({configFile: 'none'})).port).toBe(22);
    expect((await resolve({configFile: '~/.ssh/mine'})).port).toBe(2223);
    await expect(resolve({configFile: '~/.ssh/missing'})).rejects.toMatchObject({code: 'file.not-found'});
  });

  test('names the hosts that are written down, through Include, without patterns; a file that is missing names none', async () => {
    await config('Host a b\n  User x\nHost *.example !c web?\n  User y\nInclude more\nHost a\n');
    await config('Host d\n', 'more');
    expect(await listHostNames({home, configFile: undefined})).toEqual(['a', 'b', 'd']);
    expect(await listHostNames({home, configFile: '~/.ssh/more'})).toEqual(['d']);
    expect(await listHostNames({home, configFile: '~/.ssh/missing'})).toEqual([]);
    expect(await listHostNames({home, configFile: 'none'})).toEqual([]);
  });
});

test.each([
  ['bastion', {address: 'bastion'}],
  ['ops@bastion.example:2222', {user: 'ops', address: 'bastion.example', port: 2222}],
  ['ops@[2001:db8::1]:22', {user: 'ops', address: '2001:db8::1', port: 22}],
  ['2001:db8::1', {address: '2001:db8::1'}],
  ['ssh://ops@bastion:22/', {user: 'ops', address: 'bastion', port: 22}],
])('reads the jump host %s', (text, hop) => expect(parseHop(text)).toEqual(hop));

test.each(['', 'a b', 'ops@', 'a:b:c'])('refuses the jump host "%s"', (text) => {
  expect(() => parseHop(text)).toThrow(expect.objectContaining({code: 'file.invalid'}));
});
