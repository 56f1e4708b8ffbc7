import {describe, expect, it} from 'vitest';
import {planConverge} from '../../../src/hostcluster/plan.ts';
import type {HostClusterScope} from '../../../src/hostcluster/scope.ts';
import type {Step, StepContext} from '../../../src/plan/plan.ts';
import {desiredCluster, factsOf, memberFacts, settledFacts, threeAndOne} from './fixtures.ts';

const workers = Array.from({length: 5}, (_, index) => ({name: `h${index + 4}`, address: `10.77.0.${index + 14}`, role: 'worker' as const}));
const hosts = [...threeAndOne.slice(0, 3), ...workers];
const phasesWith = (spec: object, list: readonly object[] = hosts) => {
  const facts = settledFacts(desiredCluster({hosts}));
  const cluster = desiredCluster({hosts: list, spec: {...spec}});
  const news = list.slice(hosts.length).map((host) => memberFacts((host as {name: string}).name));
  return planConverge(cluster, factsOf([...facts.hosts, ...news]), {mode: 'agent'}).phases;
};
const lines = (phases: ReturnType<typeof phasesWith>) => phases.map((phase) => `${phase.title}: ${phase.steps.map((step) => step.id).join(' ')}`);
const kubelet = {configuration: {kubelet: {maxPods: 60}}};

describe('a change that restarts something on running hosts', () => {
  it('goes to control planes one by one, then to workers one by one, each after a look at those before', () => {
    expect(lines(phasesWith(kubelet)).slice(0, 4)).toEqual([
      'Check: lease',
      'Roll out to control planes: wanted:h1 converge:h1 wanted:h2 converge:h2 wanted:h3 converge:h3',
      `Roll out to workers: gate:workers ${['h4', 'h5', 'h6', 'h7', 'h8'].map((host) => `wanted:${host} converge:${host}`).join(' ')}`,
      'Check the cluster: health',
    ]);
    expect(phasesWith(kubelet).map((phase) => phase.window)).toEqual([undefined, 1, 1, undefined]);
  });

  it('goes to as many workers at once as may be unavailable, canaries first', () => {
    const phases = phasesWith({...kubelet, rollout: {maxUnavailable: '50%', canary: 1}});
    expect(phases.slice(2).map((phase) => [phase.title, phase.window])).toEqual([
      ['Roll out to canary hosts', 2],
      ['Roll out to workers', 2],
      ['Check the cluster', undefined],
    ]);
  });

  it('does not wait for new hosts, which converge together', () => {
    const made = lines(phasesWith(kubelet, [...hosts, {name: 'h9', address: '10.77.0.19', role: 'worker'}]));
    expect(made).toContain('Converge: converge:h9');
    expect(made.indexOf('Converge: converge:h9')).toBeLessThan(made.findIndex((line) => line.startsWith('Roll out to control planes')));
  });
});

it('a change that restarts nothing goes to all hosts at once', () => {
  expect(lines(phasesWith({configuration: {sysctls: {'net.core.somaxconn': 4096}}}))).toContain(
    `Converge: ${hosts.map((host) => `converge:${host.name}`).join(' ')}`,
  );
});

describe('the gate between two phases', () => {
  const gate = (maxFailures: number): Step<HostClusterScope> => {
    const step = phasesWith({...kubelet, rollout: {maxFailures}})
      .flatMap((phase) => phase.steps)
      .find((one) => one.id === 'gate:workers');
    if (step === undefined) throw new Error('no gate');
    return step;
  };
  const context = (converged: readonly string[]) =>
    ({scope: {progress: {converged: new Set(converged), eventsSeen: new Map(), prepared: new Set()}}}) as unknown as StepContext<HostClusterScope>;

  it('is open when all before did well', async () => {
    expect(await gate(0).check(context(['h1', 'h2', 'h3']))).toBe('satisfied');
  });

  it('stops the rest when one failed, and names it', async () => {
    expect(await gate(0).check(context(['h1', 'h3']))).toBe('needed');
    await expect(gate(0).apply(context(['h1', 'h3']))).rejects.toMatchObject({code: 'run.failed', message: expect.stringContaining('h2')});
  });

  it('lets as many fail as the file allows', async () => {
    expect(await gate(1).check(context(['h1', 'h2']))).toBe('satisfied');
    expect(await gate(1).check(context(['h1']))).toBe('needed');
  });
});
