// The embedded management API over HTTPS on loopback: authentication, authorization, discovery, reads, watches and writes.
import {createServer, type Server} from 'node:https';
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {AddressInfo, Socket} from 'node:net';
import {mayDo, reviewAccess, reviewRules, whoAmI, type Tokens, type User} from './access.ts';
import {discoveryAnswer, simulatedHeader, versionAnswer} from './discovery.ts';
import {ApiFailure, forbidden, noSuchPath, notAllowed, notFound, unauthorized} from './failure.ts';
import type {Faults} from './faults.ts';
import type {KindRegistry} from './kinds.ts';
import {Reads, textOf, wantsMetadata} from './reads.ts';
import {openapiAnswer} from './openapi.ts';
import {parseBody, questionOf, readBody, resourceRequest, segmentsOf, type ResourceRequest} from './request.ts';
import {answerWrite, type WriteAnswer} from './write-requests.ts';
import type {ObjectStore} from './store.ts';
import {Watches} from './watches.ts';
import type {Writes} from './writes.ts';
import {isMap} from './schema.ts';
import {scaleOf} from './scale.ts';

export interface ServerParts {
  readonly store: ObjectStore;
  readonly kinds: KindRegistry;
  readonly writes: Writes;
  readonly tokens: Tokens;
  readonly faults: Faults;
  readonly certificate: string;
  readonly key: string;
  readonly bookmarkInterval: number;
}

export class ManagementServer {
  readonly reads: Reads;
  readonly watches: Watches;
  readonly #parts: ServerParts;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #requests = 0;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.reads = new Reads(parts.store);
    this.watches = new Watches(parts.store, {bookmarkInterval: parts.bookmarkInterval});
    this.#server = createServer(
      {cert: parts.certificate, key: parts.key, keepAliveTimeout: 60_000},
      (request, response) => void this.#answer(request, response),
    );
    this.#server.on('secureConnection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
    });
  }

  /** How many requests came, watches included. */
  get requests(): number {
    return this.#requests;
  }

  /** Listens on loopback; returns the port. */
  open(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  /** Cuts every connection in the middle of whatever it does. */
  cutConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.watches.close();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cutConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#requests += 1;
    response.setHeader(simulatedHeader, 'true');
    const warnings: string[] = [];
    try {
      const {faults} = this.#parts;
      if (faults.latency > 0) await new Promise((resolve) => setTimeout(resolve, faults.latency));
      await this.#dispatch(request, response, (message) => warnings.push(message));
    } catch (error) {
      const failure =
        error instanceof ApiFailure
          ? error
          : new ApiFailure(500, 'InternalError', `Internal error occurred: ${error instanceof Error ? error.message : String(error)}`);
      if (response.headersSent) return void response.destroy();
      if (failure.details.retryAfterSeconds !== undefined) response.setHeader('retry-after', String(failure.details.retryAfterSeconds));
      setWarnings(response, warnings);
      sendJson(response, failure.code, `${JSON.stringify(failure.status)}\n`);
    }
  }

  async #dispatch(request: IncomingMessage, response: ServerResponse, warn: (message: string) => void): Promise<void> {
    const method = request.method ?? 'GET';
    const url = new URL(request.url ?? '/', 'https://localhost');
    const path = url.pathname.replace(/\/+$/, '');
    if (path === '/healthz' || path === '/livez' || path === '/readyz') return void response.writeHead(200, {'content-type': 'text/plain'}).end('ok');
    const fault = this.#parts.faults.take({method, path});
    if (fault !== undefined) throw failureOf(fault.status, fault.retryAfter);
    if (path === '/version') return sendJson(response, 200, JSON.stringify(versionAnswer));
    const user = this.#parts.tokens.userOf(request.headers.authorization);
    if (user === undefined) throw unauthorized();
    const segments = segmentsOf(path);
    const discovered = method === 'GET' ? (discoveryAnswer(segments, this.#parts.kinds) ?? openapiAnswer(segments, this.#parts.kinds)) : undefined;
    if (discovered !== undefined) return sendJson(response, 200, `${JSON.stringify(discovered)}\n`);
    if (segments[0] !== 'api' && segments[0] !== 'apis') throw noSuchPath();
    if (segments[1] === 'authorization.k8s.io' || segments[1] === 'authentication.k8s.io') return this.#review(request, response, user, segments);
    const asked = resourceRequest(method, segments, url.searchParams, this.#parts.kinds);
    const question = questionOf(asked);
    if (!mayDo(user, question)) throw forbidden(user.name, {...question, ...(asked.name === undefined ? {} : {name: asked.name})});
    if (method === 'GET') return this.#read(asked, request, response);
    if (!['POST', 'PUT', 'PATCH', 'DELETE'].includes(method)) throw notAllowed(method);
    const type = request.headers['content-type'] ?? 'application/json';
    const bytes = await readBody(request);
    const warnings: string[] = [];
    const body = bytes.length === 0 ? undefined : await parseBody(bytes, type);
    const answer = answerWrite(this.#parts, asked, {
      body,
      type,
      agent: request.headers['user-agent'],
      warn: (message) => (warnings.push(message), warn(message)),
    });
    setWarnings(response, warnings);
    this.#sendWritten(answer, response, wantsMetadata(request.headers.accept));
  }

  #sendWritten(answer: WriteAnswer, response: ServerResponse, metadataOnly: boolean): void {
    const text = 'object' in answer ? textOf(answer.object, metadataOnly) : JSON.stringify(answer.body);
    sendJson(response, answer.status, `${text}\n`);
  }

  #read(asked: ResourceRequest, request: IncomingMessage, response: ServerResponse): void {
    const metadataOnly = wantsMetadata(request.headers.accept);
    if (asked.isWatch) return this.watches.start(asked, response, metadataOnly);
    if (asked.name === undefined) return sendPieces(response, this.reads.list(asked, metadataOnly));
    const object = this.#parts.store.get(asked.kind, asked.name, asked.namespace);
    if (object === undefined) throw notFound(asked.kind, asked.name);
    sendJson(response, 200, asked.subresource === 'scale' ? JSON.stringify(scaleOf(asked.kind, object)) : textOf(object, metadataOnly));
  }

  async #review(request: IncomingMessage, response: ServerResponse, user: User, segments: readonly string[]): Promise<void> {
    if (request.method !== 'POST') throw notAllowed(request.method ?? 'GET');
    const review = await parseBody(await readBody(request), request.headers['content-type'] ?? 'application/json');
    const answers: Readonly<Record<string, (user: User, review: Readonly<Record<string, unknown>>) => unknown>> = {
      selfsubjectaccessreviews: reviewAccess,
      selfsubjectrulesreviews: reviewRules,
      selfsubjectreviews: whoAmI,
    };
    const answer = answers[segments[3] ?? ''];
    if (answer === undefined) throw noSuchPath();
    sendJson(response, 201, `${JSON.stringify(answer(user, isMap(review) ? review : {}))}\n`);
  }
}

function failureOf(status: number, retryAfter: number | undefined): ApiFailure {
  const details = retryAfter === undefined ? {} : {retryAfterSeconds: retryAfter};
  if (status === 429) return new ApiFailure(429, 'TooManyRequests', 'The server has received too many requests and has asked us to try again later', details);
  if (status === 503) return new ApiFailure(503, 'ServiceUnavailable', 'the server is currently unable to handle the request', details);
  if (status === 401) return unauthorized();
  return new ApiFailure(status, 'InternalError', 'Internal error occurred: a fault that was asked for', details);
}

/** RFC 7234's Warning header, as the API server sends it. */
function setWarnings(response: ServerResponse, warnings: readonly string[]): void {
  const unique = [...new Set(warnings)].map((text) => `299 - "${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`);
  if (unique.length > 0) response.setHeader('warning', unique);
}

function sendJson(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {'content-type': 'application/json', 'content-length': Buffer.byteLength(text)}).end(text);
}

/** Large lists go out in chunks of about this many characters, so that nobody else waits long. */
const chunkSize = 256 * 1024;

function sendPieces(response: ServerResponse, pieces: readonly string[]): void {
  response.writeHead(200, {'content-type': 'application/json'});
  let chunk: string[] = [];
  let size = 0;
  for (const piece of pieces) {
    chunk.push(piece);
    size += piece.length;
    if (size < chunkSize) continue;
    response.write(chunk.join(''));
    chunk = [];
    size = 0;
  }
  response.end(chunk.join(''));
}
