import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import type {AddressInfo, Socket} from 'node:net';
import {afterEach, describe, expect, it} from 'vitest';
import {createHttpClient, readSmallBody} from '../../../src/bundle/http.ts';

const servers: Server[] = [];
const sockets = new Set<Socket>();

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  server: Server = createServer(answer),
): Promise<{readonly url: string; readonly server: Server; readonly port: number}> {
  servers.push(server);
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  return {url: `http://127.0.0.1:${port}`, server, port};
}

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

const client = (env: Readonly<Record<string, string>> = {}, idleTimeout = 5000) => createHttpClient({env, idleTimeout});

async function textOf(url: string, env: Readonly<Record<string, string>> = {}, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  return (await readSmallBody('the answer', await client(env)(url, {headers}))).toString();
}

describe('redirects', () => {
  it('are followed, with credentials only to the same origin', async () => {
    const store = await serve((request, response) => response.end(`store: ${request.headers.authorization ?? 'nothing'}, ${request.headers.range ?? ''}`));
    const registry = await serve((request, response) => {
      if (request.url === '/same') response.writeHead(307, {location: '/here'}).end();
      else if (request.url === '/other') response.writeHead(302, {location: `${store.url}/blob`}).end();
      else response.end(`here: ${request.headers.authorization}`);
    });
    const headers = {authorization: 'Bearer secret', range: 'bytes=5-'};
    expect(await textOf(`${registry.url}/same`, {}, headers)).toBe('here: Bearer secret');
    expect(await textOf(`${registry.url}/other`, {}, headers)).toBe('store: nothing, bytes=5-');
  });

  it('without end are left', async () => {
    const {url} = await serve((_request, response) => response.writeHead(302, {location: '/again'}).end());
    await expect(client()(`${url}/`)).rejects.toMatchObject({
      code: 'bundle.source-failed',
      message: expect.stringContaining('more than 8 redirects') as string,
    });
  });
});

describe('proxies', () => {
  it('get plain requests with the whole address and their own credentials', async () => {
    const proxy = await serve((request, response) => response.end(`${request.url} ${request.headers.host} ${request.headers['proxy-authorization']}`));
    const basic = Buffer.from('deck:hand').toString('base64');
    expect(await textOf('http://dl.example/release/x', {http_proxy: `http://deck:hand@127.0.0.1:${proxy.port}`})).toBe(
      `http://dl.example/release/x dl.example Basic ${basic}`,
    );
  });

  it('open a tunnel for HTTPS, and in it TLS is spoken with the host itself', async () => {
    const proxy = await serve((_request, response) => response.writeHead(500).end());
    const asked: string[] = [];
    const hello = new Promise<Buffer>((resolve) => {
      proxy.server.on('connect', (request: IncomingMessage, socket: Socket) => {
        asked.push(request.url ?? '');
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.on('error', () => {});
        socket.once('data', (bytes: Buffer) => {
          resolve(bytes);
          socket.end();
        });
      });
    });
    await expect(client({https_proxy: proxy.url})('https://dl.example/kubeadm')).rejects.toMatchObject({
      code: 'bundle.source-failed',
      message: expect.stringContaining(`https://dl.example/kubeadm through the proxy 127.0.0.1:${proxy.port}`) as string,
    });
    expect(asked).toEqual(['dl.example:443']);
    const bytes = await hello;
    // a TLS handshake record, and in it the name of the host (SNI)
    expect([bytes[0], bytes[1]]).toEqual([0x16, 0x03]);
    expect(bytes.toString('latin1')).toContain('dl.example');
  });

  it('that refuse are named, without their password', async () => {
    const proxy = await serve((_request, response) => response.end());
    proxy.server.on('connect', (_request: IncomingMessage, socket: Socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'));
    const error = await client({https_proxy: `http://deck:hand@127.0.0.1:${proxy.port}`})('https://dl.example/x').catch((thrown: unknown) => thrown as Error);
    expect(String(error)).toContain('answers 407 to CONNECT dl.example:443');
    expect(String(error)).not.toContain('hand');
  });
});

describe('addresses with a password', () => {
  it('send it as a header, and never show it', async () => {
    const {port} = await serve((request, response) => {
      if (request.url === '/who') response.end(request.headers.authorization);
      else request.socket.destroy();
    });
    expect(await textOf(`http://rower:bench3@127.0.0.1:${port}/who`)).toBe(`Basic ${Buffer.from('rower:bench3').toString('base64')}`);
    const error = await client()(`http://rower:bench3@127.0.0.1:${port}/gone`).catch((thrown: unknown) => thrown as Error & {details?: unknown});
    expect((error as Error).message).toContain(`127.0.0.1:${port}/gone`);
    expect(JSON.stringify([String(error), (error as {details?: unknown}).details])).not.toContain('bench3');
  });
});

describe('silence', () => {
  it('ends a request after the deadline', async () => {
    const {url} = await serve(() => {});
    await expect(client({}, 50)(url)).rejects.toMatchObject({code: 'bundle.source-failed', message: expect.stringContaining('no data for 0.05 s') as string});
  });

  it('in the middle of a body ends it as well', async () => {
    const {url} = await serve((_request, response) => void response.writeHead(200, {'content-length': 100}).write('begun'));
    // long enough for the beginning to come on a slow computer
    await expect(client({}, 1000)(url).then((response) => readSmallBody('the body', response))).rejects.toMatchObject({
      code: 'bundle.source-failed',
      message: expect.stringContaining('breaks off') as string,
    });
  });
});
