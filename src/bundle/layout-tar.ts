// A tar as a random-access store: one walk over the headers tells where each file's bytes are, so big blobs are read in place.
import {open, type FileHandle} from 'node:fs/promises';
import {Header, Pax} from 'tar';
import {TriremeError} from '../kernel/errors.ts';

export interface TarExtent {
  /** Of the first byte of the content. */
  readonly offset: number;
  readonly size: number;
}

const block = 512;

/** Where each regular file of a tar is, by path without a leading `./`. Throws `bundle.damaged` for what isn't a whole tar. */
export async function indexTar(path: string): Promise<ReadonlyMap<string, TarExtent>> {
  const file = await open(path, 'r');
  try {
    return await walk(file, path);
  } finally {
    await file.close();
  }
}

async function walk(file: FileHandle, path: string): Promise<ReadonlyMap<string, TarExtent>> {
  const entries = new Map<string, TarExtent>();
  const {size: length} = await file.stat();
  let pax: Pax | undefined;
  let longPath: string | undefined;
  let offset = 0;
  const buffer = Buffer.alloc(block);
  while (offset + block <= length) {
    await file.read(buffer, 0, block, offset);
    const header = readHeader(buffer, pax);
    if (header?.nullBlock === true) break;
    if (header?.cksumValid !== true) throw notATar(path, offset, buffer);
    const size = header.size ?? 0;
    const content = offset + block;
    if (content + size > length) {
      throw new TriremeError(
        'bundle.damaged',
        `The tar ${path} is cut off within ${header.path ?? 'an entry'}: ${content + size} bytes are needed, ${length} are there.`,
        {hints: ['Copy it again from where it was built.']},
      );
    }
    offset = content + Math.ceil(size / block) * block;
    if (header.type === 'ExtendedHeader' || header.type === 'NextFileHasLongPath') {
      if (size > 1024 * 1024) throw notATar(path, content, buffer);
      const extra = Buffer.alloc(size);
      await file.read(extra, 0, size, content);
      if (header.type === 'ExtendedHeader') pax = Pax.parse(extra.toString(), pax);
      else longPath = extra.toString().replace(/\0+$/, '');
      continue;
    }
    if (header.type === 'File' || header.type === 'OldFile' || header.type === 'ContiguousFile') {
      entries.set((longPath ?? header.path ?? '').replace(/^(\.\/)+/, ''), {offset: content, size});
    }
    if (header.type !== 'GlobalExtendedHeader') {
      pax = undefined;
      longPath = undefined;
    }
  }
  return entries;
}

/** Undefined for bytes that are no header at all: the parser throws for some of them. */
function readHeader(buffer: Buffer, pax: Pax | undefined): Header | undefined {
  try {
    return new Header(buffer, 0, pax);
  } catch {
    return undefined;
  }
}

function notATar(path: string, offset: number, buffer: Buffer): TriremeError {
  const compressed = offset === 0 && ((buffer[0] === 0x1f && buffer[1] === 0x8b) || buffer.readUInt32BE(0) === 0x28b52ffd);
  if (compressed)
    return new TriremeError('bundle.damaged', `The bundle ${path} is compressed, and blobs are read in place.`, {
      hints: ['Decompress it first (gunzip, zstd -d): what is in it is compressed already.'],
    });
  return new TriremeError('bundle.damaged', `${path} isn't a tar file that can be read: no header at byte ${offset}.`, {
    hints: ['Copy it again from where it was built.'],
  });
}
