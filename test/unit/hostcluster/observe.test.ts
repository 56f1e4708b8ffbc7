import {describe, expect, it} from 'vitest';
import {isReached, type HostClusterFacts} from '../../../src/hostcluster/facts.ts';
import {viewOf} from '../../../src/hostcluster/observe.ts';
import type {AgentState, NodeState} from '../../../src/hostcluster/protocol.ts';
import {TriremeError} from '../../../src/kernel/errors.ts';
import {problemOf} from '../../../src/kernel/problem.ts';
import {desiredCluster, freshFacts, settledFacts} from './fixtures.ts';

const cluster = desiredCluster();
const settled = settledFacts(cluster);
const node = (name: string, ready = true): NodeState => ({
  name,
  ready,
  roles: [name === 'h4' ? '' : 'control-plane'],
  version: 'v1.36.3',
  conditions: [{type: 'Ready', status: ready ? 'True' : 'False', message: ready ? '' : 'no network'}],
});
const all = ['h1', 'h2', 'h3', 'h4'];

function told(nodes: readonly NodeState[], conditions: AgentState['conditions'] = [{type: 'ApiReady', ready: true}]): AgentState {
  const first = settled.hosts[0];
  if (first === undefined || !isReached(first) || first.seen === undefined) throw new Error('no state');
  return {...first.seen, nodes, conditions};
}
function seenBy(host: string, over: Partial<AgentState>): HostClusterFacts {
  return {
    ...settled,
    hosts: settled.hosts.map((one) => (one.host === host && isReached(one) && one.seen !== undefined ? {...one, seen: {...one.seen, ...over}} : one)),
  };
}

describe('the view of a cluster', () => {
  it('is healthy when every node is Ready and every host as wanted', () => {
    const view = viewOf(cluster, settled, told(all.map((name) => node(name))), 'agent');
    expect(view).toMatchObject({name: 'berth', health: 'healthy', reasons: [], controlPlanes: {ready: 3, wanted: 3}, workers: {ready: 1, wanted: 1}});
    expect(view.machines.map((machine) => [machine.name, machine.state, machine.address])).toEqual(
      all.map((name, index) => [name, 'ready', `10.77.0.${11 + index}`]),
    );
  });

  it('says what is wrong, conditions of the cluster first', () => {
    const view = viewOf(
      cluster,
      settled,
      told([node('h1'), node('h2'), node('h3', false), node('old')], [{type: 'DnsReady', ready: false, message: '0 of 2'}]),
      'agent',
    );
    expect(view.health).toBe('degraded');
    expect(view.reasons).toEqual([
      'DnsReady is false: 0 of 2',
      'h3: Ready is False: no network',
      "h4: isn't a node of the cluster yet",
      "old: is a node of the cluster and isn't in the file",
    ]);
    expect(view.controlPlanes).toEqual({ready: 2, wanted: 3});
    expect(view.machines.map((machine) => machine.state)).toEqual(['ready', 'ready', 'not-ready', 'not-joined', 'ready']);
  });

  it('is progressing while an agent works, and degraded when one fails', () => {
    const nodes = told(all.map((name) => node(name)));
    const reconciler = {name: 'kubelet', since: '', attempts: 1, message: 'no image'};
    expect(viewOf(cluster, seenBy('h2', {converged: false, reconcilers: [{...reconciler, status: 'working'}]}), nodes, 'agent')).toMatchObject({
      health: 'progressing',
      reasons: ['h2: its agent is at work: kubelet'],
    });
    expect(viewOf(cluster, seenBy('h2', {converged: false, reconcilers: [{...reconciler, status: 'failed'}]}), nodes, 'agent')).toMatchObject({
      health: 'degraded',
      reasons: ['h2: kubelet failed: no image'],
    });
  });

  it('counts drift that was not repaired', () => {
    const drift = (outcome: 'repaired' | 'reported') => ({area: 'sysctls' as const, subject: 'net.ipv4.ip_forward', found: '0', at: '', outcome});
    const view = viewOf(cluster, seenBy('h4', {drift: [drift('repaired'), drift('reported')]}), told(all.map((name) => node(name))), 'agent');
    expect(view).toMatchObject({health: 'degraded', reasons: ['h4: net.ipv4.ip_forward has drifted (0): reported']});
    expect(view.machines[3]?.drift).toBe(1);
  });

  it('is unknown, with the reason, when no control plane answers or there is no cluster', () => {
    expect(viewOf(cluster, settled, undefined, 'agent')).toMatchObject({health: 'unknown', reasons: ['no control plane answers']});
    expect(viewOf(cluster, freshFacts(cluster), undefined, 'agent').reasons[0]).toBe('the cluster is not made yet: trireme apply');
    const gone = {...settled, hosts: all.map((host) => ({host, problem: problemOf(new TriremeError('host.unreachable', `Can't reach ${host}.`, {host}))}))};
    const view = viewOf(cluster, gone, undefined, 'agent');
    expect(view.reasons.slice(0, 2)).toEqual(['no host answers', "h1: Can't reach h1."]);
    expect(view.machines[0]?.state).toBe('unreachable');
  });
});
