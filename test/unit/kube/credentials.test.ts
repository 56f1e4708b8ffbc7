import {chmod, mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {createServer, connect as connectSocket, type Server, type Socket} from 'node:net';
import {createServer as createHttpsServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {stringify} from 'yaml';
import {loadTarget} from '../../../src/kube/load-kubeconfig.ts';
import {readPodAccount} from '../../../src/kube/pod-account.ts';
import {base64, connectTo, kubeconfigFor, testCertificate} from '../../support/kube-connection.ts';
import {respondStatus, SmallApi} from '../../support/small-api.ts';

let folder: string;
let small: SmallApi;
const open: {close(): unknown}[] = [];
const sockets = new Set<Socket>();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kube-who-'));
  small = await new SmallApi().open();
});

afterEach(async () => {
  for (const one of open.splice(0)) one.close();
  for (const socket of sockets) socket.destroy();
  await small.close();
  await rm(folder, {recursive: true, force: true});
});

const server = () => `http://127.0.0.1:${small.port}`;
const sent = (header: string) => small.seen.map((one) => one.headers[header]);

async function asUser(user: Readonly<Record<string, unknown>>, cluster: Readonly<Record<string, unknown>> = {}, address = server()) {
  const connection = await connectTo(folder, address, {user, cluster});
  open.push(connection.api);
  return connection;
}

/** A plugin that gives a token with a number that goes up with each run, and keeps what it was told. */
async function writePlugin(name: string, status: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(
    path,
    `#!/bin/sh\necho run >> "${folder}/runs"\nprintf '%s' "$KUBERNETES_EXEC_INFO" > "${folder}/info"\nn=$(wc -l < "${folder}/runs" | tr -d ' ')\nprintf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":${status}}' "$n"\n`,
  );
  await chmod(path, 0o755);
  return path;
}

const runs = async () => (await readFile(join(folder, 'runs'), 'utf8')).split('\n').length - 1;
const exec = (command: string, more: Readonly<Record<string, unknown>> = {}) => ({
  exec: {apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never', ...more},
});
const minutes = (count: number) => new Date(Date.now() + count * 60_000).toISOString();

describe('a kubeconfig', () => {
  const config = (name: string, more: Readonly<Record<string, unknown>> = {}) =>
    stringify({
      clusters: [{name: 'shared', cluster: {server: `https://${name}.example`}}],
      users: [{name: `user-${name}`, user: {token: name, 'client-key': 'keys/key.pem'}}],
      contexts: [{name, context: {cluster: 'shared', user: `user-${name}`}}],
      ...more,
    });

  it('made of several files takes the first of equal names, and passes over files that are not there', async () => {
    await mkdir(join(folder, 'b'));
    await writeFile(join(folder, 'a'), config('a'));
    await writeFile(join(folder, 'b', 'b'), config('b', {'current-context': 'b'}));
    const env = {KUBECONFIG: [join(folder, 'a'), join(folder, 'none'), join(folder, 'b', 'b')].join(':')};
    const target = await loadTarget({env});
    expect(target).toMatchObject({
      context: 'b',
      namespace: 'default',
      cluster: {server: 'https://a.example'},
      user: {token: 'b', keyFile: join(folder, 'b', 'keys', 'key.pem')},
    });
    expect(await loadTarget({env, context: 'a'})).toMatchObject({user: {token: 'a', keyFile: join(folder, 'keys', 'key.pem')}});
  });

  it('in HOME is found, and one that is named must exist', async () => {
    await mkdir(join(folder, '.kube'));
    await writeFile(join(folder, '.kube', 'config'), config('home', {'current-context': 'home'}));
    expect(await loadTarget({env: {HOME: folder}})).toMatchObject({context: 'home'});
    await expect(loadTarget({env: {HOME: folder}, kubeconfig: join(folder, 'none')})).rejects.toMatchObject({code: 'file.not-found'});
    await expect(loadTarget({env: {HOME: join(folder, 'nobody')}})).rejects.toMatchObject({
      code: 'file.not-found',
      message: expect.stringContaining('no kubeconfig'),
    });
  });

  it.each([
    ['a context that is not there', {}, 'stagng', /no context stagng/, /Did you mean staging\?/],
    ['a cluster that is not there', {clusters: []}, 'staging', /names a cluster that isn't there: shared/, /set-context/],
    ['a user that is not there', {users: []}, 'staging', /names a user that isn't there: user-staging/, /set-credentials/],
    ['no current context', {}, undefined, /no context is the current one/, /It has: staging/],
    [
      'a sign-in that kubectl dropped',
      {users: [{name: 'user-staging', user: {'auth-provider': {name: 'gcp'}}}]},
      'staging',
      /auth-provider gcp/,
      /exec plugin/,
    ],
  ])('with %s says so', async (_title, more, context, message, hint) => {
    await writeFile(join(folder, 'config'), config('staging', more));
    const loading = loadTarget({env: {}, kubeconfig: join(folder, 'config'), ...(context === undefined ? {} : {context})});
    await expect(loading).rejects.toMatchObject({code: 'kubeconfig.invalid', message: expect.stringMatching(message)});
    await expect(loading.catch((error: {hints: readonly string[]}) => error.hints.join(' '))).resolves.toMatch(hint);
  });

  it("isn't needed in a pod", async () => {
    for (const [name, text] of Object.entries({token: 'pod-token', namespace: 'capi\n'})) await writeFile(join(folder, name), text);
    const env = {KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443'};
    expect(await readPodAccount(env, folder)).toMatchObject({
      context: 'in-cluster',
      namespace: 'capi',
      cluster: {server: 'https://[fd00::1]:443'},
      user: {tokenFile: join(folder, 'token')},
    });
    expect(await readPodAccount({}, folder)).toBeUndefined();
  });
});

describe('a user', () => {
  it('with a name and password, and one who acts as another, send just that', async () => {
    const {api} = await asUser({username: 'ada', password: 'pässword', as: 'ops', 'as-groups': ['admins', 'crew'], 'as-user-extra': {'a/b': ['c']}});
    await api.serverVersion();
    expect(sent('authorization')).toEqual([`Basic ${base64('ada:pässword')}`]);
    expect(small.seen[0]?.headers).toMatchObject({'impersonate-user': 'ops', 'impersonate-group': 'admins, crew', 'impersonate-extra-a%2fb': 'c'});
  });

  it("whose token's file changes is signed in with the new one after a refusal", async () => {
    await writeFile(join(folder, 'token'), 'old-token\n');
    const {api} = await asUser({tokenFile: 'token'});
    small.answer(({headers}, response) => {
      if (headers.authorization !== 'Bearer old-token') return false;
      respondStatus(response, 401, 'Unauthorized', 'Unauthorized');
      return true;
    });
    await writeFile(join(folder, 'token'), 'new-token\n');
    small.answer(({headers}, response) => {
      if (headers.authorization === 'Bearer new-token') return false;
      respondStatus(response, 401, 'Unauthorized', 'Unauthorized');
      return true;
    });
    expect(await api.create({apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'a', namespace: 'fleet'}})).toBeDefined();
    await writeFile(join(folder, 'token'), 'third-token\n');
    small.answer(({headers}, response) => {
      if (headers.authorization === 'Bearer third-token') return false;
      respondStatus(response, 401, 'Unauthorized', 'Unauthorized');
      return true;
    });
    expect(await api.serverVersion()).toBe('v1.36.3');
  });

  it('who is refused for good is told whose credentials they are, once', async () => {
    small.answer((_seen, response) => {
      respondStatus(response, 401, 'Unauthorized', 'Unauthorized');
      return true;
    });
    const {api, redactor} = await asUser({token: 'secret-token'});
    await expect(api.serverVersion()).rejects.toMatchObject({
      code: 'api.unauthorized',
      exit: 5,
      message: expect.stringContaining("doesn't accept a token of the context test"),
    });
    expect(small.seen).toHaveLength(1);
    expect(redactor.text('Bearer secret-token')).toBe('Bearer [redacted]');
  });

  it('whose kubeconfig is written anew is signed in by it', async () => {
    const {api, kubeconfig} = await asUser({token: 'old-token'});
    small.answer(({headers}, response) => {
      if (headers.authorization === 'Bearer new-token') return false;
      respondStatus(response, 401, 'Unauthorized', 'Unauthorized');
      return true;
    });
    await writeFile(kubeconfig, kubeconfigFor(server(), {user: {token: 'new-token'}}));
    expect(await api.serverVersion()).toBe('v1.36.3');
  });

  it('shows a client certificate to the server that the authority signed', async () => {
    const certificate = testCertificate('api.test');
    const client = testCertificate('ada');
    const secure = await new SmallApi({tls: certificate}).open();
    open.push(secure);
    await writeFile(join(folder, 'client.crt'), client.cert);
    const {api} = await asUser(
      {'client-certificate': 'client.crt', 'client-key-data': base64(client.key)},
      {'certificate-authority-data': base64(certificate.cert), 'tls-server-name': 'api.test'},
      `https://127.0.0.1:${secure.port}`,
    );
    await api.serverVersion();
    expect(secure.seen[0]?.client).toBe('ada');
    const careless = await asUser({token: 'valid-token'}, {'insecure-skip-tls-verify': true}, `https://127.0.0.1:${secure.port}`);
    expect(await careless.api.serverVersion()).toBe('v1.36.3');
  });
});

describe('an exec plugin', () => {
  it('is run once while its token is valid, and told what it is for', async () => {
    const command = await writePlugin('plugin', `{"token":"token-%s","expirationTimestamp":"${minutes(10)}"}`);
    const {api, redactor} = await asUser(exec('./plugin', {provideClusterInfo: true}));
    await Promise.all([api.serverVersion(), api.serverVersion(), api.serverVersion()]);
    expect(sent('authorization')).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-1']);
    expect(await runs()).toBe(1);
    expect(JSON.parse(await readFile(join(folder, 'info'), 'utf8'))).toMatchObject({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      spec: {interactive: false, cluster: {server: server()}},
    });
    expect(redactor.text('token-1')).toBe('[redacted]');
    expect(command).toContain(folder);
  });

  it('is run again when its token expires, and when it is refused', async () => {
    await writePlugin('plugin', `{"token":"token-%s","expirationTimestamp":"${minutes(-1)}"}`);
    const {api} = await asUser(exec('./plugin'));
    await api.serverVersion();
    await api.serverVersion();
    expect(sent('authorization')).toEqual(['Bearer token-1', 'Bearer token-2']);
    await writePlugin('plugin', '{"token":"token-%s"}');
    const lasting = await asUser(exec('./plugin'));
    small.seen.length = 0;
    small.answer(({headers}, response) => {
      if (headers.authorization !== 'Bearer token-3') return false;
      respondStatus(response, 401, 'Unauthorized', 'Unauthorized');
      return true;
    });
    await lasting.api.serverVersion();
    expect(sent('authorization')).toEqual(['Bearer token-3', 'Bearer token-4']);
  });

  it.each([
    ['is not installed', './none', "isn't installed", 'brew install it'],
    ['fails', './fails', 'ended with 3: sign in first', 'Sign in with it again.'],
    ['prints something else', './chats', 'no ExecCredential', 'kubeconfig'],
  ])('that %s is named, with what to do', async (_title, command, message, hint) => {
    for (const [name, text] of Object.entries({fails: 'echo sign in first >&2; exit 3', chats: 'echo hello secret-thing'})) {
      await writeFile(join(folder, name), `#!/bin/sh\n${text}\n`);
      await chmod(join(folder, name), 0o755);
    }
    const {api} = await asUser(exec(command, {installHint: 'brew install it'}));
    const error = (await api.serverVersion().catch((reason: unknown) => reason)) as Error & {hints: readonly string[]};
    expect(error).toMatchObject({code: 'api.unauthorized', message: expect.stringContaining(message)});
    expect(error.hints.join(' ')).toContain(hint);
    expect(error.message).not.toContain('secret-thing');
  });
});

describe('an OpenID Connect token', () => {
  it('that is over is renewed with the refresh token, at an issuer with an authority of its own', async () => {
    const jwt = (minutesLeft: number) =>
      `e30.${Buffer.from(JSON.stringify({exp: Math.floor(Date.now() / 1000) + minutesLeft * 60})).toString('base64url')}.sig`;
    const certificate = testCertificate('localhost');
    const fresh = jwt(10);
    const issuer = createHttpsServer(certificate, (request, response) => {
      const {port} = issuer.address() as AddressInfo;
      let form = '';
      request.on('data', (chunk: Buffer) => (form += chunk.toString()));
      request.on('end', () => {
        if (request.url === '/.well-known/openid-configuration') return response.end(JSON.stringify({token_endpoint: `https://localhost:${port}/token`}));
        const isRight = new URLSearchParams(form).get('refresh_token') === 'refresh-me';
        response.statusCode = isRight ? 200 : 400;
        response.end(JSON.stringify({id_token: fresh}));
      });
    });
    await new Promise<void>((resolve) => issuer.listen(0, 'localhost', resolve));
    open.push({
      close: () => {
        issuer.closeAllConnections();
        issuer.close();
      },
    });
    const config = {
      'idp-issuer-url': `https://localhost:${(issuer.address() as AddressInfo).port}`,
      'client-id': 'trireme',
      'refresh-token': 'refresh-me',
      'id-token': jwt(-1),
      'idp-certificate-authority-data': base64(certificate.cert),
    };
    const {api} = await asUser({'auth-provider': {name: 'oidc', config}});
    await api.serverVersion();
    expect(sent('authorization')).toEqual([`Bearer ${fresh}`]);
  });
});

describe('a proxy', () => {
  it.each(['http', 'socks5'])('of the kind %s that the kubeconfig names carries everything', async (kind) => {
    const targets: string[] = [];
    const proxy: Server = kind === 'http' ? createConnectProxy(targets) : createSocksProxy(targets);
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    open.push(proxy);
    // a name that only the proxy can resolve
    const {api} = await asUser(
      {token: 'valid-token'},
      {'proxy-url': `${kind}://127.0.0.1:${(proxy.address() as AddressInfo).port}`},
      `http://api.test:${small.port}`,
    );
    expect(await api.serverVersion()).toBe('v1.36.3');
    await api.serverVersion();
    expect(targets).toEqual([`api.test:${small.port}`]);
  });
});

function tunnel(socket: Socket, greeting: string | Buffer): void {
  const upstream = connectSocket(small.port, '127.0.0.1', () => {
    socket.write(greeting);
    socket.pipe(upstream).pipe(socket);
  });
  for (const one of [socket, upstream]) {
    sockets.add(one);
    one.on('error', () => {});
  }
}

function createConnectProxy(targets: string[]): Server {
  return createServer((socket) => {
    sockets.add(socket);
    socket.once('data', (head: Buffer) => {
      targets.push(/^CONNECT (\S+)/.exec(head.toString())?.[1] ?? '');
      tunnel(socket, 'HTTP/1.1 200 OK\r\n\r\n');
    });
  });
}

function createSocksProxy(targets: string[]): Server {
  return createServer((socket) => {
    sockets.add(socket);
    socket.once('data', () => {
      socket.write(Buffer.from([5, 0]));
      socket.once('data', (wish: Buffer) => {
        const length = wish[4] ?? 0;
        targets.push(`${wish.subarray(5, 5 + length).toString()}:${wish.readUInt16BE(5 + length)}`);
        tunnel(socket, Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
      });
    });
  });
}
