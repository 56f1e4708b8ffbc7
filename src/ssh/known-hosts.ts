// known_hosts: who is who. Format of sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
import {createHash, createHmac, randomBytes, timingSafeEqual} from 'node:crypto';
import {mkdir, open, readFile, realpath} from 'node:fs/promises';
import {dirname} from 'node:path';
import {writeFileAtomic} from '../kernel/files.ts';
import {matchesPatterns} from './tokens.ts';

/** A line of a known_hosts file. */
export interface KnownHost {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly marker: '@cert-authority' | '@revoked' | undefined;
  /** Names, patterns, or one hashed name. */
  readonly hosts: readonly string[];
  readonly type: string;
  /** The key as SSH sends it. */
  readonly key: Buffer;
}

/** What the files say of a key that a host shows. */
export type KeyVerdict =
  | {readonly outcome: 'trusted'; readonly known: KnownHost}
  | {readonly outcome: 'revoked'; readonly known: KnownHost}
  | {readonly outcome: 'changed'; readonly known: KnownHost}
  /** `authority`: the host is known by a certificate authority only. `others`: known keys of other types. */
  | {readonly outcome: 'unknown'; readonly authority: KnownHost | undefined; readonly others: readonly KnownHost[]};

/** `SHA256:...`, as ssh-keygen prints it. */
export function fingerprint(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The type that a key says of itself. */
export function keyType(key: Buffer): string {
  return key.length < 4 ? '' : key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
}

/** Reads the files; one that isn't there has no lines. Lines that make no sense are left out, as ssh does. */
export async function readKnownHosts(files: readonly string[]): Promise<readonly KnownHost[]> {
  const lists = await Promise.all(files.map(async (file) => parseKnownHosts(await readFile(file, 'utf8').catch(() => ''), file)));
  return lists.flat();
}

export function parseKnownHosts(text: string, file: string): readonly KnownHost[] {
  return text.split('\n').flatMap((raw, index) => {
    const words = raw.trim().split(/\s+/);
    const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
    const [hosts, type, key] = words;
    if (hosts === undefined || hosts === '' || hosts.startsWith('#') || type === undefined || key === undefined) return [];
    if (marker !== undefined && marker !== '@cert-authority' && marker !== '@revoked') return [];
    const blob = Buffer.from(key, 'base64');
    if (keyType(blob) !== type) return [];
    return [{file, line: index + 1, marker, hosts: hosts.split(','), type, key: blob}];
  });
}

/** True when the line speaks of `name`, which may be hashed in it. */
export function speaksOf(known: Pick<KnownHost, 'hosts'>, name: string): boolean {
  const [first = ''] = known.hosts;
  if (!first.startsWith('|')) return matchesPatterns(known.hosts, name);
  const [, kind, salt = '', hash = ''] = first.split('|');
  if (kind !== '1') return false;
  const wanted = Buffer.from(hash, 'base64');
  const found = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return wanted.length === found.length && timingSafeEqual(wanted, found);
}

/**
 * Says what the lines hold of `key`, shown by a host of these names (best first). A key that is revoked anywhere for the host is refused even
 * when it is listed too. A later name only helps to trust: it never makes a key "changed".
 */
export function judgeHostKey(lines: readonly KnownHost[], names: readonly string[], key: Buffer): KeyVerdict {
  const type = keyType(key);
  const about = lines.filter((line) => names.some((name) => speaksOf(line, name)));
  const revoked = about.find((line) => line.marker === '@revoked' && line.key.equals(key));
  if (revoked !== undefined) return {outcome: 'revoked', known: revoked};
  const plain = about.filter((line) => line.marker === undefined);
  const trusted = plain.find((line) => line.key.equals(key));
  if (trusted !== undefined) return {outcome: 'trusted', known: trusted};
  const own = plain.filter((line) => names[0] !== undefined && speaksOf(line, names[0]));
  const changed = own.find((line) => line.type === type);
  if (changed !== undefined) return {outcome: 'changed', known: changed};
  return {outcome: 'unknown', authority: about.find((line) => line.marker === '@cert-authority'), others: own};
}

/** Key algorithms that ssh2 can verify, best first. `ssh-rsa` (SHA-1) is left out, as OpenSSH 8.8 does. */
const algorithms = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'rsa-sha2-512', 'rsa-sha2-256'] as const;
export type HostKeyAlgorithm = (typeof algorithms)[number];

/** The algorithms to offer: those of known keys first, so that a host doesn't show another key than the known one. */
export function hostKeyAlgorithms(lines: readonly KnownHost[], names: readonly string[]): HostKeyAlgorithm[] {
  const types = new Set(lines.filter((line) => line.marker === undefined && names.some((name) => speaksOf(line, name))).map((line) => line.type));
  const isKnown = (algorithm: string) => types.has(algorithm.startsWith('rsa-sha2') ? 'ssh-rsa' : algorithm);
  return [...algorithms.filter(isKnown), ...algorithms.filter((algorithm) => !isKnown(algorithm))];
}

export interface RecordOptions {
  readonly file: string;
  /** As in known_hosts: `h1` or `[h1]:2222`. */
  readonly name: string;
  readonly keys: readonly Buffer[];
  /** Write the name hashed (HashKnownHosts). */
  readonly hashed?: boolean;
  /** Take out lines of this name with keys of the same types first. */
  readonly replace?: boolean;
}

/** Adds keys of a host to a known_hosts file (0600, its folder 0700 when new). Adding is one write at the end, so that two at once lose nothing. */
export async function recordHostKeys(options: RecordOptions): Promise<void> {
  const file = await realpath(options.file).catch(() => options.file);
  await mkdir(dirname(file), {recursive: true, mode: 0o700});
  if (options.replace === true) await forgetHostKeys(file, options.name, options.keys.map(keyType));
  const lines = options.keys.map((key) => `${options.hashed === true ? hashedName(options.name) : options.name} ${keyType(key)} ${key.toString('base64')}\n`);
  const handle = await open(file, 'a+', 0o600);
  try {
    const {size} = await handle.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    await handle.appendFile(`${size > 0 && last[0] !== 10 ? '\n' : ''}${lines.join('')}`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Takes a name out of the lines with keys of these types; a line that then names nobody goes. */
async function forgetHostKeys(file: string, name: string, types: readonly string[]): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return;
  const lines = text.split('\n').flatMap((raw) => {
    const [known] = parseKnownHosts(raw, file);
    if (known === undefined || known.marker !== undefined || !types.includes(known.type) || !speaksOf(known, name)) return [raw];
    const left = known.hosts[0]?.startsWith('|') ? [] : known.hosts.filter((host) => host.toLowerCase() !== name.toLowerCase());
    if (left.length === known.hosts.length) return [raw]; // a pattern for many hosts isn't ours to change
    return left.length === 0 ? [] : [raw.replace(known.hosts.join(','), left.join(','))];
  });
  await writeFileAtomic(file, lines.join('\n'), {mode: 0o600});
}

function hashedName(name: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}
