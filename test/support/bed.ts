// The real test bed as tests see it: hosts up and down, the files that reach them, and a folder with a cluster's file.
import {execFile, spawn} from 'node:child_process';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {stringify} from 'yaml';
import {trireme, startTrireme, type Ran, type RunningProgram, type RunOptions} from './trireme.ts';

const run = promisify(execFile);
const scripts = fileURLToPath(new URL('../testbed/', import.meta.url));

/** Why the real suites can't run here; undefined where they can. */
export function whyNoBed(): string | undefined {
  if (process.platform !== 'linux') return 'the test bed needs Linux';
  if (process.getuid?.() !== 0) return 'the test bed needs root';
  return undefined;
}

export interface Bed {
  /** Keys, known_hosts, ssh_config, sudo-password. */
  readonly folder: string;
  /** A folder of the test's own: the cluster's file is written here, and HOME is below it. */
  readonly work: string;
  readonly home: string;
  address(index: number): string;
  /** Runs a shell script as root on host `index`; returns its stdout; throws when it fails. */
  ssh(index: number, script: string): Promise<string>;
  hosts(...args: string[]): Promise<string>;
  /** Writes `trireme.yaml` and returns its path. */
  write(cluster: unknown, name?: string): Promise<string>;
  trireme(args: readonly string[], options?: RunOptions): Promise<Ran>;
  start(args: readonly string[], options?: RunOptions): RunningProgram;
  down(): Promise<void>;
}

export interface BedOptions {
  readonly hosts: number;
  readonly jump?: boolean;
  /** Second number of its network, 10.BED.0.0/24; default: TRIREME_BED, or 77. Two beds at once need two. */
  readonly bed?: number;
  /** Hosts that are Debian 13; the others are Debian 12. */
  readonly trixie?: readonly number[];
}

/** Boots the hosts; call `down` in the end, whatever happened. */
export async function upBed(options: BedOptions): Promise<Bed> {
  const bed = options.bed ?? Number(process.env['TRIREME_BED'] ?? 77);
  const folder = `/var/tmp/trireme-hosts-${bed}`;
  const work = await mkdtemp(join(tmpdir(), 'trireme-real-'));
  const home = join(work, 'home');
  const script = (...args: string[]) =>
    streamed(join(scripts, 'hosts.sh'), args, {...process.env, BED: String(bed), HOSTS: folder, TRIXIE: (options.trixie ?? []).join(' ')});
  try {
    await script('up', String(options.hosts), ...(options.jump === true ? ['--jump'] : []));
  } catch (error) {
    await script('down');
    await rm(work, {recursive: true, force: true});
    throw error;
  }
  const sudoPassword = (await readFile(join(folder, 'sudo-password'), 'utf8')).trim();
  const env = {HOME: home, SUDO_PASSWORD: sudoPassword};
  return {
    folder,
    work,
    home,
    address: (index) => `10.${bed}.0.${10 + index}`,
    ssh: async (index, text) => (await run('ssh', ['-F', join(folder, 'ssh_config'), '-l', 'root', `h${index}`, text], {maxBuffer: 1 << 26})).stdout,
    hosts: script,
    write: async (cluster, name = 'trireme.yaml') => {
      const path = join(work, name);
      await writeFile(path, stringify(cluster));
      return path;
    },
    trireme: (args, more = {}) => trireme(args, {cwd: work, ...more, env: {...env, ...more.env}}),
    start: (args, more = {}) => startTrireme(args, {cwd: work, ...more, env: {...env, ...more.env}}),
    down: async () => {
      await script('down');
      await rm(work, {recursive: true, force: true});
    },
  };
}

/** A command whose children may outlive it (hosts): output is read only until the command itself exits. */
function streamed(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {env, stdio: ['ignore', 'pipe', 'pipe']});
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.on('error', reject);
    child.on('exit', (code) => {
      child.stdout.destroy();
      child.stderr.destroy();
      if (code === 0) resolve(output);
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output}`));
    });
  });
}

/** All hosts of all beds share this computer's disk: the usual 15 % would be disk pressure on all of them at once. */
const evictionHard = {'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%', 'nodefs.inodesFree': '1%'};

/** What these hosts need over the product's defaults: their kernel has cgroup v1 and gives no CAP_SYS_RESOURCE (test/testbed/README.md). */
export const bedConfiguration = {
  kubelet: {failCgroupV1: false, cgroupDriver: 'cgroupfs', failSwapOn: false, evictionHard},
  kubeProxy: {mode: 'nftables', conntrack: {maxPerCore: 0}},
  kubeadm: {ignorePreflightErrors: ['SystemVerification']},
  containerd: {plugins: {'io.containerd.cri.v1.runtime': {restrict_oom_score_adj: true}}},
};
