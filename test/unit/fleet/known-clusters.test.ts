import {mkdtemp, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {findKnownCluster, forgetCluster, listKnownClusters, rememberCluster} from '../../../src/fleet/known-clusters.ts';
import {desiredCluster} from '../hostcluster/fixtures.ts';

describe('the list of known clusters', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trireme-known-'));
  });
  afterEach(() => rm(folder, {recursive: true, force: true}));

  const cluster = (name: string, file = '/srv/trireme.yaml') => {
    const desired = desiredCluster({desired: {source: {files: [file], folder: '/srv', digest: 'sha256:1'}}});
    return {...desired, document: {...desired.document, metadata: {name}}};
  };

  it('is empty before the first', async () => {
    expect(await listKnownClusters(folder)).toEqual([]);
  });

  it('has each cluster once, by name in order, with its file and hosts', async () => {
    await rememberCluster(folder, cluster('quay'));
    await rememberCluster(folder, cluster('berth'));
    await rememberCluster(folder, cluster('quay', '/srv/other.yaml'));
    expect((await listKnownClusters(folder)).map((one) => [one.name, one.files])).toEqual([
      ['berth', ['/srv/trireme.yaml']],
      ['quay', ['/srv/other.yaml']],
    ]);
    expect(await findKnownCluster(folder, 'berth')).toMatchObject({
      mode: 'agent',
      digest: 'sha256:1',
      hosts: [{name: 'h1', address: '10.77.0.11', role: 'control-plane'}, {name: 'h2'}, {name: 'h3'}, {name: 'h4'}],
    });
  });

  it('is readable for its owner only, and not written when nothing is new', async () => {
    await rememberCluster(folder, cluster('berth'));
    const before = await stat(join(folder, 'clusters.json'));
    expect(before.mode & 0o777).toBe(0o600);
    await rememberCluster(folder, cluster('berth'));
    expect((await stat(join(folder, 'clusters.json'))).ino).toBe(before.ino);
  });

  it('names no file for a cluster that came over standard input', async () => {
    await rememberCluster(folder, cluster('berth', '-'));
    expect((await findKnownCluster(folder, 'berth'))?.files).toEqual([]);
  });

  it('forgets', async () => {
    await rememberCluster(folder, cluster('berth'));
    expect(await forgetCluster(folder, 'berth')).toBe(true);
    expect(await forgetCluster(folder, 'berth')).toBe(false);
    expect(await listKnownClusters(folder)).toEqual([]);
  });

  it('begins anew when it cannot be read: it can be rebuilt', async () => {
    await writeFile(join(folder, 'clusters.json'), '{"clusters": [{"name"');
    expect(await listKnownClusters(folder)).toEqual([]);
    await rememberCluster(folder, cluster('berth'));
    expect(JSON.parse(await readFile(join(folder, 'clusters.json'), 'utf8'))).toMatchObject({version: 1, clusters: [{name: 'berth'}]});
  });
});
