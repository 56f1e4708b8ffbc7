// Why a server can't be reached: which name, port or certificate, and what to do.
import {TriremeError} from '../kernel/errors.ts';
import {nameSubject, type ErrorContext} from './api-error.ts';
import {explainTls, type Why} from './tls-failure.ts';
import type {NoAnswer} from './transport.ts';

/** True where the server may be back in a moment. */
export function isPassing(error: NoAnswer, server: string): boolean {
  return explain(error, server).isPassing;
}

/** The error for a request that got no answer. A write that may have arrived says so. */
export function unreachable(error: NoAnswer, context: ErrorContext): TriremeError {
  const {why, hints} = explain(error, context.server);
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

function explain(failure: NoAnswer, server: string): Why {
  const error = failure.cause as NodeJS.ErrnoException;
  // somebody else asks for us, and says why there was no answer
  if (!URL.canParse(server)) return {why: error.message.replace(/\.$/, ''), hints: [], isPassing: true};
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
      return explainTls(error, host, failure.chain) ?? {why: error.message, hints: [checkAddress], isPassing: true};
  }
}
