// IP addresses and networks as numbers: families, what contains what, what overlaps. Pure.
import {isIP, isIPv4} from 'node:net';

export type Family = 'IPv4' | 'IPv6';

export interface Network {
  readonly text: string;
  readonly family: Family;
  readonly prefix: number;
  readonly first: bigint;
  readonly last: bigint;
}

const bitsOf = (family: Family) => (family === 'IPv4' ? 32 : 128);

/** The family of an address, or undefined for what is none (a name). A zone (`%eth0`) is no part of a cluster's address. */
export function familyOf(address: string): Family | undefined {
  if (address.includes('%')) return undefined;
  const version = isIP(address);
  return version === 4 ? 'IPv4' : version === 6 ? 'IPv6' : undefined;
}

/** The address as a number; undefined for what is no address. */
export function addressNumber(address: string): bigint | undefined {
  const family = familyOf(address);
  if (family === undefined) return undefined;
  if (family === 'IPv4') return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [head = '', tail] = expandEmbedded(address).split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const middle = tail === undefined ? [] : Array.from({length: 8 - left.length - right.length}, () => '0');
  return [...left, ...middle, ...right].reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

/** `::ffff:10.0.0.1` with its last part as two groups. */
function expandEmbedded(address: string): string {
  const colon = address.lastIndexOf(':');
  const embedded = address.slice(colon + 1);
  if (!isIPv4(embedded)) return address;
  const [a = 0, b = 0, c = 0, d = 0] = embedded.split('.').map(Number);
  return `${address.slice(0, colon + 1)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

/** Reads CIDR form; `problem` says what is wrong with it. */
export function parseNetwork(text: string): {readonly network: Network} | {readonly problem: string; readonly meant?: string} {
  const [address = '', mask, ...rest] = text.split('/');
  const number = addressNumber(address);
  const family = familyOf(address);
  if (number === undefined || family === undefined) return {problem: 'is no network in CIDR form'};
  if (mask === undefined || rest.length > 0) return {problem: 'is an address without its prefix length'};
  const bits = bitsOf(family);
  if (!/^\d{1,3}$/.test(mask) || Number(mask) > bits) return {problem: `has a prefix length that isn't 0 to ${bits}`};
  const prefix = Number(mask);
  const size = 1n << BigInt(bits - prefix);
  const first = (number / size) * size;
  if (first !== number) return {problem: 'has bits set after its prefix', meant: `${formatAddress(first, family)}/${prefix}`};
  return {network: {text, family, prefix, first, last: first + size - 1n}};
}

/** The shortest usual form of an address. */
export function formatAddress(number: bigint, family: Family): string {
  if (family === 'IPv4') return [24n, 16n, 8n, 0n].map((shift) => String((number >> shift) & 255n)).join('.');
  const groups = Array.from({length: 8}, (_, index) => ((number >> BigInt(112 - index * 16)) & 0xffffn).toString(16));
  const zeros = [...groups.join(':').matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].toSorted((a, b) => b[0].length - a[0].length)[0];
  if (zeros === undefined) return groups.join(':');
  const text = groups.join(':');
  return `${text.slice(0, zeros.index)}::${text.slice(zeros.index + zeros[0].length + 1)}`;
}

export function overlaps(a: Network, b: Network): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

export function contains(network: Network, address: string): boolean {
  const number = addressNumber(address);
  return number !== undefined && familyOf(address) === network.family && network.first <= number && number <= network.last;
}

/** True for two ways of writing the same address, or the same name. */
export function isSameAddress(a: string, b: string): boolean {
  const number = addressNumber(a);
  return number === undefined ? a.toLowerCase() === b.toLowerCase() : number === addressNumber(b) && familyOf(a) === familyOf(b);
}
