// A backup as a file: a tar of a manifest and its parts, each with its digest, encrypted as a whole.
import {createHash} from 'node:crypto';
import {createReadStream, createWriteStream} from 'node:fs';
import {open, rename, rm} from 'node:fs/promises';
import {dirname} from 'node:path';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {digestOf} from '../../kernel/digest.ts';
import {isTriremeError, TriremeError} from '../../kernel/errors.ts';
import {syncFolder} from '../../kernel/files.ts';
import {readTar, tarEnd, tarEntry, tarHeader, tarPadding, type TarEntry} from '../../kernel/tar.ts';
import type {Secrets} from '../protocol.ts';
import {damaged, lock, unlock, type Keys, type Locks} from './lock-box.ts';

const format = 'trireme.dev/backup';
/** Raised when the form changes. */
const formVersion = 1;

interface Part {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** `sha256:HEX`. */
  readonly digest: string;
}

/** What a backup says of itself. Holds no secret. */
export interface BackupManifest {
  readonly format: typeof format;
  readonly version: typeof formVersion;
  readonly simulated: boolean;
  readonly cluster: {readonly name: string; readonly id: string};
  readonly distribution: string;
  readonly kubernetesVersion: string;
  /** Of the program that wrote the data: etcd's version. */
  readonly dataVersion: string;
  /** ISO 8601. */
  readonly takenAt: string;
  readonly takenFrom: string;
  /** Version of the program that wrote it. */
  readonly program: string;
  readonly hosts: readonly {readonly name: string; readonly role: string}[];
  readonly parts: readonly Part[];
}

/** What a cluster is known by, without the token that lets hosts join: a restored cluster gets a new one. */
export type KeptSecrets = Omit<Secrets, 'bootstrapToken'>;

export interface BackupContent {
  readonly about: Omit<BackupManifest, 'format' | 'version' | 'parts'>;
  readonly secrets: KeptSecrets;
  readonly data: {readonly size: number; readonly digest: string; readonly stream: Readable};
}

export interface WrittenBackup {
  readonly path: string;
  /** Bytes, and the digest, of the encrypted file. */
  readonly size: number;
  readonly digest: string;
}

/** Writes the file whole or not at all, 0600. Throws `backup.failed` when the data breaks off, or isn't what its digest says. */
export async function writeBackup(path: string, content: BackupContent, locks: Locks): Promise<WrittenBackup> {
  const part = `${path}.part`;
  const hash = createHash('sha256');
  let size = 0;
  try {
    await pipeline(
      await lock(Readable.from(archive(content)), locks),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          size += chunk.length;
          yield chunk;
        }
      },
      createWriteStream(part, {mode: 0o600, flags: 'wx'}),
    );
    const handle = await open(part, 'r');
    await handle.sync();
    await handle.close();
    await rename(part, path);
    await syncFolder(dirname(path));
  } catch (error) {
    content.data.stream.destroy();
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') await rm(part, {force: true});
    if (isTriremeError(error)) throw error;
    throw new TriremeError('backup.failed', `${path} can't be written: ${(error as Error).message}.`, {cause: error});
  }
  return {path, size, digest: `sha256:${hash.digest('hex')}`};
}

async function* archive({about, secrets, data}: BackupContent): AsyncGenerator<Buffer> {
  const text = Buffer.from(`${JSON.stringify(secrets)}\n`);
  const parts: readonly Part[] = [
    {name: 'secrets.json', size: text.length, digest: digestOf(text)},
    {name: 'data.db', size: data.size, digest: data.digest},
  ];
  const manifest: BackupManifest = {format, version: formVersion, ...about, parts};
  yield* tarEntry('manifest.json', Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`), 0o600);
  yield* tarEntry('secrets.json', text, 0o600);
  yield tarHeader('data.db', data.size, 0o600);
  const hash = createHash('sha256');
  let got = 0;
  for await (const chunk of data.stream as AsyncIterable<Buffer>) {
    hash.update(chunk);
    got += chunk.length;
    yield chunk;
  }
  if (got !== data.size || `sha256:${hash.digest('hex')}` !== data.digest)
    throw new TriremeError('backup.failed', `The data from ${about.takenFrom} isn't what its digest says: ${got} of ${data.size} bytes came.`);
  yield tarPadding(data.size);
  yield tarEnd();
}

/** A backup that was read to its end: everything in it is what its digests say. */
export interface OpenedBackup {
  readonly path: string;
  readonly manifest: BackupManifest;
  readonly secrets: KeptSecrets;
  readonly dataDigest: string;
  readonly dataSize: number;
  /** The data once more, from the file. */
  data(): AsyncGenerator<Buffer>;
}

/** Reads the whole file and holds it against its digests. Throws `file.not-found`, `backup.damaged`, `backup.passphrase-wrong`, `backup.incompatible`. */
export async function openBackup(path: string, keys: Keys): Promise<OpenedBackup> {
  let manifest: BackupManifest | undefined;
  let secrets: KeptSecrets | undefined;
  const seen = new Set<string>();
  try {
    for await (const entry of await entriesOf(path, keys)) {
      if (manifest === undefined) {
        manifest = requireManifest(path, await textOf(entry));
        continue;
      }
      const part = manifest.parts.find((one) => one.name === entry.name);
      const {digest, text} = await digestAndText(entry);
      if (part === undefined || part.digest !== digest || part.size !== entry.size) throw damaged(path, `${entry.name} isn't what its digest says`);
      if (entry.name === 'secrets.json') secrets = JSON.parse(text) as KeptSecrets;
      seen.add(entry.name);
    }
  } catch (error) {
    if (isTriremeError(error)) throw error;
    throw damaged(path, (error as Error).message, error);
  }
  const data = manifest?.parts.find((one) => one.name === 'data.db');
  const missing = manifest?.parts.find((one) => !seen.has(one.name));
  if (manifest === undefined || secrets === undefined || data === undefined || missing !== undefined)
    throw damaged(path, `${missing?.name ?? 'its manifest'} is missing`);
  return {path, manifest, secrets, dataDigest: data.digest, dataSize: data.size, data: () => dataOf(path, keys)};
}

async function* dataOf(path: string, keys: Keys): AsyncGenerator<Buffer> {
  for await (const entry of await entriesOf(path, keys)) if (entry.name === 'data.db') yield* entry.content;
}

async function entriesOf(path: string, keys: Keys): Promise<AsyncGenerator<TarEntry, void, undefined>> {
  const file = createReadStream(path, {highWaterMark: 1 << 18});
  try {
    await new Promise<void>((resolve, reject) => file.once('open', () => resolve()).once('error', reject));
  } catch (error) {
    throw new TriremeError('file.not-found', `${path} can't be read: ${(error as Error).message}.`, {cause: error});
  }
  return readTar(await unlock(file, keys, path));
}

function requireManifest(path: string, text: string): BackupManifest {
  const manifest = JSON.parse(text) as Partial<BackupManifest>;
  if (manifest.format !== format) throw damaged(path, "it doesn't begin with a manifest");
  if (manifest.version !== formVersion)
    throw new TriremeError('backup.incompatible', `${path} has form ${String(manifest.version)}, and this program reads form ${formVersion}.`, {
      hints: ['Use a newer trireme.'],
    });
  return manifest as BackupManifest;
}

async function textOf(entry: TarEntry): Promise<string> {
  return (await digestAndText(entry)).text;
}

/** The text only of what is small; data isn't kept in memory. */
async function digestAndText({content, size}: TarEntry): Promise<{readonly digest: string; readonly text: string}> {
  const hash = createHash('sha256');
  const kept: Buffer[] = [];
  for await (const chunk of content) {
    hash.update(chunk);
    if (size < 1 << 20) kept.push(chunk);
  }
  return {digest: `sha256:${hash.digest('hex')}`, text: Buffer.concat(kept).toString('utf8')};
}
