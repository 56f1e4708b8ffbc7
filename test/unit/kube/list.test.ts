import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {requireAccess} from '../../../src/kube/access.ts';
import type {AccessCheck, Resource} from '../../../src/kube/api.ts';
import {connectTo, type Connection} from '../../support/kube-connection.ts';
import {SmallApi} from '../../support/small-api.ts';

const boats: Resource = {group: 'fleet.example', version: 'v1', plural: 'boats', kind: 'Boat', namespaced: true};

let folder: string;
let small: SmallApi;
let connection: Connection;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kube-list-'));
  small = await new SmallApi().open();
  connection = await connectTo(folder, `http://127.0.0.1:${small.port}`);
  for (let index = 0; index < 25; index += 1) small.put('boats', `boat-${index}`, {}, index % 2 === 0 ? 'fleet' : 'harbour');
});

afterEach(async () => {
  connection.api.close();
  await small.close();
  await rm(folder, {recursive: true, force: true});
});

describe('a list', () => {
  it('has all pages of one snapshot, whatever changes meanwhile', async () => {
    let pages = 0;
    small.answer(() => {
      pages += 1;
      if (pages === 2) small.delete('boats', 'boat-24', 'fleet');
      return false;
    });
    const {items, resourceVersion} = await connection.api.list(boats, {pageSize: 10});
    expect(items).toHaveLength(25);
    expect(pages).toBe(3);
    expect(Number(resourceVersion)).toBeLessThan(Number(small.version));
  });

  it('begins anew, with larger pages, when its snapshot expires in between', async () => {
    let pages = 0;
    small.answer(() => {
      pages += 1;
      if (pages === 2) {
        small.put('boats', 'late');
        small.compact();
      }
      return false;
    });
    const {items, resourceVersion} = await connection.api.list(boats, {pageSize: 10});
    expect(items.map((one) => one.metadata.name)).toContain('late');
    expect(items).toHaveLength(26);
    expect(resourceVersion).toBe(small.version);
    expect(small.seen.at(-1)?.url.searchParams.get('limit')).toBe('40');
  });

  it('that never comes to its end says so', async () => {
    small.answer(() => {
      small.compact();
      return false;
    });
    await expect(connection.api.list(boats, {pageSize: 1})).rejects.toMatchObject({
      code: 'api.failed',
      message: expect.stringContaining('drops the list of boats'),
    });
  });

  it('of one namespace, by labels and fields, asks for just that', async () => {
    const {items} = await connection.api.list(boats, {namespace: 'harbour', labelSelector: 'a in (b,c)', fieldSelector: 'metadata.name!=x'});
    expect(items).toHaveLength(12);
    expect(small.seen[0]?.url.pathname).toBe('/apis/fleet.example/v1/namespaces/harbour/boats');
    expect(Object.fromEntries(small.seen[0]?.url.searchParams ?? [])).toEqual({limit: '500', labelSelector: 'a in (b,c)', fieldSelector: 'metadata.name!=x'});
  });

  it('of metadata alone asks for partial objects, which keep their own kind', async () => {
    const {items} = await connection.api.list(boats, {metadataOnly: true});
    expect(small.seen[0]?.headers.accept).toContain('as=PartialObjectMetadataList');
    expect(items[0]).toMatchObject({apiVersion: 'fleet.example/v1', kind: 'Boat'});
  });
});

describe('a list of names', () => {
  const table = (names: readonly string[], next = '') => ({
    kind: 'Table',
    metadata: {resourceVersion: '7', continue: next},
    columnDefinitions: [{name: 'Berth'}, {name: 'Name', format: 'name'}],
    rows: names.map((name) => ({cells: ['x', name]})),
  });
  const answerWith = (bodies: readonly unknown[]) => {
    let count = 0;
    small.answer((_seen, response) => {
      response.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify(bodies[count]));
      count += 1;
      return true;
    });
  };

  it('asks for a table without objects, page by page', async () => {
    answerWith([table(['a', 'b'], 'more'), table(['c'])]);
    const {items, resourceVersion} = await connection.api.list(boats, {namespace: 'fleet', namesOnly: true});
    expect(items.map((one) => one.metadata)).toEqual(['a', 'b', 'c'].map((name) => ({name, namespace: 'fleet'})));
    expect(resourceVersion).toBe('7');
    expect(small.seen[0]?.headers.accept).toBe('application/json;as=Table;g=meta.k8s.io;v=v1,application/json');
    expect(small.seen.map(({url}) => [url.searchParams.get('includeObject'), url.searchParams.get('continue')])).toEqual([
      ['None', null],
      ['None', 'more'],
    ]);
  });

  it('takes whole objects where the server makes no tables', async () => {
    const {items} = await connection.api.list(boats, {namespace: 'harbour', namesOnly: true});
    expect(items.map((one) => one.metadata.name)).toContain('boat-1');
    expect(items).toHaveLength(12);
  });

  it('of all namespaces asks for metadata: rows do not say whose they are', async () => {
    await connection.api.list(boats, {namesOnly: true});
    expect(small.seen[0]?.headers.accept).toContain('as=PartialObjectMetadataList');
    expect(small.seen[0]?.url.searchParams.get('includeObject')).toBeNull();
  });

  it('is refused in a table without names', async () => {
    answerWith([{...table(['a']), columnDefinitions: [{name: 'Berth'}]}]);
    await expect(connection.api.list(boats, {namespace: 'fleet', namesOnly: true})).rejects.toMatchObject({code: 'api.failed'});
  });
});

describe('access', () => {
  const check = (verb: string): AccessCheck => ({verb, group: 'fleet.example', resource: 'boats', namespace: 'fleet'});

  it('is asked for in parallel, one review each', async () => {
    const answers = await connection.api.access([check('get'), {...check('delete'), name: 'boat-0'}, {...check('patch'), resource: 'boats/status'}]);
    expect(answers.map((one) => [one.verb, one.allowed])).toEqual([
      ['get', true],
      ['delete', false],
      ['patch', false],
    ]);
    const asked = small.seen.map((one) => (JSON.parse(one.body) as {spec: {resourceAttributes: unknown}}).spec.resourceAttributes);
    expect(asked).toContainEqual({verb: 'patch', group: 'fleet.example', resource: 'boats', subresource: 'status', namespace: 'fleet'});
  });

  it('that is there lets the work begin', async () => {
    await expect(requireAccess(connection.api, [check('get'), check('list')])).resolves.toBeUndefined();
  });

  it('that is missing is named, all of it, before anything is written', async () => {
    const refusal = await requireAccess(connection.api, [
      check('get'),
      check('patch'),
      check('patch'),
      {verb: 'create', group: '', resource: 'namespaces'},
    ]).catch((error: unknown) => error);
    expect(refusal).toMatchObject({code: 'api.forbidden', exit: 5, details: {missing: [check('patch'), {verb: 'create', group: '', resource: 'namespaces'}]}});
    expect((refusal as Error).message).toBe(
      'The user of the context test lacks 2 rights: patch boats.fleet.example in namespace fleet; create namespaces in the whole cluster. Nothing was changed.',
    );
    expect(small.seen).toHaveLength(3); // equal checks are asked once
  });

  it('of everything is no exact check', async () => {
    await expect(requireAccess(connection.api, [{verb: '*', group: '', resource: 'pods'}])).rejects.toThrow(/has a \*/);
  });
});
