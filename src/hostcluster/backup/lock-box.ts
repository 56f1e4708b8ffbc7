// Encryption by age (age-encryption.org/v1): with a passphrase, or for the holders of some keys. Any age program opens what is written here.
import {Readable} from 'node:stream';
import type {ReadableStream as WebStream} from 'node:stream/web';
import {TriremeError} from '../../kernel/errors.ts';

export interface Locks {
  readonly passphrase?: string;
  /** `age1...` */
  readonly recipients?: readonly string[];
}

export interface Keys {
  readonly passphrase?: string;
  /** `AGE-SECRET-KEY-1...` */
  readonly identities?: readonly string[];
}

/** Shorter ones are no protection: whoever has the file has all the time in the world. */
const shortest = 10;

/** Throws `usage.invalid` for what would protect nothing, before any work. */
export async function requireLocks(locks: Locks): Promise<void> {
  const {passphrase, recipients = []} = locks;
  if (passphrase === undefined && recipients.length === 0)
    throw new TriremeError('usage.answer-required', 'A backup holds the keys of the whole cluster, so it is encrypted, and nothing says for whom.', {
      hints: [
        'Set a passphrase: TRIREME_BACKUP_PASSPHRASE, or --passphrase-file FILE',
        'Or name who shall open it: --recipient age1... (age-keygen makes such a key)',
      ],
    });
  if (passphrase !== undefined && passphrase.length < shortest)
    throw new TriremeError('usage.invalid', `The passphrase has fewer than ${shortest} characters; a backup holds the keys of the whole cluster.`);
  const {Encrypter} = await import('age-encryption');
  for (const recipient of recipients) {
    try {
      new Encrypter().addRecipient(recipient);
    } catch (error) {
      throw new TriremeError('usage.invalid', `--recipient ${recipient.slice(0, 20)} isn't a public key of age: ${(error as Error).message}.`, {
        hints: ['It begins with age1: age-keygen prints it as "public key".'],
      });
    }
  }
}

/** What is read from `input`, encrypted. */
export async function lock(input: Readable, locks: Locks): Promise<Readable> {
  const {Encrypter} = await import('age-encryption');
  const encrypter = new Encrypter();
  if (locks.passphrase !== undefined) encrypter.setPassphrase(locks.passphrase);
  for (const recipient of locks.recipients ?? []) encrypter.addRecipient(recipient);
  return fromWeb(await encrypter.encrypt(toWeb(input)));
}

/** What `input` holds. Throws `backup.passphrase-wrong` or `backup.damaged`; a stream that is cut or changed further on fails while it is read. */
export async function unlock(input: Readable, keys: Keys, path: string): Promise<Readable> {
  const {Decrypter} = await import('age-encryption');
  const decrypter = new Decrypter();
  if (keys.passphrase !== undefined) decrypter.addPassphrase(keys.passphrase);
  for (const identity of keys.identities ?? []) {
    try {
      decrypter.addIdentity(identity);
    } catch (error) {
      throw new TriremeError('usage.invalid', `The identity file holds something that isn't a secret key of age: ${(error as Error).message}.`);
    }
  }
  try {
    return fromWeb(await decrypter.decrypt(toWeb(input)));
  } catch (error) {
    input.destroy();
    // the library has one class for all its errors
    if (error instanceof Error && error.message.includes('no identity matched'))
      throw new TriremeError('backup.passphrase-wrong', `${path} isn't opened by ${keys.passphrase === undefined ? 'this identity' : 'this passphrase'}.`, {
        hints: ['Nothing was touched.', 'Was it made for another passphrase, or for a key (--identity FILE)?'],
        cause: error,
      });
    throw damaged(path, (error as Error).message, error);
  }
}

export function damaged(path: string, why: string, cause?: unknown): TriremeError {
  return new TriremeError('backup.damaged', `${path} is damaged, or no backup of Trireme: ${why}.`, {
    hints: ['Nothing was touched.', 'Take another copy of it; its digest was printed when it was made.'],
    ...(cause === undefined ? {} : {cause}),
  });
}

// node:stream/web and the global types name the same classes
const toWeb = (input: Readable) => Readable.toWeb(input) as unknown as ReadableStream<Uint8Array>;
const fromWeb = (stream: ReadableStream<Uint8Array>) => Readable.fromWeb(stream as unknown as WebStream);
