// Draining through a real API server's eviction API. There are no kubelets: pods without a grace period are gone as soon as they're evicted.
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {EventBody} from '../../src/kernel/event.ts';
import {Redactor} from '../../src/kernel/redact.ts';
import {waitFor} from '../../src/kernel/retry.ts';
import {ControllerScope} from '../../src/modes/controller/scope.ts';
import type {DrainOptions} from '../../src/kube/evict.ts';
import {lookAtNode} from '../../src/kube/node-pods.ts';
import {planCordon, planDrain} from '../../src/modes/controller/verbs/drain.ts';
import type {Plan} from '../../src/plan/plan.ts';
import {missingManagementCluster, startManagementCluster, type ManagementCluster} from '../support/management-cluster.ts';
import {liveCluster} from '../unit/modes/controller/verbs/fixtures.ts';

const reason = await missingManagementCluster({apiOnly: true});
const live = liveCluster();
const machine = 'web-md-0-0';
const node = `node-${machine}`;

describe.skipIf(reason !== undefined)(`draining a node${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let api: ManagementCluster;
  let scope: ControllerScope;
  const leaving = new AbortController();

  beforeAll(async () => {
    api = await startManagementCluster({apiOnly: true});
    scope = await ControllerScope.open(
      {kubeconfig: api.kubeconfig, namespace: live.namespace},
      {signal: leaving.signal, redactor: new Redactor(), concurrency: 1, warn: () => {}},
    );
    await api.kubectl(['create', 'namespace', live.namespace]);
    // the API server is its own workload cluster here
    await api.kubectl(['-n', live.namespace, 'create', 'secret', 'generic', 'web-kubeconfig', `--from-file=value=${api.kubeconfig}`]);
    await api.kubectl(['apply', '-f', '-'], {input: JSON.stringify({apiVersion: 'v1', kind: 'Node', metadata: {name: node}})});
    await waitFor(() => api.kubectl(['get', 'serviceaccount', 'default']).catch(() => undefined), {timeout: 30_000, interval: 200});
    await Promise.all([
      pod('owned', {owner: 'ReplicaSet'}),
      pod('guarded', {owner: 'ReplicaSet', labels: {app: 'guarded'}}),
      pod('daemon', {owner: 'DaemonSet'}),
      pod('static', {annotations: {'kubernetes.io/config.mirror': 'x'}}),
    ]);
  });
  afterAll(async () => {
    await scope?.close();
    await api?.stop();
  });

  const pod = async (
    name: string,
    options: {readonly owner?: string; readonly labels?: object; readonly annotations?: object; readonly volumes?: readonly object[]},
  ) => {
    await api.kubectl(['apply', '-f', '-'], {
      input: JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name,
          namespace: 'default',
          labels: options.labels ?? {},
          annotations: options.annotations ?? {},
          // owners that the garbage collector doesn't look for: it knows nothing of their kinds
          ownerReferences:
            options.owner === undefined ? [] : [{apiVersion: 'example.test/v1', kind: options.owner, name: 'owner', uid: 'u-owner', controller: true}],
        },
        spec: {nodeName: node, containers: [{name: 'main', image: 'none'}], volumes: options.volumes ?? [], terminationGracePeriodSeconds: 0},
      }),
    });
    // a budget only counts what runs
    const status = {phase: 'Running', conditions: [{type: 'Ready', status: 'True'}]};
    await api.kubectl(['patch', 'pod', name, '--subresource=status', '-p', JSON.stringify({status})]);
  };
  const pods = async () => (await api.kubectl(['get', 'pods', '-o', 'jsonpath={.items[*].metadata.name}'])).trim().split(' ').toSorted();
  const facts = () => lookAtNode(scope.api, node, leaving.signal);
  const drain = async (options: Partial<DrainOptions> = {}) =>
    planDrain(live, machine, await facts(), {force: false, deleteEmptyDirData: false, deadline: 30_000, ...options});
  const events: EventBody[] = [];
  const runAll = async (plan: Plan<ControllerScope>) => {
    const context = {scope, signal: leaving.signal, stopping: leaving.signal, emit: (event: EventBody) => void events.push(event)};
    const done: string[] = [];
    for (const step of plan.phases.flatMap((phase) => phase.steps)) if ((await step.check(context)) === 'needed') done.push(String(await step.apply(context)));
    return done;
  };
  const isCordoned = async () => (await api.kubectl(['get', 'node', node, '-o', 'jsonpath={.spec.unschedulable}'])) === 'true';

  test('pods that only leave when told how are named, and nothing is done', async () => {
    await pod('alone', {});
    await pod('keeper', {owner: 'ReplicaSet', volumes: [{name: 'data', emptyDir: {}}]});
    await expect(drain()).rejects.toMatchObject({code: 'plan.refused', details: {pods: ['default/alone', 'default/keeper']}});
    expect(await isCordoned()).toBe(false);
    expect(await pods()).toEqual(['alone', 'daemon', 'guarded', 'keeper', 'owned', 'static']);
  });

  test('a budget holds its pod until time is up, and is named; the others left, and the node stays cordoned', async () => {
    await api.kubectl(['apply', '-f', '-'], {
      input: JSON.stringify({
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: {name: 'guard', namespace: 'default'},
        spec: {minAvailable: 1, selector: {matchLabels: {app: 'guarded'}}},
      }),
    });
    // what the disruption controller, which doesn't run here, would count
    const status = {observedGeneration: 1, disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1};
    await api.kubectl(['patch', 'pdb', 'guard', '--subresource=status', '--type=merge', '-p', JSON.stringify({status})]);
    await expect(runAll(await drain({force: true, deleteEmptyDirData: true, deadline: 12_000}))).rejects.toMatchObject({
      code: 'drain.blocked',
      message: expect.stringMatching(/default\/guarded: Cannot evict pod as it would violate the pod's disruption budget/),
      details: {pods: ['default/guarded']},
    });
    expect(await isCordoned()).toBe(true);
    expect(await pods()).toEqual(['daemon', 'guarded', 'static']);
    expect(events).toContainEqual(expect.objectContaining({type: 'condition.changed', subject: 'default/guarded', status: 'false'}));
  });

  test('what the budget lets go leaves; of a DaemonSet and of the kubelet stay; a second drain has nothing to do', async () => {
    await api.kubectl(['delete', 'pdb', 'guard']);
    expect((await runAll(await drain())).at(-1)).toBe(`1 pod evicted from ${node}`);
    expect(await pods()).toEqual(['daemon', 'static']);
    expect((await drain()).phases).toEqual([]);
  });

  test('uncordoned, it takes pods again', async () => {
    expect(await runAll(planCordon(live, machine, await facts(), 'uncordon'))).toEqual([`${node} takes pods again`]);
    expect(await isCordoned()).toBe(false);
    expect(planCordon(live, machine, await facts(), 'uncordon').phases).toEqual([]);
  });
});
