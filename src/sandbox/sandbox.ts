// A small fleet on this computer: simulated hosts, their keys, and the file that describes their cluster.
import {randomBytes} from 'node:crypto';
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {createServer, type AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {startGuard} from './guard.ts';
import {newKeyPair, startSimulatedHost, type SimulatedHost} from './host.ts';

export interface SandboxOptions {
  readonly controlPlanes: number;
  readonly workers: number;
  /** The program's own bin/run.js: `trireme` on the PATH of the sandbox's shell. */
  readonly program?: string;
  /** The cluster's name; default `harbour`. */
  readonly name?: string;
  /** Default: a new folder below the system's temporary folder, removed by `stop`. */
  readonly folder?: string;
  /** Hosts only, as a new user finds them: no cluster's file, no known host keys. Default false. */
  readonly bare?: boolean;
}

export interface Sandbox {
  readonly folder: string;
  /** Where its shell begins; absent: where the person is. */
  readonly cwd?: string;
  readonly clusterName: string;
  /** The cluster's file. */
  readonly file: string;
  readonly hosts: readonly SimulatedHost[];
  /** Environment in which commands use this sandbox and leave everything of the person's own alone. */
  readonly env: Readonly<Record<string, string>>;
  /** This process ends with the sandbox, even when that is killed; where the folder is another's, that one's guard has to see to it. */
  readonly guard: (pid: number) => () => void;
  stop(): Promise<void>;
}

/** Starts the hosts and writes the file; call `stop` in the end: it ends every process and removes the folder. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const {name: clusterName = 'harbour'} = options;
  const made = options.folder === undefined;
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'trireme-')));
  const guard = made ? startGuard(folder) : undefined;
  const key = await newKeyPair('sandbox');
  const sudoPassword = randomBytes(12).toString('base64url');
  const names = [...hostNames(options.controlPlanes, 'cp'), ...hostNames(options.workers, 'w')];
  const hosts = await Promise.all(
    names.map(async (name, index) => {
      const hostFolder = join(folder, name);
      await mkdir(hostFolder, {recursive: true, mode: 0o700});
      return startSimulatedHost({name, folder: hostFolder, sudoPassword, authorizedKeys: [key.publicKey], facts: {address: nodeAddress(index)}});
    }),
  );
  await writeFile(join(folder, 'id'), key.privateKey, {mode: 0o600});
  await writeFile(join(folder, 'sudo-password'), `${sudoPassword}\n`, {mode: 0o600});
  const {bare = false} = options;
  await writeFile(join(folder, 'known_hosts'), bare ? '' : `${hosts.map((host) => host.knownHostsLine).join('\n')}\n`);
  await writeFile(join(folder, 'ssh_config'), renderSshConfig(hosts, folder));
  const cwd = bare ? join(folder, clusterName) : undefined;
  if (cwd !== undefined) await mkdir(cwd);
  const file = join(cwd ?? folder, 'trireme.yaml');
  if (!bare) await writeFile(file, renderFile(clusterName, hosts, await freePort()));
  if (options.program !== undefined) {
    await mkdir(join(folder, 'path'));
    await writeFile(join(folder, 'path/trireme'), `#!/bin/sh\nexec '${process.execPath}' '${options.program}' "$@"\n`, {mode: 0o755});
  }
  return {
    folder,
    ...(cwd === undefined ? {} : {cwd}),
    clusterName,
    file,
    hosts,
    env: {
      TRIREME_SANDBOX: '1',
      ...(bare ? {} : {TRIREME_FILE: file}),
      TRIREME_SSH_CONFIG: join(folder, 'ssh_config'),
      KUBECONFIG: join(folder, 'kubeconfig'),
      XDG_STATE_HOME: join(folder, 'state'),
      XDG_CACHE_HOME: join(folder, 'cache'),
      XDG_CONFIG_HOME: join(folder, 'config'),
    },
    guard: (pid) => guard?.watch(pid) ?? (() => {}),
    stop: async () => {
      await Promise.all(hosts.map((host) => host.stop()));
      // a command that was told to end may still be writing
      if (made) await rm(folder, {recursive: true, force: true, maxRetries: 10, retryDelay: 100});
      await guard?.dismiss();
    },
  };
}

function hostNames(count: number, prefix: string): readonly string[] {
  return Array.from({length: count}, (_, index) => `${prefix}${index + 1}`);
}

/** Nodes have addresses of their own, of a network that exists nowhere (RFC 5737): nothing is sent there. */
const nodeAddress = (index: number) => `192.0.2.${index + 1}`;

/** A TCP port that is free now; the first control plane will serve the simulated API there. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

/** The hosts as a person would have them: `ssh -F ssh_config cp1`. */
function renderSshConfig(hosts: readonly SimulatedHost[], folder: string): string {
  const blocks = hosts.map(
    (host) => `Host ${host.name}
  HostName 127.0.0.1
  Port ${host.port}
  User ops
  IdentityFile "${join(folder, 'id')}"
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile "${join(folder, 'known_hosts')}"
  GlobalKnownHostsFile /dev/null
`,
  );
  return `# The sandbox's hosts; all of them are SIMULATED.\n${blocks.join('')}`;
}

function renderFile(clusterName: string, hosts: readonly SimulatedHost[], apiPort: number): string {
  const lines = hosts.map(
    (host, index) =>
      `      - {name: ${host.name}, address: 127.0.0.1, nodeAddress: ${nodeAddress(index)}, role: ${host.name.startsWith('cp') ? 'control-plane' : 'worker'}, ssh: {port: ${host.port}}}`,
  );
  return `# The sandbox's cluster. Everything in it is SIMULATED: the hosts are folders and processes on this computer.
apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: ${clusterName}}
spec:
  mode: agent
  kubernetes: {distribution: simulated, version: v1.36.3}
  endpoint: {host: 127.0.0.1, port: ${apiPort}}
  agent:
    ssh: {user: ops, identityFile: id, knownHosts: [known_hosts], configFile: none, sudo: {password: {fromFile: sudo-password}}}
    hosts:
${lines.join('\n')}
`;
}
