import {describe, expect, it} from 'vitest';
import type {KubeObject, ManagedFields} from '../../../../../src/kube/object.ts';
import {leafText, leavesOf, ownersOf, partByOwner} from '../../../../../src/modes/controller/topology/owners.ts';

const cluster = (replicas: number, managedFields: readonly ManagedFields[] = [], version = 'v1.35.4'): KubeObject => ({
  apiVersion: 'cluster.x-k8s.io/v1beta2',
  kind: 'Cluster',
  metadata: {name: 'c', managedFields},
  spec: {topology: {version, workers: {machineDeployments: [{name: 'quay', class: 'w', replicas}]}, variables: [{name: 'size', value: 'a'}]}},
});
const pool = (...fields: string[]) => ({
  'f:spec': {
    'f:topology': {
      'f:workers': {'f:machineDeployments': {'k:{"name":"quay"}': Object.fromEntries(['.', ...fields.map((field) => `f:${field}`)].map((key) => [key, {}]))}},
    },
  },
});
const version = {'f:spec': {'f:topology': {'f:version': {}}}};

describe('the owners of a field', () => {
  it('are read through keyed lists', () => {
    const live = cluster(2, [{manager: 'kubectl-edit', operation: 'Update', fieldsV1: pool('replicas')}]);
    const leaf = leavesOf(live).find(({path}) => leafText(path).endsWith('.replicas'));
    expect(leafText(leaf?.path ?? [])).toBe('spec.topology.workers.machineDeployments[quay].replicas');
    expect(ownersOf(live, leaf?.path ?? [])).toEqual([{manager: 'kubectl-edit', operation: 'Update'}]);
    expect(ownersOf(live, ['spec', 'topology', 'version'])).toEqual([]);
  });

  it('are not those of the status', () => {
    const live = cluster(2, [{manager: 'core', operation: 'Update', subresource: 'status', fieldsV1: version}]);
    expect(ownersOf(live, ['spec', 'topology', 'version'])).toEqual([]);
  });
});

describe('what we apply', () => {
  it('is contested where another manager has another value, and only there', () => {
    const live = cluster(2, [{manager: 'kubectl-edit', operation: 'Update', fieldsV1: pool('replicas', 'class')}]);
    const {contested, object} = partByOwner(cluster(3), live);
    expect(contested).toEqual([{field: 'spec.topology.workers.machineDeployments[quay].replicas', managers: ['kubectl-edit'], wanted: 3, live: 2}]);
    expect(object).toEqual(cluster(3));
    expect(partByOwner(cluster(2), live).contested).toEqual([]);
  });

  it("is not contested by our own verbs' patches, which the apply takes over", () => {
    const live = cluster(2, [{manager: 'trireme', operation: 'Update', fieldsV1: pool('replicas')}]);
    expect(partByOwner(cluster(3), live)).toMatchObject({contested: [], ours: true});
  });

  it('leaves out what a GitOps tool owns, but for the keys of lists', () => {
    const live = cluster(2, [{manager: 'argocd-controller', operation: 'Apply', fieldsV1: {...version, ...pool('name', 'replicas')}}]);
    const owned = partByOwner(cluster(3), live);
    expect(owned.left).toEqual([{field: 'spec.topology.workers.machineDeployments[quay].replicas', manager: 'argocd-controller', wanted: 3, live: 2}]);
    expect(owned.contested).toEqual([]);
    expect((owned.object['spec'] as {topology: {workers: unknown}}).topology.workers).toEqual({machineDeployments: [{name: 'quay', class: 'w'}]});
  });
});
