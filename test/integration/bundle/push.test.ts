// A bundle into a registry and out of it again.
import {generateKeyPairSync} from 'node:crypto';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {buildBundle} from '../../../src/bundle/build.ts';
import {pushBundle, type PushRequest} from '../../../src/bundle/push.ts';
import {resolveContent} from '../../../src/bundle/resolve.ts';
import {selfSignedServer} from '../../../src/kernel/certificate.ts';
import {startContentServer, type ContentServer} from '../../support/content-server.ts';
import {startSmallRegistry, type SmallRegistry, type SmallRegistryOptions} from '../../support/small-registry.ts';

let folder: string;
let server: ContentServer;
let registry: SmallRegistry;
let bundle: string;
const image = 'ghcr.io/fleet/sail:1';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trireme-push-'));
  server = await startContentServer({images: [image]});
  bundle = join(folder, 'bundle');
  await buildBundle({
    ...need(),
    sources: server.sources,
    lockFile: join(folder, 'build.lock'),
    cacheFolder: join(folder, 'build-cache'),
    out: bundle,
    transport: transport(),
  });
});
afterEach(async () => {
  await registry?.close();
  await server.close();
  await rm(folder, {recursive: true, force: true});
});

const transport = (env: Record<string, string> = {}) => ({env: {HOME: folder, ...env}, retryDelay: 1});
const need = () => ({version: 'v1.36.3', distribution: 'kubeadm' as const, architectures: ['amd64' as const], images: [image]});
const open = async (options: SmallRegistryOptions = {}) => {
  registry = await startSmallRegistry(options);
  return `oci://${registry.host}/fleet/bundle:v1.36.3`;
};
const push = (to: string, more: Partial<PushRequest> = {}) =>
  pushBundle({bundle, to, cacheFolder: join(folder, 'push-cache'), transport: transport(), ...more});
const pull = (from: string, more: object = {}) =>
  resolveContent({...need(), bundle: from, lockFile: join(folder, 'trireme.lock'), cacheFolder: join(folder, 'cache'), transport: transport(), ...more});

describe('pushing a bundle', () => {
  it('gives a cluster the same content as the folder, by tag and by digest', async () => {
    const to = await open();
    const pushed = await push(to);
    expect(pushed).toMatchObject({to, present: 0});
    expect(pushed.pinned).toBe(`oci://${registry.host}/fleet/bundle@${pushed.digest}`);
    const direct = await resolveContent({...need(), bundle, lockFile: join(folder, 'x.lock'), cacheFolder: join(folder, 'x'), transport: transport()});
    expect((await pull(to)).content).toEqual(direct.content);
    expect((await pull(pushed.pinned)).content).toEqual(direct.content);
    expect(await readFile(join(folder, 'trireme.lock'), 'utf8')).toContain(pushed.digest);
  });

  it('sends nothing that is there, and sets the tag last', async () => {
    const to = await open();
    const first = await push(to);
    expect(registry.requests.at(-1)).toBe('PUT /v2/fleet/bundle/manifests/v1.36.3');
    expect(await push(to)).toMatchObject({present: first.blobs, sent: 0});
  });

  it('goes on where a registry that died was, and leaves no tag before that', async () => {
    const to = await open();
    registry.diesAfter = 3;
    await expect(push(to)).rejects.toMatchObject({code: 'bundle.source-failed'});
    expect(registry.manifests.has('v1.36.3')).toBe(false);
    registry.diesAfter = undefined;
    const again = await push(to);
    expect(again.present).toBeGreaterThanOrEqual(3);
    await pull(to);
  });

  it('finds a flipped bit before it sends the blob, and after it was fetched', async () => {
    const to = await open();
    const pushed = await push(to);
    const [digest = '', bytes = Buffer.alloc(0)] = [...registry.blobs].find(([, blob]) => blob.length > 10_000) ?? [];
    const flipped = Buffer.from(bytes);
    flipped[flipped.length >> 1]! ^= 1;
    registry.blobs.set(digest, flipped);
    await expect(pull(to)).rejects.toMatchObject({code: 'bundle.digest-mismatch', message: expect.stringContaining('No host was touched')});
    await writeFile(join(bundle, 'blobs/sha256', digest.replace('sha256:', '')), flipped);
    registry.blobs.delete(digest);
    await expect(push(to)).rejects.toMatchObject({code: 'bundle.damaged'});
    expect(registry.blobs.size).toBe(pushed.blobs - 1);
  });

  it('gets in with the password of docker login and the authority of the file, and says what is missing without them', async () => {
    const {privateKey} = generateKeyPairSync('rsa', {modulusLength: 2048});
    const key = privateKey.export({type: 'pkcs8', format: 'pem'}).toString();
    const cert = selfSignedServer({
      commonName: 'registry',
      key: privateKey,
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + 3_600_000),
      dnsNames: ['registry.example'],
      addresses: ['127.0.0.1'],
    });
    const authority = join(folder, 'ca.pem');
    await writeFile(authority, cert);
    await open({login: 'crew:anchor-and-chain', tls: {key, cert}});
    // loopback is spoken to without TLS, unless a source says otherwise
    const sources = {'registry.example': `https://${registry.host}`};
    const to = 'oci://registry.example/fleet/bundle:v1.36.3';
    await expect(push(to, {sources})).rejects.toMatchObject({
      code: 'bundle.source-failed',
      hints: expect.arrayContaining([expect.stringContaining('authority')]),
    });
    await expect(push(to, {sources, authority})).rejects.toMatchObject({code: 'bundle.source-refused'});
    await writeFile(join(folder, 'config.json'), JSON.stringify({auths: {[registry.host]: {auth: Buffer.from('crew:anchor-and-chain').toString('base64')}}}));
    const login = transport({DOCKER_CONFIG: folder});
    await push(to, {sources, authority, transport: login});
    await pull(to, {sources, authority, transport: login});
  });
});
