import {describe, expect, it} from 'vitest';
import {isTriremeError, TriremeError} from '../../../src/kernel/errors.ts';
import type {KubeApi, ObjectKey, Resource} from '../../../src/kube/api.ts';
import type {KubeObject} from '../../../src/kube/object.ts';
import {applyLayer, leavingLayers, readLayerDigests, removeLayer, waitForLayer} from '../../../src/layers/apply-layers.ts';
import {digestOfLayer, layerNote} from '../../../src/layers/inventory.ts';

/** A cluster that serves the kinds that it is told, and those of CustomResourceDefinitions that it was given. */
class Cluster {
  readonly objects = new Map<string, KubeObject>();
  readonly written: string[] = [];
  readonly #kinds: Set<string>;
  readonly #serverSideApply: boolean;

  constructor(kinds: readonly string[], {serverSideApply = true} = {}) {
    this.#kinds = new Set(kinds);
    this.#serverSideApply = serverSideApply;
  }

  get api(): KubeApi {
    const put = (object: KubeObject) => {
      const status = object.kind === 'CustomResourceDefinition' ? {status: {conditions: [{type: 'Established', status: 'True'}]}} : {};
      this.objects.set(keyOf(object.kind, object.metadata), {...object, ...status});
      this.written.push(keyOf(object.kind, object.metadata));
      if (object.kind === 'CustomResourceDefinition') this.#kinds.add((object['spec'] as {names: {kind: string}}).names.kind);
      return object;
    };
    return {
      resource: async ({kind, apiVersion}: {kind: string; apiVersion: string}): Promise<Resource> => {
        if (!this.#kinds.has(kind)) throw new TriremeError('api.kind-unknown', `no ${kind}`);
        return {group: '', version: apiVersion, plural: kind, kind, namespaced: kind !== 'CustomResourceDefinition' && kind !== 'Namespace'};
      },
      get: async ({kind}: Resource, key: ObjectKey) => this.objects.get(keyOf(kind, key)),
      create: async (object: KubeObject) => put(object),
      apply: async (object: KubeObject) => {
        if (!this.#serverSideApply) throw new TriremeError('api.invalid', '415', {details: {status: 415}});
        return put(object);
      },
      patch: async ({kind}: Resource, key: ObjectKey, {body}: {body: unknown}) => {
        const before = this.objects.get(keyOf(kind, key)) as KubeObject & {data?: object};
        const data = Object.fromEntries(Object.entries({...before.data, ...(body as {data?: object}).data}).filter(([, value]) => value !== null));
        return put({...before, ...(body as object), data} as KubeObject);
      },
      remove: async ({kind}: Resource, key: ObjectKey) => this.objects.delete(keyOf(kind, key)),
      list: async () => ({items: [], resourceVersion: ''}),
    } as unknown as KubeApi;
  }
}

const keyOf = (kind: string, {name, namespace}: ObjectKey) => `${kind} ${namespace ?? ''}/${name}`;
const options = {signal: new AbortController().signal, say: () => {}, layers: []};
const layer = (manifest: string) => ({name: 'sails', kind: 'addon' as const, manifest});
const configMap = (name: string, namespace = '') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}${namespace === '' ? '' : `, namespace: ${namespace}`}}\n`;

describe('a layer of a profile', () => {
  it('is applied in an order in which the API can take it, and noted in the cluster', async () => {
    const cluster = new Cluster(['ConfigMap', 'Namespace', 'CustomResourceDefinition']);
    const sails = layer(
      `apiVersion: a.example/v1\nkind: Sail\nmetadata: {name: main, namespace: deck}\n---\n${configMap('rope', 'deck')}---\napiVersion: v1\nkind: Namespace\nmetadata: {name: deck}\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: sails.a.example}\nspec: {names: {kind: Sail}}\n`,
    );
    expect(await applyLayer(cluster.api, sails, options)).toBe('4 objects');
    const others = cluster.written.filter((key) => key !== keyOf('ConfigMap', layerNote));
    expect(others.slice(0, 2)).toEqual(['Namespace /deck', 'CustomResourceDefinition /sails.a.example']);
    // before anything is touched, so that a kill leaves nothing that nobody knows of
    expect(cluster.written[0]).toBe(keyOf('ConfigMap', layerNote));
    expect(cluster.written.at(-1)).toBe(keyOf('ConfigMap', layerNote));
    expect(await readLayerDigests(cluster.api, options.signal)).toEqual({sails: digestOfLayer(sails)});
  });

  it('keeps the notes of other layers', async () => {
    const cluster = new Cluster(['ConfigMap']);
    await applyLayer(cluster.api, {...layer(configMap('a')), name: 'one'}, options);
    await applyLayer(cluster.api, {...layer(configMap('b')), name: 'two'}, options);
    expect(Object.keys(await readLayerDigests(cluster.api, options.signal))).toEqual(['one', 'two']);
  });

  it('goes into the namespace default where it names none, as with kubectl', async () => {
    const cluster = new Cluster(['ConfigMap']);
    await applyLayer(cluster.api, layer(configMap('a')), options);
    expect(cluster.written).toContain('ConfigMap default/a');
  });

  it('names the object whose kind the cluster does not serve, and is not noted then', async () => {
    const cluster = new Cluster(['ConfigMap']);
    const error = await applyLayer(cluster.api, layer('apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: crew}\n'), options).catch(
      (thrown: unknown) => thrown,
    );
    expect(isTriremeError(error) ? [error.code, error.message] : error).toEqual([
      'api.kind-unknown',
      'The layer sails has CronJob crew, but the cluster serves no CronJob of batch/v1.',
    ]);
    expect(await readLayerDigests(cluster.api, options.signal)).toEqual({});
  });

  it('is created, and merged the next time, where there is no server-side apply', async () => {
    const cluster = new Cluster(['ConfigMap'], {serverSideApply: false});
    await applyLayer(cluster.api, layer(`${configMap('a')}data: {x: "1"}\n`), options);
    await applyLayer(cluster.api, layer(`${configMap('a')}data: {y: "2"}\n`), options);
    expect(cluster.objects.get('ConfigMap default/a')).toMatchObject({data: {x: '1', y: '2'}});
  });

  it('says what it waits for, and gives up when its time is over', async () => {
    const cluster = new Cluster(['Deployment']);
    const deployment =
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: hands, namespace: deck, generation: 1}\nspec: {replicas: 2}\nstatus: {observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 1}\n';
    const sails = {...layer(deployment), patience: 10};
    const {parse} = await import('yaml');
    cluster.objects.set('Deployment deck/hands', parse(deployment) as KubeObject);
    const said: string[] = [];
    await expect(waitForLayer(cluster.api, sails, {...options, say: (line) => said.push(line)})).rejects.toMatchObject({code: 'run.unhealthy'});
    expect(said).toEqual(['Deployment hands has 1 of 2 replicas available']);
  });

  it('does not take a moment of health for health: a container that ends at once is available now and then', async () => {
    const cluster = new Cluster(['Deployment']);
    const flapping = [0, 1, 0, 1, 1].map((available) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {name: 'hands', namespace: 'deck', generation: 1},
      spec: {replicas: 1},
      status: {observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: available},
    }));
    let looks = 0;
    const api = {...cluster.api, get: async () => flapping[Math.min(looks++, flapping.length - 1)]} as unknown as KubeApi;
    const hands = layer('apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: hands, namespace: deck}\n');
    await waitForLayer(api, hands, {...options, interval: 1});
    expect(looks).toBe(flapping.length);
  });

  it('takes away what it put before and has no more, and leaves what moved to another layer', async () => {
    const cluster = new Cluster(['ConfigMap']);
    await applyLayer(cluster.api, layer([configMap('a'), configMap('b'), configMap('c')].join('---\n')), options);
    const other = {...layer(configMap('c')), name: 'other'};
    const smaller = layer(configMap('a'));
    expect(await applyLayer(cluster.api, smaller, {...options, layers: [smaller, other]})).toBe('1 object, 1 removed');
    expect([...cluster.objects.keys()].filter((key) => key.includes('default/')).toSorted()).toEqual(['ConfigMap default/a', 'ConfigMap default/c']);
  });

  it('keeps what may hold data of others, and says so', async () => {
    const cluster = new Cluster(['Namespace', 'ConfigMap']);
    const said: string[] = [];
    await applyLayer(cluster.api, layer(`apiVersion: v1\nkind: Namespace\nmetadata: {name: deck}\n---\n${configMap('a', 'deck')}`), options);
    expect(await removeLayer(cluster.api, 'sails', {...options, say: (line) => said.push(line)})).toBe('1 of 2 objects removed');
    expect(cluster.objects.has('Namespace /deck')).toBe(true);
    expect(cluster.objects.has('ConfigMap deck/a')).toBe(false);
    expect(said.find((line) => line.startsWith('Namespace deck stays'))).toBeDefined();
    expect(await readLayerDigests(cluster.api, options.signal)).toEqual({});
  });

  it('leaves the cluster when the profile has it no more, but not when there is no profile', () => {
    expect(leavingLayers({a: '', b: ''}, [{name: 'b'}])).toEqual(['a']);
    expect(leavingLayers({a: '', b: ''}, [])).toEqual([]);
  });

  it('goes into the namespace of its chart', async () => {
    const cluster = new Cluster(['ConfigMap']);
    await applyLayer(cluster.api, {...layer(configMap('a')), namespace: 'water'}, options);
    expect(cluster.objects.has('ConfigMap water/a')).toBe(true);
  });
});
