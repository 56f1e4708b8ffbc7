// Day two of a simulated cluster: real SSH servers, real agents, in one process with the plans. The tests are in order.
import {readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {planAgentUpgrade} from '../../src/hostcluster/agent-upgrade.ts';
import {planMaintain, type MaintainOptions} from '../../src/hostcluster/maintain.ts';
import {lookAtHost, planNodeVerb, type NodeVerb} from '../../src/hostcluster/node-verbs.ts';
import {agentPaths, type AgentState} from '../../src/hostcluster/protocol.ts';
import type {HostClusterScope} from '../../src/hostcluster/scope.ts';
import {readRecord} from '../../src/hostcluster/steps/maintain-step.ts';
import {digestOf} from '../../src/kernel/digest.ts';
import type {EventBody} from '../../src/kernel/event.ts';
import {Redactor} from '../../src/kernel/redact.ts';
import type {AgentFacts} from '../../src/modes/agent/facts.ts';
import {agentMode} from '../../src/modes/agent/agent-mode.ts';
import type {AgentScope} from '../../src/modes/agent/scope.ts';
import {applyPlan, type RunSummary} from '../../src/plan/apply.ts';
import type {Plan} from '../../src/plan/plan.ts';
import {startSandbox, type Sandbox} from '../../src/sandbox/sandbox.ts';
import type {DesiredCluster} from '../../src/spec/desired.ts';
import {readCluster} from '../../src/spec/read.ts';
import {buildAgent} from '../support/agent-bundle.ts';
import {simulatedPod} from '../support/simulated-pod.ts';

const never = new AbortController().signal;

type Planner = (cluster: DesiredCluster, facts: AgentFacts, scope: AgentScope) => Plan<HostClusterScope> | Promise<Plan<HostClusterScope>>;
interface Ran {
  readonly plan: Plan<HostClusterScope>;
  readonly summary: RunSummary;
  readonly events: readonly EventBody[];
}

describe('day two of a cluster of simulated hosts', () => {
  let sandbox: Sandbox;
  const cacheBefore = process.env['XDG_CACHE_HOME'];
  beforeAll(async () => {
    await buildAgent();
    sandbox = await startSandbox({controlPlanes: 1, workers: 2});
    process.env['XDG_CACHE_HOME'] = join(sandbox.folder, 'cache');
    const file = await readFile(sandbox.file, 'utf8');
    await writeFile(sandbox.file, file.replace('v1.36.3', 'v1.35.4').replace('  endpoint:', '  rollout: {drainTimeout: 1s}\n  endpoint:'));
    const {problem} = (await run(converge)).summary;
    if (problem !== undefined) throw new Error(problem.message);
  }, 120_000);
  afterAll(async () => {
    if (cacheBefore === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = cacheBefore;
    await sandbox?.stop();
  });

  const converge: Planner = (cluster, facts) => agentMode.plan(cluster, facts, {verb: 'converge'}) as Plan<HostClusterScope>;
  async function run(planner: Planner, options: {readonly stopAfter?: string} = {}): Promise<Ran> {
    const cluster = await readCluster({files: [sandbox.file], allowSimulated: true});
    const scope = await agentMode.openScope(cluster, {signal: never, redactor: new Redactor(), concurrency: 8, warn: () => {}});
    const events: EventBody[] = [];
    const stop = new AbortController();
    const emit = (event: EventBody) => {
      events.push(event);
      if (event.type === 'step.finished' && event.step === options.stopAfter) stop.abort();
    };
    try {
      const plan = await planner(cluster, await agentMode.facts(cluster, scope), scope);
      return {plan, summary: await applyPlan(plan, {scope, emit, stopping: stop.signal, leaving: never, concurrency: 8}), events};
    } finally {
      await scope.close();
    }
  }
  const onNode = (name: string, verb: NodeVerb) =>
    run(async (cluster, facts, scope) => planNodeVerb(cluster, facts, name, await lookAtHost(cluster, facts, scope, name, never), verb));
  const root = (name: string) => sandbox.hosts.find((host) => host.name === name)?.root ?? '';
  const stateOf = async (name: string) => JSON.parse(await readFile(join(root(name), agentPaths.seen), 'utf8')) as AgentState;
  /** The agent writes down a moment later what it has told the run. */
  const expectRunning = async (name: string, version: string) => {
    await expect.poll(async () => (await stateOf(name)).running, {timeout: 15_000}).toBe(version);
  };
  const stepsOf = (ran: Ran, outcome: string) =>
    ran.events.flatMap((event) => (event.type === 'step.finished' && event.outcome === outcome ? [event.step] : []));

  it('evicts what may go, and names what a budget holds', async () => {
    await simulatedPod(sandbox, 'web-1', {node: 'w1'});
    await simulatedPod(sandbox, 'db-0', {node: 'w2', held: 'The disruption budget db needs 1 healthy pods and has 1 currently'});
    const drain: NodeVerb = {verb: 'drain', drain: {force: false, deleteEmptyDirData: false, deadline: 100}};
    const drained = await onNode('w1', drain);
    expect(drained.plan.hosts).toMatchObject([
      {host: 'w1', state: 'changed', effect: 'drain', changes: [{path: 'node.unschedulable'}, {path: 'pod default/web-1'}]},
    ]);
    expect(drained.summary.outcome).toBe('succeeded');
    const {problem} = (await onNode('w2', drain)).summary;
    expect(problem).toMatchObject({code: 'drain.blocked', host: 'w2'});
    expect(problem?.message).toContain("default/db-0: Cannot evict pod as it would violate the pod's disruption budget. The disruption budget db needs 1");
    expect((await onNode('w1', drain)).plan.phases).toEqual([]);
    for (const name of ['w1', 'w2']) expect((await onNode(name, {verb: 'uncordon'})).summary.outcome).toBe('succeeded');
  });

  it('is upgraded, and interrupted with a node out of service', async () => {
    await writeFile(sandbox.file, (await readFile(sandbox.file, 'utf8')).replace('v1.35.4', 'v1.36.3'));
    const ran = await run(converge, {stopAfter: 'wanted:w1'});
    expect(ran.summary.outcome).toBe('interrupted');
    const done = stepsOf(ran, 'done');
    expect(done.findLastIndex((id) => id.startsWith('prepare:'))).toBeLessThan(done.indexOf('cordon:cp1'));
    expect(done).toContain('uncordon:cp1');
    expect(done).not.toContain('uncordon:w1');
    await expectRunning('cp1', 'v1.36.3');
  });

  it('goes on where it was, and stops at the pod that a budget holds', async () => {
    const ran = await run(converge);
    expect(stepsOf(ran, 'done')).toContain('uncordon:w1');
    expect(stepsOf(ran, 'failed')).toEqual(['drain:w2']);
    expect(ran.summary.problem).toMatchObject({code: 'drain.blocked', host: 'w2'});
    expect((await stateOf('w2')).running).toBe('v1.35.4');
    await simulatedPod(sandbox, 'db-0', {node: 'w2'});
    const last = await run(converge);
    expect(last.summary).toMatchObject({outcome: 'succeeded'});
    expect(last.plan.hosts.map((host) => host.state)).toEqual(['unchanged', 'unchanged', 'changed']);
    await expectRunning('w2', 'v1.36.3');
    expect((await run(converge)).plan.phases).toEqual([]);
  }, 120_000);

  it('is maintained host after host; resumed, what is done stays done', async () => {
    const options: MaintainOptions = {
      hosts: ['cp1', 'w1', 'w2'],
      script: 'true\n',
      shown: 'true',
      reboot: 'auto',
      since: new Date(0).toISOString(),
      resumes: false,
      records: {},
      again: 'again',
    };
    const first = await run((cluster, facts) => planMaintain(cluster, facts, options), {stopAfter: 'uncordon:w1'});
    expect(first.summary.outcome).toBe('interrupted');
    expect(stepsOf(first, 'done')).toEqual(expect.arrayContaining(['maintain:cp1', 'back:cp1', 'uncordon:cp1', 'maintain:w1', 'uncordon:w1']));
    const resumed = await run(async (cluster, facts, scope) => {
      const records = await Promise.all(options.hosts.map(async (host) => [host, await readRecord({scope, signal: never}, host)] as const));
      return planMaintain(cluster, facts, {...options, resumes: true, records: Object.fromEntries(records)});
    });
    expect(resumed.plan.hosts.map((host) => host.state).slice(1)).toEqual(['unchanged', 'changed']);
    expect(resumed.summary.outcome).toBe('succeeded');
  }, 120_000);

  it('tries a new agent on one host, which goes back by itself when it does not stay up; the others are not touched', async () => {
    const path = join(sandbox.folder, 'broken.mjs');
    const text = 'process.exitCode = 1;\n';
    await writeFile(path, text);
    const ran = await run((cluster, facts) => {
      const agent = {digest: digestOf(text), size: Buffer.byteLength(text), path};
      return planAgentUpgrade(cluster, {...facts, program: {...facts.program, agent}}, {hosts: ['cp1', 'w1', 'w2']});
    });
    expect(stepsOf(ran, 'failed')).toEqual(['agent:cp1', 'gate:others']);
    expect(ran.summary.hosts.map((host) => host.outcome)).toEqual(['failed', 'changed', 'changed']);
    expect(ran.events).toContainEqual(
      expect.objectContaining({type: 'step.finished', step: 'agent:cp1', problem: expect.objectContaining({code: 'agent.fell-back'})}),
    );
    const state = await stateOf('cp1');
    expect(state.fellBack?.from).toContain(digestOf(text).slice(7, 19));
    await rm(path);
  }, 120_000);
});
