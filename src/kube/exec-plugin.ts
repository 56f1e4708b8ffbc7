// Credentials from a program, as client.authentication.k8s.io/v1 has it: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
import {spawn} from 'node:child_process';
import {withDeadline} from '../kernel/cancel.ts';
import {TriremeError} from '../kernel/errors.ts';
import type {Environment} from '../kernel/proxy.ts';
import type {ClusterEntry, ExecPlugin, Target} from './load-kubeconfig.ts';

export interface ExecCredential {
  readonly token?: string;
  /** PEM. */
  readonly cert?: string;
  readonly key?: string;
  /** In ms since 1970; absent: valid until the server refuses it. */
  readonly expires?: number;
}

/** In ms; long enough to sign in with a browser. */
const patience = 120_000;
const kept = 2000;

export interface ExecPluginOptions {
  readonly env: Environment;
  readonly signal: AbortSignal;
}

/** Runs the plugin of a target's user. Its messages and questions are the person's own: stdin and stderr are handed on to a terminal. */
export async function runExecPlugin(target: Target, options: ExecPluginOptions): Promise<ExecCredential> {
  const plugin = target.user.exec as ExecPlugin;
  if (plugin.command === '')
    throw new TriremeError('kubeconfig.invalid', `The exec plugin of the user ${target.user.name} in ${target.place} names no command.`);
  const isInteractive = plugin.interactiveMode !== 'Never' && process.stdin.isTTY === true;
  if (plugin.interactiveMode === 'Always' && !isInteractive) {
    throw new TriremeError('api.unauthorized', `The exec plugin ${plugin.command} wants a terminal to sign in, and there's none.`, {
      hints: ['Run it in a terminal, or use a context with credentials that need nobody.'],
    });
  }
  const {stdout, stderr, code} = await run(plugin, target, isInteractive, options);
  if (code !== 0) {
    throw new TriremeError('api.unauthorized', `The exec plugin ${plugin.command} ended with ${code}${stderr === '' ? '.' : `: ${stderr}`}`, {
      hints: ['Sign in with it again.', `See what the kubeconfig ${target.place} calls it with, and run that by hand.`],
      details: {plugin: plugin.command},
    });
  }
  return parse(stdout, plugin);
}

interface PluginRun {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

function run(plugin: ExecPlugin, target: Target, isInteractive: boolean, options: ExecPluginOptions): Promise<PluginRun> {
  const signal = withDeadline(options.signal, patience);
  const env = {
    ...options.env,
    ...Object.fromEntries(plugin.env.map((one) => [one.name, one.value])),
    KUBERNETES_EXEC_INFO: infoFor(plugin, target, isInteractive),
  };
  return new Promise((resolve, reject) => {
    const child = spawn(plugin.command, plugin.args, {env, signal, stdio: [isInteractive ? 'inherit' : 'ignore', 'pipe', isInteractive ? 'inherit' : 'pipe']});
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr = `${stderr}${text}`.slice(-kept)));
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (options.signal.aborted) return reject(options.signal.reason);
      if (error.code === 'ENOENT' || error.code === 'EACCES') {
        return reject(
          new TriremeError('api.unauthorized', `The exec plugin ${plugin.command} ${error.code === 'ENOENT' ? "isn't installed" : "can't be run"}.`, {
            hints: plugin.installHint === undefined ? ['Install it, or use another context.'] : plugin.installHint.trim().split('\n'),
            cause: error,
          }),
        );
      }
      if (signal.aborted)
        return reject(new TriremeError('api.unauthorized', `The exec plugin ${plugin.command} gave nothing within ${patience / 1000} s.`, {cause: error}));
      reject(error);
    });
    child.on('close', (code) => resolve({stdout, stderr: stderr.trim(), code: code ?? 1}));
  });
}

function infoFor(plugin: ExecPlugin, target: Target, isInteractive: boolean): string {
  return JSON.stringify({
    apiVersion: plugin.apiVersion,
    kind: 'ExecCredential',
    spec: {interactive: isInteractive, ...(plugin.provideClusterInfo ? {cluster: clusterInfo(target.cluster, plugin.clusterConfig)} : {})},
  });
}

function clusterInfo(cluster: ClusterEntry, config: unknown): unknown {
  return {
    server: cluster.server,
    'tls-server-name': cluster.tlsServerName,
    'insecure-skip-tls-verify': cluster.insecure ? true : undefined,
    'certificate-authority-data': cluster.ca === undefined ? undefined : Buffer.from(cluster.ca).toString('base64'),
    'proxy-url': cluster.proxyUrl,
    config,
  };
}

function parse(stdout: string, plugin: ExecPlugin): ExecCredential {
  // what it printed may hold a secret: no message quotes it
  const wrong = (why: string) =>
    new TriremeError('api.unauthorized', `The exec plugin ${plugin.command} ${why}.`, {
      hints: ['See what the kubeconfig calls it with, and run that by hand.'],
    });
  let answer: {readonly kind?: unknown; readonly apiVersion?: unknown; readonly status?: Readonly<Record<string, unknown>>};
  try {
    answer = JSON.parse(stdout) as typeof answer;
  } catch {
    throw wrong('printed something that is no ExecCredential');
  }
  if (answer?.kind !== 'ExecCredential') throw wrong('printed something that is no ExecCredential');
  if (answer.apiVersion !== plugin.apiVersion) throw wrong(`speaks ${String(answer.apiVersion)}, and the kubeconfig wants ${plugin.apiVersion}`);
  const {token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp} = answer.status ?? {};
  if (typeof token !== 'string' && (typeof cert !== 'string' || typeof key !== 'string')) throw wrong('gave neither a token nor a certificate with its key');
  const expires = typeof expirationTimestamp === 'string' ? Date.parse(expirationTimestamp) : Number.NaN;
  return {
    ...(typeof token === 'string' && token !== '' ? {token} : {}),
    ...(typeof cert === 'string' && cert !== '' ? {cert} : {}),
    ...(typeof key === 'string' && key !== '' ? {key} : {}),
    ...(Number.isNaN(expires) ? {} : {expires}),
  };
}
