// A small Kubernetes API in process, real HTTP over loopback: one kind of the core group and one of another, kept in memory. It knows lists with
// pages, watches with history and bookmarks, create, patch, delete, access reviews; what a test wants to go wrong, it says by `answer`.
import {randomUUID} from 'node:crypto';
import {createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {createServer as createHttpsServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import type {TLSSocket} from 'node:tls';
import type {KubeObject} from '../../src/kube/object.ts';

export interface Seen {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** The common name of the client's certificate. */
  readonly client: string | undefined;
}

/** True when it has answered. */
type Intercept = (seen: Seen, response: ServerResponse, request: IncomingMessage) => boolean | Promise<boolean>;

interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly plural: string;
  readonly object: KubeObject;
  readonly version: number;
}

const kinds: Readonly<Record<string, {readonly kind: string; readonly apiVersion: string}>> = {
  configmaps: {kind: 'ConfigMap', apiVersion: 'v1'},
  boats: {kind: 'Boat', apiVersion: 'fleet.example/v1'},
};

export interface SmallApiOptions {
  readonly tls?: {readonly key: string; readonly cert: string; readonly ca?: string};
}

export class SmallApi {
  readonly seen: Seen[] = [];
  readonly #objects = new Map<string, KubeObject>();
  readonly #snapshots = new Map<string, readonly KubeObject[]>();
  readonly #watches = new Map<ServerResponse, {readonly plural: string; readonly namespace: string | undefined}>();
  #history: Change[] = [];
  #version = 100;
  #oldest = 0;
  #intercept: Intercept | undefined;
  readonly server: Server;

  constructor(options: SmallApiOptions = {}) {
    const listener = (request: IncomingMessage, response: ServerResponse) => void this.#handle(request, response);
    this.server =
      options.tls === undefined ? createHttpServer(listener) : createHttpsServer({...options.tls, requestCert: true, rejectUnauthorized: false}, listener);
  }

  async open(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    return this;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get version(): string {
    return String(this.#version);
  }

  /** Looks at each request first. */
  answer(intercept: Intercept | undefined): void {
    this.#intercept = intercept;
  }

  /** What is kept now, as a list of `plural` would have it. */
  objects(plural: string, namespace?: string): readonly KubeObject[] {
    return [...this.#objects].filter(([key]) => key.startsWith(`${plural}/${namespace === undefined ? '' : `${namespace}/`}`)).map(([, object]) => object);
  }

  put(plural: string, name: string, fields: Readonly<Record<string, unknown>> = {}, namespace = 'default'): KubeObject {
    const key = `${plural}/${namespace}/${name}`;
    const before = this.#objects.get(key);
    const version = (this.#version += 1);
    const metadata = {...(before?.metadata ?? {uid: randomUUID()}), name, namespace, resourceVersion: String(version)};
    const object: KubeObject = {apiVersion: kinds[plural]?.apiVersion ?? 'v1', kind: kinds[plural]?.kind ?? '', ...fields, metadata};
    this.#objects.set(key, object);
    this.#tell({type: before === undefined ? 'ADDED' : 'MODIFIED', plural, object, version});
    return object;
  }

  delete(plural: string, name: string, namespace = 'default'): boolean {
    const key = `${plural}/${namespace}/${name}`;
    const before = this.#objects.get(key);
    if (before === undefined) return false;
    this.#objects.delete(key);
    const version = (this.#version += 1);
    this.#tell({type: 'DELETED', plural, object: {...before, metadata: {...before.metadata, resourceVersion: String(version)}}, version});
    return true;
  }

  /** Forgets what was: watches from before and half-read lists get 410. */
  compact(): void {
    this.#history = [];
    this.#oldest = this.#version;
    this.#snapshots.clear();
  }

  /** Sends a bookmark to every watch. */
  bookmark(): void {
    for (const [response, {plural}] of this.#watches) {
      response.write(`${JSON.stringify({type: 'BOOKMARK', object: {...kinds[plural], metadata: {resourceVersion: this.version}}})}\n`);
    }
  }

  /** Cuts every open watch, in the middle of an event when `half`. */
  cut(half = false): number {
    const count = this.#watches.size;
    for (const response of this.#watches.keys()) {
      if (half) response.write('{"type":"MODIFIED","object":{"metadata":{"name":"ha');
      response.socket?.destroy();
    }
    return count;
  }

  get watches(): number {
    return this.#watches.size;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #tell(change: Change): void {
    this.#history.push(change);
    for (const [response, watch] of this.#watches) this.#send(response, watch, change);
  }

  #send(response: ServerResponse, watch: {readonly plural: string; readonly namespace: string | undefined}, change: Change): void {
    if (change.plural !== watch.plural || (watch.namespace !== undefined && change.object.metadata.namespace !== watch.namespace)) return;
    response.write(`${JSON.stringify({type: change.type, object: change.object})}\n`);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    request.setEncoding('utf8');
    for await (const chunk of request) body += chunk as string;
    const socket = request.socket as Partial<TLSSocket>;
    const name = socket.getPeerCertificate?.()?.subject?.CN;
    const client = typeof name === 'string' ? name : undefined;
    const seen: Seen = {method: request.method ?? '', url: new URL(request.url ?? '/', 'http://api'), headers: request.headers, body, client};
    this.seen.push(seen);
    if (this.#intercept !== undefined && (await this.#intercept(seen, response, request))) return;
    this.#route(seen, response);
  }

  #route(seen: Seen, response: ServerResponse): void {
    const {pathname} = seen.url;
    if (pathname === '/version') return respond(response, 200, {gitVersion: 'v1.36.3'});
    if (pathname === '/livez') return respond(response, 200, 'ok');
    if (pathname === '/api/v1')
      return respond(response, 200, {
        resources: [
          {name: 'configmaps', kind: 'ConfigMap', namespaced: true},
          {name: 'configmaps/status', kind: 'ConfigMap', namespaced: true},
        ],
      });
    if (pathname === '/apis/fleet.example/v1') return respond(response, 200, {resources: [{name: 'boats', kind: 'Boat', namespaced: true}]});
    if (pathname.endsWith('/selfsubjectaccessreviews')) {
      const {spec} = JSON.parse(seen.body) as {spec: {resourceAttributes: {verb: string}}};
      return respond(response, 201, {status: {allowed: ['get', 'list', 'watch'].includes(spec.resourceAttributes.verb)}});
    }
    const match = /^\/(?:api\/v1|apis\/fleet\.example\/v1)(?:\/namespaces\/([^/]+))?\/(configmaps|boats)(?:\/([^/]+))?$/.exec(pathname);
    if (match === null) return respond(response, 404, '404 page not found');
    const [, namespace, plural = '', name] = match;
    if (name !== undefined) return this.#object(seen, response, plural, namespace ?? '', name);
    if (seen.method === 'POST') return this.#create(seen, response, plural, namespace ?? '');
    if (seen.url.searchParams.get('watch') !== null) return this.#watch(seen, response, plural, namespace);
    return this.#list(seen, response, plural, namespace);
  }

  #list(seen: Seen, response: ServerResponse, plural: string, namespace: string | undefined): void {
    const limit = Number(seen.url.searchParams.get('limit') ?? 0) || Number.POSITIVE_INFINITY;
    const [snapshot = `${this.#version}`, from = '0'] = seen.url.searchParams.get('continue')?.split('.') ?? [];
    if (from !== '0' && !this.#snapshots.has(snapshot)) return respondStatus(response, 410, 'Expired', 'The provided continue parameter is too old.');
    const all = this.#snapshots.get(snapshot) ?? this.objects(plural, namespace);
    const end = Number(from) + limit;
    if (end < all.length) this.#snapshots.set(snapshot, all);
    const next = end < all.length ? {continue: `${snapshot}.${end}`, remainingItemCount: all.length - end} : {};
    respond(response, 200, {kind: 'List', items: all.slice(Number(from), end), metadata: {resourceVersion: snapshot, ...next}});
  }

  #watch(seen: Seen, response: ServerResponse, plural: string, namespace: string | undefined): void {
    const from = Number(seen.url.searchParams.get('resourceVersion') ?? 0);
    response.writeHead(200, {'content-type': 'application/json'});
    response.flushHeaders();
    if (from < this.#oldest) {
      response.end(
        `${JSON.stringify({type: 'ERROR', object: {kind: 'Status', code: 410, reason: 'Expired', message: `too old resource version: ${from}`}})}\n`,
      );
      return;
    }
    const watch = {plural, namespace};
    for (const change of this.#history) {
      if (change.version > from) this.#send(response, watch, change);
    }
    this.#watches.set(response, watch);
    const timer = setTimeout(() => response.end(), Number(seen.url.searchParams.get('timeoutSeconds') ?? 60) * 1000);
    response.on('close', () => {
      clearTimeout(timer);
      this.#watches.delete(response);
    });
  }

  #create(seen: Seen, response: ServerResponse, plural: string, namespace: string): void {
    const object = JSON.parse(seen.body) as KubeObject;
    const {name} = object.metadata;
    if (this.#objects.has(`${plural}/${namespace}/${name}`)) return respondStatus(response, 409, 'AlreadyExists', `${plural} "${name}" already exists`);
    if (seen.url.searchParams.has('dryRun')) return respond(response, 201, object);
    respond(response, 201, this.put(plural, name, object, namespace));
  }

  #object(seen: Seen, response: ServerResponse, plural: string, namespace: string, name: string): void {
    const object = this.#objects.get(`${plural}/${namespace}/${name}`);
    const isApply = seen.headers['content-type'] === 'application/apply-patch+yaml';
    if (object === undefined && !isApply) return respondStatus(response, 404, 'NotFound', `${plural} "${name}" not found`);
    switch (seen.method) {
      case 'GET':
        return respond(response, 200, object);
      case 'PATCH':
        if (seen.headers['content-type'] === 'application/json-patch+json') return this.#jsonPatch(seen, response, plural, namespace, object as KubeObject);
        return respond(response, 200, this.put(plural, name, {...object, ...(JSON.parse(seen.body) as KubeObject)}, namespace));
      case 'DELETE': {
        const {preconditions} = JSON.parse(seen.body) as {preconditions?: {uid?: string}};
        if (preconditions?.uid !== undefined && preconditions.uid !== object?.metadata.uid)
          return respondStatus(response, 409, 'Conflict', 'the UID in the precondition does not match');
        this.delete(plural, name, namespace);
        return respond(response, 200, {kind: 'Status', status: 'Success'});
      }
      default:
        return respondStatus(response, 405, 'MethodNotAllowed', 'no');
    }
  }

  /** `test` and `replace` of fields at the top. */
  #jsonPatch(seen: Seen, response: ServerResponse, plural: string, namespace: string, object: KubeObject): void {
    const fields: Record<string, unknown> = {...object};
    for (const {op, path, value} of JSON.parse(seen.body) as readonly {op: string; path: string; value: unknown}[]) {
      const key = path.slice(1);
      if (op === 'test' && JSON.stringify(fields[key]) !== JSON.stringify(value))
        return respondStatus(response, 422, 'Invalid', 'the server rejected our request: testing value failed');
      if (op === 'replace' || op === 'add') fields[key] = value;
    }
    respond(response, 200, this.put(plural, object.metadata.name, fields, namespace));
  }
}

export function respond(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  const isText = typeof body === 'string';
  response.writeHead(status, {'content-type': isText ? 'text/plain' : 'application/json', ...headers});
  response.end(isText ? body : JSON.stringify(body));
}

/** A failure as the API says it. */
export function respondStatus(
  response: ServerResponse,
  code: number,
  reason: string,
  message: string,
  more: {readonly details?: unknown; readonly headers?: Readonly<Record<string, string>>} = {},
): void {
  const details = more.details === undefined ? {} : {details: more.details};
  respond(response, code, {kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message, ...details}, more.headers);
}
