// Lists with pages, metadata alone, and tables left out: kubectl falls back to whole objects.
import {randomUUID} from 'node:crypto';
import type {KubeObject} from '../../kube/object.ts';
import {badRequest, expired} from './failure.ts';
import {apiVersionOf, type ServedKind} from './kinds.ts';
import type {ResourceRequest} from './request.ts';
import {matcherOf} from './selectors.ts';
import {jsonOf, type ObjectStore} from './store.ts';

/** Whether the client asks for metadata alone. */
export const wantsMetadata = (accept: string | undefined) => /as=PartialObjectMetadata/.test(accept ?? '');

const metadataTexts = new WeakMap<KubeObject, string>();

/** An object as the client wants it, as JSON. */
export function textOf(object: KubeObject, metadataOnly: boolean): string {
  if (!metadataOnly) return jsonOf(object);
  let text = metadataTexts.get(object);
  if (text === undefined) {
    text = JSON.stringify({kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata});
    metadataTexts.set(object, text);
  }
  return text;
}

interface Snapshot {
  readonly objects: readonly KubeObject[];
  readonly version: number;
  readonly start: number;
}

/** How many lists may be half read at once; the oldest go first, and their readers get 410. */
const openLists = 64;

/** Lists of the store, page by page from one snapshot. */
export class Reads {
  readonly #store: ObjectStore;
  readonly #snapshots = new Map<string, Snapshot>();

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** Forgets half-read lists, as compaction does. */
  forget(): void {
    this.#snapshots.clear();
  }

  /** The list as JSON, in pieces. */
  list({kind, namespace, query}: ResourceRequest, metadataOnly: boolean): readonly string[] {
    const limit = Number(query.get('limit') ?? 0);
    if (!Number.isInteger(limit) || limit < 0) throw badRequest('limit must be a number that is at least 0');
    const snapshot = this.#snapshotFor(kind, namespace, query);
    const end = limit === 0 ? snapshot.objects.length : Math.min(snapshot.start + limit, snapshot.objects.length);
    const remaining = snapshot.objects.length - end;
    let token = '';
    if (remaining > 0) {
      token = Buffer.from(JSON.stringify({v: 'meta.k8s.io/v1', rv: snapshot.version, start: randomUUID()})).toString('base64url');
      this.#snapshots.set(token, {...snapshot, start: end});
      const [oldest] = this.#snapshots.keys();
      if (this.#snapshots.size > openLists && oldest !== undefined) this.#snapshots.delete(oldest);
    }
    // the real server can't count what remains when a selector picks
    const counts = remaining > 0 && query.get('labelSelector') === null && query.get('fieldSelector') === null;
    const metadata = {
      resourceVersion: String(snapshot.version),
      ...(token === '' ? {} : {continue: token}),
      ...(counts ? {remainingItemCount: remaining} : {}),
    };
    const head = metadataOnly ? {kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1'} : {kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind)};
    const pieces = [`${JSON.stringify({...head, metadata}).slice(0, -1)},"items":[`];
    for (let index = snapshot.start; index < end; index += 1)
      pieces.push((index > snapshot.start ? ',' : '') + textOf(snapshot.objects[index] as KubeObject, metadataOnly));
    pieces.push(']}\n');
    return pieces;
  }

  #snapshotFor(kind: ServedKind, namespace: string | undefined, query: URLSearchParams): Snapshot {
    const token = query.get('continue');
    if (token !== null && token !== '') {
      const open = this.#snapshots.get(token);
      if (open === undefined) {
        const isToken = token.startsWith('eyJ2Ij');
        throw isToken
          ? expired('The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.')
          : badRequest(`continue key is not valid: encoded token is malformed`);
      }
      return open;
    }
    const matches = matcherOf(query, kind.kind);
    const all = this.#store.list(kind, namespace);
    return {objects: matches === undefined ? all : all.filter(matches), version: this.#store.version, start: 0};
  }
}
