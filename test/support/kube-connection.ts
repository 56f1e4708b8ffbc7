// Connections to an API server for tests: a kubeconfig in a folder of its own, and what was warned of.
import {createPrivateKey, generateKeyPairSync} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {stringify} from 'yaml';
import {selfSignedAuthority} from '../../src/kernel/certificate.ts';
import {Redactor} from '../../src/kernel/redact.ts';
import type {KubeApi} from '../../src/kube/api.ts';
import {connect, type ConnectOptions} from '../../src/kube/client.ts';
import type {WatchTiming} from '../../src/kube/watch.ts';

/** As in production, a tenth as long. */
export const quickTiming: WatchTiming = {lifetime: 4000, grace: 1000, staleAfter: 200, maxDelay: 1000, pingAfter: 500, pingPatience: 500, openPatience: 1500};

export interface Connection {
  readonly api: KubeApi;
  readonly warnings: readonly string[];
  readonly redactor: Redactor;
  readonly kubeconfig: string;
  /** Ends everything that goes through it. */
  readonly stop: AbortController;
}

export interface Identity {
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly user?: Readonly<Record<string, unknown>>;
}

/** The text of a kubeconfig with one context, `test`. */
export function kubeconfigFor(server: string, identity: Identity = {}): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{name: 'test', cluster: {server, ...identity.cluster}}],
    users: [{name: 'tester', user: identity.user ?? {token: 'valid-token'}}],
    contexts: [{name: 'test', context: {cluster: 'test', user: 'tester', namespace: 'fleet'}}],
    'current-context': 'test',
  });
}

export async function connectTo(folder: string, server: string, identity: Identity = {}, options: Partial<ConnectOptions> = {}): Promise<Connection> {
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigFor(server, identity));
  const warnings: string[] = [];
  const redactor = new Redactor();
  const stop = new AbortController();
  const api = await connect({
    kubeconfig,
    signal: stop.signal,
    redactor,
    warn: (message) => warnings.push(message),
    env: {PATH: process.env['PATH']},
    watchTiming: quickTiming,
    ...options,
  });
  return {api, warnings, redactor, kubeconfig, stop};
}

export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

const hour = 3_600_000;

/** Self-signed, for the one name; `from` and `until` are hours from now. One with the key of another is that one renewed. */
export function testCertificate(
  commonName: string,
  {from = -1, until = 1, key}: {readonly from?: number; readonly until?: number; readonly key?: string} = {},
): TestCertificate {
  const privateKey = key === undefined ? generateKeyPairSync('rsa', {modulusLength: 2048}).privateKey : createPrivateKey(key);
  const cert = selfSignedAuthority({commonName, key: privateKey, notBefore: new Date(Date.now() + from * hour), notAfter: new Date(Date.now() + until * hour)});
  return {cert, key: privateKey.export({type: 'pkcs8', format: 'pem'}) as string};
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
