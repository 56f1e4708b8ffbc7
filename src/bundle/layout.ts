// Reading an OCI image layout (image-spec 1.1, image-layout.md), from a folder or from inside one tar file.
import {createReadStream} from 'node:fs';
import {open, readdir, readFile, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {digestOf} from '../kernel/digest.ts';
import {TriremeError} from '../kernel/errors.ts';
import {digestOfStream} from './cache.ts';
import {hexOf, type OpenedBlob} from './content.ts';
import {imageIndex, type ImageIndex} from './media-types.ts';
import {indexTar} from './layout-tar.ts';

/** Where a blob's bytes are: a file, and the part of it. */
interface Extent {
  readonly file: string;
  readonly offset: number;
  readonly size: number;
}

/** A layout that can be read. Nothing is trusted before its digest was computed. */
export class Layout {
  /** As the user named it. */
  readonly place: string;
  readonly form: 'folder' | 'tar';
  readonly index: ImageIndex;
  /** index.json as it is: its digest names the whole content. */
  readonly indexBytes: Buffer;
  readonly #extents: ReadonlyMap<string, Extent>;

  constructor(place: string, form: 'folder' | 'tar', index: Buffer, extents: ReadonlyMap<string, Extent>) {
    this.place = place;
    this.form = form;
    this.index = parseIndex(place, index);
    this.indexBytes = index;
    this.#extents = extents;
  }

  /** Digests of all blobs that are there, referenced or not. */
  get digests(): readonly string[] {
    return [...this.#extents.keys()];
  }

  /** Bytes of a blob; undefined when it isn't there. */
  sizeOf(digest: string): number | undefined {
    return this.#extents.get(digest)?.size;
  }

  /** The file that is exactly this blob; undefined within a tar. */
  path(digest: string): string | undefined {
    return this.form === 'folder' ? this.#extents.get(digest)?.file : undefined;
  }

  /** A blob for reading, its digest unchecked; throws `bundle.incomplete` when it isn't there. */
  open(digest: string): OpenedBlob {
    const extent = this.#extents.get(digest);
    if (extent === undefined)
      throw new TriremeError('bundle.incomplete', `The bundle ${this.place} lacks the blob ${digest}.`, {
        hints: [`See what else is missing: trireme bundle verify ${this.place}`],
      });
    const {file, offset, size} = extent;
    return {digest, size, stream: (start = 0) => openPart(file, offset + start, size - start)};
  }

  /** A small blob whole and checked; throws `bundle.damaged`. */
  async read(digest: string): Promise<Buffer> {
    const blob = this.open(digest);
    if (blob.size > 4 * 1024 * 1024)
      throw new TriremeError('bundle.damaged', `The blob ${digest} of ${this.place} should be a manifest, and is ${blob.size} bytes long.`);
    const chunks: Buffer[] = [];
    for await (const chunk of blob.stream()) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    if (digestOf(bytes) !== digest) throw damagedBlob(this.place, digest, digestOf(bytes));
    return bytes;
  }

  /** Reads a blob to its end and returns the digest that its bytes have. */
  async compute(digest: string, signal?: AbortSignal): Promise<string> {
    return digestOfStream(this.open(digest).stream(), signal);
  }
}

function openPart(file: string, start: number, length: number): Readable {
  // createReadStream's `end` is inclusive, so an empty part can't be written with it
  return length === 0 ? Readable.from([]) : createReadStream(file, {start, end: start + length - 1, highWaterMark: 256 * 1024});
}

export function damagedBlob(place: string, digest: string, found: string): TriremeError {
  return new TriremeError('bundle.damaged', `A blob of the bundle ${place} is damaged: ${digest} is expected, and its bytes give ${found}.`, {
    hints: ['Copy the bundle again from where it was built, or build it anew: trireme bundle build'],
    details: {expected: digest, found},
  });
}

/** Opens a layout: a folder, or a tar that isn't compressed. Throws `bundle.not-found` and `bundle.damaged`. */
export async function openLayout(place: string): Promise<Layout> {
  const found = await stat(place).catch(() => undefined);
  if (found === undefined)
    throw new TriremeError('bundle.not-found', `There is no bundle at ${place}.`, {
      hints: ['Build one: trireme bundle build --out FOLDER', 'Or leave spec.agent.bundle out: then the content is fetched from the public sources.'],
    });
  return found.isDirectory() ? openFolder(place) : openTar(place);
}

async function openFolder(place: string): Promise<Layout> {
  const marker = await readFile(join(place, 'oci-layout'), 'utf8').catch(() => undefined);
  const index = await readFile(join(place, 'index.json')).catch(() => undefined);
  if (marker === undefined || index === undefined) throw notALayout(place, 'it has no oci-layout and index.json');
  requireVersion(place, marker);
  const folder = join(place, 'blobs', 'sha256');
  const extents = new Map<string, Extent>();
  for (const name of await readdir(folder).catch(() => [] as string[])) {
    if (hexOf(`sha256:${name}`) === undefined) continue;
    const file = join(folder, name);
    extents.set(`sha256:${name}`, {file, offset: 0, size: (await stat(file)).size});
  }
  return new Layout(place, 'folder', index, extents);
}

async function openTar(place: string): Promise<Layout> {
  const entries = await indexTar(place);
  const small = async (name: string) => {
    const entry = entries.get(name);
    if (entry === undefined || entry.size > 4 * 1024 * 1024) throw notALayout(place, `it has no ${name}`);
    const file = await open(place, 'r');
    try {
      const buffer = Buffer.alloc(entry.size);
      await file.read(buffer, 0, entry.size, entry.offset);
      return buffer;
    } finally {
      await file.close();
    }
  };
  requireVersion(place, (await small('oci-layout')).toString());
  const index = await small('index.json');
  const extents = new Map<string, Extent>();
  for (const [name, entry] of entries) {
    const digest = `sha256:${name.slice('blobs/sha256/'.length)}`;
    if (name.startsWith('blobs/sha256/') && hexOf(digest) !== undefined) extents.set(digest, {file: place, ...entry});
  }
  return new Layout(place, 'tar', index, extents);
}

function requireVersion(place: string, marker: string): void {
  let version: unknown;
  try {
    version = (JSON.parse(marker) as {imageLayoutVersion?: unknown}).imageLayoutVersion;
  } catch {
    version = undefined;
  }
  if (version !== '1.0.0') throw notALayout(place, 'its oci-layout file is not that of version 1.0.0');
}

/** Reads an image index; throws `bundle.damaged`. */
export function parseIndex(place: string, bytes: Buffer): ImageIndex {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    value = undefined;
  }
  const parsed = imageIndex.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new TriremeError(
    'bundle.damaged',
    `The image index of ${place} can't be read: ${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}.`,
    {cause: parsed.error},
  );
}

function notALayout(place: string, why: string): TriremeError {
  return new TriremeError('bundle.not-found', `${place} isn't a bundle (an OCI image layout): ${why}.`, {
    hints: ['Build one: trireme bundle build --out FOLDER'],
  });
}
