// Connections to one API server: kept alive between requests, through a proxy where one is set.
import {Agent as HttpAgent, request as httpRequest, type AgentOptions} from 'node:http';
import {Agent as HttpsAgent, request as httpsRequest} from 'node:https';
import {isIP, type Socket} from 'node:net';
import {createSecureContext, connect as tlsConnect, type ConnectionOptions} from 'node:tls';
import {TriremeError} from '../kernel/errors.ts';
import {isLoopback, proxyFor, type Environment} from '../kernel/proxy.ts';
import type {TlsIdentity} from './credentials.ts';
import type {ClusterEntry} from './load-kubeconfig.ts';

/** A connection that nobody used for so long is closed, in ms: well before servers and balancers close it, perhaps under a write of ours. */
const idleLife = 20_000;
/** In ms. */
const connectPatience = 10_000;
/** Near: on this computer a connection, with TLS on both sides, takes longer than most answers. */
const callsAtOnce = {near: 4, far: 16};

export interface Agents {
  /** For calls: a few connections, used again. */
  readonly calls: HttpAgent;
  /** For watches: each holds a connection of its own. */
  readonly watches: HttpAgent;
  destroy(): void;
}

export function createAgents(cluster: ClusterEntry, tls: TlsIdentity, env: Environment): Agents {
  const url = new URL(cluster.server);
  const proxy = cluster.proxyUrl === undefined ? proxyFor(url, env) : new URL(cluster.proxyUrl);
  const secure = url.protocol === 'https:' ? secureOptions(url, tls) : undefined;
  const make = (options: AgentOptions) => createAgent(url, proxy, secure, options);
  const most = isLoopback(url.hostname) ? callsAtOnce.near : callsAtOnce.far;
  const calls = make({keepAlive: true, maxSockets: most, maxFreeSockets: most});
  const watches = make({keepAlive: false});
  return {
    calls,
    watches,
    destroy: () => {
      calls.destroy();
      watches.destroy();
    },
  };
}

function secureOptions(url: URL, tls: TlsIdentity): ConnectionOptions {
  const servername = tls.servername ?? hostOf(url);
  return {
    // certificates and keys are read once, not for each connection
    secureContext: createSecureContext({
      ...(tls.ca === undefined ? {} : {ca: tls.ca}),
      ...(tls.cert === undefined ? {} : {cert: tls.cert}),
      ...(tls.key === undefined ? {} : {key: tls.key}),
    }),
    rejectUnauthorized: tls.rejectUnauthorized,
    // an address is no SNI name (RFC 6066), but the certificate is checked against it all the same
    ...(isIP(servername) === 0 ? {servername} : {}),
  };
}

function createAgent(url: URL, proxy: URL | undefined, secure: ConnectionOptions | undefined, options: AgentOptions): HttpAgent {
  // sockets that idle are closed by this timeout; requests set their own
  const base = {...options, timeout: idleLife, scheduling: 'lifo' as const};
  const agent = secure === undefined ? new HttpAgent(base) : new HttpsAgent({...base, ...secure});
  if (proxy !== undefined) tunnelThrough(agent, url, proxy, secure);
  return agent;
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

type Connect = (options: unknown, done: (error: Error | null, socket?: Socket) => void) => undefined;

function tunnelThrough(agent: HttpAgent, url: URL, proxy: URL, secure: ConnectionOptions | undefined): void {
  const createConnection: Connect = (_options, done) => {
    openTunnel(url, proxy).then(
      (socket) => done(null, secure === undefined ? socket : tlsConnect({...secure, socket, host: hostOf(url)})),
      (error: unknown) => done(error as Error),
    );
    return undefined;
  };
  (agent as unknown as {createConnection: Connect}).createConnection = createConnection;
}

async function openTunnel(url: URL, proxy: URL): Promise<Socket> {
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  if (proxy.protocol.startsWith('socks')) {
    const {openSocks} = await import('./socks.ts');
    return openSocks(proxy, hostOf(url), port, connectPatience);
  }
  if (proxy.protocol !== 'http:' && proxy.protocol !== 'https:') {
    throw new TriremeError('kubeconfig.invalid', `The proxy ${proxy.host} has the scheme ${proxy.protocol}, and only http, https and socks5 are known.`);
  }
  const authority = `${url.hostname}:${port}`;
  const credentials = proxy.username === '' ? undefined : `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return new Promise((resolve, reject) => {
    const request = (proxy.protocol === 'https:' ? httpsRequest : httpRequest)({
      host: hostOf(proxy),
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: authority,
      headers: {
        host: authority,
        ...(credentials === undefined ? {} : {'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}`}),
      },
      agent: false,
    });
    request.setTimeout(connectPatience, () => request.destroy(new Error(`the proxy ${proxy.host} is silent`)));
    request.on('connect', (response, socket, head) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        return reject(new Error(`the proxy ${proxy.host} answers ${response.statusCode} to CONNECT ${authority}`));
      }
      socket.setTimeout(0);
      if (head.length > 0) socket.unshift(head);
      resolve(socket as Socket);
    });
    request.on('error', (error) => reject(new Error(`the proxy ${proxy.host} can't be used: ${error.message}`, {cause: error})));
    request.end();
  });
}
