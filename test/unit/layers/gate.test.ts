import {describe, expect, test} from 'vitest';
import {gateOf, healthOf} from '../../../src/layers/gate.ts';
import {parseManifest} from '../../../src/layers/manifest.ts';

const live = (kind: string, spec: object, status: object, more: object = {}) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: {name: 'x', namespace: 'default', generation: 2, ...more},
  spec,
  status: {observedGeneration: 2, ...status},
});
const condition = (type: string, status: string, more: object = {}) => ({conditions: [{type, status, ...more}]});

describe('the health of an object', () => {
  test.each<[string, object, string | undefined]>([
    ['a Deployment that is up', live('Deployment', {replicas: 2}, {replicas: 2, updatedReplicas: 2, availableReplicas: 2}), undefined],
    ['a Deployment without replicas', live('Deployment', {replicas: 0}, {}), undefined],
    [
      'a Deployment that nobody looked at',
      live('Deployment', {replicas: 1}, {observedGeneration: 1, updatedReplicas: 1, availableReplicas: 1}),
      'has not been looked at by its controller yet',
    ],
    ['a Deployment that rolls', live('Deployment', {replicas: 3}, {replicas: 4, updatedReplicas: 2}), 'has 2 of 3 replicas updated'],
    ['a Deployment with old pods', live('Deployment', {replicas: 2}, {replicas: 3, updatedReplicas: 2, availableReplicas: 2}), 'has 1 old replicas left'],
    ['a Deployment that starts', live('Deployment', {}, {replicas: 1, updatedReplicas: 1}), 'has 0 of 1 replicas available'],
    [
      'a Deployment that is stuck',
      live('Deployment', {replicas: 1}, condition('Progressing', 'False', {reason: 'ProgressDeadlineExceeded', message: 'no image'})),
      'makes no progress: no image',
    ],
    ['a DaemonSet that is up', live('DaemonSet', {}, {desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 3}), undefined],
    ['a DaemonSet that updates', live('DaemonSet', {}, {desiredNumberScheduled: 3, updatedNumberScheduled: 1, numberAvailable: 3}), 'has 1 of 3 pods updated'],
    [
      'a DaemonSet that updates by hand',
      live('DaemonSet', {updateStrategy: {type: 'OnDelete'}}, {desiredNumberScheduled: 3, updatedNumberScheduled: 1, numberAvailable: 3}),
      undefined,
    ],
    ['a DaemonSet that starts', live('DaemonSet', {}, {desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 1}), 'has 1 of 3 pods available'],
    [
      'a StatefulSet that is up',
      live('StatefulSet', {replicas: 2}, {readyReplicas: 2, updatedReplicas: 2, currentRevision: 'a', updateRevision: 'a'}),
      undefined,
    ],
    ['a StatefulSet that starts', live('StatefulSet', {replicas: 2}, {readyReplicas: 1}), 'has 1 of 2 replicas ready'],
    [
      'a StatefulSet that rolls',
      live('StatefulSet', {replicas: 2}, {readyReplicas: 2, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b'}),
      'has 1 of 2 replicas updated',
    ],
    [
      'a StatefulSet that rolls in part',
      live(
        'StatefulSet',
        {replicas: 3, updateStrategy: {rollingUpdate: {partition: 2}}},
        {readyReplicas: 3, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b'},
      ),
      undefined,
    ],
    ['a Job that is done', live('Job', {}, condition('Complete', 'True')), undefined],
    ['a Job that runs', live('Job', {}, {active: 1}), 'is running'],
    ['a Job that failed', live('Job', {}, condition('Failed', 'True', {message: 'backoff limit'})), 'has failed: backoff limit'],
    ['a CustomResourceDefinition that is known', live('CustomResourceDefinition', {}, condition('Established', 'True')), undefined],
    ['a CustomResourceDefinition that is new', live('CustomResourceDefinition', {}, {}), 'is not established yet'],
    ['an APIService that is down', live('APIService', {}, condition('Available', 'False', {message: 'no endpoints'})), 'is not available yet: no endpoints'],
    ['a Pod that is ready', live('Pod', {}, condition('Ready', 'True')), undefined],
    ['a Pod that waits', live('Pod', {}, {phase: 'Pending'}), 'is Pending'],
    ['a claim that waits for its first consumer', live('PersistentVolumeClaim', {}, {phase: 'Pending'}), undefined],
    ['a Namespace that goes', live('Namespace', {}, {phase: 'Terminating'}), 'is Terminating'],
    ['anything that is being deleted', live('ConfigMap', {}, {}, {deletionTimestamp: '2026-01-01T00:00:00Z'}), 'is being deleted'],
    ['anything else that is there', live('ConfigMap', {}, {}), undefined],
    ['an object without a status', {apiVersion: 'v1', kind: 'Deployment', metadata: {name: 'x'}}, 'has 0 of 1 replicas updated'],
  ])('%s', (_what, object, waitingFor) => {
    expect(healthOf(object as never)).toEqual(waitingFor === undefined ? {healthy: true} : {healthy: false, waitingFor});
  });
});

describe('the gate', () => {
  const wanted = parseManifest(
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: ns}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ns}\n',
  );
  const up = live('Deployment', {replicas: 1}, {replicas: 1, updatedReplicas: 1, availableReplicas: 1});
  const map = {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'c', namespace: 'ns'}};
  const namespace = {apiVersion: 'v1', kind: 'Namespace', metadata: {name: 'ns'}};

  test('opens when every object is there and healthy; an open namespace is the default one', () => {
    expect(gateOf(wanted, [up, map, namespace])).toEqual({healthy: true, waitingFor: [], failed: false});
  });

  test('names what is missing, by kind and name', () => {
    expect(gateOf(wanted, [up, namespace])).toEqual({healthy: false, waitingFor: ["ConfigMap c doesn't exist"], failed: false});
    expect(gateOf(wanted, [up, namespace, {...map, metadata: {name: 'c', namespace: 'other'}}]).waitingFor).toEqual(["ConfigMap c doesn't exist"]);
  });

  test('says when waiting cannot help', () => {
    const job = parseManifest('apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\n');
    expect(
      gateOf(job, [{apiVersion: 'batch/v1', kind: 'Job', metadata: {name: 'j', namespace: 'default'}, status: condition('Failed', 'True')}]),
    ).toMatchObject({healthy: false, failed: true});
  });

  test('opens for nothing', () => {
    expect(gateOf([], [])).toEqual({healthy: true, waitingFor: [], failed: false});
  });
});
