// Moves between two embedded management APIs, whose simulated controllers work on what isn't paused.
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {Redactor} from '../../../src/kernel/redact.ts';
import {waitFor} from '../../../src/kernel/retry.ts';
import {connect} from '../../../src/kube/client.ts';
import type {KubeApi, Resource} from '../../../src/kube/api.ts';
import {listAt, textAt, valueAt} from '../../../src/kube/object.ts';
import {buildGraph, flat} from '../../../src/modes/controller/move/graph.ts';
import {readSide} from '../../../src/modes/controller/move/read.ts';
import {startManagement, type ManagementApi} from '../../../src/sandbox/management/management.ts';
import {hasFinishedSteps, resultOf, startTrireme, trireme} from '../../support/trireme.ts';
import ClusterMove from '../../../src/commands/cluster/move.ts';

const clusters: Resource = {group: 'cluster.x-k8s.io', version: 'v1beta2', plural: 'clusters', kind: 'Cluster', namespaced: true};

const fileOf = (name: string) => `apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: ${name}}
spec:
  mode: controller
  kubernetes: {version: v1.36.3}
  controller:
    class: in-memory
    controlPlane: {replicas: 1}
    pools: [{name: md-0, class: default-worker, replicas: 2}]
`;

describe('cluster move', {timeout: 240_000}, () => {
  let source: ManagementApi;
  let target: ManagementApi;
  let root: string;
  const stop = new AbortController();
  const apis: KubeApi[] = [];

  const run = (args: readonly string[], kubeconfig = source.kubeconfig.path) =>
    trireme(args, {cwd: root, env: {HOME: root, XDG_STATE_HOME: join(root, 'state'), KUBECONFIG: kubeconfig, NO_COLOR: '1'}});
  const open = async (management: ManagementApi): Promise<KubeApi> => {
    const api = await connect({kubeconfig: management.kubeconfig.path, signal: stop.signal, redactor: new Redactor(), warn: () => {}});
    apis.push(api);
    return api;
  };
  const make = async (name: string) => {
    await writeFile(join(root, `${name}.yaml`), fileOf(name));
    const ran = await run(['apply', '--yes', '-f', `${name}.yaml`]);
    expect(ran.code, ran.stderr).toBe(0);
  };
  const names = async (api: KubeApi) => (await api.list(clusters)).items.map((one) => one.metadata.name).toSorted();
  /** Kinds and names of everything of a cluster, and owners that aren't there. */
  const shapeOf = async (api: KubeApi, name: string) => {
    const side = await readSide(api, 'default', stop.signal);
    const group = buildGraph(side.objects).clusters.find((one) => one.cluster.object.metadata.name === name);
    const uids = new Set(side.objects.map((one) => one.object.metadata.uid));
    const nodes = flat(group?.levels ?? []);
    return {
      keys: nodes.map((node) => node.key).toSorted(),
      dangling: nodes.flatMap((node) => (node.object.metadata.ownerReferences ?? []).filter((owner) => !uids.has(owner.uid))),
    };
  };
  const isAvailable = async (api: KubeApi, name: string) => {
    const cluster = await api.get(clusters, {name, namespace: 'default'});
    return listAt(cluster, 'status', 'conditions').some((one) => textAt(one, 'type') === 'Available' && textAt(one, 'status') === 'True');
  };

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'trireme-moves-'));
    [source, target] = [await startManagement({name: 'source'}), await startManagement({name: 'target'})];
  }, 60_000);
  afterAll(async () => {
    stop.abort();
    for (const api of apis) api.close();
    await source?.stop();
    await target?.stop();
    await rm(root, {recursive: true, force: true});
  });

  it('moves one cluster whole: the same objects, owners that are there, working at the target, nothing left at the source', async () => {
    await make('berth');
    const [here, there] = [await open(source), await open(target)];
    const before = await shapeOf(here, 'berth');
    const ran = await run(['cluster', 'move', 'berth', '--to-kubeconfig', target.kubeconfig.path, '--yes', '-o', 'json']);
    expect(ran.code, ran.stderr).toBe(0);
    const result = ClusterMove.resultSchema().parse(resultOf(ran)) as {run: {outcome: string; simulated: boolean}};
    expect(result.run).toMatchObject({outcome: 'succeeded', simulated: true});
    expect(await names(here)).toEqual([]);
    expect((await here.list({...clusters, plural: 'clusterclasses', kind: 'ClusterClass'})).items).toHaveLength(1);
    const after = await shapeOf(there, 'berth');
    expect(after.keys).toEqual(before.keys);
    expect(after.dangling).toEqual([]);
    expect(await waitFor(async () => ((await isAvailable(there, 'berth')) ? true : undefined), {timeout: 30_000, interval: 100})).toBe(true);
    // it's no snapshot: the target's controllers work on it
    await there.patch(
      clusters,
      {name: 'berth', namespace: 'default'},
      {type: 'json', body: [{op: 'replace', path: '/spec/topology/workers/machineDeployments/0/replicas', value: 3}]},
    );
    const grown = async () => ((await shapeOf(there, 'berth')).keys.filter((key) => key.includes('/Machine ')).length === 4 ? true : undefined);
    expect(await waitFor(grown, {timeout: 30_000, interval: 200})).toBe(true);
  });

  it('goes on after a kill at each step, and never works on a cluster on both sides', async () => {
    await make('harbour');
    const [here, there] = [await open(source), await open(target)];
    const both: string[] = [];
    const watching = new AbortController();
    const watcher = (async () => {
      while (!watching.signal.aborted) {
        const works = async (api: KubeApi) => valueAt(await api.get(clusters, {name: 'harbour', namespace: 'default'}), 'spec', 'paused') === undefined;
        const isThere = async (api: KubeApi) => (await api.get(clusters, {name: 'harbour', namespace: 'default'})) !== undefined;
        if ((await isThere(there)) && (await works(there)) && (await isThere(here)) && (await works(here))) both.push(new Date().toISOString());
      }
    })();
    // pause, namespaces, shared, copy, verify, remove; what is done already counts as finished when a run goes on
    let kills = 0;
    for (let steps = 1; steps <= 6; steps += 1) {
      const running = startTrireme(['cluster', 'move', 'harbour', '--to-kubeconfig', target.kubeconfig.path, '--yes', '-o', 'ndjson'], {
        cwd: root,
        env: {HOME: root, XDG_STATE_HOME: join(root, 'state'), KUBECONFIG: source.kubeconfig.path},
      });
      const isThere = running.saw(hasFinishedSteps(steps)).then(
        () => true,
        () => false,
      );
      if (await isThere) running.kill('SIGKILL');
      if ((await running.ended).signal === 'SIGKILL') kills += 1;
    }
    const last = await run(['cluster', 'move', 'harbour', '--to-kubeconfig', target.kubeconfig.path, '--yes']);
    watching.abort();
    await watcher;
    // either it went on to the end, or the kills had let it come to the end already
    expect([0, 2], last.stderr).toContain(last.code);
    expect(kills).toBeGreaterThanOrEqual(4);
    expect(both).toEqual([]);
    expect(await names(here)).not.toContain('harbour');
    expect((await shapeOf(there, 'harbour')).dangling).toEqual([]);
    const moved = await there.get(clusters, {name: 'harbour', namespace: 'default'});
    expect(valueAt(moved, 'spec', 'paused')).toBeUndefined();
    expect(Object.keys(moved?.metadata.annotations ?? {}).filter((name) => name.startsWith('trireme.dev/'))).toEqual([]);
  });

  it('saves to a folder while the source works on, and brings it back elsewhere', async () => {
    await make('wharf');
    const saved = join(root, 'saved');
    const save = await run(['cluster', 'move', 'wharf', '--to-directory', saved, '--yes']);
    expect(save.code, save.stderr).toBe(0);
    const here = await open(source);
    expect(valueAt(await here.get(clusters, {name: 'wharf', namespace: 'default'}), 'spec', 'paused')).toBeUndefined();
    const empty = await startManagement({name: 'empty'});
    try {
      const back = await run(['cluster', 'move', '--from-directory', saved, '--to-kubeconfig', empty.kubeconfig.path, '--yes']);
      expect(back.code, back.stderr).toBe(0);
      const there = await open(empty);
      expect((await shapeOf(there, 'wharf')).keys).toEqual((await shapeOf(here, 'wharf')).keys);
      expect(valueAt(await there.get(clusters, {name: 'wharf', namespace: 'default'}), 'spec', 'paused')).toBeUndefined();
    } finally {
      await empty.stop();
    }
  });

  it('is refused before it begins for a user who may only read, and names what is missing', async () => {
    const reader = await source.addUser('reader');
    const ran = await run(['cluster', 'move', 'wharf', '--to-kubeconfig', target.kubeconfig.path, '--yes', '-o', 'json'], reader.kubeconfig.path);
    expect(ran.code).toBe(5);
    expect(ran.stdout).toContain('patch');
    const here = await open(source);
    expect(valueAt(await here.get(clusters, {name: 'wharf', namespace: 'default'}), 'spec', 'paused')).toBeUndefined();
  });
});
