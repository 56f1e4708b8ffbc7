// What a management cluster's API does, as one suite for the embedded one and for a real one: kube-apiserver with Cluster API's own managers.
// Whatever is asserted here is true of both; where they differ, it's written down in docs or not asserted.
import {randomBytes} from 'node:crypto';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {KubeApi, RawAnswer, Resource} from '../../src/kube/api.ts';
import {listAt, textAt, valueAt, type KubeObject} from '../../src/kube/object.ts';
import {describeClusterLife} from './management-life.ts';
import {capi, clusterObject, clusters, codeOf, core, type ManagementSubject} from './management-subject.ts';

const configMaps = core('ConfigMap', 'configmaps');
const templates: Resource = {
  group: 'infrastructure.cluster.x-k8s.io',
  version: 'v1beta2',
  plural: 'devmachinetemplates',
  kind: 'DevMachineTemplate',
  namespaced: true,
};

interface Status {
  readonly kind: string;
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: {
    readonly name?: string;
    readonly group?: string;
    readonly kind?: string;
    readonly causes?: readonly {readonly field: string; readonly reason: string; readonly message: string}[];
  };
}

interface WatchLine {
  readonly type: string;
  readonly object: KubeObject & {readonly code?: number; readonly reason?: string};
}

/** The lines of a finished watch. */
const linesOf = (answer: RawAnswer): readonly WatchLine[] =>
  typeof answer.body === 'string'
    ? answer.body
        .trim()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as WatchLine)
    : answer.body === undefined
      ? []
      : [answer.body as WatchLine];

/** Registers the suite. */
export function describeManagementApi(open: () => Promise<ManagementSubject>): void {
  let subject: ManagementSubject;
  let api: KubeApi;
  let namespace: string;
  const map = (name: string, data: Readonly<Record<string, string>> = {a: '1'}, labels: Readonly<Record<string, string>> = {}): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {name, namespace, ...(Object.keys(labels).length === 0 ? {} : {labels})},
    data,
  });
  const path = (name = '', query = '') => `/api/v1/namespaces/${namespace}/configmaps${name === '' ? '' : `/${name}`}${query}`;

  beforeAll(async () => {
    subject = await open();
    ({api} = subject);
    namespace = `contract-${randomBytes(4).toString('hex')}`;
    await api.create({apiVersion: 'v1', kind: 'Namespace', metadata: {name: namespace}});
  }, 300_000);

  afterAll(async () => {
    if (subject === undefined) return;
    await subject.api.remove(core('Namespace', 'namespaces', false), {name: namespace});
    await subject.close();
  });

  describe('discovery', () => {
    it('serves the kinds of Cluster API with their plurals, scopes and subresources', async () => {
      expect(await api.serverVersion()).toMatch(/^v1\.36\./);
      const wanted = [
        [
          'cluster.x-k8s.io/v1beta2',
          [
            'clusters',
            'clusterclasses',
            'machines',
            'machinesets',
            'machinedeployments',
            'machinepools',
            'machinehealthchecks',
            'machinedrainrules',
            'machinedeployments/scale',
            'clusters/status',
          ],
        ],
        ['controlplane.cluster.x-k8s.io/v1beta2', ['kubeadmcontrolplanes', 'kubeadmcontrolplanetemplates', 'kubeadmcontrolplanes/scale']],
        ['bootstrap.cluster.x-k8s.io/v1beta2', ['kubeadmconfigs', 'kubeadmconfigtemplates']],
        ['infrastructure.cluster.x-k8s.io/v1beta2', ['devclusters', 'devclustertemplates', 'devmachines', 'devmachinetemplates']],
        ['addons.cluster.x-k8s.io/v1beta2', ['clusterresourcesets', 'clusterresourcesetbindings']],
        ['clusterctl.cluster.x-k8s.io/v1alpha3', ['providers']],
      ] as const;
      for (const [version, names] of wanted) {
        const {body} = await api.send<{resources: {name: string; namespaced: boolean}[]}>({path: `/apis/${version}`});
        const served = new Map(body.resources.map((one) => [one.name, one.namespaced]));
        for (const name of names) expect(served.get(name), `${name} of ${version}`).toBe(true);
      }
      expect(await api.resource({apiVersion: 'cluster.x-k8s.io/v1beta2', kind: 'MachineDeployment'})).toEqual(capi('MachineDeployment', 'machinedeployments'));
      expect(await codeOf(api.resource({apiVersion: 'nowhere.example/v1', kind: 'Nothing'}))).toBe('api.kind-unknown');
    });

    it('lists names alone, with or without tables', async () => {
      for (const name of ['named-a', 'named-b']) await api.create(map(name, {}, {named: 'yes'}));
      const {items} = await api.list(configMaps, {namespace, labelSelector: 'named=yes', namesOnly: true});
      expect(items.map((one) => one.metadata.name).toSorted()).toEqual(['named-a', 'named-b']);
    });

    it("labels Cluster API's definitions with their contract and provider", async () => {
      const {items} = await api.list({
        group: 'apiextensions.k8s.io',
        version: 'v1',
        plural: 'customresourcedefinitions',
        kind: 'CustomResourceDefinition',
        namespaced: false,
      });
      const labels = (name: string) => items.find((one) => one.metadata.name === name)?.metadata.labels;
      expect(labels('clusters.cluster.x-k8s.io')).toMatchObject({'cluster.x-k8s.io/provider': 'cluster-api'});
      expect(labels('devmachines.infrastructure.cluster.x-k8s.io')).toMatchObject({
        'clusterctl.cluster.x-k8s.io': '',
        'cluster.x-k8s.io/provider': 'infrastructure-docker',
        'cluster.x-k8s.io/v1beta2': 'v1beta2',
      });
    });
  });

  describe('objects', () => {
    it('are made with uid, time and resourceVersion, found, changed and removed', async () => {
      const made = await api.create(map('made'));
      expect(made.metadata).toMatchObject({name: 'made', namespace, uid: expect.stringMatching(/^[0-9a-f-]{36}$/) as string});
      expect(made.metadata.resourceVersion).toMatch(/^\d+$/);
      expect(made.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      const changed = await api.patch(configMaps, {name: 'made', namespace}, {type: 'merge', body: {data: {b: '2', a: null}}});
      expect(changed['data']).toEqual({b: '2'});
      expect(Number(changed.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion));
      expect(await api.remove(configMaps, {name: 'made', namespace})).toBe(true);
      expect(await api.get(configMaps, {name: 'made', namespace})).toBeUndefined();
      expect(await api.remove(configMaps, {name: 'made', namespace})).toBe(false);
    });

    it('keep their resourceVersion when a write changes nothing', async () => {
      const made = await api.create(map('same'));
      const same = await api.patch(configMaps, {name: 'same', namespace}, {type: 'merge', body: {data: {a: '1'}}});
      expect(same.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    });

    it('get a name of generateName, and refuse a second one of the same name', async () => {
      const {status, body} = await api.send<KubeObject>({
        method: 'POST',
        path: path(),
        body: {apiVersion: 'v1', kind: 'ConfigMap', metadata: {generateName: 'gen-'}},
      });
      expect([status, body.metadata.name]).toEqual([201, expect.stringMatching(/^gen-[a-z0-9]{5}$/)]);
      await api.create(map('twice'));
      const again = await api.send<Status>({method: 'POST', path: path(), body: map('twice')});
      expect(again).toMatchObject({status: 409, body: {kind: 'Status', reason: 'AlreadyExists', message: 'configmaps "twice" already exists'}});
    });

    it('are not made in a namespace that is not there', async () => {
      const answer = await api.send<Status>({
        method: 'POST',
        path: '/api/v1/namespaces/nowhere/configmaps',
        body: {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'x'}},
      });
      expect(answer).toMatchObject({status: 404, body: {message: 'namespaces "nowhere" not found'}});
    });

    it('tell a missing one as a Status with kind and name', async () => {
      const answer = await api.send<Status>({path: `/apis/cluster.x-k8s.io/v1beta2/namespaces/${namespace}/clusters/none`});
      expect(answer).toMatchObject({
        status: 404,
        body: {
          kind: 'Status',
          status: 'Failure',
          reason: 'NotFound',
          message: 'clusters.cluster.x-k8s.io "none" not found',
          details: {name: 'none', group: 'cluster.x-k8s.io', kind: 'clusters'},
          code: 404,
        },
      });
    });

    it('are changed by JSON patch, and not at all when its test fails', async () => {
      await api.create(map('json', {a: '1'}));
      const changed = await api.patch(
        configMaps,
        {name: 'json', namespace},
        {
          type: 'json',
          body: [
            {op: 'test', path: '/data/a', value: '1'},
            {op: 'replace', path: '/data/a', value: '2'},
            {op: 'add', path: '/data/b', value: '3'},
          ],
        },
      );
      expect(changed['data']).toEqual({a: '2', b: '3'});
      const refused = await api.send<Status>({
        method: 'PATCH',
        path: path('json'),
        type: 'application/json-patch+json',
        body: [
          {op: 'test', path: '/data/a', value: '1'},
          {op: 'remove', path: '/data/b'},
        ],
      });
      expect(refused).toMatchObject({status: 422, body: {reason: 'Invalid'}});
      expect((await api.get(configMaps, {name: 'json', namespace}))?.['data']).toEqual({a: '2', b: '3'});
    });

    it('refuse a write that stands on an old resourceVersion, and a removal of another uid', async () => {
      const old = await api.create(map('moved'));
      await api.patch(configMaps, {name: 'moved', namespace}, {type: 'merge', body: {data: {a: '2'}}});
      const stale = await api.send<Status>({method: 'PUT', path: path('moved'), body: {...old, data: {a: '3'}}});
      expect(stale).toMatchObject({status: 409, body: {reason: 'Conflict', message: expect.stringContaining('the object has been modified') as string}});
      expect(await codeOf(api.remove(configMaps, {name: 'moved', namespace}, {resourceVersion: old.metadata.resourceVersion as string}))).toBe('api.conflict');
      expect(await codeOf(api.remove(configMaps, {name: 'moved', namespace}, {uid: '00000000-0000-0000-0000-000000000000'}))).toBe('api.conflict');
      expect(await api.remove(configMaps, {name: 'moved', namespace}, {uid: old.metadata.uid as string})).toBe(true);
    });

    it('wait for their finalizers, and count generations of what is wanted only', async () => {
      const made = await api.create({...map('held'), metadata: {...map('held').metadata, finalizers: ['example.com/hold']}});
      await api.remove(configMaps, {name: 'held', namespace});
      const held = await api.get(configMaps, {name: 'held', namespace});
      expect(held?.metadata).toMatchObject({uid: made.metadata.uid, deletionTimestamp: expect.any(String) as string});
      await api.patch(configMaps, {name: 'held', namespace}, {type: 'merge', body: {metadata: {finalizers: null}}});
      expect(await api.get(configMaps, {name: 'held', namespace})).toBeUndefined();
      const template = await api.create({
        apiVersion: 'infrastructure.cluster.x-k8s.io/v1beta2',
        kind: 'DevMachineTemplate',
        metadata: {name: 'counted', namespace},
        spec: {template: {spec: {backend: {inMemory: {}}}}},
      });
      expect(template.metadata.generation).toBe(1);
      const labelled = await api.patch(templates, {name: 'counted', namespace}, {type: 'merge', body: {metadata: {labels: {a: 'b'}}}});
      expect(labelled.metadata.generation).toBe(1);
    });

    it('go when their owner goes', async () => {
      const owner = await api.create(map('owner'));
      const reference = {apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid as string};
      await api.create({...map('owned'), metadata: {...map('owned').metadata, ownerReferences: [reference]}});
      await api.remove(configMaps, {name: 'owner', namespace}, {propagation: 'Background'});
      await expect.poll(() => api.get(configMaps, {name: 'owned', namespace}), {timeout: subject.patience}).toBeUndefined();
    });

    it('are only looked at by a dry run', async () => {
      const answer = await api.create(map('dry'), {dryRun: true});
      expect(answer.metadata.uid).toBeDefined();
      expect(await api.get(configMaps, {name: 'dry', namespace})).toBeUndefined();
      const real = await api.create(map('dry'));
      await api.apply({...map('dry', {a: '9'})}, {dryRun: true, force: true});
      await api.remove(configMaps, {name: 'dry', namespace}, {dryRun: true});
      expect(await api.get(configMaps, {name: 'dry', namespace})).toEqual(
        expect.objectContaining({data: {a: '1'}, metadata: expect.objectContaining({resourceVersion: real.metadata.resourceVersion}) as unknown}),
      );
    });
  });

  describe('server-side apply', () => {
    it('names who owns a field that another wants, and takes it by force', async () => {
      await api.apply(map('shared', {a: '1', mine: 'x'}), {fieldManager: 'one'});
      await api.apply(map('shared', {b: '2'}), {fieldManager: 'two'});
      const refused = await api.send<Status>({
        method: 'PATCH',
        path: path('shared', '?fieldManager=two'),
        type: 'application/apply-patch+yaml',
        body: map('shared', {a: '3', b: '2'}),
      });
      expect(refused).toMatchObject({
        status: 409,
        body: {
          reason: 'Conflict',
          message: 'Apply failed with 1 conflict: conflict with "one": .data.a',
          details: {causes: [{reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a'}]},
        },
      });
      expect(await codeOf(api.apply(map('shared', {a: '3', b: '2'}), {fieldManager: 'two'}))).toBe('api.conflict');
      await api.patch(configMaps, {name: 'shared', namespace}, {type: 'merge', body: {data: {b: '9'}}}, {fieldManager: 'editor'});
      const edited = await api.send<Status>({
        method: 'PATCH',
        path: path('shared', '?fieldManager=two'),
        type: 'application/apply-patch+yaml',
        body: map('shared', {b: '2'}),
      });
      expect(edited.body.message).toBe('Apply failed with 1 conflict: conflict with "editor" using v1: .data.b');
      const forced = await api.apply(map('shared', {a: '3', b: '2'}), {fieldManager: 'two', force: true});
      expect(forced['data']).toEqual({a: '3', b: '2', mine: 'x'});
    });

    it('takes away what a manager applied before and does not any more', async () => {
      await api.apply(map('less', {a: '1', b: '2'}), {fieldManager: 'one'});
      const less = await api.apply(map('less', {a: '1'}), {fieldManager: 'one'});
      expect(less['data']).toEqual({a: '1'});
      const same = await api.apply(map('less', {a: '1'}), {fieldManager: 'one'});
      expect(same.metadata.resourceVersion).toBe(less.metadata.resourceVersion);
    });

    it('knows the pools of a cluster by their names', async () => {
      const pool = (name: string, replicas: number) => ({class: 'default-worker', name, replicas});
      const wish = (...pools: readonly unknown[]) => clusterObject('ssa-pools', {workers: {machineDeployments: pools}});
      await api.apply(wish(pool('a', 1), pool('b', 1)), {fieldManager: 'one', dryRun: true});
      const made = await api.apply(
        {...wish(pool('a', 1), pool('b', 1)), spec: {...(wish(pool('a', 1), pool('b', 1))['spec'] as object), paused: true}},
        {fieldManager: 'one'},
      );
      try {
        const owned = listAt(made, 'metadata', 'managedFields').find((one) => textAt(one, 'manager') === 'one');
        expect(valueAt(owned, 'fieldsV1', 'f:spec', 'f:topology', 'f:workers', 'f:machineDeployments', 'k:{"name":"a"}', 'f:replicas')).toEqual({});
        const refused = await api.send<Status>({
          method: 'PATCH',
          path: '/apis/cluster.x-k8s.io/v1beta2/namespaces/default/clusters/ssa-pools?fieldManager=two',
          type: 'application/apply-patch+yaml',
          body: {
            apiVersion: 'cluster.x-k8s.io/v1beta2',
            kind: 'Cluster',
            metadata: {name: 'ssa-pools', namespace: 'default'},
            spec: {topology: {workers: {machineDeployments: [pool('b', 4)]}}},
          },
        });
        expect(refused).toMatchObject({
          status: 409,
          body: {
            message: 'Apply failed with 1 conflict: conflict with "one": .spec.topology.workers.machineDeployments[name="b"].replicas',
          },
        });
      } finally {
        await api.patch(clusters, {name: 'ssa-pools', namespace: 'default'}, {type: 'merge', body: {spec: {paused: null}}});
        await api.remove(clusters, {name: 'ssa-pools', namespace: 'default'});
        await expect.poll(() => api.get(clusters, {name: 'ssa-pools', namespace: 'default'}), {timeout: subject.patience * 3, interval: 200}).toBeUndefined();
      }
    });
  });

  describe('lists', () => {
    it('come in pages of one snapshot, and pick by labels, fields and metadata alone', async () => {
      for (let index = 0; index < 7; index += 1) await api.create(map(`page-${index}`, {}, {page: 'yes', odd: String(index % 2)}));
      interface List {
        readonly kind: string;
        readonly metadata: {readonly continue?: string; readonly resourceVersion: string; readonly remainingItemCount?: number};
        readonly items: readonly KubeObject[];
      }
      const first = await api.send<List>({path: path('', '?labelSelector=page%3Dyes&limit=3')});
      expect(first.body.items.map((one) => one.metadata.name)).toEqual(['page-0', 'page-1', 'page-2']);
      await api.create(map('page-5b', {}, {page: 'yes'}));
      const names = first.body.items.map((one) => one.metadata.name);
      for (let token = first.body.metadata.continue ?? ''; token !== '';) {
        const next = await api.send<List>({path: path('', `?labelSelector=page%3Dyes&limit=3&continue=${encodeURIComponent(token)}`)});
        expect([next.status, next.body.metadata.resourceVersion]).toEqual([200, first.body.metadata.resourceVersion]);
        names.push(...next.body.items.map((one) => one.metadata.name));
        token = next.body.metadata.continue ?? '';
      }
      expect(names).toEqual(Array.from({length: 7}, (_, index) => `page-${index}`));
      expect((await api.list(configMaps, {namespace, labelSelector: 'page,odd in (1)'})).items).toHaveLength(3);
      expect((await api.list(configMaps, {namespace, labelSelector: 'page=yes,odd!=1'})).items).toHaveLength(5);
      expect((await api.list(configMaps, {namespace, fieldSelector: 'metadata.name=page-4'})).items.map((one) => one.metadata.name)).toEqual(['page-4']);
      const partial = await api.send<List>({path: path('', '?labelSelector=page'), accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'});
      expect(partial.body.kind).toBe('PartialObjectMetadataList');
      expect(partial.body.items.every((one) => !('data' in one) && one.metadata.labels?.['page'] === 'yes')).toBe(true);
      const wrong = await api.send({path: path('', '?fieldSelector=spec.anything%3D1')});
      expect(wrong.status).toBe(400);
    });
  });

  describe('watches', () => {
    it('go on from a resourceVersion, tell each change once, and bring bookmarks', async () => {
      const before = await api.list(configMaps, {namespace, labelSelector: 'watched'});
      await api.create(map('watched', {n: '1'}, {watched: 'yes'}));
      await api.patch(configMaps, {name: 'watched', namespace}, {type: 'merge', body: {data: {n: '2'}}});
      await api.create(map('unwatched'));
      await api.patch(configMaps, {name: 'watched', namespace}, {type: 'merge', body: {metadata: {labels: {watched: null}}}});
      await api.remove(configMaps, {name: 'watched', namespace});
      const answer = await api.send({
        path: path('', `?watch=1&labelSelector=watched&resourceVersion=${before.resourceVersion}&timeoutSeconds=2&allowWatchBookmarks=true`),
      });
      const events = linesOf(answer).filter((one) => one.type !== 'BOOKMARK');
      expect(events.map((one) => [one.type, one.object.metadata.name, valueAt(one.object, 'data', 'n')])).toEqual([
        ['ADDED', 'watched', '1'],
        ['MODIFIED', 'watched', '2'],
        ['DELETED', 'watched', '2'],
      ]);
      const versions = events.map((one) => Number(one.object.metadata.resourceVersion));
      expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    });

    it('say 410 when the resourceVersion is too old', async () => {
      const answer = await api.send({path: '/apis/cluster.x-k8s.io/v1beta2/clusters?watch=1&resourceVersion=1&timeoutSeconds=5'});
      const status = answer.status === 200 ? linesOf(answer)[0] : {type: 'ERROR', object: answer.body as WatchLine['object']};
      expect(status).toMatchObject({type: 'ERROR', object: {kind: 'Status', code: 410, reason: 'Expired'}});
    });
  });

  describe('rules', () => {
    it("tell each wrong field of the schema, in the real one's words", async () => {
      const tryOut = (plural: string, object: unknown) =>
        api.send<Status>({method: 'POST', path: `/apis/cluster.x-k8s.io/v1beta2/namespaces/${namespace}/${plural}?dryRun=All`, body: object});
      const head = (kind: string) => ({apiVersion: 'cluster.x-k8s.io/v1beta2', kind, metadata: {name: 'wrong', namespace}});
      const template = {spec: {clusterName: 'x', bootstrap: {dataSecretName: 's'}, infrastructureRef: {apiGroup: 'a.b', kind: 'C', name: 'd'}}};
      const strange = await tryOut('machinedeployments', {
        ...head('MachineDeployment'),
        spec: {clusterName: 'x', rollout: {strategy: {type: 'Sometimes'}}, template},
      });
      expect([strange.status, strange.body.reason, strange.body.details?.kind, strange.body.details?.group]).toEqual([
        422,
        'Invalid',
        'MachineDeployment',
        'cluster.x-k8s.io',
      ]);
      expect(strange.body.details?.causes?.find((one) => one.field === 'spec.rollout.strategy.type')).toEqual({
        field: 'spec.rollout.strategy.type',
        reason: 'FieldValueNotSupported',
        message: 'Unsupported value: "Sometimes": supported values: "RollingUpdate", "OnDelete"',
      });
      const empty = await tryOut('machinedrainrules', {...head('MachineDrainRule'), spec: {machines: []}});
      expect([empty.status, empty.body.details?.causes?.find((one) => one.field === 'spec.drain')]).toEqual([
        422,
        {field: 'spec.drain', reason: 'FieldValueRequired', message: 'Required value'},
      ]);
    });

    it('drop unknown fields, or refuse them where that is asked for', async () => {
      const object = {...clusterObject('strict'), spec: {...(clusterObject('strict')['spec'] as object), nonsense: 1}};
      const strict = await api.send<Status>({
        method: 'POST',
        path: '/apis/cluster.x-k8s.io/v1beta2/namespaces/default/clusters?dryRun=All&fieldValidation=Strict',
        body: object,
      });
      expect(strict).toMatchObject({status: 400, body: {message: expect.stringContaining('unknown field "spec.nonsense"') as string}});
      const loose = await api.send<KubeObject>({method: 'POST', path: '/apis/cluster.x-k8s.io/v1beta2/namespaces/default/clusters?dryRun=All', body: object});
      expect([loose.status, valueAt(loose.body, 'spec', 'nonsense')]).toEqual([201, undefined]);
      const applied = await api.send<Status>({
        method: 'PATCH',
        path: '/apis/cluster.x-k8s.io/v1beta2/namespaces/default/clusters/strict?dryRun=All&fieldManager=one',
        type: 'application/apply-patch+yaml',
        body: object,
      });
      expect([applied.status, applied.body.message]).toEqual([
        500,
        'failed to create typed patch object (default/strict; cluster.x-k8s.io/v1beta2, Kind=Cluster): .spec.nonsense: field not declared in schema',
      ]);
    });

    it('keep templates as they are', async () => {
      const {body, status} = await api.send<Status>({
        method: 'PATCH',
        path: `/apis/infrastructure.cluster.x-k8s.io/v1beta2/namespaces/${namespace}/devmachinetemplates/counted`,
        type: 'application/merge-patch+json',
        body: {spec: {template: {spec: {backend: {inMemory: {vm: {provisioning: {startupDuration: '5s'}}}}}}}},
      });
      expect([status, body.details?.causes?.map((one) => [one.field, one.reason])]).toEqual([422, [['spec.template.spec', 'FieldValueInvalid']]]);
      expect(body.message).toContain('admission webhook "validation.devmachinetemplate.infrastructure.cluster.x-k8s.io" denied the request: ');
      expect(body.message).toContain('spec.template.spec field is immutable');
    });

    it('tell what is wrong with a topology by field', async () => {
      const tryOut = async (topology: Readonly<Record<string, unknown>>) => {
        const {status, body} = await api.send<Status>({
          method: 'POST',
          path: '/apis/cluster.x-k8s.io/v1beta2/namespaces/default/clusters?dryRun=All',
          body: clusterObject('wrong', topology),
        });
        return [status, body.details?.causes?.map((one) => `${one.field}: ${one.message}`)];
      };
      expect(await tryOut({version: 'v1.35'})).toEqual([422, ['spec.topology.version: Invalid value: "v1.35": version must be a valid semantic version']]);
      expect(await tryOut({workers: {machineDeployments: [{class: 'none', name: 'a'}]}})).toEqual([
        422,
        [
          'spec.topology.workers.machineDeployments[0].class: Invalid value: "none": MachineDeploymentClass with name "none" does not exist in ClusterClass "in-memory"',
        ],
      ]);
      expect(await tryOut({variables: [{name: 'nobodyKnowsIt', value: 1}]})).toEqual([
        422,
        [...Array<string>(2).fill('spec.topology.variables[nobodyKnowsIt]: Invalid value: "1": variable is not defined')],
      ]);
    });

    it('warn of a class that is not there', async () => {
      const object = clusterObject('classless', {classRef: {name: 'no-such-class'}});
      expect((await api.create(object, {dryRun: true})).metadata.name).toBe('classless');
    });
  });

  describe('rights', () => {
    it('are told by SelfSubjectAccessReview, and held', async () => {
      const {readOnly} = subject;
      const checks = [
        {verb: 'list', group: 'cluster.x-k8s.io', resource: 'clusters', namespace: 'default'},
        {verb: 'create', group: 'cluster.x-k8s.io', resource: 'clusters', namespace: 'default'},
        {verb: 'patch', group: 'cluster.x-k8s.io', resource: 'machines/status', namespace: 'default'},
      ];
      expect((await readOnly.access(checks)).map((one) => one.allowed)).toEqual([true, false, false]);
      expect((await api.access(checks)).map((one) => one.allowed)).toEqual([true, true, true]);
      expect((await readOnly.list(clusters, {namespace: 'default'})).resourceVersion).toMatch(/^\d+$/);
      const refused = await readOnly.send<Status>({method: 'DELETE', path: '/apis/cluster.x-k8s.io/v1beta2/namespaces/default/clusters/none'});
      expect(refused).toMatchObject({status: 403, body: {reason: 'Forbidden', details: {group: 'cluster.x-k8s.io', kind: 'clusters', name: 'none'}}});
      expect(refused.body.message).toMatch(
        /^clusters\.cluster\.x-k8s\.io "none" is forbidden: User "[^"]+" cannot delete resource "clusters" in API group "cluster\.x-k8s\.io" in the namespace "default"/,
      );
      expect(await codeOf(readOnly.create(clusterObject('none')))).toBe('api.forbidden');
    });
  });

  describeClusterLife(() => subject);
}
