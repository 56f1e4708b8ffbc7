// One SSH connection: the way there, the host's key, the login, and how it ends.
import type {Duplex} from 'node:stream';
import type {Client, ClientChannel} from 'ssh2';
import {isTriremeError, type TriremeError} from '../kernel/errors.ts';
import {createAuthentication} from './authentication.ts';
import {changedKey, forwardError, handshakeError, lostConnection, revokedKey, socketError, unknownKey} from './connect-errors.ts';
import {gatherIdentities} from './identity.ts';
import {hostKeyAlgorithms, judgeHostKey, readKnownHosts, type HostKeyAlgorithm} from './known-hosts.ts';
import {openProxyCommand, openSocket} from './proxy-socket.ts';
import type {SshContext} from './context.ts';
import type {ResolvedTarget} from './target.ts';

/** An open connection. `lost` is set once it's gone; calls then throw it. */
export interface SshConnection {
  readonly target: ResolvedTarget;
  readonly lost: TriremeError | undefined;
  /** Starts a command on a channel of its own. */
  exec(command: string, options?: {readonly pty?: PtySize}): Promise<ClientChannel>;
  /** A TCP connection from the host on. */
  forward(host: string, port: number): Promise<Duplex>;
  /** Calls back once, when the connection is gone. */
  onLost(listener: (error: TriremeError) => void): () => void;
  close(): void;
}

export interface PtySize {
  readonly rows: number;
  readonly columns: number;
  readonly term: string;
}

/** How long a connection may take from the first packet to the login, in ms. */
const defaultDeadline = 20_000;
/** Without an answer for three of these (ms) a connection counts as lost. */
const keepaliveInterval = 10_000;

/** Fast first: AES-GCM and X25519 run in node:crypto's native code. */
const algorithms = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group14-sha256',
    'diffie-hellman-group-exchange-sha256',
  ],
  cipher: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'aes128-ctr', 'aes256-ctr', 'chacha20-poly1305@openssh.com'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  compress: ['none'],
} as const;

export interface ConnectOptions {
  readonly context: SshContext;
  /** The connection to the last jump host. */
  readonly via?: SshConnection;
  /** Only these key algorithms, and every key is denied after it was seen: for looking at a host's keys. */
  readonly look?: {readonly algorithms: readonly HostKeyAlgorithm[]; seen(key: Buffer): void};
}

/** Connects and logs in. Throws `host.*`; what was opened is closed then. */
export async function connect(target: ResolvedTarget, options: ConnectOptions): Promise<SshConnection> {
  const {context, look} = options;
  const deadline = target.connectTimeout ?? context.connectDeadline ?? defaultDeadline;
  const [{default: ssh2}, knownHosts] = await Promise.all([import('ssh2'), readKnownHosts(target.knownHostsFiles)]);
  const identities = look === undefined ? await gatherIdentities(target, context.keyFiles, context.agents) : {list: [], left: []};
  const authentication = createAuthentication(
    target,
    identities,
    context.keyFiles,
    context.askPassphrase === undefined ? undefined : (path) => context.askPassphrase!(path, target.host),
  );
  const way = await openWay(target, deadline, options.via);
  const client = new ssh2.Client();
  let keyError: TriremeError | undefined;
  const verify = (key: Buffer): boolean => {
    if (look !== undefined) {
      look.seen(key);
      return false;
    }
    const verdict = judgeHostKey(knownHosts, target.keyNames, key);
    if (verdict.outcome === 'trusted') return true;
    keyError =
      verdict.outcome === 'revoked'
        ? revokedKey(target, key, verdict)
        : verdict.outcome === 'changed'
          ? changedKey(target, key, verdict)
          : unknownKey(target, key, verdict);
    return false;
  };
  const connection = new OpenConnection(target, client);
  await new Promise<void>((resolve, reject) => {
    const fail = (error: unknown) => {
      if ((error as {level?: unknown}).level === 'agent') return; // one key of an agent; the next ones follow
      client.destroy();
      way.stream.destroy();
      if (keyError !== undefined) reject(keyError);
      else if (isRefusal(error)) reject(authentication.failure(error));
      else void way.lastWords().then((words) => reject(handshakeError(target, error, deadline, words)));
    };
    client.on('error', fail);
    client.once('close', () => fail(new Error('the server closed the connection')));
    client.once('ready', () => {
      client.off('error', fail);
      client.removeAllListeners('close');
      connection.watch(way.stream);
      resolve();
    });
    client.connect({
      sock: way.stream as never,
      username: target.user,
      readyTimeout: deadline,
      keepaliveInterval,
      keepaliveCountMax: 3,
      hostVerifier: verify,
      authHandler: authentication.next as never,
      algorithms: {...algorithms, serverHostKey: look?.algorithms ?? hostKeyAlgorithms(knownHosts, target.keyNames)} as never,
    });
  });
  return connection;
}

async function openWay(
  target: ResolvedTarget,
  deadline: number,
  via: SshConnection | undefined,
): Promise<{readonly stream: Duplex; lastWords(): Promise<string | undefined>}> {
  const nothing = async () => undefined;
  if (via !== undefined) {
    try {
      return {stream: await via.forward(target.hostName, target.port), lastWords: nothing};
    } catch (error) {
      throw isTriremeError(error) ? error : forwardError(target, error, via.target.alias);
    }
  }
  if (target.proxyCommand !== undefined) return openProxyCommand(target.proxyCommand);
  try {
    return {stream: await openSocket(target.hostName, target.port, deadline), lastWords: nothing};
  } catch (error) {
    throw socketError(target, error);
  }
}

/** RFC 4253, 11.1: 2 is a protocol error, which OpenSSH says after too many keys; 14 is "no more auth methods available". */
function isRefusal(error: unknown): boolean {
  const {level, code, message} = error as {level?: unknown; code?: unknown; message?: unknown};
  return level === 'client-authentication' || code === 14 || (code === 2 && String(message).includes('authentication'));
}

class OpenConnection implements SshConnection {
  readonly target: ResolvedTarget;
  readonly #client: Client;
  readonly #listeners = new Set<(error: TriremeError) => void>();
  #lost: TriremeError | undefined;

  constructor(target: ResolvedTarget, client: Client) {
    this.target = target;
    this.#client = client;
  }

  get lost(): TriremeError | undefined {
    return this.#lost;
  }

  watch(stream: Duplex): void {
    let why = 'the other side closed it';
    let cause: unknown;
    const onError = (error: Error) => {
      if ((error as {level?: unknown}).level === 'agent') return;
      why = error.message === 'Keepalive timeout' ? 'it stopped answering' : error.message;
      cause = error;
    };
    this.#client.on('error', onError);
    stream.on('error', onError);
    this.#client.on('close', () => this.#end(lostConnection(this.target, why, cause)));
  }

  exec(command: string, options: {readonly pty?: PtySize} = {}): Promise<ClientChannel> {
    const {pty} = options;
    return this.#channel((done) => this.#client.exec(command, pty === undefined ? {} : {pty: {rows: pty.rows, cols: pty.columns, term: pty.term}}, done));
  }

  forward(host: string, port: number): Promise<Duplex> {
    return this.#channel((done) => this.#client.forwardOut('127.0.0.1', 0, host, port, done));
  }

  onLost(listener: (error: TriremeError) => void): () => void {
    if (this.#lost !== undefined) listener(this.#lost);
    else this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#client.end();
    this.#end(lostConnection(this.target, 'it was closed'));
  }

  #channel(open: (done: (error: Error | undefined, channel: ClientChannel) => void) => void): Promise<ClientChannel> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    return new Promise((resolve, reject) => {
      const stop = this.onLost(reject);
      try {
        open((error, channel) => {
          stop();
          if (error === undefined || error === null) resolve(channel);
          else reject(this.#lost ?? error);
        });
      } catch (error) {
        stop();
        reject(this.#lost ?? lostConnection(this.target, (error as Error).message, error));
      }
    });
  }

  #end(error: TriremeError): void {
    if (this.#lost !== undefined) return;
    this.#lost = error;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener(error);
  }
}
