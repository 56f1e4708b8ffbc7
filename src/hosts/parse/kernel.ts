// From the script's sections about the kernel to facts.
import type {HostFacts} from '../facts.ts';
import {knownModules} from '../script/kernel.ts';
import {valueOf, type Sections} from './pairs.ts';

/** The agent's own drop-in below /etc/sysctl.d: what is read before it doesn't matter. */
export const ourSysctlFile = '90-trireme.conf';

const folders = ['/usr/lib/sysctl.d', '/usr/local/lib/sysctl.d', '/run/sysctl.d', '/etc/sysctl.d'];

/** Reads the sections modules, sysctls and sysctl-files. */
export function parseKernel(sections: Sections): Pick<HostFacts, 'modules' | 'sysctls' | 'sysctlOverrides'> {
  const loaded = new Set<string>();
  const available = new Set<string>();
  for (const line of sections.get('modules') ?? []) {
    const option = /^CONFIG_(\w+)=y$/.exec(line)?.[1];
    if (line.startsWith('loaded\t')) loaded.add(line.slice('loaded\t'.length));
    else if (option !== undefined) for (const [name, wanted] of Object.entries(knownModules)) if (wanted === option) loaded.add(name);
    const file = /^\/(.+)\.ko$/.exec(line)?.[1];
    if (file !== undefined) available.add(file.replaceAll('-', '_'));
  }
  for (const name of loaded) available.add(name);
  return {
    modules: {loaded: [...loaded].toSorted(), available: [...available].toSorted(), disabled: valueOf(sections, 'modules', 'disabled') === '1'},
    sysctls: parseSysctls(sections.get('sysctls') ?? []),
    sysctlOverrides: parseSysctlFiles(sections.get('sysctl-files') ?? []),
  };
}

/** Lines of `FILE:VALUE`; a key's dots are the path's slashes and the other way round. */
function parseSysctls(lines: readonly string[]): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const line of lines) {
    const match = /\/proc\/sys\/([^:]+):(.*)$/.exec(line);
    if (match !== null)
      values[(match[1] as string).replaceAll(/[./]/g, (sign) => (sign === '/' ? '.' : '/'))] = (match[2] as string).replaceAll(/\s+/g, ' ').trim();
  }
  return values;
}

/**
 * The settings that are read after ours. Orders them as sysctl.d(5) reads them: by file name whatever the folder, a file in /etc hides one of the same name in /run and /usr; /etc/sysctl.conf
 * comes last (procps reads it so, and Debian links it as 99-sysctl.conf).
 */
function parseSysctlFiles(lines: readonly string[]): HostFacts['sysctlOverrides'] {
  const byName = new Map<string, {rank: number; settings: {file: string; key: string; value: string}[]}>();
  for (const line of lines) {
    const match = /^(?:.*?)(\/(?:usr\/lib|usr\/local\/lib|run|etc)\/sysctl\.(?:d\/[^:]+|conf)):\s*-?([\w./*-]+)\s*=\s*(.*)$/.exec(line);
    if (match === null) continue;
    const [, file, key, value] = match as unknown as [string, string, string, string];
    const isMain = file === '/etc/sysctl.conf' || file.endsWith('/99-sysctl.conf');
    const name = isMain ? '\uFFFF' : (file.split('/').at(-1) as string);
    if (name <= ourSysctlFile) continue;
    const rank = file === '/etc/sysctl.conf' ? folders.length : folders.findIndex((folder) => file.startsWith(`${folder}/`));
    const known = byName.get(name);
    if (known !== undefined && known.rank > rank) continue;
    if (known === undefined || known.rank < rank) byName.set(name, {rank, settings: []});
    byName.get(name)?.settings.push({file, key: key.replaceAll('/', '.'), value: value.trim()});
  }
  return [...byName].toSorted(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, {settings}]) => settings);
}
