// Each fixture's plan as text: what a person reads before saying yes. A change here is a change of what plan promises.
import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {isReached, type HostClusterFacts} from '../../src/hostcluster/facts.ts';
import {planConverge} from '../../src/hostcluster/plan.ts';
import {TriremeError} from '../../src/kernel/errors.ts';
import {problemOf} from '../../src/kernel/problem.ts';
import {renderPlan} from '../../src/output/plan-text.ts';
import {plainStyle} from '../../src/output/style.ts';
import type {DesiredCluster} from '../../src/spec/desired.ts';
import {readCluster} from '../../src/spec/read.ts';
import {desiredCluster, digest, freshFacts, memberFacts, settledFacts, threeAndOne, type FixtureCluster} from '../unit/hostcluster/fixtures.ts';
import {projectFolder} from './sources.ts';

const goldens = join(projectFolder, 'test/contract/golden');
const isWriting = process.env['TRIREME_WRITE_GOLDENS'] === '1';

const cluster = desiredCluster();
const settled = settledFacts(cluster);
const written = await readCluster({files: [join(projectFolder, 'test/fixtures/spec/valid/trireme.yaml')]});
const withWorker = (over: object): FixtureCluster => ({hosts: [...threeAndOne.slice(0, 3), {...threeAndOne[3], ...over}]});
const withFifth = desiredCluster({hosts: [...threeAndOne, {name: 'h5', address: '10.77.0.15', role: 'worker'}]});
const edited = desiredCluster({
  ...withWorker({
    labels: {zone: 'a'},
    taints: [{key: 'gpu', effect: 'NoSchedule'}],
    configuration: {sysctls: {'net.core.somaxconn': 4096}, kubelet: {maxPods: 60}},
  }),
});

function unreachable(facts: HostClusterFacts, host: string): HostClusterFacts {
  const problem = problemOf(new TriremeError('host.port-closed', `Can't reach ${host} over SSH: connection refused on port 22.`, {host}));
  return {...facts, hosts: facts.hosts.map((one) => (one.host === host ? {host, problem} : one))};
}

function unfinished(facts: HostClusterFacts, host: string): HostClusterFacts {
  const reconcilers = [{name: 'kubelet', status: 'failed' as const, message: 'no such file', since: '', attempts: 2}];
  return {
    ...facts,
    hosts: facts.hosts.map((one) =>
      one.host === host && isReached(one) && one.seen !== undefined ? {...one, seen: {...one.seen, converged: false, reconcilers}} : one,
    ),
  };
}

/** Name of the golden to what is wanted and what was seen. */
const fixtures: Readonly<Record<string, readonly [DesiredCluster, HostClusterFacts]>> = {
  'untouched-hosts': [cluster, freshFacts(cluster)],
  'written-file-untouched-hosts': [written, freshFacts(written)],
  'written-file-settled': [written, settledFacts(written)],
  unchanged: [cluster, settled],
  'added-worker': [withFifth, {...settled, hosts: [...settled.hosts, memberFacts('h5')]}],
  'label-taint-sysctl-kubelet': [edited, settled],
  'unreachable-worker': [cluster, unreachable(settled, 'h4')],
  'older-agent': [cluster, settledFacts(cluster, (host) => (host === 'h3' ? {programDigest: digest('8')} : {}))],
  'agent-not-running-content-gone': [
    cluster,
    settledFacts(cluster, (host) => (host === 'h4' ? {agentActive: false, content: [digest('1'), digest('4')]} : {})),
  ],
  'unfinished-agent': [cluster, unfinished(settled, 'h2')],
};

/** The plan as `plan -o wide` shows it, then its warnings and the steps in order, so that a change of what is done shows as well. */
function planText([desired, facts]: readonly [DesiredCluster, HostClusterFacts]): string {
  const plan = planConverge(desired, facts, {mode: 'agent'});
  const steps = plan.phases.flatMap(({title, concurrency, maxFailures, steps: list}) => [
    `${title}${concurrency === undefined ? '' : `, ${concurrency} at once`}${maxFailures === undefined ? '' : `, at most ${maxFailures} failures`}:`,
    ...list.map(({id, title: name, host, effect}) => `  ${id}: ${host === undefined ? '' : `${host}: `}${name} [${effect}]`),
  ]);
  const warnings = plan.warnings.map(({code, host, message}) => `warning ${code}: ${host === undefined ? '' : `${host}: `}${message}`);
  return `${[renderPlan(plan, {style: plainStyle, wide: true}), ...warnings, '', 'Steps:', ...steps].join('\n')}\n`;
}

describe('the plan as text; run with TRIREME_WRITE_GOLDENS=1 to change it on purpose', () => {
  it.each(Object.entries(fixtures))('%s', (name, fixture) => {
    const path = join(goldens, `${name}.txt`);
    const text = planText(fixture);
    if (isWriting) {
      mkdirSync(goldens, {recursive: true});
      writeFileSync(path, text);
    }
    expect(existsSync(path), `${path} is there`).toBe(true);
    expect(text).toBe(readFileSync(path, 'utf8'));
  });

  it('has no golden that nothing is held against', () => {
    expect(readdirSync(goldens).toSorted()).toEqual(
      Object.keys(fixtures)
        .map((name) => `${name}.txt`)
        .toSorted(),
    );
  });
});
