// Secrets go through a whole apply in the sandbox, on hosts with a program that prints them as it fails, and through what cares for a cluster afterwards: none may
// come out in stdout, stderr, the ledger, the agent's log, a support bundle, a backup's file, or the arguments of a program on a host.
import {execFileSync} from 'node:child_process';
import {createReadStream} from 'node:fs';
import {access, chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {createGunzip} from 'node:zlib';
import {spawn} from '@lydell/node-pty';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {agentPaths} from '../../src/hostcluster/protocol.ts';
import {readTar} from '../../src/kernel/tar.ts';
import {startTestSandbox, type TestSandbox} from '../support/sandbox-run.ts';
import {program, type Ran} from '../support/trireme.ts';

const variable = 'c4n4ry-v4ri4ble-1';
const passphrase = 'c4n4ry p4ssphr4se of a backup';
const keyPassphrase = 'c4n4ry p4ssphr4se of a key';
const environment = {CANARY_VARIABLE: variable, TRIREME_BACKUP_PASSPHRASE: passphrase};
/** What scripts on the hosts call: each is replaced by one that writes down its arguments first. */
const watched = [
  'sudo',
  'systemctl',
  'sha256sum',
  'sh',
  'env',
  'cat',
  'tee',
  'mv',
  'cp',
  'ln',
  'rm',
  'mkdir',
  'chmod',
  'install',
  'head',
  'base64',
  'awk',
  'sed',
  'grep',
  'tar',
];

const profile = `apiVersion: trireme.dev/v1alpha1
kind: ClusterProfile
metadata: {name: harbour}
spec:
  variables:
    token: {type: string, masked: true, required: true}
  layers:
    addons:
      - {name: registry, manifest: registry.yaml}
`;
const manifest = `apiVersion: v1
kind: Secret
metadata: {name: registry, namespace: default}
stringData: {token: "\${var.token}"}
`;

describe('a canary secret', {timeout: 120_000}, () => {
  let sandbox: TestSandbox;
  const said: [string, Ran][] = [];
  let failed: Ran;
  /** Name of the secret to its texts. */
  const canaries = new Map<string, readonly string[]>();

  beforeAll(async () => {
    sandbox = await startTestSandbox({controlPlanes: 1, workers: 1});
    const password = join(sandbox.folder, 'sudo-password');
    const fault = join(sandbox.folder, 'fault');
    for (const host of sandbox.hosts) await recordArguments(join(dirname(host.root), 'bin'), join(sandbox.folder, `${host.name}.argv`), {fault, password});
    await writeFile(join(sandbox.folder, 'profile.yaml'), profile);
    await writeFile(join(sandbox.folder, 'registry.yaml'), manifest);
    const file = await readFile(sandbox.file, 'utf8');
    await writeFile(sandbox.file, file.replace(/^ {2}agent:$/m, '  profile: {file: profile.yaml, variables: {token: {fromEnv: CANARY_VARIABLE}}}\n  agent:'));
    await writeFile(fault, '');
    failed = await sandbox.trireme(['apply', '--yes', '--verbose'], {env: environment});
    await rm(fault);
    for (const args of [
      ['validate', '--verbose'],
      ['plan', '-o', 'wide', '--verbose'],
      ['apply', '--yes', '--verbose'],
      ['apply', '--yes', '-o', 'ndjson'],
      ['status', '-o', 'json'],
      ['cluster', 'describe', '-o', 'yaml'],
      ['agent', 'logs', 'cp1', '-o', 'ndjson'],
      ['agent', 'logs', 'w1'],
      ['history', 'last', '-o', 'json'],
      ['cluster', 'certificates', '--renew', '--all', '--yes', '--verbose'],
      ['cluster', 'events', '-o', 'json'],
      ['machine', 'describe', 'cp1', '-o', 'json'],
      ['cluster', 'backup', '--out', join(sandbox.folder, 'harbour.backup'), '--verbose'],
      ['support', '--out', join(sandbox.folder, 'support.tar.gz'), '--verbose'],
      ['host', 'exec', '-o', 'json', '--', 'cat', password],
      ['host', 'exec', '--', 'cat', password],
    ])
      said.push([args.join(' '), await sandbox.trireme(args, {env: environment})]);

    said.push(['host check, with a passphrase typed', await typePassphrase(sandbox)]);
    const secrets = JSON.parse(await readFile(join(sandbox.hosts[0]?.root ?? '', agentPaths.secrets), 'utf8')) as {bootstrapToken: string; ca: {key: string}};
    canaries.set("sudo's password", [(await readFile(password, 'utf8')).trim()]);
    canaries.set('a masked variable', [variable, Buffer.from(variable).toString('base64')]);
    canaries.set('the bootstrap token', [secrets.bootstrapToken.split('.')[1] as string]);
    canaries.set("a backup's passphrase", [passphrase]);
    canaries.set("a key's passphrase", [keyPassphrase]);
    canaries.set("the cluster's key", [secrets.ca.key.split('\n')[1] as string]);
  }, 120_000);
  afterAll(() => sandbox?.stop());

  const isFree = (text: string, where: string) => {
    for (const [name, texts] of canaries)
      for (const secret of texts)
        expect(text.includes(secret), `${name} is in ${where}:\n${text.slice(Math.max(0, text.indexOf(secret) - 300), text.indexOf(secret) + 100)}`).toBe(
          false,
        );
  };

  it('was there to be found: a program and a command printed it, and the others worked', () => {
    expect(failed.code, failed.stdout + failed.stderr).toBe(1);
    expect(failed.stderr).toContain('systemctl: the password is [redacted]');
    for (const [args, ran] of said) expect(ran.code, `${args}\n${ran.stderr}\n${ran.stdout}`).toBe(0);
    expect(said.at(-2)?.[1].stdout).toContain('[redacted]');
    expect([...canaries.values()].flat().every((secret) => secret.length >= 8)).toBe(true);
  });

  it('is not in stdout or stderr', () => {
    isFree(failed.stdout + failed.stderr, 'the output of an apply that fails');
    for (const [args, {stdout, stderr}] of said) isFree(stdout + stderr, `the output of trireme ${args}`);
  });

  it('is not in a support bundle, which has what a bug report needs, and which only its owner may read', async () => {
    const path = join(sandbox.folder, 'support.tar.gz');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const names: string[] = [];
    for await (const {name, content} of readTar(createReadStream(path).pipe(createGunzip()))) {
      const chunks: Buffer[] = [];
      for await (const chunk of content) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString('utf8');
      names.push(name);
      isFree(text, `the support bundle's ${name}`);
      expect(text).not.toContain('PRIVATE KEY');
    }
    expect(names).toEqual(
      expect.arrayContaining([
        'about.json',
        'file.json',
        'cluster/view.json',
        'cluster/events.json',
        'hosts/cp1/facts.json',
        'hosts/cp1/agent.json',
        'hosts/w1/journal.txt',
      ]),
    );
    expect(names.some((name) => name.startsWith('runs/'))).toBe(true);
  });

  it("is not in a backup's file, which only its owner may read", async () => {
    const path = join(sandbox.folder, 'harbour.backup');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    isFree(await readFile(path, 'latin1'), 'the backup');
  });

  it("is in no file of the operator's state, cache or settings: the ledger, locks, logs", async () => {
    const files = (await Promise.all(['state', 'cache', 'config'].map((name) => textsBelow(join(sandbox.folder, name))))).flat();
    expect(files.some(([path, text]) => path.endsWith('.ndjson') && text.includes('"run.finished"'))).toBe(true);
    for (const [path, text] of files) isFree(text, path);
  });

  it("is not in the agent's events, state, or journal", async () => {
    for (const {name, root} of sandbox.hosts) {
      const places = [join(root, agentPaths.events), join(root, agentPaths.seen)];
      const logs = await textsBelow(join(dirname(root), 'logs'));
      expect(logs.length).toBeGreaterThan(0);
      for (const place of places) expect((await readFile(place, 'utf8')).length, place).toBeGreaterThan(10);
      for (const place of places) if (!place.endsWith(basename(agentPaths.seen))) isFree(await readFile(place, 'utf8'), `${name}: ${place}`);
      for (const [path, text] of logs) isFree(text, `${name}: ${path}`);
    }
  });

  it('is in no argument of a program on a host', async () => {
    for (const {name, server} of sandbox.hosts) {
      const recorded = await readFile(join(sandbox.folder, `${name}.argv`), 'utf8');
      expect(recorded).toMatch(/^sudo -k -S/m);
      expect(recorded).toMatch(/^systemctl /m);
      isFree(recorded, `the arguments on ${name}`);
      isFree(server.commands.join('\n'), `the commands over SSH to ${name}`);
    }
  });
});

/** Locks the key that logs in with a passphrase, and types it where it is asked for. */
async function typePassphrase(sandbox: TestSandbox): Promise<Ran> {
  const key = join(sandbox.folder, 'id');
  // OpenSSH's own tool: no library here writes such a key
  execFileSync('ssh-keygen', ['-q', '-p', '-f', key, '-P', '', '-N', keyPassphrase]);
  const pty = spawn(process.execPath, [program, 'host', 'check', '--verbose'], {
    cols: 100,
    rows: 30,
    env: {PATH: process.env['PATH'], HOME: sandbox.home, TERM: 'xterm', LANG: 'C.UTF-8', CI: 'false', ...sandbox.env, ...environment},
  });
  let stdout = '';
  let isTyped = false;
  pty.onData((text) => {
    stdout += text;
    if (isTyped || !stdout.includes('Passphrase of')) return;
    isTyped = true;
    pty.write(`${keyPassphrase}\r`);
  });
  const code = await new Promise<number>((resolve) => pty.onExit(({exitCode}) => resolve(exitCode)));
  return {code: isTyped ? code : 99, signal: null, stdout, stderr: ''};
}

/** Puts a program in front of each watched one that writes its name and arguments into `log` and then becomes it. */
async function recordArguments(folder: string, log: string, {fault, password}: {readonly fault: string; readonly password: string}): Promise<void> {
  const real = join(folder, 'real');
  const failing = `if [ -e '${fault}' ]; then read -r secret <'${password}'; echo "systemctl: the password is $secret" >&2; exit 1; fi\n`;
  await mkdir(real, {recursive: true});
  for (const name of watched) {
    const path = await firstThatExists([join(folder, name), `/usr/bin/${name}`, `/bin/${name}`]);
    if (path === undefined) continue;
    const target = path === join(folder, name) ? join(real, name) : path;
    if (target !== path) await rename(path, target);
    await writeFile(join(folder, name), `#!/bin/sh\nprintf '%s\\n' '${name} '"$*" >>'${log}'\n${name === 'systemctl' ? failing : ''}exec '${target}' "$@"\n`);
    await chmod(join(folder, name), 0o755);
  }
}

async function firstThatExists(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

async function textsBelow(folder: string): Promise<readonly (readonly [string, string])[]> {
  const entries = await readdir(folder, {recursive: true, withFileTypes: true}).catch(() => []);
  return Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => [join(entry.parentPath, entry.name), await readFile(join(entry.parentPath, entry.name), 'utf8')] as const),
  );
}
