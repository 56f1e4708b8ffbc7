import {describe, expect, it} from 'vitest';
import {TriremeError} from '../../../src/kernel/errors.ts';
import {problemOf} from '../../../src/kernel/problem.ts';
import {isReached, type HostClusterFacts} from '../../../src/hostcluster/facts.ts';
import {planConverge} from '../../../src/hostcluster/plan.ts';
import type {NodeState} from '../../../src/hostcluster/protocol.ts';
import {stagedWanted} from '../../../src/hostcluster/steps/prepare.ts';
import type {HostClusterScope} from '../../../src/hostcluster/scope.ts';
import {applyPlan} from '../../../src/plan/apply.ts';
import type {EventBody} from '../../../src/kernel/event.ts';
import type {Plan} from '../../../src/plan/plan.ts';
import {desiredCluster, digest, memberFacts, settledFacts, threeAndOne} from './fixtures.ts';

const workers = (count: number) =>
  Array.from({length: count}, (_, index) => ({name: `h${index + 4}`, address: `10.77.0.${index + 14}`, role: 'worker' as const}));
const hosts = [...threeAndOne.slice(0, 3), ...workers(3)];
const at = (version: string, more: object = {}, list: readonly object[] = hosts) =>
  desiredCluster({hosts: list, spec: {kubernetes: {distribution: 'kubeadm', version}, ...more}});

/** A settled cluster at v1.35.4, whose first control plane tells these nodes. */
function running(
  list: readonly object[] = hosts,
  over: (host: string) => {readonly running?: string; readonly node?: Partial<NodeState>} = () => ({}),
): HostClusterFacts {
  const facts = settledFacts(at('v1.35.4', {}, list));
  const nodes = (list as readonly {name: string}[]).map(({name}): NodeState => ({
    name,
    ready: true,
    roles: [],
    version: 'v1.35.4',
    conditions: [],
    ...over(name).node,
  }));
  return {
    ...facts,
    hosts: facts.hosts.map((host) => {
      if (!isReached(host) || host.seen === undefined) return host;
      const version = over(host.host).running;
      return {...host, seen: {...host.seen, ...(version === undefined ? {} : {running: version}), nodes: host.host === 'h1' ? nodes : []}};
    }),
  };
}
const plan = (
  version: string,
  facts = running(),
  options: {readonly spec?: object; readonly limit?: readonly string[]; readonly hosts?: readonly object[]} = {},
) => planConverge(at(version, options.spec, options.hosts), facts, {mode: 'agent', ...(options.limit === undefined ? {} : {hosts: options.limit})});
const lines = (made: Plan<HostClusterScope>) => made.phases.map((phase) => `${phase.title}: ${phase.steps.map((step) => step.id).join(' ')}`);

describe('the plan of another version', () => {
  it('brings the images everywhere, then goes host by host: out of service, changed, and back', () => {
    const made = plan('v1.36.3', running(), {spec: {rollout: {maxUnavailable: 2, drainTimeout: '90s'}}});
    const chain = (host: string) => `cordon:${host} drain:${host} wanted:${host} converge:${host} uncordon:${host}`;
    expect(lines(made)).toEqual([
      'Check: lease',
      `Import images: ${hosts.map((host) => `prepare:${host.name}`).join(' ')}`,
      'Check what hosts have: gate:prepared',
      `Roll out to control planes: ${['h1', 'h2', 'h3'].map(chain).join(' ')}`,
      `Roll out to workers: gate:workers ${['h4', 'h5', 'h6'].map(chain).join(' ')}`,
      'Check the cluster: health',
    ]);
    expect(made.phases.map((phase) => phase.window)).toEqual([undefined, undefined, undefined, 1, 2, undefined]);
    expect(made.hosts.map((host) => host.effect)).toEqual(hosts.map(() => 'drain'));
    expect(made.warnings).toMatchObject([{code: 'api.interrupted', message: expect.stringContaining('10.77.0.11 is that host')}]);
  });

  it('does not drain an only node, whose pods have nowhere to go', () => {
    const one = hosts.slice(0, 1);
    expect(lines(plan('v1.36.3', running(one), {hosts: one}))).toContain('Roll out to control planes: wanted:h1 converge:h1');
  });

  it('goes on first with what an interrupted run left out of service, and brings it back', () => {
    const left = running(hosts, (host) => (host === 'h6' ? {node: {unschedulable: true, cordonedFor: 'upgrade'}} : {}));
    expect(lines(plan('v1.36.3', left)).at(-2)).toMatch(/gate:workers cordon:h6 drain:h6 .* uncordon:h6 cordon:h4/);
    const done = plan('v1.35.4', left);
    expect(lines(done)).toEqual(['Check: lease', 'Converge: converge:h6', 'Uncordon: uncordon:h6', 'Check the cluster: health']);
    const persons = running(hosts, (host) => (host === 'h6' ? {node: {unschedulable: true}} : {}));
    expect(plan('v1.35.4', persons).phases).toEqual([]);
  });

  it('touches nobody outside the limit', () => {
    const made = plan('v1.36.3', running(), {limit: ['h2']});
    expect(made.hosts.map((host) => host.host)).toEqual(['h2']);
    expect(made.phases.flatMap((phase) => phase.steps.flatMap((step) => step.host ?? [])).every((host) => host === 'h2')).toBe(true);
  });
});

describe('an upgrade is refused', () => {
  const away = (facts: HostClusterFacts, name: string): HostClusterFacts => ({
    ...facts,
    hosts: facts.hosts.map((host) =>
      host.host === name ? {host: name, problem: problemOf(new TriremeError('host.unreachable', `Can't reach ${name}.`))} : host,
    ),
  });

  it.each([
    ['a skipped minor', () => plan('v1.37.1'), /From v1.35.4 to v1.37.1 a minor version is skipped; go to v1.36 first/],
    ['a downgrade', () => plan('v1.35.1'), /v1.35.1 is older than the v1.35.4 that runs/],
    [
      'going back half way',
      () =>
        plan(
          'v1.35.4',
          running(hosts, (host) => ({running: host === 'h1' ? 'v1.36.3' : 'v1.35.4'})),
        ),
      /h1: v1.35.4 is older/,
    ],
    ['workers before control planes', () => plan('v1.36.3', running(), {limit: ['h4']}), /leaves out h1 \(v1.35.4\), h2/],
    ['a control plane that is away', () => plan('v1.36.3', away(running(), 'h2')), /h2 can't be reached: an upgrade would leave its API server behind/],
    [
      'a kubelet that would be left too old',
      () =>
        plan(
          'v1.36.3',
          running(hosts, (host) => ({running: host === 'h4' ? 'v1.32.9' : 'v1.35.4'})),
          {limit: ['h1', 'h2', 'h3']},
        ),
      /h4: The kubelet v1.32.9 is more than three minor versions older/,
    ],
  ])('for %s', (_what, act, message) => {
    expect(act).toThrow(message);
    expect(act).toThrow(expect.objectContaining({code: 'plan.refused'}));
  });

  it('for new hosts that would join before the API servers have that version, unless they are left out', () => {
    const list = [...hosts, {name: 'h7', address: '10.77.0.17', role: 'worker'}];
    const facts = running();
    const grown = {...facts, hosts: [...facts.hosts, memberFacts('h7')]};
    expect(() => plan('v1.36.3', grown, {hosts: list})).toThrow(/h7 would join with v1.36.3 while API servers are at v1.35.4/);
    expect(plan('v1.36.3', grown, {hosts: list, limit: hosts.map((host) => (host as {name: string}).name)}).hosts).toHaveLength(6);
  });

  it('but not for a control plane that never joined and is away', () => {
    const list = [...hosts, {name: 'h7', address: '10.77.0.17', role: 'control-plane'}];
    const facts = running();
    const problem = problemOf(new TriremeError('host.unreachable', "Can't reach h7."));
    expect(plan('v1.36.3', {...facts, hosts: [...facts.hosts, {host: 'h7', problem}]}, {hosts: list}).hosts.at(-1)?.state).toBe('unreachable');
  });

  it('but not for a worker that is away, which follows later', () => {
    expect(plan('v1.36.3', away(running(), 'h5')).hosts.find((host) => host.host === 'h5')?.state).toBe('unreachable');
  });
});

it('stages only the images that a host lacks, behind its own', () => {
  const before = settledFacts(at('v1.35.4')).hosts.flatMap((host) => (isReached(host) ? (host.seen?.wanted ?? []) : []))[0];
  if (before === undefined) throw new Error('no document');
  const image = {name: 'image:registry.k8s.io/etcd:9', kind: 'image' as const, digest: digest('9'), size: 1, reference: 'registry.k8s.io/etcd:9'};
  const after = {
    ...before,
    kubernetesVersion: 'v1.36.3',
    content: [image, {name: 'kubelet', kind: 'binary' as const, digest: digest('8'), size: 1}, ...before.content],
  };
  expect(stagedWanted(before, after)).toEqual({...before, content: [...before.content, image]});
  expect(stagedWanted(before, before)).toBe(before);
});

describe('25% of eight workers', () => {
  /** The planned steps with nothing behind them but time, and what was seen of them. */
  async function rollOut(failing?: string): Promise<{readonly most: number; readonly events: readonly EventBody[]; readonly converged: readonly string[]}> {
    const list = [...threeAndOne.slice(0, 3), ...workers(8)];
    const made = plan('v1.36.3', running(list), {hosts: list, spec: {rollout: {maxUnavailable: '25%'}}});
    const away = new Set<string>();
    let most = 0;
    const progress = {
      eventsSeen: new Map<string, number>(),
      converged: new Set<string>(),
      prepared: new Set(list.map((host) => (host as {name: string}).name)),
    };
    const acted: Plan<HostClusterScope> = {
      ...made,
      phases: made.phases.map((phase) => ({
        ...phase,
        steps: phase.steps.map((step) => {
          const [what, host = ''] = step.id.split(':');
          if (what === 'gate') return step;
          return {
            ...step,
            check: async () => 'needed' as const,
            apply: async () => {
              if (what === 'cordon') away.add(host);
              if (Number(host.slice(1)) > 3) most = Math.max(most, [...away].filter((one) => Number(one.slice(1)) > 3).length);
              await new Promise((resolve) => setTimeout(resolve, host.charCodeAt(1) % 3));
              if (step.id === failing) throw new TriremeError('drain.blocked', `${host} keeps a pod`);
              if (what === 'converge') progress.converged.add(host);
              if (what === 'uncordon') away.delete(host);
            },
          };
        }),
      })),
    };
    const events: EventBody[] = [];
    const never = new AbortController().signal;
    const scope = {progress} as unknown as HostClusterScope;
    await applyPlan(acted, {scope, emit: (event) => events.push(event), stopping: never, leaving: never, concurrency: 16});
    return {most, events, converged: [...progress.converged]};
  }

  it('are two at a time, never three', async () => {
    const {most, converged} = await rollOut();
    expect(most).toBe(2);
    expect(converged).toHaveLength(11);
  });

  it('stop at the first that fails; the one beside it comes back, and the others are not touched', async () => {
    const {most, events, converged} = await rollOut('drain:h5');
    expect(most).toBe(2);
    expect(converged).toEqual(['h1', 'h2', 'h3', 'h4']);
    expect(events).toContainEqual(expect.objectContaining({type: 'step.finished', step: 'uncordon:h4', outcome: 'done'}));
    expect(events).toContainEqual(
      expect.objectContaining({code: 'rollout.stopped', message: expect.stringMatching(/h5 failed, so h6, h7, h8, h9, h10, h11 aren't touched/)}),
    );
  });
});
