import {describe, expect, it} from 'vitest';
import {isReached, type HostClusterFacts, type MemberObservation} from '../../../src/hostcluster/facts.ts';
import {planConverge} from '../../../src/hostcluster/plan.ts';
import type {AgentState, EtcdMember, NodeState} from '../../../src/hostcluster/protocol.ts';
import {memberOfHost, whyNotRemovable} from '../../../src/hostcluster/quorum.ts';
import {planReplace} from '../../../src/hostcluster/replace.ts';
import {planReset, planTakeApart} from '../../../src/hostcluster/take-apart.ts';
import {TriremeError} from '../../../src/kernel/errors.ts';
import {problemOf} from '../../../src/kernel/problem.ts';
import type {AgentHost} from '../../../src/spec/schema.ts';
import {desiredCluster, settledFacts, threeAndOne} from './fixtures.ts';

const member = (name: string, over: Partial<EtcdMember> = {}): EtcdMember => ({id: name, name, addresses: [], learner: false, healthy: true, ...over});
const down = (name: string) => member(name, {healthy: false});
const host = (index: number, role: AgentHost['role']) => ({name: `h${index}`, address: `10.77.0.${10 + index}`, role});
const node = (name: string, role: string): NodeState => ({
  name,
  ready: true,
  roles: role === 'control-plane' ? [role] : [],
  version: 'v1.36.3',
  conditions: [],
  access: {address: `10.77.0.${10 + Number(name.slice(1))}`},
});
const gone = (name: string): MemberObservation => ({
  host: name,
  problem: problemOf(new TriremeError('host.port-closed', `Can't reach ${name}.`, {host: name})),
});

/** A cluster that was made with `had`, and whose file now has `has`. `dead` don't answer. */
function changed(
  had: readonly Partial<AgentHost>[],
  has: readonly Partial<AgentHost>[],
  dead: readonly string[] = [],
  spec: {readonly endpoint: object} = {endpoint: {host: 'api.example'}},
  was = spec,
) {
  const before = settledFacts(desiredCluster({hosts: had, spec: was}));
  const nodes = had.map((one) => node(one.name ?? '', one.role ?? 'worker'));
  const etcdMembers = had
    .filter((one) => one.role === 'control-plane')
    .map((one) => (dead.includes(one.name ?? '') ? down(one.name ?? '') : member(one.name ?? '')));
  const seen = before.hosts.map((one): MemberObservation => {
    if (dead.includes(one.host)) return gone(one.host);
    if (!isReached(one) || one.seen?.wanted?.role !== 'control-plane') return one;
    return {...one, seen: {...one.seen, nodes, etcdMembers}};
  });
  const named = new Set(has.map((one) => one.name));
  const cluster = desiredCluster({hosts: has, spec});
  const fresh = settledFacts(cluster).hosts.filter((one) => !had.some((other) => other.name === one.host));
  const bare = fresh.map((one) =>
    isReached(one) ? {...one, seen: undefined, programDigest: undefined, runtimeDigest: undefined, agentActive: false, content: []} : one,
  );
  const known = [...seen.filter((one) => named.has(one.host)), ...bare];
  const ordered = has.flatMap((one) => known.find((other) => other.host === one.name) ?? []);
  const teller = seen.find((one) => isReached(one) && one.seen?.nodes.length !== 0);
  const told = teller !== undefined && isReached(teller) ? teller.seen : undefined;
  const facts: HostClusterFacts = {
    ...before,
    hosts: ordered,
    strangers: seen.filter((one) => !named.has(one.host)),
    ...(told === undefined ? {} : {told: told as AgentState}),
  };
  return {cluster, facts};
}

const stepsOf = (made: ReturnType<typeof planConverge>) => made.phases.map((phase) => `${phase.title}: ${phase.steps.map((step) => step.id).join(' ')}`);
const messageOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof TriremeError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing was thrown';
};
const three = [host(1, 'control-plane'), host(2, 'control-plane'), host(3, 'control-plane')];

describe("etcd's majority", () => {
  it.each([
    ['one of three that are well', [member('h1'), member('h2'), member('h3')], 'h3', undefined],
    ['the dead one of three', [member('h1'), member('h2'), down('h3')], 'h3', undefined],
    ['a living one of three while another is down', [member('h1'), member('h2'), down('h3')], 'h2', /h3 is down/],
    ['one of three while two are down', [member('h1'), down('h2'), down('h3')], 'h3', /no majority: 1 of its 3 members/],
    ['one of two that are well', [member('h1'), member('h2')], 'h2', undefined],
    ['the living one of two', [member('h1'), down('h2')], 'h1', /no majority/],
    ['the only one', [member('h1')], 'h1', /only member/],
    ['a living one of five while one is down', [member('h1'), member('h2'), member('h3'), member('h4'), down('h5')], 'h4', undefined],
    ['a living one of five while two are down', [member('h1'), member('h2'), member('h3'), down('h4'), down('h5')], 'h3', /h4, h5 are down/],
    ['one that has no vote yet', [member('h1'), member('h2', {learner: true})], 'h2', undefined],
  ] as const)('taking out %s', (_, members, name, expected) => {
    const found = memberOfHost(members, name) as EtcdMember;
    const why = whyNotRemovable(members, found);
    if (expected === undefined) expect(why).toBeUndefined();
    else expect(why).toMatch(expected);
  });

  it('knows a member that was only announced by its address', () => {
    expect(memberOfHost([member('h1'), member('', {id: '7', addresses: ['10.77.0.12']})], 'h2', ['10.77.0.12'])?.id).toBe('7');
  });
});

describe('a host that left the file', () => {
  it('is drained, taken out of etcd, reset, and only then its node deleted; workers go before control planes', () => {
    const {cluster, facts} = changed([...three, host(4, 'worker'), host(5, 'control-plane'), host(6, 'control-plane')], three);
    const made = planConverge(cluster, facts, {mode: 'agent'});
    expect(made.hosts.map((one) => `${one.host} ${one.state}`)).toEqual([
      'h1 unchanged',
      'h2 unchanged',
      'h3 unchanged',
      'h4 removed',
      'h5 removed',
      'h6 removed',
    ]);
    expect(stepsOf(made)).toEqual([
      'Check: lease',
      'Take out workers: cordon:h4 drain:h4 reset:h4 delete-node:h4',
      'Take out h5: cordon:h5 drain:h5 etcd:h5 reset:h5 delete-node:h5',
      'Take out h6: cordon:h6 drain:h6 etcd:h6 reset:h6 delete-node:h6',
      'Check the cluster: health',
    ]);
  });

  it('goes when those that came are there, but one that does not answer goes first and nothing on it is touched', () => {
    const swapped = [host(1, 'control-plane'), host(2, 'control-plane'), host(5, 'control-plane')];
    const living = changed(three, swapped);
    const steps = stepsOf(planConverge(living.cluster, living.facts, {mode: 'agent'}));
    expect(steps.indexOf('Take out h3: cordon:h3 drain:h3 etcd:h3 reset:h3 delete-node:h3')).toBeGreaterThan(steps.indexOf('Converge: converge:h5'));
    expect(steps).toContain('See that the others are well: gate:removals');

    const dead = changed(three, swapped, ['h3']);
    const made = planConverge(dead.cluster, dead.facts, {mode: 'agent'});
    expect(stepsOf(made).indexOf('Take out h3: etcd:h3 delete-node:h3')).toBeLessThan(stepsOf(made).indexOf('Converge: converge:h5'));
    expect(made.warnings.map((warning) => warning.code)).toContain('host.not-reset');
  });

  it('may be where the endpoint was, once it is served by all: but not while somebody cannot be told', () => {
    const vip = {endpoint: {host: '10.77.0.100', type: 'vip'}};
    const first = {endpoint: {host: '10.77.0.11'}};
    const rest = [host(2, 'control-plane'), host(3, 'control-plane'), host(5, 'control-plane'), host(6, 'worker')];
    const moved = changed([...three, host(6, 'worker')], rest, [], vip, first);
    const steps = stepsOf(planConverge(moved.cluster, moved.facts, {mode: 'agent'}));
    expect(steps.findIndex((step) => step.startsWith('Take out h1:'))).toBeGreaterThan(steps.findIndex((step) => step.startsWith('Converge:')));
    const cutOff = changed([...three, host(6, 'worker')], rest, ['h6'], vip, first);
    expect(messageOf(() => planConverge(cutOff.cluster, cutOff.facts, {mode: 'agent'}))).toMatch(
      /^plan\.refused: h1 is where the endpoint was, and h6 can't be told now that it is 10\.77\.0\.100/,
    );
  });

  it('stays when etcd would lose its majority, when it is the endpoint, or when nobody could take it out', () => {
    const second = changed(three, [host(1, 'control-plane'), host(3, 'control-plane'), host(5, 'control-plane')], ['h3']);
    expect(messageOf(() => planConverge(second.cluster, second.facts, {mode: 'agent'}))).toMatch(
      /^plan\.refused: h2 can't be taken out of the cluster: h3 is down/,
    );
    const endpoint = changed(three, [host(2, 'control-plane'), host(3, 'control-plane'), host(5, 'control-plane')], [], {endpoint: {host: '10.77.0.11'}});
    expect(messageOf(() => planConverge(endpoint.cluster, endpoint.facts, {mode: 'agent'}))).toMatch(/^plan\.refused: h1 is the cluster's endpoint/);
    const nobody = changed(three, [host(5, 'control-plane')]);
    expect(messageOf(() => planConverge(nobody.cluster, nobody.facts, {mode: 'agent'}))).toMatch(/^plan\.refused: No control plane of berth that stays/);
  });

  it('stays when the run is about other hosts only, and when its node does not say that it is ours', () => {
    const {cluster, facts} = changed([...three, host(4, 'worker')], three);
    const limited = planConverge(cluster, facts, {mode: 'agent', hosts: ['h1']});
    expect(limited.hosts.map((one) => one.host)).toEqual(['h1']);
    const {access: _access, ...foreign} = node('h4', 'worker');
    const told = {...(facts.told as AgentState), nodes: [node('h1', 'control-plane'), foreign]};
    const made = planConverge(cluster, {...facts, told, strangers: []}, {mode: 'agent'});
    expect(made.hosts.some((one) => one.state === 'removed')).toBe(false);
    expect(made.warnings.map((warning) => `${warning.code} ${warning.host}`)).toEqual(['host.not-in-file h4']);
  });

  it('leaves what the starter kept for all to the first control plane that stays', () => {
    const {cluster, facts} = changed(three, [host(2, 'control-plane'), host(3, 'control-plane'), host(5, 'control-plane')]);
    const made = planConverge(cluster, facts, {mode: 'agent'});
    expect(made.hosts.find((one) => one.host === 'h2')?.changes.map((change) => `${change.path} ${String(change.to)}`)).toEqual(['bootstrap true']);
  });
});

describe('a host that is replaced', () => {
  it('leaves before it joins again as new', () => {
    const {cluster, facts} = changed(three, three);
    const steps = stepsOf(planReplace(cluster, facts, 'h3', {mode: 'agent'}));
    expect(steps.indexOf('Take out h3: cordon:h3 drain:h3 etcd:h3 reset:h3 delete-node:h3')).toBeLessThan(
      steps.findIndex((step) => step.startsWith('Push content: push:h3')),
    );
    expect(steps).toContain('Converge: converge:h3');
  });

  it('is only taken out when it does not answer', () => {
    const {cluster, facts} = changed(three, three, ['h3']);
    const made = planReplace(cluster, facts, 'h3', {mode: 'agent'});
    expect(stepsOf(made)).toEqual(['Check: lease', 'Take out h3: etcd:h3 delete-node:h3', 'Check the cluster: health']);
    expect(made.hosts.map((one) => `${one.host} ${one.state}`)).toEqual(['h3 removed']);
  });

  it('that came back after it was taken out is refused by apply, with the way out', () => {
    const {cluster, facts} = changed(three, three);
    const without = (names: readonly string[]) => names.map((name) => member(name));
    const hosts = facts.hosts.map((one) =>
      isReached(one) && one.seen !== undefined
        ? {...one, seen: {...one.seen, etcdMembers: one.host === 'h3' ? undefined : without(['h1', 'h2'])} as AgentState}
        : one,
    );
    expect(messageOf(() => planConverge(cluster, {...facts, hosts}, {mode: 'agent'}))).toMatch(/^plan\.refused: h3 was taken out of berth while it was away/);
  });
});

describe('a cluster that is taken off its hosts', () => {
  it('goes off workers first, off those that left the file, too, and says who was not reached', () => {
    const {cluster, facts} = changed([...three, host(4, 'worker'), host(5, 'worker')], [...three, host(4, 'worker')], ['h2']);
    const made = planTakeApart(cluster, facts, {mode: 'agent'});
    expect(stepsOf(made)).toEqual(['Check: lease', 'Reset workers: reset:h4 reset:h5', 'Reset control planes: reset:h1 reset:h3']);
    expect(made.hosts.map((one) => `${one.host} ${one.state}`)).toEqual(['h1 removed', 'h2 unreachable', 'h3 removed', 'h4 removed', 'h5 removed']);
  });

  it('is refused for a single host that is a member, unless it is forced', () => {
    const cluster = desiredCluster({hosts: threeAndOne});
    const facts = settledFacts(cluster);
    expect(messageOf(() => planReset(cluster, facts, ['h4'], {mode: 'agent', force: false}))).toMatch(/^host\.is-member: h4/);
    expect(stepsOf(planReset(cluster, facts, ['h4'], {mode: 'agent', force: true}))).toEqual(['Reset hosts: reset:h4']);
  });
});
