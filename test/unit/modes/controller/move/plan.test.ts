import {describe, expect, test} from 'vitest';
import {TriremeError} from '../../../../../src/kernel/errors.ts';
import {planMove} from '../../../../../src/modes/controller/move/plan.ts';
import {planSave} from '../../../../../src/modes/controller/move/save.ts';
import {classObjects, clusterObjects, side} from './objects.ts';

const all = {clusters: [], simulated: false};
const whole = side('a', [...classObjects(), ...clusterObjects('berth'), ...clusterObjects('harbour')]);
const empty = side('b', []);

function refusal(work: () => unknown): TriremeError {
  try {
    work();
  } catch (error) {
    if (error instanceof TriremeError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the plan of a move', () => {
  test('pauses, copies, verifies, removes and unpauses each cluster by itself, and clears what is shared last', () => {
    const plan = planMove({source: whole, target: empty}, all);
    expect(plan.phases.map((phase) => `${phase.title}: ${phase.steps.map((step) => step.id).join(', ')}`)).toEqual([
      'Pause the source: pause fleet/berth, pause fleet/harbour',
      'Prepare the target: namespaces, shared',
      'Copy: copy fleet/berth, copy fleet/harbour',
      'Verify: verify fleet/berth, verify fleet/harbour',
      'Remove from the source: remove fleet/berth, remove fleet/harbour',
      'Unpause at the target: unpause fleet/berth, unpause fleet/harbour',
      'Clear the source: remove shared',
    ]);
    expect(plan.hosts.map((host) => [host.host, host.changes.map((change) => `${String(change.to)} ${change.path}`)])).toEqual([
      ['fleet/berth', ['1 Cluster', '1 DevMachine', '1 KubeadmControlPlane', '1 Machine', '2 Secret']],
      ['fleet/harbour', ['1 Cluster', '1 DevMachine', '1 KubeadmControlPlane', '1 Machine', '2 Secret']],
    ]);
  });

  test('moves only the clusters that are named', () => {
    const plan = planMove({source: whole, target: empty}, {...all, clusters: ['berth']});
    expect(plan.hosts.map((host) => host.host)).toEqual(['fleet/berth']);
    expect(plan.subject).toBe('berth');
  });

  test('goes on with a verified copy by removing the source only', () => {
    const mark = JSON.stringify({to: 'b', phase: 'removing', since: '2026-01-01T00:00:00Z'});
    const source = side('a', [...classObjects(), ...clusterObjects('berth', {annotations: {'trireme.dev/move': mark}, paused: true, status: {}})]);
    const target = side('b', clusterObjects('berth', {annotations: {'trireme.dev/moved-from': 'a'}, paused: true}));
    const plan = planMove({source, target}, all);
    expect(plan.phases.map((phase) => phase.title)).toEqual(['Remove from the source', 'Unpause at the target', 'Clear the source']);
  });

  test('finds the clusters that only wait to be unpaused', () => {
    const target = side('b', clusterObjects('berth', {annotations: {'trireme.dev/moved-from': 'a'}, paused: true}));
    const plan = planMove({source: side('a', []), target}, all);
    expect(plan.phases.map((phase) => phase.steps.map((step) => step.id))).toEqual([['unpause fleet/berth']]);
  });

  test('refuses, with everything at once, what is not settled, paused by others, on its way elsewhere, or there already', () => {
    const elsewhere = JSON.stringify({to: 'c', phase: 'copying', since: '2026-01-01T00:00:00Z'});
    const source = side('a', [
      ...clusterObjects('young', {status: {}}),
      ...clusterObjects('held', {paused: true}),
      ...clusterObjects('gone', {annotations: {'trireme.dev/move': elsewhere}, paused: true}),
      ...clusterObjects('twin'),
    ]);
    const {code, message} = refusal(() => planMove({source, target: side('b', clusterObjects('twin'))}, all));
    expect(code).toBe('plan.refused');
    expect(message).toContain('fleet/young: its infrastructure is being made');
    expect(message).toContain("fleet/held: it's paused, by somebody else");
    expect(message).toContain('fleet/gone: a move to another place began at 2026-01-01T00:00:00Z');
    expect(message).toContain('fleet/twin: https://b:6443 has a cluster of this name already');
  });

  test('refuses a target that lacks a provider, has an older one, or does not serve a kind', () => {
    const source = side('a', [...classObjects(), ...clusterObjects('berth')], {
      providers: [
        {label: 'cluster-api', version: 'v1.14.2'},
        {label: 'infrastructure-docker', version: 'v1.14.2'},
      ],
    });
    const target = side('b', [], {
      kinds: empty.kinds.filter((kind) => kind.resource.kind !== 'DevMachine'),
      providers: [{label: 'cluster-api', version: 'v1.13.0'}],
    });
    const {message} = refusal(() => planMove({source, target}, all));
    expect(message).toContain('the target lacks the provider infrastructure-docker v1.14.2');
    expect(message).toContain("the target's provider cluster-api is v1.13.0, older than the source's v1.14.2");
    expect(message).toContain("the target doesn't serve the kind infrastructure.cluster.x-k8s.io/DevMachine");
  });

  test('refuses to move to the very same management cluster, and says when there is no cluster', () => {
    expect(refusal(() => planMove({source: whole, target: side('a', [])}, all)).code).toBe('usage.invalid');
    expect(refusal(() => planMove({source: whole, target: empty}, {...all, clusters: ['nobody']})).code).toBe('cluster.not-found');
  });

  test('stands on the objects, so that a changed spec moves it and a changed status does not', () => {
    const change = (more: object) => ({
      ...whole,
      objects: whole.objects.map((one) => (one.object.kind === 'Machine' ? {...one, object: {...one.object, ...more}} : one)),
    });
    const basis = planMove({source: whole, target: empty}, all).basis;
    expect(planMove({source: change({status: {nodeRef: {name: 'other'}}}), target: empty}, all).basis).toEqual(basis);
    expect(planMove({source: change({spec: {clusterName: 'other'}}), target: empty}, all).basis).not.toEqual(basis);
  });
});

describe('the plan of saving to a folder', () => {
  test('says that the files hold secrets, and writes the index last', () => {
    const plan = planSave(whole, {clusters: [], folder: '/backup', simulated: false});
    expect(plan.warnings.map((one) => one.code)).toEqual(['move.secrets']);
    expect(plan.phases.map((phase) => phase.steps.map((step) => step.id))).toEqual([['save fleet/berth', 'save fleet/harbour'], ['index']]);
  });
});
