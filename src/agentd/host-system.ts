// The host as reconcilers see it: files below a root, programs, and services. A simulated host answers the same calls without root.
import {lstat, readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {TriremeError} from '../kernel/errors.ts';
import {exec, type ExecResult} from '../kernel/exec.ts';
import {writeFileAtomic} from '../kernel/files.ts';

export interface RunOptions {
  readonly stdin?: string | Uint8Array;
  /** In ms. */
  readonly deadline: number;
  readonly signal?: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
  readonly onLine?: (stream: 'stdout' | 'stderr', line: string) => void;
}

export interface ServiceManager {
  /** Which of these units run now. */
  active(units: readonly string[]): Promise<ReadonlySet<string>>;
  /** Enables the unit for the next boot, after reading unit files anew. */
  enable(unit: string): Promise<void>;
  restart(unit: string): Promise<void>;
}

export interface HostSystem {
  readonly name: string;
  readonly simulated: boolean;
  /** Folder for programs: `/usr/local/bin`, or below the agent's root where that can't be written. */
  readonly bin: string;
  /** The real path of an absolute path of the host. */
  path(absolute: string): string;
  /** The text of a file, or undefined when there's none. */
  read(path: string): Promise<string | undefined>;
  exists(path: string): Promise<boolean>;
  /** Writes atomically; mode is octal text such as `0644`. */
  write(path: string, content: string, mode?: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Runs a program; its exit code is returned. */
  run(program: string, args: readonly string[], options: RunOptions): Promise<ExecResult>;
  readonly services: ServiceManager;
}

/** Files below `root`; what real and simulated hosts share. */
export function hostFiles(root: string): Pick<HostSystem, 'path' | 'read' | 'exists' | 'write' | 'remove'> {
  const path = (absolute: string) => (root === '' ? absolute : join(root, absolute));
  return {
    path,
    read: async (file) => {
      try {
        return await readFile(path(file), 'utf8');
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    exists: async (file) => {
      try {
        await lstat(path(file));
        return true;
      } catch (error) {
        if (isMissing(error)) return false;
        throw error;
      }
    },
    write: async (file, content, mode = '0644') => {
      // /proc and /sys know neither rename nor temporary files
      if (root === '' && (file.startsWith('/proc/') || file.startsWith('/sys/'))) {
        const {writeFile} = await import('node:fs/promises');
        await writeFile(file, content);
        return;
      }
      await writeFileAtomic(path(file), content, {mode: Number.parseInt(mode, 8), soleWriter: true});
    },
    remove: async (file) => rm(path(file), {force: true, recursive: true}),
  };
}

export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Where programs are found that we call; hosts started by hand may have a bare PATH. */
const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The real host: real root, real programs, systemd. */
export function realHost(name: string, binFolder: string): HostSystem {
  const env = {...process.env, PATH: `${binFolder}:${searchPath}`, LC_ALL: 'C.UTF-8', KUBECACHEDIR: '/run/trireme/kubectl'} as Record<string, string>;
  const run: HostSystem['run'] = (program, args, options) => exec(program, args, {...options, env: {...env, ...options.env}});
  const systemctl = async (...args: readonly string[]) => {
    const result = await run('systemctl', args, {deadline: 120_000});
    if (result.code !== 0)
      throw new TriremeError('agent.failed', `systemctl ${args.join(' ')} failed on ${name}: ${lastLine(result)}`, {
        host: name,
        hints: [`On the host: journalctl -u ${args.at(-1)} -n 50`],
      });
  };
  return {
    name,
    simulated: false,
    bin: binFolder,
    ...hostFiles(''),
    run,
    services: {
      active: async (units) => {
        // one process for all units; exit code 3 says that some aren't active
        const {stdout} = await run('systemctl', ['is-active', ...units], {deadline: 30_000});
        const states = stdout.trim().split('\n');
        return new Set(units.filter((_, index) => states[index] === 'active' || states[index] === 'reloading'));
      },
      enable: async (unit) => {
        await systemctl('daemon-reload');
        await systemctl('enable', '--quiet', unit);
      },
      restart: async (unit) => {
        await systemctl('daemon-reload');
        await run('systemctl', ['reset-failed', unit], {deadline: 30_000});
        await systemctl('restart', unit);
      },
    },
  };
}

/** The last line that a program said, for a message. */
export function lastLine(result: Pick<ExecResult, 'stdout' | 'stderr' | 'code'>): string {
  const lines = `${result.stdout}\n${result.stderr}`
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return lines.at(-1) ?? `exit code ${result.code}`;
}

/** The error for a program that failed because a file system of this host is full; undefined when it failed for another reason. */
export function fullDiskOf(host: Pick<HostSystem, 'name'>, what: string, said: string): TriremeError | undefined {
  // programs say it in these words, which are the C library's
  const line = said.split('\n').findLast((one) => /no space left on device|disk quota exceeded/i.test(one));
  if (line === undefined) return undefined;
  return new TriremeError('host.disk-full', `There's no room left on ${host.name}: ${what} says: ${line.trim()}`, {
    host: host.name,
    hints: [`See which file system is full: trireme host exec --limit ${host.name} -- df -h`],
  });
}
