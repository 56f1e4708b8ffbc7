// Offers keys to a server one by one, and remembers what was offered, for the day when none is taken.
import type {AnyAuthMethod, NextAuthHandler} from 'ssh2';
import {TriremeError} from '../kernel/errors.ts';
import type {Identities, Identity} from './identity.ts';
import type {AskPassphrase, KeyFiles} from './key-file.ts';
import type {ResolvedTarget} from './target.ts';

export interface Authentication {
  /** For ssh2's `authHandler`. */
  next(methodsLeft: readonly string[] | null, isPartial: boolean | null, done: NextAuthHandler): void;
  /** The error that tells what was offered and what the server would take. */
  failure(cause: unknown): TriremeError;
}

interface Offer {
  readonly method: string;
  readonly key?: string;
  readonly fingerprint?: string;
  /** Why it wasn't sent. */
  readonly skipped?: string;
}

/** Key after key, and at last `none`, which makes a server tell what it takes. */
export function createAuthentication(target: ResolvedTarget, identities: Identities, keyFiles: KeyFiles, ask: AskPassphrase | undefined): Authentication {
  const offers: Offer[] = [];
  const queue = [...identities.list];
  let accepts: readonly string[] | undefined;
  let wantsMore = false;
  let needsPassphrase: string | undefined;
  let askedNone = false;

  const open = async (identity: Identity): Promise<AnyAuthMethod | undefined> => {
    const told = {method: 'publickey', key: identity.name, ...(identity.fingerprint === undefined ? {} : {fingerprint: identity.fingerprint})};
    if (identity.agent !== undefined) {
      offers.push(told);
      return {type: 'agent', username: target.user, agent: identity.agent};
    }
    const opened = await keyFiles.open(identity.name, identity.explicit ? target.passphrase : undefined, ask);
    if ('key' in opened) {
      offers.push(told);
      return {type: 'publickey', username: target.user, key: opened.key} as AnyAuthMethod;
    }
    if (opened.why === 'no-passphrase' && identity.explicit) needsPassphrase = identity.name;
    offers.push({...told, skipped: opened.message});
    return undefined;
  };

  const advance = async (): Promise<AnyAuthMethod | false> => {
    // a server that takes no keys isn't shown any
    while (accepts === undefined || accepts.includes('publickey')) {
      const identity = queue.shift();
      if (identity === undefined) break;
      const method = await open(identity);
      if (method !== undefined) return method;
    }
    if (accepts !== undefined || askedNone) return false;
    askedNone = true;
    return {type: 'none', username: target.user};
  };

  return {
    next: (methodsLeft, isPartial, done) => {
      if (methodsLeft !== null) accepts = methodsLeft;
      if (isPartial === true) wantsMore = true;
      advance().then(
        (method) => done(method as never),
        () => done(false as never),
      );
    },
    failure: (cause) => {
      if (needsPassphrase !== undefined) {
        return new TriremeError('host.passphrase-required', `The private key ${needsPassphrase} for ${target.host} has a passphrase, and none was given.`, {
          host: target.host,
          cause,
          hints: ['Name where it comes from at ssh.passphrase (fromEnv or fromFile), or add the key to your agent: ssh-add'],
        });
      }
      const sent = offers.map(
        ({key, fingerprint, skipped}) =>
          `${key}${fingerprint === undefined ? '' : ` (${fingerprint})`}${skipped === undefined ? '' : `, not sent: ${skipped}`}`,
      );
      const tried = sent.length === 0 ? 'There was no key to offer.' : `Offered, in order: ${sent.join('; ')}.`;
      const takes = accepts === undefined ? '' : ` The server takes: ${accepts.join(', ') || 'nothing more'}.`;
      const more = wantsMore ? ' It took a key, but wants a second factor, which Trireme has not.' : '';
      const left = identities.left.length === 0 ? '' : ` Left out: ${identities.left.join('; ')}.`;
      return new TriremeError(
        'host.authentication-failed',
        `${target.host} doesn't let ${target.user} in at ${target.hostName}:${target.port}. ${tried}${left}${takes}${more}`,
        {
          host: target.host,
          cause,
          details: {user: target.user, offered: offers, left: identities.left, accepts: accepts ?? []},
          hints: [
            `Put one of these public keys into ~${target.user}/.ssh/authorized_keys on ${target.host}, or name the right user or key in the file (ssh.user, ssh.identityFile).`,
            `Compare with: ssh -v ${target.port === 22 ? '' : `-p ${target.port} `}${target.user}@${target.alias}`,
          ],
        },
      );
    },
  };
}
