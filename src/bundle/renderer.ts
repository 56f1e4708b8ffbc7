// A program that renders layers, on this computer: that of the bundle, else the published one. By digest, like all content.
import {createReadStream, createWriteStream} from 'node:fs';
import {access, chmod, constants, mkdir, readdir, rename, rm, stat} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {TriremeError} from '../kernel/errors.ts';
import {syncFolder, syncTree} from '../kernel/files.ts';
import {cacheFolder as defaultCacheFolder} from '../kernel/folders.ts';
import type {Architecture} from './content.ts';
import {fetchContent} from './fetch.ts';
import type {PinnedItem} from './origin.ts';
import {pinFile} from './pin-sources.ts';
import {openBundle, openSession, type SessionRequest} from './pin.ts';
import {type Renderer, rendererSource} from './sources.ts';

export interface RendererRequest extends SessionRequest {
  /** Version of Kubernetes: kubectl's own. */
  readonly version: string;
  /** `spec.agent.bundle`. */
  readonly bundle?: string;
  /** `spec.bundle.programs`, absolute. */
  readonly programs?: Readonly<Partial<Record<Renderer, string>>>;
  /** Default: this computer's. */
  readonly platform?: {readonly system: string; readonly architecture: string};
}

/** The path of the program, checked. Throws `bundle.*`. */
export async function obtainRenderer(name: Renderer, request: RendererRequest): Promise<string> {
  const given = request.programs?.[name];
  if (given !== undefined) return requireProgram(name, given);
  const {system, architecture: found} = request.platform ?? {system: process.platform, architecture: process.arch};
  const architecture = ({x64: 'amd64', arm64: 'arm64'} as Readonly<Record<string, Architecture>>)[found];
  if (architecture === undefined || !['linux', 'darwin'].includes(system))
    throw new TriremeError('bundle.not-found', `No ${name} is known for ${system} on ${found}.`, {
      hints: [`Name yours in the file: spec.bundle.programs.${name}`],
    });
  const session = await openSession(request);
  const {item, origin} =
    (system === 'linux' ? await fromBundle(name, request, architecture, session) : undefined) ??
    (await published(name, request, system, architecture, session));
  await session.lock.save().catch(() => {}); // a folder that can't be written is told where content is pinned
  await fetchContent(
    {
      version: request.version,
      distribution: 'kubeadm',
      content: {[architecture]: [item]},
      versions: new Map(),
      origins: new Map([[item.digest, origin]]),
      warnings: [],
      session,
    },
    request.signal === undefined ? {} : {signal: request.signal},
  );
  return unpack(name, item, origin, session, request.cacheFolder ?? defaultCacheFolder(request.transport?.env ?? process.env));
}

type Session = Awaited<ReturnType<typeof openSession>>;

async function fromBundle(name: Renderer, {bundle, version}: RendererRequest, architecture: Architecture, session: Session): Promise<PinnedItem | undefined> {
  if (bundle === undefined) return undefined;
  const {contents, origin} = await openBundle(bundle, session);
  const file = contents.files.find(
    (one) => one.item.name === name && one.architecture === architecture && (name !== 'kubectl' || one.kubernetesVersion === version),
  );
  return file === undefined ? undefined : {item: file.item, origin};
}

async function published(name: Renderer, {version}: RendererRequest, system: string, architecture: Architecture, session: Session): Promise<PinnedItem> {
  const source = rendererSource(name, version, system, architecture);
  try {
    return await pinFile(session, system === 'linux' ? source : {...source, name: `${name}-${system}`});
  } catch (error) {
    if (!(error instanceof TriremeError)) throw error;
    throw new TriremeError(error.code, `${error.message} It's ${name}, which renders layers of the profile.`, {
      hints: [...error.hints, `A bundle that was built for this file holds it; or name yours: spec.bundle.programs.${name}`],
      cause: error,
    });
  }
}

/** The program beside the cache, under the digest of what it came from. */
async function unpack(name: Renderer, item: PinnedItem['item'], origin: PinnedItem['origin'], session: Session, cache: string): Promise<string> {
  const folder = join(cache, 'programs', item.digest.replace('sha256:', ''));
  const path = join(folder, name);
  if (await isProgram(path)) return path;
  const part = `${folder}.${process.pid}.part`;
  await rm(part, {recursive: true, force: true});
  await mkdir(part, {recursive: true});
  try {
    const content =
      origin.kind === 'layout'
        ? origin.layout.open(item.digest).stream()
        : createReadStream(origin.kind === 'file' ? origin.path : session.cache.path(item.digest));
    if (item.kind === 'archive') {
      const {x} = await import('tar');
      await pipeline(
        content,
        x({cwd: part, filter: (entry, stats) => basename(entry) === name && 'type' in stats && stats.type === 'File', preserveOwner: false}),
      );
      const inside = (await readdir(part, {recursive: true, withFileTypes: true})).find((entry) => entry.isFile() && entry.name === name);
      if (inside === undefined) throw new TriremeError('bundle.incomplete', `The archive of ${name} has no program ${name} in it.`);
      if (inside.parentPath !== part) await rename(join(inside.parentPath, name), join(part, name));
    } else await pipeline(content, createWriteStream(join(part, name)));
    await chmod(join(part, name), 0o755);
    await syncTree(part);
    await rename(part, folder).catch(async (error: unknown) => {
      // another process was faster
      if (!(await isProgram(path))) throw error;
    });
    await syncFolder(dirname(folder));
    return path;
  } finally {
    await rm(part, {recursive: true, force: true});
  }
}

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function requireProgram(name: Renderer, path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() === true && (await isProgram(path))) return path;
  throw new TriremeError('bundle.not-found', `spec.bundle.programs.${name} is ${path}, and no program is there.`, {hints: ['Correct the path.']});
}
