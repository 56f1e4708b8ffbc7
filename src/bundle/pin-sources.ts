// Pinning one file or one image from its public place, or from the mirror that stands in for it.
import {readFile, stat} from 'node:fs/promises';
import {basename} from 'node:path';
import {TriremeError} from '../kernel/errors.ts';
import {digestOfFile} from './cache.ts';
import {readPublishedChecksum} from './checksum.ts';
import type {Architecture} from './content.ts';
import {imageItem} from './contents.ts';
import {readSmallBody, statusError} from './http.ts';
import {ContentLock} from './lock.ts';
import type {BlobOrigin, PinnedItem, PinSession} from './origin.ts';
import {parseReference, type ImageReference} from './reference.ts';
import type {FileSource} from './sources.ts';

/** A file by the lock, else by the digest that its project publishes. */
export async function pinFile(session: PinSession, source: FileSource): Promise<PinnedItem> {
  const {lock, transport} = session;
  const key = ContentLock.fileKey(source.name, source.version, source.architecture);
  const locked = lock.file(key);
  const place = transport.locate(source.url);
  const pinned = locked ?? (await look(session, source));
  if (locked === undefined) lock.addFile(key, {url: source.url, ...pinned});
  const judged = locked === undefined ? {expectedBy: 'the published checksum', hints: tamperedHints(source.checksumUrl)} : lockJudgement(lock, key);
  const origin: BlobOrigin = place.kind === 'file' ? {kind: 'file', path: place.path, ...judged} : {kind: 'url', url: place.url, ...judged};
  return {item: {name: source.name, kind: source.kind, digest: pinned.digest, size: pinned.size}, origin};
}

function lockJudgement(lock: ContentLock, key: string): {readonly expectedBy: string; readonly hints: readonly string[]} {
  return {
    expectedBy: basename(lock.path),
    hints: [
      `Find out who changed it: the lock has had this digest since it was first seen.`,
      `If the change is wanted, delete the entry "${key}" from ${lock.path} and run it again.`,
    ],
  };
}

function tamperedHints(checksumUrl: string): readonly string[] {
  return [
    `Compare with ${checksumUrl}: either it or the download isn't the project's own.`,
    'When a mirror is named in spec.bundle.sources, let it fetch both anew, then delete the entry from the lock file and run it again.',
  ];
}

async function look(session: PinSession, source: FileSource): Promise<{readonly digest: string; readonly size: number}> {
  const {transport, signal} = session;
  const place = transport.locate(source.url);
  const checksumPlace = transport.locate(source.checksumUrl);
  if (place.kind === 'file') {
    const found = await stat(place.path).catch(() => undefined);
    if (found?.isFile() !== true)
      throw new TriremeError('bundle.not-found', `There is no ${place.path}, where spec.bundle.sources says that ${source.name} ${source.version} is.`, {
        hints: [`Put there what ${source.url} gives.`],
      });
    const text = checksumPlace.kind === 'file' ? await readFile(checksumPlace.path, 'utf8').catch(() => undefined) : undefined;
    const digest =
      text === undefined || checksumPlace.kind !== 'file'
        ? await digestOfFile(place.path, signal)
        : readPublishedChecksum(text, basename(place.path), checksumPlace.path);
    return {digest, size: found.size};
  }
  const checksumUrl = checksumPlace.kind === 'http' ? checksumPlace.url : source.checksumUrl;
  const text = await transport.repeat(async () => {
    const response = await transport.http(checksumUrl, {signal});
    if (response.status !== 200) throw statusError(`the checksum of ${source.name} ${source.version}`, response);
    return (await readSmallBody(`The checksum of ${source.name}`, response)).toString();
  }, signal);
  return {
    digest: readPublishedChecksum(text, basename(new URL(source.url).pathname), checksumUrl),
    size: await lengthOf(session, place.url, `${source.name} ${source.version}`),
  };
}

/** The length of what an address gives, without reading it. Servers that know no HEAD are asked with GET, and left at the first byte. */
async function lengthOf(session: PinSession, url: string, what: string): Promise<number> {
  const {transport, signal} = session;
  return transport.repeat(async () => {
    let response = await transport.http(url, {method: 'HEAD', headers: {'accept-encoding': 'identity'}, signal});
    response.body.resume();
    if (response.status !== 200 || response.headers['content-length'] === undefined) {
      response = await transport.http(url, {headers: {'accept-encoding': 'identity'}, signal});
      if (response.status !== 200) throw statusError(what, response);
      response.body.destroy();
    }
    const length = Number(response.headers['content-length']);
    if (!Number.isSafeInteger(length) || response.headers['content-length'] === undefined)
      throw new TriremeError('bundle.source-failed', `${url} doesn't say how long ${what} is.`, {
        hints: ['Name another mirror in spec.bundle.sources.'],
        details: {url, retryable: false},
      });
    return length;
  }, signal);
}

/** An image for one architecture by the lock, else by what its tag names now. */
export async function pinImage(session: PinSession, text: string, architecture: Architecture): Promise<PinnedItem> {
  const {lock, registry, signal} = session;
  const reference = parseReference(text);
  const locked = lock.image(text);
  const platform = locked?.platforms[architecture];
  if (platform !== undefined) return {item: imageItem(text, platform, platform.blobs), origin: {kind: 'registry', reference, ...lockJudgement(lock, text)}};
  // the same index that was locked for another architecture, even if the tag has moved
  const top: ImageReference = locked === undefined ? reference : {registry: reference.registry, repository: reference.repository, digest: locked.digest};
  const found = await registry.manifest(top, signal);
  const {manifest, blobs} = await registry.platform(reference, found, architecture, signal);
  const own = {digest: manifest.digest, size: manifest.size, mediaType: manifest.mediaType};
  lock.addPlatform(text, found.digest, architecture, {...own, blobs: [...blobs]});
  return {
    item: imageItem(text, own, blobs),
    origin: {
      kind: 'registry',
      reference,
      expectedBy: 'its manifest',
      hints: [
        `The registry ${reference.registry} gives bytes that its own manifest doesn't name: ask whoever runs it, or name another mirror in spec.bundle.sources.`,
      ],
    },
  };
}
