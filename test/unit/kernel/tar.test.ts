import {execFileSync} from 'node:child_process';
import {describe, expect, it} from 'vitest';
import {readTar, tarEnd, tarEntry} from '../../../src/kernel/tar.ts';

const archive = (files: Readonly<Record<string, string>>) =>
  Buffer.concat([...Object.entries(files).flatMap(([name, text]) => [...tarEntry(name, Buffer.from(text), 0o600)]), tarEnd()]);
async function* pieces(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
async function read(bytes: Buffer, size: number) {
  const found: Record<string, string> = {};
  for await (const {name, content} of readTar(pieces(bytes, size))) {
    const chunks: Buffer[] = [];
    for await (const chunk of content) chunks.push(chunk);
    found[name] = Buffer.concat(chunks).toString();
  }
  return found;
}

describe('an archive', () => {
  const files = {'manifest.json': '{}', empty: '', 'a/b.txt': 'x'.repeat(1500)};

  it.each([1, 511, 512, 100_000])('is read as it was written, in pieces of %i bytes', async (size) => {
    expect(await read(archive(files), size)).toEqual(files);
  });

  it('is opened by any tar program', () => {
    expect(
      execFileSync('tar', ['tf', '-'], {input: archive(files)})
        .toString()
        .trim()
        .split('\n'),
    ).toEqual(Object.keys(files));
  });

  it('that is cut off, or damaged in a header, is refused', async () => {
    await expect(read(archive(files).subarray(0, 700), 512)).rejects.toThrow('cut off');
    const damaged = archive(files);
    damaged[3] = 0x7a;
    await expect(read(damaged, 512)).rejects.toThrow('damaged');
  });

  it('passes over what nobody reads', async () => {
    const names: string[] = [];
    for await (const {name} of readTar(pieces(archive(files), 300))) names.push(name);
    expect(names).toEqual(Object.keys(files));
  });
});
