import {execFileSync} from 'node:child_process';
import {copyFile, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {buildBundle, type BuildRequest} from '../../../src/bundle/build.ts';
import type {OpenedBlob} from '../../../src/bundle/content.ts';
import {inspectBundle} from '../../../src/bundle/inspect.ts';
import {openLayout} from '../../../src/bundle/layout.ts';
import {pinContent, resolveContent, type ContentRequest} from '../../../src/bundle/resolve.ts';
import {verifyBundle, verifyError} from '../../../src/bundle/verify.ts';
import {sha256, startContentServer, type ContentServer} from '../../support/content-server.ts';

let server: ContentServer;
let folder: string;
/** Filled once: the tests here are about layouts, not about downloads. */
let warmCache: string;

beforeAll(async () => {
  server = await startContentServer({images: ['ghcr.io/flannel-io/flannel:v0.28.10'], fileSize: 20_001});
  warmCache = await mkdtemp(join(tmpdir(), 'trireme-layout-cache-'));
});

afterAll(async () => {
  await server.close();
  await rm(warmCache, {recursive: true, force: true});
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trireme-layout-'));
});

afterEach(async () => {
  await rm(folder, {recursive: true, force: true});
});

function request(over: Partial<BuildRequest> = {}): BuildRequest {
  return {
    version: 'v1.36.3',
    distribution: 'kubeadm',
    architectures: ['amd64', 'arm64'],
    images: ['ghcr.io/flannel-io/flannel:v0.28.10'],
    sources: server.sources,
    lockFile: join(warmCache, 'trireme.lock'),
    cacheFolder: warmCache,
    transport: {env: {HOME: folder}, retryDelay: 1},
    out: join(folder, 'bundle'),
    ...over,
  };
}

/** The same cluster from a bundle, without any network, cache or lock. */
function offline(bundle: string, over: Partial<ContentRequest> = {}): ContentRequest {
  return {
    version: 'v1.36.3',
    distribution: 'kubeadm',
    architectures: ['amd64', 'arm64'],
    images: ['ghcr.io/flannel-io/flannel:v0.28.10'],
    bundle,
    lockFile: join(folder, 'other.lock'),
    cacheFolder: join(folder, 'empty-cache'),
    ...over,
  };
}

async function read(blob: OpenedBlob, start = 0): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of blob.stream(start)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const cluster = {version: 'v1.36.3', distribution: 'kubeadm', architectures: ['amd64', 'arm64'], images: ['ghcr.io/flannel-io/flannel:v0.28.10']} as const;

describe.each(['folder', 'tar'] as const)('a bundle as a %s', (form) => {
  const out = () => join(folder, form === 'tar' ? 'bundle.tar' : 'bundle');

  it('gives back exactly what was pinned, without network, and every byte of it', async () => {
    const built = await buildBundle(request({out: out()}));
    expect(built).toMatchObject({files: 14, images: 16, architectures: ['amd64', 'arm64']});
    server.requests.length = 0;
    const resolved = await resolveContent(offline(out()));
    expect(server.requests).toEqual([]);
    const pinned = await pinContent(request());
    expect(resolved.content).toEqual(pinned.content);
    for (const item of Object.values(resolved.content).flat()) {
      for (const blob of item.blobs ?? [item]) {
        const opened = await resolved.open(blob.digest);
        const bytes = await read(opened);
        expect(opened.size).toBe(blob.size);
        expect(`sha256:${sha256(bytes)}`).toBe(blob.digest);
        expect(await read(opened, blob.size - 3)).toEqual(bytes.subarray(-3));
        expect(resolved.path(blob.digest) !== undefined).toBe(form === 'folder');
      }
    }
  });

  it('verifies, and lists what is in it', async () => {
    await buildBundle(request({out: out()}));
    const result = await verifyBundle({bundle: out(), cluster});
    expect(result.complaints).toEqual([]);
    expect(verifyError(result)).toBeUndefined();
    const inspection = await inspectBundle(out());
    expect(inspection.form).toBe(form);
    expect(inspection.versions).toEqual([
      {version: 'v1.36.3', distribution: 'kubeadm', architecture: 'amd64'},
      {version: 'v1.36.3', distribution: 'kubeadm', architecture: 'arm64'},
    ]);
    expect(inspection.rows).toHaveLength(30);
    expect(inspection.rows.find((row) => row.name === 'containerd' && row.architecture === 'arm64')).toMatchObject({
      kind: 'archive',
      version: 'v2.4.2',
      size: 20_001,
    });
    expect(inspection.rows.find((row) => row.name === 'registry.k8s.io/coredns/coredns')).toMatchObject({
      kind: 'image',
      version: 'v1.14.2',
      architecture: 'amd64',
    });
  });

  it('names what is missing for another cluster', async () => {
    await buildBundle(request({out: out(), architectures: ['amd64'], images: []}));
    const result = await verifyBundle({bundle: out(), cluster: {...cluster, architectures: ['amd64']}});
    expect(result.complaints.map((complaint) => [complaint.kind, complaint.subject])).toEqual([
      ['missing-content', 'image:ghcr.io/flannel-io/flannel:v0.28.10'],
    ]);
    expect(verifyError(result)?.code).toBe('bundle.incomplete');
    await expect(pinContent(offline(out()))).rejects.toMatchObject({
      code: 'bundle.incomplete',
      message: expect.stringContaining('kubeadm for arm64') as string,
    });
    await expect(pinContent(offline(out(), {architectures: ['amd64'], images: [], version: 'v1.36.2'}))).rejects.toMatchObject({
      code: 'bundle.incomplete',
      message: expect.stringContaining('kubelet for amd64') as string,
    });
  });

  it('finds a flipped byte, and refuses to use it', async () => {
    await buildBundle(request({out: out()}));
    const layout = await openLayout(out());
    const target = layout.digests.find((digest) => layout.sizeOf(digest) === 20_001) ?? '';
    const file = form === 'folder' ? (layout.path(target) ?? '') : out();
    const bytes = await readFile(file);
    const at = form === 'folder' ? 700 : bytes.indexOf((await read(layout.open(target))).subarray(0, 600)) + 700;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(file, bytes);
    const result = await verifyBundle({bundle: out(), cluster});
    expect(result.complaints).toHaveLength(1);
    expect(result.complaints[0]).toMatchObject({kind: 'damaged', subject: target});
    expect(verifyError(result)?.exit).toBe(1);
    await expect(resolveContent(offline(out()))).rejects.toMatchObject({code: 'bundle.damaged', message: expect.stringContaining(target) as string});
  });

  it('is built from another bundle without any source', async () => {
    await buildBundle(request({out: out()}));
    const again = await buildBundle({
      ...offline(out()),
      bundle: undefined,
      inputs: [out()],
      sources: {
        'dl.k8s.io': 'http://127.0.0.1:1',
        'github.com': 'http://127.0.0.1:1',
        'registry.k8s.io': 'http://127.0.0.1:1',
        'ghcr.io': 'http://127.0.0.1:1',
      },
      out: join(folder, 'second'),
    } as BuildRequest);
    expect(again.digest).toBe((await inspectBundle(out())).digest);
  });
});

describe('a folder', () => {
  it('holds what the image layout specification wants', async () => {
    await buildBundle(request({architectures: ['amd64']}));
    const out = join(folder, 'bundle');
    expect((await readdir(out)).toSorted()).toEqual(['blobs', 'index.json', 'oci-layout']);
    expect(JSON.parse(await readFile(join(out, 'oci-layout'), 'utf8'))).toEqual({imageLayoutVersion: '1.0.0'});
    for (const name of await readdir(join(out, 'blobs', 'sha256'))) expect(sha256(await readFile(join(out, 'blobs', 'sha256', name)))).toBe(name);
    const index = JSON.parse(await readFile(join(out, 'index.json'), 'utf8')) as {manifests: {artifactType?: string; annotations?: Record<string, string>}[]};
    expect(index.manifests[0]?.artifactType).toBe('application/vnd.trireme.bundle.v1');
    expect(index.manifests.at(-1)?.annotations?.['io.containerd.image.name']).toBe('registry.k8s.io/pause:3.10.2');
  });

  it('is written over by a later build, which leaves nothing of the earlier one', async () => {
    const out = join(folder, 'bundle');
    await buildBundle(request());
    await buildBundle(request({architectures: ['amd64'], images: []}));
    const layout = await openLayout(out);
    const result = await verifyBundle({bundle: out});
    expect(result.complaints).toEqual([]);
    const fresh = await buildBundle(request({architectures: ['amd64'], images: [], out: join(folder, 'fresh')}));
    expect(layout.digests).toHaveLength(fresh.blobs);
  });

  it('is not written among other files', async () => {
    await writeFile(join(folder, 'letter.txt'), 'dear harbour master');
    await expect(buildBundle(request({out: folder}))).rejects.toMatchObject({code: 'usage.invalid', message: expect.stringContaining('letter.txt') as string});
    expect(await readdir(folder)).toEqual(['letter.txt']);
  });

  it('with a blob missing is complained about, with who names it', async () => {
    const out = join(folder, 'bundle');
    await buildBundle(request());
    const layout = await openLayout(out);
    const target = layout.digests.find((digest) => layout.sizeOf(digest) === 20_001) ?? '';
    await rm(layout.path(target) ?? '');
    const result = await verifyBundle({bundle: out});
    expect(result.complaints.map((complaint) => [complaint.kind, complaint.subject])).toEqual([['missing-blob', target]]);
    await expect(resolveContent(offline(out))).rejects.toMatchObject({code: 'bundle.incomplete'});
  });
});

describe('a tar', () => {
  it('has the same bytes whenever it is built', async () => {
    await buildBundle(request({out: join(folder, 'one.tar')}));
    await buildBundle(request({out: join(folder, 'two.tar')}));
    expect(sha256(await readFile(join(folder, 'one.tar')))).toBe(sha256(await readFile(join(folder, 'two.tar'))));
  });

  it('unpacks with tar into a folder that verifies, and one that tar packed is read', async () => {
    await buildBundle(request({out: join(folder, 'bundle.tar')}));
    await mkdir(join(folder, 'unpacked'));
    execFileSync('tar', ['-xf', join(folder, 'bundle.tar'), '-C', join(folder, 'unpacked')]);
    expect((await verifyBundle({bundle: join(folder, 'unpacked'), cluster})).complaints).toEqual([]);
    for (const format of ['gnu', 'pax', 'ustar']) {
      execFileSync('tar', ['-cf', join(folder, `${format}.tar`), `--format=${format}`, '-C', join(folder, 'unpacked'), '.']);
      expect((await verifyBundle({bundle: join(folder, `${format}.tar`), cluster})).complaints).toEqual([]);
    }
  });

  it('that is cut off is refused, and so is one that is compressed', async () => {
    const out = join(folder, 'bundle.tar');
    await buildBundle(request({out}));
    await copyFile(out, join(folder, 'cut.tar'));
    await truncate(join(folder, 'cut.tar'), 60_000);
    await expect(pinContent(offline(join(folder, 'cut.tar')))).rejects.toMatchObject({
      code: 'bundle.damaged',
      message: expect.stringContaining('cut off') as string,
    });
    execFileSync('gzip', [out]);
    await expect(pinContent(offline(`${out}.gz`))).rejects.toMatchObject({code: 'bundle.damaged', hints: [expect.stringContaining('gunzip') as string]});
  });
});

describe('other places', () => {
  it('refuses a place where there is nothing, and a folder that is no layout', async () => {
    await expect(pinContent(offline(join(folder, 'nowhere')))).rejects.toMatchObject({code: 'bundle.not-found', exit: 3});
    await expect(pinContent(offline(folder))).rejects.toMatchObject({code: 'bundle.not-found', message: expect.stringContaining('oci-layout') as string});
  });

  it('uses a program of this computer instead of the public one', async () => {
    const own = join(folder, 'my-kubeadm');
    await writeFile(own, 'built at home');
    await buildBundle(request({files: [{name: 'kubeadm', architecture: 'amd64', path: own}], lockFile: join(folder, 'own.lock')}));
    const rows = (await inspectBundle(join(folder, 'bundle'))).rows.filter((row) => row.name === 'kubeadm');
    expect(rows.map((row) => [row.architecture, row.digest === `sha256:${sha256('built at home')}`])).toEqual([
      ['amd64', true],
      ['arm64', false],
    ]);
    expect(await readFile(join(folder, 'own.lock'), 'utf8')).not.toContain('kubeadm v1.36.3 amd64');
  });

  it('reads downloads from a folder that mirrors a public place', async () => {
    for (const [path, bytes] of server.files) {
      await mkdir(join(folder, 'mirror', path, '..'), {recursive: true});
      await writeFile(join(folder, 'mirror', path), bytes);
    }
    server.requests.length = 0;
    const resolved = await resolveContent(
      request({
        folder,
        sources: {...server.sources, 'dl.k8s.io': 'mirror/dl.k8s.io', 'github.com': `file://${folder}/mirror/github.com`},
        lockFile: join(folder, 'a.lock'),
        cacheFolder: join(folder, 'c'),
      }),
    );
    expect(server.requests.filter((seen) => !seen.path.includes('/v2/'))).toEqual([]);
    expect(resolved.content).toEqual((await pinContent(request())).content);
  });

  it('pulls a bundle from a registry, pins its tag, and needs no network for the plan after that', async () => {
    await buildBundle(request());
    const layout = await openLayout(join(folder, 'bundle'));
    for (const digest of layout.digests) {
      const bytes = await read(layout.open(digest));
      server.blobs.set(digest, bytes);
      const value = bytes[0] === 0x7b ? (JSON.parse(bytes.toString()) as {mediaType?: string}) : {};
      if (value.mediaType !== undefined) server.manifests.set(`ghcr.io/fleet/bundle@${digest}`, {bytes, type: value.mediaType});
    }
    const type = 'application/vnd.oci.image.index.v1+json';
    server.manifests.set('ghcr.io/fleet/bundle:v1', {bytes: layout.indexBytes, type});
    server.manifests.set(`ghcr.io/fleet/bundle@sha256:${sha256(layout.indexBytes)}`, {bytes: layout.indexBytes, type});
    const ask = () => offline('oci://ghcr.io/fleet/bundle:v1', {sources: server.sources, transport: {env: {HOME: folder}, retryDelay: 1}});
    const resolved = await resolveContent(ask());
    expect(resolved.content).toEqual((await pinContent(request())).content);
    server.requests.length = 0;
    server.manifests.delete('ghcr.io/fleet/bundle:v1');
    await resolveContent(ask());
    expect(server.requests).toEqual([]);
  });
});
