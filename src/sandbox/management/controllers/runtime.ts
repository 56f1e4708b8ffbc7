// The loop of the simulated controllers: level-triggered, one object at a time, woken by changes and by timers.
import type {KubeObject, OwnerReference} from '../../../kube/object.ts';
import {groupOf} from '../../../kube/object.ts';
import type {Draft} from '../draft.ts';
import type {Faults} from '../faults.ts';
import {apiVersionOf, type KindRegistry, type ServedKind} from '../kinds.ts';
import {clusterNameLabel, type Change, type ObjectStore} from '../store.ts';
import {timestamp, type Writes} from '../writes.ts';
import type {Pace} from './pace.ts';

/** `Machine.cluster.x-k8s.io`. */
export type KindName = string;

export interface Parts {
  readonly store: ObjectStore;
  readonly kinds: KindRegistry;
  readonly writes: Writes;
  readonly faults: Faults;
  readonly pace: Pace;
  /** Kubeconfigs of simulated clusters, by name, where another API stands in for the cluster's own. */
  readonly workloads: Readonly<Record<string, string>>;
}

export interface Controller {
  readonly name: string;
  readonly kind: KindName;
  /** Kinds whose changes wake those of our objects that own them or are of the same cluster. */
  readonly follows: readonly KindName[];
  /** Returns in how many ms to look again, if nothing happens before. */
  reconcile(object: KubeObject, reach: Reach): number | undefined;
}

/** What controllers do to the world. */
export class Reach {
  readonly parts: Parts;
  readonly #since = new Map<string, number>();

  constructor(parts: Parts) {
    this.parts = parts;
  }

  get pace(): Pace {
    return this.parts.pace;
  }

  get faults(): Faults {
    return this.parts.faults;
  }

  kind(name: KindName): ServedKind {
    const dot = name.indexOf('.');
    return dot === -1 ? this.parts.kinds.need('', name) : this.parts.kinds.need(name.slice(dot + 1), name.slice(0, dot));
  }

  get(kind: KindName, name: string | undefined, namespace: string | undefined): KubeObject | undefined {
    return name === undefined ? undefined : this.parts.store.get(this.kind(kind), name, namespace);
  }

  /** An object that a reference of the contract names (apiGroup, kind, name). */
  referenced(reference: unknown, namespace: string | undefined): KubeObject | undefined {
    const {apiGroup, kind, name} = (reference ?? {}) as {readonly apiGroup?: string; readonly kind?: string; readonly name?: string};
    if (apiGroup === undefined || kind === undefined || name === undefined) return undefined;
    const served = this.parts.kinds.find(apiGroup, kind);
    return served === undefined ? undefined : this.parts.store.get(served, name, namespace);
  }

  ofCluster(kind: KindName, cluster: string, namespace: string | undefined): readonly KubeObject[] {
    return this.parts.store.ofCluster(this.kind(kind), cluster, namespace);
  }

  clusterOf(object: KubeObject): KubeObject | undefined {
    return this.get('Cluster.cluster.x-k8s.io', object.metadata.labels?.[clusterNameLabel], object.metadata.namespace);
  }

  create(kind: KindName, object: Draft, namespace: string | undefined, manager = 'manager'): KubeObject {
    const served = this.kind(kind);
    return this.parts.writes.create(served, {apiVersion: apiVersionOf(served), kind: served.kind, ...object}, namespace, {manager, fieldValidation: 'Ignore'});
  }

  /** Changes anything but the status; the object as it is then, or undefined when it is gone. */
  change(object: KubeObject, mutate: (draft: Draft) => Draft, manager = 'manager'): KubeObject | undefined {
    return this.#write(object, mutate, {manager});
  }

  /** Server-side apply, as the topology does. */
  apply(
    kind: KindName,
    object: Draft & {readonly metadata: Readonly<Record<string, unknown>> & {readonly name: string; readonly namespace?: string}},
    manager: string,
  ): KubeObject {
    const served = this.kind(kind);
    const {name, namespace} = object.metadata;
    const place = {name, ...(namespace === undefined ? {} : {namespace})};
    return this.parts.writes.apply(
      served,
      place,
      {apiVersion: apiVersionOf(served), kind: served.kind, ...object},
      {manager, force: true, fieldValidation: 'Ignore'},
    );
  }

  setStatus(object: KubeObject, status: Draft): KubeObject | undefined {
    return this.#write(object, (draft) => ({...draft, status}), {manager: 'manager', subresource: 'status'});
  }

  #write(object: KubeObject, mutate: (draft: Draft) => Draft, context: {readonly manager: string; readonly subresource?: 'status'}): KubeObject | undefined {
    const served = this.parts.kinds.need(groupOf(object.apiVersion), object.kind);
    const {name, namespace} = object.metadata;
    if (this.parts.store.get(served, name, namespace) === undefined) return undefined;
    const place = {name, ...(namespace === undefined ? {} : {namespace})};
    // controllers see the present object, so a conflict can't be: what they saw is what is there
    return this.parts.writes.change(served, place, (live) => mutate(live), {...context, fieldValidation: 'Ignore'});
  }

  remove(object: KubeObject): void {
    const served = this.parts.kinds.find(groupOf(object.apiVersion), object.kind);
    const {name, namespace, deletionTimestamp} = object.metadata;
    if (served === undefined || deletionTimestamp !== undefined || this.parts.store.get(served, name, namespace) === undefined) return;
    this.parts.writes.remove(served, {name, ...(namespace === undefined ? {} : {namespace})}, {});
  }

  addFinalizer(object: KubeObject, finalizer: string): KubeObject | undefined {
    if (object.metadata.deletionTimestamp !== undefined || object.metadata.finalizers?.includes(finalizer)) return object;
    return this.change(object, (draft) => ({
      ...draft,
      metadata: {...(draft['metadata'] as object), finalizers: [...(object.metadata.finalizers ?? []), finalizer]},
    }));
  }

  dropFinalizer(object: KubeObject, finalizer: string): void {
    if (!object.metadata.finalizers?.includes(finalizer)) return;
    const kept = object.metadata.finalizers.filter((one) => one !== finalizer);
    this.change(object, (draft) => ({...draft, metadata: {...(draft['metadata'] as object), finalizers: kept}}));
  }

  /** Adds an owner, as Cluster API's controllers do to what they are handed. */
  addOwner(object: KubeObject, owner: KubeObject, options: {readonly controller: boolean}): void {
    if (object.metadata.ownerReferences?.some((one) => one.uid === owner.metadata.uid)) return;
    const reference = ownerReference(owner, options);
    this.change(object, (draft) => ({
      ...draft,
      metadata: {...(draft['metadata'] as object), ownerReferences: [...(object.metadata.ownerReferences ?? []), reference]},
    }));
  }

  event(object: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const {name, namespace, uid} = object.metadata;
    const at = timestamp();
    const involvedObject = {apiVersion: object.apiVersion, kind: object.kind, name, ...(namespace === undefined ? {} : {namespace}), uid};
    this.create(
      'Event',
      {
        metadata: {generateName: `${name}.`.slice(0, 50)},
        involvedObject,
        reason,
        message,
        type,
        count: 1,
        firstTimestamp: at,
        lastTimestamp: at,
        source: {component: 'simulated-controllers'},
        reportingComponent: 'simulated-controllers',
      },
      namespace ?? 'default',
    );
  }

  /** In ms, how long what `what` names still takes when it takes `duration` from the first time that it was asked about. */
  left(object: KubeObject, what: string, duration: number): number {
    const key = `${object.metadata.uid}/${what}`;
    const since = this.#since.get(key) ?? Date.now();
    this.#since.set(key, since);
    return Math.max(0, since + duration - Date.now());
  }

  /** Forgets what was timed of an object. */
  forget(uid: string | undefined): void {
    for (const key of this.#since.keys()) if (key.startsWith(`${uid}/`)) this.#since.delete(key);
  }
}

export function ownerReference(owner: KubeObject, options: {readonly controller: boolean; readonly block?: boolean}): OwnerReference {
  const {apiVersion, kind} = owner;
  const {name, uid = ''} = owner.metadata;
  return {
    apiVersion,
    kind,
    name,
    uid,
    ...(options.controller ? {controller: true} : {}),
    ...((options.block ?? options.controller) ? {blockOwnerDeletion: true} : {}),
  };
}

/** How long the loop works before it lets requests through, in ms. */
const slice = 8;
/** After an error, in ms. */
const retryDelay = 100;

export class Runtime {
  readonly reach: Reach;
  readonly #controllers: readonly Controller[];
  readonly #waiting = new Map<string, {readonly controller: Controller; readonly name: string; readonly namespace: string | undefined}>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #unsubscribe: () => void;
  #isScheduled = false;
  #isStopped = false;
  /** Errors that controllers met, newest last: for tests and for whoever debugs the sandbox. */
  readonly errors: string[] = [];

  constructor(parts: Parts, controllers: readonly Controller[]) {
    this.reach = new Reach(parts);
    this.#controllers = controllers;
    this.#unsubscribe = parts.store.onChange((change) => this.#wake(change));
    for (const controller of controllers) {
      const served = parts.kinds.find(groupPart(controller.kind), kindPart(controller.kind));
      if (served !== undefined) for (const object of parts.store.list(served)) this.#enqueue(controller, object.metadata.name, object.metadata.namespace);
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#unsubscribe();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#waiting.clear();
  }

  #wake({kind, object, type}: Change): void {
    const changed = `${kind.kind}${kind.group === '' ? '' : `.${kind.group}`}`;
    const {name, namespace, labels, ownerReferences = []} = object.metadata;
    if (type === 'DELETED') this.reach.forget(object.metadata.uid);
    for (const controller of this.#controllers) {
      if (controller.kind === changed) this.#enqueue(controller, name, namespace);
      if (!controller.follows.includes(changed)) continue;
      for (const owner of ownerReferences)
        if (controller.kind === `${owner.kind}.${groupOf(owner.apiVersion)}`) this.#enqueue(controller, owner.name, namespace);
      const cluster = changed === 'Cluster.cluster.x-k8s.io' ? name : labels?.[clusterNameLabel];
      if (cluster === undefined) continue;
      if (controller.kind === 'Cluster.cluster.x-k8s.io') this.#enqueue(controller, cluster, namespace);
      else if (changed === 'Cluster.cluster.x-k8s.io' || !ownerReferences.some((owner) => controller.kind.startsWith(`${owner.kind}.`)))
        for (const one of this.reach.ofCluster(controller.kind, cluster, namespace)) this.#enqueue(controller, one.metadata.name, one.metadata.namespace);
    }
  }

  #enqueue(controller: Controller, name: string, namespace: string | undefined): void {
    if (this.#isStopped) return;
    this.#waiting.set(`${controller.name} ${namespace ?? ''}/${name}`, {controller, name, namespace});
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#work());
  }

  #work(): void {
    this.#isScheduled = false;
    const until = Date.now() + slice;
    for (const [key, entry] of this.#waiting) {
      this.#waiting.delete(key);
      this.#run(key, entry);
      if (Date.now() > until) break;
    }
    if (this.#waiting.size > 0 && !this.#isScheduled && !this.#isStopped) {
      this.#isScheduled = true;
      setImmediate(() => this.#work());
    }
  }

  #run(key: string, {controller, name, namespace}: {readonly controller: Controller; readonly name: string; readonly namespace: string | undefined}): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
    const object = this.reach.get(controller.kind, name, namespace);
    if (object === undefined) return;
    let again: number | undefined;
    try {
      again = controller.reconcile(object, this.reach);
    } catch (error) {
      this.errors.push(`${key}: ${error instanceof Error ? error.message : String(error)}`);
      if (this.errors.length > 100) this.errors.shift();
      again = retryDelay;
    }
    if (again === undefined || this.#isStopped) return;
    const timer = setTimeout(() => this.#enqueue(controller, name, namespace), again);
    timer.unref();
    this.#timers.set(key, timer);
  }
}

const kindPart = (kind: KindName) => kind.split('.')[0] ?? kind;
const groupPart = (kind: KindName) => kind.slice(kindPart(kind).length + 1);
