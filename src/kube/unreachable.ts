// Why a server can't be reached: which name, port or certificate, and what to do.
import {isIP} from 'node:net';
import {TriremeError} from '../kernel/errors.ts';
import {nameSubject, type ErrorContext} from './api-error.ts';
import type {NoAnswer} from './transport.ts';

interface Why {
  readonly why: string;
  readonly hints: readonly string[];
  /** Asking again in a moment may help. */
  readonly isPassing: boolean;
}

type SystemError = NodeJS.ErrnoException & {
  readonly cert?: {readonly valid_to?: string; readonly valid_from?: string; readonly subject?: {readonly CN?: string}; readonly subjectaltname?: string};
  readonly reason?: string;
  readonly library?: string;
};

/** True where the server may be back in a moment. */
export function isPassing(error: NoAnswer, server: string): boolean {
  return explain(error.cause as SystemError, server).isPassing;
}

/** The error for a request that got no answer. A write that may have arrived says so. */
export function unreachable(error: NoAnswer, context: ErrorContext): TriremeError {
  const {why, hints} = explain(error.cause as SystemError, context.server);
  const isUnknown = context.isWrite && error.isSent;
  const {verb} = context.subject;
  return new TriremeError(
    'api.unreachable',
    `Can't reach ${context.server}: ${why}.${isUnknown ? ` It isn't known whether it was told to ${verb} ${nameSubject(context.subject)} before.` : ''}`,
    {
      hints: [...(isUnknown ? ['Look before you try again: what was asked for may be done.'] : []), ...hints],
      cause: error.cause,
      details: {server: context.server, ...(isUnknown ? {outcome: 'unknown'} : {}), ...context.subject},
    },
  );
}

function explain(error: SystemError, server: string): Why {
  const url = new URL(server);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const {code = ''} = error;
  const checkAddress = `Is the address right, and is the way there open (VPN, firewall, proxy)? kubectl config view shows it.`;
  switch (code) {
    case 'ECONNREFUSED':
      return {why: `nobody listens on port ${port} of ${host}`, hints: ['Is the API server running?', checkAddress], isPassing: true};
    case 'ENOTFOUND':
      return {why: `the name ${host} doesn't resolve`, hints: [checkAddress], isPassing: false};
    case 'EAI_AGAIN':
      return {why: `the name server doesn't answer for ${host}`, hints: [checkAddress], isPassing: true};
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return {why: `there's no route to ${host}`, hints: [checkAddress], isPassing: true};
    case 'ETIMEDOUT':
    case 'ERR_SOCKET_CONNECTION_TIMEOUT':
      return {why: `${host} doesn't answer on port ${port}`, hints: [checkAddress], isPassing: true};
    case 'ECONNRESET':
    case 'EPIPE':
      return {why: 'the connection was cut', hints: [checkAddress], isPassing: true};
    default:
      return explainTls(error, host) ?? {why: error.message, hints: [checkAddress], isPassing: true};
  }
}

function explainTls(error: SystemError, host: string): Why | undefined {
  const {code = '', cert} = error;
  const renew = "Renew the server's certificate (kubeadm certs renew apiserver, for a kubeadm cluster).";
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return {
        why: `the server's certificate has expired${cert?.valid_to === undefined ? '' : ` on ${isoOf(cert.valid_to)}`}`,
        hints: [renew],
        isPassing: false,
      };
    case 'CERT_NOT_YET_VALID':
      return {
        why: `the server's certificate isn't valid yet${cert?.valid_from === undefined ? '' : `, only from ${isoOf(cert.valid_from)} on`}`,
        hints: ['Is the clock of this computer right?'],
        isPassing: false,
      };
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return {
        why: `the server's certificate is for ${cert?.subjectaltname ?? cert?.subject?.CN ?? 'other names'}, not for ${isIP(host) === 0 ? 'the name' : 'the address'} ${host}`,
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

function isoOf(date: string): string {
  const time = Date.parse(date);
  return Number.isNaN(time) ? date : new Date(time).toISOString().replace('.000', '');
}
