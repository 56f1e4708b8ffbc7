// A KubeApi that serves objects from memory, for what reads: lists with selectors, gets, watches. It counts requests, and can be told to refuse kinds.
import type {KubeApi, ListOptions, ObjectKey, Resource, WatchEvent} from '../../src/kube/api.ts';
import {TriremeError} from '../../src/kernel/errors.ts';
import {groupOf, type KubeObject} from '../../src/kube/object.ts';

export interface MemoryApiOptions {
  /** Plurals that may not be listed. */
  readonly forbidden?: readonly string[];
  /** Only objects of these versions of Cluster API's own group are served; default v1beta2. */
  readonly coreVersion?: string;
  readonly context?: string;
}

/** What a CRD's metadata is, contract labels included. */
export function crdMetadata(plural: string, group: string, labels: Readonly<Record<string, string>> = {'cluster.x-k8s.io/v1beta2': 'v1beta2'}): KubeObject {
  return {apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: {name: `${plural}.${group}`, labels}};
}

const defaultCrds = [
  crdMetadata('kubeadmcontrolplanes', 'controlplane.cluster.x-k8s.io'),
  crdMetadata('kubeadmconfigs', 'bootstrap.cluster.x-k8s.io'),
  crdMetadata('kubeadmconfigtemplates', 'bootstrap.cluster.x-k8s.io'),
  ...['devclusters', 'devmachines', 'devmachinetemplates'].map((plural) => crdMetadata(plural, 'infrastructure.cluster.x-k8s.io')),
];

export class MemoryApi implements KubeApi {
  readonly server = 'https://memory.test:6443';
  readonly namespace = 'fleet';
  readonly simulated = false;
  readonly context: string;
  /** Every request, as `verb plural`. */
  readonly asked: string[] = [];
  readonly #objects = new Map<string, KubeObject>();
  readonly #options: MemoryApiOptions;
  readonly #crds: readonly KubeObject[];
  readonly #watchers = new Set<(event: WatchEvent, kind: string) => void>();

  constructor(objects: readonly KubeObject[], options: MemoryApiOptions = {}, crds: readonly KubeObject[] = defaultCrds) {
    this.context = options.context ?? 'memory';
    this.#options = options;
    this.#crds = crds;
    for (const object of objects) this.#objects.set(keyOf(object), object);
  }

  get requests(): number {
    return this.asked.length;
  }

  put(object: KubeObject): void {
    const type = this.#objects.has(keyOf(object)) ? 'modified' : 'added';
    this.#objects.set(keyOf(object), object);
    for (const tell of this.#watchers) tell({type, object}, `${groupOf(object.apiVersion)}/${object.kind}`);
  }

  delete(object: KubeObject): void {
    this.#objects.delete(keyOf(object));
    for (const tell of this.#watchers) tell({type: 'deleted', object}, `${groupOf(object.apiVersion)}/${object.kind}`);
  }

  /** Tells every watch of this kind. */
  tell(kind: string, event: WatchEvent): void {
    for (const tell of this.#watchers) tell(event, kind);
  }

  get watching(): number {
    return this.#watchers.size;
  }

  async resource(of: {readonly apiVersion: string; readonly kind: string}): Promise<Resource> {
    this.asked.push(`discover ${of.apiVersion}`);
    throw new TriremeError('api.kind-unknown', `${this.server} doesn't serve ${of.kind} of ${of.apiVersion}.`);
  }

  async get<T extends KubeObject>(resource: Resource, key: ObjectKey): Promise<T | undefined> {
    this.asked.push(`get ${resource.plural}`);
    return this.#of(resource, key.namespace === undefined ? {} : {namespace: key.namespace}).find((object) => object.metadata.name === key.name) as
      | T
      | undefined;
  }

  async list<T extends KubeObject>(resource: Resource, options: ListOptions = {}) {
    const {namesOnly = false, project: _project, ...rest} = options;
    this.asked.push(`list ${namesOnly ? 'names of ' : ''}${resource.plural}`);
    const items = namesOnly ? this.#of(resource, rest).map(({metadata: {name}}) => ({metadata: {name}})) : this.#of(resource, options);
    return {items: items as unknown as readonly T[], resourceVersion: '1'};
  }

  #of(resource: Resource, options: ListOptions): readonly KubeObject[] {
    if (resource.plural === 'customresourcedefinitions' && !(this.#options.forbidden ?? []).includes(resource.plural)) return this.#crds;
    if ((this.#options.forbidden ?? []).includes(resource.plural)) throw new TriremeError('api.forbidden', `reader may not list ${resource.plural}`);
    if (resource.group === 'cluster.x-k8s.io' && resource.version !== (this.#options.coreVersion ?? 'v1beta2'))
      throw new TriremeError('api.not-found', `the server doesn't serve ${resource.version}`);
    return [...this.#objects.values()]
      .filter((object) => object.kind === resource.kind && groupOf(object.apiVersion) === resource.group && fits(object, options))
      .map((object) => (options.project === undefined ? object : options.project(object)));
  }

  async *watch<T extends KubeObject>(resource: Resource, options: ListOptions & {readonly signal: AbortSignal}): AsyncGenerator<WatchEvent<T>> {
    this.asked.push(`watch ${resource.plural}`);
    const queue: WatchEvent[] = [];
    let wake: (() => void) | undefined;
    const tell = (event: WatchEvent, kind: string) => {
      if (kind !== `${resource.group}/${resource.kind}`) return;
      if ('object' in event && !fits(event.object, options)) return;
      queue.push('object' in event && options.project !== undefined ? {...event, object: options.project(event.object)} : event);
      wake?.();
    };
    const items = this.#of(resource, options) as unknown as readonly T[];
    this.#watchers.add(tell);
    const onAbort = () => wake?.();
    options.signal.addEventListener('abort', onAbort);
    try {
      yield {type: 'listed', items};
      while (!options.signal.aborted) {
        const event = queue.shift();
        if (event !== undefined) yield event as WatchEvent<T>;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      options.signal.removeEventListener('abort', onAbort);
      this.#watchers.delete(tell);
    }
  }

  send = refuse;
  create = refuse;
  apply = refuse;
  patch = refuse;
  remove = refuse;
  access = refuse;
  serverVersion = async () => 'v1.36.3';
  close = () => {};
}

async function refuse(): Promise<never> {
  throw new Error('this API only reads');
}

function keyOf(object: KubeObject): string {
  return `${groupOf(object.apiVersion)}/${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

function fits({metadata}: KubeObject, {namespace, labelSelector, fieldSelector}: ListOptions): boolean {
  if (namespace !== undefined && metadata.namespace !== namespace) return false;
  const name = /^metadata\.name=(.*)$/.exec(fieldSelector ?? '')?.[1];
  if (name !== undefined && metadata.name !== name) return false;
  return (labelSelector ?? '').split(',').every((one) => {
    const [label = '', value] = one.split('=');
    return label === '' || metadata.labels?.[label] === value;
  });
}
