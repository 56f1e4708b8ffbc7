// Digests as projects publish them.
import {TriremeError} from '../kernel/errors.ts';

/** Finds the digest (`sha256:HEX`) of `fileName` in a published text; throws `bundle.source-failed` when there is none. */
export function readPublishedChecksum(text: string, fileName: string, url: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const bare = lines.length === 1 ? /^[0-9a-fA-F]{64}$/.exec(lines[0] ?? '') : null;
  if (bare !== null) return `sha256:${bare[0].toLowerCase()}`;
  for (const line of lines) {
    // `HEX  NAME`, `HEX *NAME` (binary mode), with or without a folder before the name
    const match = /^([0-9a-fA-F]{64})\s+\*?(\S+)$/.exec(line);
    if (match !== null && match[2]?.split('/').at(-1) === fileName) return `sha256:${(match[1] ?? '').toLowerCase()}`;
  }
  throw new TriremeError('bundle.source-failed', `The published checksum of ${fileName} can't be read: ${url} has no SHA-256 digest for it.`, {
    hints: [`Look at ${url}: it must hold 64 hexadecimal digits, or lines of digest and file name.`],
    details: {url},
  });
}
