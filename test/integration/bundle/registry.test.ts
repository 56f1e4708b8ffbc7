import {mkdtemp, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {ContentItem, OpenedBlob} from '../../../src/bundle/content.ts';
import {pinContent, resolveContent, type ContentRequest} from '../../../src/bundle/resolve.ts';
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

describe('registries that want to know who asks', () => {
  it('gets an anonymous token once per repository', async () => {
    await serve({auth: {scheme: 'bearer'}});
    await resolveContent(request());
    const tokens = server.seen('/token').length;
    // seven repositories, and four requests at once may ask before the first answer
    expect(tokens).toBeGreaterThanOrEqual(7);
    expect(tokens).toBeLessThanOrEqual(7 * 4);
    expect(server.seen('/v2/pause/manifests/3.10.2').map((seen) => seen.status)).toEqual([401, 200]);
  });

  async function login(config: unknown): Promise<ContentRequest> {
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    return request({transport: {env: {HOME: folder, DOCKER_CONFIG: folder}, retryDelay: 1}});
  }

  for (const scheme of ['basic', 'bearer'] as const) {
    it(`uses the password of config.json (${scheme})`, async () => {
      await serve({auth: {scheme, password: 'trireme-oars'}});
      const auth = Buffer.from('captain:trireme-oars').toString('base64');
      const pinned = await pinContent(await login({auths: {[new URL(server.url).host]: {auth}}}));
      expect(named(pinned.content.amd64, 'image:registry.k8s.io/pause:3.10.2').blobs).toHaveLength(3);
    });

    it(`says whom it would have to be without one (${scheme})`, async () => {
      await serve({auth: {scheme, password: 'trireme-oars'}});
      const error = await refusal(pinContent(request()));
      expect(error.code).toBe('bundle.source-refused');
      expect(error.exit).toBe(5);
      expect(error.message).toContain('no credentials are known');
      expect(error.hints.join(' ')).toContain('docker login');
    });
  }

  it('says why it does not start a credential helper', async () => {
    await serve({auth: {scheme: 'bearer', password: 'trireme-oars'}});
    const error = await refusal(pinContent(await login({credsStore: 'osxkeychain'})));
    expect(error.message).toContain("docker-credential-osxkeychain, which Trireme doesn't run");
  });

  it('never shows the password that was refused', async () => {
    await serve({auth: {scheme: 'basic', password: 'trireme-oars'}});
    const auth = Buffer.from('captain:stowaway-secret').toString('base64');
    const error = await refusal(pinContent(await login({auths: {[new URL(server.url).host]: {auth}}})));
    expect(error.code).toBe('bundle.source-refused');
    const text = JSON.stringify([error.message, error.hints, error.details]);
    expect(text).not.toContain('stowaway');
    expect(text).not.toContain(auth);
  });
});

describe('the simulated distribution', () => {
  it('has real bytes, the same every time, without network or lock', async () => {
    await serve();
    const ask = () => resolveContent(request({distribution: 'simulated', architectures: ['amd64'], images: ['ghcr.io/flannel-io/flannel:v0.28.10']}));
    const [first, second] = [await ask(), await ask()];
    expect(first.content).toEqual(second.content);
    const items = first.content.amd64 ?? [];
    const blobs = items.flatMap((item): readonly {readonly digest: string; readonly size: number}[] => item.blobs ?? [item]);
    for (const blob of blobs) expect(`sha256:${sha256(await read(await first.open(blob.digest)))}`).toBe(blob.digest);
    const total = blobs.reduce((sum, blob) => sum + blob.size, 0);
    expect(total).toBeGreaterThan(1024 * 1024);
    expect(total).toBeLessThan(4 * 1024 * 1024);
    expect(server.requests).toEqual([]);
    await expect(stat(join(folder, 'trireme.lock'))).rejects.toThrow('ENOENT');
    expect(named(items, 'image:ghcr.io/flannel-io/flannel:v0.28.10').blobs).toHaveLength(3);
  });

  it('changes its programs with the version, and only what belongs to it', async () => {
    await serve();
    const digests = async (version: string) =>
      new Map(((await pinContent(request({distribution: 'simulated', version}))).content.amd64 ?? []).map((item) => [item.name, item.digest] as const));
    const [before, after] = [await digests('v1.36.2'), await digests('v1.36.3')];
    expect(after.get('kubelet')).not.toBe(before.get('kubelet'));
    expect(after.get('containerd')).toBe(before.get('containerd'));
  });
});
