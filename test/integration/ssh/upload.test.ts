import {createHash, randomBytes} from 'node:crypto';
import {mkdir, readdir, readFile, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {afterAll, beforeAll, beforeEach, expect, test} from 'vitest';
import {createSshContext} from '../../../src/ssh/context.ts';
import {openRunner, type SshHostRunner} from '../../../src/ssh/ssh-runner.ts';
import {uploadBlobs, uploadFile, type UploadProgress, type UploadSource} from '../../../src/ssh/upload.ts';
import type {SimulatedHost} from '../../../src/sandbox/host.ts';
import type {SshFaults} from '../../../src/sandbox/ssh-server.ts';
import {createBench, type Bench} from '../../support/simulated-host.ts';

let bench: Bench;
let host: SimulatedHost;
let runner: SshHostRunner;
let folder: string;
let count = 0;
const faults: SshFaults = {};

beforeAll(async () => {
  bench = await createBench();
  host = await bench.start('h1', {faults, sudoPassword: 'open sesame'});
  await bench.trust(host);
  runner = await openRunner(bench.target(host, {sudoPassword: 'open sesame'}), createSshContext({env: bench.env}));
});
afterAll(async () => {
  await runner.close();
  await bench.stop();
});
beforeEach(() => {
  count += 1;
  folder = `/var/lib/x${count}`;
});

const onHost = (path: string) => join(host.root, path);
const sourceOf = (content: Buffer): UploadSource => ({digest: `sha256:${createHash('sha256').update(content).digest('hex')}`, size: content.length, content});
const hex = (source: UploadSource) => source.digest.slice(7);

test('sends many blobs over one channel, each named by its digest', async () => {
  const contents = [
    Buffer.alloc(0),
    Buffer.from('line\nwith\0zero'),
    randomBytes(3_000_000),
    ...Array.from({length: 40}, (_, index) => randomBytes(index * 37 + 1)),
  ];
  const before = runner.roundTrips;
  const seen: UploadProgress[] = [];
  await uploadBlobs(runner, contents.map(sourceOf), {folder, onProgress: (progress) => seen.push(progress)});
  expect(runner.roundTrips - before).toBe(1);
  for (const content of contents) expect(content.equals(await readFile(onHost(join(folder, hex(sourceOf(content))))))).toBe(true);
  expect((await readdir(onHost(folder))).length).toBe(contents.length);
  expect(seen.at(-1)).toEqual({
    sent: contents.reduce((sum, content) => sum + content.length, 0),
    total: contents.reduce((sum, content) => sum + content.length, 0),
  });
});

test('sends a file with its permissions to a path with blanks and quotes, over an older one', async () => {
  const path = `${folder}/it's a folder/a file`;
  await uploadFile(runner, {source: sourceOf(Buffer.from('old')), destination: path});
  await uploadFile(runner, {source: sourceOf(Buffer.from('new')), destination: path, mode: '0600'});
  expect(await readFile(onHost(path), 'utf8')).toBe('new');
  expect((await stat(onHost(path))).mode & 0o777).toBe(0o600);
});

test('goes on where a broken connection stopped it', async () => {
  const content = randomBytes(24_000_000);
  faults.dropAfterBytes = 10_000_000;
  const source = {...sourceOf(content), content: undefined, stream: (start = 0) => Readable.from(slices(content.subarray(start)))} as UploadSource;
  await expect(uploadBlobs(runner, [source], {folder})).rejects.toMatchObject({code: 'host.connection-lost', host: 'h1'});
  delete faults.dropAfterBytes;
  const part = await stat(onHost(join(folder, `.${hex(source)}.trireme-part`)));
  expect(part.size).toBeGreaterThan(1_000_000);
  const seen: number[] = [];
  await uploadBlobs(runner, [source], {folder, onProgress: ({sent}) => seen.push(sent)});
  expect(seen[0]).toBeGreaterThan(part.size);
  expect(content.equals(await readFile(onHost(join(folder, hex(source)))))).toBe(true);
});

test('sends again from the start what a half-sent file made wrong', async () => {
  const content = randomBytes(100_000);
  const source = sourceOf(content);
  await mkdir(onHost(folder), {recursive: true});
  await writeFile(onHost(join(folder, `.${hex(source)}.trireme-part`)), 'something else');
  await uploadBlobs(runner, [source, sourceOf(Buffer.from('another'))], {folder});
  expect(content.equals(await readFile(onHost(join(folder, hex(source)))))).toBe(true);
  expect((await readdir(onHost(folder))).toSorted()).toEqual([hex(source), hex(sourceOf(Buffer.from('another')))].toSorted());
});

test('never names content that has another digest', async () => {
  const source = {...sourceOf(Buffer.from('right')), content: Buffer.from('wrong')};
  await expect(uploadBlobs(runner, [source], {folder})).rejects.toMatchObject({code: 'host.command-failed', host: 'h1'});
  expect(await readdir(onHost(folder))).toEqual([]);
});

test('fails when the source is shorter or longer than it says', async () => {
  const source = sourceOf(Buffer.from('content'));
  await expect(uploadBlobs(runner, [{...source, size: 8}], {folder})).rejects.toMatchObject({code: 'bundle.damaged'});
  await expect(uploadBlobs(runner, [{...source, size: 6}], {folder})).rejects.toMatchObject({code: 'bundle.damaged'});
});

test('refuses before it sends when the file system has not enough room', async () => {
  const source: UploadSource = {digest: `sha256:${'0'.repeat(64)}`, size: 2 ** 60, stream: () => Readable.from([Buffer.alloc(1)])};
  await expect(uploadBlobs(runner, [source], {folder})).rejects.toMatchObject({
    code: 'host.disk-full',
    host: 'h1',
    exit: 1,
    details: {fileSystem: expect.any(String), freeKiB: expect.any(Number)},
  });
});

test('tells a disk that fills up meanwhile from other failures', async () => {
  await writeFile(
    join(bench.folder, 'h1/bin/dd'),
    '#!/bin/sh\ncase "$*" in *if=/dev/null*) exit 0;; esac\necho "dd: error writing: No space left on device" >&2\nexit 1\n',
    {mode: 0o755},
  );
  try {
    await expect(uploadBlobs(runner, [sourceOf(randomBytes(5000))], {folder})).rejects.toMatchObject({code: 'host.disk-full'});
  } finally {
    const {rm} = await import('node:fs/promises');
    await rm(join(bench.folder, 'h1/bin/dd'));
  }
});

test('waits for each file where dd cannot count, as on macOS', async () => {
  await writeFile(join(bench.folder, 'h1/bin/dd'), '#!/bin/sh\nexit 1\n', {mode: 0o755});
  try {
    const contents = [randomBytes(200_000), Buffer.alloc(0), Buffer.from('x'), randomBytes(70_000)];
    await uploadBlobs(runner, contents.map(sourceOf), {folder});
    for (const content of contents) expect(content.equals(await readFile(onHost(join(folder, hex(sourceOf(content))))))).toBe(true);
  } finally {
    const {rm} = await import('node:fs/promises');
    await rm(join(bench.folder, 'h1/bin/dd'));
  }
});

test('is given up when nothing moves', async () => {
  const source: UploadSource = {digest: `sha256:${'1'.repeat(64)}`, size: 10, stream: () => new Readable({read: () => {}})};
  await expect(uploadBlobs(runner, [source], {folder, patience: 400})).rejects.toMatchObject({code: 'host.command-timed-out', host: 'h1'});
});

function* slices(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += 65_536) yield content.subarray(at, at + 65_536);
}
