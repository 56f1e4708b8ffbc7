// How a host was before we touched it: what a reset goes by. What was there stays; what came is ours to take away.
import {readdir} from 'node:fs/promises';
import {join, relative} from 'node:path';
import {isTriremeError} from '../kernel/errors.ts';
import {isMissing, lastLine, type HostSystem} from './host-system.ts';
import type {Records} from './records.ts';

/** Folders in which everything belongs to Kubernetes, its container runtime or its network; a user may have had something in there before. */
export const trees = [
  // kubectl's cache where it has no HOME
  '/.kube',
  '/etc/kubernetes',
  '/etc/containerd',
  '/etc/cni',
  '/etc/systemd/system/containerd.service.d',
  '/etc/systemd/system/kubelet.service.d',
  '/opt/cni',
  '/opt/containerd',
  '/run/containerd',
  '/run/flannel',
  '/run/netns',
  '/run/nri',
  '/usr/libexec/kubernetes',
  '/var/lib/cni',
  '/var/lib/containerd',
  '/var/lib/etcd',
  '/var/lib/kubelet',
] as const;

/** Single files that we write. */
export const singleFiles = [
  '/etc/crictl.yaml',
  '/etc/modules-load.d/90-trireme.conf',
  '/etc/sysctl.d/90-trireme.conf',
  '/etc/systemd/system/containerd.service',
  '/etc/systemd/system/kubelet.service',
  '/run/xtables.lock',
] as const;

/** Folders that come to be on the way, by us or by a pod's `DirectoryOrCreate`: taken away only when they are empty. */
export const edges = [
  '/etc/ca-certificates',
  '/etc/modules-load.d',
  '/etc/sysctl.d',
  '/lib/modules',
  '/run/lock',
  '/usr/local/bin',
  '/usr/local/lib',
  '/usr/local/share/ca-certificates',
  '/usr/share/ca-certificates',
  '/usr/libexec',
  '/opt',
] as const;

/** Where programs go; only the names are noted. */
const programFolders = ['/usr/local/bin'] as const;

/** A folder with more than this is the user's own affair: nothing in it is taken away. */
const mostEntries = 5000;

export interface Baseline {
  /** Relative paths that were in each tree; null: the tree wasn't there; `many`: too much to note. */
  readonly trees: Readonly<Record<string, readonly string[] | null | 'many'>>;
  /** Paths of single files, edges and programs that were there. */
  readonly present: readonly string[];
  readonly mounts: readonly string[];
  readonly interfaces: readonly string[];
  /** `ip nat`; null: it couldn't be told. */
  readonly firewallTables: readonly string[] | null;
}

const key = 'baseline';

export function baselineOf(records: Records): Baseline | undefined {
  return records.get<Baseline>(key);
}

/** Notes how the host is; once, and only before anything of a cluster was put onto it. */
export async function noteBaseline(host: HostSystem, records: Records): Promise<void> {
  if (baselineOf(records) !== undefined) return;
  const noted: Record<string, Baseline['trees'][string]> = {};
  for (const tree of trees) noted[tree] = await entriesOf(host, tree);
  const present: string[] = [];
  for (const path of [...singleFiles, ...edges]) if (await host.exists(path)) present.push(path);
  for (const folder of programFolders) for (const name of await namesIn(host, folder)) present.push(`${folder}/${name}`);
  await records.set(key, {
    trees: noted,
    present,
    mounts: await mountPoints(host),
    interfaces: await interfacesOf(host),
    firewallTables: await firewallTables(host).catch(() => null),
  } satisfies Baseline);
}

async function entriesOf(host: HostSystem, tree: string): Promise<readonly string[] | null | 'many'> {
  const root = host.path(tree);
  const found: string[] = [];
  const folders = [root];
  try {
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for (const entry of await readdir(folder, {withFileTypes: true})) {
        const path = join(folder, entry.name);
        found.push(relative(root, path));
        if (entry.isDirectory()) folders.push(path);
      }
      if (found.length > mostEntries) return 'many';
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
    // a file of this name, too: it isn't ours to look into
    if (found.length === 0) return (await host.exists(tree)) ? 'many' : null;
  }
  return found.toSorted();
}

export async function namesIn(host: HostSystem, folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(host.path(folder))).toSorted();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** The interfaces' names. /sys shows those of the network namespace that it was mounted in, which needn't be the host's own; /proc always does. */
export async function interfacesOf(host: HostSystem): Promise<readonly string[]> {
  const table = (await host.read('/proc/net/dev')) ?? '';
  return table
    .split('\n')
    .flatMap((line) => /^\s*([^\s:|]+):/.exec(line)?.[1] ?? [])
    .toSorted();
}

/** Where file systems are mounted, in the order in which they were. */
export async function mountPoints(host: HostSystem): Promise<readonly string[]> {
  if (host.simulated) return [];
  const text = (await host.read('/proc/self/mountinfo')) ?? '';
  // proc(5): the fifth field; blanks and the like are octal there
  return text
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path !== '')
    .map((path) => path.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))));
}

/** Tables of the kernel's packet filter, as `FAMILY NAME`; none where there's no program to ask. Throws when it gives no answer. */
export async function firewallTables(host: HostSystem): Promise<readonly string[]> {
  const listed = await outputOf(host, 'nft', ['list', 'tables']);
  return (listed ?? '')
    .split('\n')
    .map((line) => /^table (\S+) (\S+)/.exec(line.trim()))
    .flatMap((match) => (match === null ? [] : [`${match[1]} ${match[2]}`]));
}

/** What a kernel without nf_tables, or without this family, answers. */
const unsupported = /Protocol not supported|Address family not supported|Operation not supported/;

/** What a program of the packet filter prints; undefined where it isn't installed or the kernel has none. Throws when it fails: no answer isn't an empty one. */
export async function outputOf(host: HostSystem, program: string, args: readonly string[]): Promise<string | undefined> {
  if (host.simulated) return undefined;
  try {
    const result = await host.run(program, args, {deadline: 30_000});
    if (result.code !== 0 && unsupported.test(result.stderr)) return undefined;
    if (result.code !== 0) throw new Error(`${program} ${args.join(' ')}: ${lastLine(result)}`);
    return result.stdout;
  } catch (error) {
    if (isTriremeError(error) && error.code === 'exec.not-found') return undefined;
    throw error;
  }
}
