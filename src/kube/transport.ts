// One request and its answer, over kept-alive connections, with whatever credentials are valid now. Decides nothing about trying again.
import {request as httpRequest, type IncomingHttpHeaders, type IncomingMessage} from 'node:http';
import {request as httpsRequest} from 'node:https';
import {TLSSocket} from 'node:tls';
import {finished} from 'node:stream/promises';
import {promisify} from 'node:util';
import {gunzip} from 'node:zlib';
import type {Environment} from '../kernel/proxy.ts';
import {createAgents, type Agents} from './agents.ts';
import type {Credentials, Identity} from './credentials.ts';
import {chainOf, isDoubted, isTlsFailure, type SeenCertificate} from './tls-failure.ts';

export interface HttpRequest {
  readonly method: string;
  /** With the query; begins with a slash. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
  /** On a connection of its own, which may stay open for long. */
  readonly isWatch?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A request that got no answer. `isSent` tells whether the server may have seen it. */
export class NoAnswer extends Error {
  readonly isSent: boolean;
  /** What the server showed, its own first. */
  readonly chain: readonly SeenCertificate[];
  constructor(cause: Error, isSent: boolean, chain: readonly SeenCertificate[] = []) {
    super(cause.message, {cause});
    this.isSent = isSent;
    this.chain = chain;
  }
}

/** The sandbox's API sets it to `true` in its answers. */
const simulatedHeader = 'trireme-simulated';
/** TCP asks a silent peer whether it's still there after so long, in ms; then every second, and gives up after ten. */
const probeAfter = 15_000;
/** In bytes. Of 500 machines 4 MiB are told. */
const unpackedAtOnce = 4 << 20;

export interface TransportOptions {
  readonly env: Environment;
  warn(message: string): void;
}

export class Transport {
  readonly #credentials: Credentials;
  readonly #options: TransportOptions;
  readonly #warned = new Set<string>();
  readonly #agents = new Map<string, Agents>();
  #requests = 0;
  #isSimulated = false;
  #isClosed = false;

  constructor(credentials: Credentials, options: TransportOptions) {
    this.#credentials = credentials;
    this.#options = options;
  }

  get requests(): number {
    return this.#requests;
  }

  /** The sandbox's API says so of itself, in every answer. */
  get isSimulated(): boolean {
    return this.#isSimulated;
  }

  /** The whole answer. Throws NoAnswer, or the signal's reason. */
  async call(request: HttpRequest): Promise<HttpAnswer> {
    const response = await this.open(request);
    try {
      return {status: response.statusCode ?? 0, headers: response.headers, text: await readText(response)};
    } catch (error) {
      response.destroy();
      if (request.signal.aborted) throw request.signal.reason;
      throw new NoAnswer(error as Error, true);
    }
  }

  /** The answer once its headers are there; its body must be read or destroyed. A 401 is tried again with renewed credentials. */
  async open(request: HttpRequest): Promise<IncomingMessage> {
    const identity = await settled(this.#credentials.current(), request.signal);
    let refusal: IncomingMessage | NoAnswer;
    try {
      const response = await this.#send(request, identity);
      if (response.statusCode !== 401) return response;
      refusal = response;
    } catch (error) {
      // a certificate or an authority that isn't accepted any more may have been renewed in the kubeconfig
      if (!(error instanceof NoAnswer) || !isTlsFailure(error.cause as NodeJS.ErrnoException)) throw error;
      refusal = error;
    }
    if (!(await settled(this.#credentials.renew(identity), request.signal))) {
      if (refusal instanceof NoAnswer) throw refusal;
      return refusal;
    }
    if (!(refusal instanceof NoAnswer)) refusal.resume();
    return this.#send(request, await settled(this.#credentials.current(), request.signal));
  }

  close(): void {
    this.#isClosed = true;
    for (const agents of this.#agents.values()) agents.destroy();
    this.#agents.clear();
  }

  #send(request: HttpRequest, identity: Identity): Promise<IncomingMessage> {
    const {cluster} = this.#credentials.target;
    const url = new URL(cluster.server + request.path);
    const agents = this.#agentsFor(identity);
    // servers pack large answers alone, which are then unpacked by another thread than ours: it pays on this computer, too
    const isPacked = !cluster.isCompressionOff && request.isWatch !== true;
    return new Promise((resolve, reject) => {
      if (request.signal.aborted) return reject(request.signal.reason);
      this.#requests += 1;
      let isSent = false;
      const message = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
        method: request.method,
        agent: request.isWatch === true ? agents.watches : agents.calls,
        signal: request.signal,
        headers: {
          accept: 'application/json',
          'user-agent': 'trireme',
          ...(isPacked ? {'accept-encoding': 'gzip'} : {}),
          ...identity.headers,
          ...request.headers,
          ...(request.body === undefined ? {} : {'content-length': String(Buffer.byteLength(request.body))}),
        } as Readonly<Record<string, string>>,
      });
      let chain: readonly SeenCertificate[] = [];
      message.on('socket', (socket) => {
        socket.setKeepAlive(true, probeAfter);
        const isReady = !socket.connecting && !(socket instanceof TLSSocket && (socket as {readonly secureConnecting?: boolean}).secureConnecting === true);
        isSent = isReady; // nothing leaves this computer before the connection, with TLS, stands
        if (isReady) return;
        socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => (isSent = true));
        // before TLS judges it: an error says that a certificate has expired, but not which and when
        if (socket instanceof TLSSocket)
          socket.prependOnceListener('secure', () => {
            if (isDoubted(socket)) chain = chainOf(socket);
          });
      });
      message.on('response', (response) => {
        // whoever reads the body hears of its end; one that nobody reads any more must not end the program
        response.on('error', () => {});
        this.#hearWarnings(response.headers);
        if (response.headers[simulatedHeader] === 'true') this.#isSimulated = true;
        resolve(response);
      });
      message.on('error', (error) => reject(request.signal.aborted ? request.signal.reason : new NoAnswer(error, isSent, chain)));
      message.end(request.body);
    });
  }

  #agentsFor(identity: Identity): Agents {
    const known = this.#agents.get(identity.connection);
    if (known !== undefined) return known;
    if (this.#isClosed) throw new Error('The connection to the API is closed.');
    const agents = createAgents(this.#credentials.target.cluster, identity.tls, this.#options.env);
    this.#agents.set(identity.connection, agents);
    return agents;
  }

  /** RFC 7234 `Warning: 299 - "text"`; each text is told once. */
  #hearWarnings(headers: IncomingHttpHeaders): void {
    const value = headers['warning'];
    if (value === undefined) return;
    for (const match of String(value).matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)) {
      const text = (match[1] ?? '').replace(/\\(.)/g, '$1');
      if (this.#warned.has(text)) continue;
      this.#warned.add(text);
      this.#options.warn(text);
    }
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  // events, and no asynchronous iteration: that costs a large answer, which comes in hundreds of pieces, some ms
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  await finished(response);
  if (!response.complete) throw new Error('the connection broke in the middle of the answer');
  const body = Buffer.concat(chunks);
  // whole, as each piece of it would come by a turn of its own
  const plain = response.headers['content-encoding'] === 'gzip' ? await promisify(gunzip)(body, {chunkSize: unpackedAtOnce}) : body;
  return plain.toString('utf8');
}

/** The work's result, unless the signal aborts before. */
function settled<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, {once: true});
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
