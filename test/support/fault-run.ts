// What must hold while an API server's surroundings fail: a view that follows, a crew that changes things behind its back, and a writer in front.
import {isTriremeError, type TriremeError} from '../../src/kernel/errors.ts';
import {canonicalJson} from '../../src/kernel/digest.ts';
import type {KubeApi, Resource, WatchEvent} from '../../src/kube/api.ts';
import type {KubeObject} from '../../src/kube/object.ts';

export const configMaps: Resource = {group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true};

/** The view that the events of a watch make, and what was told on the way. */
export class FollowedView {
  readonly objects = new Map<string, KubeObject>();
  readonly told: Extract<WatchEvent, {readonly type: 'stale' | 'fresh'}>[] = [];
  /** Events that told of a version that was known already. */
  readonly doubled: string[] = [];
  lists = 0;
  readonly done: Promise<void>;
  readonly #listeners = new Set<() => void>();
  readonly #stop = new AbortController();

  constructor(api: KubeApi, namespace: string, pageSize: number) {
    this.done = this.#follow(api.watch(configMaps, {namespace, pageSize, signal: this.#stop.signal}));
    this.done.catch(() => {});
  }

  get isStale(): boolean {
    return this.told.at(-1)?.type === 'stale';
  }

  get whys(): string {
    return this.told.flatMap((one) => (one.type === 'stale' ? [one.why] : [])).join('\n');
  }

  /** Resolves as soon as it's true after an event; the test's own deadline ends it else. */
  until(isTrue: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!isTrue()) return;
        this.#listeners.delete(look);
        resolve();
      };
      this.#listeners.add(look);
      look();
    });
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.done;
  }

  async #follow(events: AsyncIterable<WatchEvent>): Promise<void> {
    for await (const event of events) {
      this.#take(event);
      for (const listener of this.#listeners) listener();
    }
  }

  #take(event: WatchEvent): void {
    switch (event.type) {
      case 'listed':
        this.lists += 1;
        this.objects.clear();
        for (const item of event.items) this.objects.set(item.metadata.name, item);
        return;
      case 'added':
      case 'modified': {
        const {name, resourceVersion} = event.object.metadata;
        if (this.objects.get(name)?.metadata.resourceVersion === resourceVersion) this.doubled.push(`${name} ${resourceVersion}`);
        this.objects.set(name, event.object);
        return;
      }
      case 'deleted':
        this.objects.delete(event.object.metadata.name);
        return;
      default:
        this.told.push(event);
    }
  }
}

/** Names of the objects that differ between the view and what the server really has. */
export async function differences(view: FollowedView, direct: KubeApi, namespace: string): Promise<readonly string[]> {
  const {items} = await direct.list(configMaps, {namespace});
  const real = new Map(items.map((item) => [item.metadata.name, item]));
  const names = new Set([...real.keys(), ...view.objects.keys()]);
  return [...names].filter((name) => canonicalJson(real.get(name) ?? null) !== canonicalJson(view.objects.get(name) ?? null));
}

const configMap = (namespace: string, name: string, data: Readonly<Record<string, string>>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {name, namespace},
  data,
});

/** Changes things past the proxy, until told to stop: makes, changes, deletes. */
export class Crew {
  changes = 0;
  #isStopping = false;
  readonly #work: Promise<void>;

  constructor(direct: KubeApi, namespace: string) {
    this.#work = this.#run(direct, namespace);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#work;
  }

  async #run(direct: KubeApi, namespace: string): Promise<void> {
    for (let round = 0; !this.#isStopping; round += 1) {
      const name = `crew-${round % 40}`;
      await direct.apply(configMap(namespace, name, {round: String(round)}), {force: true, fieldManager: 'crew'});
      this.changes += 1;
      if (round % 7 === 3) {
        await direct.remove(configMaps, {name: `crew-${(round + 20) % 40}`, namespace});
        this.changes += 1;
      }
    }
  }
}

/**
 * Writes through the proxy as a step of a plan does: looks, writes, and when nobody knows what came of it, looks again. Each write is of the kind that
 * hurts when it's doubled (a counter that goes up by one, guarded by a test) or lost.
 */
export class Writer {
  /** Counted up by so much, in its own mind. */
  count = 0;
  readonly errors: TriremeError[] = [];
  #isStopping = false;
  readonly #api: KubeApi;
  readonly #namespace: string;
  readonly #work: Promise<void>;

  constructor(api: KubeApi, namespace: string, from: number) {
    this.#api = api;
    this.#namespace = namespace;
    this.count = from;
    this.#work = this.#run();
  }

  /** Ends once the write that it is at is done for sure. */
  async stop(): Promise<number> {
    this.#isStopping = true;
    await this.#work;
    return this.count;
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const next = this.count + 1;
      await this.#insist(() => this.#countTo(next));
      await this.#insist(() => this.#log(next));
      this.count = next;
    }
  }

  async #insist(write: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (!isTriremeError(error)) throw error;
        this.errors.push(error);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  async #countTo(next: number): Promise<void> {
    const key = {name: 'counter', namespace: this.#namespace};
    const seen = await this.#api.get(configMaps, key);
    if ((seen?.['data'] as {count: string} | undefined)?.count === String(next)) return;
    const before = {count: String(next - 1)};
    const body = [
      {op: 'test', path: '/data', value: before},
      {op: 'replace', path: '/data', value: {count: String(next)}},
    ] as const;
    await this.#api.patch(configMaps, key, {type: 'json', body});
  }

  async #log(next: number): Promise<void> {
    const name = `entry-${next}`;
    if ((await this.#api.get(configMaps, {name, namespace: this.#namespace})) === undefined)
      await this.#api.create(configMap(this.#namespace, name, {count: String(next)}));
  }
}

/** Where the writer starts from. */
export async function makeCounter(direct: KubeApi, namespace: string): Promise<void> {
  await direct.apply(configMap(namespace, 'counter', {count: '0'}), {force: true});
}
