import {describe, expect, it} from 'vitest';
import {fieldAt, nameOfPath, patchOf} from '../../../../../src/modes/controller/verbs/field-step.ts';

const object = {
  apiVersion: 'cluster.x-k8s.io/v1beta2',
  kind: 'Cluster',
  metadata: {name: 'web'},
  spec: {topology: {workers: {machineDeployments: [{name: 'md-0'}, {name: 'md-1', replicas: 3}]}}},
};
const path = ['spec', 'topology', 'workers', 'machineDeployments', {named: 'md-1'}, 'replicas'] as const;

describe('the patch of a field', () => {
  it('finds the entry by name, and tests that it still is there and what it holds', () => {
    expect(fieldAt(object, path)).toBe(3);
    expect(nameOfPath(path)).toBe('spec.topology.workers.machineDeployments[md-1].replicas');
    expect(patchOf(object, [{path, from: 3, to: 5}], 'Cluster web')).toEqual([
      {op: 'test', path: '/spec/topology/workers/machineDeployments/1/name', value: 'md-1'},
      {op: 'test', path: '/spec/topology/workers/machineDeployments/1/replicas', value: 3},
      {op: 'replace', path: '/spec/topology/workers/machineDeployments/1/replicas', value: 5},
    ]);
  });

  it('makes the maps that are missing, each once, and escapes what is in keys', () => {
    const annotation = (key: string) => ({path: ['metadata', 'annotations', key], to: ''});
    expect(patchOf(object, [annotation('a/b'), annotation('c~d')], 'Cluster web')).toEqual([
      {op: 'add', path: '/metadata/annotations', value: {}},
      {op: 'add', path: '/metadata/annotations/a~1b', value: ''},
      {op: 'add', path: '/metadata/annotations/c~0d', value: ''},
    ]);
  });

  it('has nothing to do when it is so already', () => {
    expect(patchOf(object, [{path, from: 1, to: 3}], 'Cluster web')).toEqual([]);
  });

  it('refuses what somebody else changed since the plan, and names both values', () => {
    expect(() => patchOf(object, [{path, from: 2, to: 5}], 'Cluster web')).toThrow(
      'spec.topology.workers.machineDeployments[md-1].replicas of Cluster web was 2 when the plan was made, and is 3 now.',
    );
    const gone = ['spec', 'topology', 'workers', 'machineDeployments', {named: 'md-9'}, 'replicas'] as const;
    expect(() => patchOf(object, [{path: gone, to: 5}], 'Cluster web')).toThrow('[md-9] of Cluster web is gone since the plan was made');
  });

  it('takes a field away', () => {
    expect(patchOf(object, [{path, from: 3}], 'Cluster web').at(-1)).toEqual({op: 'remove', path: '/spec/topology/workers/machineDeployments/1/replicas'});
  });
});
