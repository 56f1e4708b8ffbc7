// Digests of content and of plain values.
import {createHash} from 'node:crypto';

/** `sha256:HEX` of bytes or text. */
export function digestOf(content: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** JSON with sorted keys and without undefined, so that equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (item === null || typeof item !== 'object' || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** The digest of a plain value, independent of the order of its keys. */
export function digestOfValue(value: unknown): string {
  return digestOf(canonicalJson(value));
}
