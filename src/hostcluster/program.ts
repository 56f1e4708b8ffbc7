// The two files that every host gets from this computer: the agent's program and a Node runtime to run it.
import {existsSync, readFileSync} from 'node:fs';
import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {readFile, realpath, stat} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {pipeline} from 'node:stream/promises';
import {TriremeError} from '../kernel/errors.ts';
import {writeFileAtomic} from '../kernel/files.ts';
import {problemOf, type Problem} from '../kernel/problem.ts';
import {readElf} from './elf.ts';
import type {Architecture, PushFile} from './facts.ts';

/** What is on every Linux that agent mode knows: glibc's parts and the C++ runtime. */
const usualLibraries = /^(libc\.so\.6|libm\.so\.6|libdl\.so\.2|libpthread\.so\.0|librt\.so\.1|libgcc_s\.so\.1|libstdc\+\+\.so\.6|ld-linux[-\w]*\.so\.\d)$/;

/** The folder of this package: the one with our package.json, from the sources and from the built files alike. */
export function packageRoot(from: string = dirname(fileURLToPath(import.meta.url))): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, 'package.json');
    if (existsSync(path) && (JSON.parse(readFileSync(path, 'utf8')) as {name?: string}).name === 'trireme-cli') return folder;
    if (folder === dirname(folder)) throw new TriremeError('bug.unexpected', `There's no package.json of Trireme above ${from}.`);
  }
}

/** The version of this program. */
export function programVersion(): string {
  return (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {version: string}).version;
}

/** The agent's program as this package has it. Throws `agent.failed` when it wasn't built. */
export async function agentProgram(digests: FileDigests): Promise<PushFile> {
  const path = join(packageRoot(), 'dist', 'agent', 'trireme-agent.mjs');
  if (!existsSync(path))
    throw new TriremeError('agent.failed', `The agent's program isn't in this installation: ${path} is missing.`, {
      hints: ['In a checkout: npm run build', 'Else install Trireme again.'],
    });
  return digests.of(path);
}

export interface RuntimeOptions {
  /** `spec.agent.runtime`: path per architecture, relative to `folder`. */
  readonly configured?: Readonly<Partial<Record<Architecture, string>>>;
  readonly folder: string;
  /** The Node binary that runs us; default: the real one. */
  readonly own?: {readonly path: string; readonly platform: string};
  /** Finds the binary of an installed `node-linux-*` package; default: from our own place. */
  readonly findPackage?: (name: string) => string | undefined;
}

/**
 * The Node runtime for hosts of an architecture: the configured one, else the very binary that runs us when it runs on other computers too, else
 * the one of the package `node-linux-ARCH`. What is found is checked; the problem `agent.runtime-missing` says what was tried.
 */
export async function nodeRuntime(architecture: Architecture, digests: FileDigests, options: RuntimeOptions): Promise<PushFile | {readonly problem: Problem}> {
  const packageName = `node-linux-${architecture === 'amd64' ? 'x64' : 'arm64'}`;
  const configured = options.configured?.[architecture];
  const own = options.own ?? {path: process.execPath, platform: process.platform};
  const candidates: (readonly [string, string | undefined])[] =
    configured === undefined
      ? [
          ["this computer's Node", own.platform === 'linux' ? own.path : undefined],
          [`the package ${packageName}`, (options.findPackage ?? findPackageBinary)(packageName)],
        ]
      : [[`spec.agent.runtime.${architecture}`, resolve(options.folder, configured)]];
  const tried: string[] = [];
  for (const [what, path] of candidates) {
    const complaint = path === undefined ? `isn't there` : await whyUnfit(path, architecture);
    if (complaint === undefined && path !== undefined) return digests.of(path);
    tried.push(`${what} ${complaint}`);
  }
  const message = `There's no Node runtime for ${architecture} hosts: ${tried.join('; ')}.`;
  const hints = [
    `Name one in the file: spec.agent.runtime.${architecture}: PATH (the file bin/node of Node's own download for Linux)`,
    `Or install it beside Trireme: npm install -g ${packageName}@${process.versions.node}`,
  ];
  return {problem: problemOf(new TriremeError('agent.runtime-missing', message, {hints}))};
}

/** Why a binary won't run on hosts of this architecture; undefined when it will. */
export async function whyUnfit(path: string, architecture: Architecture): Promise<string | undefined> {
  const elf = await readElf(path).catch(() => null);
  if (elf === null) return `can't be read (${path})`;
  if (elf === undefined) return `isn't a Linux program (${path})`;
  if (elf.architecture !== architecture) return `is for ${elf.architecture ?? 'another architecture'}`;
  const unusual = elf.libraries.filter((library) => !usualLibraries.test(library));
  return unusual.length === 0 ? undefined : `needs libraries that hosts may not have: ${unusual.join(', ')}`;
}

function findPackageBinary(name: string): string | undefined {
  try {
    const path = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin', 'node');
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** Digests of large files of this computer, remembered by size, time and inode: a runtime of 100 MB is read once, not at each command. */
export class FileDigests {
  readonly #path: string | undefined;
  #known: Record<string, {readonly mark: string; readonly digest: string}> | undefined;

  /** `path` is where they are remembered; without it only within this process. */
  constructor(path?: string) {
    this.#path = path;
  }

  async of(path: string): Promise<PushFile> {
    const real = await realpath(path);
    const {size, mtimeMs, ino} = await stat(real);
    const mark = `${size}:${mtimeMs}:${ino}`;
    const known = (this.#known ??= await this.#load());
    const before = known[real];
    if (before?.mark === mark) return {digest: before.digest, size, path: real};
    const hash = createHash('sha256');
    await pipeline(createReadStream(real), hash);
    const digest = `sha256:${hash.digest('hex')}`;
    this.#known = {...this.#known, [real]: {mark, digest}};
    // only a shortcut: a home that can't be written costs time, nothing else
    if (this.#path !== undefined) await writeFileAtomic(this.#path, `${JSON.stringify(this.#known)}\n`).catch(() => {});
    return {digest, size, path: real};
  }

  async #load(): Promise<Record<string, {readonly mark: string; readonly digest: string}>> {
    try {
      return this.#path === undefined ? {} : (JSON.parse(await readFile(this.#path, 'utf8')) as Record<string, {mark: string; digest: string}>);
    } catch {
      return {};
    }
  }
}
