// Real OpenSSH servers on loopback, one per imagined host, each with a home of its own. They end with `close`. $HOME is that home, so that what this
// computer's ~/.bashrc does isn't measured: every command over SSH reads it, and scp, whose server is within sshd, doesn't.
import {spawn, spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {connect, createServer} from 'node:net';
import {tmpdir, userInfo} from 'node:os';
import {join} from 'node:path';

const sshd = '/usr/sbin/sshd';

/** Why there can be none here; undefined where there can. */
export function whyNoServers() {
  if (!existsSync(sshd)) return 'needs OpenSSH’s server: apt-get install openssh-server';
  if (userInfo().uid !== 0) return 'needs root: sshd lets in only its own user otherwise, and facts are gathered as root';
  return undefined;
}

export async function startServers(count) {
  const folder = await mkdtemp(join(tmpdir(), 'trireme-bench-'));
  await mkdir('/run/sshd', {recursive: true, mode: 0o755});
  const keygen = (path) => spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
  keygen(join(folder, 'id'));
  const servers = [];
  for (let index = 1; index <= count; index += 1) servers.push(await startServer(folder, index, keygen));
  await writeFile(join(folder, 'known_hosts'), servers.map(({port, key}) => `[127.0.0.1]:${port} ${key}`).join('\n') + '\n');
  await writeFile(
    join(folder, 'ssh_config'),
    servers.map(({name, port}) => `Host ${name}\n HostName 127.0.0.1\n Port ${port}\n User root\n IdentityFile ${folder}/id\n IdentitiesOnly yes\n UserKnownHostsFile ${folder}/known_hosts\n StrictHostKeyChecking yes\n`).join(''),
  );
  return {
    folder,
    servers,
    close: async () => {
      for (const {child} of servers) child.kill('SIGTERM');
      await rm(folder, {recursive: true, force: true});
    },
  };
}

async function startServer(folder, index, keygen) {
  const name = `b${index}`;
  const home = join(folder, name);
  await mkdir(home);
  keygen(join(home, 'host_key'));
  const port = await freePort();
  const config = join(home, 'sshd_config');
  await writeFile(config, `Port ${port}\nListenAddress 127.0.0.1\nHostKey ${home}/host_key\nPidFile none\nAuthorizedKeysFile ${folder}/id.pub\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\nSetEnv HOME=${home}\nMaxStartups 100\nSubsystem sftp internal-sftp\n`);
  const child = spawn(sshd, ['-D', '-e', '-f', config], {stdio: 'ignore'});
  await listening(port);
  const key = (await readFile(join(home, 'host_key.pub'), 'utf8')).split(' ').slice(0, 2).join(' ');
  return {name, port, home, child, key};
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const {port} = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function listening(port) {
  const end = Date.now() + 10_000;
  for (;;) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (open) return;
    if (Date.now() > end) throw new Error(`sshd doesn't listen on ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
