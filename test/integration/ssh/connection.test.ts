import {appendFile, readFile, writeFile} from 'node:fs/promises';
import {createServer, type AddressInfo} from 'node:net';
import {join} from 'node:path';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {TriremeError} from '../../../src/kernel/errors.ts';
import {createSshContext} from '../../../src/ssh/context.ts';
import {recordHostKeys} from '../../../src/ssh/known-hosts.ts';
import {openRunner} from '../../../src/ssh/ssh-runner.ts';
import type {HostTarget} from '../../../src/ssh/target.ts';
import {newKeyPair, type SimulatedHost} from '../../../src/sandbox/host.ts';
import type {SshFaults} from '../../../src/sandbox/ssh-server.ts';
import {closedPort} from '../../support/closed-port.ts';
import {createBench, type Bench} from '../../support/simulated-host.ts';

let bench: Bench;
let host: SimulatedHost;
let bastion: SimulatedHost;
const faults: SshFaults = {};
const bastionFaults: SshFaults = {};

beforeAll(async () => {
  bench = await createBench();
  host = await bench.start('h1', {faults});
  bastion = await bench.start('bastion', {faults: bastionFaults});
});
afterAll(async () => bench.stop());
beforeEach(async () => bench.trust(host, bastion));

const context = (more = {}) => createSshContext({env: bench.env, connectDeadline: 10_000, ...more});

/** Runs `hostname`-like work once; the error where there is one. */
async function attempt(target: HostTarget, more = {}): Promise<TriremeError | 'connected'> {
  try {
    const runner = await openRunner(target, context(more));
    await runner.run('true', {deadline: 10_000});
    await runner.close();
    return 'connected';
  } catch (error) {
    if (error instanceof TriremeError) return error;
    throw error;
  }
}

describe("a host's key", () => {
  test('that nobody recorded stops with its fingerprint and what to do', async () => {
    await bench.trust(bastion);
    const error = await attempt(bench.target(host));
    expect(error).toMatchObject({code: 'host.key-unknown', exit: 5, host: 'h1', message: expect.stringMatching(/ssh-ed25519 SHA256:[\w+/]{43}/)});
    expect((error as TriremeError).hints.join()).toContain('trireme host trust h1');
  });

  test('that changed stops with both fingerprints and the line', async () => {
    const other = await newKeyPair('other');
    const [, key] = other.publicKey.split(' ');
    await writeFile(bench.knownHosts, `# mine\n[127.0.0.1]:${host.port} ssh-ed25519 ${key}\n`);
    const error = (await attempt(bench.target(host))) as TriremeError;
    expect(error).toMatchObject({code: 'host.key-changed', exit: 5, host: 'h1'});
    expect(error.message.match(/SHA256:/g)).toHaveLength(2);
    expect(error.message).toContain(`${bench.knownHosts}:2`);
  });

  test('that is revoked is refused although it is listed too', async () => {
    await appendFile(bench.knownHosts, `@revoked * ${host.hostKey.publicKey}\n`);
    expect(await attempt(bench.target(host))).toMatchObject({code: 'host.key-revoked', host: 'h1'});
  });

  test('that only a certificate authority vouches for is not accepted, and the error says why', async () => {
    await writeFile(bench.knownHosts, `@cert-authority * ${host.hostKey.publicKey}\n`);
    expect(await attempt(bench.target(host))).toMatchObject({code: 'host.key-unknown', message: expect.stringContaining("can't check host certificates")});
  });

  test('is found under a hashed name, and replaced when told to', async () => {
    const other = await newKeyPair('other');
    await writeFile(bench.knownHosts, '');
    const name = `[127.0.0.1]:${host.port}`;
    const blob = (line: string) => Buffer.from(line.split(' ')[1] ?? '', 'base64');
    await recordHostKeys({file: bench.knownHosts, name, keys: [blob(other.publicKey)], hashed: true});
    expect(await readFile(bench.knownHosts, 'utf8')).toMatch(/^\|1\|\S+ ssh-ed25519 \S+\n$/);
    expect(await attempt(bench.target(host))).toMatchObject({code: 'host.key-changed'});
    await recordHostKeys({file: bench.knownHosts, name, keys: [blob(host.hostKey.publicKey)], hashed: true, replace: true});
    expect(await attempt(bench.target(host))).toBe('connected');
  });

  test('is looked up in the files that the cluster names, and under HostKeyAlias', async () => {
    const file = join(bench.folder, 'own_known_hosts');
    await writeFile(file, `ship ${host.hostKey.publicKey}\n`);
    const configFile = join(bench.folder, 'alias_config');
    await writeFile(configFile, 'Host *\n  HostKeyAlias ship\n');
    expect(await attempt(bench.target(host, {knownHostsFiles: [file]}))).toMatchObject({code: 'host.key-unknown'});
    expect(await attempt(bench.target(host, {knownHostsFiles: [file], configFile}))).toBe('connected');
  });
});

describe('a login', () => {
  test('that fails tells user, keys in order, and what the server takes', async () => {
    const wrong = await newKeyPair('wrong');
    const identityFile = join(bench.folder, 'wrong_key');
    await writeFile(identityFile, wrong.privateKey, {mode: 0o600});
    const error = (await attempt(bench.target(host, {user: 'nobody', identityFile}))) as TriremeError;
    expect(error).toMatchObject({code: 'host.authentication-failed', exit: 5, host: 'h1'});
    expect(error.message).toMatch(new RegExp(`nobody.*in order: ${identityFile} \\(SHA256:[^)]+\\); ${bench.identityFile} \\(SHA256:.*takes: publickey`));
    expect(error.details).toMatchObject({
      user: 'nobody',
      accepts: ['publickey'],
      offered: [
        {method: 'publickey', key: identityFile},
        {method: 'publickey', key: bench.identityFile},
      ],
    });
  });

  test('with a key whose passphrase is missing, wrong, given, or asked for once for all hosts', async () => {
    const {default: ssh2} = await import('ssh2');
    const pair = ssh2.utils.generateKeyPairSync('ed25519', {comment: 'locked', passphrase: 'let me in', cipher: 'aes256-ctr', rounds: 4});
    const identityFile = join(bench.folder, 'locked_key');
    await writeFile(identityFile, pair.private, {mode: 0o600});
    const locked = await bench.start('h3', {authorizedKeys: [pair.public]});
    await bench.trust(host, bastion, locked);
    const target = bench.target(locked, {identityFile});
    expect(await attempt(target)).toMatchObject({code: 'host.passphrase-required', exit: 2, host: 'h3', message: expect.stringContaining(identityFile)});
    expect(await attempt({...target, passphrase: 'not it'})).toMatchObject({
      code: 'host.authentication-failed',
      message: expect.stringContaining("the passphrase isn't right"),
    });
    expect(await attempt({...target, passphrase: 'let me in'})).toBe('connected');
    const asked: string[] = [];
    const shared = context({
      askPassphrase: async (path: string) => {
        asked.push(path);
        return 'let me in';
      },
    });
    const runners = await Promise.all([1, 2, 3].map(() => openRunner(target, shared)));
    await Promise.all(runners.map((runner) => runner.close()));
    expect(asked).toEqual([identityFile]);
  });

  test('with a key that the file names but that is not there names the path', async () => {
    expect(await attempt(bench.target(host, {identityFile: '/nowhere/key'}))).toMatchObject({
      code: 'file.not-found',
      message: expect.stringContaining('/nowhere/key'),
    });
  });

  test('takes user, port, key and address from ssh_config, with Include and Match', async () => {
    const configFile = join(bench.folder, 'config');
    await writeFile(join(bench.folder, 'more'), `Host ship*\n  HostName 127.0.0.1\n  Port ${host.port}\n`);
    await writeFile(
      configFile,
      `Include ${join(bench.folder, 'mo*')}\nMatch originalhost ship1 user nobody\n  Port 1\nMatch originalhost ship1\n  User ops\n  IdentitiesOnly yes\n  IdentityFile ${bench.home}/.ssh/id_%%%n\n  IdentityFile ${bench.identityFile}\n`,
    );
    expect(await attempt({host: 'h1', address: 'ship1', configFile})).toBe('connected');
  });
});

describe('a way that leads nowhere', () => {
  test('because the port is closed', async () => {
    const {port, free} = await closedPort();
    expect(await attempt({host: 'h9', address: '127.0.0.1', port, user: 'ops'})).toMatchObject({
      code: 'host.port-closed',
      exit: 4,
      host: 'h9',
      message: expect.stringContaining(String(port)),
    });
    await free();
  });

  test('because the name does not resolve', async () => {
    expect(await attempt({host: 'h9', address: 'no-such-host.invalid', user: 'ops'})).toMatchObject({code: 'host.name-unresolved', exit: 4, host: 'h9'});
  });

  test('because what listens there says nothing', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const {port} = server.address() as AddressInfo;
    expect(await attempt({host: 'h9', address: '127.0.0.1', port, user: 'ops'}, {connectDeadline: 300})).toMatchObject({
      code: 'host.unreachable',
      exit: 4,
      host: 'h9',
    });
    server.close();
  });
});

describe('jump hosts', () => {
  const through = (more = {}) => bench.target(host, {jump: [`ops@127.0.0.1:${bastion.port}`], ...more});

  test('lead to the host, and hosts behind one share its connection', async () => {
    const before = bastion.server.connected;
    const shared = context();
    const runners = await Promise.all([1, 2, 3, 4].map(() => openRunner(through(), shared)));
    for (const runner of runners) expect((await runner.run('echo there', {deadline: 10_000})).stdout).toBe('there\n');
    expect(bastion.server.connected).toBe(before + 1);
    await Promise.all(runners.map((runner) => runner.close()));
  });

  test('each show their own key', async () => {
    await bench.trust(host);
    const error = (await attempt(through())) as TriremeError;
    expect(error).toMatchObject({code: 'host.key-unknown', host: 'h1', message: expect.stringContaining('leads through 127.0.0.1')});
    expect(error.hints.join()).toContain('trireme host trust h1');
    await bench.trust(bastion);
    expect(await attempt(through())).toMatchObject({code: 'host.key-unknown', host: 'h1', message: expect.stringContaining(`127.0.0.1:${host.port}`)});
  });

  test('come from ProxyJump with settings of their own, in chains', async () => {
    const configFile = join(bench.folder, 'jump_config');
    await writeFile(
      configFile,
      `Host inner\n  HostName 127.0.0.1\n  Port ${host.port}\n  User ops\n  ProxyJump first,second\nHost first second\n  HostName 127.0.0.1\n  Port ${bastion.port}\n  User ops\n`,
    );
    expect(await attempt({host: 'h1', address: 'inner', configFile})).toBe('connected');
  });

  test('that forward nothing say so', async () => {
    bastionFaults.refuseForwarding = true;
    try {
      expect(await attempt(through())).toMatchObject({code: 'host.unreachable', host: 'h1', message: expect.stringContaining('jump host')});
    } finally {
      delete bastionFaults.refuseForwarding;
    }
  });

  test('that lead in a circle end', async () => {
    const configFile = join(bench.folder, 'circle_config');
    await writeFile(configFile, 'Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n');
    expect(await attempt({host: 'h1', address: 'a', user: 'ops', configFile})).toMatchObject({
      code: 'host.unreachable',
      message: expect.stringContaining('circle'),
    });
  });

  test('may be a ProxyCommand', async () => {
    const configFile = join(bench.folder, 'proxy_config');
    const relay = join(bench.folder, 'relay.mjs');
    await writeFile(
      relay,
      "import {connect} from 'node:net';\nconst socket = connect(Number(process.argv[3]), process.argv[2]);\nprocess.stdin.pipe(socket).pipe(process.stdout);\n",
    );
    await writeFile(configFile, `Host *\n  ProxyCommand ${process.execPath} "${relay}" %h %p\n`);
    expect(await attempt(bench.target(host, {configFile}))).toBe('connected');
    await writeFile(configFile, 'Host *\n  ProxyCommand sh -c "echo no way >&2; exit 1"\n');
    expect(await attempt(bench.target(host, {configFile}))).toMatchObject({code: 'host.unreachable', host: 'h1', message: expect.stringContaining('no way')});
  });
});
