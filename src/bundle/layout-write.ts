// Writing an OCI image layout, to a folder or as one tar. Blobs are streamed, and checked on their way.
import {createHash} from 'node:crypto';
import {createWriteStream} from 'node:fs';
import {mkdir, open, readdir, rename, rm, stat, type FileHandle} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {Header} from 'tar';
import {TriremeError} from '../kernel/errors.ts';
import {syncFolder, writeFileAtomic} from '../kernel/files.ts';
import {digestOfFile} from './cache.ts';
import {hexOf, type OpenedBlob} from './content.ts';
import {damagedBlob} from './layout.ts';

const marker = '{"imageLayoutVersion":"1.0.0"}';

export interface LayoutParts {
  /** The text of index.json. */
  readonly index: string;
  /** All blobs; each is opened when its turn comes. */
  readonly blobs: readonly {readonly digest: string; readonly size: number; readonly open: () => Promise<OpenedBlob>}[];
}

export interface LayoutWriteOptions {
  readonly signal?: AbortSignal;
  /** Told after each blob: how many bytes of all blobs are written. */
  readonly onBlob?: (written: number, total: number) => void;
}

/** Writes the layout into a folder. What of it is there already stays; blobs that nothing names any more are removed at the end. */
export async function writeLayoutFolder(out: string, parts: LayoutParts, options: LayoutWriteOptions = {}): Promise<void> {
  await requireOwnFolder(out);
  const folder = join(out, 'blobs', 'sha256');
  await mkdir(folder, {recursive: true});
  const names = new Set<string>();
  await eachBlob(parts, options, async (blob) => {
    const name = hexOf(blob.digest) ?? '';
    names.add(name);
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found?.size === blob.size && (await digestOfFile(path, options.signal)) === blob.digest) return;
    const temporary = join(folder, `${name}.${process.pid}.tmp`);
    try {
      await pipeline(checked(await blob.open()), createWriteStream(temporary, {flush: true}), {signal: options.signal});
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, {force: true});
      throw error;
    }
  });
  await syncFolder(folder);
  await writeFileAtomic(join(out, 'oci-layout'), marker);
  await writeFileAtomic(join(out, 'index.json'), parts.index);
  for (const name of await readdir(folder)) if (!names.has(name)) await rm(join(folder, name), {force: true});
}

/** Writes the layout as one tar that isn't compressed (blobs are); equal content gives equal bytes. */
export async function writeLayoutTar(out: string, parts: LayoutParts, options: LayoutWriteOptions = {}): Promise<void> {
  await mkdir(dirname(out), {recursive: true});
  const temporary = `${out}.${process.pid}.tmp`;
  const file = await open(temporary, 'w');
  try {
    await writeEntry(file, 'oci-layout', Buffer.byteLength(marker), Readable.from([Buffer.from(marker)]));
    await writeEntry(file, 'index.json', Buffer.byteLength(parts.index), Readable.from([Buffer.from(parts.index)]));
    await eachBlob(parts, options, async (blob) =>
      writeEntry(file, `blobs/sha256/${hexOf(blob.digest)}`, blob.size, Readable.from(checked(await blob.open()))),
    );
    await file.write(Buffer.alloc(1024));
    await file.sync();
    await file.close();
    await rename(temporary, out);
    await syncFolder(dirname(out));
  } catch (error) {
    await file.close().catch(() => {});
    await rm(temporary, {force: true});
    throw error;
  }
}

async function eachBlob(parts: LayoutParts, options: LayoutWriteOptions, write: (blob: LayoutParts['blobs'][number]) => Promise<void>): Promise<void> {
  const total = parts.blobs.reduce((sum, blob) => sum + blob.size, 0);
  let written = 0;
  for (const blob of [...parts.blobs].toSorted((a, b) => (a.digest < b.digest ? -1 : 1))) {
    options.signal?.throwIfAborted();
    await write(blob);
    written += blob.size;
    options.onBlob?.(written, total);
  }
}

/** Passes a blob's bytes on, and throws at their end when they aren't the digest's. */
async function* checked(blob: OpenedBlob): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of blob.stream()) {
    hash.update(chunk as Buffer);
    yield chunk as Buffer;
  }
  const found = `sha256:${hash.digest('hex')}`;
  if (found !== blob.digest) throw damagedBlob('that is being written', blob.digest, found);
}

async function writeEntry(file: FileHandle, path: string, size: number, content: Readable): Promise<void> {
  const header = new Header({path, mode: 0o644, uid: 0, gid: 0, size, mtime: new Date(0), type: 'File', uname: '', gname: ''});
  const bytes = Buffer.alloc(512);
  if (header.encode(bytes, 0)) throw new TriremeError('bundle.damaged', `${path} doesn't fit into a plain tar header.`);
  await file.write(bytes);
  let length = 0;
  for await (const chunk of content) {
    length += (chunk as Buffer).length;
    await writeAll(file, chunk as Buffer);
  }
  if (length !== size) throw new TriremeError('bundle.damaged', `${path} has ${length} bytes, and ${size} were announced.`);
  await writeAll(file, Buffer.alloc((512 - (size % 512)) % 512));
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length;) done += (await file.write(bytes, done)).bytesWritten;
}

/** We write into a new or empty folder, or over a layout; never among somebody's other files. */
async function requireOwnFolder(out: string): Promise<void> {
  const names = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [] as string[];
    throw new TriremeError('usage.invalid', `Can't write a bundle to ${out}: it isn't a folder.`, {
      hints: ['Name a new folder, or a file that ends in .tar.'],
      cause: error,
    });
  });
  // a build that was interrupted has left only blobs
  const foreign = names.filter((name) => !['oci-layout', 'index.json', 'blobs'].includes(name) && !name.endsWith('.tmp'));
  if (foreign.length > 0)
    throw new TriremeError('usage.invalid', `The folder ${out} holds other files (${foreign.slice(0, 3).join(', ')}), and a bundle needs one of its own.`, {
      hints: ['Name a new folder.'],
    });
}
