// Which content a host needs, and what of it it lacks.
import type {MemberFacts} from './facts.ts';
import type {ContentItem} from './protocol.ts';

/** Images that only control planes run; by the last part of the repository's path. */
const controlPlaneImages = new Set(['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd']);

/**
 * The part of the pinned content that a role needs, by name in order. Layers' pods may run anywhere, so their images go to every host; `others` are
 * references that only control planes need beside those that every cluster has.
 */
export function contentForRole(items: readonly ContentItem[], role: 'control-plane' | 'worker', others: readonly string[] = []): readonly ContentItem[] {
  const needed = role === 'control-plane' ? items : items.filter((item) => !isForControlPlanes(item) && !others.includes(item.reference ?? ''));
  return [...needed].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function isForControlPlanes(item: ContentItem): boolean {
  if (item.kind !== 'image') return false;
  const repository = (item.reference ?? item.name).replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  return controlPlaneImages.has(repository.split('/').at(-1) ?? '');
}

export interface Blob {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** Every blob of these items, each once. */
export function blobsOf(items: readonly ContentItem[]): readonly Blob[] {
  const blobs = new Map<string, Blob>();
  for (const item of items) {
    for (const {digest, size} of item.blobs ?? [item]) blobs.set(digest, {digest, size});
  }
  return [...blobs.values()];
}

/** Those of the blobs that the host doesn't have. */
export function missingBlobs(items: readonly ContentItem[], member: Pick<MemberFacts, 'content'>): readonly Blob[] {
  const present = new Set(member.content);
  return blobsOf(items).filter((blob) => !present.has(blob.digest));
}
