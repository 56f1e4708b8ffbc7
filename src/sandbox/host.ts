// A simulated Linux host: a folder as its root, a real SSH server on loopback, real processes as its services. Facts about hardware are told.
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {simulatedFactsPath} from '../hosts/facts-script.ts';
import {simulatedFacts, type SimulatedFacts} from '../hosts/simulated-facts.ts';
import {ServiceManager} from './service-manager.ts';
import {writeShims} from './shims.ts';
import {startSshServer, type RunningSshServer, type SshFaults} from './ssh-server.ts';

export interface SimulatedHostOptions {
  readonly name: string;
  /** A folder of its own; keep it short, a unix socket lies below it (104 characters at most in all on macOS). */
  readonly folder: string;
  /** Default `ops`. */
  readonly user?: string;
  /** Absent: sudo wants no password. */
  readonly sudoPassword?: string;
  /** Public keys that may log in, as lines of authorized_keys. */
  readonly authorizedKeys: readonly string[];
  readonly port?: number;
  /** Host key to use again; default: a new one. */
  readonly hostKey?: HostKey;
  /** Facts that differ from a healthy host's. */
  readonly facts?: SimulatedFacts;
  /** False plays a host without systemd. Default true. */
  readonly systemd?: boolean;
  readonly faults?: SshFaults;
}

export interface HostKey {
  /** In OpenSSH format. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA...`. */
  readonly publicKey: string;
}

export interface SimulatedHost {
  readonly name: string;
  readonly port: number;
  readonly hostKey: HostKey;
  /** The folder that stands for `/`. */
  readonly root: string;
  readonly server: RunningSshServer;
  readonly services: ServiceManager;
  /** The line for known_hosts. */
  readonly knownHostsLine: string;
  /** Kills every process at once; `powerOn` brings them back. */
  powerCut(): Promise<void>;
  powerOn(): Promise<void>;
  stop(): Promise<void>;
}

/** A new Ed25519 key pair in OpenSSH format. */
export async function newKeyPair(comment: string): Promise<HostKey> {
  const {default: ssh2} = await import('ssh2');
  for (;;) {
    const {private: privateKey, public: publicKey} = ssh2.utils.generateKeyPairSync('ed25519', {comment});
    // ssh2 1.17 now and then writes an Ed25519 key that it can't read itself ("Malformed OpenSSH private key")
    if (!(ssh2.utils.parseKey(privateKey) instanceof Error)) return {privateKey, publicKey};
  }
}

/** Starts a host; `stop` ends every process that it started. */
export async function startSimulatedHost(options: SimulatedHostOptions): Promise<SimulatedHost> {
  const {folder, name} = options;
  const root = join(folder, 'root');
  const home = join(folder, 'home');
  const shims = join(folder, 'bin');
  const socket = join(folder, 'ctl');
  const running = join(folder, 'running');
  await mkdir(join(root, 'etc/systemd/system'), {recursive: true});
  await mkdir(home, {recursive: true});
  await writeJson(
    join(root, simulatedFactsPath),
    simulatedFacts(name, {...(options.systemd === false ? {initSystem: 'sysvinit', systemdVersion: undefined} : {}), ...options.facts}),
  );

  const sudoPasswordFile = options.sudoPassword === undefined ? undefined : join(folder, 'sudo-password');
  if (sudoPasswordFile !== undefined) await writeFile(sudoPasswordFile, `${options.sudoPassword}\n`, {mode: 0o600});
  await writeShims({
    folder: shims,
    ...(sudoPasswordFile === undefined ? {} : {sudoPasswordFile}),
    ...(options.systemd === false ? {} : {systemctl: {socket, running}}),
  });

  const env = {
    HOME: home,
    PATH: `${shims}:${process.env['PATH'] ?? '/usr/bin:/bin'}`,
    TRIREME_ROOT: root,
    USER: options.user ?? 'ops',
    SHELL: '/bin/sh',
    LANG: 'C.UTF-8',
  };
  const services = new ServiceManager({root, socket, logs: join(folder, 'logs'), running, env});
  await services.listen();
  const hostKey = options.hostKey ?? (await newKeyPair(name));
  const server = await startSshServer({
    user: options.user ?? 'ops',
    authorizedKeys: options.authorizedKeys,
    hostKey: hostKey.privateKey,
    home,
    env,
    ...(options.port === undefined ? {} : {port: options.port}),
    ...(options.faults === undefined ? {} : {faults: options.faults}),
  });
  const [type, key] = hostKey.publicKey.split(' ');
  return {
    name,
    port: server.port,
    hostKey,
    root,
    server,
    services,
    knownHostsLine: `[127.0.0.1]:${server.port} ${type} ${key}`,
    powerCut: async () => {
      server.dropConnections();
      await services.stopAll('SIGKILL');
    },
    powerOn: () => services.startAll(),
    stop: async () => {
      await server.close();
      await services.close();
    },
  };
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await mkdir(join(path, '..'), {recursive: true});
  await writeFile(path, JSON.stringify(value, null, 2));
}
