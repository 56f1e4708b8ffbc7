import {describe, expect, it} from 'vitest';
import {segmentsOf, specPathOf} from '../../../../../src/modes/controller/topology/field-path.ts';

const sent = {
  spec: {
    topology: {
      controlPlane: {variables: {overrides: [{name: 'size', value: 'x'}]}},
      workers: {machineDeployments: [{name: 'quay'}, {name: 'pier', variables: {overrides: [{name: 'limits', value: {}}]}}], machinePools: [{name: 'fleet'}]},
      variables: [
        {name: 'size', value: 'a'},
        {name: 'limits', value: {cpu: 1}},
      ],
    },
  },
};
// the file has its pools in another order than the object, where they are apart by kind
const context = {sent, pools: ['fleet', 'quay', 'pier']};

describe('a field path of the server', () => {
  it.each([
    ['spec.topology.version', 'spec.kubernetes.version'],
    ['.spec.topology.version', 'spec.kubernetes.version'],
    ['/spec/topology/variables/1/value/cpu', 'spec.controller.variables.limits.cpu'],
    ['spec.topology.variables[size].value', 'spec.controller.variables.size'],
    ['spec.topology.variables[limits].value.cpu', 'spec.controller.variables.limits.cpu'],
    ['spec.topology.variables', 'spec.controller.variables'],
    ['spec.topology.classRef.name', 'spec.controller.class'],
    ['spec.topology.class', 'spec.controller.class'],
    ['spec.topology.classRef.namespace', 'spec.controller.classNamespace'],
    ['spec.topology.controlPlane.replicas', 'spec.controller.controlPlane.replicas'],
    ['spec.topology.controlPlane.variables.overrides[size].value', 'spec.controller.controlPlane.variables.size'],
    ['spec.topology.workers.machineDeployments[1].replicas', 'spec.controller.pools.2.replicas'],
    ['spec.topology.workers.machineDeployments[pier].variables.overrides[limits].value.cpu', 'spec.controller.pools.2.variables.limits.cpu'],
    ['spec.topology.workers.machinePools[0].class', 'spec.controller.pools.0.class'],
    ['spec.topology.workers.machineDeployments[quay].metadata.labels', 'spec.controller.pools.1.labels'],
    ['spec.topology.workers.machineDeployments[quay].taints[0].key', 'spec.controller.pools.1.taints.0.key'],
    ['spec.clusterNetwork.pods.cidrBlocks[1]', 'spec.network.pods.1'],
    ['metadata.name', 'metadata.name'],
    ['metadata.namespace', 'spec.controller.namespace'],
  ])('%s is %s of the file', (field, path) => {
    expect(specPathOf(field, context)?.join('.')).toBe(path);
  });

  it('is nowhere in the file when Cluster API itself sets it', () => {
    expect(specPathOf('spec.controlPlaneEndpoint.host', context)).toBeUndefined();
    expect(specPathOf('status.phase', context)).toBeUndefined();
  });

  it('keeps what is in brackets together', () => {
    expect(segmentsOf('spec.a[b.c/d].e["f"]')).toEqual(['spec', 'a', 'b.c/d', 'e', 'f']);
  });
});
