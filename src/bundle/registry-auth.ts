// How registries let us in: anonymous tokens, and the passwords that `docker login` left in config.json.
import {readFile} from 'node:fs/promises';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {TriremeError} from '../kernel/errors.ts';
import {readSmallBody, statusError, type HttpClient} from './http.ts';
import type {Environment} from '../kernel/proxy.ts';

export interface RegistryCredentials {
  /** `Basic ...`, or undefined when none are known for the registry. */
  readonly basic?: string;
  /** Why credentials that exist aren't used. */
  readonly unusable?: string;
}

interface DockerConfig {
  readonly auths?: Readonly<Record<string, {readonly auth?: string; readonly username?: string; readonly password?: string; readonly identitytoken?: string}>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

/** The credentials for a registry's host from `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`. Helper programs are never run. */
export async function findCredentials(host: string, env: Environment): Promise<RegistryCredentials> {
  const path = join(env['DOCKER_CONFIG'] || join(env['HOME'] || homedir(), '.docker'), 'config.json');
  let config: DockerConfig;
  try {
    config = JSON.parse(await readFile(path, 'utf8')) as DockerConfig;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    return {unusable: `${path} can't be read`};
  }
  const isDockerHub = host === 'docker.io' || host === 'registry-1.docker.io';
  const names = isDockerHub
    ? ['https://index.docker.io/v1/', 'index.docker.io', 'docker.io', 'registry-1.docker.io']
    : [host, `https://${host}`, `http://${host}`, `https://${host}/`, `https://${host}/v2/`];
  for (const name of names) {
    const entry = config.auths?.[name];
    if (entry?.auth) return {basic: `Basic ${entry.auth}`};
    if (entry?.username && entry.password) return {basic: `Basic ${Buffer.from(`${entry.username}:${entry.password}`).toString('base64')}`};
    if (entry?.identitytoken) return {unusable: `${path} has an identity token for ${name}, and only user name and password are understood`};
  }
  const helper = names.map((name) => config.credHelpers?.[name]).find((value) => value !== undefined) ?? config.credsStore;
  if (helper === undefined) return {};
  return {
    unusable: `${path} keeps them with the helper program docker-credential-${helper}, which Trireme doesn't run: a program named by a file isn't something to start unasked`,
  };
}

export interface Challenge {
  readonly scheme: 'bearer' | 'basic';
  readonly parameters: Readonly<Record<string, string>>;
}

/** Reads a WWW-Authenticate header (RFC 9110, 11.6.1); undefined for schemes that aren't understood. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const match = /^(bearer|basic)\b\s*(.*)$/i.exec(header ?? '');
  if (match === null) return undefined;
  const parameters: Record<string, string> = {};
  for (const pair of (match[2] ?? '').matchAll(/([a-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/gi)) {
    parameters[(pair[1] ?? '').toLowerCase()] = pair[2]?.replace(/\\(.)/g, '$1') ?? pair[3] ?? '';
  }
  return {scheme: (match[1] ?? '').toLowerCase() as Challenge['scheme'], parameters};
}

/** Answers a challenge with the value of an Authorization header; throws `bundle.source-refused`. */
export async function answerChallenge(
  challenge: Challenge | undefined,
  options: {
    readonly http: HttpClient;
    readonly host: string;
    readonly repository: string;
    readonly credentials: RegistryCredentials;
    readonly signal?: AbortSignal;
  },
): Promise<string> {
  const {http, host, repository, credentials, signal} = options;
  if (challenge?.scheme === 'basic') {
    if (credentials.basic !== undefined) return credentials.basic;
    throw refusedBy(host, repository, credentials);
  }
  const realm = challenge?.parameters['realm'];
  if (challenge === undefined || realm === undefined || !URL.canParse(realm)) {
    throw new TriremeError('bundle.source-refused', `The registry ${host} wants credentials in a way that Trireme doesn't understand.`, {
      hints: ['Name a mirror without it in spec.bundle.sources.'],
    });
  }
  const address = new URL(realm);
  if (challenge.parameters['service'] !== undefined) address.searchParams.set('service', challenge.parameters['service']);
  address.searchParams.set('scope', challenge.parameters['scope'] ?? `repository:${repository}:pull`);
  const response = await http(address.href, {headers: credentials.basic === undefined ? {} : {authorization: credentials.basic}, signal});
  if (response.status === 401 || response.status === 403) {
    response.body.destroy();
    throw refusedBy(host, repository, credentials);
  }
  if (response.status !== 200) throw statusError(`a token for ${host}`, response);
  const text = (await readSmallBody(`The token of ${host}`, response)).toString();
  let token: unknown;
  try {
    const answer = JSON.parse(text) as {token?: unknown; access_token?: unknown};
    token = answer.token ?? answer.access_token;
  } catch {
    token = undefined;
  }
  if (typeof token !== 'string' || token === '')
    throw new TriremeError('bundle.source-failed', `${address.origin} gives no token for ${host}.`, {details: {url: address.href, retryable: false}});
  return `Bearer ${token}`;
}

/** The registry refuses: whose credentials, and what to do. */
export function refusedBy(host: string, repository: string, credentials: RegistryCredentials): TriremeError {
  const why = credentials.unusable ?? (credentials.basic === undefined ? 'no credentials are known for it' : 'those of config.json are refused');
  return new TriremeError('bundle.source-refused', `The registry ${host} refuses to give ${repository}: ${why}.`, {
    hints: [
      `Check the name of the image, or put user name and password for ${host} into "auths" of ~/.docker/config.json (docker login without a helper does).`,
      'Or name a mirror in spec.bundle.sources.',
    ],
  });
}
