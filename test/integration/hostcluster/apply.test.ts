// The whole way in one process but for the hosts: real SSH servers, real shells, real agents, the simulated distribution.
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {lookAtHost, planNodeVerb, type NodeVerb} from '../../../src/hostcluster/node-verbs.ts';
import {agentPaths, type AgentState} from '../../../src/hostcluster/protocol.ts';
import type {EventBody} from '../../../src/kernel/event.ts';
import {Redactor} from '../../../src/kernel/redact.ts';
import {nameKubeconfig, parseKubeconfig} from '../../../src/kube/kubeconfig.ts';
import {agentMode, fetchClusterKubeconfig} from '../../../src/modes/agent/agent-mode.ts';
import type {AgentScope} from '../../../src/modes/agent/scope.ts';
import {applyPlan, type RunSummary} from '../../../src/plan/apply.ts';
import {startSandbox, type Sandbox} from '../../../src/sandbox/sandbox.ts';
import type {DesiredCluster} from '../../../src/spec/desired.ts';
import {readCluster} from '../../../src/spec/read.ts';
import {buildAgent} from '../../support/agent-bundle.ts';
import {simulatedPod} from '../../support/simulated-pod.ts';

const never = new AbortController().signal;

describe('a cluster of simulated hosts', () => {
  let sandbox: Sandbox;
  let file: string;
  const cacheBefore = process.env['XDG_CACHE_HOME'];
  beforeAll(async () => {
    await buildAgent();
    sandbox = await startSandbox({controlPlanes: 3, workers: 2});
    process.env['XDG_CACHE_HOME'] = join(sandbox.folder, 'cache');
    file = await readFile(sandbox.file, 'utf8');
    await writeFile(sandbox.file, withoutHost(file, 'w2'));
  });
  afterAll(async () => {
    if (cacheBefore === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = cacheBefore;
    await sandbox?.stop();
  });

  async function withScope<T>(
    work: (scope: AgentScope, cluster: DesiredCluster) => Promise<T>,
    options: {readonly redactor?: Redactor; readonly breakLock?: boolean} = {},
  ): Promise<T> {
    const cluster = await readCluster({files: [sandbox.file], allowSimulated: true});
    const scope = await agentMode.openScope(cluster, {signal: never, redactor: new Redactor(), concurrency: 8, warn: () => {}, ...options});
    try {
      return await work(scope, cluster);
    } finally {
      await scope.close();
    }
  }
  const plan = () => withScope(async (scope, cluster) => agentMode.plan(cluster, await agentMode.facts(cluster, scope), {verb: 'converge'}));
  async function apply(options: {readonly breakLock?: boolean} = {}): Promise<{readonly summary: RunSummary; readonly events: readonly EventBody[]}> {
    const events: EventBody[] = [];
    const summary = await withScope(async (scope, cluster) => {
      const made = agentMode.plan(cluster, await agentMode.facts(cluster, scope), {verb: 'converge'});
      return applyPlan(made, {scope, emit: (event) => events.push(event), stopping: never, leaving: never, concurrency: 8});
    }, options);
    return {summary, events};
  }
  const onHost = (name: string, path: string) => join(sandbox.hosts.find((host) => host.name === name)?.root ?? '', path);
  const stateOf = async (name: string) => JSON.parse(await readFile(onHost(name, agentPaths.seen), 'utf8')) as AgentState;

  it('is made from nothing', async () => {
    const {summary, events} = await apply();
    expect(summary.problem).toBeUndefined();
    expect(summary).toMatchObject({outcome: 'succeeded', exit: 0, hosts: ['cp1', 'cp2', 'cp3', 'w1'].map((host) => ({host, outcome: 'changed'}))});
    expect(events.some((event) => event.type === 'condition.changed' && event.host === 'w1' && event.status === 'true')).toBe(true);
    expect(events.some((event) => event.type === 'step.output' && event.step === 'converge:cp1')).toBe(true);
  }, 60_000);

  it('has its secrets on control planes only, and no trace of them in events, states or wanted documents', async () => {
    const secrets = JSON.parse(await readFile(onHost('cp1', agentPaths.secrets), 'utf8')) as {bootstrapToken: string; ca: {key: string}};
    const worker = await readFile(onHost('w1', agentPaths.secrets), 'utf8');
    expect(worker).not.toContain('PRIVATE KEY');
    expect(JSON.parse(await readFile(onHost('cp3', agentPaths.secrets), 'utf8'))).toEqual(secrets);
    for (const name of ['cp1', 'w1']) {
      const seen = await readFile(onHost(name, agentPaths.seen), 'utf8');
      expect(seen).not.toContain(secrets.bootstrapToken);
      expect(seen).not.toContain('PRIVATE KEY');
    }
  });

  it('is unchanged when it is planned again, after at most two round trips to each host', async () => {
    const trips = await withScope(async (scope, cluster) => {
      const made = agentMode.plan(cluster, await agentMode.facts(cluster, scope), {verb: 'converge'});
      expect(made.hosts.map((host) => [host.host, host.state, host.changes])).toEqual(['cp1', 'cp2', 'cp3', 'w1'].map((host) => [host, 'unchanged', []]));
      expect(made.phases).toEqual([]);
      return Promise.all(cluster.document.spec.agent?.hosts.map(async (host) => (await scope.runner(host.name)).roundTrips) ?? []);
    });
    expect(Math.max(...trips)).toBeLessThanOrEqual(2);
  });

  it('is seen by a second operator who has nothing but the file and SSH', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'trireme-second-'));
    const cache = process.env['XDG_CACHE_HOME'];
    process.env['XDG_CACHE_HOME'] = empty;
    try {
      await withScope(async (scope, cluster) => {
        const facts = await agentMode.facts(cluster, scope);
        expect(await agentMode.observe(cluster, facts, scope)).toMatchObject({
          name: 'harbour',
          simulated: true,
          health: 'healthy',
          reasons: [],
          controlPlanes: {ready: 3, wanted: 3},
          workers: {ready: 1, wanted: 1},
        });
        const kubeconfig = nameKubeconfig(parseKubeconfig(await fetchClusterKubeconfig(cluster, facts, scope), 'cp1'), 'harbour', 'cp1');
        expect(kubeconfig.clusters[0]?.cluster['server']).toContain(`:${cluster.document.spec.endpoint.port}`);
        expect(agentMode.plan(cluster, facts, {verb: 'converge'}).phases).toEqual([]);
      });
    } finally {
      process.env['XDG_CACHE_HOME'] = cache;
      await rm(empty, {recursive: true, force: true});
    }
  });

  it('gets exactly the edited label, taint and sysctl on exactly that host', async () => {
    await writeFile(
      sandbox.file,
      withoutHost(file, 'w2').replace(
        'role: worker,',
        'role: worker, labels: {zone: a}, taints: [{key: gpu, effect: NoSchedule}], configuration: {sysctls: {net.core.somaxconn: 4096}},',
      ),
    );
    const made = await plan();
    expect(
      made.hosts.filter((host) => host.state !== 'unchanged').map((host) => [host.host, host.changes.map((change) => [change.path, change.effect])]),
    ).toEqual([
      [
        'w1',
        [
          ['configuration.sysctls.net.core.somaxconn', 'reload'],
          ['node.labels.zone', 'none'],
          ['node.taints.gpu', 'none'],
        ],
      ],
    ]);
    const {summary} = await apply();
    expect(summary.problem).toBeUndefined();
    expect(summary.hosts.map((host) => host.outcome)).toEqual(['unchanged', 'unchanged', 'unchanged', 'changed']);
    expect((await stateOf('w1')).wanted?.node.labels).toEqual({zone: 'a'});
    expect((await plan()).phases).toEqual([]);
  });

  it('is left alone while somebody else works on it, unless their lease is broken', async () => {
    await writeFile(
      sandbox.file,
      file.replace(
        'role: worker,',
        'role: worker, labels: {zone: a}, taints: [{key: gpu, effect: NoSchedule}], configuration: {sysctls: {net.core.somaxconn: 4096}},',
      ),
    );
    const owner = {user: 'ann', computer: 'elsewhere', pid: 4711, run: 'r1', since: '2026-01-01T00:00:00Z', operation: 'apply'};
    await writeFile(onHost('cp2', agentPaths.lock), `${JSON.stringify(owner)}\n`);
    const {summary} = await apply();
    expect(summary).toMatchObject({exit: 8, problem: {code: 'lock.held', host: 'cp2'}});
    expect(summary.problem?.message).toContain('ann@elsewhere');
    // what was taken before it was found is given back
    await expect(readFile(onHost('cp1', agentPaths.lock))).rejects.toMatchObject({code: 'ENOENT'});
  });

  it('grows by a worker that the file adds, and nobody else is touched', async () => {
    const started = (await stateOf('w1')).startedAt;
    const {summary} = await apply({breakLock: true});
    expect(summary.problem).toBeUndefined();
    expect(summary.hosts).toMatchObject([...['cp1', 'cp2', 'cp3', 'w1'].map((host) => ({host, outcome: 'unchanged'})), {host: 'w2', outcome: 'changed'}]);
    expect((await stateOf('w1')).startedAt).toBe(started);
    await expect(readFile(onHost('cp2', agentPaths.lock))).rejects.toMatchObject({code: 'ENOENT'});
    expect((await plan()).phases).toEqual([]);
  });

  it('has an agent started again that was stopped', async () => {
    const services = sandbox.hosts.find((host) => host.name === 'w2')?.services;
    await services?.control(['stop', 'trireme-agent.service']);
    const made = await plan();
    expect(made.hosts.at(-1)).toMatchObject({host: 'w2', state: 'changed', changes: [{path: 'agent.running'}]});
    const {summary} = await apply();
    expect(summary.problem).toBeUndefined();
    expect(services?.isActive('trireme-agent.service')).toBe(true);
  });

  it('takes a node out of service and back through the agent of a control plane', async () => {
    await simulatedPod(sandbox, 'web-1', {node: 'w1'});
    const verb = (wanted: NodeVerb) =>
      withScope(async (scope, cluster) => {
        const facts = await agentMode.facts(cluster, scope);
        const made = planNodeVerb(cluster, facts, 'w1', await lookAtHost(cluster, facts, scope, 'w1', never), wanted);
        return {made, summary: await applyPlan(made, {scope, emit: () => {}, stopping: never, leaving: never, concurrency: 8})};
      });
    const drained = await verb({verb: 'drain', drain: {force: false, deleteEmptyDirData: false, deadline: 10_000}});
    expect(drained.made.hosts).toMatchObject([{host: 'w1', changes: [{path: 'node.unschedulable'}, {path: 'pod default/web-1'}]}]);
    expect(drained.summary.outcome).toBe('succeeded');
    const unschedulable = async () => (await stateOf('cp1')).nodes.filter((node) => node.unschedulable === true).map((node) => node.name);
    expect(await unschedulable()).toEqual(['w1']);
    expect((await verb({verb: 'uncordon'})).summary.outcome).toBe('succeeded');
    expect(await unschedulable()).toEqual([]);
  });

  it('goes on with the hosts that answer when one does not', async () => {
    await sandbox.hosts.find((host) => host.name === 'w2')?.server.close();
    await writeFile(sandbox.file, (await readFile(sandbox.file, 'utf8')).replace('labels: {zone: a}', 'labels: {zone: b}'));
    const {summary} = await apply();
    expect(summary).toMatchObject({outcome: 'failed', exit: 4});
    expect(summary.hosts.slice(3)).toMatchObject([
      {host: 'w1', outcome: 'changed'},
      {host: 'w2', outcome: 'unreachable', problem: {code: 'host.port-closed', host: 'w2'}},
    ]);
    expect((await stateOf('w1')).wanted?.node.labels).toEqual({zone: 'b'});
  });
});

function withoutHost(file: string, name: string): string {
  return file
    .split('\n')
    .filter((line) => !line.includes(`{name: ${name},`))
    .join('\n');
}
