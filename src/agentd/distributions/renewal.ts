// When a certificate is due to be made anew, for every distribution.
import {X509Certificate} from 'node:crypto';
import type {AgentState, CertificateState, Wanted} from '../../hostcluster/protocol.ts';
import type {Target} from '../reconciler.ts';

const day = 24 * 60 * 60 * 1000;
/** A certificate is renewed so long before its end, in ms. */
const renewBefore = 30 * day;
/** kubeadm's own default, in ms. */
const defaultValidity = 365 * day;

/** A duration of Go, such as `8760h0m0s`, in ms; undefined for anything else. */
export function parseGoDuration(text: unknown): number | undefined {
  if (typeof text !== 'string' || !/^(\d+(\.\d+)?(h|m|s|ms))+$/.test(text)) return undefined;
  const units = {h: 3_600_000, m: 60_000, s: 1000, ms: 1} as const;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)].reduce((sum, [, value, unit]) => sum + Number(value) * units[unit as keyof typeof units], 0);
}

/** How long new certificates live, by the file, in ms. */
export function validityOf(wanted: Pick<Wanted, 'configuration'>): number {
  return parseGoDuration(wanted.configuration.kubeadm['certificateValidityPeriod']) ?? defaultValidity;
}

/**
 * 30 days before its end; where new ones live for less than 90 days, when a third of that is left: else a new one would be due again at once.
 * The kubelet renews its own after about 80 % of its life: only one that it has let come close to its end is ours to renew.
 */
export function renewsAt(certificate: Pick<CertificateState, 'notBefore' | 'notAfter' | 'renewedBy'>, validity: number): string | undefined {
  const end = Date.parse(certificate.notAfter);
  if (certificate.renewedBy === 'nobody') return undefined;
  if (certificate.renewedBy === 'kubelet') return iso(end - (end - Date.parse(certificate.notBefore)) / 50);
  return iso(end - Math.min(renewBefore, validity / 3));
}

export const iso = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

/** True when it shall be made anew now. */
export function isDue(certificate: Pick<CertificateState, 'renewsAt'>, now = Date.now()): boolean {
  return certificate.renewsAt !== undefined && Date.parse(certificate.renewsAt) <= now;
}

/** What a certificate in PEM says of itself; throws when it is none. */
export function describeCertificate(pem: string): Pick<CertificateState, 'subject' | 'issuer' | 'notBefore' | 'notAfter' | 'fingerprint'> {
  const certificate = new X509Certificate(pem);
  return {
    subject: commonName(certificate.subject),
    issuer: commonName(certificate.issuer),
    notBefore: iso(Date.parse(certificate.validFrom)),
    notAfter: iso(Date.parse(certificate.validTo)),
    fingerprint: certificate.fingerprint256,
  };
}

/** Node gives a name as lines of `CN=...`. */
function commonName(name: string | undefined): string {
  return /^CN=(.*)$/m.exec(name ?? '')?.[1] ?? name?.replaceAll('\n', ', ') ?? '';
}

const keys = {request: 'certificates.request', done: 'certificates.done'};

/** Asks for new certificates in place of all that were made before `at`; the reconciler `certificates` does it. */
export async function requestRenewal({records}: Pick<Target, 'records'>, at: string): Promise<void> {
  await records.set(keys.request, at);
}

/** What was asked for last. */
export function renewalOf({records}: Pick<Target, 'records'>): AgentState['renewal'] {
  const at = records.get<string>(keys.request);
  return at === undefined ? undefined : {at, done: records.get(keys.done) === at};
}

/** What was asked for is done. */
export async function noteRenewal({records}: Pick<Target, 'records'>, at: string): Promise<void> {
  await records.set(keys.done, at);
}
