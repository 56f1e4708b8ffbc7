// The hosts of a file as targets: settings merged, secrets read, addresses known as far as the file tells.
import {readFile} from 'node:fs/promises';
import {homedir} from 'node:os';
import {isIP} from 'node:net';
import {resolve} from 'node:path';
import {TriremeError} from '../kernel/errors.ts';
import {nearest} from '../kernel/nearest.ts';
import type {Redactor} from '../kernel/redact.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import type {HostTarget} from '../ssh/target.ts';
import type {AgentHost, SecretSource, SshSettings} from '../spec/schema.ts';
import type {HostFacts} from './facts.ts';

/** A host of the file: how to reach it, and what limits match on. Holds secrets: never print it. */
export interface InventoryTarget extends HostTarget {
  readonly role: 'control-plane' | 'worker';
  readonly site: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** The node's addresses as far as the file tells; empty: the default route's, which only facts know. */
  readonly nodeAddresses: readonly string[];
}

export interface InventoryOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly redactor: Redactor;
}

/** All hosts of an agent-mode cluster, in the file's order. Throws `secret.missing` when a secret can't be read. */
export async function readTargets(cluster: Pick<DesiredCluster, 'document' | 'source'>, options: InventoryOptions): Promise<readonly InventoryTarget[]> {
  const agent = cluster.document.spec.agent;
  if (agent === undefined) return [];
  const targets: InventoryTarget[] = [];
  for (const host of agent.hosts) {
    const ssh = mergeSsh(agent.ssh, host.ssh);
    targets.push({
      host: host.name,
      role: host.role,
      site: host.site,
      labels: host.labels ?? {},
      address: host.address,
      nodeAddresses: fileNodeAddresses(host),
      ...(await readSsh(ssh, {...options, folder: cluster.source.folder, path: `spec.agent.hosts ${host.name} ssh`})),
    });
  }
  return targets;
}

export interface LeftHost {
  readonly name: string;
  readonly role: 'control-plane' | 'worker';
  readonly access: {readonly address: string; readonly port?: number; readonly user?: string};
}

/** Hosts that aren't in the file any more, reached by its settings for all hosts and what is noted of each. */
export async function targetsOfStrangers(
  cluster: Pick<DesiredCluster, 'document' | 'source'>,
  hosts: readonly LeftHost[],
  options: InventoryOptions,
): Promise<readonly InventoryTarget[]> {
  const {document} = cluster;
  const {agent} = document.spec;
  if (agent === undefined || hosts.length === 0) return [];
  const listed = hosts.map(({name, role, access: {address, ...ssh}}): AgentHost => ({name, role, address, ssh}));
  return readTargets({source: cluster.source, document: {...document, spec: {...document.spec, agent: {...agent, hosts: listed}}}}, options);
}

function mergeSsh(common: SshSettings | undefined, own: SshSettings | undefined): SshSettings {
  return {...common, ...own, ...(common?.sudo === undefined && own?.sudo === undefined ? {} : {sudo: {...common?.sudo, ...own?.sudo}})};
}

/** What the file says of a node's own addresses; a name isn't one. */
export function fileNodeAddresses(host: Pick<AgentHost, 'address' | 'nodeAddress'>): readonly string[] {
  if (host.nodeAddress !== undefined) return typeof host.nodeAddress === 'string' ? [host.nodeAddress] : host.nodeAddress;
  return isIP(host.address) === 0 ? [] : [host.address];
}

/** A node's addresses: the file's, else the default route's. */
export function nodeAddressesOf(target: Pick<InventoryTarget, 'nodeAddresses'>, facts: Pick<HostFacts, 'defaultRoute'> | undefined): readonly string[] {
  if (target.nodeAddresses.length > 0) return target.nodeAddresses;
  return facts?.defaultRoute === undefined ? [] : [facts.defaultRoute.address];
}

interface SecretPlace extends InventoryOptions {
  readonly folder: string;
  /** Where in the file, for the error. */
  readonly path: string;
}

async function readSsh(settings: SshSettings, place: SecretPlace): Promise<Omit<HostTarget, 'host' | 'address'>> {
  const {sudo, passphrase, identityFile, knownHosts, configFile, ...rest} = settings;
  const absolute = (path: string) => localPath(path, place.folder, place.env);
  return {
    ...rest,
    ...(identityFile === undefined ? {} : {identityFile: absolute(identityFile)}),
    ...(knownHosts === undefined ? {} : {knownHostsFiles: knownHosts.map(absolute)}),
    ...(configFile === undefined ? {} : {configFile: configFile === 'none' ? 'none' : absolute(configFile)}),
    ...(passphrase === undefined ? {} : {passphrase: await readSecret(passphrase, {...place, path: `${place.path}.passphrase`})}),
    ...(sudo?.password === undefined ? {} : {sudoPassword: await readSecret(sudo.password, {...place, path: `${place.path}.sudo.password`})}),
  };
}

function localPath(path: string, folder: string, env: InventoryOptions['env']): string {
  return path === '~' || path.startsWith('~/') ? resolve(env['HOME'] || homedir(), path.slice(2)) : resolve(folder, path);
}

/** Shorter secrets can't be redacted without redacting ordinary words. */
const shortestSecret = 4;

async function readSecret(source: SecretSource, place: SecretPlace): Promise<string> {
  const isEnv = 'fromEnv' in source;
  const name = isEnv ? `the environment variable ${source.fromEnv}` : `the file ${source.fromFile}`;
  const value = isEnv ? place.env[source.fromEnv] : await readSecretFile(source.fromFile, place);
  if (value === undefined || value === '') {
    throw new TriremeError('secret.missing', `${place.path} comes from ${name}, ${isEnv ? "which isn't set" : 'which is empty'}.`, {
      hints: [isEnv ? `Set it: export ${source.fromEnv}=...` : `Write the secret into ${source.fromFile}.`],
    });
  }
  if (value.length < shortestSecret) {
    throw new TriremeError('secret.missing', `${place.path} from ${name} is shorter than ${shortestSecret} characters, too short to be kept out of logs.`, {
      hints: ['Use a longer one.'],
    });
  }
  place.redactor.add(value);
  return value;
}

async function readSecretFile(path: string, place: SecretPlace): Promise<string> {
  try {
    return (await readFile(localPath(path, place.folder, place.env), 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    throw new TriremeError('secret.missing', `Can't read the file ${path} for ${place.path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}.`, {
      cause: error,
      hints: ['Paths are relative to the cluster file.'],
    });
  }
}

/**
 * The targets that a limit names: by name, by a pattern with * and ?, by `key=value` of a label, `role=worker`, `site=harbour`, or a role's name. Several add up.
 * Throws `host.not-found` when one names nothing.
 */
export function selectTargets<T extends Pick<InventoryTarget, 'host' | 'role' | 'site' | 'labels'>>(
  targets: readonly T[],
  limits: readonly string[] | undefined,
): readonly T[] {
  if (limits === undefined || limits.length === 0) return targets;
  const wanted = limits
    .flatMap((limit) => limit.split(','))
    .map((limit) => limit.trim())
    .filter((limit) => limit !== '');
  const chosen = new Set<T>();
  for (const limit of wanted) {
    const found = targets.filter((target) => matches(target, limit));
    if (found.length === 0) {
      const names = targets.map(({host}) => host);
      const near = nearest(limit, names);
      throw new TriremeError('host.not-found', `No host of the file matches ${limit}.`, {
        hints: [
          ...(near === undefined ? [] : [`Did you mean ${near}?`]),
          `The file has ${names.slice(0, 8).join(', ')}${names.length > 8 ? ` and ${names.length - 8} more` : ''}.`,
        ],
      });
    }
    for (const target of found) chosen.add(target);
  }
  return targets.filter((target) => chosen.has(target));
}

function matches(target: Pick<InventoryTarget, 'host' | 'role' | 'site' | 'labels'>, limit: string): boolean {
  const equals = limit.indexOf('=');
  if (equals > 0) {
    const [key, value] = [limit.slice(0, equals), limit.slice(equals + 1)];
    const own = Object.hasOwn(target.labels, key) ? target.labels[key] : key === 'role' ? target.role : key === 'site' ? target.site : undefined;
    return own !== undefined && patternOf(value).test(own);
  }
  return limit === target.role || patternOf(limit).test(target.host);
}

function patternOf(text: string): RegExp {
  return new RegExp(
    `^${text
      .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
}
