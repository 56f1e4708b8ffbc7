import {describe, expect, it} from 'vitest';
import type {HostFacts} from '../../../src/hosts/facts.ts';
import {reportJUnit, reportProblem, reportRows, reportSummary} from '../../../src/hosts/preflight/report.ts';
import {checks} from '../../../src/hosts/preflight/registry.ts';
import {runPreflight, type PreflightOptions} from '../../../src/hosts/preflight/run-preflight.ts';
import {TriremeError} from '../../../src/kernel/errors.ts';
import {problemOf} from '../../../src/kernel/problem.ts';
import {contextOf, healthyScene, type Loose, type Scene} from './scene.ts';

function oldCgroups(): Scene {
  const scene = healthyScene();
  for (const facts of Object.values(scene.facts)) facts.cgroup.version = 1;
  return scene;
}

const run = (scene: Scene, options: PreflightOptions = {}) => ({context: contextOf(scene), report: runPreflight(contextOf(scene), options)});

describe('ignoring', () => {
  it('turns an error into a warning that still shows', () => {
    const {report, context} = run(oldCgroups(), {ignore: ['cgroup-v2']});
    expect(report).toMatchObject({errors: 0, warnings: 4, ignored: 4});
    expect(reportRows(report).map(({host, id, status}) => [host, id, status])).toEqual(['h1', 'h2', 'h3', 'h4'].map((host) => [host, 'cgroup-v2', 'ignored']));
    expect(reportProblem(report, context)).toBeUndefined();
    expect(reportSummary(report, 4)).toBe(`${checks.length} checks on 4 hosts: 0 errors, 0 warnings, 4 errors ignored`);
  });

  it('counts what the file ignores', () => {
    const scene = oldCgroups();
    if (scene.document.spec.agent !== undefined) scene.document.spec.agent.preflight = {ignore: ['cgroup-v2']};
    expect(run(scene).report).toMatchObject({errors: 0, ignored: 4});
  });

  it('refuses an id that no check has, wherever it stands, and names the nearest', () => {
    expect(() => run(oldCgroups(), {ignore: ['cgroup-2']})).toThrow(
      expect.objectContaining({code: 'usage.invalid', hints: expect.arrayContaining(['Did you mean cgroup-v2?'])}),
    );
    expect(() => run(oldCgroups(), {only: ['nonsense']})).toThrow(/--only names nonsense/);
  });
});

it('runs only the named checks', () => {
  const {report} = run(oldCgroups(), {only: ['swap', 'quorum']});
  expect(report.checks).toBe(2);
  expect(new Set(report.results.map(({id}) => id))).toEqual(new Set(['swap', 'quorum']));
});

describe('the problem that decides the exit code', () => {
  it('is preflight.failed with exit 10 and the ids', () => {
    const {report, context} = run(oldCgroups());
    expect(reportProblem(report, context)).toMatchObject({code: 'preflight.failed', exit: 10, message: 'Preflight of berth found 4 errors: cgroup-v2.'});
  });

  it("is a host's own when it doesn't answer", () => {
    const scene = oldCgroups();
    scene.problems['h4'] = problemOf(new TriremeError('host.sudo-password-wrong', 'sudo refused the password.', {host: 'h4'}));
    scene.problems['h3'] = problemOf(new TriremeError('host.unreachable', 'No answer.', {host: 'h3'}));
    const {report, context} = run(scene);
    expect(reportProblem(report, context)).toMatchObject({
      code: 'host.sudo-password-wrong',
      exit: 5,
      message: "sudo refused the password. 1 more host doesn't answer either.",
    });
    expect(report.unreachable).toEqual(['h3', 'h4']);
    expect(report.results.some(({host, id}) => host === 'h2' && id === 'cgroup-v2')).toBe(true);
  });

  it('is none when nothing is wrong', () => {
    const {report, context} = run(healthyScene());
    expect(reportProblem(report, context)).toBeUndefined();
  });
});

it("shows a host that doesn't answer, whichever checks were asked for", () => {
  const scene = healthyScene();
  scene.problems['h4'] = problemOf(new TriremeError('host.unreachable', 'No answer.', {host: 'h4'}));
  const {report, context} = run(scene, {only: ['swap']});
  expect(reportRows(report)).toMatchObject([{host: 'h4', id: 'ssh', status: 'error'}]);
  expect(reportProblem(report, context)).toMatchObject({exit: 4});
  expect(reportProblem(run(scene, {ignore: ['ssh']}).report, context)).toBeUndefined();
});

it('lists errors before warnings, by host, and the cluster last', () => {
  const scene = healthyScene();
  const h1 = scene.facts['h1'] as Loose<HostFacts>;
  h1.clockSynchronized = false;
  h1.cpus = 1;
  (scene.document.spec.agent?.hosts[2] ?? {role: ''}).role = 'worker';
  const {report} = run(scene);
  expect(reportRows(report).map(({host, id, status}) => `${host} ${status} ${id}`)).toEqual([
    'h1 error cpus',
    'h1 warning time-service',
    '(cluster) warning quorum',
  ]);
  expect(reportRows(report, {all: true}).length).toBe(report.results.length);
});

describe('JUnit', () => {
  it('has a suite for each host, failures for errors, and nothing that breaks XML', () => {
    const scene = healthyScene();
    (scene.facts['h1'] as Loose<HostFacts>).swapOn = true;
    (scene.facts['h1'] as Loose<HostFacts>).swaps = ['/swap"<&\u0007>\''];
    const {report} = run(scene);
    const xml = reportJUnit(report);
    expect(xml).toContain(`<testsuites name="trireme preflight berth" tests="${report.results.length}" failures="1" errors="0">`);
    expect(xml).toContain('<failure type="swap" message="on: /swap&quot;&lt;&amp;\uFFFD&gt;&apos;">');
    expect(xml.match(/<testsuite /g)).toHaveLength(5);
    expect(xml.match(/<testcase /g)).toHaveLength(report.results.length);
    expect(isBalanced(xml)).toBe(true);
  });

  it('fails nothing for warnings and ignored errors', () => {
    const xml = reportJUnit(run(oldCgroups(), {ignore: ['cgroup-v2']}).report);
    expect(xml).not.toContain('<failure');
    expect(xml.match(/<system-out>ignored error/g)).toHaveLength(4);
  });
});

/** Every element that opens closes, in order; text and attributes hold no bare signs. */
function isBalanced(xml: string): boolean {
  const open: string[] = [];
  const rest = xml
    .replace(/^<\?xml[^?]*\?>/, '')
    .replaceAll(
      /<(\/?)([a-z-]+)((?: [a-z]+="[^"<&]*(?:&[a-z]+;[^"<&]*)*")*)(\/?)>/g,
      (_all, close: string, name: string, _attributes: string, empty: string) => {
        if (close !== '' && open.pop() !== name) open.push('wrong');
        if (close === '' && empty === '') open.push(name);
        return '';
      },
    );
  return open.length === 0 && !/[<>]|&(?![a-z]+;)/.test(rest);
}
