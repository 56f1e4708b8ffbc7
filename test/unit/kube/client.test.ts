import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {TriremeError} from '../../../src/kernel/errors.ts';
import type {Resource} from '../../../src/kube/api.ts';
import {closedPort} from '../../support/closed-port.ts';
import {base64, connectTo, testCertificate, type Connection} from '../../support/kube-connection.ts';
import {respond, respondStatus, SmallApi} from '../../support/small-api.ts';

const configMaps: Resource = {group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true};
const map = (name: string) => ({apiVersion: 'v1', kind: 'ConfigMap', metadata: {name, namespace: 'fleet'}, data: {a: 'b'}});

let folder: string;
let small: SmallApi;
let connection: Connection;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kube-'));
  small = await new SmallApi().open();
  connection = await connectTo(folder, `http://127.0.0.1:${small.port}`);
});

afterEach(async () => {
  connection.api.close();
  await small.close();
  await rm(folder, {recursive: true, force: true});
});

async function failureOf(work: Promise<unknown>): Promise<TriremeError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TriremeError);
  return error as TriremeError;
}

describe('objects', () => {
  it('are created, read, patched, applied and removed', async () => {
    const {api} = connection;
    const made = await api.create(map('a'));
    expect(made.metadata.uid).toBeDefined();
    expect(await api.get(configMaps, {name: 'a', namespace: 'fleet'})).toEqual(made);
    await api.patch(
      configMaps,
      {name: 'a', namespace: 'fleet'},
      {
        type: 'json',
        body: [
          {op: 'test', path: '/data', value: {a: 'b'}},
          {op: 'replace', path: '/data', value: {a: 'c'}},
        ],
      },
    );
    expect(small.objects('configmaps')[0]).toMatchObject({data: {a: 'c'}});
    expect(await api.apply({...map('a'), data: {a: 'd'}})).toMatchObject({data: {a: 'd'}});
    expect(await api.remove(configMaps, {name: 'a', namespace: 'fleet'}, {uid: made.metadata.uid ?? ''})).toBe(true);
    expect(await api.remove(configMaps, {name: 'a', namespace: 'fleet'})).toBe(false);
    expect(await api.get(configMaps, {name: 'a', namespace: 'fleet'})).toBeUndefined();
  });

  it('are written under our field manager, checked strictly, and on a dry run not at all', async () => {
    await connection.api.create(map('a'), {dryRun: true});
    await connection.api.apply(map('b'), {force: true, fieldManager: 'trireme-layers'});
    const queries = small.seen.filter((one) => one.method !== 'GET').map((one) => Object.fromEntries(one.url.searchParams));
    expect(queries).toEqual([
      {fieldManager: 'trireme', fieldValidation: 'Strict', dryRun: 'All'},
      {fieldManager: 'trireme-layers', fieldValidation: 'Strict', force: 'true'},
    ]);
    expect(small.objects('configmaps').map((one) => one.metadata.name)).toEqual(['b']);
  });

  it('with names that would lead elsewhere in the path stay one part of it', async () => {
    await connection.api.get(configMaps, {name: '../secrets/x?y', namespace: 'a/b'});
    expect(small.seen[0]?.url.pathname).toBe('/api/v1/namespaces/a%2Fb/configmaps/..%2Fsecrets%2Fx%3Fy');
  });

  it('are sent with the words of any language whole', async () => {
    const {data} = await connection.api.create({...map('a'), data: {text: 'Ünïcødé ⛵ شراع'}});
    expect(data).toEqual({text: 'Ünïcødé ⛵ شراع'});
  });
});

describe('kinds', () => {
  it('are discovered with one request for a group and version', async () => {
    const boat = await connection.api.resource({apiVersion: 'fleet.example/v1', kind: 'Boat'});
    expect(boat).toEqual({group: 'fleet.example', version: 'v1', plural: 'boats', kind: 'Boat', namespaced: true});
    await connection.api.resource({apiVersion: 'fleet.example/v1', kind: 'Boat'});
    expect(small.seen).toHaveLength(1);
  });

  it('that appear later are found then', async () => {
    expect(await failureOf(connection.api.resource({apiVersion: 'late.example/v1', kind: 'Late'}))).toMatchObject({
      code: 'api.kind-unknown',
      message: expect.stringContaining('serves no Late of late.example/v1'),
    });
    small.answer(({url}, response) => {
      if (url.pathname !== '/apis/late.example/v1') return false;
      respond(response, 200, {resources: [{name: 'lates', kind: 'Late', namespaced: false}]});
      return true;
    });
    expect(await connection.api.resource({apiVersion: 'late.example/v1', kind: 'Late'})).toMatchObject({plural: 'lates', namespaced: false});
  });

  it('whose list is gone are unknown', async () => {
    const error = await failureOf(connection.api.list({group: 'gone.example', version: 'v1', plural: 'gones', kind: 'Gone', namespaced: true}));
    expect(error).toMatchObject({code: 'api.kind-unknown', message: expect.stringContaining('gones.gone.example')});
  });
});

describe('a read', () => {
  it.each([
    ['429 with Retry-After', 429, {'retry-after': '0'}],
    ['503', 503, {}],
    ['500', 500, {}],
  ])('is tried again after %s', async (_title, status, headers) => {
    let left = 2;
    small.answer((_seen, response) => {
      if ((left -= 1) < 0) return false;
      respondStatus(response, status, 'Busy', 'not now', {headers});
      return true;
    });
    expect(await connection.api.serverVersion()).toBe('v1.36.3');
    expect(connection.api.requests).toBe(3);
  });

  it('is tried again when the connection breaks before or in the middle of the answer', async () => {
    let round = 0;
    small.answer((_seen, response) => {
      round += 1;
      if (round === 1) response.socket?.resetAndDestroy();
      if (round === 2) {
        response.writeHead(200, {'content-length': '100'});
        response.write('{"gitVersion":', () => response.socket?.destroy());
      }
      return round < 3;
    });
    expect(await connection.api.serverVersion()).toBe('v1.36.3');
  });

  it('is not tried again after 400', async () => {
    small.answer((_seen, response) => {
      respondStatus(response, 400, 'BadRequest', 'field label not supported');
      return true;
    });
    expect(await failureOf(connection.api.list(configMaps, {fieldSelector: 'x=y'}))).toMatchObject({
      code: 'api.invalid',
      message: expect.stringContaining('field label not supported'),
    });
    expect(connection.api.requests).toBe(1);
  });

  it('ends at its deadline, however long the server asks to wait', async () => {
    small.answer((_seen, response) => {
      respondStatus(response, 429, 'TooManyRequests', 'slow down', {headers: {'retry-after': '60'}});
      return true;
    });
    const began = Date.now();
    expect(await failureOf(connection.api.serverVersion({deadline: 500}))).toMatchObject({code: 'api.failed', details: {status: 429, retryAfter: 60_000}});
    expect(Date.now() - began).toBeLessThan(5000);
  });

  it('ends with the signal of its caller', async () => {
    small.answer(() => true); // never answers
    const stop = new AbortController();
    const reading = connection.api.serverVersion({signal: stop.signal});
    stop.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
  });

  it('on a silent server says so at its deadline', async () => {
    small.answer(() => true);
    expect(await failureOf(connection.api.serverVersion({deadline: 300}))).toMatchObject({
      code: 'api.unreachable',
      message: expect.stringMatching(/doesn't answer within 0.3 s/),
    });
  });
});

describe('a write', () => {
  it('is tried again after 429, for then nothing was done', async () => {
    let left = 2;
    small.answer(({method}, response) => {
      if (method !== 'POST' || (left -= 1) < 0) return false;
      respondStatus(response, 429, 'TooManyRequests', 'slow down', {headers: {'retry-after': '0'}});
      return true;
    });
    await connection.api.create(map('a'));
    expect(small.objects('configmaps')).toHaveLength(1);
  });

  it.each([
    ['the connection breaks', (response: Parameters<NonNullable<Parameters<SmallApi['answer']>[0]>>[1]) => response.socket?.destroy(), 'api.unreachable'],
    [
      'the answer is 500',
      (response: Parameters<typeof respondStatus>[0]) => respondStatus(response, 500, 'InternalError', 'etcdserver: request timed out'),
      'api.failed',
    ],
  ])('is sent once when %s, and it is said that nobody knows', async (_title, fail, code) => {
    small.answer(({method}, response) => {
      if (method !== 'POST') return false;
      fail(response);
      return true;
    });
    const error = await failureOf(connection.api.create(map('a')));
    expect(error).toMatchObject({code, details: {outcome: 'unknown'}, message: expect.stringContaining("It isn't known whether")});
    expect(small.seen.filter((one) => one.method === 'POST')).toHaveLength(1);
  });

  it('by server-side apply is the same when sent twice, so it is tried again', async () => {
    let left = 1;
    small.answer(({method}, response) => {
      if (method !== 'PATCH' || (left -= 1) < 0) return false;
      response.socket?.destroy();
      return true;
    });
    await connection.api.apply(map('a'));
    expect(small.objects('configmaps')).toHaveLength(1);
  });

  it('to a server that is not there yet is tried again, for nothing was sent', async () => {
    await connection.api.resource({apiVersion: 'v1', kind: 'ConfigMap'});
    const {port} = small;
    await small.close();
    // this one finds that the kept connection is gone
    await failureOf(connection.api.serverVersion({deadline: 100}));
    const creating = connection.api.create(map('a'));
    const late = new SmallApi();
    setTimeout(() => void late.open(port), 300);
    expect(await creating).toMatchObject({metadata: {name: 'a'}});
    small = late;
  });
});

describe('a failure', () => {
  it.each([
    [
      'forbidden names verb, resource and namespace',
      403,
      {reason: 'Forbidden', message: 'configmaps "a" is forbidden: User "reader" cannot create'},
      {
        code: 'api.forbidden',
        exit: 5,
        message: /forbids to create configmaps a in namespace fleet: .*User "reader"/,
        details: {verb: 'create', resource: 'configmaps', namespace: 'fleet'},
      },
    ],
    [
      'invalid names the fields',
      422,
      {
        reason: 'Invalid',
        message: 'all of it',
        details: {causes: [{reason: 'FieldValueInvalid', field: 'spec.topology.version', message: 'cannot be decreased'}]},
      },
      {
        code: 'api.invalid',
        exit: 3,
        message: /spec\.topology\.version: cannot be decreased/,
        details: {causes: [{field: 'spec.topology.version', message: 'cannot be decreased'}]},
      },
    ],
    [
      'conflict of server-side apply names the owner of each field',
      409,
      {
        reason: 'Conflict',
        message: 'Apply failed',
        details: {
          causes: [
            {reason: 'FieldManagerConflict', message: 'conflict with "argocd-controller" using cluster.x-k8s.io/v1beta2', field: '.spec.topology.version'},
          ],
        },
      },
      {
        code: 'api.conflict',
        exit: 8,
        message: /spec\.topology\.version is owned by argocd-controller/,
        details: {owners: [{field: '.spec.topology.version', manager: 'argocd-controller'}]},
      },
    ],
    [
      'conflict of versions says to look anew',
      409,
      {reason: 'Conflict', message: 'the object has been modified'},
      {code: 'api.conflict', message: /changed by somebody else/},
    ],
    [
      'what is there already is a conflict that says so',
      409,
      {reason: 'AlreadyExists', message: 'exists'},
      {code: 'api.conflict', message: /configmaps a in namespace fleet is there already/i},
    ],
    [
      'a missing namespace is named',
      404,
      {reason: 'NotFound', message: 'x', details: {kind: 'namespaces', name: 'fleet'}},
      {code: 'api.not-found', message: /has no namespace fleet/},
    ],
  ])('%s', async (_title, code, status, expected) => {
    small.answer(({method}, response) => {
      if (method !== 'POST') return false;
      respond(response, code, {kind: 'Status', code, ...status});
      return true;
    });
    const error = await failureOf(connection.api.create(map('a')));
    const {message, ...rest} = expected;
    expect(error).toMatchObject({...rest, details: {...('details' in rest ? rest.details : {}), status: code, reason: status.reason}});
    expect(error.message).toMatch(message);
  });

  it('of a server that nobody runs names the port', async () => {
    const {port, free} = await closedPort();
    const gone = await connectTo(folder, `https://127.0.0.1:${port}`);
    expect(await failureOf(gone.api.serverVersion({deadline: 1000}))).toMatchObject({
      code: 'api.unreachable',
      exit: 4,
      message: expect.stringContaining(`nobody listens on port ${port} of 127.0.0.1`),
    });
    await free();
  });

  it('of something that speaks no Kubernetes says that', async () => {
    small.answer((_seen, response) => {
      respond(response, 200, '<html>Sign in</html>', {'content-type': 'text/html'});
      return true;
    });
    expect(await failureOf(connection.api.serverVersion())).toMatchObject({code: 'api.failed', message: expect.stringContaining('no Kubernetes object')});
  });

  it.each([
    ['has expired on', testCertificate('api.test', {from: -48, until: -24}), {}, /the server's certificate \(api\.test\) has expired on \d{4}-\d\d-\d\dT/],
    ['is not valid yet', testCertificate('api.test', {from: 24, until: 48}), {}, /isn't valid yet, only from \d{4}-/],
    ['is for another name', testCertificate('other.test'), {}, /certificate is for DNS:other\.test, not for the name api\.test/],
    [
      'is signed by somebody else',
      testCertificate('api.test'),
      {'certificate-authority-data': base64(testCertificate('api.test').cert)},
      /isn't signed by the kubeconfig's certificate authority/,
    ],
  ])('of TLS tells that the certificate %s', async (_title, certificate, cluster, message) => {
    const secure = await new SmallApi({tls: certificate}).open();
    try {
      const {api} = await connectTo(folder, `https://127.0.0.1:${secure.port}`, {
        cluster: {'certificate-authority-data': base64(certificate.cert), 'tls-server-name': 'api.test', ...cluster},
      });
      const error = await failureOf(api.serverVersion());
      expect(error.code).toBe('api.unreachable');
      expect(error.message).toMatch(message);
      expect(api.requests).toBe(1); // asking again doesn't help
      api.close();
    } finally {
      await secure.close();
    }
  });

  it('of plain HTTP where TLS is wanted says what to look at', async () => {
    const {api} = await connectTo(folder, `https://127.0.0.1:${small.port}`);
    expect(await failureOf(api.serverVersion())).toMatchObject({code: 'api.unreachable', hints: [expect.stringContaining('https')]});
  });
});

describe('a connection', () => {
  it('tells each warning of the server once', async () => {
    small.answer((_seen, response) => {
      response.setHeader('warning', '299 - "v1beta1 Boat is deprecated; use \\"v1\\"", 299 - "and another"');
      return false;
    });
    await connection.api.serverVersion();
    await connection.api.serverVersion();
    expect(connection.warnings).toEqual(['v1beta1 Boat is deprecated; use "v1"', 'and another']);
  });

  it('is used again for the next request', async () => {
    const ports = new Set<number | undefined>();
    small.answer((_seen, _response, request) => {
      ports.add(request.socket.remotePort);
      return false;
    });
    for (let round = 0; round < 5; round += 1) await connection.api.serverVersion();
    expect(ports.size).toBe(1);
  });

  it('says when the other side is simulated', async () => {
    expect(connection.api.simulated).toBe(false);
    small.answer((_seen, response) => {
      response.setHeader('trireme-simulated', 'true');
      return false;
    });
    await connection.api.serverVersion();
    expect(connection.api.simulated).toBe(true);
    const marked = await connectTo(folder, `http://127.0.0.1:${small.port}`, {cluster: {extensions: [{name: 'trireme-simulated', extension: {}}]}});
    expect(marked.api.simulated).toBe(true);
  });

  it('gives raw answers whatever their status', async () => {
    expect(await connection.api.send({path: '/nothing'})).toEqual({status: 404, body: '404 page not found'});
    expect(await connection.api.send({path: '/version'})).toEqual({status: 200, body: {gitVersion: 'v1.36.3'}});
  });

  it('unpacks what the server packed', async () => {
    const {gzipSync} = await import('node:zlib');
    small.answer((_seen, response) => {
      response.writeHead(200, {'content-type': 'application/json', 'content-encoding': 'gzip'});
      response.end(gzipSync('{"gitVersion":"v1.36.4"}'));
      return true;
    });
    expect(await connection.api.serverVersion()).toBe('v1.36.4');
  });
});
