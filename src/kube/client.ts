// Connects to a Kubernetes API as kubectl does.
import type {Environment} from '../kernel/proxy.ts';
import type {Redactor} from '../kernel/redact.ts';
import {reviewAccess} from './access.ts';
import type {
  AccessAnswer,
  AccessCheck,
  ApplyOptions,
  CallOptions,
  KubeApi,
  ListOptions,
  ObjectKey,
  ObjectList,
  Patch,
  RawAnswer,
  RawRequest,
  RemoveOptions,
  Resource,
  WatchEvent,
  WriteOptions,
} from './api.ts';
import type {Repeat} from './attempts.ts';
import {Credentials} from './credentials.ts';
import {Discovery} from './discovery.ts';
import {callOptions, complete, listAll} from './list.ts';
import {loadTarget} from './load-kubeconfig.ts';
import {textAt, type KubeObject} from './object.ts';
import {collectionPath, objectPath, query} from './paths.ts';
import {parseBody, requireObject, Rest, type Way} from './rest.ts';
import {Transport, type HttpAnswer, type HttpRequest} from './transport.ts';
import {defaultTiming, watchAll, type WatchTiming} from './watch.ts';

export interface ConnectOptions {
  /** A file; default: $KUBECONFIG (several files, joined), else ~/.kube/config, else the pod's own account. */
  readonly kubeconfig?: string;
  /** A kubeconfig that is no file: its text, and where it comes from, for messages. */
  readonly content?: {readonly text: string; readonly place: string};
  /** Default: the current context. */
  readonly context?: string;
  readonly signal: AbortSignal;
  /** Learns tokens and keys. */
  readonly redactor: Redactor;
  /** Told what the API server warns of, and what else isn't worth stopping for. */
  warn(message: string): void;
  /** Default: this process's. */
  readonly env?: Environment;
  /** How patient watches are; tests shorten it. */
  readonly watchTiming?: WatchTiming;
}

/** Reads the kubeconfig and makes a client; nothing is sent yet. Throws `kubeconfig.invalid`, `file.not-found`. */
export async function connect(options: ConnectOptions): Promise<KubeApi> {
  const env = options.env ?? process.env;
  const load = {
    env,
    ...(options.kubeconfig === undefined ? {} : {kubeconfig: options.kubeconfig}),
    ...(options.content === undefined ? {} : {content: options.content}),
    ...(options.context === undefined ? {} : {context: options.context}),
  };
  const {signal, redactor, warn} = options;
  const credentials = new Credentials(await loadTarget(load), {...load, signal, redactor, warn: (message) => warn(message)});
  const transport = new Transport(credentials, {env, warn: (message) => warn(message)});
  return new Client(new Rest(transport, credentials, signal), options.watchTiming ?? defaultTiming);
}

export interface BorrowedWay {
  /** For messages: where requests go. */
  readonly server: string;
  /** For messages, in place of a kubeconfig's context. */
  readonly context: string;
  readonly simulated: boolean;
  readonly signal: AbortSignal;
  /** Has somebody ask for us. Throws NoAnswer when there's no answer. */
  call(request: HttpRequest): Promise<HttpAnswer>;
}

/** A client whose requests somebody else sends, with their own credentials. It can't watch. */
export function connectThrough(way: BorrowedWay): KubeApi {
  let requests = 0;
  const transport: Way = {
    call: (request) => {
      requests += 1;
      return way.call(request);
    },
    open: () => Promise.reject(new Error(`Nothing can be watched through ${way.context}.`)),
    close: () => {},
    get requests() {
      return requests;
    },
    isSimulated: way.simulated,
  };
  const target = {context: way.context, namespace: 'default', isSimulated: way.simulated, cluster: {server: way.server}};
  return new Client(new Rest(transport, {kind: 'the credentials', target}, way.signal), defaultTiming);
}

const defaultManager = 'trireme';
const patchTypes = {merge: 'application/merge-patch+json', json: 'application/json-patch+json'} as const;

class Client implements KubeApi {
  readonly #rest: Rest;
  readonly #discovery: Discovery;
  readonly #timing: WatchTiming;

  constructor(rest: Rest, timing: WatchTiming) {
    this.#rest = rest;
    this.#discovery = new Discovery(rest);
    this.#timing = timing;
  }

  get server(): string {
    return this.#rest.server;
  }

  get context(): string {
    return this.#rest.credentials.target.context;
  }

  get namespace(): string {
    return this.#rest.credentials.target.namespace;
  }

  get simulated(): boolean {
    return this.#rest.transport.isSimulated || this.#rest.credentials.target.isSimulated;
  }

  get requests(): number {
    return this.#rest.transport.requests;
  }

  async send<T>(request: RawRequest): Promise<RawAnswer<T>> {
    const method = request.method ?? 'GET';
    const answer = await this.#rest.request({
      ...request,
      method,
      subject: {verb: method.toLowerCase(), resource: request.path},
      repeat: method === 'GET' ? 'repeatable' : 'once',
    });
    return {status: answer.status, body: parseBody(answer) as T};
  }

  resource(of: {readonly apiVersion: string; readonly kind: string}): Promise<Resource> {
    return this.#discovery.resource(of);
  }

  async get<T extends KubeObject>(resource: Resource, key: ObjectKey, options: CallOptions = {}): Promise<T | undefined> {
    const subject = {verb: 'get', group: resource.group, resource: resource.plural, ...key};
    const call = {...callOptions(options), method: 'GET', path: objectPath(resource, key), subject, repeat: 'repeatable' as const};
    const {status, body} = await this.#rest.json<T>(call, [404]);
    return status === 404 ? undefined : complete<T>(requireObject<T>(body, this.server, subject), resource);
  }

  list<T extends KubeObject>(resource: Resource, options: ListOptions = {}): Promise<ObjectList<T>> {
    return listAll<T>(this.#rest, resource, options);
  }

  async create<T extends KubeObject>(object: KubeObject, options: WriteOptions = {}): Promise<T> {
    const resource = await this.resource(object);
    const {name, namespace} = object.metadata;
    return this.#write<T>(resource, {verb: 'create', name, namespace}, options, {
      method: 'POST',
      path: collectionPath(resource, namespace) + this.#writeQuery(options),
      body: object,
      repeat: options.dryRun === true ? 'repeatable' : 'once',
    });
  }

  async apply<T extends KubeObject>(object: KubeObject, options: ApplyOptions = {}): Promise<T> {
    const resource = await this.resource(object);
    const {name, namespace} = object.metadata;
    return this.#write<T>(resource, {verb: 'patch', name, namespace}, options, {
      method: 'PATCH',
      path:
        objectPath(resource, {name, ...(namespace === undefined ? {} : {namespace})}) + this.#writeQuery(options, options.force === true ? true : undefined),
      body: object,
      type: 'application/apply-patch+yaml', // JSON is YAML; the newer type for JSON is only known from v1.33 on
      repeat: 'repeatable', // the same object applied twice is applied once
    });
  }

  async patch<T extends KubeObject>(resource: Resource, key: ObjectKey, patch: Patch, options: WriteOptions = {}): Promise<T> {
    return this.#write<T>(resource, {verb: 'patch', ...key}, options, {
      method: 'PATCH',
      path: objectPath(resource, key) + this.#writeQuery(options),
      body: patch.body,
      type: patchTypes[patch.type],
      repeat: options.dryRun === true ? 'repeatable' : 'once',
    });
  }

  async remove(resource: Resource, key: ObjectKey, options: RemoveOptions = {}): Promise<boolean> {
    const {uid, resourceVersion, propagation, dryRun} = options;
    const preconditions = {...(uid === undefined ? {} : {uid}), ...(resourceVersion === undefined ? {} : {resourceVersion})};
    const {status} = await this.#rest.json(
      {
        ...callOptions(options),
        method: 'DELETE',
        path: objectPath(resource, key),
        body: {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          // here, not in the query: where there's a body, the server doesn't look at the query, and would delete in earnest
          ...(dryRun === true ? {dryRun: ['All']} : {}),
          ...(propagation === undefined ? {} : {propagationPolicy: propagation}),
          ...(Object.keys(preconditions).length === 0 ? {} : {preconditions}),
        },
        subject: {verb: 'delete', group: resource.group, resource: resource.plural, ...key},
        repeat: dryRun === true ? 'repeatable' : 'once',
        isWrite: dryRun !== true,
      },
      [404],
    );
    return status !== 404;
  }

  watch<T extends KubeObject>(resource: Resource, options: ListOptions & {readonly signal: AbortSignal}): AsyncIterable<WatchEvent<T>> {
    return watchAll<T>(this.#rest, resource, options, this.#timing);
  }

  access(checks: readonly AccessCheck[], options: CallOptions = {}): Promise<readonly AccessAnswer[]> {
    return reviewAccess(this.#rest, checks, options);
  }

  async serverVersion(options: CallOptions = {}): Promise<string> {
    const subject = {verb: 'get', resource: '/version'};
    const {body} = await this.#rest.json<unknown>({...callOptions(options), method: 'GET', path: '/version', subject, repeat: 'repeatable'});
    return textAt(requireObject(body, this.server, subject), 'gitVersion') ?? '';
  }

  close(): void {
    this.#rest.transport.close();
  }

  #writeQuery(options: WriteOptions, force?: boolean): string {
    return query({fieldManager: options.fieldManager ?? defaultManager, fieldValidation: 'Strict', force, dryRun: options.dryRun === true ? 'All' : undefined});
  }

  async #write<T extends KubeObject>(
    resource: Resource,
    {verb, name, namespace}: {readonly verb: string; readonly name: string; readonly namespace?: string | undefined},
    options: WriteOptions,
    call: {readonly method: string; readonly path: string; readonly body: unknown; readonly type?: string; readonly repeat: Repeat},
  ): Promise<T> {
    const subject = {verb, group: resource.group, resource: resource.plural, name, ...(namespace === undefined ? {} : {namespace})};
    const {body} = await this.#rest.json<T>({...callOptions(options), ...call, subject, isWrite: options.dryRun !== true});
    return complete<T>(requireObject<T>(body, this.server, subject), resource);
  }
}
