// Day two of a simulated cluster by the commands: nodes out of service and back.
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {buildAgent} from '../../support/agent-bundle.ts';
import {simulatedPod} from '../../support/simulated-pod.ts';
import {startTestSandbox, type TestSandbox} from '../../support/sandbox-run.ts';

interface Envelope {
  readonly exit: number;
  readonly result: {
    readonly plan: {readonly hosts: readonly {readonly host: string; readonly state: string; readonly changes: readonly {readonly path: string}[]}[]};
  };
  readonly problem?: {readonly code: string; readonly message: string};
}

describe('machine cordon, drain and uncordon on hosts', () => {
  let sandbox: TestSandbox;
  beforeAll(async () => {
    await buildAgent();
    sandbox = await startTestSandbox({controlPlanes: 1, workers: 2});
    expect((await sandbox.trireme(['apply', '--yes'])).code).toBe(0);
  }, 60_000);
  afterAll(() => sandbox?.stop());

  const run = async (...args: readonly string[]): Promise<Envelope> => JSON.parse((await sandbox.trireme([...args, '--yes', '-o', 'json'])).stdout) as Envelope;

  it('evicts what may go, names what a budget holds, and touches no other node', async () => {
    await simulatedPod(sandbox, 'web-1', {node: 'w1'});
    await simulatedPod(sandbox, 'db-0', {node: 'w2', held: 'The disruption budget db needs 1 healthy pods and has 1 currently'});
    const drained = await run('machine', 'drain', 'w1');
    expect(drained).toMatchObject({
      exit: 0,
      result: {plan: {hosts: [{host: 'w1', state: 'changed', changes: [{path: 'node.unschedulable'}, {path: 'pod default/web-1'}]}]}},
    });
    const blocked = await run('machine', 'drain', 'w2', '--drain-timeout', '1s');
    expect(blocked).toMatchObject({exit: 7, problem: {code: 'drain.blocked'}});
    expect(blocked.problem?.message).toContain(
      "default/db-0: Cannot evict pod as it would violate the pod's disruption budget. The disruption budget db needs",
    );
    expect(await run('machine', 'drain', 'w1')).toMatchObject({exit: 0, result: {plan: {hosts: [{state: 'unchanged'}]}}});
    expect(await run('machine', 'uncordon', 'w1')).toMatchObject({exit: 0, result: {plan: {hosts: [{state: 'changed'}]}}});
    expect(await run('machine', 'uncordon', 'w2')).toMatchObject({exit: 0, result: {plan: {hosts: [{state: 'changed'}]}}});
    expect(await run('machine', 'cordon', 'w9')).toMatchObject({problem: {code: 'machine.not-found'}});
  }, 60_000);
});
