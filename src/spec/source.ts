// The text of a file and its positions.
import {open} from 'node:fs/promises';
import {dirname} from 'node:path';
import {type Complaint, excerptOf} from './complaint.ts';

/** In bytes. A file of a thousand hosts has about 200 KiB. */
export const largestFile = 1024 * 1024;
/** In bytes. The manifests of large operators have up to 3 MiB. */
export const largestManifest = 4 * largestFile;

export interface Span {
  /** In UTF-16 units from the start of the text. */
  readonly offset: number;
  readonly length: number;
}

export interface ComplaintParts {
  readonly rule: string;
  readonly message: string;
  readonly hint?: string;
}

/** One file's text with the offsets of its lines. */
export class Source {
  readonly file: string;
  /** Where relative paths in it start from, absolute. */
  readonly folder: string;
  readonly text: string;
  readonly lines: readonly string[];
  readonly #starts: readonly number[];

  constructor(file: string, folder: string, text: string) {
    this.file = file;
    this.folder = folder;
    this.text = text;
    const starts = [0];
    for (let index = text.indexOf('\n'); index !== -1; index = text.indexOf('\n', index + 1)) starts.push(index + 1);
    this.#starts = starts;
    this.lines = starts.map((start, index) => text.slice(start, (starts[index + 1] ?? text.length + 1) - 1).replace(/\r$/, ''));
  }

  position(offset: number): {line: number; column: number} {
    const capped = Math.max(0, Math.min(offset, this.text.length));
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= capped) low = middle;
      else high = middle - 1;
    }
    return {line: low + 1, column: capped - (this.#starts[low] ?? 0) + 1};
  }

  /** A complaint about a place in this file. */
  complain(span: Span, parts: ComplaintParts): Complaint {
    const {line, column} = this.position(span.offset);
    const excerpt = excerptOf(this.lines, line, column, span.length);
    return {file: this.file, line, column, ...parts, ...(excerpt === undefined ? {} : {excerpt})};
  }
}

export type SourceResult = {readonly source: Source} | {readonly complaint: Complaint};

/** Reads the file at an absolute path as text, or says what hinders it. Never throws. */
export async function readSource(file: string, path: string, largest = largestFile): Promise<SourceResult> {
  try {
    const handle = await open(path, 'r');
    try {
      const status = await handle.stat();
      if (status.isDirectory()) return {complaint: unread(file, 'is a folder', 'Name a file in it.')};
      const buffer = Buffer.alloc(Math.min(largest, status.size > 0 ? status.size : largest) + 1);
      let size = 0;
      while (size < buffer.length) {
        const {bytesRead} = await handle.read(buffer, size, buffer.length - size, null);
        if (bytesRead === 0) break;
        size += bytesRead;
      }
      return sourceOfBytes(file, dirname(path), buffer.subarray(0, size), largest);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return {complaint: unread(file, "doesn't exist")};
    if (code === 'EACCES' || code === 'EPERM') return {complaint: unread(file, "can't be read: permission denied")};
    return {complaint: unread(file, `can't be read: ${code ?? (error as Error).message}`)};
  }
}

/** Checks size and encoding; a byte order mark is dropped. */
export function sourceOfBytes(file: string, folder: string, bytes: Uint8Array, largest = largestFile): SourceResult {
  if (bytes.length > largest) {
    return {
      complaint: {
        file,
        line: 1,
        column: 1,
        rule: 'file.too-large',
        message: `${file} is larger than ${largest / 1024 / 1024} MiB.`,
        hint: 'Split it into several files.',
      },
    };
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', {fatal: true}).decode(bytes);
  } catch {
    const valid = new Source(file, folder, new TextDecoder('utf-8').decode(bytes));
    const offset = Math.max(0, valid.text.indexOf('�'));
    return {complaint: valid.complain({offset, length: 1}, {rule: 'file.not-utf8', message: `${file} isn't text in UTF-8.`, hint: 'Save it as UTF-8.'})};
  }
  return {source: new Source(file, folder, text)};
}

function unread(file: string, why: string, hint?: string): Complaint {
  return {file, line: 1, column: 1, rule: 'file.not-found', message: `${file} ${why}.`, ...(hint === undefined ? {} : {hint})};
}
