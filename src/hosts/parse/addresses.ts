// IP addresses and networks as numbers: what overlaps, what contains what.
import {isIP} from 'node:net';

/** The 32 hexadecimal digits of an IPv6 address in its short form (RFC 5952). */
export function formatIpv6(hex: string): string {
  const groups = (hex.match(/.{4}/g) ?? []).map((group) => Number.parseInt(group, 16).toString(16));
  const zeros = [...groups.join(':').matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].toSorted((a, b) => b[0].length - a[0].length)[0];
  if (zeros === undefined) return groups.join(':');
  const text = groups.join(':');
  const before = text.slice(0, zeros.index);
  const after = text.slice(zeros.index + zeros[0].length);
  return `${before}::${after.replace(/^:/, '')}`;
}

export interface Network {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

/** An address as a number; undefined when it isn't one. */
export function addressNumber(address: string): {readonly family: 4 | 6; readonly value: bigint} | undefined {
  const family = isIP(address);
  if (family === 4) return {family, value: address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n)};
  if (family !== 6) return undefined;
  const plain = address
    .replace(/%.*$/, '')
    .replace(
      /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
      (_all, a: string, b: string, c: string, d: string) => `${(Number(a) * 256 + Number(b)).toString(16)}:${(Number(c) * 256 + Number(d)).toString(16)}`,
    );
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = tail === undefined ? left : [...left, ...Array.from({length: 8 - left.length - right.length}, () => '0'), ...right];
  return {family: 6, value: groups.reduce((sum, group) => sum * 65_536n + BigInt(Number.parseInt(group, 16)), 0n)};
}

/** A network in CIDR form, or an address as a network of one; undefined when it is neither. */
export function parseNetworkText(text: string): Network | undefined {
  const [address = '', length] = text.split('/');
  const number = addressNumber(address);
  if (number === undefined) return undefined;
  const bits = number.family === 4 ? 32 : 128;
  const prefix = length === undefined ? bits : Number(length);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > bits) return undefined;
  const size = 1n << BigInt(bits - prefix);
  const first = (number.value / size) * size;
  return {family: number.family, first, last: first + size - 1n};
}

/** True when the two share an address. */
export function networksOverlap(a: string, b: string): boolean {
  const one = parseNetworkText(a);
  const other = parseNetworkText(b);
  return one !== undefined && other !== undefined && one.family === other.family && one.first <= other.last && other.first <= one.last;
}

/** True when both are the same address, however written; a prefix length is left aside. */
export function isSameAddress(a: string, b: string): boolean {
  const one = addressNumber(a.replace(/\/\d+$/, ''));
  const other = addressNumber(b.replace(/\/\d+$/, ''));
  return one !== undefined && other !== undefined && one.family === other.family && one.value === other.value;
}
