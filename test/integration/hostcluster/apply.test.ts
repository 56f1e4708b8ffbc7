// The whole way in one process but for the hosts: real SSH servers, real shells, real agents, the simulated distribution.
import {readFile, writeFile} from 'node:fs/promises';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {EventBody} from '../../../src/kernel/event.ts';
import {Redactor} from '../../../src/kernel/redact.ts';
import {agentMode, fetchClusterKubeconfig} from '../../../src/modes/agent/agent-mode.ts';
import type {AgentScope} from '../../../src/modes/agent/scope.ts';
import {applyPlan, type RunSummary} from '../../../src/plan/apply.ts';
import {hasChanges} from '../../../src/plan/plan.ts';
import {startSandbox, type Sandbox} from '../../../src/sandbox/sandbox.ts';
import {readCluster} from '../../../src/spec/read.ts';

const never = new AbortController().signal;

async function withScope<T>(sandbox: Sandbox, work: (scope: AgentScope, warnings: string[]) => Promise<T>): Promise<T> {
  const cluster = await readCluster({files: [sandbox.file], allowSimulated: true});
  const warnings: string[] = [];
  const scope = await agentMode.openScope(cluster, {signal: never, redactor: new Redactor(), concurrency: 8, warn: (message) => warnings.push(message)});
  try {
    return await work(scope, warnings);
  } finally {
    await scope.close();
  }
}

async function planOf(sandbox: Sandbox, scope: AgentScope) {
  const cluster = await readCluster({files: [sandbox.file], allowSimulated: true});
  return agentMode.plan(cluster, await agentMode.facts(cluster, scope), {verb: 'converge'});
}

async function apply(sandbox: Sandbox): Promise<{readonly summary: RunSummary; readonly events: readonly EventBody[]}> {
  const events: EventBody[] = [];
  const summary = await withScope(sandbox, async (scope) => applyPlan(await planOf(sandbox, scope), {scope, emit: (event) => events.push(event), stopping: never, leaving: never, concurrency: 8}));
  return {summary, events};
}

describe('a cluster of simulated hosts', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({controlPlanes: 3, workers: 1});
  }, 60_000);
  afterAll(() => sandbox?.stop());

  it('is made from nothing', async () => {
    const {summary, events} = await apply(sandbox);
    if (summary.outcome !== 'succeeded') console.log(JSON.stringify(summary, null, 1), events.slice(-30));
    expect(summary).toMatchObject({outcome: 'succeeded', exit: 0});
  }, 60_000);
});
