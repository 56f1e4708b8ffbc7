// A simulated host with a home folder for the operator, for tests of what goes over SSH.
import {mkdtemp, mkdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {newKeyPair, startSimulatedHost, type HostKey, type SimulatedHost, type SimulatedHostOptions} from '../../src/sandbox/host.ts';
import type {HostTarget} from '../../src/ssh/target.ts';

/** An operator's computer: a home with a key and known_hosts, and hosts that let that key in. */
export interface Bench {
  readonly folder: string;
  readonly home: string;
  readonly key: HostKey;
  readonly identityFile: string;
  readonly knownHosts: string;
  /** For `createSshContext`. */
  readonly env: Readonly<Record<string, string>>;
  start(name: string, options?: Partial<SimulatedHostOptions>): Promise<SimulatedHost>;
  /** Writes the keys of these hosts into known_hosts. */
  trust(...hosts: readonly SimulatedHost[]): Promise<void>;
  target(host: SimulatedHost, more?: Partial<HostTarget>): HostTarget;
  stop(): Promise<void>;
}

export async function createBench(): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'ssh-'));
  const home = join(folder, 'home');
  await mkdir(join(home, '.ssh'), {recursive: true});
  const key = await newKeyPair('operator');
  const identityFile = join(home, '.ssh/id_ed25519');
  const knownHosts = join(home, '.ssh/known_hosts');
  await writeFile(identityFile, key.privateKey, {mode: 0o600});
  const hosts: SimulatedHost[] = [];
  return {
    folder,
    home,
    key,
    identityFile,
    knownHosts,
    env: {HOME: home, USER: 'operator', PATH: process.env['PATH'] ?? ''},
    start: async (name, options = {}) => {
      const host = await startSimulatedHost({name, folder: join(folder, name), authorizedKeys: [key.publicKey], ...options});
      hosts.push(host);
      return host;
    },
    trust: async (...trusted) => writeFile(knownHosts, `${trusted.map((host) => host.knownHostsLine).join('\n')}\n`),
    target: (host, more = {}) => ({host: host.name, address: '127.0.0.1', port: host.port, user: 'ops', ...more}),
    stop: async () => {
      await Promise.all(hosts.map((host) => host.stop()));
      await rm(folder, {recursive: true, force: true});
    },
  };
}
