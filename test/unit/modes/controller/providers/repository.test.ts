import {createHash} from 'node:crypto';
import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {openRepository, repositoryRoot} from '../../../../../src/modes/controller/providers/open-repository.ts';
import type {ProviderSource} from '../../../../../src/modes/controller/providers/provider.ts';
import {findRelease, findUpgrade, newestFirst} from '../../../../../src/modes/controller/providers/releases.ts';

const metadata = (series: Readonly<Record<string, string>>) =>
  `apiVersion: clusterctl.cluster.x-k8s.io/v1alpha3\nkind: Metadata\nreleaseSeries:\n${Object.entries(series)
    .map(([version, contract]) => `- {major: ${version.split('.')[0]}, minor: ${version.split('.')[1]}, contract: ${contract}}`)
    .join('\n')}\n`;

describe('a repository', () => {
  let folder: string;
  const servers: Server[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trireme-repository-'));
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
    await rm(folder, {recursive: true, force: true});
  });

  const open = (source: Partial<ProviderSource>, env: Readonly<Record<string, string>> = {}) =>
    openRepository(
      {name: 'lab', type: 'InfrastructureProvider', url: '', from: 'test', ...source},
      {configuration: {overridesFolder: join(folder, 'overrides'), lookup: () => undefined}, signal: new AbortController().signal, env},
    );
  const release = async (version: string, series: Readonly<Record<string, string>> | undefined, root = 'repository') => {
    const path = join(folder, root, 'infrastructure-lab', version);
    await mkdir(path, {recursive: true});
    if (series !== undefined) await writeFile(join(path, 'metadata.yaml'), metadata(series));
    await writeFile(join(path, 'infrastructure-components.yaml'), `# ${version}`);
  };
  const serve = async (files: Readonly<Record<string, string | number>>) => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      const path = request.url ?? '';
      asked.push(path);
      const file = files[path];
      if (typeof file === 'string' && file.startsWith('redirect ')) response.writeHead(302, {location: file.slice('redirect '.length)}).end();
      else if (typeof file === 'string') response.end(file);
      else response.writeHead(file ?? 404).end();
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {host: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked};
  };
  const lab = {name: 'lab', type: 'InfrastructureProvider'} as const;

  it('in a folder gives the newest stable release with metadata, whatever else lies there', async () => {
    await release('v1.0.0', {'1.0': 'v1beta2'});
    await release('v1.2.0', {'1.2': 'v1beta2', '1.0': 'v1beta2'});
    await release('v1.3.0', undefined);
    await release('v2.0.0-rc.0', {'2.0': 'v1beta2'});
    await release('latest', undefined);
    const repository = await open({url: join(folder, 'repository/infrastructure-lab/latest/infrastructure-components.yaml')});
    expect(await findRelease(repository, lab)).toMatchObject({version: 'v1.2.0', contract: 'v1beta2'});
    expect(await findRelease(repository, lab, 'v2.0.0-rc.0')).toMatchObject({version: 'v2.0.0-rc.0'});
    await expect(findRelease(repository, lab, 'v9.0.0')).rejects.toMatchObject({code: 'provider.version-unknown', hints: [expect.stringContaining('v1.2.0')]});
    await expect(findRelease(repository, lab, 'v1.3.0')).rejects.toMatchObject({code: 'provider.version-unknown'});
  });

  it('falls back to the newest release of a contract that is known', async () => {
    const series = {'3.0': 'v1beta9', '2.1': 'v1beta2', '2.0': 'v1beta2'};
    for (const version of ['v2.0.5', 'v2.1.0', 'v2.1.3', 'v3.0.0']) await release(version, series);
    const repository = await open({url: join(folder, 'repository/infrastructure-lab/latest/infrastructure-components.yaml')});
    expect(await findRelease(repository, lab)).toMatchObject({version: 'v2.1.3', contract: 'v1beta2'});
    expect(await findUpgrade(repository, lab, 'v2.0.5', ['v1beta2', 'v1beta1'])).toBe('v2.1.3');
    expect(await findUpgrade(repository, lab, 'v2.1.3', ['v1beta2'])).toBeUndefined();
  });

  it('refuses an address that clusterctl would not read, saying where it comes from', async () => {
    for (const url of ['relative/path', join(folder, 'other/v1.0.0/x.yaml'), join(folder, 'infrastructure-lab/newest/x.yaml'), 'https://host/owner/x.yaml'])
      await expect(open({url}), url).rejects.toMatchObject({
        code: 'provider.repository-invalid',
        hints: [expect.stringContaining('test'), expect.anything(), expect.anything()],
      });
  });

  it('lets files of the overrides folder go first', async () => {
    await release('v1.0.0', {'1.0': 'v1beta2'});
    await mkdir(join(folder, 'overrides/infrastructure-lab/v1.0.0'), {recursive: true});
    await writeFile(join(folder, 'overrides/infrastructure-lab/v1.0.0/infrastructure-components.yaml'), '# mine');
    const repository = await open({url: join(folder, 'repository/infrastructure-lab/v1.0.0/infrastructure-components.yaml')});
    expect(String(await repository.read('v1.0.0', 'infrastructure-components.yaml'))).toBe('# mine');
  });

  it('over HTTP takes versions from the Go module proxy, over all majors, and never asks an API', async () => {
    const github = await serve({
      '/Lab/Provider/releases/download/v2.1.0/metadata.yaml': metadata({'2.1': 'v1beta2'}),
      '/Lab/Provider/releases/download/v2.1.0/infrastructure-components.yaml': 'components',
    });
    const proxy = await serve({
      [`/${github.host}/!lab/!provider/@v/list`]: 'v1.0.0\nnonsense\n',
      [`/${github.host}/!lab/!provider/v2/@v/list`]: 'v2.0.0\nv2.1.0\nv2.2.0\n',
    });
    const repository = await open(
      {url: `http://${github.host}/Lab/Provider/releases/latest/infrastructure-components.yaml`},
      {GOPROXY: `http://${proxy.host},direct`},
    );
    // v2.2.0 is tagged, and not released yet
    expect(await findRelease(repository, lab)).toMatchObject({version: 'v2.1.0'});
    expect(String(await repository.read('v2.1.0', repository.componentsFile))).toBe('components');
    expect(github.asked.every((path) => path.includes('/releases/download/'))).toBe(true);
    const before = github.asked.length;
    await repository.read('v2.1.0', 'metadata.yaml');
    expect(github.asked).toHaveLength(before);
  });

  it('over HTTP takes the latest release from where its page leads, when no module proxy is named', async () => {
    const github = await serve({
      '/o/r/releases/latest': 'redirect /o/r/releases/tag/v1.4.1',
      '/o/r/releases/tag/v1.4.1': '<html>',
      '/o/r/releases/download/v1.4.1/metadata.yaml': metadata({'1.4': 'v1beta2'}),
    });
    const repository = await open({url: `http://${github.host}/o/r/releases/latest/infrastructure-components.yaml`});
    expect(await findRelease(repository, lab)).toMatchObject({version: 'v1.4.1'});
    const none = await serve({'/o/r/releases/latest': 'redirect /o/r/releases', '/o/r/releases': '<html>'});
    const empty = await open({url: `http://${none.host}/o/r/releases/latest/infrastructure-components.yaml`});
    await expect(findRelease(empty, lab)).rejects.toMatchObject({
      code: 'provider.repository-invalid',
      hints: [expect.stringContaining('lab:v1.2.3'), expect.anything()],
    });
  });

  it('over HTTP needs no list for a pinned version, and says so when the module proxy is switched off', async () => {
    const github = await serve({'/o/r/releases/download/v1.4.0/metadata.yaml': metadata({'1.4': 'v1beta2'})});
    const pinned = await open({url: `http://${github.host}/o/r/releases/v1.4.0/infrastructure-components.yaml`}, {GOPROXY: 'off'});
    expect(await findRelease(pinned, lab)).toMatchObject({version: 'v1.4.0'});
    const latest = await open({url: `http://${github.host}/o/r/releases/latest/infrastructure-components.yaml`}, {GOPROXY: 'off'});
    await expect(findRelease(latest, lab)).rejects.toMatchObject({
      code: 'provider.repository-unreachable',
      hints: [expect.stringContaining('lab:v1.2.3'), expect.anything()],
    });
  });

  it('over HTTP asks again when the server is away for a moment, and tells a refusal', async () => {
    let times = 0;
    const server = createServer((_request, response) => {
      times += 1;
      if (times < 3) response.writeHead(503).end();
      else response.end('there');
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/o/r/releases/v1.0.0/infrastructure-components.yaml`;
    expect(String(await (await open({url})).read('v1.0.0', 'x.yaml'))).toBe('there');
    const refusing = await serve({'/o/r/releases/download/v1.0.0/x.yaml': 403});
    const repository = await open({url: `http://${refusing.host}/o/r/releases/v1.0.0/infrastructure-components.yaml`});
    await expect(repository.read('v1.0.0', 'x.yaml')).rejects.toMatchObject({code: 'provider.repository-unreachable'});
    expect(refusing.asked).toHaveLength(1);
  });

  it('in an OCI layout is an artifact LABEL:VERSION whose layers have the files’ names', async () => {
    const layout = join(folder, 'layout');
    await mkdir(join(layout, 'blobs/sha256'), {recursive: true});
    const blob = async (content: string) => {
      const hex = createHash('sha256').update(content).digest('hex');
      await writeFile(join(layout, 'blobs/sha256', hex), content);
      return {digest: `sha256:${hex}`, size: Buffer.byteLength(content)};
    };
    const type = 'application/vnd.oci.image.manifest.v1+json';
    const layer = async (title: string, content: string) => ({
      mediaType: 'application/yaml',
      ...(await blob(content)),
      annotations: {'org.opencontainers.image.title': title},
    });
    const manifest = await blob(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: type,
        config: {mediaType: 'application/vnd.oci.empty.v1+json', ...(await blob('{}'))},
        layers: [await layer('metadata.yaml', metadata({'1.0': 'v1beta2'})), await layer('infrastructure-components.yaml', 'components')],
      }),
    );
    const entry = (name: string) => ({mediaType: type, ...manifest, annotations: {'org.opencontainers.image.ref.name': name}});
    await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    await writeFile(
      join(layout, 'index.json'),
      JSON.stringify({schemaVersion: 2, manifests: [entry('registry.example/infrastructure-lab:v1.0.0'), entry('infrastructure-other:v9.0.0')]}),
    );
    const repository = await open(await repositoryRoot(layout, lab));
    expect(await repository.versions()).toEqual(['v1.0.0']);
    expect(await findRelease(repository, lab)).toMatchObject({version: 'v1.0.0', contract: 'v1beta2'});
    expect(String(await repository.read('v1.0.0', repository.componentsFile))).toBe('components');
    expect(await repository.read('v1.0.0', 'other.yaml')).toBeUndefined();
  });

  it('orders stable versions before others', () => {
    expect(newestFirst(['v1.0.0', 'v2.0.0-rc.1', 'v1.10.0', 'v1.9.0', 'v2.0.0-rc.0'])).toEqual(['v1.10.0', 'v1.9.0', 'v1.0.0', 'v2.0.0-rc.1', 'v2.0.0-rc.0']);
  });
});
