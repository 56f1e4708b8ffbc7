// The verbs of day two on the real management cluster, with Cluster API's in-memory machines. The tests are in order: each goes on where the one
// before ended.
import {execFile} from 'node:child_process';
import {mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {missingManagementCluster, startManagementCluster, type ManagementCluster} from '../support/management-cluster.ts';
import {resultOf, trireme, type Ran} from '../support/trireme.ts';

const reason = await missingManagementCluster();

interface Summary {
  readonly run: {readonly outcome: string} | null;
  readonly file: {readonly written: boolean; readonly diff: string} | null;
}

const cluster = {
  apiVersion: 'cluster.x-k8s.io/v1beta2',
  kind: 'Cluster',
  metadata: {name: 'web', namespace: 'default'},
  spec: {
    clusterNetwork: {services: {cidrBlocks: ['10.128.0.0/12']}, pods: {cidrBlocks: ['192.168.0.0/16']}, serviceDomain: 'cluster.local'},
    topology: {
      classRef: {name: 'in-memory'},
      version: 'v1.35.4',
      controlPlane: {replicas: 1},
      workers: {machineDeployments: [{class: 'default-worker', name: 'md-0', replicas: 2}]},
    },
  },
};

describe.skipIf(reason !== undefined)(`day two on live objects${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let management: ManagementCluster;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trireme-day-two-'));
    await mkdir(join(folder, 'empty'));
    management = await startManagementCluster();
    await management.kubectl(['apply', '-f', '-'], {input: JSON.stringify(cluster)});
    await management.kubectl(['wait', 'cluster/web', '--for=condition=Available', '--timeout=300s']);
  });
  afterAll(async () => {
    await management?.stop();
    await rm(folder, {recursive: true, force: true});
  });

  const run = (args: readonly string[], kubeconfig = management.kubeconfig): Promise<Ran> =>
    trireme(args, {cwd: join(folder, 'empty'), env: {HOME: folder, XDG_STATE_HOME: join(folder, 'state'), KUBECONFIG: kubeconfig, TMPDIR: folder}});
  /** Runs a verb to its end, and returns its result. */
  const verb = async (...args: readonly string[]): Promise<Summary> => {
    const ran = await run([...args, '--yes', '-o', 'json']);
    expect(`${ran.code} ${ran.stderr}`).toMatch(/^0 /);
    return resultOf<Summary>(ran);
  };
  const get = async (...args: readonly string[]): Promise<string> => (await management.kubectl(['get', ...args])).trim();
  const workers = async () => (await get('machines', '-l', 'cluster.x-k8s.io/deployment-name', '-o', 'jsonpath={.items[*].metadata.name}')).split(' ');

  test('what the webhooks would refuse is refused before anything is written', async () => {
    const before = await get('cluster/web', '-o', 'jsonpath={.metadata.generation}');
    const refused = async (args: readonly string[], words: string, code = 3) => {
      const ran = await run([...args, '--yes']);
      expect(ran.stderr).toContain(words);
      expect(ran.code).toBe(code);
    };
    await refused(['cluster', 'upgrade', 'web', '--to', 'v1.34.9'], "Kubernetes can't go back");
    await refused(['cluster', 'upgrade', 'web', '--to', 'v1.37.0'], 'a minor version is skipped');
    await refused(['cluster', 'scale', 'web', '--control-plane', '2'], 'A control plane of 2 is refused');
    await refused(['cluster', 'scale', 'web', 'md-9=1'], 'web has no pool md-9; it has md-0.', 2);
    await refused(['cluster', 'scale', 'wep', 'md-0=1'], "There's no cluster wep in namespace default", 2);
    await refused(
      ['machine', 'replace', await get('machines', '-l', 'cluster.x-k8s.io/control-plane', '-o', 'jsonpath={.items[0].metadata.name}'), '-c', 'web'],
      'the only control plane',
    );
    expect(await get('cluster/web', '-o', 'jsonpath={.metadata.generation}')).toBe(before);
  });

  test('a dry run shows what would be done, and does nothing', async () => {
    const before = await get('cluster/web', '-o', 'jsonpath={.metadata.generation}');
    const ran = await run(['cluster', 'scale', 'web', 'md-0=5', '--dry-run']);
    expect(ran.stderr).toContain('replicas: 2 → 5 (3 made)');
    expect(ran.stderr).toContain('No file is known for web');
    expect(ran.code).toBe(0);
    expect(await get('cluster/web', '-o', 'jsonpath={.metadata.generation}')).toBe(before);
  });

  test('somebody who may only read reads, and is refused every verb before it begins, with the right that is missing', async () => {
    const reader = await management.user('reader');
    await management.kubectl([
      'create',
      'clusterrole',
      'reader',
      '--verb=get,list,watch',
      '--resource=*.cluster.x-k8s.io,*.controlplane.cluster.x-k8s.io,*.bootstrap.cluster.x-k8s.io,*.infrastructure.cluster.x-k8s.io,customresourcedefinitions.apiextensions.k8s.io',
    ]);
    await management.kubectl(['create', 'clusterrolebinding', 'reader', '--clusterrole=reader', '--user=reader']);
    const before = await get('cluster/web', '-o', 'jsonpath={.metadata.generation}');
    const dry = await run(['cluster', 'scale', 'web', 'md-0=5', '--dry-run'], reader);
    expect(`${dry.code} ${dry.stderr}`).toContain('replicas: 2 → 5');
    const [worker = ''] = await workers();
    const refused: readonly (readonly [readonly string[], string])[] = [
      [['cluster', 'scale', 'web', 'md-0=5', '--yes'], 'patch clusters.cluster.x-k8s.io web in namespace default'],
      [['cluster', 'upgrade', 'web', '--to', 'v1.36.3', '--yes'], 'patch clusters.cluster.x-k8s.io web in namespace default'],
      [['cluster', 'restart', 'web', '--yes'], 'patch clusters.cluster.x-k8s.io web in namespace default'],
      [['cluster', 'pause', 'web', '--yes'], 'patch clusters.cluster.x-k8s.io web in namespace default'],
      [['cluster', 'resume', 'web', '--yes'], 'patch clusters.cluster.x-k8s.io web in namespace default'],
      [['cluster', 'delete', 'web', '--confirm', 'web'], 'delete clusters.cluster.x-k8s.io web in namespace default'],
      [['machine', 'remediate', worker, '-c', 'web', '--yes'], `patch machines.cluster.x-k8s.io ${worker} in namespace default`],
      [['machine', 'replace', worker, '-c', 'web', '--yes'], `delete machines.cluster.x-k8s.io ${worker} in namespace default`],
      [['machine', 'delete', worker, '-c', 'web', '--yes'], `patch machines.cluster.x-k8s.io ${worker} in namespace default`],
      [['machine', 'drain', worker, '-c', 'web', '--yes'], 'get secrets web-kubeconfig in namespace default'],
      [['machine', 'cordon', worker, '-c', 'web', '--yes'], 'get secrets web-kubeconfig in namespace default'],
      [['cluster', 'kubeconfig', 'web'], 'secrets'],
    ];
    for (const [args, right] of refused) {
      const ran = await run(args, reader);
      expect(`${args.join(' ')}: ${ran.stderr}`).toContain(right);
      expect(`${args.join(' ')}: ${ran.code}`).toBe(`${args.join(' ')}: 5`);
    }
    expect(await get('cluster/web', '-o', 'jsonpath={.metadata.generation}')).toBe(before);
  });

  test('it is scaled to 3+3, and the wait ends when all are available', async () => {
    expect((await verb('cluster', 'scale', 'web', 'md-0=3', '--control-plane', '3', '--wait', '--timeout', '5m')).run?.outcome).toBe('succeeded');
    // where the machines are counted: the Cluster's own sums come a moment later
    const controlPlane = await get('kubeadmcontrolplanes', '-o', 'jsonpath={.items[0].status.availableReplicas}');
    const pool = await get('machinedeployments', '-o', 'jsonpath={.items[0].status.availableReplicas}');
    expect(`${controlPlane}+${pool}`).toBe('3+3');
    expect((await verb('cluster', 'scale', 'web', 'md-0=3', '--control-plane', '3')).run?.outcome).toBe('unchanged');
  });

  test('a wait whose time is up ends with 7, and says what it waited for', async () => {
    const ran = await run(['cluster', 'scale', 'web', 'md-0=4', '--yes', '--wait', '--timeout', '2s']);
    expect(ran.code).toBe(7);
    expect(ran.stdout + ran.stderr).toMatch(/md-0: "Wait for 4 available" is not done within --timeout: /);
    await verb('cluster', 'scale', 'web', 'md-0=3', '--wait', '--timeout', '5m');
  });

  test('it is paused and resumed, each confirmed by every object; while paused it is not deleted', async () => {
    await verb('cluster', 'pause', 'web');
    const paused = await get(
      'clusters,kubeadmcontrolplanes,machinedeployments,machinesets,machines',
      '-o',
      'jsonpath={.items[*].status.conditions[?(@.type=="Paused")].status}',
    );
    expect([...new Set(paused.split(' '))]).toEqual(['True']);
    const refused = await run(['cluster', 'delete', 'web', '--confirm', 'web']);
    expect(refused.stderr).toContain('web is paused');
    await verb('cluster', 'resume', 'web');
    expect(await get('machines', '-o', 'jsonpath={.items[*].status.conditions[?(@.type=="Paused")].status}')).not.toContain('True');
  });

  test.each(['remediate', 'replace'])('a machine is made anew: %s', async (how) => {
    const [worker = ''] = await workers();
    await verb('machine', how, worker, '-c', 'web', '--wait', '--timeout', '5m');
    const left = await workers();
    expect(left).toHaveLength(3);
    expect(left).not.toContain(worker);
  });

  test('a machine is deleted with its place: exactly the one that was named', async () => {
    const [one = '', victim = '', other = ''] = await workers();
    await verb('machine', 'delete', victim, '-c', 'web', '--wait', '--timeout', '5m');
    expect((await workers()).toSorted()).toEqual([one, other].toSorted());
    expect(await get('cluster/web', '-o', 'jsonpath={.spec.topology.workers.machineDeployments[0].replicas}')).toBe('2');
  });

  test('a pool is restarted: every machine of it is new', async () => {
    const before = await workers();
    await verb('cluster', 'restart', 'web', '--pool', 'md-0', '--wait', '--timeout', '5m');
    const after = await workers();
    expect(after).toHaveLength(2);
    expect(after.filter((name) => before.includes(name))).toEqual([]);
  });

  test("the kubeconfig is merged by name and used by kubectl; the person's own context stays; nothing is left behind", async () => {
    const own = join(folder, 'own.kubeconfig');
    await writeFile(
      own,
      'apiVersion: v1\nkind: Config\nclusters: [{name: mine, cluster: {server: "https://127.0.0.1:1"}}]\nusers: [{name: me, user: {}}]\ncontexts: [{name: mine, context: {cluster: mine, user: me}}]\ncurrent-context: mine\n',
      {mode: 0o600},
    );
    const merged = await run(['cluster', 'kubeconfig', 'web', '--into', own]);
    expect(`${merged.code} ${merged.stderr}`).toMatch(/^0 /);
    const kubectl = (args: readonly string[]) => management.kubectl([...args], {kubeconfig: own});
    expect((await kubectl(['config', 'current-context'])).trim()).toBe('mine');
    expect((await kubectl(['--context', 'web', 'get', 'nodes', '-o', 'name'])).trim().split('\n')).toHaveLength(5);
    expect((await stat(own)).mode & 0o777).toBe(0o600);
    const shell = await run([
      'cluster',
      'shell',
      'web',
      '--',
      'sh',
      '-c',
      'stat -c %a "$KUBECONFIG"; grep -c client-key-data "$KUBECONFIG"; echo "$KUBECONFIG"; exit 3',
    ]);
    const [mode, keys, path = ''] = shell.stdout.trim().split('\n');
    expect([mode, keys]).toEqual(['600', '1']);
    expect(shell.code).toBe(1);
    await expect(stat(path)).rejects.toMatchObject({code: 'ENOENT'});
    expect((await readdir(folder)).filter((name) => name.startsWith('trireme-kubeconfig-'))).toEqual([]);
  });

  test('it is upgraded, each pool followed to its end; meanwhile another upgrade is refused', async () => {
    await verb('cluster', 'upgrade', 'web', '--to', 'v1.36.3');
    const refused = await run(['cluster', 'upgrade', 'web', '--to', 'v1.36.9', '--yes']);
    expect(refused.stderr).toContain("an earlier change of its version isn't done");
    expect(refused.code).toBe(3);
    // the same one goes on, and is waited for
    const going = await run(['cluster', 'upgrade', 'web', '--to', 'v1.36.3', '--yes', '--wait', '--timeout', '10m']);
    expect(`${going.code} ${going.stderr}`).toMatch(/^0 /);
    const versions = await get('machines', '-o', 'jsonpath={.items[*].spec.version}');
    expect([...new Set(versions.split(' '))]).toEqual(['v1.36.3']);
  });

  test('it is deleted: a wrong name is refused, what holds it is named, and nothing remains', async () => {
    const wrong = await run(['cluster', 'delete', 'web', '--confirm', 'wep']);
    expect(wrong.code).toBe(5);
    expect((await run(['cluster', 'delete', 'web', '--yes'])).code).toBe(2);
    const [worker = ''] = await workers();
    await management.kubectl(['annotate', `machine/${worker}`, 'pre-terminate.delete.hook.machine.cluster.x-k8s.io/backup=velero']);
    const held = await run(['cluster', 'delete', 'web', '--confirm', 'web', '--timeout', '15s']);
    expect(held.code).toBe(7);
    expect(held.stdout + held.stderr).toContain(`Machine/${worker} waits for the pre-terminate hook backup of velero`);
    await management.kubectl(['annotate', `machine/${worker}`, 'pre-terminate.delete.hook.machine.cluster.x-k8s.io/backup-']);
    const ran = await run(['cluster', 'delete', 'web', '--confirm', 'web', '--timeout', '5m']);
    expect(`${ran.code} ${ran.stderr}`).toMatch(/^0 /);
    const left = await get('clusters,machines,machinedeployments,machinesets,kubeadmcontrolplanes,kubeadmconfigs,devclusters,devmachines', '-o', 'name');
    expect(left).toBe('');
    expect((await run(['cluster', 'delete', 'web', '--confirm', 'web'])).code).toBe(2);
  });

  test('every run is in the history, and no secret of the cluster is in what was kept', async () => {
    const runs = await readdir(join(folder, 'state', 'trireme', 'runs'));
    expect(runs.length).toBeGreaterThan(10);
    const {stdout} = await promisify(execFile)('grep', ['-rlE', 'client-key-data|BEGIN [A-Z ]*PRIVATE KEY', join(folder, 'state')]).catch(() => ({stdout: ''}));
    expect(stdout).toBe('');
    expect(await readFile(join(folder, 'state', 'trireme', 'runs', runs[0] ?? ''), 'utf8')).toContain('"mode":"controller"');
  });
});
