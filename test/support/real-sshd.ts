// A real OpenSSH server on loopback, for the tests that hold ours to the same contract. It lets in the user who runs the tests.
import {spawn, spawnSync} from 'node:child_process';
import {mkdirSync} from 'node:fs';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {connect, createServer, type AddressInfo} from 'node:net';
import {tmpdir, userInfo} from 'node:os';
import {join} from 'node:path';
import {waitFor} from '../../src/kernel/retry.ts';

const program = ['/usr/sbin/sshd', '/usr/bin/sshd', '/usr/local/sbin/sshd'].find((path) => spawnSync(path, ['-V']).error === undefined);

/** Why the tests with a real sshd are skipped; undefined when they run. */
export const withoutSshd =
  program === undefined
    ? 'no OpenSSH server (sshd) is installed'
    : spawnSync('ssh-keygen', ['-?']).error === undefined
      ? undefined
      : 'no ssh-keygen is installed';

export interface RealSshd {
  readonly port: number;
  readonly user: string;
  readonly folder: string;
  /** Lines for known_hosts. */
  readonly knownHosts: readonly string[];
  stop(): Promise<void>;
}

/** Starts sshd with new host keys of three kinds and lets `publicKey` in. */
export async function startSshd(publicKey: string, settings: readonly string[] = []): Promise<RealSshd> {
  const folder = await mkdtemp(join(tmpdir(), 'sshd-'));
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', {recursive: true, mode: 0o755}); // where root's sshd separates privileges
  const kinds = ['ed25519', 'ecdsa', 'rsa'];
  for (const kind of kinds) spawnSync('ssh-keygen', ['-q', '-t', kind, ...(kind === 'rsa' ? ['-b', '2048'] : []), '-N', '', '-f', join(folder, kind)]);
  await writeFile(join(folder, 'authorized_keys'), `${publicKey}\n`, {mode: 0o600});
  const port = await freePort();
  const config = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    ...kinds.map((kind) => `HostKey ${join(folder, kind)}`),
    `PidFile ${join(folder, 'pid')}`,
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'MaxStartups 100',
    'Subsystem sftp internal-sftp',
    ...settings,
  ];
  await writeFile(join(folder, 'config'), `${config.join('\n')}\n`);
  const child = spawn(program ?? 'sshd', ['-D', '-e', '-f', join(folder, 'config')], {stdio: ['ignore', 'ignore', 'pipe']});
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-4000)));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const up = await waitFor(async () => ((await accepts(port)) ? true : child.exitCode === null ? undefined : false), {timeout: 20_000, interval: 50});
  if (up !== true) throw new Error(`sshd didn't start: ${errors}`);
  const keys = await Promise.all(kinds.map(async (kind) => (await readFile(join(folder, `${kind}.pub`), 'utf8')).split(' ').slice(0, 2).join(' ')));
  return {
    port,
    user: userInfo().username,
    folder,
    knownHosts: keys.map((key) => `[127.0.0.1]:${port} ${key}`),
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      await rm(folder, {recursive: true, force: true});
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
