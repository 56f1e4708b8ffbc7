import {describe, expect, it} from 'vitest';
import {changeOf, isKubeletLabel, managedLabels, managedTaints, type NodeObject} from '../../../src/agentd/node-wish.ts';

const node = (over: Partial<NodeObject['metadata']> & {readonly taints?: NonNullable<NodeObject['spec']>['taints']} = {}): NodeObject => {
  const {taints, ...metadata} = over;
  return {metadata: {name: 'h1', resourceVersion: '7', ...metadata}, spec: {...(taints === undefined ? {} : {taints})}};
};

describe('changeOf', () => {
  it('sets what is missing and records it as ours', () => {
    const change = changeOf(node({labels: {foreign: 'x'}}), {labels: {zone: 'a'}, taints: [{key: 'gpu', effect: 'NoSchedule'}]});
    expect(change?.words).toEqual(['label zone=a', 'taint gpu:NoSchedule']);
    expect(change?.patch).toEqual({
      metadata: {labels: {zone: 'a'}, annotations: {[managedLabels]: 'zone', [managedTaints]: 'gpu:NoSchedule'}, resourceVersion: '7'},
      spec: {taints: [{key: 'gpu', effect: 'NoSchedule'}]},
    });
  });

  it('removes what we set once and want no more, and leaves foreign keys alone', () => {
    const found = node({
      labels: {zone: 'a', foreign: 'x'},
      annotations: {[managedLabels]: 'zone', [managedTaints]: 'gpu:NoSchedule'},
      taints: [
        {key: 'gpu', effect: 'NoSchedule'},
        {key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: 'now'},
      ],
    });
    const change = changeOf(found, {labels: {}, taints: []});
    expect(change?.patch.metadata['labels']).toEqual({zone: null});
    expect(change?.patch.spec?.taints).toEqual([{key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: 'now'}]);
  });

  it("takes the control plane's own taint away when the list is empty", () => {
    const change = changeOf(node({taints: [{key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule'}]}), {labels: {}, taints: []});
    expect(change?.patch.spec?.taints).toEqual([]);
  });

  it('changes nothing when all is as wished', () => {
    const found = node({
      labels: {zone: 'a'},
      annotations: {[managedLabels]: 'zone', [managedTaints]: 'gpu:NoSchedule'},
      taints: [{key: 'gpu', value: '', effect: 'NoSchedule'}],
    });
    expect(changeOf(found, {labels: {zone: 'a'}, taints: [{key: 'gpu', effect: 'NoSchedule'}]})).toBeUndefined();
  });

  it('changes the value of a taint in its place', () => {
    const found = node({annotations: {[managedTaints]: 'gpu:NoSchedule'}, taints: [{key: 'gpu', value: 'old', effect: 'NoSchedule'}]});
    expect(changeOf(found, {labels: {}, taints: [{key: 'gpu', value: 'new', effect: 'NoSchedule'}]})?.patch.spec?.taints).toEqual([
      {key: 'gpu', value: 'new', effect: 'NoSchedule'},
    ]);
  });
});

describe('isKubeletLabel', () => {
  it.each([
    ['zone', true],
    ['example.com/rack', true],
    ['topology.kubernetes.io/zone', true],
    ['node.kubernetes.io/anything', true],
    ['node-role.kubernetes.io/worker', false],
    ['example.k8s.io/x', false],
    ['team.node-restriction.kubernetes.io/x', false],
  ])('%s: %s', (key, allowed) => expect(isKubeletLabel(key)).toBe(allowed));
});
