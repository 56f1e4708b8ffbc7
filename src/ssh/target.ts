// How a host is reached: what the cluster's file says, over what ssh_config says.
import {homedir, userInfo} from 'node:os';
import {isIP} from 'node:net';
import {join} from 'node:path';
import {TriremeError} from '../kernel/errors.ts';
import {readHostConfig, type HostConfig} from './ssh-config.ts';
import {expandHome, expandTokens} from './tokens.ts';

/** What the cluster's file says of one host. Secrets are already read; they never leave this room but to the host. */
export interface HostTarget {
  /** The host's name in the file: what people see. */
  readonly host: string;
  /** Name, alias of ssh_config, or address. */
  readonly address: string;
  readonly user?: string;
  readonly port?: number;
  /** Path of the private key. */
  readonly identityFile?: string;
  /** Passphrase of the private key. */
  readonly passphrase?: string;
  /** known_hosts files; absent: those of ssh_config. New keys are recorded in the first. */
  readonly knownHostsFiles?: readonly string[];
  /** Read instead of ~/.ssh/config and /etc/ssh/ssh_config; `none` reads none. */
  readonly configFile?: string;
  /** Jump hosts in order, as [user@]host[:port]; an empty list goes straight, whatever ssh_config says. */
  readonly jump?: readonly string[];
  readonly sudoPassword?: string;
}

/** A host with everything decided that is needed to reach it. */
export interface ResolvedTarget {
  readonly host: string;
  /** As written: `%n`. */
  readonly alias: string;
  /** What is connected to: `%h`. */
  readonly hostName: string;
  readonly port: number;
  readonly user: string;
  /** The names under which its key is looked up, best first. */
  readonly keyNames: readonly string[];
  /** The private key that the cluster's file names. */
  readonly identityFile: string | undefined;
  readonly passphrase: string | undefined;
  /** Private keys of ssh_config, or the usual ones. */
  readonly identityFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** Socket of the agent. */
  readonly identityAgent: string | undefined;
  readonly knownHostsFiles: readonly string[];
  /** True when the cluster's file names them: they then count for the jump hosts too. */
  readonly knownHostsNamed: boolean;
  readonly hashKnownHosts: boolean;
  readonly jump: readonly string[];
  readonly proxyCommand: string | undefined;
  /** In ms, where ssh_config says one. */
  readonly connectTimeout: number | undefined;
  /** ssh_config that also counts for the jump hosts. */
  readonly configFile: string | undefined;
  readonly sudoPassword: string | undefined;
  readonly warnings: readonly string[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

export const homeOf = (env: Environment) => env['HOME'] || homedir();

/** Puts together the file's settings, ssh_config and the defaults. Throws `file.invalid` for an ssh_config that can't be read. */
export async function resolveTarget(target: HostTarget, env: Environment): Promise<ResolvedTarget> {
  const home = homeOf(env);
  const localUser = env['USER'] || env['LOGNAME'] || userInfo().username;
  const config = await readHostConfig({alias: target.address, home, localUser, user: target.user, configFile: target.configFile});
  const user = target.user ?? config.first('user') ?? localUser;
  const alias = target.address;
  const hostName = expandTokens(config.first('hostname') ?? alias, {h: alias, n: alias}).replace(/^\[(.*)\]$/, '$1');
  const port = target.port ?? portOf(config);
  const tokens = {h: hostName, n: alias, p: String(port), r: user, u: localUser, d: home, k: config.first('hostkeyalias') ?? hostName};
  const path = (text: string) => expandHome(expandTokens(text, tokens), home);
  const hostKeyAlias = config.first('hostkeyalias');
  const proxy = proxyOf(config, target);
  return {
    host: target.host,
    alias,
    hostName,
    port,
    user,
    keyNames: hostKeyAlias === undefined ? keyNames(hostName, port) : [hostKeyAlias.toLowerCase()],
    identityFile: target.identityFile === undefined ? undefined : expandHome(target.identityFile, home),
    passphrase: target.passphrase,
    identityFiles: identityFiles(config, home).map(path),
    identitiesOnly: config.first('identitiesonly')?.toLowerCase() === 'yes',
    identityAgent: agentSocket(config.first('identityagent'), env, path),
    knownHostsFiles: (target.knownHostsFiles?.map((file) => expandHome(file, home)) ?? knownHostsFiles(config, home).map(path)).filter(
      (file) => file !== 'none',
    ),
    knownHostsNamed: target.knownHostsFiles !== undefined,
    hashKnownHosts: config.first('hashknownhosts')?.toLowerCase() === 'yes',
    jump: proxy.jump,
    proxyCommand: proxy.command === undefined ? undefined : expandTokens(proxy.command, tokens),
    connectTimeout: seconds(config.first('connecttimeout')),
    configFile: target.configFile,
    sudoPassword: target.sudoPassword,
    warnings: config.warnings,
  };
}

/** As OpenSSH: `[name]:port` when the port isn't 22, and then the bare name for a key that is known there. */
function keyNames(hostName: string, port: number): readonly string[] {
  const name = hostName.toLowerCase();
  return port === 22 ? [name] : [`[${name}]:${port}`, name];
}

function portOf(config: HostConfig): number {
  const port = Number(config.first('port') ?? 22);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 22;
}

function identityFiles(config: HostConfig, home: string): readonly string[] {
  const files = config.all('identityfile').filter((file) => file.toLowerCase() !== 'none');
  if (config.all('identityfile').length > 0) return files;
  return ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(home, '.ssh', name));
}

function knownHostsFiles(config: HostConfig, home: string): readonly string[] {
  const user = config.list('userknownhostsfile') ?? [join(home, '.ssh/known_hosts'), join(home, '.ssh/known_hosts2')];
  // a config file of one's own stands for all of ssh's settings, but the computer's list of keys goes on counting, as with `ssh -F`
  return [...user, ...(config.list('globalknownhostsfile') ?? ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'])];
}

function agentSocket(setting: string | undefined, env: Environment, path: (text: string) => string): string | undefined {
  if (setting === undefined || setting === 'SSH_AUTH_SOCK') return env['SSH_AUTH_SOCK'] || undefined;
  if (setting.toLowerCase() === 'none') return undefined;
  if (setting.startsWith('$')) return env[setting.slice(1).replace(/^\{(.*)\}$/, '$1')] || undefined;
  return path(setting);
}

/** The file's list wins; in ssh_config the first of ProxyJump and ProxyCommand wins, and `none` means none. */
function proxyOf(config: HostConfig, target: HostTarget): {readonly jump: readonly string[]; readonly command?: string} {
  if (target.jump !== undefined) return {jump: target.jump};
  const first = config.firstOf(['proxyjump', 'proxycommand']);
  if (first === undefined || first.value.toLowerCase() === 'none') return {jump: []};
  return first.key === 'proxyjump'
    ? {
        jump: first.value
          .split(',')
          .map((hop) => hop.trim())
          .filter((hop) => hop !== ''),
      }
    : {jump: [], command: first.value};
}

function seconds(text: string | undefined): number | undefined {
  const value = Number(text);
  return text !== undefined && Number.isFinite(value) && value > 0 ? value * 1000 : undefined;
}

/** Reads `[user@]host[:port]`, also as an ssh:// URL; an IPv6 address with a port is in brackets. Throws `file.invalid`. */
export function parseHop(text: string): {readonly user?: string; readonly address: string; readonly port?: number} {
  const [, user, place = ''] = /^(?:([^@]*)@)?(.*)$/.exec(text.replace(/^ssh:\/\//, '').replace(/\/$/, '')) ?? [];
  const base = user === undefined || user === '' ? {} : {user};
  if (isIP(place) === 6) return {...base, address: place};
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:\s]+))(?::(\d{1,5}))?$/.exec(place) ?? [];
  const address = bracketed ?? plain;
  if (address === undefined)
    throw new TriremeError('file.invalid', `The jump host "${text}" isn't written as [user@]host[:port].`, {
      hints: ['An IPv6 address with a port is in brackets: ops@[2001:db8::1]:22'],
    });
  return {...base, address, ...(port === undefined ? {} : {port: Number(port)})};
}
