// Private keys on disk: read once per command, opened once, however many hosts take them.
import {readFile} from 'node:fs/promises';
import type {ParsedKey} from 'ssh2';

export type KeyFile =
  | {readonly state: 'missing'}
  /** `why`: as a part of a sentence. */
  | {readonly state: 'unusable'; readonly why: string}
  /** `publicKey` is known where a .pub file or the key file itself tells it. */
  | {readonly state: 'present'; readonly encrypted: boolean; readonly publicKey: Buffer | undefined; readonly text: string};

export type OpenedKey = {readonly key: ParsedKey} | {readonly why: 'no-passphrase' | 'wrong-passphrase' | 'unusable'; readonly message: string};

/** Asks for the passphrase of a key file; undefined when the person gives none. */
export type AskPassphrase = (path: string) => Promise<string | undefined>;

/** The private keys that a command has touched. Opening one may take a while (bcrypt), so it's done once. */
export class KeyFiles {
  readonly #files = new Map<string, Promise<KeyFile>>();
  readonly #opened = new Map<string, Promise<OpenedKey>>();

  look(path: string): Promise<KeyFile> {
    let file = this.#files.get(path);
    if (file === undefined) this.#files.set(path, (file = lookAt(path)));
    return file;
  }

  /** Opens a key with the passphrase given, else with the one that is asked for. */
  open(path: string, passphrase: string | undefined, ask: AskPassphrase | undefined): Promise<OpenedKey> {
    const id = `${path}\0${passphrase ?? ''}`;
    let opened = this.#opened.get(id);
    if (opened === undefined) this.#opened.set(id, (opened = this.#open(path, passphrase, ask)));
    return opened;
  }

  async #open(path: string, given: string | undefined, ask: AskPassphrase | undefined): Promise<OpenedKey> {
    const file = await this.look(path);
    if (file.state !== 'present') return {why: 'unusable', message: file.state === 'missing' ? "doesn't exist" : file.why};
    const passphrase = file.encrypted ? (given ?? (await ask?.(path))) : undefined;
    if (file.encrypted && (passphrase === undefined || passphrase === '')) return {why: 'no-passphrase', message: 'has a passphrase, and none was given'};
    const key = await parse(file.text, passphrase);
    if (!(key instanceof Error)) return {key};
    return file.encrypted ? {why: 'wrong-passphrase', message: "the passphrase isn't right"} : {why: 'unusable', message: key.message};
  }
}

async function parse(text: string, passphrase?: string): Promise<ParsedKey | Error> {
  const {default: ssh2} = await import('ssh2');
  const parsed = ssh2.utils.parseKey(text, passphrase) as ParsedKey | ParsedKey[] | Error;
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key === undefined) return new Error('holds no key');
  return key instanceof Error || key.isPrivateKey() ? key : new Error('is a public key, not a private one');
}

async function lookAt(path: string): Promise<KeyFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return {state: 'missing'};
    return {state: 'unusable', why: `can't be read (${code})`};
  }
  const container = openSshContainer(text);
  const publicKey = container?.publicKey ?? (await publicKeyBeside(path));
  if (container !== undefined) return {state: 'present', encrypted: container.encrypted, publicKey, text};
  if (text.includes('BEGIN ENCRYPTED PRIVATE KEY') || text.includes('BEGIN PRIVATE KEY')) {
    return {state: 'unusable', why: `is in PKCS#8, which isn't read here; turn it into OpenSSH's format: ssh-keygen -p -f ${path}`};
  }
  const encrypted = /^Proc-Type: 4,ENCRYPTED/m.test(text) || /^Encryption: (?!none)/m.test(text);
  if (encrypted || publicKey !== undefined) return {state: 'present', encrypted, publicKey, text};
  const key = await parse(text);
  return key instanceof Error ? {state: 'unusable', why: key.message} : {state: 'present', encrypted, publicKey: key.getPublicSSH(), text};
}

async function publicKeyBeside(path: string): Promise<Buffer | undefined> {
  const text = await readFile(`${path}.pub`, 'utf8').catch(() => '');
  const [, key] = text.trim().split(/\s+/);
  return key === undefined ? undefined : Buffer.from(key, 'base64');
}

/** OpenSSH's own format tells the public key even when the private part is encrypted (PROTOCOL.key of OpenSSH). */
function openSshContainer(text: string): {readonly publicKey: Buffer; readonly encrypted: boolean} | undefined {
  const [, body] = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END/.exec(text) ?? [];
  if (body === undefined) return undefined;
  const bytes = Buffer.from(body, 'base64');
  const magic = 'openssh-key-v1\0';
  if (bytes.subarray(0, magic.length).toString('latin1') !== magic) return undefined;
  let at = magic.length;
  const next = () => {
    const length = bytes.readUInt32BE(at);
    const part = bytes.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    return part;
  };
  try {
    const cipher = next().toString('latin1');
    next(); // how the passphrase becomes a key
    next(); // its options
    at += 4; // number of keys: one, always
    return {publicKey: Buffer.from(next()), encrypted: cipher !== 'none'};
  } catch {
    return undefined; // cut short
  }
}
