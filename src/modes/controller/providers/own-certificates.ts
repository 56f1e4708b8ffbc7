// Certificates of webhooks without cert-manager: each Certificate of the components becomes a Secret with a key and a certificate that is trusted by
// itself, and what calls the webhooks gets it as its authority.
import {createPrivateKey, generateKeyPair, X509Certificate} from 'node:crypto';
import {promisify} from 'node:util';
import {selfSignedServer} from '../../../kernel/certificate.ts';
import {isTriremeError, TriremeError} from '../../../kernel/errors.ts';
import type {KubeApi} from '../../../kube/api.ts';
import {type KubeObject, listAt, textAt} from '../../../kube/object.ts';
import {type Components, withLabels} from './components.ts';
import {lookAt} from './write-objects.ts';

/** On the Secrets, so that they are found again. */
export const ownCertificateLabel = 'trireme.dev/webhook-certificate';
/** When the certificate runs out, ISO 8601: to be seen without reading the Secret. */
export const expiresAnnotation = 'trireme.dev/certificate-expires';
const injectAnnotation = 'cert-manager.io/inject-ca-from';

const day = 86_400_000;
const validDays = 730;
/** One that runs out sooner is made anew. */
const renewDays = 90;

/** True where webhooks have certificates of ours already. */
export async function usesOwnCertificates(api: KubeApi, signal: AbortSignal): Promise<boolean> {
  try {
    const secrets = await api.list(await api.resource({apiVersion: 'v1', kind: 'Secret'}), {
      labelSelector: `${ownCertificateLabel}=own`,
      metadataOnly: true,
      signal,
    });
    return secrets.items.length > 0;
  } catch (error) {
    if (isTriremeError(error) && error.code === 'api.forbidden') return false;
    throw error;
  }
}

interface Issued {
  readonly certificate: string;
  readonly key: string;
  readonly expires: string;
}

export interface IssueOptions {
  readonly signal: AbortSignal;
  /** Learns the keys. */
  readonly hide: (secret: string) => void;
  readonly now?: () => Date;
}

/** The components without cert-manager's objects. Certificates that are there and good for a while are kept; without an API none are. */
export async function issueOwnCertificates(api: KubeApi | undefined, components: Components, options: IssueOptions): Promise<Components> {
  const wanted = components.objects.filter(({kind, apiVersion}) => kind === 'Certificate' && apiVersion.startsWith('cert-manager.io/'));
  const secrets = new Map<string, {readonly secret: KubeObject; readonly issued: Issued}>();
  for (const certificate of wanted) {
    const {namespace = components.namespace, name} = certificate.metadata;
    const dnsNames = listAt(certificate, 'spec', 'dnsNames').map(String);
    const secretName = textAt(certificate, 'spec', 'secretName');
    if (secretName === undefined || dnsNames.length === 0)
      throw new TriremeError(
        'provider.certificates-missing',
        `The Certificate ${namespace}/${name} names no Secret or no DNS name, so it can't be issued without cert-manager.`,
      );
    const issued = await issue(api, {namespace, secretName, dnsNames}, options);
    secrets.set(`${namespace}/${name}`, {secret: secretOf(namespace, secretName, issued, certificate), issued});
  }
  const rest = components.objects.filter(({apiVersion}) => !apiVersion.startsWith('cert-manager.io/'));
  const isNamespace = ({kind}: KubeObject) => kind === 'Namespace';
  const objects = [
    ...rest.filter(isNamespace),
    ...[...secrets.values()].map(({secret}) => secret),
    ...rest.filter((object) => !isNamespace(object)).map((object) => inject(object, secrets)),
  ];
  return {...components, objects};
}

async function issue(
  api: KubeApi | undefined,
  {namespace, secretName, dnsNames}: {readonly namespace: string; readonly secretName: string; readonly dnsNames: readonly string[]},
  {signal, hide, now = () => new Date()}: IssueOptions,
): Promise<Issued> {
  const live = api === undefined ? undefined : await lookAt(api, {apiVersion: 'v1', kind: 'Secret', metadata: {name: secretName, namespace}}, signal);
  const kept = live === undefined ? undefined : keptOf(live, dnsNames, now());
  if (kept !== undefined) {
    hide(kept.key);
    return kept;
  }
  const {privateKey} = await promisify(generateKeyPair)('rsa', {modulusLength: 2048});
  const notAfter = new Date(now().getTime() + validDays * day);
  const key = privateKey.export({type: 'pkcs8', format: 'pem'}).toString();
  hide(key);
  // a day back, for clocks that are behind
  const certificate = selfSignedServer({commonName: dnsNames[0] as string, dnsNames, key: privateKey, notBefore: new Date(now().getTime() - day), notAfter});
  return {certificate, key, expires: notAfter.toISOString()};
}

/** What is in a Secret of ours, when it fits and is good for long enough. */
function keptOf(secret: KubeObject, dnsNames: readonly string[], now: Date): Issued | undefined {
  const expires = secret.metadata.annotations?.[expiresAnnotation];
  if (expires === undefined || Date.parse(expires) - now.getTime() < renewDays * day) return undefined;
  const decode = (key: string) => Buffer.from(textAt(secret, 'data', key) ?? '', 'base64').toString();
  const [certificate, key] = [decode('tls.crt'), decode('tls.key')];
  try {
    const parsed = new X509Certificate(certificate);
    const fits = dnsNames.every((name) => parsed.checkHost(name) !== undefined) && parsed.checkPrivateKey(createPrivateKey(key));
    return fits ? {certificate, key, expires} : undefined;
  } catch {
    return undefined; // damaged: made anew
  }
}

function secretOf(namespace: string, name: string, {certificate, key, expires}: Issued, from: KubeObject): KubeObject {
  const encode = (text: string) => Buffer.from(text).toString('base64');
  const secret: KubeObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {name, namespace, annotations: {[expiresAnnotation]: expires}, ...(from.metadata.labels === undefined ? {} : {labels: from.metadata.labels})},
    type: 'kubernetes.io/tls',
    data: {'tls.crt': encode(certificate), 'tls.key': encode(key), 'ca.crt': encode(certificate)},
  };
  return withLabels(secret, {[ownCertificateLabel]: 'own'});
}

type Mutable = Record<string, unknown>;

/** Puts the authority where cert-manager would inject it. */
function inject(object: KubeObject, secrets: ReadonlyMap<string, {readonly issued: Issued}>): KubeObject {
  const from = object.metadata.annotations?.[injectAnnotation];
  const found = from === undefined ? undefined : secrets.get(from);
  if (from === undefined || found === undefined) return object;
  const caBundle = Buffer.from(found.issued.certificate).toString('base64');
  const copy = structuredClone(object) as unknown as Mutable & {metadata: {annotations: Mutable}};
  // cert-manager, should it come later, would look for a Certificate that isn't there
  delete copy.metadata.annotations[injectAnnotation];
  for (const config of clientConfigsOf(copy)) config['caBundle'] = caBundle;
  return copy as unknown as KubeObject;
}

function clientConfigsOf(object: unknown): readonly Mutable[] {
  const webhooks = listAt(object, 'webhooks').map((webhook) => (webhook as Mutable)['clientConfig']);
  const conversion = ['spec', 'conversion', 'webhook', 'clientConfig'].reduce<unknown>((value, key) => (value as Mutable | undefined)?.[key], object);
  return [...webhooks, conversion].filter((config): config is Mutable => config !== null && typeof config === 'object');
}

/** The authorities that an object has its webhooks checked by, and when its certificate runs out: what must be the same in a live one. */
export function certificateOf(object: KubeObject | undefined): string {
  return JSON.stringify([clientConfigsOf(object).map(({caBundle}) => caBundle), object?.metadata.annotations?.[expiresAnnotation]]);
}

/** True for objects that carry a certificate of ours, or trust one. */
export function carriesCertificate(object: KubeObject): boolean {
  return object.metadata.labels?.[ownCertificateLabel] !== undefined || clientConfigsOf(object).some(({caBundle}) => caBundle !== undefined);
}
