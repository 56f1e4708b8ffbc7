// The one virtual machine of the test bed as tests see it: Debian 13 with a kernel of its own, translated by QEMU.
import {execFile, spawn} from 'node:child_process';
import {accessSync, constants} from 'node:fs';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {stringify} from 'yaml';
import {startTrireme, trireme, type Ran, type RunningProgram, type RunOptions} from './trireme.ts';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../testbed/vm.sh', import.meta.url));

/** Why there can be no virtual machine here; undefined where there can. */
export function whyNoVm(): string | undefined {
  if (process.platform !== 'linux') return 'the virtual machine needs Linux';
  if (process.getuid?.() !== 0) return 'the virtual machine needs root';
  for (const program of ['qemu-system-x86_64', 'qemu-img', 'mmdebstrap']) if (!isOnPath(program)) return `${program} is missing. Try: test/testbed/setup.sh`;
  return undefined;
}

function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export interface Vm {
  /** Keys, known_hosts, ssh_config, sudo-password. */
  readonly folder: string;
  /** A folder of the test's own: the cluster's file is written here, and HOME is below it. */
  readonly work: string;
  /** Runs a shell script as root on the machine; returns its stdout; throws when it fails. */
  ssh(text: string): Promise<string>;
  /** Writes a YAML file into the test's folder and returns its path. */
  write(document: unknown, name?: string): Promise<string>;
  trireme(args: readonly string[], options?: RunOptions): Promise<Ran>;
  start(args: readonly string[], options?: RunOptions): RunningProgram;
  /** Ends QEMU at once: what the machine's kernel hasn't written to its disk is gone. */
  powerCut(): Promise<void>;
  /** Boots it again from the same disk. */
  powerOn(): Promise<void>;
  down(): Promise<void>;
}

/** The machine's own address; its SSH port is forwarded from loopback. */
export const vmAddress = '10.0.2.15';

/** Boots the machine; call `down` in the end, whatever happened. It ends by itself after `lifetime`, as `timeout` takes it. */
export async function upVm(options: {readonly lifetime: string}): Promise<Vm> {
  const work = await mkdtemp(join(tmpdir(), 'trireme-vm-'));
  const folder = join(work, 'vm');
  const down = async () => {
    await run(script, ['down', folder]);
    await rm(work, {recursive: true, force: true});
  };
  try {
    await booted('up', folder, options.lifetime);
  } catch (error) {
    await down();
    throw error;
  }
  const env = {HOME: join(work, 'home'), SUDO_PASSWORD: (await readFile(join(folder, 'sudo-password'), 'utf8')).trim()};
  return {
    folder,
    work,
    ssh: async (text) => (await run('ssh', ['-F', join(folder, 'ssh_config'), '-l', 'root', 'vm', text], {maxBuffer: 1 << 26})).stdout,
    write: async (document, name = 'trireme.yaml') => {
      const path = join(work, name);
      await writeFile(path, stringify(document));
      return path;
    },
    trireme: (args, more = {}) => trireme(args, {cwd: work, ...more, env: {...env, ...more.env}}),
    start: (args, more = {}) => startTrireme(args, {cwd: work, ...more, env: {...env, ...more.env}}),
    powerCut: async () => void (await run(script, ['kill', folder])),
    powerOn: () => booted('boot', folder, options.lifetime),
    down,
  };
}

/** The machine outlives the script, so the script's output goes to nobody who would wait for its end but to a pipe that is let go. */
function booted(verb: 'up' | 'boot', folder: string, lifetime: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(script, [verb, folder], {env: {...process.env, LIFETIME: lifetime}, stdio: ['ignore', 'ignore', 'pipe']});
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.on('error', reject);
    child.on('exit', (code) => {
      child.stderr.destroy();
      if (code === 0) resolve();
      else reject(new Error(`vm.sh ${verb} ended with ${code}:\n${said}`));
    });
  });
}
