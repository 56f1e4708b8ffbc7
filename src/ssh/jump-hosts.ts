// Jump hosts: each hop is a host of its own, with its own settings, key and login. Hosts behind the same one share its connection.
import {isTriremeError, TriremeError} from '../kernel/errors.ts';
import {retry} from '../kernel/retry.ts';
import {connect, type ConnectOptions, type SshConnection} from './connection.ts';
import type {SshContext} from './context.ts';
import {parseHop, resolveTarget, type HostTarget, type ResolvedTarget} from './target.ts';

interface Shared {
  readonly connection: Promise<SshConnection>;
  users: number;
}

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
export async function connectThrough(target: ResolvedTarget, options: Omit<ConnectOptions, 'via'>, trail: readonly string[] = []): Promise<SshConnection> {
  const {context} = options;
  for (const warning of target.warnings) context.warn?.(warning, target.host);
  const hop = await resolveHop(target, context);
  if (hop === undefined) return patiently(() => connect(target, options));
  const key = JSON.stringify([target.jump, target.configFile, target.knownHostsFiles]);
  // a hop that waits for itself would wait for ever
  if (trail.includes(key))
    throw new TriremeError('host.unreachable', `The jump hosts of ${target.host} lead in a circle.`, {
      host: target.host,
      hints: ['Look at ProxyJump in ssh_config and at ssh.jump in the file.'],
    });
  const via = await context.jumpHosts.take(key, () => connectHop(hop, target, context, [...trail, key]));
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

/** The last jump host before a host, with its own settings; undefined when the way is straight. */
export async function resolveHop(target: ResolvedTarget, context: SshContext): Promise<ResolvedTarget | undefined> {
  const last = target.jump.at(-1);
  if (last === undefined) return undefined;
  const hop = parseHop(last);
  const before = target.jump.slice(0, -1);
  const settings: HostTarget = {
    ...hop,
    host: hop.address,
    ...(target.configFile === undefined ? {} : {configFile: target.configFile}),
    // a single hop may have jump hosts of its own in ssh_config, a list says it all
    ...(before.length === 0 ? {} : {jump: before}),
    ...(target.knownHostsNamed ? {knownHostsFiles: target.knownHostsFiles} : {}),
    ...(target.identityFile === undefined ? {} : {identityFile: target.identityFile}),
    ...(target.passphrase === undefined ? {} : {passphrase: target.passphrase}),
  };
  return resolveTarget(settings, context.env);
}

async function connectHop(hop: ResolvedTarget, target: ResolvedTarget, context: SshContext, trail: readonly string[]): Promise<SshConnection> {
  try {
    return await connectThrough(hop, {context}, trail);
  } catch (error) {
    if (!isTriremeError(error)) throw error;
    throw new TriremeError(error.code, `The way to ${target.host} leads through ${hop.host}. ${error.message}`, {
      host: target.host,
      // what is said of the jump host is done by the host's name: only that is in the file
      hints: error.hints.map((hint) => hint.replaceAll(/(trireme host (?:check|trust)) \S+/g, `$1 ${target.host}`)),
      cause: error,
      ...(error.details === undefined ? {} : {details: error.details}),
    });
  }
}

/** A busy sshd drops connections before it greets (MaxStartups, sshd_config(5)): worth another try. */
function patiently(open: () => Promise<SshConnection>): Promise<SshConnection> {
  return retry(open, {attempts: 4, delay: 300, maxDelay: 2000, isRetryable: (error) => isTriremeError(error) && error.code === 'host.connection-lost'});
}
