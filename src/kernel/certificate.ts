// Self-signed certificates of authorities and of servers (RFC 5280), encoded in DER. Keys and signatures are node:crypto's; here is only the encoding.
import {createHash, createPublicKey, randomBytes, sign, type KeyObject} from 'node:crypto';

export interface AuthorityOptions {
  readonly commonName: string;
  /** An RSA key. */
  readonly key: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** IPv4 addresses that it may be served from, besides the common name. */
  readonly addresses?: readonly string[];
}

/** A certificate in PEM of an authority that may sign certificates, as kubeadm makes them. */
export function selfSignedAuthority(options: AuthorityOptions): string {
  const publicKey = createPublicKey(options.key).export({type: 'spki', format: 'der'});
  // bits 0 digitalSignature, 2 keyEncipherment, 5 keyCertSign; the last two bits of the byte are unused
  const keyUsage = encode(0x03, Buffer.from([2, 0b1010_0100]));
  return selfSigned(options, publicKey, [
    extension(oid(2, 5, 29, 15), true, keyUsage),
    extension(oid(2, 5, 29, 19), true, sequence(encode(0x01, Buffer.from([0xff])))),
    extension(oid(2, 5, 29, 14), false, keyIdentifierOf(publicKey)),
    extension(oid(2, 5, 29, 17), false, sequence(dnsName(options.commonName), ...(options.addresses ?? []).map(ipv4))),
  ]);
}

export interface ServerOptions extends AuthorityOptions {
  /** At least one: clients look at nothing else. */
  readonly dnsNames: readonly string[];
}

/** A certificate in PEM of a TLS server that is trusted by itself: clients get it as their authority. */
export function selfSignedServer(options: ServerOptions): string {
  const publicKey = createPublicKey(options.key).export({type: 'spki', format: 'der'});
  // bits 0 digitalSignature, 2 keyEncipherment; the last five bits of the byte are unused
  const keyUsage = encode(0x03, Buffer.from([5, 0b1010_0000]));
  return selfSigned(options, publicKey, [
    extension(oid(2, 5, 29, 15), true, keyUsage),
    extension(oid(2, 5, 29, 37), false, sequence(oid(1, 3, 6, 1, 5, 5, 7, 3, 1))),
    extension(oid(2, 5, 29, 19), true, sequence()),
    extension(oid(2, 5, 29, 14), false, keyIdentifierOf(publicKey)),
    extension(oid(2, 5, 29, 17), false, sequence(...options.dnsNames.map(dnsName), ...(options.addresses ?? []).map(ipv4))),
  ]);
}

function selfSigned(options: AuthorityOptions, publicKey: Buffer, extensions: readonly Buffer[]): string {
  const name = sequence(set(sequence(oid(2, 5, 4, 3), utf8(options.commonName))));
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))), // version 3
    integer(positive(randomBytes(16))),
    sha256WithRsa,
    name,
    sequence(time(options.notBefore), time(options.notAfter)),
    name,
    publicKey,
    explicit(3, sequence(...extensions)),
  );
  const signature = sign('sha256', body, options.key);
  return pem('CERTIFICATE', sequence(body, sha256WithRsa, bits(signature)));
}

/** DER as PEM, in lines of 64 characters. */
export function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function extension(id: Buffer, critical: boolean, value: Buffer): Buffer {
  return sequence(id, ...(critical ? [encode(0x01, Buffer.from([0xff]))] : []), octets(value));
}

/** RFC 5280, 4.2.1.2, method 1. */
function keyIdentifierOf(publicKey: Buffer): Buffer {
  return octets(createHash('sha1').update(subjectPublicKey(publicKey)).digest());
}

const dnsName = (name: string) => encode(0x82, Buffer.from(name, 'ascii'));
const ipv4 = (address: string) => encode(0x87, Buffer.from(address.split('.').map(Number)));

/** The key's own bytes: the content of the bit string that ends a SubjectPublicKeyInfo. */
function subjectPublicKey(spki: Buffer): Buffer {
  const outer = content(spki);
  const algorithm = spki.length - outer.length + elementLength(outer);
  return content(spki.subarray(algorithm)).subarray(1);
}

function headerLength(element: Buffer): number {
  const first = element[1] ?? 0;
  return first < 0x80 ? 2 : 2 + (first & 0x7f);
}

function elementLength(element: Buffer): number {
  const first = element[1] ?? 0;
  const length = first < 0x80 ? first : element.readUIntBE(2, first & 0x7f);
  return headerLength(element) + length;
}

function content(element: Buffer): Buffer {
  return element.subarray(headerLength(element), elementLength(element));
}

function encode(tag: number, value: Buffer): Buffer {
  if (value.length < 0x80) return Buffer.concat([Buffer.from([tag, value.length]), value]);
  const hex = value.length.toString(16);
  const length = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, value]);
}

const sequence = (...parts: readonly Buffer[]) => encode(0x30, Buffer.concat(parts));
const set = (...parts: readonly Buffer[]) => encode(0x31, Buffer.concat(parts));
const explicit = (number: number, value: Buffer) => encode(0xa0 | number, value);
const integer = (value: Buffer) => encode(0x02, value);
const octets = (value: Buffer) => encode(0x04, value);
const bits = (value: Buffer) => encode(0x03, Buffer.concat([Buffer.from([0]), value]));
const utf8 = (text: string) => encode(0x0c, Buffer.from(text, 'utf8'));

/** A number without a sign, in the fewest bytes that DER allows. */
function positive(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[0] = ((copy[0] ?? 0) & 0x7f) | 0x40;
  return copy;
}

function oid(first: number, second: number, ...rest: readonly number[]): Buffer {
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return encode(0x06, Buffer.from(bytes));
}

const sha256WithRsa = sequence(oid(1, 2, 840, 113549, 1, 1, 11), encode(0x05, Buffer.alloc(0)));

/** RFC 5280, 4.1.2.5: two digits of the year until 2049. */
function time(at: Date): Buffer {
  const text = `${at.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
  return at.getUTCFullYear() < 2050 ? encode(0x17, Buffer.from(text.slice(2), 'ascii')) : encode(0x18, Buffer.from(text, 'ascii'));
}
