// A cluster's file over simulated hosts that needn't be right: each host may have its own user, password, key, port and disk.
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {SimulatedFacts} from '../../src/hosts/simulated-facts.ts';
import {newKeyPair, startSimulatedHost, type SimulatedHost, type SimulatedHostOptions} from '../../src/sandbox/host.ts';
import {freePort} from '../../src/sandbox/sandbox.ts';
import {mountSmallDisk, type SmallDisk} from './small-disk.ts';
import {startTrireme, trireme, type Ran, type RunningProgram} from './trireme.ts';

export interface FleetHost {
  readonly name: string;
  /** Default: worker. */
  readonly role?: 'control-plane' | 'worker';
  /** What the file says otherwise than is right. */
  readonly file?: {readonly address?: string; readonly port?: number; readonly ssh?: Readonly<Record<string, unknown>>};
  /** What known_hosts says of its key; default: the right one. */
  readonly known?: 'right' | 'nothing' | 'another';
  /** How the simulated host differs from a healthy one; `none`: there is no such host. */
  readonly host?: Partial<SimulatedHostOptions> | 'none';
  /** A size-limited file system over a folder of the host. Only where `whyNoMount` has no objection. */
  readonly disk?: {readonly folder: string; readonly kib: number};
}

export interface Fleet {
  readonly folder: string;
  /** In which programs find it. */
  readonly env: Readonly<Record<string, string>>;
  readonly hosts: ReadonlyMap<string, SimulatedHost>;
  /** By host: those that have one. */
  readonly disks: ReadonlyMap<string, SmallDisk>;
  trireme(args: readonly string[]): Promise<Ran>;
  start(args: readonly string[]): RunningProgram;
  stop(): Promise<void>;
}

/** Starts the hosts and writes the file; `stop` ends and removes all of it. */
export async function startFleet(members: readonly FleetHost[]): Promise<Fleet> {
  const folder = await mkdtemp(join(tmpdir(), 'fleet-'));
  const key = await newKeyPair('operator');
  const password = 'the right password';
  const hosts = new Map<string, SimulatedHost>();
  const disks = new Map<string, SmallDisk>();
  const known: string[] = [];
  const lines: string[] = [];
  for (const [index, {name, role = 'worker', file = {}, known: knows = 'right', host: given = {}, disk}] of members.entries()) {
    const nodeAddress = `192.0.2.${index + 1}`;
    let port = file.port ?? 22;
    if (given !== 'none') {
      const hostFolder = join(folder, name);
      if (disk !== undefined) disks.set(name, await mountSmallDisk(join(hostFolder, 'root', disk.folder), disk.kib));
      const host = await startSimulatedHost({
        name,
        folder: hostFolder,
        sudoPassword: password,
        authorizedKeys: [key.publicKey],
        ...given,
        facts: {address: nodeAddress, ...(disk === undefined ? {} : {mounts: mountsWith(disk)}), ...given.facts},
      });
      hosts.set(name, host);
      port = file.port ?? host.port;
      if (knows === 'right') known.push(host.knownHostsLine);
      if (knows === 'another') known.push(`[127.0.0.1]:${host.port} ${(await newKeyPair('another')).publicKey}`);
    }
    lines.push(JSON.stringify({name, role, address: file.address ?? '127.0.0.1', nodeAddress, ssh: {port, ...file.ssh}}));
  }
  await writeFile(join(folder, 'id'), key.privateKey, {mode: 0o600});
  await writeFile(join(folder, 'sudo-password'), `${password}\n`, {mode: 0o600});
  await writeFile(join(folder, 'known_hosts'), `${known.join('\n')}\n`);
  await writeFile(
    join(folder, 'trireme.yaml'),
    `apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: harbour}
spec:
  mode: agent
  kubernetes: {distribution: simulated, version: v1.36.3}
  endpoint: {host: 127.0.0.1, port: ${await freePort()}}
  agent:
    ssh: {user: ops, identityFile: id, knownHosts: [known_hosts], configFile: none, sudo: {password: {fromFile: sudo-password}}}
    preflight: {ignore: [disk-space]}
    hosts:
${lines.map((line) => `      - ${line}`).join('\n')}
`,
  );
  const env = {
    HOME: folder,
    TRIREME_SANDBOX: '1',
    TRIREME_FILE: join(folder, 'trireme.yaml'),
    XDG_STATE_HOME: join(folder, 'state'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    XDG_CONFIG_HOME: join(folder, 'config'),
  };
  return {
    folder,
    env,
    hosts,
    disks,
    trireme: (args) => trireme(args, {cwd: folder, env}),
    start: (args) => startTrireme(args, {cwd: folder, env}),
    stop: async () => {
      await Promise.all([...hosts.values()].map((host) => host.stop()));
      for (const disk of disks.values()) await disk.unmount();
      await rm(folder, {recursive: true, force: true});
    },
  };
}

/** What the facts script would say of the disks: simulated hosts are told. */
function mountsWith({folder, kib}: NonNullable<FleetHost['disk']>): NonNullable<SimulatedFacts['mounts']> {
  const mount = {options: ['rw'], shared: true, inodes: 1_000_000, freeInodes: 1_000_000};
  const mib = Math.floor(kib / 1024);
  return [
    {...mount, path: '/', fileSystem: 'ext4', size: 102_400, free: 81_920},
    {...mount, path: `/${folder}`, fileSystem: 'tmpfs', size: mib, free: mib},
  ];
}
