// A plain tar, entry by entry, into a file that is open already: names up to 255 bytes, owned by root, without times, so that equal content gives equal bytes.
import {createHash, type Hash} from 'node:crypto';
import type {FileHandle} from 'node:fs/promises';
import type {Readable} from 'node:stream';
import {Header} from 'tar';
import {TriremeError} from '../kernel/errors.ts';

export interface TarFile {
  readonly path: string;
  /** Octal number; default 0o644. */
  readonly mode?: number;
  /** Bytes. */
  readonly size: number;
  readonly content: Readable | Buffer;
  /** `sha256:HEX`; when it is another, nothing is finished. */
  readonly digest?: string;
}

/** Writes from where the file stands, and knows the digest of all that it wrote. */
export class TarWriter {
  readonly #file: FileHandle;
  readonly #hash: Hash = createHash('sha256');
  readonly #folders = new Set<string>();
  #at: number;

  constructor(file: FileHandle, start = 0) {
    this.#file = file;
    this.#at = start;
  }

  /** A folder and those above it, each once. */
  async folder(path: string, mode = 0o755): Promise<void> {
    const above = path.split('/').slice(0, -1).join('/');
    if (above !== '') await this.folder(above);
    if (this.#folders.has(path)) return;
    this.#folders.add(path);
    await this.#header({path: `${path}/`, mode, size: 0, type: 'Directory'});
  }

  async link(path: string, target: string): Promise<void> {
    await this.#above(path);
    await this.#header({path, mode: 0o777, size: 0, type: 'SymbolicLink', linkpath: target});
  }

  /** Throws `bundle.damaged` when the content isn't what was announced. */
  async file({path, mode = 0o644, size, content, digest}: TarFile): Promise<void> {
    await this.#above(path);
    await this.#header({path, mode, size, type: 'File'});
    const hash = createHash('sha256');
    let length = 0;
    for await (const chunk of Buffer.isBuffer(content) ? [content] : content) {
      length += (chunk as Buffer).length;
      hash.update(chunk as Buffer);
      await this.#write(chunk as Buffer);
    }
    const found = `sha256:${hash.digest('hex')}`;
    if (length !== size || (digest !== undefined && found !== digest))
      throw new TriremeError(
        'bundle.damaged',
        `${path} isn't what it should be: ${digest ?? `${size} bytes`} is expected, and it is ${found} with ${length} bytes.`,
      );
    await this.#write(Buffer.alloc((512 - (size % 512)) % 512));
  }

  /** Ends the tar; returns the digest of all of it. */
  async end(): Promise<string> {
    await this.#write(Buffer.alloc(1024));
    return `sha256:${this.#hash.digest('hex')}`;
  }

  async #above(path: string): Promise<void> {
    const above = path.split('/').slice(0, -1).join('/');
    if (above !== '') await this.folder(above);
  }

  async #header(fields: {
    readonly path: string;
    readonly mode: number;
    readonly size: number;
    readonly type: 'File' | 'Directory' | 'SymbolicLink';
    readonly linkpath?: string;
  }) {
    const bytes = Buffer.alloc(512);
    const header = new Header({...fields, uid: 0, gid: 0, mtime: new Date(0), uname: 'root', gname: 'root'});
    if (header.encode(bytes, 0)) throw new TriremeError('bundle.damaged', `${fields.path} doesn't fit into a plain tar header.`);
    await this.#write(bytes);
  }

  async #write(bytes: Buffer): Promise<void> {
    this.#hash.update(bytes);
    for (let done = 0; done < bytes.length;) {
      const {bytesWritten} = await this.#file.write(bytes, done, bytes.length - done, this.#at);
      done += bytesWritten;
      this.#at += bytesWritten;
    }
  }
}
