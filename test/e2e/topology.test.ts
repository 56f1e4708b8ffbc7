// Clusters with a class and with a template on a real management cluster: what the file wants is made, and what the webhooks would refuse is refused
// by the plan, at the line of the file, before anything is written.
import {execFile} from 'node:child_process';
import {mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {defaultKubernetes, moduleFolder, programs} from '../testbed/parts.mjs';
import {type ManagementCluster, missingManagementCluster, startManagementCluster} from '../support/management-cluster.ts';
import {type Ran, resultOf, startTrireme, trireme} from '../support/trireme.ts';

const missing = await missingManagementCluster();
if (missing !== undefined) console.warn(`topology: skipped, ${missing}`);

const run = promisify(execFile);
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/controller/${name}`, import.meta.url));

// oxlint-disable-next-line no-explicit-any -- answers of other programs, looked into by expectations only
type Plain = Record<string, any>;

describe.skipIf(missing !== undefined)('clusters on a real management cluster', () => {
  let folder: string;
  let management: ManagementCluster;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trireme-topology-'));
    management = await startManagementCluster();
    await management.kubectl(['apply', '-f', fixture('class-with-variables.yaml')]);
    await management.kubectl(['wait', '--for=condition=VariablesReady', 'clusterclass/harbour', '--timeout=60s']);
  });
  afterAll(async () => {
    await management?.stop();
    await rm(folder, {recursive: true, force: true});
  });

  const env = (more: Readonly<Record<string, string>> = {}) => ({HOME: join(folder, 'home'), XDG_STATE_HOME: join(folder, 'state'), NO_COLOR: '1', ...more});
  const ours = (args: readonly string[], more: Readonly<Record<string, string>> = {}) => trireme(args, {cwd: folder, env: env(more)});
  const write = async (name: string, text: string) => {
    await writeFile(join(folder, name), text);
    return name;
  };
  const file = (
    more: {readonly version?: string; readonly variables?: string; readonly pools?: string; readonly kubeconfig?: string} = {},
  ) => `apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: bireme}
spec:
  mode: controller
  kubernetes: {version: ${more.version ?? 'v1.35.4'}}
  controller:
    kubeconfig: ${more.kubeconfig ?? management.kubeconfig}
    class: harbour
    variables: ${more.variables ?? '{size: small, startup: 2s}'}
    pools: ${more.pools ?? '[{name: quay, class: default-worker, replicas: 2}, {name: pier, class: default-worker, replicas: 1, labels: {zone: a}}]'}
`;
  const cluster = async (name = 'bireme'): Promise<Plain> =>
    JSON.parse(await management.kubectl(['get', 'cluster', name, '-o', 'json', '--show-managed-fields'])) as Plain;
  /** All of a Cluster but for what its controllers go on telling, when they like. */
  const written = async (): Promise<Plain> => {
    const {status: _status, metadata, ...rest} = await cluster();
    const {resourceVersion: _version, managedFields, ...named} = metadata;
    return {...rest, metadata: {...named, managedFields: managedFields.filter(({subresource}: Plain) => subresource === undefined)}};
  };
  const places = (ran: Ran) => {
    const {problem} = JSON.parse(ran.stdout) as {problem: {code: string; details?: {complaints?: {line: number; column: number; rule: string}[]}}};
    return {code: problem.code, places: problem.details?.complaints?.map(({line, column, rule}) => `${line}:${column} ${rule}`)};
  };

  it('makes 1 and 3 machines with variables, and waits until the cluster is available', async () => {
    await write('trireme.yaml', file());
    const first = await ours(['apply', '--yes', '--timeout', '10m', '-o', 'ndjson']);
    expect(first.code, first.stderr + first.stdout).toBe(0);
    const {status} = await cluster();
    expect(status.conditions).toContainEqual(expect.objectContaining({type: 'Available', status: 'True'}));
    expect([status.controlPlane.availableReplicas, status.workers.availableReplicas]).toEqual([1, 3]);
    const events = first.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Plain);
    expect(events.filter(({type}) => type === 'condition.changed').map(({condition, status: is}) => `${condition} ${is}`)).toEqual(
      expect.arrayContaining(['InfrastructureReady true', 'ControlPlaneInitialized true', 'Available true']),
    );
    const started = (
      await management.kubectl([
        'get',
        'devmachines',
        '-l',
        'topology.cluster.x-k8s.io/deployment-name',
        '-o',
        'jsonpath={.items[*].spec.backend.inMemory.vm.provisioning.startupDuration}',
      ])
    ).split(' ');
    expect(started).toEqual(['2s', '2s', '2s']);
  });

  it('has nothing to do the second time, and writes nothing', async () => {
    const before = (await cluster()).metadata;
    const second = await ours(['apply', '--yes', '-o', 'json']);
    expect(second.code).toBe(0);
    expect(resultOf<Plain>(second).run.outcome).toBe('unchanged');
    const after = (await cluster()).metadata;
    expect([after.generation, after.managedFields.find(({manager}: Plain) => manager === 'trireme').time]).toEqual([
      before.generation,
      before.managedFields.find(({manager}: Plain) => manager === 'trireme').time,
    ]);
  });

  describe('refuses in the plan what the webhook refuses, at its line, and before any write', () => {
    it.each<[string, () => string, string[], string | undefined]>([
      ['a downgrade', () => file({version: 'v1.34.3'}), ['6:25 version.downgrade'], '{"spec":{"topology":{"version":"v1.34.3"}}}'],
      ['a skipped minor', () => file({version: 'v1.37.0'}), ['6:25 version.minor-skipped'], '{"spec":{"topology":{"version":"v1.37.0"}}}'],
      ['a variable of the wrong form', () => file({variables: '{size: small, startup: 2m}'}), ['10:39 variable.format'], undefined],
      ['a variable of none of its values', () => file({variables: '{size: smal, startup: 2s}'}), ['10:23 variable.value'], undefined],
      ['a variable that the class lacks', () => file({variables: '{size: small, startop: 2s}'}), ['10:30 variable.unknown'], undefined],
      ['a missing variable', () => file({variables: '{startup: 2s}'}), ['10:5 variable.required'], undefined],
      ['a rule that only the server knows (CEL)', () => file({variables: '{size: small, limits: {cpu: 4, burst: 2}}'}), ['10:38 server.refused'], undefined],
      ["a pool's class that there is not", () => file({pools: '[{name: quay, class: default-workers}]'}), ['11:33 class.worker-not-found'], undefined],
    ])('%s', async (_what, text, expected, patch) => {
      await write('wrong.yaml', text());
      const before = await written();
      const ran = await ours(['plan', '-f', 'wrong.yaml', '-o', 'json']);
      expect([ran.code, places(ran)]).toEqual([3, {code: 'plan.refused', places: expected}]);
      expect(await written()).toEqual(before);
      if (patch !== undefined)
        await expect(management.kubectl(['patch', 'cluster', 'bireme', '--type=merge', '--dry-run=server', '-p', patch])).rejects.toThrow(
          /is invalid: spec.topology.version/,
        );
    });

    it('another upgrade while one is under way; then the upgrade ends, and is shown by its versions', async () => {
      await write('upgrade.yaml', file({version: 'v1.36.3'}));
      const running = startTrireme(['apply', '-f', 'upgrade.yaml', '--yes', '--timeout', '10m'], {cwd: folder, env: env()});
      await running.saw(/Apply the Cluster bireme/);
      await write('next.yaml', file({version: 'v1.36.4'}));
      await expect.poll(async () => (await cluster()).spec.topology.version, {timeout: 20_000}).toBe('v1.36.3');
      const ran = await ours(['plan', '-f', 'next.yaml', '-o', 'json']);
      expect([ran.code, places(ran)]).toEqual([3, {code: 'plan.refused', places: ['6:25 version.busy']}]);
      await expect(
        management.kubectl(['patch', 'cluster', 'bireme', '--type=merge', '--dry-run=server', '-p', '{"spec":{"topology":{"version":"v1.36.4"}}}']),
      ).rejects.toThrow(/is invalid: spec.topology.version/);
      expect((await running.ended).code).toBe(0);
      const versions = async () => (await cluster()).status.workers.versions.map(({version}: Plain) => version) as readonly string[];
      // apply waits for the counts; what the versions are is counted by others
      await expect.poll(versions, {timeout: 60_000, interval: 500}).toEqual(['v1.36.3']);
      expect((await ours(['apply', '-f', 'upgrade.yaml', '--yes', '-o', 'json'])).stdout).toContain('"outcome": "unchanged"');
    });
  });

  it('writes the file of the live cluster, whose plan is unchanged', async () => {
    const init = await ours(['init', '-f', 'live.yaml', '--from-cluster', 'bireme', '--kubeconfig', management.kubeconfig]);
    expect(init.code, init.stderr).toBe(0);
    const plan = await ours(['plan', '-f', 'live.yaml', '--exit-code', '-o', 'json']);
    expect([plan.code, resultOf<Plain>(plan).changes]).toEqual([0, false]);
  });

  it('refuses a saved plan when the cluster was changed since, naming what moved', async () => {
    await write(
      'scale.yaml',
      file({
        version: 'v1.36.3',
        pools: '[{name: quay, class: default-worker, replicas: 1}, {name: pier, class: default-worker, replicas: 1, labels: {zone: a}}]',
      }),
    );
    expect((await ours(['plan', '-f', 'scale.yaml', '--out', 'plan.json'])).code).toBe(0);
    await management.kubectl(['label', 'cluster', 'bireme', 'example.com/moved=yes']);
    const ran = await ours(['apply', 'plan.json', '--yes', '-o', 'json']);
    expect([ran.code, ran.stdout]).toEqual([8, expect.stringContaining('cluster.metadata')]);
    await management.kubectl(['label', 'cluster', 'bireme', 'example.com/moved-']);
  });

  it("names the manager of a field that isn't ours, and takes it over only when told to; a GitOps tool's is left alone", async () => {
    const patch = (manager: string, value: number) =>
      management.kubectl([
        'patch',
        'cluster',
        'bireme',
        `--field-manager=${manager}`,
        '--type=json',
        '-p',
        `[{"op":"replace","path":"/spec/topology/workers/machineDeployments/1/replicas","value":${value}}]`,
      ]);
    await patch('kubectl-edit', 2);
    const conflict = await ours(['plan', '-f', 'upgrade.yaml', '-o', 'json']);
    expect([conflict.code, places(conflict).code]).toEqual([8, 'api.conflict']);
    expect(conflict.stdout).toContain('upgrade.yaml:11: spec.topology.workers.machineDeployments[pier].replicas belongs to kubectl-edit');
    const taken = await ours(['apply', '-f', 'upgrade.yaml', '--yes', '--force-conflicts', '--timeout', '5m']);
    expect(taken.code, taken.stderr).toBe(0);
    await patch('argocd-controller', 2);
    const left = await ours(['apply', '-f', 'upgrade.yaml', '--yes', '--force-conflicts', '-o', 'json', '--timeout', '5m']);
    expect(left.code, left.stderr).toBe(0);
    expect(left.stdout).toContain('argocd-controller');
    expect((await cluster()).spec.topology.workers.machineDeployments[1].replicas).toBe(2);
  });

  it('lets who may only read see the plan, and refuses the apply before it begins, naming the right', async () => {
    const reader = await management.user('reader', ['readers']);
    await management.kubectl(['apply', '-f', '-'], {
      input: `{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"readers"},"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["get","list","watch"]}]}
---
{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"readers"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"readers"},"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"Group","name":"readers"}]}`,
    });
    await write('reader.yaml', file({version: 'v1.36.3', variables: '{size: large, startup: 2s}', kubeconfig: reader}));
    const plan = await ours(['plan', '-f', 'reader.yaml', '-o', 'json']);
    expect([plan.code, resultOf<Plain>(plan).changes]).toEqual([0, true]);
    const before = (await cluster()).metadata.generation;
    const apply = await ours(['apply', '-f', 'reader.yaml', '--yes', '-o', 'json']);
    expect([apply.code, places(apply).code]).toEqual([5, 'api.forbidden']);
    expect(apply.stdout).toContain('patch clusters.cluster.x-k8s.io in the namespace default');
    expect((await cluster()).metadata.generation).toBe(before);
  });

  it("puts a profile's layers on, notes them in the cluster, and has nothing to do the second time", async () => {
    await write(
      'notes.yaml',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: harbour-notes, namespace: kube-system}\ndata: {pods: "${cluster.podNetwork}"}\n',
    );
    await write(
      'profile.yaml',
      'apiVersion: trireme.dev/v1alpha1\nkind: ClusterProfile\nmetadata: {name: p}\nspec: {layers: {addons: [{name: notes, manifest: notes.yaml}]}}\n',
    );
    await write('layered.yaml', file({version: 'v1.36.3'}).replace('  controller:', '  profile: {file: profile.yaml}\n  controller:'));
    const first = await ours(['apply', '-f', 'layered.yaml', '--yes', '-o', 'json', '--timeout', '3m']);
    expect(first.code, first.stderr).toBe(0);
    const second = await ours(['apply', '-f', 'layered.yaml', '--yes', '-o', 'json']);
    expect(resultOf<Plain>(second).run.outcome).toBe('unchanged');
  });

  it("makes a cluster from a provider's template in a new namespace, and replaces machines by new templates", async () => {
    const text = (startup: string, version: string) => `apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: sloop}
spec:
  mode: controller
  kubernetes: {version: ${version}}
  controller:
    kubeconfig: ${management.kubeconfig}
    namespace: fleet
    template: {file: ${fixture('cluster-template.yaml')}, variables: {STARTUP: ${startup}}}
    pools: [{name: crew, class: md-0, replicas: 1}]
`;
    await write('sloop.yaml', text('2s', 'v1.35.4'));
    const first = await ours(['apply', '-f', 'sloop.yaml', '--yes', '--timeout', '10m']);
    expect(first.code, first.stderr).toBe(0);
    expect((await ours(['apply', '-f', 'sloop.yaml', '--yes'])).stdout).toContain('sloop: unchanged');
    for (const startup of ['1s', '3s']) {
      await write('sloop.yaml', text(startup, 'v1.36.3'));
      const next = await ours(['apply', '-f', 'sloop.yaml', '--yes', '--timeout', '10m']);
      expect(next.code, next.stderr).toBe(0);
    }
    const machines = JSON.parse(await management.kubectl(['get', 'machines', '-n', 'fleet', '-o', 'json'])) as Plain;
    expect(machines.items.filter(({metadata}: Plain) => metadata.deletionTimestamp === undefined).map(({spec}: Plain) => spec.version)).toEqual([
      'v1.36.3',
      'v1.36.3',
    ]);
    expect((await ours(['apply', '-f', 'sloop.yaml', '--yes'])).stdout).toContain('sloop: unchanged');
  });

  it('plans manifests for docker and AWS that pass a server-side dry run', async () => {
    const kubectl = join(programs('kubernetes', defaultKubernetes), 'kubectl');
    const crds = (
      await run(process.execPath, [fileURLToPath(new URL('../testbed/cluster-api.mjs', import.meta.url)), 'crds', kubectl, 'aws'], {maxBuffer: 1 << 28})
    ).stdout;
    await management.kubectl(['apply', '--server-side', '-f', '-'], {input: crds});
    await management.kubectl(['wait', '--for=condition=Established', 'crd/awsclusters.infrastructure.cluster.x-k8s.io', '--timeout=30s']);
    await mkdir(join(folder, 'clouds'), {recursive: true});
    const aws = join(moduleFolder('capa', 'sigs.k8s.io/cluster-api-provider-aws/v2'), 'templates', 'cluster-template.yaml');
    const docker = join(moduleFolder('cluster-api', 'sigs.k8s.io/cluster-api/test'), 'infrastructure', 'docker', 'templates');
    await management.kubectl(['apply', '-f', '-'], {
      input: (await readFile(join(docker, 'clusterclass-quick-start.yaml'), 'utf8')).replaceAll(/\$\{[A-Z_]+:=([^}]*)\}/g, '$1'),
    });
    await management.kubectl(['wait', '--for=condition=VariablesReady', 'clusterclass/quick-start', '--timeout=60s']);
    const head = (name: string) =>
      `apiVersion: trireme.dev/v1alpha1\nkind: Cluster\nmetadata: {name: ${name}}\nspec:\n  mode: controller\n  kubernetes: {version: v1.35.4}\n  controller:\n    kubeconfig: ${management.kubeconfig}\n`;
    await write(
      'clouds/aws.yaml',
      `${head('brig')}    template:\n      file: ${aws}\n      variables: {AWS_REGION: eu-central-1, AWS_SSH_KEY_NAME: ops, AWS_CONTROL_PLANE_MACHINE_TYPE: t3.large, AWS_NODE_MACHINE_TYPE: t3.large}\n    controlPlane: {replicas: 3}\n    pools: [{name: md-0, class: md-0, replicas: 2}]\n`,
    );
    await write(
      'clouds/docker.yaml',
      `${head('dinghy')}    class: quick-start\n    variables: {podSecurityStandard: {enforce: restricted}}\n    controlPlane: {replicas: 3}\n    pools: [{name: md-0, class: default-worker, replicas: 2}]\n`,
    );
    for (const cloud of ['aws', 'docker']) {
      const ran = await ours(['plan', '-f', `clouds/${cloud}.yaml`, '-o', 'json']);
      expect(ran.code, ran.stdout + ran.stderr).toBe(0);
      const {warnings, result} = JSON.parse(ran.stdout) as Plain;
      expect(warnings.filter(({code}: Plain) => code === 'dry-run.skipped')).toEqual([]);
      expect(result.changes).toBe(true);
    }
    await write('clouds/wrong.yaml', (await readFile(join(folder, 'clouds/aws.yaml'), 'utf8')).replace('AWS_REGION: eu-central-1, ', ''));
    const ran = await ours(['plan', '-f', 'clouds/wrong.yaml', '-o', 'json']);
    expect([ran.code, ran.stdout]).toEqual([3, expect.stringContaining('AWS_REGION')]);
  });
});
