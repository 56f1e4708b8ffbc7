// The contract that both distributions are held to.
import {afterEach, describe, expect, it} from 'vitest';
import {kubeadmDistribution} from '../../../src/agentd/distributions/kubeadm.ts';
import {simulatedDistribution} from '../../../src/agentd/distributions/simulated.ts';
import type {Distribution} from '../../../src/agentd/reconciler.ts';
import {driftAreas, type Wanted} from '../../../src/hostcluster/protocol.ts';
import {targetFixture, wantedFixture, type TargetFixture} from './agentd-fixture.ts';

const distributions: readonly Distribution[] = [kubeadmDistribution(), simulatedDistribution()];
const cases = distributions.flatMap((distribution) => (['control-plane', 'worker'] as const).map((role) => ({name: distribution.name, role, distribution})));

let fixture: TargetFixture | undefined;
afterEach(async () => {
  await fixture?.remove();
  fixture = undefined;
});

function reconcilersOf(distribution: Distribution, role: Wanted['role']) {
  return distribution.reconcilers(wantedFixture({role, distribution: distribution.name}));
}

describe.each(cases)('$name for a $role', ({distribution, role}) => {
  const list = reconcilersOf(distribution, role);
  const names = new Set(list.map((one) => one.name));

  it('names each reconciler once, and what makes a host a member by its role', () => {
    expect(names.size).toBe(list.length);
    expect(names.has(role === 'control-plane' ? 'control-plane' : 'join')).toBe(true);
  });

  it('lets each output be written by one reconciler alone', () => {
    const outputs = list.flatMap((one) => one.outputs);
    expect(outputs).toEqual([...new Set(outputs)]);
  });

  it('needs nothing in a circle', () => {
    const done = new Set<string>();
    for (let before = -1; before < done.size;) {
      before = done.size;
      for (const one of list) if (one.needs.every((need) => done.has(need) || !names.has(need))) done.add(one.name);
    }
    expect([...names].filter((name) => !done.has(name))).toEqual([]);
  });

  it('reads only what a wanted document has', () => {
    const wanted = wantedFixture();
    const optional = new Set(['secrets', 'node.taints', 'configuration.kubelet.cgroupDriver']);
    for (const input of list.flatMap((one) => one.inputs).filter((path) => !optional.has(path))) {
      const value = input.split('.').reduce<unknown>((item, key) => (item as Record<string, unknown> | undefined)?.[key], wanted);
      expect(value, input).toBeDefined();
    }
  });

  it('watches every area of drift', () => {
    expect(new Set(list.flatMap((one) => one.area ?? []))).toEqual(new Set(driftAreas));
  });

  it('joins nothing before it has its secrets, and says so', async () => {
    fixture = await targetFixture({role, distribution: distribution.name, bootstrap: role === 'control-plane'});
    const member = list.find((one) => one.name === (role === 'control-plane' ? 'control-plane' : 'join'));
    expect(await member?.waitsFor?.(fixture.target, AbortSignal.timeout(1000))).toMatch(/keys from the operator/);
    expect(await distribution.isMember(fixture.target)).toBe(false);
  });

  it('takes another version for work of the upgrade, and for nobody else until it is done', async () => {
    fixture = await targetFixture({role, distribution: distribution.name, kubernetesVersion: 'v1.37.0'});
    await fixture.target.records.set('member', {kubernetesVersion: 'v1.36.3', at: ''});
    expect(distribution.running(fixture.target)).toBe('v1.36.3');
    const waiting = list.filter((one) => one.needs.includes('upgrade')).map((one) => one.name);
    expect(waiting).toEqual(role === 'control-plane' ? ['kubelet-service', 'components'] : ['kubelet-service']);
    if (distribution.name === 'simulated')
      expect((await list.find((one) => one.name === 'upgrade')?.steps(fixture.target))?.map((one) => one.id)).toEqual(['upgrade', 'upgrade:done']);
    // the content of this fixture has no kubeadm: that is said before anything is changed
    else await expect(list.find((one) => one.name === 'upgrade')?.steps(fixture.target)).rejects.toMatchObject({code: 'bundle.incomplete'});
  });
});
