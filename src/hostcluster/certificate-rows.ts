// All certificates of a cluster's hosts as rows: what ends first comes first; an authority once, with the hosts that know it by the same fingerprint.
import type {MemberFacts} from './facts.ts';
import {isDueAt} from './renew.ts';
import type {CertificateState} from './protocol.ts';

export interface HostCertificate extends CertificateState {
  readonly host: string;
  readonly state: 'valid' | 'due' | 'expired';
}

export interface Authority {
  readonly name: string;
  readonly fingerprint: string;
  readonly notAfter: string;
  readonly hosts: readonly string[];
}

/** How a certificate stands at that moment. */
export function standingOf(certificate: CertificateState, at: string): HostCertificate['state'] {
  if (Date.parse(certificate.notAfter) <= Date.parse(at)) return 'expired';
  return isDueAt(certificate, at) ? 'due' : 'valid';
}

export function certificatesOf(
  members: readonly MemberFacts[],
  at: string,
): {readonly certificates: readonly HostCertificate[]; readonly authorities: readonly Authority[]} {
  const all = members.flatMap(({host, seen}) => (seen?.certificates ?? []).map((one): HostCertificate => ({...one, host, state: standingOf(one, at)})));
  const authorities = new Map<string, Authority>();
  for (const {name, fingerprint, notAfter, host} of all.filter((one) => one.kind === 'authority')) {
    const key = `${name} ${fingerprint}`;
    authorities.set(key, {name, fingerprint, notAfter, hosts: [...(authorities.get(key)?.hosts ?? []), host]});
  }
  const certificates = all.filter((one) => one.kind === 'certificate').toSorted((a, b) => (a.notAfter < b.notAfter ? -1 : a.notAfter > b.notAfter ? 1 : 0));
  return {certificates, authorities: [...authorities.values()]};
}
