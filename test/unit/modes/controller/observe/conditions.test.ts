import {describe, expect, it} from 'vitest';
import type {Condition} from '../../../../../src/kube/object.ts';
import {conditionsOf, conditionText, standingOf, tellingConditions, viewConditions} from '../../../../../src/modes/controller/observe/conditions.ts';
import {replicasOf, standAbove, standOf} from '../../../../../src/modes/controller/observe/standing.ts';
import {condition, object} from '../../../../support/cluster-api-objects.ts';

const old = (type: string, status: Condition['status'], severity: string, reason: string): Condition => ({type, status, severity, reason, message: reason});

describe('how an object stands by a condition', () => {
  it.each([
    ['Available', 'True', 'Available', 'good'],
    ['Available', 'False', 'NotAvailable', 'bad'],
    ['RollingOut', 'False', 'NotRollingOut', 'good'],
    ['RollingOut', 'True', 'RollingOut', 'working'],
    ['Remediating', 'True', 'Remediating', 'working'],
    ['Deleting', 'Unknown', 'InternalError', 'unknown'],
    ['Paused', 'True', 'Paused', 'good'],
    ['TopologyReconciled', 'False', 'ReconcileFailed', 'bad'],
    ['TopologyReconciled', 'False', 'MachineDeploymentsUpgradePending', 'working'],
    ['TopologyReconciled', 'False', 'LifecycleHookBlocking', 'working'],
    ['Ready', 'False', 'WaitingForBootstrapData', 'working'],
    ['NodeProvisioned', 'False', 'WaitingForStartupTimeout', 'working'],
    ['HealthCheckSucceeded', 'False', 'NodeStartupTimeout', 'bad'],
    ['Ready', 'False', 'InstanceProvisionFailed', 'bad'],
    ['NodeReady', 'Unknown', 'NodeReadyUnknown', 'unknown'],
  ] as const)('%s %s (%s) is %s', (type, status, reason, standing) => {
    expect(standingOf(condition(type, status, reason), false)).toBe(standing);
  });

  it('takes a blocked scale-up for a failure', () => {
    expect(standingOf(condition('ScalingUp', 'True', 'ScalingUp', 'Scaling up from 0 to 2 replicas is blocked because:\n* x'), true)).toBe('bad');
    expect(standingOf(condition('ScalingUp', 'False', 'NotScalingUp', 'Scaling up would be blocked because x'), true)).toBe('good');
  });

  it('excuses a sum that is not True while the object is on its way', () => {
    expect(standingOf(condition('Available', 'False', 'NotAvailable'), true)).toBe('working');
    expect(standingOf(condition('InfrastructureReady', 'False', 'QuotaExceeded'), true)).toBe('bad');
  });

  it.each([
    ['* VMProvisioned: the region has no capacity for this machine (InsufficientInstanceCapacity)', 'bad'],
    ['* NodeProvisioned: WaitingForStartupTimeout', 'working'],
    ['* APIServerProvisioned: WaitingForStartupTimeout\n* EtcdProvisioned: failed to pull the image', 'bad'],
    ['* Machine failover-1:\n  * InfrastructureReady: WaitingForBootstrapData', 'working'],
    ['* VMProvisioned: Provisioning', 'working'],
    ['', 'working'],
  ] as const)("reads what the infrastructure says in a machine's copy of it: %j is %s", (message, standing) => {
    expect(standingOf({...condition('InfrastructureReady', 'False', 'NotReady'), message}, true)).toBe(standing);
  });

  it("doesn't take a machine for failed that is no longer being made and whose infrastructure only waits", () => {
    expect(standingOf({...condition('InfrastructureReady', 'False', 'NotReady'), message: '* NodeProvisioned: WaitingForStartupTimeout'}, false)).toBe(
      'working',
    );
    expect(standingOf({...condition('InfrastructureReady', 'False', 'NotReady'), message: '* NodeProvisioned: it is gone'}, false)).toBe('bad');
  });

  it('excuses a new cluster whose API server has never answered; not one that is lost', () => {
    const probe = condition('RemoteConnectionProbe', 'False', 'ProbeFailed');
    expect(standingOf({...probe, message: 'Remote connection not established yet'}, false)).toBe('working');
    expect(standingOf({...probe, message: 'Remote connection probe failed, probe last succeeded at 2026-01-01T00:00:00Z'}, false)).toBe('bad');
  });

  it('goes by the severity where there is one', () => {
    expect(standingOf(old('Ready', 'False', 'Info', 'WaitingForInfrastructure'), false)).toBe('working');
    expect(standingOf(old('Ready', 'False', 'Warning', 'Whatever'), true)).toBe('bad');
    expect(standingOf(old('MachinesReady', 'False', 'Warning', 'RollingUpdateInProgress'), false)).toBe('working');
    expect(standingOf(old('MachinesCreated', 'False', 'Error', 'PreflightCheckFailed'), false)).toBe('working');
    expect(standingOf(old('Ready', 'False', 'Error', 'Whatever'), true)).toBe('bad');
  });
});

describe('the conditions of an object', () => {
  it('are those of the newer contract where a v1beta1 object has both', () => {
    const status = {conditions: [old('Ready', 'True', '', '')], v1beta2: {conditions: [condition('Available', 'True', 'Available')]}};
    expect(conditionsOf(object('cluster.x-k8s.io/v1beta1', 'Machine', 'm', {}, status)).map((one) => one.type)).toEqual(['Available']);
  });

  it('are the old ones, with their severity, where there are no others', () => {
    const status = {conditions: [old('Ready', 'False', 'Error', 'InstanceProvisionFailed')]};
    expect(standOf(object('infrastructure.cluster.x-k8s.io/v1beta1', 'AWSMachine', 'm', {}, status)).standing).toBe('bad');
  });

  it('get a Ready from what the contract has, where the object has none', () => {
    const stand = (status: unknown) => standOf(object('infrastructure.cluster.x-k8s.io/v1beta1', 'FooMachine', 'm', {}, status));
    expect(stand({ready: true})).toMatchObject({standing: 'good', conditions: [{type: 'Ready', status: 'True'}]});
    expect(stand({ready: false})).toMatchObject({standing: 'working', conditions: [{reason: 'NotProvisioned'}]});
    expect(stand({initialization: {provisioned: true}})).toMatchObject({standing: 'good'});
    expect(standOf(object('cluster.x-k8s.io/v1beta1', 'Cluster', 'c', {}, {infrastructureReady: true, controlPlaneReady: true}))).toMatchObject({
      standing: 'good',
    });
  });

  it('hold the failure that a provider gave up with', () => {
    const status = {ready: false, failureReason: 'CreateError', failureMessage: 'no such image'};
    const {standing, conditions} = standOf(object('infrastructure.cluster.x-k8s.io/v1beta1', 'FooMachine', 'm', {}, status));
    expect(standing).toBe('bad');
    expect(conditions.map(conditionText)[0]).toBe('failed (CreateError): no such image');
  });

  it('come worst first, sums last among equals, and sums are left out where a part tells more', () => {
    const views = viewConditions(
      [
        condition('Paused', 'False', 'NotPaused'),
        condition('Ready', 'False', 'NotReady', 'sum'),
        condition('UpToDate', 'False', 'NotUpToDate'),
        condition('InfrastructureReady', 'False', 'InstanceFailed', 'part'),
      ],
      false,
    );
    expect(views.map((one) => one.type)).toEqual(['InfrastructureReady', 'Ready', 'UpToDate', 'Paused']);
    expect(tellingConditions(views).map((one) => one.type)).toEqual(['InfrastructureReady', 'UpToDate']);
  });

  it('that are malformed are passed over', () => {
    expect(conditionsOf(object('x/v1', 'Foo', 'f', {}, {conditions: [null, 7, {type: 'Ready'}, {status: 'True'}]}))).toEqual([]);
    expect(conditionsOf(object('x/v1', 'Foo', 'f', {}, undefined))).toEqual([]);
  });
});

it('does not call a pool bad for a machine that is still starting; it does for one that failed, and for a reason of its own', () => {
  const pool = (...conditions: readonly Condition[]) =>
    standOf(object('cluster.x-k8s.io/v1beta2', 'MachineDeployment', 'm', {replicas: 2}, {replicas: 2, conditions}));
  const lacking = pool(condition('Available', 'False', 'NotAvailable', '1 available replicas, at least 2 required'));
  expect(lacking.standing).toBe('bad');
  expect(standAbove(lacking, 'working').standing).toBe('working');
  expect(standAbove(lacking, 'bad').standing).toBe('bad');
  expect(standAbove(lacking, 'good').standing).toBe('bad');
  expect(standAbove(pool(condition('Available', 'False', 'InternalError')), 'working').standing).toBe('bad');
});

it('reads the counts of v1beta1 and v1beta2', () => {
  const counts = (status: unknown) => replicasOf(object('cluster.x-k8s.io/v1beta1', 'MachineDeployment', 'm', {replicas: 4}, status));
  expect(counts({replicas: 3, readyReplicas: 2, updatedReplicas: 1})).toEqual({wanted: 4, current: 3, ready: 2, available: 2, upToDate: 1});
  expect(counts({replicas: 3, v1beta2: {readyReplicas: 2, availableReplicas: 1, upToDateReplicas: 3}})).toMatchObject({ready: 2, available: 1, upToDate: 3});
});
