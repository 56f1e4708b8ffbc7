// An HTTPS proxy in front of an API server that breaks what stands between: cuts, refusals, silence, latency, certificates, tokens. It speaks to the
// server with credentials of its own, and writes down every write that the server answered.
import {randomBytes} from 'node:crypto';
import {request as httpRequest, type IncomingMessage, type ServerResponse} from 'node:http';
import {Agent as HttpsAgent, createServer, request as httpsRequest, type Server} from 'node:https';
import type {AddressInfo, Socket} from 'node:net';
import {setTimeout} from 'node:timers/promises';
import type {TestCertificate} from './kube-connection.ts';
import {respondStatus} from './small-api.ts';

export interface Upstream {
  readonly server: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** A bearer token, where the server wants one. */
  readonly token?: string;
}

export interface DoneWrite {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly status: number;
}

export class FaultProxy {
  readonly writes: DoneWrite[] = [];
  /** Bearer tokens that are let through. */
  readonly tokens = new Set<string>();
  /** There and back, in ms. */
  latency = 0;
  /** Answers every request with it, or those that it picks. */
  refusal: {readonly status: number; readonly reason: string; readonly message: string; readonly headers?: Readonly<Record<string, string>>} | undefined;
  /** Every watch gets 410 instead of events. */
  isGone = false;
  /** How many requests were refused, and connections cut: a fault that never struck proves nothing. */
  struck = 0;
  readonly #upstream: Upstream;
  readonly #server: Server;
  readonly #agent: HttpsAgent;
  readonly #sockets = new Set<Socket>();
  #isSilent = false;
  #speaks: Promise<void> = Promise.resolve();
  #speak: () => void = () => {};

  constructor(upstream: Upstream, certificate: TestCertificate) {
    this.#upstream = upstream;
    const {ca, cert, key} = upstream;
    this.#agent = new HttpsAgent({
      keepAlive: true,
      ...(ca === undefined ? {} : {ca}),
      ...(cert === undefined ? {} : {cert}),
      ...(key === undefined ? {} : {key}),
    });
    this.#server = createServer({...certificate}, (request, response) => void this.#handle(request, response));
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
    this.#server.on('tlsClientError', () => (this.struck += 1));
  }

  /** On the port of one that was closed before, or on any. */
  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return this;
  }

  get server(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Cuts every connection, at once and without a word. */
  cut(): void {
    this.struck += this.#sockets.size;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** While silent nothing passes in either direction, and nothing is lost. */
  silence(isSilent: boolean): void {
    if (isSilent === this.#isSilent) return;
    this.#isSilent = isSilent;
    if (isSilent) this.#speaks = new Promise((resolve) => (this.#speak = resolve));
    else this.#speak();
  }

  /** What new connections are shown; those that stand are cut, as when the server is started anew. */
  certificate(certificate: TestCertificate): void {
    this.#server.setSecureContext({...certificate});
    // else a resumed session would go on without looking at it, which no server allows that was started anew
    this.#server.setTicketKeys(randomBytes(48));
    this.cut();
  }

  async close(): Promise<void> {
    this.silence(false);
    this.#agent.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {});
    let body = '';
    request.setEncoding('utf8');
    try {
      for await (const chunk of request) body += chunk as string;
    } catch {
      return; // cut while it was sent: the server never sees it
    }
    this.#way()(() => this.#decide(request, body, response));
  }

  #decide(request: IncomingMessage, body: string, response: ServerResponse): void {
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (!this.tokens.has(token)) {
      this.struck += 1;
      return respondStatus(response, 401, 'Unauthorized', 'Unauthorized');
    }
    if (this.refusal !== undefined) {
      const {status, reason, message, headers = {}} = this.refusal;
      this.struck += 1;
      return respondStatus(response, status, reason, message, {headers});
    }
    if (this.isGone && request.url?.includes('watch=1') === true) {
      this.struck += 1;
      response.writeHead(200, {'content-type': 'application/json'});
      response.end(`${JSON.stringify({type: 'ERROR', object: {kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version'}})}\n`);
      return;
    }
    this.#forward(request, body, response);
  }

  #forward(request: IncomingMessage, body: string, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.#upstream.server);
    const {authorization: _ours, host: _host, connection: _connection, ...rest} = request.headers;
    const {token} = this.#upstream;
    const headers = {...rest, ...(token === undefined ? {} : {authorization: `Bearer ${token}`})};
    const isSecure = url.protocol === 'https:';
    const deliver = this.#way();
    const forward = (isSecure ? httpsRequest : httpRequest)(
      url,
      {method: request.method ?? 'GET', headers, ...(isSecure ? {agent: this.#agent} : {})},
      (answer) => {
        if (request.method !== 'GET') this.writes.push({method: request.method ?? '', path: url.pathname, body, status: answer.statusCode ?? 0});
        deliver(() => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          response.flushHeaders();
        });
        answer.on('data', (chunk: Buffer) => deliver(() => response.write(chunk)));
        answer.on('end', () => deliver(() => response.end()));
        answer.on('error', () => response.destroy());
      },
    );
    forward.on('error', () => response.destroy());
    // a write that has come so far is done, whether or not anybody still hears of it
    if (request.method === 'GET') response.on('close', () => forward.destroy());
    forward.end(body);
  }

  /** One direction of one exchange: what is handed to it arrives in order, after the latency of one way, and not while it's silent. */
  #way(): (deliver: () => void) => void {
    let tail = Promise.resolve();
    return (deliver) => {
      const due = Date.now() + this.latency / 2;
      tail = tail.then(async () => {
        // timers may be a millisecond early
        while (due > Date.now()) await setTimeout(due - Date.now());
        if (this.#isSilent) await this.#speaks;
        deliver();
      });
    };
  }
}
