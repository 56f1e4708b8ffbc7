import {describe, expect, it} from 'vitest';
import {gather} from '../../../../../src/modes/controller/observe/gather.ts';
import {keyOf} from '../../../../../src/modes/controller/observe/kinds.ts';
import type {KubeObject} from '../../../../../src/kube/object.ts';
import {bootstrapConfig, clusterSet, condition, infraMachine, object, withConditions} from '../../../../support/cluster-api-objects.ts';
import {MemoryApi} from '../../../../support/memory-api.ts';

const one = {namespace: 'fleet', cluster: 'web', depth: 'full', withEvents: true} as const;

describe('gather', () => {
  it('needs as many requests for 300 machines as for 3, and at most 15', async () => {
    const count = async (workers: number) => {
      const api = new MemoryApi(clusterSet({workers}).objects);
      await gather(api, one);
      return api.requests;
    };
    const few = await count(3);
    expect(await count(300)).toBe(few);
    expect(few).toBeLessThanOrEqual(15);
  });

  it('asks for what the machines of a pool name while the machines are still on their way', {timeout: 5000}, async () => {
    const api = new MemoryApi(clusterSet().objects);
    const list = api.list.bind(api);
    let isAsked: () => void = () => {};
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    // machines come only when both kinds were asked for
    const late: typeof api.list = async (resource, options) => {
      if (resource.kind === 'Machine') await asked;
      const answer = list(resource, options);
      if (['list devmachines', 'list kubeadmconfigs'].every((one) => api.asked.includes(one))) isAsked();
      return answer as never;
    };
    const {index, missing} = await gather(Object.assign(api, {list: late}), one);
    expect([...missing]).toEqual([]);
    expect(index.find({group: 'infrastructure.cluster.x-k8s.io', kind: 'DevMachine', namespace: 'fleet', name: 'web-md-0-1'})).toBeDefined();
  });

  it('takes the version of a kind from the newest contract that its CRD carries', async () => {
    const api = new MemoryApi(clusterSet().objects);
    const {index, unreadable} = await gather(api, one);
    expect([...unreadable]).toEqual([]);
    expect(index.find({group: 'infrastructure.cluster.x-k8s.io', kind: 'DevMachine', namespace: 'fleet', name: 'web-md-0-1'})).toBeDefined();
    expect(api.asked.filter((request) => request.startsWith('discover'))).toEqual([]);
  });

  it('finds an infrastructure object that lacks the label of its cluster', async () => {
    const {objects} = clusterSet();
    const bare = objects.map((one) =>
      one.kind === 'DevMachine' && one.metadata.name === 'web-md-0-2' ? infraMachine('web', 'web-md-0-2', {labels: {}}) : one,
    );
    const {index, missing} = await gather(new MemoryApi(bare), one);
    expect([...missing]).toEqual([]);
    expect(index.find({group: 'infrastructure.cluster.x-k8s.io', kind: 'DevMachine', namespace: 'fleet', name: 'web-md-0-2'})).toBeDefined();
  });

  it('looks for many missing objects of a kind by one list', async () => {
    const {objects} = clusterSet({workers: 50});
    const api = new MemoryApi(objects.filter((one) => one.kind !== 'DevMachine'));
    const {missing} = await gather(api, one);
    expect(missing.size).toBe(51);
    expect(missing.has(keyOf('infrastructure.cluster.x-k8s.io', 'DevMachine', 'fleet', 'web-md-0-7'))).toBe(true);
    expect(api.requests).toBeLessThanOrEqual(15);
  });

  describe('that is brief about bootstrap objects', () => {
    const brief = {...one, brief: true} as const;
    const config = (name: string) => ({group: 'bootstrap.cluster.x-k8s.io', kind: 'KubeadmConfig', namespace: 'fleet', name});
    const unready = (objects: readonly KubeObject[], count: number) =>
      objects.map((each) =>
        each.kind === 'Machine' && Number(/^web-md-0-(\d+)$/.exec(each.metadata.name)?.[1]) <= count
          ? withConditions(each, condition('BootstrapConfigReady', 'False', 'NotReady'), condition('Ready', 'False', 'NotReady'))
          : each,
      );

    it('asks for their names alone, and knows that they are there', async () => {
      const api = new MemoryApi(clusterSet({workers: 50}).objects);
      const {index, missing} = await gather(api, brief);
      expect(api.asked.filter((request) => request.endsWith('kubeadmconfigs'))).toEqual(['list names of kubeadmconfigs']);
      expect([...missing]).toEqual([]);
      expect(index.find(config('web-md-0-7'))).toMatchObject({kind: 'KubeadmConfig', metadata: {name: 'web-md-0-7'}});
    });

    it.each([
      {count: 2, asked: ['get kubeadmconfigs', 'get kubeadmconfigs']},
      {count: 20, asked: ['list kubeadmconfigs']},
    ])('reads whole those of $count machines that are not ready', async ({count, asked}) => {
      const api = new MemoryApi(unready(clusterSet({workers: 50}).objects, count));
      const {index} = await gather(api, brief);
      expect(api.asked.filter((request) => request.endsWith(' kubeadmconfigs'))).toEqual(['list names of kubeadmconfigs', ...asked]);
      expect(index.find(config('web-md-0-2'))?.status).toMatchObject({initialization: {dataSecretCreated: true}});
    });

    it('misses one that is not there, and reads one that no machine names', async () => {
      const {objects} = clusterSet({workers: 50});
      const gone = objects.filter((each) => !(each.kind === 'KubeadmConfig' && each.metadata.name === 'web-md-0-3'));
      const api = new MemoryApi([...gone, bootstrapConfig('web', 'stray')]);
      const {index, missing} = await gather(api, brief);
      expect([...missing]).toEqual([keyOf('bootstrap.cluster.x-k8s.io', 'KubeadmConfig', 'fleet', 'web-md-0-3')]);
      expect(index.find(config('stray'))?.metadata.uid).toBeDefined();
      expect(api.requests).toBeLessThanOrEqual(15);
    });
  });

  it('says which kinds could not be looked at, and goes on with the others', async () => {
    const api = new MemoryApi(clusterSet().objects, {forbidden: ['devmachines', 'machinehealthchecks', 'events']});
    const {unreadable, missing} = await gather(api, one);
    expect(Object.fromEntries(unreadable)).toEqual({
      '/Event': 'reader may not list events',
      'cluster.x-k8s.io/MachineHealthCheck': 'reader may not list machinehealthchecks',
      'infrastructure.cluster.x-k8s.io/DevMachine': 'reader may not list devmachines',
    });
    expect(missing.size).toBe(0);
  });

  it('ends with api.forbidden when clusters or machines may not be read', async () => {
    await expect(gather(new MemoryApi([], {forbidden: ['machines']}), one)).rejects.toMatchObject({code: 'api.forbidden'});
  });

  it('reads a server that only serves v1beta1', async () => {
    const objects = clusterSet().objects.map((one) => (one.apiVersion === 'cluster.x-k8s.io/v1beta2' ? {...one, apiVersion: 'cluster.x-k8s.io/v1beta1'} : one));
    const {index} = await gather(new MemoryApi(objects, {coreVersion: 'v1beta1'}), one);
    expect(index.clusters()).toEqual(['fleet/web']);
    expect(index.ofCluster('fleet/web').length).toBeGreaterThan(10);
  });

  it('says that Cluster API is not there where neither version is served', async () => {
    await expect(gather(new MemoryApi([], {coreVersion: 'v1alpha3'}), one)).rejects.toMatchObject({
      code: 'api.kind-unknown',
      message: expect.stringContaining("Cluster API isn't installed there"),
    });
  });

  it('asks discovery where the CRDs may not be listed', async () => {
    const api = new MemoryApi(clusterSet().objects, {forbidden: ['customresourcedefinitions']});
    const {unreadable} = await gather(api, one);
    expect(api.asked).toContain('discover infrastructure.cluster.x-k8s.io/v1beta2');
    expect(unreadable.get('infrastructure.cluster.x-k8s.io/DevMachine')).toContain('not served');
  });

  it('keeps neither managed fields nor specs that nobody looks at', async () => {
    const big = object(
      'infrastructure.cluster.x-k8s.io/v1beta2',
      'DevMachine',
      'web-md-0-1',
      {userData: 'x'.repeat(10_000)},
      {ready: true},
      {
        labels: {'cluster.x-k8s.io/cluster-name': 'web'},
      },
    );
    const objects = clusterSet().objects.map((one) => (one.kind === 'DevMachine' && one.metadata.name === 'web-md-0-1' ? big : one));
    const {index} = await gather(new MemoryApi(objects), one);
    const text = JSON.stringify([...index.all()]);
    expect(text).not.toContain('xxxx');
    expect(text).not.toContain('managedFields');
  });
});
