// What is wrong with a TLS connection: which certificate, since when, and what to do.
import {isIP} from 'node:net';
import type {DetailedPeerCertificate, TLSSocket} from 'node:tls';

export interface Why {
  readonly why: string;
  readonly hints: readonly string[];
  /** Asking again in a moment may help. */
  readonly isPassing: boolean;
}

interface TlsError extends NodeJS.ErrnoException {
  /** Only with ERR_TLS_CERT_ALTNAME_INVALID. */
  readonly cert?: {readonly subject?: {readonly CN?: string}; readonly subjectaltname?: string};
  /** The name that was asked for, with the same. */
  readonly host?: string;
  readonly reason?: string;
}

/** A certificate that the server showed. */
export interface SeenCertificate {
  readonly name: string;
  /** In ms since 1970. */
  readonly from: number;
  readonly until: number;
}

/** The server's certificate, and those that signed it. */
export function chainOf(socket: TLSSocket): readonly SeenCertificate[] {
  const chain: SeenCertificate[] = [];
  let one: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  const seen = new Set<string>();
  while (one?.fingerprint256 !== undefined && !seen.has(one.fingerprint256)) {
    seen.add(one.fingerprint256);
    chain.push({name: String(one.subject?.CN ?? ''), from: Date.parse(one.valid_from ?? ''), until: Date.parse(one.valid_to ?? '')});
    one = one.issuerCertificate; // of a self-signed one: itself
  }
  return chain;
}

/**
 * Whether OpenSSL finds anything wrong with the chain that the server showed. Reading the chain takes longer than the rest of a small request, so it's
 * read only then; by the time that Node tells of the failure there's nothing to read any more.
 */
export function isDoubted(socket: TLSSocket): boolean {
  const {_handle: handle} = socket as {readonly _handle?: {verifyError?(): unknown} | null};
  return handle?.verifyError === undefined || (handle.verifyError() ?? undefined) !== undefined;
}

/** True for what TLS itself refuses, on either side. */
export function isTlsFailure(error: NodeJS.ErrnoException): boolean {
  return explainTls(error, '') !== undefined;
}

/** Undefined for an error that isn't of TLS. */
export function explainTls(error: TlsError, host: string, chain: readonly SeenCertificate[] = []): Why | undefined {
  const {code = '', cert, host: asked = host} = error;
  const renew = "Renew the server's certificate (kubeadm certs renew apiserver, for a kubeadm cluster).";
  switch (code) {
    case 'CERT_HAS_EXPIRED': {
      const over = chain.find((one) => one.until < Date.now());
      return {why: `${named(over, chain)} has expired${over === undefined ? '' : ` on ${isoOf(over.until)}`}`, hints: [renew], isPassing: false};
    }
    case 'CERT_NOT_YET_VALID': {
      const early = chain.find((one) => one.from > Date.now());
      return {
        why: `${named(early, chain)} isn't valid yet${early === undefined ? '' : `, only from ${isoOf(early.from)} on`}`,
        hints: ['Is the clock of this computer right?'],
        isPassing: false,
      };
    }
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return {
        why: `the server's certificate is for ${cert?.subjectaltname ?? cert?.subject?.CN ?? 'other names'}, not for ${isIP(asked) === 0 ? 'the name' : 'the address'} ${asked}`,
        hints: ['Use an address that the certificate has, or name one: kubectl config set-cluster NAME --tls-server-name HOST'],
        isPassing: false,
      };
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'CERT_SIGNATURE_FAILURE':
      return {
        why: "the server's certificate isn't signed by the kubeconfig's certificate authority",
        hints: ['Is this the server that the kubeconfig was made for? If it was made anew, get its kubeconfig anew.'],
        isPassing: false,
      };
    default:
      break;
  }
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO' || code.startsWith('ERR_OSSL')) {
    const isAlert = /ALERT/.test(code) || /alert/.test(error.message);
    return {
      why: isAlert ? `the server refuses the TLS connection (${error.reason ?? code})` : `TLS fails (${error.reason ?? code})`,
      hints: isAlert
        ? ['Its client certificate may have expired, or be of another cluster: get the kubeconfig anew.']
        : ['Is it https at this address and port? And are certificate and key of the kubeconfig PEM?'],
      isPassing: false,
    };
  }
  return undefined;
}

function named(certificate: SeenCertificate | undefined, chain: readonly SeenCertificate[]): string {
  if (certificate === undefined || certificate === chain[0]) return `the server's certificate${certificate === undefined ? '' : ` (${certificate.name})`}`;
  return `the certificate authority ${certificate.name} of the server's certificate`;
}

function isoOf(time: number): string {
  return new Date(time).toISOString().replace('.000', '');
}
