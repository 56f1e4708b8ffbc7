// From an empty cluster to a management cluster that manages itself; all of it SIMULATED. What stops and kills do to it: test/long/bootstrap.test.ts.
import {readFile, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import ClusterBootstrap from '../../../src/commands/cluster/bootstrap.ts';
import {preparePivot, runPivot} from '../../support/pivot-run.ts';
import {fileText, objectsOf, startPivotSandbox, type PivotSandbox} from '../../support/pivot-sandbox.ts';
import {resultOf, trireme} from '../../support/trireme.ts';

describe('cluster bootstrap', {timeout: 60_000}, () => {
  let sandbox: PivotSandbox;
  const run = (args: readonly string[]) => trireme(args, {cwd: sandbox.folder, env: sandbox.env});
  const refusal = async (file: string, save?: string) => {
    await writeFile(sandbox.file, file);
    try {
      await (await preparePivot(sandbox, save)).scope.close();
      return undefined;
    } catch (error) {
      return error as {code: string; message: string; hints: readonly string[]};
    } finally {
      await writeFile(sandbox.file, fileText);
    }
  };
  const objects = () => [objectsOf(sandbox.bootstrap), objectsOf(sandbox.inside)];

  beforeAll(async () => {
    sandbox = await startPivotSandbox();
  }, 60_000);
  afterAll(() => sandbox?.stop());

  it('is refused before any write when something speaks against it', async () => {
    const before = objects();
    const variable = await refusal(fileText.replace('medium', 'huge'));
    expect(variable).toMatchObject({code: 'plan.refused'});
    expect(variable?.message).toMatch(/trireme\.yaml:12:/);
    const unknown = await refusal(fileText.replace('class: in-memory', 'class: nobodys'));
    expect(unknown).toMatchObject({code: 'plan.refused'});
    expect(unknown?.hints.join(' ')).toContain('--class-file');
    const other = join(sandbox.folder, 'other');
    await writeFile(other, sandbox.bootstrap.kubeconfig.text.replaceAll('name: bootstrap', 'name: harbour'));
    expect(await refusal(fileText, other)).toMatchObject({code: 'kubeconfig.conflict'});
    expect(objects()).toEqual(before);
  });

  it('shows one plan with all its phases, and changes nothing in a dry run', async () => {
    const before = objects();
    const where = ['--bootstrap-context', 'bootstrap', '--infrastructure', 'docker', '--repository', sandbox.repository];
    const ran = await run(['cluster', 'bootstrap', ...where, '--dry-run', '-o', 'json']);
    expect(ran.code, ran.stderr).toBe(0);
    const {plan} = ClusterBootstrap.resultSchema().parse(resultOf(ran)) as {plan: {phases: {title: string; steps: {id: string}[]}[]}};
    const parts = plan.phases.map(({title}) => title.split(': ').slice(0, 2).join(': '));
    expect([...new Set(parts)]).toEqual([
      'Bootstrap: install providers',
      'Bootstrap: make the cluster',
      'Pivot: install providers',
      'Pivot: move',
      'Pivot: finish',
    ]);
    const ids = plan.phases.flatMap(({steps}) => steps.map(({id}) => id));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain('make/layer:network');
    expect(ids).toContain('harbour/infrastructure-docker@v1.14.2/inventory');
    expect(ran.stderr).toContain('planned for an empty cluster');
    expect(objects()).toEqual(before);
    expect(await readFile(sandbox.file, 'utf8')).toBe(fileText);
  });

  it('makes a cluster that manages itself, which the file names from then on, with its comments', async () => {
    const ran = await runPivot(sandbox);
    expect(ran.outcome, ran.problem?.message).toBe('succeeded');
    const after = await readFile(sandbox.file, 'utf8');
    for (const line of ['    kubeconfig: harbour.kubeconfig', '    context: harbour', ...fileText.split('\n')]) expect(after.split('\n')).toContain(line);
    expect((await stat(join(sandbox.folder, 'harbour.kubeconfig'))).mode & 0o777).toBe(0o600);
    const planned = await run(['plan', '--exit-code', '-o', 'json']);
    expect(planned.code, planned.stderr).toBe(0);
    // nothing works on it in the bootstrap cluster any more, and no credentials are left there
    expect(objectsOf(sandbox.inside)).toContain('Cluster default/harbour');
    expect(objectsOf(sandbox.bootstrap).filter((name) => /^(Cluster|Machine) /.test(name))).toEqual([]);
    const secrets = sandbox.bootstrap.store.list(sandbox.bootstrap.kinds.need('', 'Secret'));
    expect(secrets.map((one) => [one.metadata.name, one['data']])).toEqual([['harbour-pivot', {kubeconfig: ''}]]);
  });

  it('is unchanged when it runs again, and makes no second cluster for a file that has forgotten the first', async () => {
    expect((await runPivot(sandbox)).outcome).toBe('unchanged');
    const forgotten = await refusal(fileText);
    expect(forgotten).toMatchObject({code: 'plan.refused'});
    expect(forgotten?.message).toContain(`manages itself at ${sandbox.inside.server}`);
  });
});
