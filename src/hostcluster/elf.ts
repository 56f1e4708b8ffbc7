// Reads of a Linux program what it's for and which libraries it needs, without running it or any tool.
import {open, type FileHandle} from 'node:fs/promises';
import type {Architecture} from './facts.ts';

export interface ElfFacts {
  readonly architecture: Architecture | undefined;
  /** Names of the shared libraries that it is linked with (DT_NEEDED). */
  readonly libraries: readonly string[];
}

const machines: Readonly<Record<number, Architecture>> = {62: 'amd64', 183: 'arm64'};
const segmentLoad = 1;
const segmentDynamic = 2;
const tagNeeded = 1n;
const tagStringTable = 5n;

/** Facts of a 64-bit little-endian ELF file; undefined for any other file. */
export async function readElf(path: string): Promise<ElfFacts | undefined> {
  const file = await open(path, 'r');
  try {
    const header = await read(file, 0, 64);
    const isElf64 = header.length === 64 && header.readUInt32BE(0) === 0x7f454c46 && header[4] === 2 && header[5] === 1;
    if (!isElf64) return undefined;
    const segments = await readSegments(file, header);
    return {architecture: machines[header.readUInt16LE(18)], libraries: await readLibraries(file, segments)};
  } finally {
    await file.close();
  }
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

async function readSegments(file: FileHandle, header: Buffer): Promise<readonly Segment[]> {
  const size = header.readUInt16LE(54);
  const count = header.readUInt16LE(56);
  const table = await read(file, Number(header.readBigUInt64LE(32)), size * count);
  return Array.from({length: count}, (_, index) => table.subarray(index * size)).map((entry) => ({
    type: entry.readUInt32LE(0),
    offset: Number(entry.readBigUInt64LE(8)),
    address: Number(entry.readBigUInt64LE(16)),
    size: Number(entry.readBigUInt64LE(32)),
  }));
}

async function readLibraries(file: FileHandle, segments: readonly Segment[]): Promise<readonly string[]> {
  const dynamic = segments.find((segment) => segment.type === segmentDynamic);
  if (dynamic === undefined) return []; // linked statically
  const table = await read(file, dynamic.offset, dynamic.size);
  const names: number[] = [];
  let strings: number | undefined;
  for (let at = 0; at + 16 <= table.length; at += 16) {
    const value = Number(table.readBigUInt64LE(at + 8));
    if (table.readBigUInt64LE(at) === tagNeeded) names.push(value);
    else if (table.readBigUInt64LE(at) === tagStringTable) strings = value;
  }
  const home = segments.find(
    (segment) => segment.type === segmentLoad && strings !== undefined && strings >= segment.address && strings < segment.address + segment.size,
  );
  if (home === undefined || strings === undefined) return [];
  const base = home.offset + strings - home.address;
  return Promise.all(
    names.map(async (name) => {
      const text = await read(file, base + name, 256);
      return text.subarray(0, text.indexOf(0)).toString('latin1');
    }),
  );
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const {buffer, bytesRead} = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
