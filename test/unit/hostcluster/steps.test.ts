import {describe, expect, it} from 'vitest';
import {assessHost, type HostWork} from '../../../src/hostcluster/assess.ts';
import type {AgentLink} from '../../../src/hostcluster/link.ts';
import type {AgentState, NodeState, ReconcilerState} from '../../../src/hostcluster/protocol.ts';
import type {HostClusterScope} from '../../../src/hostcluster/scope.ts';
import {convergeStep} from '../../../src/hostcluster/steps/converge.ts';
import {handOverStep} from '../../../src/hostcluster/steps/hand-over.ts';
import {complaintsOf, healthStep} from '../../../src/hostcluster/steps/health.ts';
import {nodeStep} from '../../../src/hostcluster/steps/node-step.ts';
import {hostsOf} from '../../../src/hostcluster/wanted.ts';
import {TriremeError} from '../../../src/kernel/errors.ts';
import type {EventBody, TriremeEvent} from '../../../src/kernel/event.ts';
import type {StepContext} from '../../../src/plan/plan.ts';
import {agentState, desiredCluster, settledFacts, threeAndOne} from './fixtures.ts';

const never = new AbortController().signal;

function workOf(name: string, over: object): HostWork {
  const cluster = desiredCluster({hosts: threeAndOne.map((host) => (host.name === name ? {...host, ...over} : host))});
  const host = hostsOf(cluster).find((one) => one.name === name);
  const work = host === undefined ? undefined : assessHost(cluster, settledFacts(desiredCluster()), host).work;
  if (work === undefined) throw new Error('no work');
  return work;
}

interface FakeAgent {
  state(look: number): AgentState;
  events?(after: number, signal: AbortSignal | undefined): AsyncGenerator<TriremeEvent>;
  postNode?: AgentLink['postNode'];
  putWanted?: AgentLink['putWanted'];
}

function contextWith(agents: Readonly<Record<string, FakeAgent>>, options: {readonly stopping?: AbortSignal; readonly patience?: number} = {}) {
  const events: EventBody[] = [];
  const looks: Record<string, number> = {};
  const forgotten: string[] = [];
  const scope = {
    patience: options.patience,
    progress: {eventsSeen: new Map([['h4', 0]]), converged: new Set<string>(), prepared: new Set<string>()},
    forget: async (host: string) => void forgotten.push(host),
    link: async (host: string): Promise<Partial<AgentLink>> => {
      const agent = agents[host];
      if (agent === undefined) throw new TriremeError('agent.not-answering', `${host} is silent`, {host});
      return {
        state: async () => agent.state((looks[host] = (looks[host] ?? 0) + 1)),
        events: (after, {signal} = {}) => agent.events?.(after, signal) ?? quiet(signal),
        ...(agent.postNode === undefined ? {} : {postNode: agent.postNode}),
        ...(agent.putWanted === undefined ? {} : {putWanted: agent.putWanted}),
      };
    },
  } as unknown as HostClusterScope;
  const context: StepContext<HostClusterScope> = {scope, signal: never, stopping: options.stopping ?? never, emit: (event) => events.push(event)};
  return {context, events, scope, forgotten};
}

async function* quiet(signal: AbortSignal | undefined): AsyncGenerator<TriremeEvent> {
  await new Promise((_resolve, reject) => {
    if (signal?.aborted) reject(signal.reason as Error);
    signal?.addEventListener('abort', () => reject(signal.reason as Error), {once: true});
  });
  yield undefined as never;
}

const stamped = (seq: number, body: EventBody): TriremeEvent => ({...body, seq, at: '', run: 'agent'});
const line = (seq: number, text: string) => stamped(seq, {type: 'step.output', step: 'join', stream: 'stdout', line: text});

describe('handing a host over what it shall be', () => {
  it('is asked again when the agent is just being started anew, or the link breaks: the same document twice is the same wish', async () => {
    const work = workOf('h4', {labels: {zone: 'a'}});
    const breaks = [new TriremeError('agent.not-answering', 'it starts', {host: 'h4'}), new TriremeError('host.connection-lost', 'broke', {host: 'h4'})];
    const got: unknown[] = [];
    const putWanted: AgentLink['putWanted'] = async (body) => {
      const failure = breaks.pop();
      if (failure !== undefined) throw failure;
      got.push(body);
    };
    const {context, forgotten} = contextWith({h4: {state: () => agentState(work.wanted), putWanted}});
    await handOverStep(work).apply(context);
    expect(got).toEqual([{wanted: work.wanted}]);
    expect(forgotten).toEqual(['h4', 'h4']);
  });

  it('is not asked again when the agent refuses, and not once the run is being stopped', async () => {
    const work = workOf('h4', {labels: {zone: 'a'}});
    const failing = (code: 'cluster.foreign' | 'agent.not-answering', stopping = never) => {
      const putWanted: AgentLink['putWanted'] = async () => {
        throw new TriremeError(code, 'no', {host: 'h4'});
      };
      const {context} = contextWith({h4: {state: () => agentState(work.wanted), putWanted}}, {stopping});
      return handOverStep(work).apply(context);
    };
    await expect(failing('cluster.foreign')).rejects.toMatchObject({code: 'cluster.foreign'});
    await expect(failing('agent.not-answering', AbortSignal.abort())).rejects.toMatchObject({code: 'agent.not-answering'});
  });
});

describe('following a host', () => {
  const work = workOf('h4', {labels: {zone: 'a'}});
  const working = (over: Partial<AgentState> = {}) => agentState(work.wanted, {converged: false, ...over});

  it('is not needed where the host is as wanted, which then counts for the look at the cluster', async () => {
    const {context, scope} = contextWith({h4: {state: () => agentState(work.wanted)}});
    expect(await convergeStep(work).check(context)).toBe('satisfied');
    expect([...scope.progress.converged]).toEqual(['h4']);
  });

  it("passes the agent's events on under the host's name, takes them up where a link broke, and ends when the host is as wanted", async () => {
    let streams = 0;
    const {context, events, scope, forgotten} = contextWith({
      h4: {
        state: (look) => {
          if (look === 2) throw new TriremeError('host.connection-lost', 'broke', {host: 'h4'});
          return streams < 2
            ? working({reconcilers: [{name: 'join', status: 'working', message: 'Join', since: '', attempts: 0}]})
            : agentState(work.wanted, {reconcilers: [{name: 'join', status: 'done', since: '', attempts: 0}]});
        },
        events: async function* (after, signal) {
          streams += 1;
          if (streams === 1) {
            yield line(after + 1, 'first');
            throw new TriremeError('agent.not-answering', 'broke', {host: 'h4'});
          }
          yield line(after + 1, `after ${after}`);
          yield* quiet(signal);
        },
      },
    });
    expect(await convergeStep(work).apply(context)).toBe('is as wanted');
    expect(events.filter((event) => event.type === 'step.output').map((event) => [event.step, event.host, event.line])).toEqual([
      ['converge:h4', 'h4', 'first'],
      ['converge:h4', 'h4', 'after 1'],
    ]);
    expect(events.filter((event) => event.type === 'condition.changed').map((event) => [event.condition, event.status, event.reason])).toEqual([
      ['join', 'false', 'working'],
      ['join', 'true', 'done'],
    ]);
    expect(forgotten).toEqual(['h4']);
    expect([...scope.progress.converged]).toEqual(['h4']);
  });

  it('gives up with the message of a reconciler that fails again and again, not of one that fails once', async () => {
    const failing = (attempts: number) => working({reconcilers: [{name: 'kubelet', status: 'failed', message: 'no such image', since: '', attempts}]});
    const {context} = contextWith({h4: {state: (look) => failing(look === 1 ? 1 : 6)}});
    await expect(convergeStep(work).apply(context)).rejects.toMatchObject({
      code: 'agent.failed',
      host: 'h4',
      message: 'kubelet failed 6 times on h4: no such image',
    });
  });

  it('says that the disk is full when that is why a reconciler fails', async () => {
    const message = 'A file system is full: ENOSPC: no space left on device, write.';
    const {context} = contextWith({
      h4: {
        state: (look) =>
          working({reconcilers: [{name: 'kubelet', status: 'failed', code: 'host.disk-full', message, since: '', attempts: look === 1 ? 0 : 6}]}),
      },
    });
    await expect(convergeStep(work).apply(context)).rejects.toMatchObject({
      code: 'host.disk-full',
      host: 'h4',
      message: `h4 has no room left: kubelet failed 6 times. ${message}`,
    });
  });

  it('gives what had failed before it looked two more tries: its cause may be gone, and the agent not yet have tried again', async () => {
    const failed = (attempts: number) => working({reconcilers: [{name: 'images', status: 'failed', message: 'no room', since: '', attempts}]});
    const mended = contextWith({h4: {state: (look) => (look < 3 ? failed(6 + look) : agentState(work.wanted))}});
    expect(await convergeStep(work).apply(mended.context)).toBe('is as wanted');
    const {context} = contextWith({h4: {state: (look) => failed(6 + look)}});
    await expect(convergeStep(work).apply(context)).rejects.toMatchObject({code: 'agent.failed', message: 'images failed 9 times on h4: no room'});
  });

  it('ends at once when the run is stopped: the host goes on by itself', async () => {
    const stop = new AbortController();
    const {context} = contextWith({h4: {state: () => working()}}, {stopping: stop.signal});
    const following = convergeStep(work).apply(context);
    stop.abort();
    await expect(following).rejects.toMatchObject({name: 'AbortError'});
  });

  it('goes on waiting while a reconciler fails again and again only because the API is away', async () => {
    const message = "The Kubernetes API at https://10.77.0.11:6443 doesn't answer: no answer within 10 s.";
    const away = [{name: 'node', status: 'failed' as const, code: 'host.unreachable' as const, message, since: '', attempts: 7}];
    const {context} = contextWith({h4: {state: (look) => (look < 3 ? working({reconcilers: away}) : agentState(work.wanted))}});
    expect(await convergeStep(work).apply(context)).toBe('is as wanted');
  });

  it('counts nothing of what failed while the API was away, and nothing that is being tried again', async () => {
    const away = {name: 'node', status: 'failed', code: 'host.unreachable', message: "doesn't answer", since: '', attempts: 5} as const;
    const forbidden = (count: number) => ({...away, code: 'agent.failed', message: 'forbidden', attempts: count}) as const;
    const again = {name: 'node', status: 'working', message: 'Label the node', since: '', attempts: 7} as const;
    const follow = (...looks: readonly ReconcilerState[]) => {
      const states = looks.map((one) => working({reconcilers: [one]}));
      return convergeStep(work).apply(contextWith({h4: {state: (look) => states[look - 1] ?? agentState(work.wanted)}}).context);
    };
    expect(await follow({...away, attempts: 1}, away, forbidden(6), again)).toBe('is as wanted');
    await expect(follow({...away, attempts: 1}, away, forbidden(6), forbidden(7))).rejects.toMatchObject({message: 'node failed 7 times on h4: forbidden'});
  });

  it('waits as long as the run may take where the person said so, and then names what is open', async () => {
    const reconcilers = [{name: 'control-plane', status: 'working' as const, message: 'Start the cluster', since: '', attempts: 0}];
    const {context} = contextWith({h4: {state: () => working({reconcilers})}}, {patience: 60});
    await expect(convergeStep(work).apply(context)).rejects.toMatchObject({
      code: 'wait.timed-out',
      message: "h4 isn't as wanted after 0.001 minutes: control-plane (Start the cluster).",
    });
  });

  it('ends when somebody else gives the host another wish', async () => {
    const {context} = contextWith({h4: {state: () => working({wantedDigest: 'sha256:other'})}});
    await expect(convergeStep(work).apply(context)).rejects.toMatchObject({code: 'plan.moved', host: 'h4'});
  });
});

describe('labels and taints of a worker', () => {
  it('are set by the next control plane when the first does not answer, and what is not wished is taken away', async () => {
    const posted: unknown[] = [];
    const {context} = contextWith({
      h2: {state: () => agentState(workOf('h2', {labels: {a: '1'}}).wanted), postNode: async (node, wishes) => void posted.push([node, wishes])},
    });
    expect(await nodeStep(workOf('h4', {labels: {zone: 'a'}}), ['h1', 'h2']).apply(context)).toBe('by h2');
    expect(posted).toEqual([['h4', {labels: {zone: 'a'}, taints: []}]]);
  });

  it('fail with the last reason when no control plane answers', async () => {
    const {context} = contextWith({});
    await expect(nodeStep(workOf('h4', {labels: {zone: 'a'}}), ['h1', 'h2']).apply(context)).rejects.toMatchObject({
      code: 'agent.not-answering',
      message: 'h2 is silent',
    });
  });
});

describe('the look at the cluster', () => {
  const node = (name: string, ready: boolean): NodeState => ({
    name,
    ready,
    roles: [],
    version: 'v1.36.3',
    conditions: [{type: 'Ready', status: ready ? 'True' : 'False', message: 'cni plugin not initialized'}],
  });
  const state = (nodes: readonly NodeState[], conditions: AgentState['conditions'] = []) =>
    agentState(workOf('h1', {labels: {a: '1'}}).wanted, {nodes, conditions});

  it('names each node that is missing or not Ready, and each condition that is false', () => {
    expect(complaintsOf(state([node('h1', true), node('h2', false)], [{type: 'DnsReady', ready: false, message: '0 of 2'}]), ['h1', 'h2', 'h3'])).toEqual([
      "h2 isn't Ready (cni plugin not initialized)",
      "h3 isn't a node",
      'DnsReady is false (0 of 2)',
    ]);
    expect(complaintsOf(undefined, ['h1'])).toEqual(['no control plane tells of any node']);
  });

  it('waits until all is well, by whichever control plane answers, and tells what it waits for when that changes', async () => {
    const {context, events} = contextWith({h2: {state: (look) => state([node('h1', true), node('h4', look > 2)])}});
    context.scope.progress.converged.add('h4');
    expect(await healthStep({controlPlanes: ['h1', 'h2'], settled: ['h1']}).apply(context)).toBe('nodes, DNS and layers are ready');
    expect(events).toEqual([{type: 'step.output', step: 'health', stream: 'stdout', line: "waits: h4 isn't Ready (cni plugin not initialized)"}]);
  });

  it('does not wait for a layer that has had all its time', async () => {
    const message = "The layer stuck isn't healthy after 20 s";
    const addons = {name: 'addons', status: 'failed' as const, message, code: 'run.unhealthy' as const, since: '', attempts: 1};
    const {context} = contextWith({h1: {state: () => ({...state([node('h1', true)], [{type: 'Layer/stuck', ready: false}]), reconcilers: [addons]})}});
    await expect(healthStep({controlPlanes: ['h1'], settled: ['h1']}).apply(context)).rejects.toMatchObject({code: 'run.unhealthy', message});
  });

  it('lasts as long as the run may take where the person said so', async () => {
    const {context} = contextWith({h1: {state: () => state([node('h1', false)])}}, {patience: 30});
    await expect(healthStep({controlPlanes: ['h1'], settled: ['h1']}).apply(context)).rejects.toMatchObject({code: 'run.unhealthy'});
  });
});
