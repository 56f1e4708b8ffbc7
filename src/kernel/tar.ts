// Archives in the ustar format (POSIX.1-1988), as streams: files only, names up to 100 bytes, sizes up to 8 GiB. Any tar program opens them.

const block = 512;

/** The header of a file; its bytes follow, then `tarPadding(size)`. */
export function tarHeader(name: string, size: number, mode = 0o644): Buffer {
  const header = Buffer.alloc(block);
  header.write(name, 0, 100);
  header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\0', 257);
  header.write('00', 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

export function tarPadding(size: number): Buffer {
  return Buffer.alloc((block - (size % block)) % block);
}

/** What an archive ends with. */
export const tarEnd = (): Buffer => Buffer.alloc(2 * block);

/** A whole file of an archive. */
export function* tarEntry(name: string, content: Buffer, mode?: number): Generator<Buffer> {
  yield tarHeader(name, content.length, mode);
  yield content;
  yield tarPadding(content.length);
}

export interface TarEntry {
  readonly name: string;
  readonly size: number;
  /** Has to be read before the next entry is asked for; what isn't is passed over. */
  readonly content: AsyncIterable<Buffer>;
}

/** The files of an archive of this shape, in order. Throws when it is cut or isn't one. */
export async function* readTar(input: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry, void, undefined> {
  const reader = new Chunks(input);
  for (;;) {
    const header = await reader.take(block);
    if (header.every((byte) => byte === 0)) return;
    const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
    if (Number.parseInt(header.toString('latin1', 148, 154), 8) !== sum) throw new Error('a header in the archive is damaged');
    const size = Number.parseInt(header.toString('latin1', 124, 135), 8);
    let left = size;
    const content = async function* () {
      while (left > 0) {
        const chunk = await reader.some(left);
        left -= chunk.length;
        yield chunk;
      }
    };
    yield {name: header.toString('utf8', 0, 100).replace(/\0.*$/s, ''), size, content: content()};
    while (left > 0) left -= (await reader.some(left)).length;
    await reader.take((block - (size % block)) % block);
  }
}

class Chunks {
  readonly #input: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(input: AsyncIterable<Uint8Array>) {
    this.#input = input[Symbol.asyncIterator]();
  }

  async #next(): Promise<Buffer> {
    const {value, done} = await this.#input.next();
    if (done === true) throw new Error('the archive is cut off');
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }

  /** At most so many bytes, at least one. */
  async some(most: number): Promise<Buffer> {
    while (this.#rest.length === 0) this.#rest = await this.#next();
    const chunk = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(chunk.length);
    return chunk;
  }

  async take(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = length; left > 0;) {
      const part = await this.some(left);
      parts.push(part);
      left -= part.length;
    }
    return Buffer.concat(parts);
  }
}
