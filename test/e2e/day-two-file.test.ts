// A cluster's life from its file, on the real management cluster: made, scaled, upgraded, repaired, paused, deleted. After each verb the file's
// comments are still there, and apply has nothing to do. The tests are in order: each goes on where the one before ended.
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {KubeObject} from '../../src/kube/object.ts';
import {rolledOut} from '../../src/modes/controller/topology/settled.ts';
import {missingManagementCluster, startManagementCluster, type ManagementCluster} from '../support/management-cluster.ts';
import {resultOf, trireme, type Ran} from '../support/trireme.ts';

const reason = await missingManagementCluster();

const fileOf = (kubeconfig: string) => `# The shop's cluster. Ask Ada before you touch it.
apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata:
  name: shop   # as in DNS
spec:
  mode: controller
  kubernetes: {distribution: kubeadm,   version: v1.35.4}  # see ticket 42
  network: {pods: [192.168.0.0/16], services: [10.128.0.0/12]}
  controller:
    # of the platform team
    kubeconfig: ${kubeconfig}
    class:   dock
    variables: {tier:  gold} # who pays
    controlPlane:
        replicas:    1     # TODO: three
    pools:
    # workers of the shop
    -   name: md-0
        class: default-worker # small ones

        replicas: 3
# the end
`;

describe.skipIf(reason !== undefined)(`day two from a file${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let management: ManagementCluster;
  let folder: string;
  let original: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trireme-day-two-file-'));
    management = await startManagementCluster();
    const dock = JSON.parse(await management.kubectl(['get', 'clusterclass', 'in-memory', '-o', 'json'])) as {spec: object};
    const tier = {name: 'tier', required: true, schema: {openAPIV3Schema: {type: 'string', enum: ['gold', 'silver']}}};
    const named = {
      apiVersion: 'cluster.x-k8s.io/v1beta2',
      kind: 'ClusterClass',
      metadata: {name: 'dock', namespace: 'default'},
      spec: {...dock.spec, variables: [tier]},
    };
    await management.kubectl(['apply', '-f', '-'], {input: JSON.stringify(named)});
    await management.kubectl(['wait', 'clusterclass/dock', '--for=condition=VariablesReady', '--timeout=60s']);
    original = fileOf(management.kubeconfig);
    await writeFile(join(folder, 'trireme.yaml'), original);
  });
  afterAll(async () => {
    await management?.stop();
    await rm(folder, {recursive: true, force: true});
  });

  // no KUBECONFIG: the file names it
  const run = (...args: readonly string[]): Promise<Ran> => trireme(args, {cwd: folder, env: {HOME: folder, XDG_STATE_HOME: join(folder, 'state')}});
  const good = async (...args: readonly string[]): Promise<Ran> => {
    const ran = await run(...args);
    expect(`${ran.code} ${ran.stderr}`).toMatch(/^0 /);
    return ran;
  };
  const get = async (...args: readonly string[]): Promise<string> => (await management.kubectl(['get', ...args])).trim();
  const file = () => readFile(join(folder, 'trireme.yaml'), 'utf8');
  /** Verbs wait for the control plane and the pools; the Cluster's own sums and conditions, by which apply judges, come a moment later. */
  const settled = async () => {
    const look = async () => rolledOut(JSON.parse(await get('cluster/shop', '-o', 'json')) as KubeObject);
    await expect.poll(look, {timeout: 120_000, interval: 500}).toEqual({done: true, waitingFor: ''});
  };
  const unchanged = async () => expect(resultOf<{run: {outcome: string}}>(await good('apply', '--yes', '-o', 'json')).run.outcome).toBe('unchanged');
  const workers = async () => (await get('machines', '-l', 'cluster.x-k8s.io/deployment-name', '-o', 'jsonpath={.items[*].metadata.name}')).split(' ');

  test('apply makes 1+3 of the class with its variables, until it is available', async () => {
    await good('apply', '--yes', '--timeout', '10m');
    await management.kubectl(['wait', 'cluster/shop', '--for=condition=Available', '--timeout=5s']);
    expect(await get('cluster/shop', '-o', 'jsonpath={.spec.topology.variables[0].value}')).toBe('gold');
    await unchanged();
  });

  test('scaled to 3+5: two numbers of the file changed, and no other byte', async () => {
    await good('cluster', 'scale', 'md-0=5', '--control-plane', '3', '--yes', '--wait', '--timeout', '10m');
    expect(await file()).toBe(original.replace('replicas:    1', 'replicas:    3').replace('replicas: 3\n#', 'replicas: 5\n#'));
    await settled();
    expect(await get('cluster/shop', '-o', 'jsonpath={.status.controlPlane.availableReplicas}+{.status.workers.availableReplicas}')).toBe('3+5');
    await unchanged();
  });

  test('upgraded from v1.35 to v1.36, with progress per pool', async () => {
    const ran = await good('cluster', 'upgrade', '--to', 'v1.36.3', '--yes', '--wait', '--timeout', '20m');
    expect(ran.stderr).toMatch(/control-plane: UpToDate is false \([^\n]*up to date/);
    expect(ran.stderr).toMatch(/md-0: UpToDate is false \([^\n]*up to date/);
    expect(await file()).toContain('  kubernetes: {distribution: kubeadm,   version: v1.36.3}  # see ticket 42\n');
    expect([...new Set((await get('machines', '-o', 'jsonpath={.items[*].spec.version}')).split(' '))]).toEqual(['v1.36.3']);
    await settled();
    await unchanged();
  });

  test('a machine remediated, the cluster paused and resumed: the file stays, and so does what it wants', async () => {
    const before = await file();
    const [worker = ''] = await workers();
    await good('machine', 'remediate', worker, '--yes', '--wait', '--timeout', '10m');
    expect(await workers()).not.toContain(worker);
    await settled();
    await unchanged();
    await good('cluster', 'pause', '--yes');
    await unchanged();
    await good('cluster', 'resume', '--yes');
    await settled();
    await unchanged();
    expect(await file()).toBe(before);
  });

  test('the kubeconfig is used by kubectl, and deleting leaves nothing but the file', async () => {
    const own = join(folder, 'own.kubeconfig');
    await good('cluster', 'kubeconfig', '--into', own);
    expect((await management.kubectl(['get', 'nodes', '-o', 'name'], {kubeconfig: own})).trim().split('\n')).toHaveLength(8);
    const before = await file();
    await good('cluster', 'delete', '--confirm', 'shop', '--timeout', '10m');
    expect(await get('clusters,machines,machinedeployments,machinesets,kubeadmcontrolplanes,kubeadmconfigs,devclusters,devmachines', '-o', 'name')).toBe('');
    expect(await file()).toBe(before);
    for (const comment of original.match(/#[^\n]*/g) ?? []) expect(before).toContain(comment);
  });
});
