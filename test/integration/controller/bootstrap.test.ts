// From an empty cluster to a management cluster that manages itself, by the program itself; all of it SIMULATED.
import {mkdir, readFile, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import ClusterBootstrap from '../../../src/commands/cluster/bootstrap.ts';
import {fileText, startPivotSandbox, type PivotSandbox} from '../../support/pivot-sandbox.ts';
import {resultOf, trireme} from '../../support/trireme.ts';

interface Result {
  readonly plan: {readonly changes: boolean; readonly phases: readonly {readonly title: string; readonly steps: readonly {readonly id: string}[]}[]};
  readonly run: {readonly outcome: string; readonly simulated: boolean} | null;
}

describe('cluster bootstrap', {timeout: 120_000}, () => {
  let sandbox: PivotSandbox;
  const run = (args: readonly string[]) => trireme(args, {cwd: sandbox.folder, env: sandbox.env});
  const bootstrap = (...more: readonly string[]) =>
    run(['cluster', 'bootstrap', '--bootstrap-context', 'bootstrap', '--infrastructure', 'docker', '--repository', sandbox.repository, ...more]);
  const count = (side: 'bootstrap' | 'inside') => sandbox[side].store.size;

  beforeAll(async () => {
    sandbox = await startPivotSandbox();
  }, 60_000);
  afterAll(() => sandbox?.stop());

  it('is refused before any write when something speaks against it', async () => {
    const before = [count('bootstrap'), count('inside')];
    await writeFile(sandbox.file, fileText.replace('medium', 'huge'));
    const wrong = await bootstrap('--yes');
    expect(wrong.code).toBe(3);
    expect(wrong.stderr).toContain('machineSize');
    expect(wrong.stderr).toMatch(/trireme\.yaml:12:/);
    await writeFile(sandbox.file, fileText.replace('class: in-memory', 'class: nobodys'));
    const unknown = await bootstrap('--yes');
    expect(unknown.code).toBe(3);
    expect(unknown.stderr).toContain('--class-file');
    await writeFile(sandbox.file, fileText);
    await writeFile(join(sandbox.folder, 'other'), sandbox.bootstrap.kubeconfig.text.replaceAll('name: bootstrap', 'name: harbour'));
    const taken = await bootstrap('--yes', '--into', 'other');
    expect(taken.code).toBe(8);
    expect(taken.stderr).toContain('has a context harbour already');
    expect([count('bootstrap'), count('inside')]).toEqual(before);
  });

  it('shows one plan with all its phases, and changes nothing in a dry run', async () => {
    const before = [count('bootstrap'), count('inside')];
    const ran = await bootstrap('--dry-run', '-o', 'json');
    expect(ran.code, ran.stderr).toBe(0);
    const {plan, run: none} = resultOf<Result>(ran);
    expect(none).toBeNull();
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
    expect([count('bootstrap'), count('inside')]).toEqual(before);
    expect(await readFile(sandbox.file, 'utf8')).toBe(fileText);
  });

  it('makes a cluster that manages itself, which the file names from then on, with its comments', async () => {
    const ran = await bootstrap('--yes', '-o', 'json');
    expect(ran.code, ran.stderr).toBe(0);
    expect(ClusterBootstrap.resultSchema().parse(resultOf(ran))).toMatchObject({run: {outcome: 'succeeded', simulated: true}});
    const after = await readFile(sandbox.file, 'utf8');
    expect(after).toContain('kubeconfig: harbour.kubeconfig\n');
    expect(after).toContain('context: harbour\n');
    for (const line of fileText.split('\n')) expect(after).toContain(line);
    expect((await stat(join(sandbox.folder, 'harbour.kubeconfig'))).mode & 0o777).toBe(0o600);
    const planned = await run(['plan', '--exit-code']);
    expect(planned.code, planned.stderr).toBe(0);
    const listed = await run(['cluster', 'list', '--kubeconfig', 'harbour.kubeconfig', '-o', 'name']);
    expect(listed.stdout).toContain('harbour');
    const known = JSON.parse(await readFile(join(sandbox.folder, 'state/trireme/clusters.json'), 'utf8')) as {clusters: unknown[]};
    expect(known.clusters).toMatchObject([{name: 'harbour', context: 'harbour', kubeconfig: join(sandbox.folder, 'harbour.kubeconfig')}]);
    // nothing works on it in the bootstrap cluster any more, and no credentials are left there
    expect((await run(['cluster', 'list', '-o', 'name'])).stdout).not.toContain('harbour');
    const secrets = sandbox.bootstrap.store.list(sandbox.bootstrap.kinds.need('', 'Secret'));
    expect(secrets.map((one) => [one.metadata.name, one['data']])).toEqual([['harbour-pivot', {kubeconfig: ''}]]);
  });

  it('is unchanged when it runs again, and makes no second cluster for a file that has forgotten', async () => {
    const again = await bootstrap('--yes', '-o', 'json');
    expect(again.code, again.stderr).toBe(0);
    expect(resultOf<Result>(again).run?.outcome).toBe('unchanged');
    await mkdir(join(sandbox.folder, 'copy'));
    await writeFile(join(sandbox.folder, 'copy/trireme.yaml'), fileText.replace(/ {2}profile:.*\n/, ''));
    const forgetful = await bootstrap('--yes', '-f', 'copy/trireme.yaml');
    expect(forgetful.code).toBe(3);
    expect(forgetful.stderr).toContain('manages itself at');
  });
});
