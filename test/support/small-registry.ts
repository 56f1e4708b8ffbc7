// A registry that takes what is pushed, in process: TLS and a password where a test wants them, and the faults of a bad day.
import {createHash, randomUUID, timingSafeEqual} from 'node:crypto';
import {createServer as createHttpServer, type IncomingMessage, type ServerResponse} from 'node:http';
import {createServer as createHttpsServer} from 'node:https';
import type {AddressInfo} from 'node:net';

export interface SmallRegistryOptions {
  /** `name:password`. */
  readonly login?: string;
  /** PEM. */
  readonly tls?: {readonly key: string; readonly cert: string};
}

export interface SmallRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, {readonly bytes: Buffer; readonly type: string}>;
  /** Method and path of every request. */
  readonly requests: readonly string[];
  /** After so many blobs it breaks every connection, until this is set to undefined. */
  diesAfter: number | undefined;
  close(): Promise<void>;
}

export async function startSmallRegistry(options: SmallRegistryOptions = {}): Promise<SmallRegistry> {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, {readonly bytes: Buffer; readonly type: string}>();
  const uploads = new Set<string>();
  const requests: string[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse) => void answer(request, response);
  const server = options.tls === undefined ? createHttpServer(listener) : createHttpsServer(options.tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const registry: SmallRegistry = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    blobs,
    manifests,
    requests,
    diesAfter: undefined,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const mayEnter = (header: string | undefined) => {
    if (options.login === undefined) return true;
    const wanted = Buffer.from(`Basic ${Buffer.from(options.login).toString('base64')}`);
    const given = Buffer.from(header ?? '');
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  };
  const say = (response: ServerResponse, status: number, headers: Record<string, string> = {}, body: Buffer | string = '') => {
    response.writeHead(status, {'content-length': Buffer.byteLength(body), ...headers});
    response.end(body);
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://registry');
    const {method = 'GET'} = request;
    requests.push(`${method} ${url.pathname}`);
    if (registry.diesAfter !== undefined && blobs.size >= registry.diesAfter) return void request.socket.destroy();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    if (!mayEnter(request.headers.authorization)) return say(response, 401, {'www-authenticate': 'Basic realm="small"'});
    const [, repository = '', kind, name = ''] = /^\/v2\/(.+?)\/(blobs\/uploads|blobs|manifests)\/(.*)$/.exec(url.pathname) ?? [];
    const isRead = method === 'GET' || method === 'HEAD';
    if (kind === 'blobs/uploads' && method === 'POST') {
      const id = randomUUID();
      uploads.add(id);
      return say(response, 202, {location: `/v2/${repository}/blobs/uploads/${id}?state=1`});
    }
    if (kind === 'blobs/uploads' && method === 'PUT') {
      const digest = url.searchParams.get('digest') ?? '';
      if (!uploads.delete(name)) return say(response, 404, {}, '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}');
      if (digest !== digestOf(body)) return say(response, 400, {}, '{"errors":[{"code":"DIGEST_INVALID","message":"other bytes"}]}');
      blobs.set(digest, body);
      return say(response, 201);
    }
    if (kind === 'manifests' && method === 'PUT') {
      const named = JSON.parse(body.toString()) as {config?: {digest: string}; layers?: {digest: string}[]; manifests?: {digest: string}[]};
      const isMissing =
        [...(named.config === undefined ? [] : [named.config]), ...(named.layers ?? [])].some(({digest}) => !blobs.has(digest)) ||
        (named.manifests ?? []).some(({digest}) => !manifests.has(digest));
      if (isMissing) return say(response, 400, {}, '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}');
      const kept = {bytes: body, type: request.headers['content-type'] ?? ''};
      manifests.set(name, kept);
      manifests.set(digestOf(body), kept);
      return say(response, 201);
    }
    const manifest = kind === 'manifests' && isRead ? manifests.get(name) : undefined;
    if (manifest !== undefined) return say(response, 200, {'content-type': manifest.type}, method === 'HEAD' ? '' : manifest.bytes);
    const blob = kind === 'blobs' && isRead ? blobs.get(name) : undefined;
    if (blob !== undefined) return say(response, 200, {'content-type': 'application/octet-stream'}, method === 'HEAD' ? '' : blob);
    return say(response, 404);
  }
  return registry;
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
