import {describe, expect, it} from 'vitest';
import type {TriremeError} from '../../../../../src/kernel/errors.ts';
import {planDelete, deletionProgress} from '../../../../../src/modes/controller/verbs/delete.ts';
import {planMachineDelete, planRemediate, planReplace} from '../../../../../src/modes/controller/verbs/machine.ts';
import {pauseProgress, planPause} from '../../../../../src/modes/controller/verbs/pause.ts';
import {controlPlaneProgress, poolProgress} from '../../../../../src/modes/controller/verbs/progress.ts';
import {planRestart} from '../../../../../src/modes/controller/verbs/restart.ts';
import {rightsFor} from '../../../../../src/modes/controller/verbs/rights.ts';
import {planScale} from '../../../../../src/modes/controller/verbs/scale.ts';
import {planUpgrade, topologyProgress} from '../../../../../src/modes/controller/verbs/upgrade.ts';
import type {ControllerScope} from '../../../../../src/modes/controller/scope.ts';
import type {Plan} from '../../../../../src/plan/plan.ts';
import {renderPlan} from '../../../../../src/output/plan-text.ts';
import {plainStyle} from '../../../../../src/output/style.ts';
import {healthCheck, liveCluster, resources} from './fixtures.ts';

const wait = {wait: true};
const text = (plan: Plan<ControllerScope>) => renderPlan(plan, {style: plainStyle});
const steps = (plan: Plan<ControllerScope>) => plan.phases.map((phase) => `${phase.title}: ${phase.steps.map((step) => step.id).join(', ')}`);

function refusal(work: () => unknown): TriremeError {
  try {
    work();
  } catch (error) {
    return error as TriremeError;
  }
  throw new Error('it was not refused');
}

describe('scaling', () => {
  it('says what is made and what is drained, and waits for each', () => {
    const plan = planScale(liveCluster(), {verb: 'scale', controlPlane: 5, pools: {'md-0': 5, 'md-1': 0}}, wait);
    expect(text(plan)).toBe(
      [
        'scale web (controller mode)',
        '',
        '~ control-plane (control plane): changed, effect none',
        '    ~ replicas: 3 → 5 (2 made)',
        '',
        '~ md-0 (pool): changed, effect none',
        '    ~ replicas: 3 → 5 (2 made)',
        '',
        '~ md-1 (pool): changed, effect drain',
        '    ~ replicas: 2 → 0 [drain] (2 drained and deleted)',
        '',
        'Plan: 3 changed',
        '  drain: pods are moved off the host first',
      ].join('\n'),
    );
    expect(steps(plan)).toEqual([
      'Set the number of machines: scale/control-plane, scale/md-0, scale/md-1',
      'Wait for the machines: wait/control-plane, wait/md-0, wait/md-1',
    ]);
  });

  it('changes nothing that is so already', () => {
    const plan = planScale(liveCluster(), {verb: 'scale', pools: {'md-0': 3}}, {wait: false});
    expect(plan.phases).toEqual([]);
    expect(plan.hosts).toMatchObject([{host: 'md-0', state: 'unchanged'}]);
  });

  it.each([0, 2, 4])('refuses a control plane of %i', (controlPlane) => {
    expect(refusal(() => planScale(liveCluster(), {verb: 'scale', controlPlane, pools: {}}, wait)).code).toBe('plan.refused');
  });

  it('lets an even control plane be where etcd is elsewhere', () => {
    const live = liveCluster({controlPlane: {spec: {kubeadmConfigSpec: {clusterConfiguration: {etcd: {external: {}}}}}}});
    expect(planScale(live, {verb: 'scale', controlPlane: 2, pools: {}}, wait).hosts).toMatchObject([{changes: [{from: 3, to: 2}]}]);
  });

  it('names the pools when one is not there, and what was probably meant', () => {
    const error = refusal(() => planScale(liveCluster(), {verb: 'scale', pools: {'md-2': 1}}, wait));
    expect(error).toMatchObject({code: 'pool.not-found', message: 'web has no pool md-2; it has md-0, md-1.', hints: ['Did you mean md-0?']});
  });

  it('warns of a pool that an autoscaler keeps', () => {
    const poolAnnotations = {
      'cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size': '1',
      'cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size': '9',
    };
    const plan = planScale(liveCluster({poolAnnotations}), {verb: 'scale', pools: {'md-0': 5}}, wait);
    expect(plan.warnings[0]).toMatchObject({code: 'pool.autoscaled', message: expect.stringContaining('between 1 and 9')});
  });

  it('warns that nothing happens while the cluster is paused, and refuses one that is being deleted', () => {
    const intent = {verb: 'scale', pools: {'md-0': 5}} as const;
    expect(planScale(liveCluster({cluster: {spec: {paused: true}}}), intent, wait).warnings[0]?.code).toBe('cluster.paused');
    const going = liveCluster({cluster: {metadata: {deletionTimestamp: '2026-11-25T00:00:00Z'}}});
    expect(refusal(() => planScale(going, intent, wait)).message).toContain('being deleted since 2026-11-25T00:00:00Z');
  });

  it('asks for the rights on the object that it changes: the Cluster with a topology, the pool and the control plane without', () => {
    const intent = {verb: 'scale', controlPlane: 5, pools: {'md-0': 5}} as const;
    const names = (topology: boolean) => rightsFor(liveCluster({topology}), intent).map((one) => `${one.verb} ${one.resource} ${one.name} in ${one.namespace}`);
    expect([...new Set(names(true))]).toEqual(['patch clusters web in fleet']);
    expect(names(false)).toEqual(['patch kubeadmcontrolplanes web-cp in fleet', 'patch machinedeployments md-0 in fleet']);
  });
});

describe('upgrading', () => {
  const upgrade = (to: string, shape: Parameters<typeof liveCluster>[0] = {}) => planUpgrade(liveCluster(shape), {verb: 'upgrade', to}, wait);
  const rule = (to: string, shape: Parameters<typeof liveCluster>[0] = {}) => refusal(() => upgrade(to, shape)).details?.['rule'];

  it('shows the order and what it costs, and follows each pool', () => {
    const plan = upgrade('v1.36.3');
    expect(text(plan)).toContain('~ version: v1.35.4 → v1.36.3 [replace] (first, 3 machines replaced)');
    expect(text(plan)).toContain('~ version: v1.35.4 → v1.36.3 [replace] (after 1 other pool, 2 machines replaced)');
    expect(steps(plan)).toEqual(['Want the new version: upgrade/version', 'Follow the upgrade: wait/control-plane, wait/md-0, wait/md-1, wait/topology']);
  });

  it('goes pool after pool where there is no topology to keep the order', () => {
    expect(steps(upgrade('v1.36.3', {topology: false}))).toEqual([
      'Upgrade the control plane: upgrade/control-plane, wait/control-plane',
      'Upgrade the pool md-0: upgrade/md-0, wait/md-0',
      'Upgrade the pool md-1: upgrade/md-1, wait/md-1',
    ]);
  });

  it('refuses a downgrade, and a minor that is skipped', () => {
    expect(rule('v1.34.9')).toBe('version.downgrade');
    expect(rule('v1.35.3')).toBe('version.downgrade');
    expect(rule('v1.37.0')).toBe('version.minor-skipped');
    expect(refusal(() => upgrade('1.x')).code).toBe('usage.invalid');
  });

  it('goes through the newest version of each minor that the class lists', () => {
    const kubernetesVersions = ['v1.35.4', 'v1.35.9', 'v1.36.0', 'v1.36.3', 'v1.37.0', 'v1.37.1'];
    expect(text(upgrade('v1.37.1', {kubernetesVersions}))).toContain('v1.36.3, then v1.37.1, first');
    expect(rule('v1.37.2', {kubernetesVersions})).toBe('version.not-in-class');
    expect(rule('v1.37.1', {kubernetesVersions: ['v1.35.4', 'v1.37.1']})).toBe('version.minor-skipped');
  });

  it('refuses while an upgrade is underway, and names what is not done', () => {
    const shapes = [
      [
        {
          controlPlane: {
            status: {
              versions: [
                {version: 'v1.34.0', replicas: 1},
                {version: 'v1.35.4', replicas: 2},
              ],
            },
          },
        },
        'the control plane still has v1.34.0',
      ],
      [{controlPlane: {spec: {version: 'v1.34.0'}}}, 'the control plane is wanted at v1.34.0, not yet at v1.35.4'],
      [{controlPlane: {status: {version: '', versions: []}}}, 'the control plane is being made for the first time'],
      [{machine: (name: string) => (name === 'web-md-1-0' ? {spec: {version: 'v1.34.0'}} : {})}, "1 of 2 machines of the pool md-1 aren't at v1.35.4 yet"],
      [
        {machine: (name: string) => (name === 'web-md-0-0' ? {status: {nodeInfo: {kubeletVersion: 'v1.34.0'}}} : {})},
        "1 of 3 machines of the pool md-0 aren't at v1.35.4 yet",
      ],
      [{cluster: {metadata: {annotations: {'runtime.cluster.x-k8s.io/pending-hooks': 'AfterClusterUpgrade'}}}}, 'the hook AfterClusterUpgrade still blocks'],
    ] as const;
    for (const [shape, why] of shapes) {
      const error = refusal(() => upgrade('v1.36.3', shape as Parameters<typeof liveCluster>[0]));
      expect(error.details?.['rule']).toBe('version.upgrade-underway');
      expect(error.message).toContain(why);
    }
  });

  it('is unchanged at the version that is there', () => {
    const plan = planUpgrade(liveCluster(), {verb: 'upgrade', to: 'v1.35.4'}, {wait: false});
    expect(plan.phases).toEqual([]);
    expect(steps(upgrade('v1.35.4'))).toEqual(['Follow the upgrade: wait/control-plane, wait/md-0, wait/md-1, wait/topology']);
    expect(plan.hosts.every((host) => host.state === 'unchanged')).toBe(true);
  });

  it('warns of a pool that holds the sequence', () => {
    const plan = upgrade('v1.36.3', {poolAnnotations: {'topology.cluster.x-k8s.io/hold-upgrade-sequence': ''}});
    expect(plan.warnings.map((warning) => warning.code)).toEqual(['pool.upgrade-held']);
  });

  it('is done with the topology only when that was looked at after the last change', () => {
    const live = (observedGeneration: number) =>
      liveCluster({cluster: {metadata: {generation: 4}, status: {conditions: [{type: 'TopologyReconciled', status: 'True', observedGeneration}]}}});
    expect(topologyProgress(live(3)).done).toBe(false);
    expect(topologyProgress(live(4)).done).toBe(true);
  });
});

describe('how far a pool is', () => {
  it('is done when all are available, up to date, and of the version', () => {
    expect(poolProgress(liveCluster(), 'md-0', {replicas: 3, version: 'v1.35.4'})).toEqual({done: true, text: '3/3 available, 3 up to date, all v1.35.4'});
    expect(controlPlaneProgress(liveCluster()).done).toBe(true);
  });

  it('is not done while its controller has not looked, or its object is not changed yet', () => {
    expect(poolProgress(liveCluster(), 'md-0', {replicas: 5}).text).toBe('3 wanted by its object yet, not 5');
    const live = liveCluster({controlPlane: {status: {observedGeneration: 0}}});
    expect(controlPlaneProgress(live).text).toBe("3/3 available, 3 up to date (its controller hasn't looked yet)");
  });

  it('is not done while an old machine is there, whatever the counts say', () => {
    const machine = (name: string) =>
      name === 'web-md-0-1' ? {metadata: {creationTimestamp: '2026-11-25T00:00:00Z', labels: {'cluster.x-k8s.io/deployment-name': 'web-md-0-abc'}}} : {};
    expect(poolProgress(liveCluster({machine}), 'md-0', {newerThan: '2026-11-20T00:00:00Z'})).toEqual({done: false, text: '1/3 new'});
  });

  it('says what blocks it, on one line', () => {
    const message = 'Scaling up from 2 to 3 replicas is blocked because:\n* Machine web-cp-1 has no Node\n* etcd is unwell';
    const live = liveCluster({controlPlane: {status: {availableReplicas: 2, conditions: [{type: 'ScalingUp', status: 'True', message}]}}});
    expect(controlPlaneProgress(live).blockedBy).toEqual(['Scaling up from 2 to 3 replicas is blocked because: Machine web-cp-1 has no Node; etcd is unwell']);
  });
});

describe('pausing', () => {
  const said = (status: 'True' | 'False') => ({status: {conditions: [{type: 'Paused', status}]}});

  it('sets one field and asks every object', () => {
    expect(steps(planPause(liveCluster(), 'pause', wait))).toEqual(['Pause: pause/cluster', 'Confirm: pause/confirm']);
    expect(steps(planPause(liveCluster({cluster: {spec: {paused: true}}}), 'pause', wait))).toEqual(['Confirm: pause/confirm']);
    expect(steps(planPause(liveCluster(), 'resume', {wait: false}))).toEqual([]);
  });

  it('names who has not confirmed, and the kinds that never say', () => {
    const live = liveCluster({cluster: said('True'), controlPlane: said('True'), machine: (_name, index) => said(index === 0 ? 'False' : 'True')});
    const progress = pauseProgress(live, true);
    expect(progress).toMatchObject({done: false, text: "7/10 objects are paused (MachineDeployment doesn't say)"});
    expect(progress.blockedBy).toEqual(['not confirmed by Machine/web-cp-0, Machine/web-md-0-0, Machine/web-md-1-0']);
  });

  it('does not wait for an object that has a pause of its own to go on', () => {
    const machine = (name: string) =>
      name === 'web-cp-0'
        ? {metadata: {labels: {'cluster.x-k8s.io/control-plane': ''}, annotations: {'cluster.x-k8s.io/paused': ''}}, ...said('True')}
        : said('False');
    expect(pauseProgress(liveCluster({cluster: said('False'), controlPlane: said('False'), machine}), false).done).toBe(true);
  });
});

describe('restarting', () => {
  it('is for all, or for what is named', () => {
    const at = '2026-11-25T12:00:00Z';
    const ids = (intent: object) => planRestart(liveCluster(), {verb: 'restart', at, ...intent}, {wait: false}).phases[0]?.steps.map((step) => step.id);
    expect(ids({})).toEqual(['restart/control-plane', 'restart/md-0', 'restart/md-1']);
    expect(ids({pools: ['md-1']})).toEqual(['restart/md-1']);
    expect(ids({controlPlane: true})).toEqual(['restart/control-plane']);
    expect(refusal(() => ids({pools: ['nope']})).code).toBe('pool.not-found');
  });
});

describe('deleting', () => {
  it('deletes the Cluster object alone, and says what goes with it', () => {
    const plan = planDelete(liveCluster(), wait);
    expect(steps(plan)).toEqual(['Delete: delete/cluster', 'Follow the deletion: delete/wait, delete/leftovers']);
    expect(plan.hosts).toMatchObject([{host: 'web', state: 'removed'}]);
    expect(plan.hosts[0]?.changes.map((change) => `${change.path} ${String(change.from)}`)).toEqual([
      'Cluster 1',
      'KubeadmControlPlane 1',
      'MachineDeployment 2',
      'Machine 8',
    ]);
    expect(rightsFor(liveCluster(), {verb: 'delete'})).toEqual([
      {verb: 'delete', group: 'cluster.x-k8s.io', resource: 'clusters', namespace: 'fleet', name: 'web'},
    ]);
  });

  it('is refused for a paused cluster, which would never go', () => {
    expect(refusal(() => planDelete(liveCluster({cluster: {spec: {paused: true}}}), wait)).hints).toEqual(['Resume it first: trireme cluster resume web']);
  });

  it('says what is left, and what holds it: pauses, hooks, finalizers', () => {
    const now = new Date('2026-11-25T12:00:00Z');
    const going = '2026-11-25T11:00:00Z';
    const live = liveCluster({
      cluster: {
        metadata: {deletionTimestamp: going, finalizers: ['cluster.cluster.x-k8s.io']},
        status: {conditions: [{type: 'Deleting', status: 'True', reason: 'WaitingForWorkersDeletion', message: '* Machines: web-md-0-0'}]},
      },
      machine: (name) =>
        name === 'web-md-0-0'
          ? {
              metadata: {
                deletionTimestamp: going,
                finalizers: ['machine.cluster.x-k8s.io'],
                annotations: {'pre-drain.delete.hook.machine.cluster.x-k8s.io/backup': 'velero'},
              },
            }
          : {metadata: {annotations: {'cluster.x-k8s.io/paused': ''}}},
    });
    const left = [{resource: resources.cluster, object: live.cluster}, ...live.machines.slice(2, 4).map((object) => ({resource: resources.machine, object}))];
    expect(deletionProgress(live, left, now)).toEqual({
      done: false,
      text: 'left: 1 Cluster, 2 Machine',
      blockedBy: [
        'Machine/web-cp-2 is paused, and nobody deletes it until it is resumed',
        'Machine/web-md-0-0 waits for the pre-drain hook backup of velero',
        'Cluster/web: WaitingForWorkersDeletion: * Machines: web-md-0-0',
        'Cluster/web is held since 2026-11-25T11:00:00Z by cluster.cluster.x-k8s.io',
        'Machine/web-md-0-0 is held since 2026-11-25T11:00:00Z by machine.cluster.x-k8s.io',
      ],
    });
    expect(deletionProgress(live, left.slice(1), now).done).toBe(true);
  });
});

describe('one machine', () => {
  it('is found by its own name or by its node, and what was meant is named', () => {
    expect(planReplace(liveCluster(), 'node-web-md-0-1', wait).hosts[0]?.host).toBe('web-md-0-1');
    expect(refusal(() => planReplace(liveCluster(), 'web-md-0-9', wait))).toMatchObject({
      code: 'machine.not-found',
      hints: ['Did you mean web-md-0-0?', expect.any(String)],
    });
  });

  const ofWorkers = healthCheck({matchExpressions: [{key: 'cluster.x-k8s.io/deployment-name', operator: 'Exists'}]});

  it('is remediated only where a health check looks after it', () => {
    const looked = liveCluster({healthChecks: [ofWorkers]});
    expect(steps(planRemediate(looked, 'web-md-0-0', wait))[0]).toBe('Mark: annotate/web-md-0-0/cluster.x-k8s.io/remediate-machine');
    for (const healthChecks of [[], [healthCheck({matchLabels: {'cluster.x-k8s.io/control-plane': ''}})], [healthCheck({})]])
      expect(refusal(() => planRemediate(liveCluster({healthChecks}), 'web-md-0-0', wait)).message).toContain('No health check looks after web-md-0-0');
  });

  it('is remediated as soon as it is made, before its health check has looked at it', () => {
    const fresh = liveCluster({healthChecks: [ofWorkers], machine: () => ({status: {conditions: [{type: 'Ready', status: 'Unknown'}]}})});
    expect(steps(planRemediate(fresh, 'web-md-0-0', wait))[0]).toBe('Mark: annotate/web-md-0-0/cluster.x-k8s.io/remediate-machine');
  });

  it('is deleted with its place: it is marked to go first, and its pool is made smaller', () => {
    const plan = planMachineDelete(liveCluster(), 'web-md-0-1', wait);
    expect(steps(plan)).toEqual([
      'Choose the machine: annotate/web-md-0-1/cluster.x-k8s.io/delete-machine',
      'Set the number of machines: scale/md-0',
      'Wait until it is gone: wait/web-md-0-1',
    ]);
    expect(refusal(() => planMachineDelete(liveCluster(), 'web-cp-0', wait)).hints[0]).toBe('Have a new one made for it: trireme machine replace web-cp-0');
  });

  it('is not replaced when etcd would lose its majority', () => {
    expect(planReplace(liveCluster(), 'web-cp-0', wait).phases).toHaveLength(2);
    const single = refusal(() => planReplace(liveCluster({controlPlanes: 1}), 'web-cp-0', wait));
    expect(single.message).toContain('the only control plane of web');
    const unwell = liveCluster({machine: (name) => (name === 'web-cp-1' ? {status: {conditions: [{type: 'Ready', status: 'False'}]}} : {})});
    expect(refusal(() => planReplace(unwell, 'web-cp-0', wait)).message).toContain('Not well: web-cp-1');
    expect(planReplace(unwell, 'web-cp-1', wait).phases).toHaveLength(2);
  });

  it('is not replaced when its owner would make no new one', () => {
    const owned = liveCluster({machine: (name) => (name === 'web-md-0-0' ? {metadata: {ownerReferences: []}} : {})});
    expect(refusal(() => planReplace(owned, 'web-md-0-0', wait)).message).toContain('owned by nobody');
  });
});
