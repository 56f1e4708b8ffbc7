// From the script's sections about file systems to facts.
import type {HostFacts, MountFacts} from '../facts.ts';
import type {Sections} from './pairs.ts';

interface MountLine {
  readonly fileSystem: string;
  readonly options: readonly string[];
  readonly shared: boolean;
}

/** Reads the sections mounts, disk, inodes, modes, writable and leftovers. */
export function parseStorage(sections: Sections): Pick<HostFacts, 'mounts' | 'folderModes' | 'writable' | 'leftovers'> {
  const lines = parseMountInfo(sections.get('mounts') ?? []);
  const disk = parseDf(sections.get('disk') ?? []);
  const inodes = parseDf(sections.get('inodes') ?? []);
  const mounts: MountFacts[] = [...disk].map(([path, [size, free]]) => {
    const counts = inodes.get(path);
    const counted = counts !== undefined && counts[0] > 0;
    return {
      path,
      fileSystem: lines.get(path)?.fileSystem ?? 'unknown',
      options: lines.get(path)?.options ?? [],
      shared: lines.get(path)?.shared ?? false,
      size: Math.floor(size / 1024),
      free: Math.floor(free / 1024),
      inodes: counted ? counts[0] : undefined,
      freeInodes: counted ? counts[1] : undefined,
    };
  });
  const pairs = (section: string) => (sections.get(section) ?? []).map((line) => line.split('\t')).filter((parts) => parts.length === 2) as [string, string][];
  return {
    mounts,
    folderModes: Object.fromEntries(pairs('modes').map(([mode, path]) => [path.endsWith('/var/tmp') ? '/var/tmp' : '/tmp', mode])),
    writable: Object.fromEntries(pairs('writable').map(([path, answer]) => [path, answer === 'yes'])),
    leftovers: (sections.get('leftovers') ?? []).filter((line) => line.startsWith('/')),
  };
}

/** proc(5), mountinfo: ID PARENT DEVICE ROOT PATH OPTIONS [TAGS...] - TYPE SOURCE SUPEROPTIONS. A later mount on the same path covers the earlier. */
function parseMountInfo(lines: readonly string[]): ReadonlyMap<string, MountLine> {
  const mounts = new Map<string, MountLine>();
  for (const line of lines) {
    const fields = line.split(' ');
    const dash = fields.indexOf('-', 6);
    if (dash === -1) continue;
    const options = new Set([...(fields[5] ?? '').split(','), ...(fields[dash + 3] ?? '').split(',').filter((option) => option === 'ro')]);
    mounts.set(unescapeOctal(fields[4] ?? ''), {
      fileSystem: fields[dash + 1] ?? '',
      options: [...options],
      shared: fields.slice(6, dash).some((tag) => tag.startsWith('shared:')),
    });
  }
  return mounts;
}

/** Blanks in paths are written as `\040`. */
function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_match, digits: string) => String.fromCodePoint(Number.parseInt(digits, 8)));
}

/** `df -P`: by mount point, the total and what is available, in the unit that was asked for. */
function parseDf(lines: readonly string[]): ReadonlyMap<string, readonly [total: number, free: number]> {
  const rows = new Map<string, readonly [number, number]>();
  for (const line of lines) {
    const match = /\s(\d+|-)\s+(\d+|-)\s+(-?\d+|-)\s+(?:\d+%|-)\s+(\/.*)$/.exec(line);
    if (match !== null) rows.set(match[4] as string, [Number(match[1]) || 0, Number(match[3]) || 0]);
  }
  return rows;
}
