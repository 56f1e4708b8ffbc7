import {mkdtemp, readdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {writeFileAtomic} from '../../../src/kernel/files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trireme-files-'));
});
afterEach(() => rm(folder, {recursive: true, force: true}));

describe('a file that is replaced whole', () => {
  it('has the mode that is asked for, in folders that are made for it', async () => {
    const path = join(folder, 'a/b/c.json');
    await writeFileAtomic(path, 'text', {mode: 0o600});
    expect(await readFile(path, 'utf8')).toBe('text');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it.each([true, false])('is never half of two when many write it at once, and nothing else is left (one process only: %s)', async (soleWriter) => {
    const path = join(folder, 'state.json');
    const texts = Array.from({length: 20}, (_, index) => String(index).repeat(20_000));
    const seen: string[] = [];
    await Promise.all(
      texts.map(async (text) => {
        await writeFileAtomic(path, text, {soleWriter});
        seen.push(await readFile(path, 'utf8'));
      }),
    );
    expect(seen.filter((text) => !texts.includes(text))).toEqual([]);
    if (soleWriter) expect(await readFile(path, 'utf8')).toBe(texts.at(-1));
    expect(await readdir(folder)).toEqual(['state.json']);
  });

  it('takes what a power cut left of an earlier write with it, and a writer that fails does not keep the next from writing', async () => {
    const path = join(folder, 'state.json');
    await writeFile(`${path}.trireme.tmp`, 'ha');
    const failing = writeFileAtomic(path, {} as never, {soleWriter: true});
    const next = writeFileAtomic(path, 'whole', {soleWriter: true});
    await expect(failing).rejects.toThrow();
    await next;
    expect(await readdir(folder)).toEqual(['state.json']);
    expect(await readFile(path, 'utf8')).toBe('whole');
  });
});
