// Which API server, and as whom: the kubeconfig's files joined and one context of them picked, by kubectl's rules.
import {readFile} from 'node:fs/promises';
import {homedir} from 'node:os';
import {delimiter, dirname, isAbsolute, join, resolve} from 'node:path';
import {TriremeError} from '../kernel/errors.ts';
import {nearest} from '../kernel/nearest.ts';
import type {Environment} from '../kernel/proxy.ts';
import {readPodAccount} from './pod-account.ts';
import {parseKubeconfig, type Kubeconfig} from './kubeconfig.ts';

export interface ClusterEntry {
  /** `https://host:port`, perhaps with a path; no slash at its end. */
  readonly server: string;
  readonly caFile?: string;
  /** PEM. */
  readonly ca?: string;
  readonly insecure: boolean;
  readonly tlsServerName?: string;
  readonly proxyUrl?: string;
  readonly isCompressionOff: boolean;
}

export interface ExecPlugin {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: readonly {readonly name: string; readonly value: string}[];
  readonly installHint?: string;
  readonly provideClusterInfo: boolean;
  readonly interactiveMode: string;
  /** Of the cluster's extension `client.authentication.k8s.io/exec`. */
  readonly clusterConfig?: unknown;
}

export interface UserEntry {
  readonly name: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** PEM. */
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly exec?: ExecPlugin;
  readonly oidc?: Readonly<Record<string, string>>;
  readonly impersonate?: {
    readonly user?: string;
    readonly uid?: string;
    readonly groups: readonly string[];
    readonly extra: Readonly<Record<string, readonly string[]>>;
  };
}

/** One context, ready to connect. */
export interface Target {
  readonly context: string;
  readonly namespace: string;
  readonly cluster: ClusterEntry;
  readonly user: UserEntry;
  /** The files that it was read from, for messages. */
  readonly place: string;
  /** The cluster's entry has the extension `trireme-simulated`: it is the sandbox's. */
  readonly isSimulated: boolean;
}

export interface LoadOptions {
  readonly kubeconfig?: string;
  /** A kubeconfig that is no file: its text, and where it comes from, for messages. Goes before all files. */
  readonly content?: {readonly text: string; readonly place: string};
  readonly context?: string;
  readonly env: Environment;
}

const simulatedExtension = 'trireme-simulated';

type Body = Readonly<Record<string, unknown>>;
interface Loaded {
  readonly path: string;
  readonly config: Kubeconfig;
}

/** Reads what kubectl would read. Throws `file.not-found` for a file that was asked for by name, `kubeconfig.invalid` for the rest. */
export async function loadTarget(options: LoadOptions): Promise<Target> {
  if (options.content !== undefined) {
    const {text, place} = options.content;
    return pickContext([{path: place, config: parseKubeconfig(text, place)}], options.context);
  }
  const files = await loadFiles(options);
  if (files.length === 0) {
    const pod = options.context === undefined ? await readPodAccount(options.env) : undefined;
    if (pod !== undefined) return pod;
    throw new TriremeError(
      'file.not-found',
      `There's no kubeconfig: ${placesOf(options).join(' and ')} ${placesOf(options).length > 1 ? "don't" : "doesn't"} exist.`,
      {
        hints: ['Name one: --kubeconfig FILE, or set KUBECONFIG.'],
      },
    );
  }
  return pickContext(files, options.context);
}

function placesOf(options: LoadOptions): readonly string[] {
  if (options.kubeconfig !== undefined) return [resolve(options.kubeconfig)];
  const named = (options.env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  // as kubectl: a file that several entries name is read once
  return named.length > 0 ? [...new Set(named.map((path) => resolve(path)))] : [join(options.env['HOME'] ?? homedir(), '.kube', 'config')];
}

async function loadFiles(options: LoadOptions): Promise<readonly Loaded[]> {
  const files: Loaded[] = [];
  for (const path of placesOf(options)) {
    try {
      files.push({path, config: parseKubeconfig(await readFile(path, 'utf8'), path)});
    } catch (error) {
      const {code} = error as NodeJS.ErrnoException;
      if (error instanceof TriremeError) throw error;
      if (code !== 'ENOENT') throw new TriremeError('kubeconfig.invalid', `The kubeconfig ${path} can't be read: ${code ?? String(error)}.`, {cause: error});
      // kubectl passes over files of $KUBECONFIG that aren't there, never over the one that a flag names
      if (options.kubeconfig !== undefined) {
        throw new TriremeError('file.not-found', `The kubeconfig ${path} doesn't exist.`, {hints: ['Name another: --kubeconfig FILE.']});
      }
    }
  }
  return files;
}

function pickContext(files: readonly Loaded[], wanted: string | undefined): Target {
  const place = files.map((file) => file.path).join(', ');
  const invalid = (why: string, hints: readonly string[]) => new TriremeError('kubeconfig.invalid', `In the kubeconfig ${place}, ${why}.`, {hints});
  const names = files.flatMap((file) => file.config.contexts.map((one) => one.name));
  const context = wanted ?? files.map((file) => file.config['current-context']).find((name) => name !== '');
  const known = names.length === 0 ? 'It has no contexts.' : `It has: ${[...new Set(names)].join(', ')}.`;
  if (context === undefined) throw invalid('no context is the current one', [known, 'Choose one: --context NAME']);
  // of entries with one name the first file's counts
  const found = findFirst(files, (config) => config.contexts.find((one) => one.name === context)?.context);
  if (found === undefined) {
    const near = nearest(context, names);
    throw invalid(`there's no context ${context}`, [...(near === undefined ? [] : [`Did you mean ${near}?`]), known]);
  }
  const {cluster: clusterName, user: userName, namespace} = found.value as unknown as Readonly<Record<string, unknown>>;
  const cluster = findFirst(files, (config) => config.clusters.find((one) => one.name === clusterName)?.cluster);
  if (cluster === undefined)
    throw invalid(`the context ${context} names a cluster that isn't there: ${String(clusterName)}`, ['Correct it: kubectl config set-context']);
  const user = findFirst(files, (config) => config.users.find((one) => one.name === userName)?.user);
  // kubectl goes on without a user entry only when none is named
  if (user === undefined && typeof userName === 'string' && userName !== '' && !files.some((file) => file.config.users.some((one) => one.name === userName))) {
    throw invalid(`the context ${context} names a user that isn't there: ${userName}`, ['Correct it: kubectl config set-credentials']);
  }
  if (typeof cluster.value['server'] !== 'string' || !/^https?:\/\//.test(cluster.value['server'])) {
    throw invalid(`the cluster ${String(clusterName)} has no server address`, ['Correct it: kubectl config set-cluster NAME --server https://HOST:PORT']);
  }
  return {
    context,
    namespace: typeof namespace === 'string' && namespace !== '' ? namespace : 'default',
    cluster: readCluster(cluster.value, dirname(cluster.path)),
    user: readUser(String(userName ?? ''), user?.value ?? {}, dirname(user?.path ?? cluster.path), cluster.value),
    place,
    isSimulated: extensionsOf(cluster.value).some((one) => one['name'] === simulatedExtension),
  };
}

function findFirst<T>(files: readonly Loaded[], look: (config: Kubeconfig) => T | undefined | null): {readonly value: T; readonly path: string} | undefined {
  for (const {config, path} of files) {
    const value = look(config);
    if (value !== undefined && value !== null) return {value, path};
  }
  return undefined;
}

function readCluster(body: Body, folder: string): ClusterEntry {
  const text = reader(body);
  return {
    server: String(body['server']).replace(/\/+$/, ''),
    ...optional('caFile', absolute(text('certificate-authority'), folder)),
    ...optional('ca', decoded(text('certificate-authority-data'))),
    insecure: body['insecure-skip-tls-verify'] === true,
    ...optional('tlsServerName', text('tls-server-name')),
    ...optional('proxyUrl', text('proxy-url')),
    isCompressionOff: body['disable-compression'] === true,
  };
}

function readUser(name: string, body: Body, folder: string, cluster: Body): UserEntry {
  const text = reader(body);
  const exec = body['exec'] as Body | null | undefined;
  const provider = body['auth-provider'] as Body | null | undefined;
  if (provider?.['name'] !== undefined && provider['name'] !== 'oidc') {
    throw new TriremeError(
      'kubeconfig.invalid',
      `The user ${name} signs in by the auth-provider ${String(provider['name'])}, which kubectl dropped in v1.26.`,
      {
        hints: ['Get a kubeconfig with an exec plugin: of the cloud’s own program, for instance.'],
      },
    );
  }
  const impersonate = text('as') ?? (body['as-uid'] === undefined ? undefined : '');
  return {
    name,
    ...optional('certFile', absolute(text('client-certificate'), folder)),
    ...optional('keyFile', absolute(text('client-key'), folder)),
    ...optional('cert', decoded(text('client-certificate-data'))),
    ...optional('key', decoded(text('client-key-data'))),
    ...optional('token', text('token')),
    ...optional('tokenFile', absolute(text('tokenFile') ?? text('token-file'), folder)),
    ...optional('username', text('username')),
    ...optional('password', text('password')),
    ...(exec === null || exec === undefined ? {} : {exec: readExec(exec, folder, cluster)}),
    ...(provider?.['name'] === 'oidc' ? {oidc: stringsOf(provider['config'])} : {}),
    ...(impersonate === undefined
      ? {}
      : {
          impersonate: {
            ...optional('user', impersonate === '' ? undefined : impersonate),
            ...optional('uid', text('as-uid')),
            groups: Array.isArray(body['as-groups']) ? body['as-groups'].map(String) : [],
            extra: Object.fromEntries(
              Object.entries((body['as-user-extra'] ?? {}) as Body).map(([key, values]) => [
                key,
                Array.isArray(values) ? values.map(String) : [String(values)],
              ]),
            ),
          },
        }),
  };
}

function readExec(body: Body, folder: string, cluster: Body): ExecPlugin {
  const text = reader(body);
  const command = text('command') ?? '';
  const clusterConfig = extensionsOf(cluster).find((one) => one['name'] === 'client.authentication.k8s.io/exec')?.['extension'];
  return {
    apiVersion: text('apiVersion') ?? 'client.authentication.k8s.io/v1',
    // a path is relative to its file; a bare name is looked up in PATH
    command: command.includes('/') && !isAbsolute(command) ? join(folder, command) : command,
    args: Array.isArray(body['args']) ? body['args'].map(String) : [],
    env: Array.isArray(body['env']) ? (body['env'] as readonly Body[]).map((one) => ({name: String(one['name']), value: String(one['value'] ?? '')})) : [],
    ...optional('installHint', text('installHint')),
    provideClusterInfo: body['provideClusterInfo'] === true,
    interactiveMode: text('interactiveMode') ?? 'IfAvailable',
    ...(clusterConfig === undefined ? {} : {clusterConfig}),
  };
}

function extensionsOf(cluster: Body): readonly Body[] {
  return Array.isArray(cluster['extensions']) ? (cluster['extensions'] as readonly Body[]) : [];
}

function reader(body: Body): (key: string) => string | undefined {
  return (key) => {
    const value = body[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
}

function optional<K extends string, V>(key: K, value: V | undefined): {readonly [P in K]?: V} {
  return value === undefined ? {} : ({[key]: value} as {readonly [P in K]: V});
}

function absolute(path: string | undefined, folder: string): string | undefined {
  return path === undefined || isAbsolute(path) ? path : join(folder, path);
}

function decoded(base64: string | undefined): string | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('utf8');
}

function stringsOf(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries((value ?? {}) as Body).map(([key, item]) => [key, String(item)]));
}
