// Where bytes come from, and what it takes to get them.
import type {ContentCache} from './cache.ts';
import type {ContentItem} from './content.ts';
import type {Layout} from './layout.ts';
import type {ContentLock} from './lock.ts';
import type {ImageReference} from './reference.ts';
import type {RegistryClient} from './registry.ts';
import type {Transport} from './transport.ts';

/** Where the bytes of a blob come from when they are needed. */
export type BlobOrigin =
  | {readonly kind: 'memory'; readonly make: () => Buffer}
  | {readonly kind: 'layout'; readonly layout: Layout}
  | {readonly kind: 'file'; readonly path: string; readonly expectedBy: string; readonly hints: readonly string[]}
  | {readonly kind: 'url'; readonly url: string; readonly expectedBy: string; readonly hints: readonly string[]}
  | {readonly kind: 'registry'; readonly reference: ImageReference; readonly expectedBy: string; readonly hints: readonly string[]};

export interface PinnedItem {
  readonly item: ContentItem;
  readonly origin: BlobOrigin;
}

/** What pinning and fetching share within one command. */
export interface PinSession {
  readonly cache: ContentCache;
  readonly transport: Transport;
  readonly lock: ContentLock;
  readonly registry: RegistryClient;
  readonly signal?: AbortSignal;
}
