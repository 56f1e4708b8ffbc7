// Verifying a bundle: every digest computed anew, and whether it has all that a cluster needs.
import {isTriremeError, TriremeError} from '../kernel/errors.ts';
import {mapPool} from '../kernel/pool.ts';
import {readContents, type BundleContents} from './contents.ts';
import {openLayout, type Layout} from './layout.ts';
import {blobsOf, parseJson} from './manifest.ts';
import {annotationKeys, imageIndex, imageManifest, isIndexType, isManifestType, type Descriptor} from './media-types.ts';
import {selectContent, type ContentNeed} from './select.ts';

export interface BundleComplaint {
  readonly kind: 'damaged' | 'missing-blob' | 'wrong-size' | 'missing-content' | 'unreadable';
  /** What it is about: an item's name, or a digest. */
  readonly subject: string;
  /** What is, in a sentence. */
  readonly message: string;
}

export interface VerifyRequest {
  /** A folder or a tar. */
  readonly bundle: string;
  /** Checks that nothing is missing for this cluster; absent: only digests. */
  readonly cluster?: ContentNeed;
  readonly signal?: AbortSignal;
  /** Told after each blob: how many bytes of all are checked. */
  readonly onBlob?: (checked: number, total: number) => void;
}

export interface VerifyResult {
  readonly bundle: string;
  readonly blobs: number;
  /** Bytes. */
  readonly size: number;
  readonly complaints: readonly BundleComplaint[];
}

/** Checks a bundle and returns all complaints; throws only when it can't be opened (`bundle.not-found`, `bundle.damaged`). */
export async function verifyBundle(request: VerifyRequest): Promise<VerifyResult> {
  const layout = await openLayout(request.bundle);
  const total = layout.digests.reduce((sum, digest) => sum + (layout.sizeOf(digest) ?? 0), 0);
  const complaints: BundleComplaint[] = [];
  let checked = 0;
  const damaged = new Set<string>();
  const results = await mapPool(layout.digests, 2, async (digest) => {
    request.signal?.throwIfAborted();
    const found = await layout.compute(digest, request.signal);
    if (found !== digest) {
      damaged.add(digest);
      complaints.push({kind: 'damaged', subject: digest, message: `The blob ${digest} is damaged: its bytes give ${found}.`});
    }
    checked += layout.sizeOf(digest) ?? 0;
    request.onBlob?.(checked, total);
  });
  const failed = results.find((result) => result.status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
  complaints.push(...(await danglingReferences(layout, damaged)));
  if (request.cluster !== undefined) complaints.push(...(await lackingContent(layout, request.cluster)));
  return {bundle: request.bundle, blobs: layout.digests.length, size: total, complaints};
}

/** Follows every index and manifest from index.json on. */
async function danglingReferences(layout: Layout, damaged: ReadonlySet<string>): Promise<readonly BundleComplaint[]> {
  const complaints: BundleComplaint[] = [];
  const seen = new Set<string>();
  const visit = async (entry: Descriptor, owner: string): Promise<void> => {
    if (seen.has(entry.digest)) return;
    seen.add(entry.digest);
    const size = layout.sizeOf(entry.digest);
    if (size === undefined) {
      complaints.push({kind: 'missing-blob', subject: entry.digest, message: `The blob ${entry.digest} is missing; ${owner} names it.`});
      return;
    }
    if (size !== entry.size)
      complaints.push({kind: 'wrong-size', subject: entry.digest, message: `The blob ${entry.digest} has ${size} bytes, and ${owner} says ${entry.size}.`});
    if (damaged.has(entry.digest) || !(isIndexType(entry.mediaType) || isManifestType(entry.mediaType))) return;
    const name = entry.annotations?.[annotationKeys.containerdName] ?? entry.digest;
    const value = parseJson(await layout.read(entry.digest));
    const index = isIndexType(entry.mediaType) ? imageIndex.safeParse(value) : undefined;
    const manifest = isManifestType(entry.mediaType) ? imageManifest.safeParse(value) : undefined;
    if (index?.success === false || manifest?.success === false) {
      complaints.push({kind: 'unreadable', subject: name, message: `${name} says that it is a ${entry.mediaType}, and can't be read as one.`});
      return;
    }
    for (const child of index?.success ? index.data.manifests : []) await visit(child, name);
    for (const child of manifest?.success ? blobsOf(manifest.data) : []) await visit(child, name);
  };
  for (const entry of layout.index.manifests) await visit(entry, 'index.json');
  return complaints;
}

async function lackingContent(layout: Layout, cluster: ContentNeed): Promise<readonly BundleComplaint[]> {
  let contents: BundleContents;
  try {
    contents = await readContents({place: layout.place, index: layout.index, read: (descriptor) => layout.read(descriptor.digest)});
  } catch (error) {
    if (isTriremeError(error)) return [{kind: 'unreadable', subject: layout.place, message: error.message}];
    throw error;
  }
  const {missing} = selectContent(contents, cluster);
  return missing.map(({name, architecture}) => ({
    kind: 'missing-content',
    subject: name,
    message: `${name} for ${architecture} is missing, and Kubernetes ${cluster.version} (${cluster.distribution}) needs it.`,
  }));
}

/** The error that stands for a bundle's complaints, damage before gaps; undefined when there are none. */
export function verifyError(result: VerifyResult): TriremeError | undefined {
  const [first] = result.complaints;
  if (first === undefined) return undefined;
  const isDamaged = result.complaints.some((complaint) => complaint.kind !== 'missing-content');
  return new TriremeError(
    isDamaged ? 'bundle.damaged' : 'bundle.incomplete',
    `The bundle ${result.bundle} has ${result.complaints.length} ${result.complaints.length === 1 ? 'fault' : 'faults'}.`,
    {
      hints: [
        isDamaged
          ? 'Copy it again from where it was built, or build it anew: trireme bundle build'
          : 'Build it for this cluster: trireme bundle build -f FILE --out FOLDER',
      ],
      details: {complaints: result.complaints},
    },
  );
}
