// What the rest of the house may ask of a Kubernetes API. `connect` (client.ts) gives one; tests may bring their own.
import type {KubeObject} from './object.ts';

/** A served kind, as discovery tells it. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** Plural: `machinedeployments`. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** In ms; default 30 s. */
  readonly deadline?: number;
}

export interface ObjectKey {
  readonly name: string;
  /** Left out for cluster-scoped kinds. */
  readonly namespace?: string;
}

export interface ListOptions extends CallOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Page size; default 500. All pages are fetched. */
  readonly pageSize?: number;
  /** Of the first page alone, where somebody waits for it. */
  readonly firstPageSize?: number;
  /** Only names, labels, owners (PartialObjectMetadata). */
  readonly metadataOnly?: boolean;
  /**
   * Nothing but names is sure to be there: a table without its objects is asked for, a small part of the server's work. Where the namespace isn't
   * told by the question, or the server makes no tables, more comes.
   */
  readonly namesOnly?: boolean;
  /** Called with each object as soon as it's read; what it returns is kept in its place. Keeps memory small where much is listed or watched. */
  readonly project?: (object: KubeObject) => KubeObject;
  /** Told of each page as soon as it's read; the next one is asked for when it resolves. A list that begins anew tells its pages again. */
  readonly onPage?: (items: readonly KubeObject[]) => void | Promise<void>;
}

export interface ObjectList<T extends KubeObject = KubeObject> {
  readonly items: readonly T[];
  /** Where a watch goes on from. */
  readonly resourceVersion: string;
}

export interface WriteOptions extends CallOptions {
  /** The server does everything but keep it. */
  readonly dryRun?: boolean;
  /** Default `trireme`. */
  readonly fieldManager?: string;
}

export interface ApplyOptions extends WriteOptions {
  /** Take fields from other managers; else a conflict throws `api.conflict`. */
  readonly force?: boolean;
}

export interface RemoveOptions extends CallOptions {
  readonly dryRun?: boolean;
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
  /** Refused (api.conflict) when the object is another one by now. */
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export type Patch =
  | {readonly type: 'merge'; readonly body: unknown}
  /** RFC 6902; `test` operations guard against what moved. */
  | {readonly type: 'json'; readonly body: readonly JsonPatchOperation[]};

export interface JsonPatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'test' | 'move' | 'copy';
  readonly path: string;
  readonly value?: unknown;
  readonly from?: string;
}

export type WatchEvent<T extends KubeObject = KubeObject> =
  /** The whole list: at the start, and again whenever the server could not go on from where we were. */
  | {readonly type: 'listed'; readonly items: readonly T[]}
  | {readonly type: 'added' | 'modified' | 'deleted'; readonly object: T}
  /** The connection is gone since `since` (ISO 8601); what was seen last is stale. Told again when `why` changes. */
  | {readonly type: 'stale'; readonly since: string; readonly why: string}
  /** Events flow again. */
  | {readonly type: 'fresh'};

export interface AccessCheck {
  readonly verb: string;
  readonly group: string;
  /** Plural; `machines/status` for a subresource. */
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
}

export interface AccessAnswer extends AccessCheck {
  readonly allowed: boolean;
  readonly reason?: string;
}

export interface RawRequest extends CallOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** Content type of the body; default application/json. */
  readonly type?: string;
  readonly accept?: string;
}

export interface RawAnswer<T = unknown> {
  readonly status: number;
  readonly body: T;
}

/**
 * One API server. Reads, dry runs and server-side applies (the same when done twice) are tried again when the server is away for a moment or
 * asks to wait; other writes only when it did nothing for sure (429, or nothing was sent). A write of which nobody knows whether it was done
 * throws with details.outcome `unknown`. Throws `api.unreachable`, `api.unauthorized`, `api.forbidden`, `api.invalid` (details.causes: field and message),
 * `api.conflict`, `api.not-found`, `api.kind-unknown`, `api.failed`.
 */
export interface KubeApi {
  /** `https://host:port`. */
  readonly server: string;
  /** Name of the kubeconfig's context. */
  readonly context: string;
  /** The context's namespace, else `default`. */
  readonly namespace: string;
  /** True for the sandbox's own API: it says so in its kubeconfig (extension `trireme-simulated`) and in every answer. */
  readonly simulated: boolean;
  /** How many requests were sent, tries again included. */
  readonly requests: number;
  /** Any request; the answer's status is returned, whatever it is. */
  send<T = unknown>(request: RawRequest): Promise<RawAnswer<T>>;
  /** Discovery, cached. Throws `api.kind-unknown`. */
  resource(of: {readonly apiVersion: string; readonly kind: string}): Promise<Resource>;
  get<T extends KubeObject = KubeObject>(resource: Resource, key: ObjectKey, options?: CallOptions): Promise<T | undefined>;
  list<T extends KubeObject = KubeObject>(resource: Resource, options?: ListOptions): Promise<ObjectList<T>>;
  create<T extends KubeObject = KubeObject>(object: KubeObject, options?: WriteOptions): Promise<T>;
  /** Server-side apply under our field manager. */
  apply<T extends KubeObject = KubeObject>(object: KubeObject, options?: ApplyOptions): Promise<T>;
  patch<T extends KubeObject = KubeObject>(resource: Resource, key: ObjectKey, patch: Patch, options?: WriteOptions): Promise<T>;
  /** False when it wasn't there. */
  remove(resource: Resource, key: ObjectKey, options?: RemoveOptions): Promise<boolean>;
  /** Lists, then follows until the signal aborts: bookmarks, 410, backoff and reconnecting are dealt with inside. */
  watch<T extends KubeObject = KubeObject>(resource: Resource, options: ListOptions & {readonly signal: AbortSignal}): AsyncIterable<WatchEvent<T>>;
  /** SelfSubjectAccessReviews, in parallel. */
  access(checks: readonly AccessCheck[], options?: CallOptions): Promise<readonly AccessAnswer[]>;
  /** `v1.36.3`. */
  serverVersion(options?: CallOptions): Promise<string>;
  close(): void;
}
