// A bootstrap that is stopped after every step, and killed in every phase: it goes on to the same end, and never do both sides work on the cluster.
// The clusters are SIMULATED: no infrastructure provider of the test bed makes a cluster that controllers could run in.
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {valueAt} from '../../src/kube/object.ts';
import {runPivot} from '../support/pivot-run.ts';
import {fileText, objectsOf, startPivotSandbox, type PivotSandbox} from '../support/pivot-sandbox.ts';
import {startManagementCluster, type ManagementCluster} from '../support/management-cluster.ts';
import {missingRepository, startRepository, type Repository} from '../support/repository.ts';
import {resultOf, startTrireme, trireme} from '../support/trireme.ts';

const missing = await missingRepository();
if (missing !== undefined) console.warn(`bootstrap: the real API server is skipped, ${missing}`);

/** Machines and what is named after them have names of chance. */
const shapeOf = async (sandbox: PivotSandbox) => ({
  inside: objectsOf(sandbox.inside)
    .map((name) => name.replaceAll(/-[a-z0-9]{5}(?=-|$)/g, '-*'))
    .toSorted(),
  bootstrap: objectsOf(sandbox.bootstrap),
  file: await readFile(sandbox.file, 'utf8'),
});

/** Times at which the cluster was there and not paused on both sides; looked at with every change of an object, on either. */
function watchBoth(sandbox: PivotSandbox): {readonly both: string[]; looks: number} {
  const seen = {both: [] as string[], looks: 0};
  const works = (side: PivotSandbox['inside']) => {
    const kind = side.kinds.find('cluster.x-k8s.io', 'Cluster');
    const cluster = kind === undefined ? undefined : side.store.get(kind, 'harbour', 'default');
    return cluster !== undefined && valueAt(cluster, 'spec', 'paused') !== true;
  };
  for (const side of [sandbox.bootstrap, sandbox.inside])
    side.store.onChange(() => {
      seen.looks += 1;
      if (works(sandbox.bootstrap) && works(sandbox.inside)) seen.both.push(new Date().toISOString());
    });
  return seen;
}

describe('a bootstrap', {timeout: 600_000}, () => {
  let whole: PivotSandbox;
  let end: Awaited<ReturnType<typeof shapeOf>>;
  let steps = 0;
  const sandboxes: PivotSandbox[] = [];
  const start = async () => {
    const sandbox = await startPivotSandbox();
    sandboxes.push(sandbox);
    return sandbox;
  };

  beforeAll(async () => {
    whole = await start();
    const ran = await runPivot(whole);
    if (ran.outcome !== 'succeeded') throw new Error(ran.problem?.message ?? ran.outcome);
    steps = ran.events.filter((event) => event.type === 'step.finished').length;
    end = await shapeOf(whole);
  }, 120_000);
  afterAll(async () => {
    for (const sandbox of sandboxes) await sandbox.stop();
  });

  it('that is stopped after each step goes on with the next, and comes to the same end', async () => {
    const sandbox = await start();
    const watched = watchBoth(sandbox);
    const stops: string[] = [];
    for (;;) {
      let at: string | undefined;
      const ran = await runPivot(sandbox, (event) => {
        if (event.type !== 'step.finished' || event.outcome !== 'done' || at !== undefined || stops.includes(event.step)) return false;
        at = event.step;
        return true;
      });
      expect(['interrupted', 'succeeded', 'unchanged'], ran.problem?.message).toContain(ran.outcome);
      if (at !== undefined) stops.push(at);
      if (at === undefined) break;
    }
    console.log(`bootstrap: stopped after ${stops.length} of ${steps} steps, ${watched.looks} looks at both sides`);
    // waits end by themselves in between
    for (const step of [
      'make/cluster:apply',
      'pivot/keep',
      'pivot/pause-the-source',
      'pivot/copy',
      'pivot/verify',
      'pivot/remove-from-the-source',
      'pivot/unpause-at-the-target',
      'pivot/file',
    ])
      expect(stops).toContain(step);
    expect(watched.both).toEqual([]);
    expect(watched.looks).toBeGreaterThan(100);
    expect(await shapeOf(sandbox)).toEqual(end);
  });

  it('that is killed in every phase goes on, from a computer that has nothing but the file, and comes to the same end', async () => {
    const sandbox = await start();
    const watched = watchBoth(sandbox);
    const args = ['cluster', 'bootstrap', '--bootstrap-context', 'bootstrap', '--infrastructure', 'docker', '--repository', sandbox.repository, '--yes'];
    const places = [
      /"step.finished","step":"bootstrap\/cluster-api@v1.14.2\/definitions"/,
      /"step.finished","step":"make\/cluster:apply"/,
      /"step.finished","step":"harbour\/cluster-api@v1.14.2\/inventory"/,
      /"step.started","step":"pivot\/copy"/,
      /"step.started","step":"pivot\/remove-from-the-source"/,
      /"step.finished","step":"pivot\/unpause-at-the-target"/,
    ];
    let kills = 0;
    for (const [index, place] of places.entries()) {
      const env = {...sandbox.env, XDG_STATE_HOME: join(sandbox.folder, `state-${index}`)};
      const running = startTrireme([...args, '--into', `computer-${index}`, '-o', 'ndjson'], {cwd: sandbox.folder, env});
      const isThere = running.saw(place).then(
        () => true,
        () => false,
      );
      if (await isThere) running.kill('SIGKILL');
      if ((await running.ended).signal === 'SIGKILL') kills += 1;
    }
    expect(kills).toBe(places.length);
    const last = await trireme([...args, '-o', 'json'], {cwd: sandbox.folder, env: sandbox.env});
    expect(last.code, last.stderr).toBe(0);
    expect(resultOf<{run: {outcome: string; simulated: boolean}}>(last).run).toMatchObject({outcome: 'succeeded', simulated: true});
    expect(watched.both).toEqual([]);
    expect(await shapeOf(sandbox)).toEqual(end);
    const planned = await trireme(['plan', '--exit-code'], {cwd: sandbox.folder, env: sandbox.env});
    expect(planned.code, planned.stderr).toBe(0);
    const known = JSON.parse(await readFile(join(sandbox.folder, 'state/trireme/clusters.json'), 'utf8')) as {clusters: unknown[]};
    expect(known.clusters).toMatchObject([{name: 'harbour', context: 'harbour', kubeconfig: join(sandbox.folder, 'harbour.kubeconfig')}]);
    expect((await trireme([...args, '-o', 'json'], {cwd: sandbox.folder, env: sandbox.env})).stdout).toContain('"outcome": "unchanged"');
  });
});

describe.skipIf(missing !== undefined)(
  `a bootstrap from a real API server without nodes${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  {timeout: 600_000},
  () => {
    let sandbox: PivotSandbox;
    let repository: Repository;
    let real: ManagementCluster;
    const run = (...more: readonly string[]) => {
      const where = ['--bootstrap-kubeconfig', real.kubeconfig, '--bootstrap-context', context, '--infrastructure', 'docker', '--config', repository.config];
      return trireme(['cluster', 'bootstrap', ...where, '-o', 'json', '-f', 'real.yaml', ...more], {cwd: sandbox.folder, env: sandbox.env});
    };
    let context = '';
    interface Result {
      readonly plan: {readonly phases: readonly {readonly title: string; readonly steps: readonly {readonly id: string}[]}[]};
      readonly run: {readonly outcome: string; readonly hosts: readonly {readonly host: string; readonly outcome: string}[]};
    }

    beforeAll(async () => {
      sandbox = await startPivotSandbox();
      // the real class has other variables
      await writeFile(join(sandbox.folder, 'real.yaml'), fileText.replace(/ {4}variables:\n.*\n/, ''));
      [repository, real] = [await startRepository(), await startManagementCluster({apiOnly: true})];
      context = (await real.kubectl(['config', 'current-context'])).trim();
    }, 120_000);
    afterAll(async () => {
      await real?.stop();
      await repository?.stop();
      await sandbox?.stop();
    });

    it('is planned whole from the real components and the real ClusterClass, and writes nothing in a dry run', async () => {
      const ran = await run('--dry-run');
      expect(ran.code, ran.stderr).toBe(0);
      const ids = resultOf<Result>(ran).plan.phases.flatMap((phase) => phase.steps.map(({id}) => id));
      for (const id of ['make/class:in-memory', 'make/cluster:apply', 'harbour/control-plane-kubeadm@v1.14.2/webhooks', 'pivot/verify'])
        expect(ids).toContain(id);
      expect((await real.kubectl(['get', 'crds,namespaces', '-o', 'name'])).split('\n').filter((name) => /cluster|cap[id]/.test(name))).toEqual([]);
    });

    it('ends with 7 where no controller can run, names the Deployment, makes no cluster, and says the same again', async () => {
      for (let time = 1; time <= 2; time += 1) {
        const ran = await run('--yes', '--timeout', '3s');
        expect(ran.code, ran.stderr).toBe(7);
        expect(`${ran.stdout}${ran.stderr}`).toContain('Deployment cert-manager/cert-manager');
        const {hosts} = resultOf<Result>(ran).run;
        expect(hosts.filter(({host}) => host.startsWith('harbour/') || host === 'cluster').map(({outcome}) => outcome)).not.toContain('changed');
        expect(await readFile(join(sandbox.folder, 'real.yaml'), 'utf8')).not.toContain('kubeconfig:');
      }
    });
  },
);
