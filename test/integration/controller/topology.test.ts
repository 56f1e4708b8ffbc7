// Plan and apply of controller mode against the embedded management API, which simulates Cluster API's controllers and judges as its webhooks do.
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseAllDocuments} from 'yaml';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {Redactor} from '../../../src/kernel/redact.ts';
import {waitFor} from '../../../src/kernel/retry.ts';
import {connect} from '../../../src/kube/client.ts';
import type {KubeApi, Resource} from '../../../src/kube/api.ts';
import {type KubeObject, listAt, textAt, valueAt} from '../../../src/kube/object.ts';
import {startManagement, type ManagementApi} from '../../../src/sandbox/management/management.ts';
import {type Ran, resultOf, startTrireme, trireme} from '../../support/trireme.ts';

const clusters: Resource = {group: 'cluster.x-k8s.io', version: 'v1beta2', plural: 'clusters', kind: 'Cluster', namespaced: true};
const classes: Resource = {...clusters, plural: 'clusterclasses', kind: 'ClusterClass'};
const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/controller/${name}`, import.meta.url));
type Plain = Record<string, unknown>;

describe('plan and apply on the embedded management API', {timeout: 240_000}, () => {
  let management: ManagementApi;
  let api: KubeApi;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trireme-topology-'));
    management = await startManagement();
    api = await connect({kubeconfig: management.kubeconfig.path, signal: new AbortController().signal, redactor: new Redactor(), warn: () => {}});
    for (const document of parseAllDocuments(await readFile(fixture('class-with-variables.yaml'), 'utf8'))) await api.apply(document.toJS() as KubeObject);
    const variables = async () => valueAt(await api.get(classes, {name: 'harbour', namespace: 'default'}), 'status', 'variables');
    if ((await waitFor(variables, {interval: 50, timeout: 20_000})) === undefined) throw new Error('the class is not reconciled');
  }, 60_000);
  afterAll(async () => {
    api?.close();
    await management?.stop();
    await rm(folder, {recursive: true, force: true});
  });

  const file = (name: string, more: {readonly version?: string; readonly variables?: string; readonly pools?: string} = {}) => `apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: ${name}}
spec:
  mode: controller
  kubernetes: {version: ${more.version ?? 'v1.35.4'}}
  controller:
    class: harbour
    variables: ${more.variables ?? '{size: small, startup: 2s}'}
    pools: ${more.pools ?? '[{name: quay, class: default-worker, replicas: 2}, {name: pier, class: default-worker, labels: {zone: a}}]'}
`;
  const env = (kubeconfig = management.kubeconfig.path) => ({HOME: folder, XDG_STATE_HOME: join(folder, 'state'), KUBECONFIG: kubeconfig, NO_COLOR: '1'});
  const run = async (text: string, args: readonly string[], kubeconfig?: string): Promise<Ran> => {
    await writeFile(join(folder, 'trireme.yaml'), text);
    return trireme(args, {cwd: folder, env: env(kubeconfig)});
  };
  const live = (name: string) => api.get(clusters, {name, namespace: 'default'});
  const places = (ran: Ran) => {
    const {problem} = JSON.parse(ran.stdout) as {problem?: {code: string; details?: {complaints?: {line: number; column: number; rule: string}[]}}};
    return [problem?.code, ...(problem?.details?.complaints ?? []).map(({line, column, rule}) => `${line}:${column} ${rule}`)];
  };

  it('makes a cluster with variables until it is available, says that it is simulated, and has nothing to do the second time', async () => {
    const first = await run(file('bireme'), ['apply', '--yes', '--timeout', '2m']);
    expect(first.code, first.stderr).toBe(0);
    expect(first.stderr).toContain('SIMULATED');
    const conditions = listAt(await live('bireme'), 'status', 'conditions').map((one) => `${textAt(one, 'type')} ${textAt(one, 'status')}`);
    expect(conditions).toContain('Available True');
    const second = await run(file('bireme'), ['apply', '--yes', '-o', 'json']);
    expect(resultOf<{run: Plain}>(second).run['outcome']).toBe('unchanged');
  });

  it.each([
    ['a downgrade', {version: 'v1.34.3'}, '6:25 version.downgrade'],
    ['a skipped minor', {version: 'v1.37.0'}, '6:25 version.minor-skipped'],
    ['a wrong variable', {variables: '{size: small, startup: 2m}'}, '9:39 variable.format'],
    ['a missing variable', {variables: '{startup: 2s}'}, '9:5 variable.required'],
    ['a class of workers that there is not', {pools: '[{name: quay, class: default-workers}]'}, '10:33 class.worker-not-found'],
  ])('refuses %s at its line, before any write', async (_what, change, place) => {
    const before = (await live('bireme'))?.metadata.resourceVersion;
    const ran = await run(file('bireme', change), ['apply', '--yes', '-o', 'json']);
    expect([ran.code, ...places(ran)]).toEqual([3, 'plan.refused', place]);
    expect((await live('bireme'))?.metadata.resourceVersion).toBe(before);
  });

  it('goes on after a kill in the middle of the waits', async () => {
    await writeFile(join(folder, 'trireme.yaml'), file('xebec'));
    const running = startTrireme(['apply', '--yes'], {cwd: folder, env: env()});
    await running.saw(/Apply the Cluster xebec/);
    running.kill('SIGKILL');
    await running.ended;
    const resumed = await trireme(['apply', '--yes', '--resume', '--break-lock', '-o', 'json', '--timeout', '2m'], {cwd: folder, env: env()});
    expect(resumed.code, resumed.stdout + resumed.stderr).toBe(0);
    expect((await run(file('xebec'), ['plan', '--exit-code'])).code).toBe(0);
  });

  it('shows an upgrade part by part, makes it, and is unchanged then', async () => {
    const plan = resultOf<{hosts: {host: string; effect: string}[]}>(await run(file('bireme', {version: 'v1.36.3'}), ['plan', '-o', 'json']));
    expect(plan.hosts.map(({host, effect}) => `${host} ${effect}`)).toEqual(['cluster none', 'control-plane replace', 'quay replace', 'pier replace']);
    const ran = await run(file('bireme', {version: 'v1.36.3'}), ['apply', '--yes', '--timeout', '2m']);
    expect(ran.code, ran.stderr).toBe(0);
    expect((await run(file('bireme', {version: 'v1.36.3'}), ['plan', '--exit-code'])).code).toBe(0);
  });

  it('drains and deletes a pool that is taken out of the file', async () => {
    const ran = await run(file('bireme', {version: 'v1.36.3', pools: '[{name: quay, class: default-worker, replicas: 2}]'}), [
      'apply',
      '--yes',
      '--timeout',
      '2m',
    ]);
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stderr).toContain('it is not in the file any more: its machines are drained and deleted');
    expect(listAt(await live('bireme'), 'spec', 'topology', 'workers', 'machineDeployments')).toHaveLength(1);
  });

  it('writes the file of the live cluster, whose plan is unchanged', async () => {
    await rm(join(folder, 'live.yaml'), {force: true});
    const init = await trireme(['init', '-f', 'live.yaml', '--from-cluster', 'bireme'], {cwd: folder, env: env()});
    expect(init.code, init.stderr).toBe(0);
    expect((await trireme(['plan', '-f', 'live.yaml', '--exit-code'], {cwd: folder, env: env()})).code).toBe(0);
    const wrong = await trireme(['init', '-f', 'other.yaml', '--from-cluster', 'birme'], {cwd: folder, env: env()});
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('Did you mean bireme?')]);
  });

  it('names the manager of a contested field, and takes it over only when told to', async () => {
    const text = file('bireme', {version: 'v1.36.3', pools: '[{name: quay, class: default-worker, replicas: 2}]'});
    await api.patch(
      clusters,
      {name: 'bireme', namespace: 'default'},
      {type: 'json', body: [{op: 'replace', path: '/spec/topology/workers/machineDeployments/0/replicas', value: 1}]},
      {fieldManager: 'kubectl-edit'},
    );
    const refused = await run(text, ['plan']);
    expect([refused.code, refused.stderr]).toEqual([
      8,
      expect.stringContaining('trireme.yaml:10: spec.topology.workers.machineDeployments[quay].replicas belongs to kubectl-edit'),
    ]);
    const taken = await run(text, ['apply', '--yes', '--force-conflicts', '--timeout', '2m']);
    expect(taken.code, taken.stderr).toBe(0);
  });

  it('refuses to write for who may only read, naming the right, and still shows the plan', async () => {
    const reader = (await management.addUser('reader')).kubeconfig.path;
    const text = file('bireme', {version: 'v1.36.3', pools: '[{name: quay, class: default-worker, replicas: 1}]'});
    expect((await run(text, ['plan', '--exit-code'], reader)).code).toBe(9);
    const apply = await run(text, ['apply', '--yes'], reader);
    expect([apply.code, apply.stderr]).toEqual([5, expect.stringContaining('patch clusters.cluster.x-k8s.io in the namespace default')]);
  });

  it("makes a cluster from a provider's template, and replaces machines by new templates", async () => {
    const text = (startup: string) =>
      file('sloop').replace(
        / {4}class[\s\S]*/,
        `    template: {file: ${fixture('cluster-template.yaml')}, variables: {STARTUP: ${startup}}}\n    pools: [{name: crew, class: md-0, replicas: 1}]\n`,
      );
    const first = await run(text('2s'), ['apply', '--yes', '--timeout', '2m']);
    expect(first.code, first.stderr).toBe(0);
    expect((await run(text('2s'), ['plan', '--exit-code'])).code).toBe(0);
    const next = await run(text('1s'), ['apply', '--yes', '--timeout', '2m']);
    expect(next.code, next.stderr).toBe(0);
    expect((await run(text('1s'), ['plan', '--exit-code'])).code).toBe(0);
  });
});
