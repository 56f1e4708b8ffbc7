import {mkdtemp, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {readLock} from '../../../src/bundle/lock.ts';

let folder: string;
let path: string;
const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const file = (letter: string) => ({url: 'https://dl.k8s.io/x', digest: digest(letter), size: 1});
const platform = (letter: string) => ({digest: digest(letter), size: 2, mediaType: 'm', blobs: []});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trireme-lock-'));
  path = join(folder, 'trireme.lock');
});

afterEach(async () => {
  await rm(folder, {recursive: true, force: true});
});

describe('the lock', () => {
  it('is not written when there is nothing new', async () => {
    await (await readLock(path)).save();
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });

  it('keeps what another run pinned first', async () => {
    const [ours, theirs] = [await readLock(path), await readLock(path)];
    theirs.addFile('kubeadm v1 amd64', file('a'));
    theirs.addPlatform('r/pause:1', digest('c'), 'amd64', platform('d'));
    await theirs.save();
    ours.addFile('kubeadm v1 amd64', file('b'));
    ours.addFile('kubelet v1 amd64', file('b'));
    ours.addPlatform('r/pause:1', digest('c'), 'arm64', platform('e'));
    await ours.save();
    const after = await readLock(path);
    expect(after.file('kubeadm v1 amd64')).toEqual(file('a'));
    expect(after.file('kubelet v1 amd64')).toEqual(file('b'));
    expect(after.image('r/pause:1')).toEqual({digest: digest('c'), platforms: {amd64: platform('d'), arm64: platform('e')}});
  });

  it('has its entries in order, so that changes read well', async () => {
    const lock = await readLock(path);
    lock.addFile('b', file('b'));
    lock.addFile('a', file('a'));
    await lock.save();
    expect(Object.keys((JSON.parse(await readFile(path, 'utf8')) as {files: object}).files)).toEqual(['a', 'b']);
  });

  it.each([
    ['no JSON', '{', 'JSON'],
    ['another version', '{"lockVersion":2,"files":{},"images":{},"bundles":{}}', 'lockVersion'],
    ['a wrong digest', '{"lockVersion":1,"files":{"a":{"url":"u","digest":"sha256:12","size":1}},"images":{},"bundles":{}}', 'files.a.digest'],
    ['an unknown key', '{"lockVersion":1,"files":{},"images":{},"bundles":{},"extra":1}', 'extra'],
  ])('is refused with %s, naming the file and the place', async (_what, text, place) => {
    await writeFile(path, text);
    await expect(readLock(path)).rejects.toMatchObject({code: 'bundle.lock-invalid', exit: 3, message: expect.stringContaining(place) as string});
    await expect(readLock(path)).rejects.toThrow(path);
  });
});
