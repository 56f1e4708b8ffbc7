// A cluster's secrets: made once, by the operator. Nothing in here is ever logged.
import {createHash, generateKeyPair, randomBytes, type KeyObject} from 'node:crypto';
import {promisify} from 'node:util';
import type {Redactor} from '../kernel/redact.ts';
import {pem, selfSignedAuthority} from '../kernel/certificate.ts';
import type {PemPair, Secrets} from './protocol.ts';

/** kubeadm's own choice for authorities, in years. */
const authorityYears = 10;
/** Hosts' clocks may be behind ours by this much, in ms. */
const clockLeeway = 60 * 60 * 1000;

const generateKeys = promisify(generateKeyPair);

/** Makes the authorities, the service-account key and the bootstrap token of a new cluster. */
export async function makeSecrets(now: Date = new Date()): Promise<Secrets> {
  const [ca, etcdCa, frontProxyCa, serviceAccount] = await Promise.all([
    makeAuthority('kubernetes', now),
    makeAuthority('etcd-ca', now),
    makeAuthority('front-proxy-ca', now),
    makeKeyPair(),
  ]);
  return {ca, etcdCa, frontProxyCa, serviceAccount, bootstrapToken: makeBootstrapToken()};
}

async function makeAuthority(commonName: string, now: Date): Promise<PemPair> {
  const {privateKey} = await generateKeys('rsa', {modulusLength: 2048});
  const notBefore = new Date(now.getTime() - clockLeeway);
  const notAfter = new Date(now);
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + authorityYears);
  return {certificate: selfSignedAuthority({commonName, key: privateKey, notBefore, notAfter}), key: privatePem(privateKey)};
}

async function makeKeyPair(): Promise<PemPair> {
  const {publicKey, privateKey} = await generateKeys('rsa', {modulusLength: 2048});
  return {certificate: pem('PUBLIC KEY', publicKey.export({type: 'spki', format: 'der'})), key: privatePem(privateKey)};
}

const privatePem = (key: KeyObject) => pem('PRIVATE KEY', key.export({type: 'pkcs8', format: 'der'}));

/** By the rule of bootstrap tokens: `[a-z0-9]{6}.[a-z0-9]{16}`. */
export function makeBootstrapToken(): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
  // 252 is the highest multiple of 36 in a byte: what is above it would favour some letters
  const draw = (length: number): string => {
    let text = '';
    while (text.length < length) for (const byte of randomBytes(length)) if (byte < 252 && text.length < length) text += letters[byte % letters.length];
    return text;
  };
  return `${draw(6)}.${draw(16)}`;
}

/** What tells this cluster from another one of the same name: the first 16 hex digits of the digest of its CA. */
export function clusterIdOf(secrets: Secrets): string {
  return createHash('sha256').update(secrets.ca.certificate.trim()).digest('hex').slice(0, 16);
}

/** The part of the secrets that a role needs: a worker gets no key. */
export function secretsForRole(secrets: Secrets, role: 'control-plane' | 'worker'): Secrets {
  return role === 'control-plane' ? secrets : {ca: {certificate: secrets.ca.certificate}, bootstrapToken: secrets.bootstrapToken};
}

/** Every secret value, for redaction: whole PEM texts, their lines' bodies, and the token. */
export function redactSecrets(redactor: Redactor, secrets: Omit<Secrets, 'bootstrapToken'> & {readonly bootstrapToken?: string}): void {
  redactor.add(secrets.bootstrapToken);
  redactor.add(secrets.bootstrapToken?.split('.')[1]);
  for (const pair of [secrets.ca, secrets.etcdCa, secrets.frontProxyCa, secrets.serviceAccount]) {
    if (pair?.key === undefined) continue;
    redactor.add(pair.key);
    redactor.add(pair.key.trim());
    for (const line of pair.key.split('\n')) if (line.length === 64) redactor.add(line);
  }
}

/** Reads secrets as a control plane has them; undefined for a text that isn't complete. */
export function parseSecrets(text: string): Secrets | undefined {
  try {
    const secrets = JSON.parse(text) as Partial<Secrets>;
    const complete = [secrets.ca, secrets.etcdCa, secrets.frontProxyCa, secrets.serviceAccount].every(
      (pair) => typeof pair?.certificate === 'string' && typeof pair.key === 'string',
    );
    return complete && typeof secrets.bootstrapToken === 'string' ? (secrets as Secrets) : undefined;
  } catch {
    return undefined;
  }
}
