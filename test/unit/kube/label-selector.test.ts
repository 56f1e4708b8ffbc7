import {describe, expect, it} from 'vitest';
import {fitsSelector, type LabelSelector} from '../../../src/kube/label-selector.ts';

const labels = {tier: 'gold', 'cluster.x-k8s.io/control-plane': ''};
const cases: readonly (readonly [selector: LabelSelector, fits: boolean])[] = [
  [{}, true],
  [{matchLabels: {tier: 'gold'}}, true],
  [{matchLabels: {tier: 'gold', zone: 'a'}}, false],
  [{matchLabels: {'cluster.x-k8s.io/control-plane': ''}}, true],
  [{matchExpressions: [{key: 'tier', operator: 'In', values: ['silver', 'gold']}]}, true],
  [{matchExpressions: [{key: 'zone', operator: 'In', values: ['a']}]}, false],
  [{matchExpressions: [{key: 'tier', operator: 'NotIn', values: ['gold']}]}, false],
  [{matchExpressions: [{key: 'zone', operator: 'NotIn', values: ['a']}]}, true],
  [{matchExpressions: [{key: 'cluster.x-k8s.io/control-plane', operator: 'Exists'}]}, true],
  [{matchExpressions: [{key: 'tier', operator: 'DoesNotExist'}]}, false],
  [{matchLabels: {tier: 'gold'}, matchExpressions: [{key: 'zone', operator: 'Exists'}]}, false],
  [{matchExpressions: [{key: 'tier', operator: 'Gt', values: ['1']}]}, false],
];

describe('a label selector', () => {
  it.each(cases)('%j fits: %s', (selector, fits) => expect(fitsSelector(selector, labels)).toBe(fits));
});
