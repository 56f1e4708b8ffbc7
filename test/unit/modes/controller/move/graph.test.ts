import {describe, expect, test} from 'vitest';
import {buildGraph, flat} from '../../../../../src/modes/controller/move/graph.ts';
import {classObjects, clusterObjects, found} from './objects.ts';

const keys = (levels: Parameters<typeof flat>[0]) => levels.map((level) => level.map((node) => node.key));

describe('the graph of a move', () => {
  test('gives each cluster its own objects, owners before what they own, and secrets that belong to it by name', () => {
    const graph = buildGraph([...clusterObjects('berth'), ...clusterObjects('harbour'), ...classObjects()]);
    expect(graph.clusters.map((group) => group.id)).toEqual(['fleet/berth', 'fleet/harbour']);
    expect(keys(graph.clusters[0]!.levels)).toEqual([
      ['cluster.x-k8s.io/Cluster fleet/berth'],
      ['Secret fleet/berth-ca', 'controlplane.cluster.x-k8s.io/KubeadmControlPlane fleet/berth-cp'],
      ['Secret fleet/berth-kubeconfig', 'cluster.x-k8s.io/Machine fleet/berth-cp-0'],
      ['infrastructure.cluster.x-k8s.io/DevMachine fleet/berth-cp-0'],
    ]);
    expect(graph.clusters[0]!.shared).toEqual(['cluster.x-k8s.io/ClusterClass fleet/quick']);
    expect(keys(graph.shared)).toEqual([
      ['cluster.x-k8s.io/ClusterClass fleet/quick'],
      ['infrastructure.cluster.x-k8s.io/DevMachineTemplate fleet/quick-machine'],
    ]);
  });

  test("leaves alone what belongs to nobody: other people's secrets and config maps", () => {
    const graph = buildGraph([...clusterObjects('berth'), found('v1', 'Secret', {name: 'database'}), found('v1', 'ConfigMap', {name: 'notes'})]);
    const all = [...graph.clusters.flatMap((group) => flat(group.levels)), ...flat(graph.shared)].map((node) => node.key);
    expect(all).not.toContain('Secret fleet/database');
    expect(all).not.toContain('ConfigMap fleet/notes');
  });

  test('takes along what a label asks for, and what that owns', () => {
    const identity = found('infrastructure.cluster.x-k8s.io/v1beta2', 'DevIdentity', {
      name: 'account',
      labels: {'clusterctl.cluster.x-k8s.io/move-hierarchy': ''},
    });
    const secret = found('v1', 'Secret', {
      name: 'account',
      ownerReferences: [{apiVersion: identity.object.apiVersion, kind: 'DevIdentity', name: 'account', uid: identity.object.metadata.uid ?? ''}],
    });
    expect(keys(buildGraph([identity, secret]).shared)).toEqual([['infrastructure.cluster.x-k8s.io/DevIdentity fleet/account'], ['Secret fleet/account']]);
  });

  test('says what stays because its owner is of a kind that is not moved', () => {
    const stranger = found('v1', 'ConfigMap', {
      name: 'berth-extra',
      labels: {'clusterctl.cluster.x-k8s.io/move': ''},
      ownerReferences: [{apiVersion: 'apps/v1', kind: 'Deployment', name: 'operator', uid: 'elsewhere'}],
    });
    expect(buildGraph([stranger]).leftOut).toEqual([{key: 'ConfigMap fleet/berth-extra', why: "its owner Deployment operator is of a kind that isn't moved"}]);
  });

  test('comes to an end where owners form a circle', () => {
    const [cluster, ...rest] = clusterObjects('berth');
    const circle = {
      ...cluster!,
      object: {
        ...cluster!.object,
        metadata: {...cluster!.object.metadata, ownerReferences: [{apiVersion: 'v1', kind: 'Secret', name: 'berth-ca', uid: 'uid-Secret-berth-ca'}]},
      },
    };
    const graph = buildGraph([circle, ...rest]);
    expect(flat(graph.clusters[0]!.levels)).toHaveLength(6);
  });
});
