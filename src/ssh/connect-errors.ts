// Why a connection can't be made, in words that a person can act on.
import {TriremeError} from '../kernel/errors.ts';
import type {ErrorCode} from '../kernel/error-codes.ts';
import {fingerprint, keyType, type KeyVerdict} from './known-hosts.ts';
import type {ResolvedTarget} from './target.ts';

type Place = Pick<ResolvedTarget, 'host' | 'hostName' | 'port' | 'alias'>;

const where = ({hostName, port}: Place) => `${hostName.includes(':') ? `[${hostName}]` : hostName}:${port}`;

/** The error for a socket that couldn't be opened. `via` names the jump host that tried. */
export function socketError(place: Place, error: unknown, via?: string): TriremeError {
  const codes = systemCodes(error);
  const from = via === undefined ? '' : ` from the jump host ${via}`;
  const make = (code: ErrorCode, why: string, hint: string) =>
    new TriremeError(code, `Can't reach ${place.host} over SSH${from}: ${why}`, {
      host: place.host,
      cause: error,
      hints: [hint, `Then try: trireme host check ${place.host}`],
    });
  if (codes.some((code) => code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EAI_NONAME' || code === 'EAI_FAIL')) {
    return make(
      'host.name-unresolved',
      `the name ${place.hostName} doesn't resolve to an address.`,
      `Write an address, or a name that resolves${via === undefined ? ' on this computer' : ` on ${via}`}, at the host's address in the file.`,
    );
  }
  if (codes.includes('ECONNREFUSED'))
    return make(
      'host.port-closed',
      `connection refused on port ${place.port} of ${place.hostName}.`,
      `Is an SSH server running there, on port ${place.port}? Another port goes to ssh.port in the file.`,
    );
  const why = codes.includes('ETIMEDOUT')
    ? 'no answer in time.'
    : codes.includes('EHOSTUNREACH') || codes.includes('ENETUNREACH')
      ? 'there is no route to it.'
      : `${messageOf(error)}.`;
  return make('host.unreachable', `${where(place)}: ${why}`, 'Is the host up, and does a firewall let this computer in?');
}

/** A jump host's answer to the wish to go on to the next host: only sshd's English text tells more than "failed". */
export function forwardError(place: Place, error: unknown, via: string): TriremeError {
  const reason = (error as {reason?: unknown}).reason;
  const text = messageOf(error).replace('(SSH) Channel open failure: ', '');
  // RFC 4254, 5.1: 1 is "administratively prohibited"
  if (reason === 1) {
    return new TriremeError('host.unreachable', `Can't reach ${place.host} over SSH: the jump host ${via} refuses to forward to ${where(place)} (${text}).`, {
      host: place.host,
      cause: error,
      hints: [`Allow it in sshd_config on ${via}: AllowTcpForwarding yes, and PermitOpen for this address.`],
    });
  }
  const code = /refused/i.test(text)
    ? 'ECONNREFUSED'
    : /not known|resolve|no address/i.test(text)
      ? 'ENOTFOUND'
      : /timed out/i.test(text)
        ? 'ETIMEDOUT'
        : /no route|unreachable/i.test(text)
          ? 'EHOSTUNREACH'
          : undefined;
  return socketError(place, code === undefined ? new Error(text) : Object.assign(new Error(text), {code}), via);
}

/** Nobody has said yet whether this key is the host's. */
export function unknownKey(place: Place, key: Buffer, verdict: Extract<KeyVerdict, {outcome: 'unknown'}>): TriremeError {
  const details = {type: keyType(key), fingerprint: fingerprint(key)};
  const others =
    verdict.others.length === 0
      ? ''
      : ` Known are other keys of it: ${verdict.others.map((known) => `${known.type} in ${known.file}:${known.line}`).join(', ')}.`;
  // ssh2 1.17 offers no host certificates (no *-cert-v01@openssh.com among its algorithms), so a CA's signature can't be seen, let alone trusted
  const authority =
    verdict.authority === undefined
      ? ''
      : ` ${verdict.authority.file}:${verdict.authority.line} trusts a certificate authority for it, but Trireme can't check host certificates, only plain keys.`;
  return new TriremeError(
    'host.key-unknown',
    `The host key of ${place.host} (${where(place)}) isn't known: ${details.type} ${details.fingerprint}.${others}${authority}`,
    {
      host: place.host,
      details,
      hints: [
        `Compare the fingerprint with the host's own (ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub), then record it: trireme host trust ${place.host}`,
      ],
    },
  );
}

/** The key isn't the recorded one. */
export function changedKey(place: Place, key: Buffer, verdict: Extract<KeyVerdict, {outcome: 'changed'}>): TriremeError {
  const {known} = verdict;
  const details = {type: keyType(key), fingerprint: fingerprint(key), known: fingerprint(known.key), file: known.file, line: known.line};
  return new TriremeError(
    'host.key-changed',
    `The host key of ${place.host} (${where(place)}) has changed: it shows ${details.type} ${details.fingerprint}, but ${known.file}:${known.line} has ${details.known}. Someone may be in between.`,
    {
      host: place.host,
      details,
      hints: [
        `If the host was installed anew, compare the fingerprint with the host's own, then replace the recorded key: trireme host trust ${place.host} --replace`,
      ],
    },
  );
}

export function revokedKey(place: Place, key: Buffer, verdict: Extract<KeyVerdict, {outcome: 'revoked'}>): TriremeError {
  const {known} = verdict;
  return new TriremeError(
    'host.key-revoked',
    `The host key of ${place.host} (${where(place)}), ${keyType(key)} ${fingerprint(key)}, is marked @revoked in ${known.file}:${known.line}.`,
    {
      host: place.host,
      details: {type: keyType(key), fingerprint: fingerprint(key), file: known.file, line: known.line},
      hints: ['Give the host a new key, and record that one.'],
    },
  );
}

/** What broke before a person was let in: no common algorithm, not an SSH server, a hang, a ProxyCommand that failed (`proxy`: its last words). */
export function handshakeError(place: Place, error: unknown, deadline: number, proxy?: string): TriremeError {
  const {level} = error as {level?: unknown};
  const message = messageOf(error);
  if (level === 'client-timeout')
    return new TriremeError(
      'host.unreachable',
      `Can't reach ${place.host} over SSH: ${where(place)} accepts connections, but SSH wasn't ready within ${deadline / 1000} s.`,
      {host: place.host, cause: error, hints: [`Is the host overloaded, or is port ${place.port} not SSH's? Try: ssh -v ${place.alias}`]},
    );
  if (level === 'handshake') {
    return new TriremeError('host.unreachable', `${place.host} (${where(place)}) and this computer can't agree on how to speak SSH: ${message}.`, {
      host: place.host,
      cause: error,
      hints: [`See what it offers: ssh -vv -p ${place.port} ${place.hostName}`],
    });
  }
  if (proxy !== undefined) {
    const said = proxy.split('\n').at(-1)?.trim().replace(/\.$/, '') || 'nothing';
    return new TriremeError('host.unreachable', `Can't reach ${place.host} over SSH: its ProxyCommand ended before the host answered, and said: ${said}.`, {
      host: place.host,
      cause: error,
      hints: [`Try it by hand: ssh ${place.alias} true`],
    });
  }
  return lostConnection(place, message, error);
}

/** The connection broke. */
export function lostConnection(place: Place, why: string, cause?: unknown): TriremeError {
  return new TriremeError('host.connection-lost', `The SSH connection to ${place.host} (${where(place)}) broke: ${why}.`, {
    host: place.host,
    cause,
    hints: [`Look whether it's up: trireme host check ${place.host}`, 'Run the same command again: what is done stays done.'],
  });
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message || error.name : String(error)).replace(/\.$/, '');
}

/** Codes of an error, and of those in it when several addresses were tried. */
function systemCodes(error: unknown): readonly string[] {
  const {code, errors} = error as {code?: unknown; errors?: readonly unknown[]};
  return [...(typeof code === 'string' ? [code] : []), ...(errors ?? []).flatMap(systemCodes)];
}
