// Reading real clusters: what clusterctl's own description hides is shown. Real kube-apiserver, real Cluster API managers, in-memory machines.
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {waitFor} from '../../src/kernel/retry.ts';
import type {ClusterView, ObjectNode} from '../../src/modes/mode.ts';
import {missingManagementCluster, startManagementCluster, type ManagementCluster} from '../support/management-cluster.ts';
import {resultOf, startTrireme, trireme} from '../support/trireme.ts';

const missing = await missingManagementCluster();
const infra = 'infrastructure.cluster.x-k8s.io';
const boot = 'bootstrap.cluster.x-k8s.io';

let management: ManagementCluster;
let home = '';

const env = () => ({HOME: home, XDG_STATE_HOME: home, KUBECONFIG: management.kubeconfig});
const run = (...args: readonly string[]) => trireme(args, {env: env(), cwd: home, timeout: 300_000});
const json = (value: unknown) => JSON.stringify(value);
const apply = (object: unknown) => management.kubectl(['apply', '-f', '-'], {input: json(object)});

async function describeCluster(name: string): Promise<ClusterView> {
  return resultOf<ClusterView>(await run('cluster', 'describe', name, '-o', 'json'));
}

async function until(what: string, look: () => Promise<boolean>, timeout = 600_000): Promise<void> {
  const found = await waitFor(async () => ((await look()) ? true : undefined), {timeout, interval: 1000});
  if (found !== true) throw new Error(`not within ${timeout / 1000} s: ${what}`);
}

function nodesOf(tree: ObjectNode | undefined): readonly ObjectNode[] {
  return tree === undefined ? [] : [tree, ...tree.children.flatMap(nodesOf)];
}

function cluster(name: string, workers: number) {
  return {
    apiVersion: 'cluster.x-k8s.io/v1beta2',
    kind: 'Cluster',
    metadata: {name, namespace: 'default'},
    spec: {
      clusterNetwork: {pods: {cidrBlocks: ['192.168.0.0/16']}, services: {cidrBlocks: ['10.128.0.0/12']}, serviceDomain: 'cluster.local'},
      topology: {
        classRef: {name: 'in-memory'},
        version: 'v1.35.4',
        controlPlane: {replicas: 1},
        ...(workers === 0 ? {} : {workers: {machineDeployments: [{class: 'default-worker', name: 'md-0', replicas: workers}]}}),
      },
    },
  };
}

function stuckPool(name: string, of: string) {
  return {
    apiVersion: 'cluster.x-k8s.io/v1beta2',
    kind: 'MachineDeployment',
    metadata: {name, namespace: 'default'},
    spec: {
      clusterName: of,
      replicas: 2,
      selector: {matchLabels: {pool: name}},
      template: {
        metadata: {labels: {pool: name}},
        spec: {
          clusterName: of,
          version: 'v1.35.4',
          bootstrap: {configRef: {apiGroup: boot, kind: 'KubeadmConfigTemplate', name: 'nowhere'}},
          infrastructureRef: {apiGroup: infra, kind: 'DevMachineTemplate', name: 'nowhere'},
        },
      },
    },
  };
}

async function workersOf(name: string): Promise<readonly string[]> {
  return (await describeCluster(name)).machines.filter((machine) => machine.role === 'worker').map((machine) => machine.name);
}

/** Keeps the provider's hands off the object, then says what it would say. */
async function breakInfrastructure(machine: string, reason: string, message: string): Promise<void> {
  await management.kubectl(['annotate', 'devmachine', machine, 'cluster.x-k8s.io/paused=', '--overwrite']);
  await until(`${machine} is paused`, async () => {
    const text = await management.kubectl(['get', 'devmachine', machine, '-o', 'jsonpath={.status.conditions[?(@.type=="Paused")].status}']);
    return text === 'True';
  });
  const conditions = [{type: 'Ready', status: 'False', reason, message, lastTransitionTime: new Date().toISOString()}];
  await management.kubectl(['patch', 'devmachine', machine, '--subresource=status', '--type=merge', '-p', json({status: {conditions}})]);
}

describe.skipIf(missing !== undefined)(`real clusters${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'trireme-observe-'));
    management = await startManagementCluster();
    await apply(cluster('web', 3));
    await apply(cluster('bare', 0));
  });

  afterAll(async () => {
    await management?.stop();
    await rm(home, {recursive: true, force: true});
  });

  test('status waits until a cluster is healthy, and names what is missing when the time is up', async () => {
    const early = await run('status', 'web', '--wait', '--timeout', '1s');
    expect(early.code, early.stderr).toBe(7);
    expect(early.stderr).toMatch(/web isn't healthy after 1s: \S/);
    const ran = await run('status', 'web', '--wait', '--timeout', '10m', '--for', 'condition=Available');
    expect(ran.code, ran.stderr).toBe(0);
    const healthy = await run('status', 'web', '--wait', '--timeout', '10m');
    expect(healthy.code, healthy.stderr).toBe(0);
    expect(healthy.stdout).toContain('web: healthy');
  });

  test('every object that the cluster has is in the tree, once', async () => {
    const view = await describeCluster('web');
    const names = nodesOf(view.tree)
      .filter((node) => node.role !== 'group' && node.role !== 'node')
      .map((node) => `${node.kind}/${node.name}`);
    const kinds = 'machines,machinesets,machinedeployments,machinehealthchecks,kubeadmcontrolplanes,devmachines,devclusters,kubeadmconfigs';
    const listed = JSON.parse(await management.kubectl(['get', kinds, '-l', 'cluster.x-k8s.io/cluster-name=web', '-o', 'json'])) as {
      items: readonly {kind: string; metadata: {name: string}}[];
    };
    expect(names.toSorted()).toEqual(['Cluster/web', ...listed.items.map((item) => `${item.kind}/${item.metadata.name}`)].toSorted());
    expect(view.machines).toHaveLength(4);
    expect(view.machines.every((machine) => machine.node !== undefined)).toBe(true);
  });

  test('cluster list, machine list, machine describe and cluster events show the same cluster', async () => {
    const list = await run('cluster', 'list', '-A');
    expect(list.stdout).toMatch(/web +default +controller +v1\.35\.4 +1\/1 +3\/3 +healthy/);
    const machines = await run('machine', 'list', 'web');
    expect(machines.stdout.match(/ ready /g)).toHaveLength(4);
    const [name = ''] = await workersOf('web');
    expect((await run('machine', 'describe', name, '-c', 'web', '-n', 'default')).stdout).toContain(`infrastructure  DevMachine/${name}`);
    expect((await run('cluster', 'events', 'web')).stdout).toContain('SuccessfulSetNodeRef');
    const unknown = await run('cluster', 'describe', 'wep', '-o', 'json');
    expect(JSON.parse(unknown.stdout)).toMatchObject({exit: 2, problem: {code: 'cluster.not-found'}});
  });

  test('a pool whose first machine cannot be made is shown; clusterctl leaves it out where there is no worker', async () => {
    await until('bare has a control plane', async () => (await describeCluster('bare')).controlPlanes.ready === 1);
    await apply(stuckPool('stuck', 'bare'));
    await until('the pool says why', async () => (await describeCluster('bare')).reasons.some((reason) => reason.includes('is blocked because')));
    const {stdout} = await run('cluster', 'describe', 'bare');
    expect(stdout).toContain('MachineDeployment/stuck');
    expect(stdout).toContain('KubeadmConfigTemplate and DevMachineTemplate do not exist');
    expect(stdout).toContain('DevMachineTemplate/nowhere  MISSING, named by MachineDeployment/stuck (spec.template.spec.infrastructureRef)');
    expect((await describeCluster('bare')).health).toBe('degraded');
    expect(await management.clusterctl(['describe', 'cluster', 'bare', '--show-conditions', 'all'])).not.toContain('MachineDeployment default/stuck');
  });

  test('failing infrastructure behind equal reasons is shown object by object', async () => {
    const [first = '', second = ''] = await workersOf('web');
    await breakInfrastructure(first, 'QuotaExceeded', 'no quota left for 4 CPUs');
    await breakInfrastructure(second, 'InstanceTerminated', 'the instance was terminated by its owner');
    await until('the machines say so', async () => (await describeCluster('web')).machines.filter((machine) => machine.state === 'not-ready').length === 2);
    const {stdout} = await run('cluster', 'describe', 'web');
    expect(stdout).toContain(`✖ DevMachine/${first}`);
    expect(stdout).toContain(`✖ DevMachine/${second}`);
    expect(stdout).toMatch(/Ready False QuotaExceeded .*: no quota left for 4 CPUs/);
    expect(stdout).toMatch(/Ready False InstanceTerminated .*: the instance was terminated by its owner/);
  });

  test('mixed versions in one pool are counted, and the machine that differs has a line of its own', async () => {
    const [first = ''] = await workersOf('web');
    await management.kubectl(['patch', 'machine', first, '--type=merge', '-p', json({spec: {version: 'v1.34.9'}})]);
    await until('both versions are seen', async () => (await describeCluster('web')).pools?.[0]?.versions.length === 2, 60_000);
    expect((await describeCluster('web')).pools?.[0]?.versions).toEqual([
      {version: 'v1.34.9', replicas: 1},
      {version: 'v1.35.4', replicas: 2},
    ]);
    expect((await run('status', 'web')).stdout).toContain('v1.34.9 (1), v1.35.4 (2)');
    expect((await run('cluster', 'describe', 'web')).stdout).toContain(`Machine/${first}  v1.34.9`);
  });

  test('a dangling reference is shown as missing; clusterctl shows nothing in its place', async () => {
    const [, , third = ''] = await workersOf('web');
    await management.kubectl(['annotate', 'devmachine', third, 'cluster.x-k8s.io/paused=']);
    await management.kubectl(['delete', 'devmachine', third, '--wait=false']);
    await management.kubectl(['patch', 'devmachine', third, '--type=merge', '-p', json({metadata: {finalizers: null}})]);
    await until('it is gone', async () => (await describeCluster('web')).machines.find((machine) => machine.name === third)?.infrastructure?.missing === true);
    const {stdout} = await run('cluster', 'describe', 'web');
    expect(stdout).toContain(`✖ DevMachine/${third}  MISSING, named by Machine/${third} (spec.infrastructureRef)`);
    const theirs = await management.clusterctl(['describe', 'cluster', 'web', '--grouping=false', '--echo']);
    expect(theirs).not.toContain(`DevMachine default/${third}`);
  });

  test('a watch follows a deletion to its end, with what is left and what holds it', async () => {
    const watching = startTrireme(['cluster', 'describe', 'web', '--watch', '-o', 'ndjson'], {env: env(), cwd: home});
    await watching.saw(/"name":"web"/);
    await management.kubectl(['delete', 'cluster', 'web', '--wait=false']);
    await watching.saw(/"deletion":\{"since"/);
    await watching.saw(/is paused, so it isn't deleted/);
    await management.kubectl(['annotate', 'devmachine', '--all', 'cluster.x-k8s.io/paused-']);
    const gone = await run('status', 'web', '--wait', '--for', 'delete', '--timeout', '10m');
    expect(gone.code, gone.stderr).toBe(0);
    await watching.saw(/^null$/m);
    watching.kill('SIGINT');
    expect((await watching.ended).code).toBe(130);
  });

  test('a list for somebody who may only read shows what may be read, and names the missing right', async () => {
    const kubeconfig = await management.user('reader');
    const refused = await trireme(['cluster', 'list', '-A', '-o', 'json', '--kubeconfig', kubeconfig], {env: env(), cwd: home});
    expect(JSON.parse(refused.stdout)).toMatchObject({exit: 5, problem: {code: 'api.forbidden'}});
    await apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: {name: 'reader', namespace: 'default'},
      rules: [{apiGroups: ['cluster.x-k8s.io', 'controlplane.cluster.x-k8s.io', boot], resources: ['*'], verbs: ['get', 'list', 'watch']}],
    });
    await management.kubectl(['create', 'rolebinding', 'reader', '--role=reader', '--user=reader', '-n', 'default']);
    const described = await trireme(['cluster', 'describe', 'bare', '-n', 'default', '-o', 'json', '--kubeconfig', kubeconfig], {env: env(), cwd: home});
    const view = resultOf<ClusterView>(described);
    expect(view.unseen?.join('\n')).toMatch(/DevMachine: .*list.*devmachines/);
    expect(nodesOf(view.tree).some((node) => node.kind === 'KubeadmControlPlane')).toBe(true);
  });
});
