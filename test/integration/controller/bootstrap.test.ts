// From an empty cluster to a management cluster that manages itself; all of it SIMULATED. What stops and kills do to it: test/long/bootstrap.test.ts.
import {readFile, rm, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import ClusterBootstrap from '../../../src/commands/cluster/bootstrap.ts';
import {Redactor} from '../../../src/kernel/redact.ts';
import {writeRecord} from '../../../src/modes/controller/pivot/record.ts';
import {ControllerScope} from '../../../src/modes/controller/scope.ts';
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
    for (const management of [sandbox.bootstrap, sandbox.inside]) expect(JSON.stringify(ran.events)).not.toContain(management.token);
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

  it('goes on by the note in the bootstrap cluster alone, and is refused when the cluster is on neither side', async () => {
    const {kubeconfig, kinds, server, store} = sandbox.inside;
    const scope = await ControllerScope.open(
      {kubeconfig: sandbox.bootstrap.kubeconfig.path, namespace: 'default'},
      {signal: new AbortController().signal, redactor: new Redactor(), concurrency: 1, warn: () => {}},
    );
    // as a kill behind the move leaves it, on a computer that has neither the kubeconfig nor the changed file
    await writeRecord(scope, 'harbour', {state: 'moving', server, kubeconfig: kubeconfig.text}, scope.options.signal);
    await scope.close();
    await writeFile(sandbox.file, fileText);
    await rm(join(sandbox.folder, 'harbour.kubeconfig'));
    const ran = await runPivot(sandbox);
    expect(ran.outcome, ran.problem?.message).toBe('succeeded');
    const done = ran.events.flatMap((event) => (event.type === 'step.finished' && event.outcome === 'done' ? [event.step] : []));
    expect(done).toEqual(['pivot/kubeconfig', 'pivot/file', 'pivot/close']);

    const again = await ControllerScope.open({kubeconfig: sandbox.bootstrap.kubeconfig.path, namespace: 'default'}, scope.options);
    await writeRecord(again, 'harbour', {state: 'moving', server, kubeconfig: kubeconfig.text}, scope.options.signal);
    await again.close();
    sandbox.inside.controllers?.stop();
    const kind = kinds.need('cluster.x-k8s.io', 'Cluster');
    const cluster = store.get(kind, 'harbour', 'default');
    if (cluster !== undefined) store.remove(kind, cluster);
    const lost = await refusal(fileText);
    expect(lost).toMatchObject({code: 'plan.refused'});
    expect(lost?.message).toContain('on neither side');
    expect(lost?.hints.join(' ')).toContain('delete secret harbour-pivot');
  });
});
