// HTTP for downloads: redirects, the environment's proxies, idle deadlines. Bodies are streams. (Node 20's fetch knows no proxies.)
import {request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions} from 'node:http';
import {request as httpsRequest} from 'node:https';
import {connect as tlsConnect, rootCertificates} from 'node:tls';
import type {Socket} from 'node:net';
import {type Duplex, pipeline, type Readable} from 'node:stream';
import {isAbortError, TriremeError} from '../kernel/errors.ts';
import {proxyFor, type Environment} from '../kernel/proxy.ts';

export interface HttpRequest {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  /** Made anew for each request; its length is in the headers. A request with a body follows no redirect. */
  readonly body?: () => Readable;
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** After redirects. */
  readonly url: string;
  /** Must be read to its end or destroyed. */
  readonly body: IncomingMessage;
}

export type HttpClient = (url: string, request?: HttpRequest) => Promise<HttpResponse>;

export interface HttpOptions {
  readonly env: Environment;
  /** Ends a request on which no byte moves for so long, in ms. */
  readonly idleTimeout: number;
  /** Certificates in PEM that servers are trusted by, besides the usual ones. */
  readonly authority?: string;
}

const redirects = new Set([301, 302, 303, 307, 308]);
const maxRedirects = 8;

/** A client that follows redirects and never takes credentials to another origin; throws `bundle.source-failed`. */
export function createHttpClient(options: HttpOptions): HttpClient {
  return async (start, request = {}) => {
    let url = new URL(start);
    let headers: Readonly<Record<string, string>> = {...credentialsIn(url), ...request.headers};
    // from here on the address may be shown
    url.username = '';
    url.password = '';
    for (let hop = 0; ; hop += 1) {
      const response = await send(url, {...request, headers}, options);
      const status = response.statusCode ?? 0;
      const location = response.headers.location;
      if (!redirects.has(status) || location === undefined || request.body !== undefined)
        return {status, headers: response.headers, url: url.href, body: response};
      response.destroy();
      if (hop === maxRedirects)
        throw new TriremeError('bundle.source-failed', `${url.href} comes after more than ${maxRedirects} redirects.`, {
          details: {url: url.href, retryable: false},
        });
      const next = new URL(location, url);
      if (url.protocol === 'https:' && next.protocol === 'http:')
        throw new TriremeError('bundle.source-failed', `${url.href} redirects from HTTPS to plain HTTP (${next.origin}).`, {
          details: {url: url.href, retryable: false},
        });
      if (next.origin !== url.origin) headers = Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'));
      url = next;
    }
  };
}

async function send(url: URL, request: HttpRequest, options: HttpOptions): Promise<IncomingMessage> {
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new TriremeError('bundle.source-failed', `${url.href} isn't an HTTP address.`, {details: {url: url.href, retryable: false}});
  request.signal?.throwIfAborted();
  const proxy = proxyFor(url, options.env);
  try {
    const settings: RequestOptions = {
      method: request.method ?? 'GET',
      headers: {'user-agent': 'trireme', ...request.headers},
      signal: request.signal,
      ...trustOf(options),
    };
    const {body} = request;
    if (proxy === undefined) return await answer(url, settings, options, body);
    if (url.protocol === 'http:') {
      // a plain request goes to the proxy with the whole address in its first line
      return await answer(proxy, {...settings, path: url.href, headers: {...settings.headers, host: url.host, ...authorizationOf(proxy)}}, options, body);
    }
    const tunnel = await openTunnel(url, proxy, request.signal, options);
    const socket = tlsConnect({socket: tunnel as Socket, servername: url.hostname, ...trustOf(options)});
    // `agent: false` would make Node ignore createConnection; without an agent the socket serves this one request
    return await answer(url, {...settings, headers: {...settings.headers, host: url.host}, createConnection: () => socket}, options, body);
  } catch (error) {
    if (request.signal?.aborted === true) throw request.signal.reason;
    if (error instanceof TriremeError || isAbortError(error)) throw error;
    throw unreachable(url, proxy, error);
  }
}

function trustOf({authority}: HttpOptions): {readonly ca?: string[]} {
  return authority === undefined ? {} : {ca: [...rootCertificates, authority]};
}

function answer(target: URL, settings: RequestOptions, options: HttpOptions, body: HttpRequest['body']): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (target.protocol === 'https:' ? httpsRequest : httpRequest)(target, settings, (response) => {
      // whoever reads the body hears of its end; one that nobody reads any more must not end the program
      response.on('error', () => {});
      resolve(response);
    });
    request.setTimeout(options.idleTimeout, () => request.destroy(new Error(`no data for ${options.idleTimeout / 1000} s`)));
    request.on('error', reject);
    if (body === undefined) request.end();
    else pipeline(body(), request, (error) => error != null && reject(error));
  });
}

function openTunnel(url: URL, proxy: URL, signal: AbortSignal | undefined, options: HttpOptions): Promise<Duplex> {
  const authority = `${url.hostname}:${url.port || '443'}`;
  return new Promise((resolve, reject) => {
    const request = (proxy.protocol === 'https:' ? httpsRequest : httpRequest)(proxy, {
      method: 'CONNECT',
      path: authority,
      headers: {host: authority, ...authorizationOf(proxy)},
      agent: false,
      signal,
    });
    request.setTimeout(options.idleTimeout, () => request.destroy(new Error(`the proxy is silent for ${options.idleTimeout / 1000} s`)));
    request.on('connect', (response, socket, head) => {
      if (response.statusCode === 200) {
        if (head.length > 0) socket.unshift(head);
        return resolve(socket);
      }
      socket.destroy();
      reject(new Error(`the proxy answers ${response.statusCode} to CONNECT ${authority}`));
    });
    request.on('error', reject);
    request.end();
  });
}

function authorizationOf(proxy: URL): Record<string, string> {
  const {authorization} = credentialsIn(proxy);
  return authorization === undefined ? {} : {'proxy-authorization': authorization};
}

/** User name and password that stand in an address, as a header. */
function credentialsIn(url: URL): {readonly authorization?: string} {
  if (url.username === '') return {};
  return {authorization: `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString('base64')}`};
}

function unreachable(url: URL, proxy: URL | undefined, error: unknown): TriremeError {
  const reason = (error instanceof Error && (error.message || (error as {code?: string}).code)) || String(error);
  const through = proxy === undefined ? '' : ` through the proxy ${proxy.host}`;
  const untrusted = /certificate|self.signed|unable to (get|verify)/i.test(reason);
  return new TriremeError('bundle.source-failed', `Can't reach ${url.href}${through}: ${reason}.`, {
    hints: [
      ...(untrusted ? [`Name the authority that signed the certificate of ${url.host}, in PEM: spec.bundle.authority, or --authority.`] : []),
      `Check that this computer reaches ${url.host}${proxy === undefined ? '; HTTPS_PROXY and NO_PROXY are honoured' : ', or list it in NO_PROXY'}.`,
      'Name a mirror in spec.bundle.sources, or a bundle made elsewhere in spec.agent.bundle.',
    ],
    cause: error,
    details: {url: url.href, retryable: !untrusted},
  });
}

/** True for failures of reading that another try can mend. */
export function isRetryable(error: unknown): boolean {
  return error instanceof TriremeError && error.details?.['retryable'] === true;
}

/** The error for an answer that isn't the one hoped for. The body isn't read. */
export function statusError(what: string, response: HttpResponse): TriremeError {
  response.body.destroy();
  const {status, url} = response;
  const refused = status === 401 || status === 403;
  const hint =
    status === 404
      ? `Check that the version exists and that the address is right: ${url}`
      : `Ask whoever runs ${new URL(url).host}, or name a mirror in spec.bundle.sources.`;
  return new TriremeError(refused ? 'bundle.source-refused' : 'bundle.source-failed', `Can't fetch ${what}: ${url} answers ${status}.`, {
    hints: [hint],
    details: {url, status, retryable: status >= 500 || status === 429 || status === 408},
  });
}

/** Reads a small body whole; longer ones than `limit` bytes are refused. */
export async function readSmallBody(what: string, response: HttpResponse, limit = 4 * 1024 * 1024): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response.body) {
      length += (chunk as Buffer).length;
      if (length > limit)
        throw new TriremeError('bundle.source-failed', `${what} is longer than ${limit} bytes: ${response.url}`, {
          details: {url: response.url, retryable: false},
        });
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    if (error instanceof TriremeError || isAbortError(error)) throw error;
    throw new TriremeError('bundle.source-failed', `${what} breaks off: ${response.url}`, {cause: error, details: {url: response.url, retryable: true}});
  }
  return Buffer.concat(chunks);
}
