import {mkdtemp, readdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {ContentItem, OpenedBlob, TransferProgress} from '../../../src/bundle/content.ts';
import {fetchContent, pinContent, resolveContent, type ContentRequest} from '../../../src/bundle/resolve.ts';
import {isTriremeError, type TriremeError} from '../../../src/kernel/errors.ts';
import {sha256, startContentServer, type ContentServer, type ContentServerOptions} from '../../support/content-server.ts';

let folder: string;
let server: ContentServer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trireme-bundle-'));
});

afterEach(async () => {
  await server.close();
  await rm(folder, {recursive: true, force: true});
});

async function serve(options: ContentServerOptions = {}): Promise<void> {
  server = await startContentServer(options);
}

function request(over: Partial<ContentRequest> = {}): ContentRequest {
  return {
    version: 'v1.36.3',
    distribution: 'kubeadm',
    architectures: ['amd64'],
    images: [],
    sources: server.sources,
    lockFile: join(folder, 'trireme.lock'),
    cacheFolder: join(folder, 'cache'),
    transport: {env: {HOME: folder}, retryDelay: 1},
    ...over,
  };
}

const contentFolder = () => join(folder, 'cache', 'content', 'sha256');
const kubeadmPath = 'dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubeadm';

async function read(blob: OpenedBlob, start = 0): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of blob.stream(start)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function refusal(work: Promise<unknown>): Promise<TriremeError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isTriremeError(error)) throw new Error(`expected a TriremeError, got ${String(error)}`);
  return error;
}

const named = (items: readonly ContentItem[] | undefined, name: string) => items?.find((item) => item.name === name) as ContentItem;

describe('resolving content from the public places', () => {
  it('gives the seven programs and seven images of v1.36.3 with the digests that are published, and their bytes', async () => {
    await serve();
    const resolved = await resolveContent(request());
    const items = resolved.content.amd64 ?? [];
    expect(items.map((item) => item.name).toSorted()).toEqual([
      'cni-plugins',
      'containerd',
      'crictl',
      'image:registry.k8s.io/coredns/coredns:v1.14.2',
      'image:registry.k8s.io/etcd:3.6.8-0',
      'image:registry.k8s.io/kube-apiserver:v1.36.3',
      'image:registry.k8s.io/kube-controller-manager:v1.36.3',
      'image:registry.k8s.io/kube-proxy:v1.36.3',
      'image:registry.k8s.io/kube-scheduler:v1.36.3',
      'image:registry.k8s.io/pause:3.10.2',
      'kubeadm',
      'kubectl',
      'kubelet',
      'runc',
    ]);
    const kubeadm = named(items, 'kubeadm');
    const published = server.files.get(kubeadmPath) as Buffer;
    expect(kubeadm).toEqual({name: 'kubeadm', kind: 'binary', digest: `sha256:${sha256(published)}`, size: published.length});
    expect(await read(await resolved.open(kubeadm.digest))).toEqual(published);
    expect(await read(await resolved.open(kubeadm.digest), 19_990)).toEqual(published.subarray(19_990));
    const pause = named(items, 'image:registry.k8s.io/pause:3.10.2');
    expect(pause.blobs?.[0]?.digest).toBe(pause.digest);
    expect(pause.blobs).toHaveLength(3);
    for (const blob of pause.blobs ?? []) expect(`sha256:${sha256(await readFile(resolved.path(blob.digest) ?? ''))}`).toBe(blob.digest);
  });

  it('asks nothing of the network when the lock has every digest, even with an empty cache', async () => {
    await serve();
    const first = await pinContent(request());
    expect(await readdir(join(folder, 'cache', 'content', 'sha256'))).not.toContain(sha256(server.files.get(kubeadmPath) as Buffer));
    server.requests.length = 0;
    const second = await pinContent(request({cacheFolder: join(folder, 'other-cache')}));
    expect(server.requests).toEqual([]);
    expect(second.content).toEqual(first.content);
  });

  it('downloads nothing twice', async () => {
    await serve();
    await resolveContent(request());
    server.requests.length = 0;
    await resolveContent(request());
    expect(server.requests).toEqual([]);
  });

  it('fetches only the blobs that are asked for', async () => {
    await serve();
    const pinned = await pinContent(request());
    server.requests.length = 0;
    const runc = named(pinned.content.amd64, 'runc');
    await fetchContent(pinned, {digests: [runc.digest]});
    expect(server.requests.map((seen) => seen.path)).toEqual(['/github.com/opencontainers/runc/releases/download/v1.5.2/runc.amd64']);
  });

  it('adds the images that the profile names, in full, and pins a second architecture by the same index', async () => {
    await serve({images: ['docker.io/library/nginx:latest', 'ghcr.io/flannel-io/flannel:v0.28.10']});
    await pinContent(request({images: ['nginx', 'ghcr.io/flannel-io/flannel:v0.28.10', 'nginx:latest']}));
    server.putImage('docker.io/library/nginx:latest', ['amd64', 'arm64'], 'a later build');
    const both = await pinContent(request({architectures: ['amd64', 'arm64'], images: ['nginx', 'ghcr.io/flannel-io/flannel:v0.28.10']}));
    const arm = named(both.content.arm64, 'image:docker.io/library/nginx:latest');
    expect(arm.reference).toBe('docker.io/library/nginx:latest');
    const lock = JSON.parse(await readFile(join(folder, 'trireme.lock'), 'utf8')) as {images: Record<string, {platforms: Record<string, {digest: string}>}>};
    expect(lock.images['docker.io/library/nginx:latest']?.platforms['arm64']?.digest).toBe(arm.digest);
    await fetchContent(both);
    const config = await readFile(join(contentFolder(), (arm.blobs?.[1]?.digest ?? '').slice(7)), 'utf8');
    expect(JSON.parse(config)).toMatchObject({architecture: 'arm64', seed: ''});
  });

  it('takes Docker manifests as it takes OCI ones', async () => {
    await serve({isDocker: true});
    const resolved = await resolveContent(request());
    expect(named(resolved.content.amd64, 'image:registry.k8s.io/pause:3.10.2').blobs?.[0]?.mediaType).toBe(
      'application/vnd.docker.distribution.manifest.v2+json',
    );
  });

  it('tells progress up to the whole of each blob', async () => {
    await serve();
    const last = new Map<string, TransferProgress>();
    const resolved = await resolveContent({...request(), onProgress: (progress) => last.set(progress.digest, progress)});
    const wanted = (resolved.content.amd64 ?? []).filter((item) => item.kind !== 'image');
    for (const item of wanted) expect(last.get(item.digest)).toEqual({name: item.name, digest: item.digest, received: item.size, total: item.size});
  });

  it('names an image that does not exist for the architecture', async () => {
    await serve({architectures: ['amd64']});
    const error = await refusal(pinContent(request({architectures: ['arm64'], sources: {...server.sources, 'dl.k8s.io': server.url}})));
    expect(error.code).toBe('bundle.source-failed');
    const pinned = await pinContent(request());
    expect(pinned.warnings).toEqual([]);
    server.putImage('ghcr.io/o/only:1', ['amd64']);
    server.files.clear();
    const missing = await refusal(pinContent(request({version: 'v1.36.3', images: ['ghcr.io/o/absent:1']})));
    expect(missing.message).toContain('ghcr.io/o/absent:1');
    expect(missing.message).toContain('404');
  });

  it('refuses a minor version that it does not know before any request', async () => {
    await serve();
    const error = await refusal(pinContent(request({version: 'v1.21.0'})));
    expect(error.code).toBe('bundle.version-unsupported');
    expect(error.exit).toBe(3);
    expect(server.requests).toEqual([]);
  });
});

describe('wrong bytes', () => {
  it('stops at a download with one byte flipped, naming what, both digests, and that no host was touched', async () => {
    await serve();
    server.fail('/kubeadm', {kind: 'flip'}, 99);
    const published = sha256(server.files.get(kubeadmPath) as Buffer);
    const error = await refusal(resolveContent(request()));
    expect(error.code).toBe('bundle.digest-mismatch');
    expect(error.message).toContain('kubeadm');
    expect(error.message).toContain(`sha256:${published}`);
    expect(error.message).toMatch(/gives sha256:[0-9a-f]{64}/);
    expect(error.message).toContain('No host was touched');
    expect(await readdir(contentFolder())).not.toContain(published);
  });

  it('stops when a source has changed since it was locked, and says which entry to delete', async () => {
    await serve();
    await pinContent(request());
    const changed = Buffer.alloc(20_000, 'x');
    server.files.set(kubeadmPath, changed);
    server.files.set(`${kubeadmPath}.sha256`, Buffer.from(sha256(changed)));
    const error = await refusal(resolveContent(request()));
    expect(error.code).toBe('bundle.digest-mismatch');
    expect(error.message).toContain('trireme.lock says');
    expect(error.hints.join(' ')).toContain('"kubeadm v1.36.3 amd64"');
  });

  it('stops at an image blob with one byte flipped', async () => {
    await serve();
    const pinned = await pinContent(request());
    const layer = named(pinned.content.amd64, 'image:registry.k8s.io/etcd:3.6.8-0').blobs?.[2]?.digest ?? '';
    server.fail(layer, {kind: 'flip'}, 99);
    const error = await refusal(fetchContent(pinned));
    expect(error.code).toBe('bundle.digest-mismatch');
    expect(error.message).toContain('etcd');
  });

  it('stops at a manifest that is not the locked one', async () => {
    await serve();
    const pinned = await pinContent(request());
    const digest = named(pinned.content.amd64, 'image:registry.k8s.io/pause:3.10.2').digest;
    await rm(join(folder, 'cache'), {recursive: true});
    server.fail(digest, {kind: 'flip'}, 99);
    const error = await refusal(resolveContent(request()));
    expect(error.code).toBe('bundle.digest-mismatch');
    expect(error.message).toContain('registry.k8s.io/pause');
  });

  it('stops when the lock lists other blobs than the manifest', async () => {
    await serve();
    await pinContent(request());
    const path = join(folder, 'trireme.lock');
    const lock = JSON.parse(await readFile(path, 'utf8')) as {images: Record<string, {platforms: {amd64: {blobs: unknown[]}}}>};
    lock.images['registry.k8s.io/pause:3.10.2']?.platforms.amd64.blobs.pop();
    await writeFile(path, JSON.stringify(lock));
    const error = await refusal(resolveContent(request()));
    expect(error.code).toBe('bundle.digest-mismatch');
    expect(error.message).toContain('pause');
  });

  it('fetches a cached blob again when its bytes have gone bad', async () => {
    await serve();
    const resolved = await resolveContent(request());
    const path = resolved.path(named(resolved.content.amd64, 'kubelet').digest) ?? '';
    const good = await readFile(path);
    await writeFile(path, Buffer.alloc(good.length));
    await resolveContent(request());
    expect(await readFile(path)).toEqual(good);
  });
});

describe('networks with faults', () => {
  it('goes on where a connection broke', async () => {
    await serve();
    server.fail('/kubelet', {kind: 'cut', after: 7000});
    await resolveContent(request());
    const gets = server.seen('/kubelet').filter((seen) => seen.method === 'GET');
    expect(gets.map((seen) => seen.range)).toEqual([undefined, 'bytes=7000-']);
  });

  it('goes on in a later run with what an earlier one got', async () => {
    await serve();
    const pinned = await pinContent(request());
    server.fail('/kubelet', {kind: 'cut', after: 3000});
    server.fail('/kubelet', {kind: 'status', status: 404});
    const kubelet = named(pinned.content.amd64, 'kubelet');
    await refusal(fetchContent(pinned, {digests: [kubelet.digest]}));
    expect((await stat(join(contentFolder(), `${kubelet.digest.slice(7)}.part`))).size).toBe(3000);
    server.requests.length = 0;
    await fetchContent(await pinContent(request()), {digests: [kubelet.digest]});
    expect(server.requests.map((seen) => seen.range)).toEqual(['bytes=3000-']);
    expect(await readdir(contentFolder())).not.toContain(`${kubelet.digest.slice(7)}.part`);
  });

  it('takes over what a killed process left', async () => {
    await serve();
    const pinned = await pinContent(request());
    const kubelet = named(pinned.content.amd64, 'kubelet');
    const whole = server.files.get('dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubelet') as Buffer;
    // above every pid that Linux gives
    await writeFile(join(contentFolder(), `${kubelet.digest.slice(7)}.4194999.deadbeef.part`), whole.subarray(0, 12_345));
    server.requests.length = 0;
    await fetchContent(pinned, {digests: [kubelet.digest]});
    expect(server.requests.map((seen) => seen.range)).toEqual(['bytes=12345-']);
  });

  it('starts anew when what an earlier run left is of no use', async () => {
    await serve();
    const pinned = await pinContent(request());
    const kubelet = named(pinned.content.amd64, 'kubelet');
    await writeFile(join(contentFolder(), `${kubelet.digest.slice(7)}.part`), Buffer.alloc(5000, '?'));
    const resolved = await fetchContent(pinned, {digests: [kubelet.digest]});
    expect(`sha256:${sha256(await readFile(resolved.path(kubelet.digest) ?? ''))}`).toBe(kubelet.digest);
  });

  it('copes with a server that knows no ranges', async () => {
    await serve();
    server.fail('/kubelet', {kind: 'cut', after: 7000});
    server.fail('/kubelet', {kind: 'no-range'});
    const resolved = await resolveContent(request());
    const kubelet = named(resolved.content.amd64, 'kubelet');
    expect(`sha256:${sha256(await readFile(resolved.path(kubelet.digest) ?? ''))}`).toBe(kubelet.digest);
  });

  it('tries again after 503, for checksums, downloads, manifests and blobs', async () => {
    await serve();
    server.fail('/kubectl.sha256', {kind: 'status', status: 503}, 2);
    server.fail('/kubectl', {kind: 'status', status: 503}, 2);
    server.fail('/manifests/3.10.2', {kind: 'status', status: 503}, 2);
    server.fail('/manifests/3.10.2', {kind: 'cut', after: 10});
    const resolved = await resolveContent(request());
    expect(named(resolved.content.amd64, 'image:registry.k8s.io/pause:3.10.2').blobs).toHaveLength(3);
    expect(server.seen('/kubectl').filter((seen) => seen.status === 503)).toHaveLength(2);
  });

  it('gives up after five tries and says which address answers what', async () => {
    await serve();
    server.fail('/kubectl', {kind: 'status', status: 502}, 99);
    const error = await refusal(resolveContent(request()));
    expect(error.code).toBe('bundle.source-failed');
    expect(error.exit).toBe(4);
    expect(error.message).toContain('answers 502');
    expect(server.seen('/kubectl').filter((seen) => seen.method === 'GET')).toHaveLength(5);
  });

  it('does not repeat what is not there', async () => {
    await serve();
    server.files.delete(`${kubeadmPath}.sha256`);
    const error = await refusal(pinContent(request()));
    expect(error.message).toContain('answers 404');
    expect(server.seen('/kubeadm.sha256')).toHaveLength(1);
  });

  it('names the address when nothing listens', async () => {
    await serve();
    const error = await refusal(pinContent(request({sources: {...server.sources, 'dl.k8s.io': 'http://127.0.0.1:1'}})));
    expect(error.code).toBe('bundle.source-failed');
    expect(error.message).toContain('http://127.0.0.1:1/release/v1.36.3');
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('stops when it is asked to, and keeps what has arrived', async () => {
    await serve({fileSize: 40_000});
    const pinned = await pinContent(request());
    const controller = new AbortController();
    const work = fetchContent(pinned, {signal: controller.signal, onProgress: () => controller.abort()});
    await expect(work).rejects.toMatchObject({name: 'AbortError'});
  });
});

it('names the folder and the reason when the cache cannot be written', async () => {
  await serve();
  await writeFile(join(folder, 'occupied'), 'a file');
  const error = await refusal(resolveContent(request({cacheFolder: join(folder, 'occupied')})));
  expect(error.code).toBe('bundle.cache-failed');
  expect(error.message).toContain(join(folder, 'occupied', 'content'));
  expect(error.message).toContain('a part of its path is a file');
});
