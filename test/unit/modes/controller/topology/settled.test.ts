import {describe, expect, it} from 'vitest';
import type {KubeObject} from '../../../../../src/kube/object.ts';
import {controlPlaneIsNew, deploymentIsNew} from '../../../../../src/modes/controller/topology/confirm.ts';
import {controlPlaneAvailable, infrastructureReady, poolReady, rolledOut} from '../../../../../src/modes/controller/topology/settled.ts';

const cluster = (status: object, version = 'v1beta2'): KubeObject => ({
  apiVersion: `cluster.x-k8s.io/${version}`,
  kind: 'Cluster',
  metadata: {name: 'c', generation: 2},
  spec: {topology: {version: 'v1.36.3'}},
  status,
});
const is = (type: string, status = 'True', observedGeneration = 2) => ({type, status, observedGeneration});
const counts = {desiredReplicas: 3, replicas: 3, upToDateReplicas: 3, availableReplicas: 3};
const good = {
  observedGeneration: 2,
  conditions: [is('TopologyReconciled'), is('Available'), is('ControlPlaneAvailable')],
  controlPlane: counts,
  workers: counts,
};

describe('a cluster is rolled out', () => {
  it('when everything is there, new and available', () => {
    expect(rolledOut(cluster(good))).toEqual({done: true, waitingFor: ''});
  });

  it.each<[string, object, string]>([
    ['the generation is not looked at', {...good, observedGeneration: 1}, 'Cluster API has not looked at the change yet'],
    [
      'the topology controller is behind',
      {...good, conditions: [is('TopologyReconciled', 'True', 1), is('Available')]},
      'the topology controller has not looked at the change yet',
    ],
    ['machines are being replaced', {...good, conditions: [...good.conditions, is('RollingOut')]}, 'machines are being replaced'],
    ['a worker is old', {...good, workers: {...counts, upToDateReplicas: 2}}, '2 of 3 workers are up to date'],
    ['there is one too many', {...good, controlPlane: {...counts, replicas: 4}}, '4 of 3 control planes are there'],
    [
      'it is not available',
      {...good, conditions: [is('TopologyReconciled'), {...is('Available', 'False'), message: '* no'}]},
      'the cluster is not available: no',
    ],
  ])('but not when %s', (_what, status, waitingFor) => {
    expect(rolledOut(cluster(status))).toEqual({done: false, waitingFor});
  });

  it('is told from the status of v1beta1 too', () => {
    const old = {
      observedGeneration: 2,
      infrastructureReady: true,
      controlPlaneReady: true,
      conditions: [is('TopologyReconciled'), is('Ready'), is('ControlPlaneInitialized')],
    };
    expect([infrastructureReady, controlPlaneAvailable, rolledOut].map((judge) => judge(cluster(old, 'v1beta1')).done)).toEqual([true, true, true]);
  });

  it('waits for control planes of another version', () => {
    const status = {
      ...good,
      controlPlane: {
        ...counts,
        versions: [
          {version: 'v1.35.4', replicas: 1},
          {version: 'v1.36.3', replicas: 2},
        ],
      },
    };
    expect(controlPlaneAvailable(cluster(status)).waitingFor).toBe('control planes still have v1.35.4');
  });
});

const machines = (kind: string, template: string, spec: object, status: object): KubeObject => ({
  apiVersion: 'cluster.x-k8s.io/v1beta2',
  kind,
  metadata: {name: `${kind}-${template}`, generation: 1},
  spec: {...spec, template: {spec: {version: 'v1.36.3', infrastructureRef: {name: template}, bootstrap: {configRef: {name: 'b'}}}}},
  status: {observedGeneration: 1, ...status},
});

describe('a pool', () => {
  const deployment = machines('MachineDeployment', 'new', {replicas: 2}, {replicas: 2, upToDateReplicas: 2, availableReplicas: 2});
  const set = (template: string, status: object) => machines('MachineSet', template, {}, status);

  it('waits for its turn, its number and its machines', () => {
    expect(poolReady(deployment, 'v1.36.3').done).toBe(true);
    expect(poolReady(deployment, 'v1.37.0').waitingFor).toBe('it has v1.36.3 and waits for its turn to get v1.37.0');
    expect(poolReady(deployment, 'v1.36.3', 5).waitingFor).toBe('it is asked for 2 machines, not yet for 5');
  });

  it('is not new by its own counts, which are those of before: its machines must be of the MachineSet of its present template', () => {
    expect(deploymentIsNew(deployment, [set('old', {replicas: 2, availableReplicas: 2})]).waitingFor).toBe('its new machines are not begun yet');
    expect(deploymentIsNew(deployment, [set('old', {replicas: 2}), set('new', {availableReplicas: 1})]).waitingFor).toBe('1 of 2 new machines are available');
    expect(deploymentIsNew(deployment, [set('old', {replicas: 1}), set('new', {availableReplicas: 2})]).waitingFor).toBe('1 old machine is still there');
    expect(deploymentIsNew(deployment, [set('old', {replicas: 0}), set('new', {availableReplicas: 2})]).done).toBe(true);
  });
});

describe('a control plane', () => {
  const controlPlane = (status: object, generation = 1): KubeObject => ({
    apiVersion: 'controlplane.cluster.x-k8s.io/v1beta2',
    kind: 'KubeadmControlPlane',
    metadata: {name: 'k', generation},
    spec: {replicas: 3},
    status,
  });

  it('is new when it has looked at the change and all of it is up to date', () => {
    expect(controlPlaneIsNew(controlPlane({observedGeneration: 1, upToDateReplicas: 3, replicas: 3}, 2)).waitingFor).toBe(
      'the control plane has not looked at the change yet',
    );
    expect(controlPlaneIsNew(controlPlane({observedGeneration: 1, upToDateReplicas: 1, replicas: 4})).waitingFor).toBe('1 of 3 control planes are up to date');
    expect(controlPlaneIsNew(controlPlane({observedGeneration: 1, upToDateReplicas: 3, replicas: 4})).waitingFor).toBe(
      'there are 4 control planes, 3 are wanted',
    );
    expect(controlPlaneIsNew(controlPlane({observedGeneration: 1, upToDateReplicas: 3, replicas: 3})).done).toBe(true);
  });
});
