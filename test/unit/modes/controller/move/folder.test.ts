import {mkdtemp, readdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {digestsOf, fileNameOf, readFolder, writeIndex, writeObject} from '../../../../../src/modes/controller/move/folder.ts';
import {buildGraph} from '../../../../../src/modes/controller/move/graph.ts';
import {clusterObjects, side} from './objects.ts';

let folder: string;
const {kinds} = side('a', []);
const objects = clusterObjects('berth').map((one) => one.object);

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'trireme-move-')), 'saved');
  for (const object of objects) await writeObject(folder, object);
  await writeIndex(folder, 'a', await digestsOf(folder, objects.map(fileNameOf)));
});
afterEach(async () => rm(join(folder, '..'), {recursive: true, force: true}));

describe('a folder of saved clusters', () => {
  test('is readable for its owner only, one file an object, named as clusterctl names them', async () => {
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const names = await readdir(folder);
    expect(names).toContain('Cluster_fleet_berth.yaml');
    expect(names).toHaveLength(objects.length + 1);
    for (const name of names) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  });

  test('gives the same graph back', async () => {
    const {facts, index} = await readFolder(folder, kinds);
    expect(facts.id).toBe('a');
    expect(Object.keys(index?.files ?? {})).toHaveLength(objects.length);
    expect(buildGraph(facts.objects).clusters[0]?.levels.flat()).toHaveLength(objects.length);
  });

  test('is refused when a file was changed or is missing, and each is named', async () => {
    const path = join(folder, 'Machine_fleet_berth-cp-0.yaml');
    await writeFile(path, (await readFile(path, 'utf8')).replace('clusterName: berth', 'clusterName: other'));
    await rm(join(folder, 'Secret_fleet_berth-ca.yaml'));
    await expect(readFolder(folder, kinds)).rejects.toThrow(/Machine_fleet_berth-cp-0.yaml was changed, Secret_fleet_berth-ca.yaml is missing/);
  });

  test('that has no index, as clusterctl writes it, is read all the same', async () => {
    await rm(join(folder, 'ConfigMap_default_trireme-move-index.yaml'));
    const {index, facts} = await readFolder(folder, kinds);
    expect(index).toBeUndefined();
    expect(facts.objects).toHaveLength(objects.length);
  });

  test('whose index is damaged is refused for that', async () => {
    const path = join(folder, 'ConfigMap_default_trireme-move-index.yaml');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"format":1', '"format":'));
    await expect(readFolder(folder, kinds)).rejects.toMatchObject({code: 'file.invalid', message: expect.stringContaining('trireme-move-index')});
  });

  test('with a file that holds no object is refused by its name', async () => {
    await writeFile(join(folder, 'notes.yaml'), 'hello: world\n');
    await expect(readFolder(folder, kinds)).rejects.toThrow(/notes.yaml holds no Kubernetes object/);
  });
});
