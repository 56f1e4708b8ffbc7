// Looks at this computer: everything that Trireme needs before it speaks to any host. Only reads.
import {constants} from 'node:fs';
import {access, lstat, readdir, readFile, stat, statfs} from 'node:fs/promises';
import {connect} from 'node:net';
import {homedir} from 'node:os';
import {dirname, join} from 'node:path';
import {cacheFolder, configFolder, stateFolder} from '../kernel/folders.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface Finding {
  readonly id: string;
  readonly severity: 'ok' | 'warning' | 'error';
  readonly observed: string;
  readonly remedy?: string;
}

export interface Computer {
  readonly env: Environment;
  /** `process.versions.node`. */
  readonly node: string;
}

/** Bytes that a bundle for one version needs in the cache. */
const cacheNeeds = 2 * 1024 ** 3;
/** How long the SSH agent may take to accept a connection, in ms. */
const agentDeadline = 2000;

type Check = (computer: Computer) => Promise<readonly Finding[]>;

/** All findings, in the order of the checks. A check that fails by itself is a finding too. */
export async function checkComputer(computer: Computer): Promise<readonly Finding[]> {
  const findings = await Promise.all(
    checks.map(([id, check]) =>
      check(computer).catch((error: Error): readonly Finding[] => [{id, severity: 'warning', observed: `can't be checked: ${error.message}`}]),
    ),
  );
  return findings.flat();
}

const checks: readonly (readonly [string, Check])[] = [
  ['node', checkNode],
  ['ssh-config', checkSshConfig],
  ['known-hosts', checkKnownHosts],
  ['private-keys', checkPrivateKeys],
  ['ssh-agent', checkAgent],
  ['folders', checkFolders],
  ['cache-space', checkSpace],
];

async function checkNode({node}: Computer): Promise<readonly Finding[]> {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return [{id: 'node', severity: 'ok', observed: `Node ${node}`}];
  return [{id: 'node', severity: 'error', observed: `Node ${node}`, remedy: 'Install Node 20.19 or newer.'}];
}

const sshFolder = (env: Environment) => join(env['HOME'] || homedir(), '.ssh');

async function checkSshConfig({env}: Computer): Promise<readonly Finding[]> {
  const path = join(sshFolder(env), 'config');
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return [{id: 'ssh-config', severity: 'ok', observed: `${path} doesn't exist; OpenSSH's defaults count`}];
  // ssh refuses a configuration that others can write: ssh_config(5), FILES.
  if ((found.mode & 0o022) !== 0)
    return [{id: 'ssh-config', severity: 'error', observed: `${path} can be written by others (${octal(found.mode)})`, remedy: `chmod 600 ${path}`}];
  await readFile(path);
  return [{id: 'ssh-config', severity: 'ok', observed: path}];
}

async function checkKnownHosts({env}: Computer): Promise<readonly Finding[]> {
  const path = join(sshFolder(env), 'known_hosts');
  const found = await stat(path).catch(() => undefined);
  if (found === undefined)
    return [{id: 'known-hosts', severity: 'warning', observed: `${path} doesn't exist: no host is known yet`, remedy: 'trireme host trust'}];
  if ((found.mode & 0o022) !== 0)
    return [{id: 'known-hosts', severity: 'error', observed: `${path} can be written by others (${octal(found.mode)})`, remedy: `chmod 600 ${path}`}];
  const text = await readFile(path, 'utf8');
  const keys = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#')).length;
  return [{id: 'known-hosts', severity: 'ok', observed: `${keys} keys in ${path}`}];
}

async function checkPrivateKeys({env}: Computer): Promise<readonly Finding[]> {
  const folder = sshFolder(env);
  const names = (await readdir(folder).catch(() => [])).filter((name) => /^id_[a-z0-9_]+$/.test(name));
  if (names.length === 0) return [{id: 'private-keys', severity: 'ok', observed: `no key with a usual name in ${folder}`}];
  const modes = await Promise.all(names.map(async (name) => ({path: join(folder, name), mode: (await stat(join(folder, name))).mode})));
  const open = modes.filter(({mode}) => (mode & 0o077) !== 0);
  if (open.length === 0) return [{id: 'private-keys', severity: 'ok', observed: names.join(', ')}];
  return open.map(({path, mode}) => ({
    id: 'private-keys',
    severity: 'error',
    observed: `${path} can be read by others (${octal(mode)}); ssh refuses it`,
    remedy: `chmod 600 ${path}`,
  }));
}

async function checkAgent({env}: Computer): Promise<readonly Finding[]> {
  const socket = env['SSH_AUTH_SOCK'];
  if (socket === undefined || socket === '') return [{id: 'ssh-agent', severity: 'ok', observed: 'none (SSH_AUTH_SOCK is not set); keys are read from files'}];
  const found = await lstat(socket).catch(() => undefined);
  if (found === undefined) return [{id: 'ssh-agent', severity: 'warning', observed: `${socket} doesn't exist`, remedy: 'Start it anew: eval $(ssh-agent)'}];
  const answers = await new Promise<boolean>((resolve) => {
    const connection = connect(socket);
    connection.setTimeout(agentDeadline);
    const end = (answer: boolean) => {
      connection.destroy();
      resolve(answer);
    };
    connection.once('connect', () => end(true));
    connection.once('timeout', () => end(false));
    connection.once('error', () => end(false));
  });
  if (answers) return [{id: 'ssh-agent', severity: 'ok', observed: socket}];
  return [{id: 'ssh-agent', severity: 'warning', observed: `${socket} doesn't answer`, remedy: 'Start it anew: eval $(ssh-agent)'}];
}

async function checkFolders({env}: Computer): Promise<readonly Finding[]> {
  const folders = [
    ['state-folder', stateFolder(env)],
    ['cache-folder', cacheFolder(env)],
    ['config-folder', configFolder(env)],
  ] as const;
  return Promise.all(
    folders.map(async ([id, path]): Promise<Finding> => {
      const existing = await nearestExisting(path);
      const writable = await access(existing, constants.W_OK | constants.X_OK).then(
        () => true,
        () => false,
      );
      if (writable) return {id, severity: 'ok', observed: path};
      return {
        id,
        severity: 'error',
        observed: `${existing} can't be written`,
        remedy: `Make ${path} writable, or name another place by ${id === 'state-folder' ? 'XDG_STATE_HOME' : id === 'cache-folder' ? 'XDG_CACHE_HOME' : 'XDG_CONFIG_HOME'}.`,
      };
    }),
  );
}

async function checkSpace({env}: Computer): Promise<readonly Finding[]> {
  const folder = cacheFolder(env);
  const {bavail, bsize} = await statfs(await nearestExisting(folder));
  const free = bavail * bsize;
  const observed = `${Math.floor(free / 1024 ** 2)} MiB free for ${folder}`;
  if (free >= cacheNeeds) return [{id: 'cache-space', severity: 'ok', observed}];
  return [{id: 'cache-space', severity: 'warning', observed, remedy: 'A bundle takes about 2 GiB; free some, or name another place by XDG_CACHE_HOME.'}];
}

async function nearestExisting(path: string): Promise<string> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  return exists || dirname(path) === path ? path : nearestExisting(dirname(path));
}

const octal = (mode: number) => (mode & 0o777).toString(8).padStart(4, '0');
