// Jump hosts: each hop is a host of its own, with its own settings, key and login. Hosts behind the same one share its connection.
import {isTriremeError, TriremeError} from '../kernel/errors.ts';
import {retry} from '../kernel/retry.ts';
import {connect, type ConnectOptions, type SshConnection} from './connection.ts';
import type {SshContext} from './context.ts';
import {parseHop, resolveTarget, type ResolvedTarget} from './target.ts';

interface Shared {
  readonly connection: Promise<SshConnection>;
  users: number;
}

/** More hops than this are a loop. */
const longest = 8;

/** Open connections to jump hosts; each closes when the last host behind it does. */
export class JumpHosts {
  readonly #shared = new Map<string, Shared>();

  /** The connection to a jump host, opened by `open` for the first that needs it. Call `release` once for each call. */
  async take(key: string, open: () => Promise<SshConnection>): Promise<SshConnection> {
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      shared = {connection: open(), users: 0};
      this.#shared.set(key, shared);
    }
    shared.users += 1;
    try {
      const connection = await shared.connection;
      if (connection.lost === undefined) return connection;
    } catch (error) {
      if (this.#shared.get(key) === shared) this.#shared.delete(key);
      throw error;
    }
    if (this.#shared.get(key) === shared) this.#shared.delete(key);
    return this.take(key, open);
  }

  async release(key: string, connection: SshConnection): Promise<void> {
    const shared = this.#shared.get(key);
    if (shared === undefined || (await shared.connection) !== connection) return;
    shared.users -= 1;
    if (shared.users > 0) return;
    this.#shared.delete(key);
    connection.close();
  }
}

/** Connects to a host by way of its jump hosts. Throws `host.*` naming the hop that failed. */
export async function connectThrough(target: ResolvedTarget, options: Omit<ConnectOptions, 'via'>, depth = 0): Promise<SshConnection> {
  const {context} = options;
  for (const warning of target.warnings) context.warn?.(warning, target.host);
  const last = target.jump.at(-1);
  if (last === undefined) return patiently(() => connect(target, options));
  if (depth >= longest) throw new TriremeError('host.unreachable', `The jump hosts of ${target.host} lead in a circle: ${target.jump.join(', ')}.`, {host: target.host, hints: ['Look at ProxyJump in ssh_config and at ssh.jump in the file.']});
  const key = JSON.stringify([target.jump, target.configFile, target.knownHostsFiles]);
  const open = () => connectHop(last, target, context, depth);
  const via = await context.jumpHosts.take(key, open);
  const release = () => void context.jumpHosts.release(key, via);
  try {
    const connection = await patiently(() => connect(target, {...options, via}));
    connection.onLost(release);
    return connection;
  } catch (error) {
    release();
    throw error;
  }
}

async function connectHop(text: string, target: ResolvedTarget, context: SshContext, depth: number): Promise<SshConnection> {
  const hop = parseHop(text);
  const before = target.jump.slice(0, -1);
  const resolved = await resolveTarget(
    {
      ...hop,
      host: target.host,
      ...(target.configFile === undefined ? {} : {configFile: target.configFile}),
      // a single hop may have jump hosts of its own in ssh_config, a list says it all
      ...(before.length === 0 ? {} : {jump: before}),
      ...(target.knownHostsNamed ? {knownHostsFiles: target.knownHostsFiles} : {}),
      ...(target.identityFile === undefined ? {} : {identityFile: target.identityFile}),
      ...(target.passphrase === undefined ? {} : {passphrase: target.passphrase}),
    },
    context.env,
  );
  try {
    return await connectThrough({...resolved, host: hop.address}, {context}, depth + 1);
  } catch (error) {
    if (!isTriremeError(error)) throw error;
    throw new TriremeError(error.code, `The way to ${target.host} leads through ${hop.address}. ${error.message}`, {host: target.host, hints: error.hints.map((hint) => hint.replaceAll(/(trireme host (?:check|trust)) \S+/g, `$1 ${target.host}`)), cause: error, ...(error.details === undefined ? {} : {details: error.details})});
  }
}

/** A busy sshd drops connections before it greets (MaxStartups, sshd_config(5)): worth another try. */
function patiently(open: () => Promise<SshConnection>): Promise<SshConnection> {
  return retry(open, {attempts: 4, delay: 300, maxDelay: 2000, isRetryable: (error) => isTriremeError(error) && error.code === 'host.connection-lost'});
}
