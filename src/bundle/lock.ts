// `trireme.lock`: the digests that were found first, so that everybody who has the file gets the same bytes ever after.
import {readFile} from 'node:fs/promises';
import {basename} from 'node:path';
import {z} from 'zod';
import {TriremeError} from '../kernel/errors.ts';
import {writeFileAtomic} from '../kernel/files.ts';
import {architectures, type Architecture} from './content.ts';

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const size = z.int().min(0);

const lockedFile = z.strictObject({
  /** The public address; a mirror isn't recorded. */
  url: z.string(),
  digest,
  size,
});

const lockedPlatform = z.strictObject({
  /** Of the platform's own manifest. */
  digest,
  size,
  mediaType: z.string(),
  /** Configuration and layers. */
  blobs: z.array(z.strictObject({digest, size, mediaType: z.string()})),
});

const lockedImage = z.strictObject({
  /** What the tag named: an index or a manifest. */
  digest,
  platforms: z.partialRecord(z.enum(architectures), lockedPlatform),
});

const lockDocument = z.strictObject({
  lockVersion: z.literal(1),
  files: z.record(z.string(), lockedFile),
  images: z.record(z.string(), lockedImage),
  /** Bundles in registries, by `oci://` address: the digest that the tag named. */
  bundles: z.record(z.string(), z.strictObject({digest})),
});

export type LockedFile = z.infer<typeof lockedFile>;
export type LockedPlatform = z.infer<typeof lockedPlatform>;
export type LockedImage = z.infer<typeof lockedImage>;
type LockDocument = z.infer<typeof lockDocument>;

/** The lock in memory: what it knows, what was added, and how it is written back. */
export class ContentLock {
  readonly path: string;
  readonly #added: LockDocument = {lockVersion: 1, files: {}, images: {}, bundles: {}};
  #known: LockDocument;

  constructor(path: string, known?: LockDocument) {
    this.path = path;
    this.#known = known ?? {lockVersion: 1, files: {}, images: {}, bundles: {}};
  }

  /** The name of the entry for a file, as it stands in the lock. */
  static fileKey(name: string, version: string, architecture: Architecture): string {
    return `${name} ${version} ${architecture}`;
  }

  file(key: string): LockedFile | undefined {
    return this.#known.files[key] ?? this.#added.files[key];
  }

  image(reference: string): LockedImage | undefined {
    return this.#added.images[reference] ?? this.#known.images[reference];
  }

  bundle(address: string): {readonly digest: string} | undefined {
    return this.#known.bundles[address] ?? this.#added.bundles[address];
  }

  addFile(key: string, file: LockedFile): void {
    this.#added.files[key] = file;
  }

  addPlatform(reference: string, imageDigest: string, architecture: Architecture, platform: LockedPlatform): void {
    const before = this.image(reference);
    this.#added.images[reference] = {digest: imageDigest, platforms: {...before?.platforms, [architecture]: platform}};
  }

  addBundle(address: string, bundleDigest: string): void {
    this.#added.bundles[address] = {digest: bundleDigest};
  }

  /** Writes what was added, beside what the file holds by now. Does nothing when nothing was added. */
  async save(): Promise<void> {
    const {files, images, bundles} = this.#added;
    if ([files, images, bundles].every((part) => Object.keys(part).length === 0)) return;
    // another run may have written meanwhile; what it pinned first counts
    const now = await readDocument(this.path);
    const merged: LockDocument = {
      lockVersion: 1,
      files: sorted({...files, ...now?.files}),
      images: sorted({...now?.images, ...Object.fromEntries(Object.entries(images).map(([name, image]) => [name, mergeImage(now?.images[name], image)]))}),
      bundles: sorted({...bundles, ...now?.bundles}),
    };
    await writeFileAtomic(this.path, `${JSON.stringify(merged, null, 2)}\n`);
    this.#known = merged;
  }
}

/** Reads the lock; an absent file is an empty lock. Throws `bundle.lock-invalid`. */
export async function readLock(path: string): Promise<ContentLock> {
  return new ContentLock(path, await readDocument(path));
}

async function readDocument(path: string): Promise<LockDocument | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw invalid(path, (error as Error).message, error);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(path, (error as Error).message, error);
  }
  const parsed = lockDocument.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw invalid(path, `${issue?.path.join('.') || 'the document'}: ${issue?.message ?? 'not as it should be'}`, parsed.error);
}

function invalid(path: string, why: string, cause: unknown): TriremeError {
  return new TriremeError('bundle.lock-invalid', `Can't read the lock ${path}: ${why}.`, {
    hints: [`Bring ${basename(path)} back from version control, or delete it: the next run pins everything anew from what is published.`],
    cause,
  });
}

function mergeImage(before: LockedImage | undefined, added: LockedImage): LockedImage {
  if (before === undefined || before.digest !== added.digest) return before ?? added;
  return {digest: before.digest, platforms: {...added.platforms, ...before.platforms}};
}

function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
