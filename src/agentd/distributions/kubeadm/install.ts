// Puts programs from the content onto the host: a binary is copied, an archive's programs are taken out of it.
import {createReadStream, createWriteStream} from 'node:fs';
import {chmod, mkdir, open, readdir, rename, rm} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {syncFolder} from '../../../kernel/files.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import type {ContentItem} from '../../../hostcluster/protocol.ts';
import {stampOf} from '../../file-step.ts';
import {blobPath} from '../../reconcilers/content.ts';
import type {AgentStep, Target} from '../../reconciler.ts';

/** Which content a file came from, and what tells that it's untouched. */
interface Installed {
  readonly digest: string;
  readonly stamps: Readonly<Record<string, string>>;
}

const keyOf = (name: string) => `installed.${name}`;

/** A step that installs the item's program or programs into `folder`. */
export function installStep(item: ContentItem, folder: (target: Target) => string): AgentStep {
  return {
    id: `install:${item.name}`,
    title: `Install ${item.name}`,
    subject: item.name,
    effect: 'none',
    check: async ({scope}) => ((await changedFiles(scope, item)) === undefined ? 'satisfied' : 'needed'),
    apply: async ({scope}) => {
      const to = folder(scope);
      await mkdir(scope.host.path(to), {recursive: true});
      const paths = item.kind === 'archive' ? await extract(scope, item, to) : [await copy(scope, item, to)];
      const stamps: Record<string, string> = {};
      for (const path of paths) stamps[path] = (await stampOf(scope.host.path(path))) ?? '';
      await scope.records.set(keyOf(item.name), {digest: item.digest, stamps} satisfies Installed);
      return `${paths.length} program${paths.length === 1 ? '' : 's'} in ${to}`;
    },
    found: async (target) => (await changedFiles(target, item)) ?? 'as wanted',
  };
}

async function changedFiles({host, records}: Target, item: ContentItem): Promise<string | undefined> {
  const installed = records.get<Installed>(keyOf(item.name));
  if (installed === undefined) return 'not installed';
  if (installed.digest !== item.digest) return 'another version';
  for (const [path, stamp] of Object.entries(installed.stamps)) {
    const now = await stampOf(host.path(path));
    if (now === undefined) return `${path} is missing`;
    if (now !== stamp) return `${path} was changed`;
  }
  return undefined;
}

async function copy({host}: Target, item: ContentItem, folder: string): Promise<string> {
  const path = `${folder}/${item.name}`;
  const part = host.path(`${path}.part`);
  await pipeline(createReadStream(host.path(blobPath(item.digest))), createWriteStream(part));
  await place([{part, path: host.path(path)}]);
  return path;
}

/**
 * Files of one folder to their places. A running program can't be overwritten but can be replaced by name; it goes on with the old file. All are on the
 * disk before the first one gets its name, and waited for together: one after the other, twenty plugins took seconds.
 */
async function place(files: readonly {readonly part: string; readonly path: string}[]): Promise<void> {
  await Promise.all(
    files.map(async ({part}) => {
      await chmod(part, 0o755);
      const file = await open(part, 'r');
      await file.sync();
      await file.close();
    }),
  );
  for (const {part, path} of files) await rename(part, path);
  for (const folder of new Set(files.map(({path}) => dirname(path)))) await syncFolder(folder);
}

/** Takes the regular files of a (compressed) tar, of its `bin/` folder when it has one, by their base names. */
async function extract({host}: Target, item: ContentItem, folder: string): Promise<readonly string[]> {
  const {x} = await import('tar');
  const part = host.path(`${folder}/.trireme-${item.name}.part`);
  await rm(part, {recursive: true, force: true});
  await mkdir(part, {recursive: true});
  try {
    await x({
      file: host.path(blobPath(item.digest)),
      cwd: part,
      maxReadSize: 1 << 18, // what one piece unpacks to is in memory at once
      filter: (_path, entry) => 'type' in entry && (entry.type === 'File' || entry.type === 'Directory'),
      preserveOwner: false,
    });
    const all = (await readdir(part, {recursive: true, withFileTypes: true})).filter((entry) => entry.isFile());
    const inBin = all.filter((entry) => basename(entry.parentPath) === 'bin');
    const programs = inBin.length > 0 ? inBin : all.filter((entry) => !/^(LICENSE|README)/i.test(entry.name));
    if (programs.length === 0) throw new TriremeError('bundle.incomplete', `The archive ${item.name} has no program in it.`, {host: host.name});
    await place(programs.map((entry) => ({part: join(entry.parentPath, entry.name), path: host.path(`${folder}/${entry.name}`)})));
    return programs.map((entry) => `${folder}/${entry.name}`);
  } finally {
    await rm(part, {recursive: true, force: true});
  }
}
