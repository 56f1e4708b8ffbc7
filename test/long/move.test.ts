// Clusters move between two real management clusters while the program is killed again and again: nothing is lost, and never do both sides work.
import {execFile} from 'node:child_process';
import {mkdtemp, readdir, readFile, rm, stat} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {Redactor} from '../../src/kernel/redact.ts';
import {waitFor} from '../../src/kernel/retry.ts';
import type {KubeApi, Resource} from '../../src/kube/api.ts';
import {connect} from '../../src/kube/client.ts';
import {valueAt} from '../../src/kube/object.ts';
import {moduleFolder} from '../testbed/parts.mjs';
import {type ManagementCluster, missingManagementCluster, startManagementCluster} from '../support/management-cluster.ts';
import {hasFinishedSteps, resultOf, startTrireme, trireme} from '../support/trireme.ts';

const missing = await missingManagementCluster();
if (missing !== undefined) console.warn(`move: skipped, ${missing}`);

const count = 20;
/** After so many finished steps of a run it's killed; chosen once by dice, kept so that a failure can be seen again. */
const kills = [3, 22, 31, 38, 30];
const clusters: Resource = {group: 'cluster.x-k8s.io', version: 'v1beta2', plural: 'clusters', kind: 'Cluster', namespaced: true};
const checker = fileURLToPath(new URL('../testbed/check-move.mjs', import.meta.url));
const run = promisify(execFile);

function clusterManifest(name: string): string {
  return `---
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: ${name}, namespace: fleet}
spec:
  clusterNetwork: {services: {cidrBlocks: [10.128.0.0/12]}, pods: {cidrBlocks: [192.168.0.0/16]}}
  topology:
    classRef: {name: in-memory}
    version: v1.36.3
    controlPlane: {replicas: 1}
    workers: {machineDeployments: [{class: default-worker, name: md-0, replicas: 1}]}
`;
}

describe.skipIf(missing !== undefined)('moving clusters between real management clusters', () => {
  let folder: string;
  let source: ManagementCluster;
  let target: ManagementCluster;
  const stop = new AbortController();
  const env = () => ({HOME: folder, KUBECONFIG: source.kubeconfig, NO_COLOR: '1'});
  const move = ['cluster', 'move', '-n', 'fleet', '--yes'];
  const open = (cluster: ManagementCluster): Promise<KubeApi> =>
    connect({kubeconfig: cluster.kubeconfig, signal: stop.signal, redactor: new Redactor(), warn: () => {}});
  const settled = async (api: KubeApi) =>
    (await api.list(clusters, {namespace: 'fleet'})).items.filter((one) =>
      (valueAt(one, 'status', 'conditions') as readonly {type: string; status: string}[] | undefined)?.some(
        ({type, status}) => type === 'Available' && status === 'True',
      ),
    );

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trireme-move-'));
    [source, target] = [await startManagementCluster(), await startManagementCluster()];
    const templates = join(moduleFolder('cluster-api', 'sigs.k8s.io/cluster-api/test'), 'infrastructure/docker/templates');
    const used = (await readFile(join(templates, 'clusterclass-in-memory.yaml'), 'utf8')).replaceAll(/startupDuration: "\d+s"/g, 'startupDuration: "1s"');
    await source.kubectl(['create', 'namespace', 'fleet']);
    await source.kubectl(['apply', '-n', 'fleet', '-f', '-'], {input: used});
    await source.kubectl(['apply', '-f', '-'], {input: Array.from({length: count}, (_, index) => clusterManifest(`c${index + 1}`)).join('')});
    const api = await open(source);
    const ready = await waitFor(async () => ((await settled(api)).length === count ? true : undefined), {timeout: 800_000, interval: 2000});
    if (ready === undefined) throw new Error(`not all of ${count} clusters became Available`);
    api.close();
  });
  afterAll(async () => {
    stop.abort();
    await source?.stop();
    await target?.stop();
    await rm(folder, {recursive: true, force: true});
  });

  it('shows what would be moved, and changes nothing', async () => {
    const ran = await trireme([...move.slice(0, -1), '--dry-run', '--to-kubeconfig', target.kubeconfig, '-o', 'json'], {env: env()});
    expect(ran.code, ran.stderr).toBe(0);
    const {plan} = resultOf<{plan: {hosts: {host: string; changes: {path: string; to: number}[]}[]}}>(ran);
    expect(plan.hosts).toHaveLength(count);
    expect(plan.hosts[0]?.changes.map((change) => change.path)).toContain('DevMachine');
    const api = await open(source);
    expect((await api.list(clusters, {namespace: 'fleet'})).items.filter((one) => valueAt(one, 'spec', 'paused') === true)).toEqual([]);
    api.close();
  });

  it('saves them to a folder that only its owner can read, while they go on working', async () => {
    const saved = join(folder, 'saved');
    const ran = await trireme([...move, '--to-directory', saved], {env: env()});
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stderr).toContain('secrets in clear');
    const names = await readdir(saved);
    expect(names.filter((name) => name.startsWith('Cluster_'))).toHaveLength(count);
    for (const name of names) expect((await stat(join(saved, name))).mode & 0o777).toBe(0o600);
    const api = await open(source);
    expect((await api.list(clusters, {namespace: 'fleet'})).items.filter((one) => valueAt(one, 'spec', 'paused') === true)).toEqual([]);
    api.close();
  });

  it(`is killed ${kills.length} times, goes on each time, and in the end each cluster is whole on exactly one side, never at work on both`, async () => {
    const [here, there] = [await open(source), await open(target)];
    const both: string[] = [];
    let looks = 0;
    const watching = new AbortController();
    const watcher = (async () => {
      while (!watching.signal.aborted) {
        const working = async (api: KubeApi) => {
          const {items} = await api.list(clusters, {namespace: 'fleet'});
          return new Set(items.filter((one) => valueAt(one, 'spec', 'paused') !== true).map((one) => one.metadata.name));
        };
        // the target first: what was unpaused there before this look is gone or paused at the source by the time of the next
        const new_ = await working(there);
        const old = await working(here);
        both.push(...[...new_].filter((name) => old.has(name)));
        looks += 1;
      }
    })();
    try {
      for (const steps of kills) {
        const running = startTrireme([...move, '--to-kubeconfig', target.kubeconfig, '-o', 'ndjson'], {env: env()});
        await running.saw(hasFinishedSteps(steps));
        running.kill('SIGKILL');
        expect((await running.ended).signal).toBe('SIGKILL');
      }
      const last = await trireme([...move, '--to-kubeconfig', target.kubeconfig], {env: env()});
      expect(last.code, last.stderr).toBe(0);
    } finally {
      watching.abort();
      await watcher;
    }
    console.log(`move: ${looks} looks at both sides`);
    expect(looks).toBeGreaterThan(10);
    expect(both).toEqual([]);
    const {stdout} = await run(process.execPath, [checker, source.kubeconfig, target.kubeconfig, '--namespace', 'fleet', '--count', String(count)], {
      maxBuffer: 1 << 26,
    });
    console.log(stdout.trim());
    expect((await here.list(clusters, {namespace: 'fleet'})).items).toEqual([]);
    const moved = (await there.list(clusters, {namespace: 'fleet'})).items;
    expect(moved).toHaveLength(count);
    for (const one of moved) expect(Object.keys(one.metadata.annotations ?? {}).filter((name) => name.startsWith('trireme.dev/'))).toEqual([]);
    here.close();
    there.close();
  });

  it('refuses to move what is there already', async () => {
    const ran = await trireme([...move, '--to-kubeconfig', source.kubeconfig], {env: {...env(), KUBECONFIG: source.kubeconfig}});
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('the same management cluster');
  });
});
