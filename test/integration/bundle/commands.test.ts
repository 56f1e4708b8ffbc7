import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {openLayout} from '../../../src/bundle/layout.ts';
import {startContentServer, type ContentServer} from '../../support/content-server.ts';
import {trireme, type Ran} from '../../support/trireme.ts';

let folder: string;
let server: ContentServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trireme-bundle-commands-'));
  server = await startContentServer({architectures: ['amd64'], images: ['ghcr.io/lookout/mast:v1']});
  const sources = Object.entries(server.sources).map(([host, address]) => `      ${host}: ${address}`);
  await writeFile(join(folder, 'profile.yaml'), profile);
  await writeFile(join(folder, 'lookout.yaml'), lookout);
  await writeFile(join(folder, 'trireme.yaml'), [cluster, '  bundle:', '    sources:', ...sources, ''].join('\n'));
});

afterAll(async () => {
  await server.close();
  await rm(folder, {recursive: true, force: true});
});

const run = (...args: readonly string[]): Promise<Ran> => trireme(args, {cwd: folder, env: {HOME: folder, NO_COLOR: '1'}});

const cluster = `apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: berth}
spec:
  mode: agent
  kubernetes: {version: v1.36.3}
  endpoint: {host: 192.0.2.11}
  profile: {file: profile.yaml}
  agent:
    hosts:
      - {name: h1, address: 192.0.2.11, role: control-plane}`;

const profile = `apiVersion: trireme.dev/v1alpha1
kind: ClusterProfile
metadata: {name: harbour}
spec:
  layers:
    addons:
      - {name: lookout, manifest: lookout.yaml}
`;

const lookout = `apiVersion: v1
kind: Pod
metadata: {name: lookout, namespace: default}
spec:
  containers:
    - {name: mast, image: 'ghcr.io/lookout/mast:v1'}
`;

describe('bundle', () => {
  it('builds what the file needs, the profile’s images included, and writes the lock beside the file', async () => {
    const ran = await run('bundle', 'build', '--out', 'bundle', '-o', 'json');
    expect(ran.stderr).not.toContain('bug');
    const {result, ok} = JSON.parse(ran.stdout) as {ok: boolean; result: object};
    expect({ok, result}).toMatchObject({ok: true, result: {out: join(folder, 'bundle'), version: 'v1.36.3', architectures: ['amd64'], files: 7, images: 8}});
    expect(await readFile(join(folder, 'trireme.lock'), 'utf8')).toContain('ghcr.io/lookout/mast:v1');
  });

  it('lists it', async () => {
    const ran = await run('bundle', 'inspect', 'bundle');
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/^NAME +KIND +ARCH +VERSION +SIZE\n/);
    expect(ran.stdout).toMatch(/^kubeadm +binary +amd64 +v1\.36\.3 +19\.5 KiB$/m);
    expect(ran.stdout).toMatch(/^ghcr\.io\/lookout\/mast +image +amd64 +v1 /m);
    expect(ran.stderr).toContain('Kubernetes v1.36.3 (kubeadm)');
  });

  it('verifies it against the file, and says what is missing for other hosts, with exit code 3', async () => {
    expect(await run('bundle', 'verify', 'bundle', '-f', 'trireme.yaml')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nothing is missing for Kubernetes v1.36.3 on amd64') as string,
    });
    const ran = await run('bundle', 'verify', 'bundle', '-f', 'trireme.yaml', '--arch', 'arm64');
    expect(ran.code).toBe(3);
    expect(ran.stdout).toContain('kubelet for arm64 is missing');
    expect(ran.stderr).toContain('has 15 faults');
  });

  it('says which blob is damaged, with exit code 1', async () => {
    const layout = await openLayout(join(folder, 'bundle'));
    const target = layout.digests.find((digest) => layout.sizeOf(digest) === 20_000) ?? '';
    const path = layout.path(target) ?? '';
    const good = await readFile(path);
    await writeFile(path, Buffer.alloc(good.length));
    try {
      const ran = await run('bundle', 'verify', 'bundle', '-o', 'json');
      expect(ran.code).toBe(1);
      expect(JSON.parse(ran.stdout)).toMatchObject({ok: false, problem: {code: 'bundle.damaged'}, result: {complaints: [{kind: 'damaged', subject: target}]}});
    } finally {
      await writeFile(path, good);
    }
  });

  it('builds without a file, from flags and another bundle', async () => {
    server.requests.length = 0;
    const ran = await run('bundle', 'build', '--kubernetes-version', 'v1.36.3', '--from', 'bundle', '--out', 'second.tar');
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain('7 programs, 7 images');
    expect(server.requests).toEqual([]);
    expect((await run('bundle', 'verify', 'second.tar', '--kubernetes-version', 'v1.36.3')).code).toBe(0);
  });

  it('stops at a wrong digest with exit code 1, before anything is written', async () => {
    server.fail('/runc.amd64', {kind: 'flip'}, 99);
    const ran = await trireme(['bundle', 'build', '--out', 'third'], {cwd: folder, env: {HOME: folder, XDG_CACHE_HOME: join(folder, 'fresh'), NO_COLOR: '1'}});
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('The content of runc is not what it should be: trireme.lock says sha256:');
    await expect(openLayout(join(folder, 'third'))).rejects.toMatchObject({code: 'bundle.not-found'});
  });

  it('refuses an architecture that it does not know with exit code 2', async () => {
    const ran = await run('bundle', 'build', '--kubernetes-version', 'v1.36.3', '--arch', 'sparc', '--out', 'x');
    expect(ran).toMatchObject({code: 2, stderr: expect.stringContaining('--arch takes amd64 or arm64, not sparc') as string});
  });
});
