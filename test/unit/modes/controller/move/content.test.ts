import {describe, expect, test} from 'vitest';
import {copyOf, differences} from '../../../../../src/modes/controller/move/content.ts';
import {buildGraph, flat} from '../../../../../src/modes/controller/move/graph.ts';
import {classObjects, clusterObjects} from './objects.ts';

const nodes = new Map(
  buildGraph([...clusterObjects('berth', {annotations: {mine: 'yes', 'trireme.dev/move': '{}'}}), ...classObjects()]).clusters.flatMap((group) =>
    flat(group.levels).map((node) => [node.key, node] as const),
  ),
);

describe('the copy of an object', () => {
  test('of a Cluster is paused, says where it came from, and brings no status, uid or mark of the source', () => {
    const copy = copyOf(nodes.get('cluster.x-k8s.io/Cluster fleet/berth')!, () => '', 'source-id');
    expect(copy).toMatchObject({
      spec: {paused: true, topology: {version: 'v1.36.3'}},
      metadata: {annotations: {mine: 'yes', 'trireme.dev/moved-from': 'source-id'}, finalizers: ['cluster.cluster.x-k8s.io']},
    });
    expect(copy).not.toHaveProperty('status');
    expect(copy.metadata.uid).toBeUndefined();
    expect(copy.metadata.annotations).not.toHaveProperty('trireme.dev/move');
  });

  test('refers to its owners by the uids that they have at the target', () => {
    const copy = copyOf(nodes.get('cluster.x-k8s.io/Machine fleet/berth-cp-0')!, (key) => `new ${key}`, 'source-id');
    expect(copy.metadata.ownerReferences).toEqual([
      {
        apiVersion: 'controlplane.cluster.x-k8s.io/v1beta2',
        kind: 'KubeadmControlPlane',
        name: 'berth-cp',
        uid: 'new controlplane.cluster.x-k8s.io/KubeadmControlPlane fleet/berth-cp',
      },
    ]);
    expect(copy['spec']).not.toHaveProperty('paused');
  });
});

describe('differences', () => {
  test('are none when the server only added defaults, and an empty map counts as none', () => {
    expect(differences({spec: {a: 1, labels: {}}}, {spec: {a: 1, b: 2}, status: {}})).toEqual([]);
  });

  test.each([
    ['another value', {spec: {a: 1}}, {spec: {a: 2}}, ['spec.a']],
    ['a missing field', {spec: {a: {b: 1}}}, {spec: {}}, ['spec.a']],
    ['a shorter list', {spec: {list: [1, 2]}}, {spec: {list: [1]}}, ['spec.list']],
    ['a changed item', {spec: {list: [{a: 1}]}}, {spec: {list: [{a: 2}]}}, ['spec.list[0].a']],
    ['another type', {spec: [1]}, {spec: {a: 1}}, ['spec']],
  ])('name the place of %s', (_what, copy, there, expected) => {
    expect(differences(copy, there)).toEqual(expected);
  });
});
