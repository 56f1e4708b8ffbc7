// Watches: the history since a resourceVersion, then what happens, with bookmarks in between.
import type {ServerResponse} from 'node:http';
import type {KubeObject} from '../../kube/object.ts';
import {apiVersionOf, resourceKey, type ServedKind} from './kinds.ts';
import {badRequest, expired} from './failure.ts';
import {textOf} from './reads.ts';
import {isTrue, type ResourceRequest} from './request.ts';
import {matcherOf, type Matcher} from './selectors.ts';
import type {Change, ObjectStore} from './store.ts';

export interface WatchOptions {
  /** In ms; the real server sends one about every minute. */
  readonly bookmarkInterval: number;
}

interface Watch {
  readonly kind: ServedKind;
  readonly key: string;
  readonly namespace: string | undefined;
  readonly matches: Matcher | undefined;
  readonly metadataOnly: boolean;
  readonly response: ServerResponse;
  end(): void;
}

/** What a watcher may be behind by, in bytes, before it is cut off: the real server does so too. */
const backlogLimit = 64 * 1024 * 1024;

export class Watches {
  readonly #store: ObjectStore;
  readonly #options: WatchOptions;
  readonly #open = new Set<Watch>();
  readonly #stop: () => void;

  constructor(store: ObjectStore, options: WatchOptions) {
    this.#store = store;
    this.#options = options;
    this.#stop = store.onChange((change) => {
      for (const watch of this.#open) send(watch, change);
    });
  }

  get count(): number {
    return this.#open.size;
  }

  /** Ends all of them, as a server that goes down does. */
  close(): void {
    this.#stop();
    this.cut();
  }

  /** Ends all of them; their clients come back. */
  cut(): void {
    for (const watch of this.#open) watch.end();
  }

  start({kind, namespace, query}: ResourceRequest, response: ServerResponse, metadataOnly: boolean): void {
    const asked = query.get('resourceVersion') ?? '';
    const from = asked === '' || asked === '0' ? undefined : Number(asked);
    if (from !== undefined && !Number.isInteger(from)) throw badRequest(`Invalid value: "${asked}": strconv.ParseUint: parsing "${asked}": invalid syntax`);
    const sendsInitial = from === undefined || isTrue(query.get('sendInitialEvents') ?? 'no');
    const missed = sendsInitial ? [] : this.#store.since(from ?? 0, kind);
    const timeout = Number(query.get('timeoutSeconds') ?? 0);
    const wantsBookmarks = isTrue(query.get('allowWatchBookmarks') ?? 'no');
    const matches = matcherOf(query, kind.kind);
    response.writeHead(200, {'content-type': 'application/json', 'transfer-encoding': 'chunked'});
    response.flushHeaders();
    const timers: NodeJS.Timeout[] = [];
    const watch: Watch = {
      kind,
      key: resourceKey(kind),
      namespace,
      matches,
      metadataOnly,
      response,
      end: () => {
        for (const timer of timers) clearTimeout(timer);
        this.#open.delete(watch);
        response.end();
      },
    };
    if (missed === undefined) {
      // told inside the stream, as the real server does
      response.end(`${JSON.stringify({type: 'ERROR', object: expired(`too old resource version: ${asked} (${this.#store.version})`).status})}\n`);
      return;
    }
    if (sendsInitial) {
      for (const object of this.#store.list(kind, namespace)) if (watch.matches?.(object) ?? true) write(watch, 'ADDED', object);
      if (isTrue(query.get('sendInitialEvents') ?? 'no') && wantsBookmarks) this.#bookmark(watch, {'k8s.io/initial-events-end': 'true'});
    }
    for (const change of missed) send(watch, change);
    this.#open.add(watch);
    response.on('close', watch.end);
    if (wantsBookmarks) timers.push(setInterval(() => this.#bookmark(watch), this.#options.bookmarkInterval));
    if (timeout > 0) timers.push(setTimeout(watch.end, timeout * 1000));
    for (const timer of timers) timer.unref();
  }

  #bookmark(watch: Watch, annotations?: Readonly<Record<string, string>>): void {
    const {kind, metadataOnly} = watch;
    const head = metadataOnly ? {kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1'} : {kind: kind.kind, apiVersion: apiVersionOf(kind)};
    const metadata = {resourceVersion: String(this.#store.version), creationTimestamp: null, ...(annotations === undefined ? {} : {annotations})};
    watch.response.write(`${JSON.stringify({type: 'BOOKMARK', object: {...head, metadata}})}\n`);
  }
}

/** A change as a selector sees it: what comes to match was added, what doesn't match any more is deleted. */
function send(watch: Watch, change: Change): void {
  if (resourceKey(change.kind) !== watch.key) return;
  if (watch.namespace !== undefined && change.object.metadata.namespace !== watch.namespace) return;
  const {matches} = watch;
  if (matches === undefined) return write(watch, change.type, change.object);
  const isIn = matches(change.object);
  const wasIn = change.previous !== undefined && matches(change.previous);
  if (change.type === 'DELETED') {
    if (wasIn || isIn) write(watch, 'DELETED', change.object);
  } else if (isIn) write(watch, wasIn ? 'MODIFIED' : 'ADDED', change.object);
  else if (wasIn) write(watch, 'DELETED', change.object);
}

function write(watch: Watch, type: string, object: KubeObject): void {
  const {response} = watch;
  response.write(`{"type":"${type}","object":${textOf(object, watch.metadataOnly)}}\n`);
  if (response.writableLength > backlogLimit) response.destroy();
}
