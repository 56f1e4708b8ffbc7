// The full ring: agent mode makes a cluster of one host, `provider init` makes a management cluster of it, and that one makes a ClusterClass cluster.
// cert-manager and the Cluster API managers run as pods there; their images came with the bundle, since the host reaches no registry.
import {execFile} from 'node:child_process';
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {stringify} from 'yaml';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {waitFor} from '../../src/kernel/retry.ts';
import {certManagerImages, defaultKubernetes, isBuilt, managerImages, programs, versions} from '../testbed/parts.mjs';
import {bedConfiguration, upBed, whyNoBed, type Bed} from '../support/bed.ts';
import {missingPublicPlaces, startPublicPlaces, type PublicPlaces} from '../support/public-places.ts';
import {missingRepository, startRepository, type Repository} from '../support/repository.ts';
import {resultOf, type Ran} from '../support/trireme.ts';

const run = promisify(execFile);
const images: readonly string[] = [...Object.values<string>(managerImages), ...Object.values<string>(certManagerImages)];
const reason =
  whyNoBed() ??
  missingPublicPlaces() ??
  (await missingRepository()) ??
  (isBuilt('cert-manager', versions.certManager, 'controller') ? undefined : "cert-manager isn't built. Try: test/testbed/build.sh cert-manager");

interface Condition {
  readonly type: string;
  readonly status: string;
}
interface Item {
  readonly metadata: {readonly name: string; readonly namespace: string};
  readonly status?: {readonly conditions?: readonly Condition[]; readonly readyReplicas?: number};
}

/** Keeps the images in the cluster's content without running anything. */
const holder = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {name: 'provider-images', namespace: 'default'},
  spec: {
    replicas: 0,
    selector: {matchLabels: {app: 'provider-images'}},
    template: {metadata: {labels: {app: 'provider-images'}}, spec: {containers: images.map((image, at) => ({name: `image-${at}`, image}))}},
  },
};

const workload = {
  apiVersion: 'cluster.x-k8s.io/v1beta2',
  kind: 'Cluster',
  metadata: {name: 'skiff', namespace: 'default'},
  spec: {
    clusterNetwork: {services: {cidrBlocks: ['10.128.0.0/12']}, pods: {cidrBlocks: ['192.168.0.0/16']}},
    topology: {
      classRef: {name: 'in-memory'},
      version: 'v1.35.4',
      controlPlane: {replicas: 1},
      workers: {machineDeployments: [{class: 'default-worker', name: 'md-0', replicas: 3}]},
    },
  },
};

describe.skipIf(reason !== undefined)(`the full ring${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let bed: Bed;
  let places: PublicPlaces;
  let repository: Repository;
  let kubeconfig: string;

  const kubectl = async (...args: readonly string[]) =>
    (await run(join(programs('kubernetes', defaultKubernetes), 'kubectl'), ['--kubeconfig', kubeconfig, ...args], {maxBuffer: 1 << 26})).stdout;
  const items = async (...args: readonly string[]) => (JSON.parse(await kubectl('get', ...args, '-o', 'json')) as {items: Item[]}).items;
  const init = ['provider', 'init', '--infrastructure', 'docker', '--yes', '--timeout', '8m'];
  const env = () => ({TRIREME_KUBECONFIG: kubeconfig, TRIREME_CONFIG: repository.config});
  const expectCode = (ran: Ran, code: number) => expect(ran.code, `${ran.stderr}\n${ran.stdout}`).toBe(code);

  beforeAll(async () => {
    bed = await upBed({hosts: 1, bed: 57});
    [places, repository] = await Promise.all([startPublicPlaces(), startRepository()]);
    await mkdir(bed.home, {recursive: true});
    kubeconfig = join(bed.work, 'kubeconfig');
    await writeFile(join(bed.work, 'flannel.yaml'), await readFile(new URL('../testbed/flannel/kube-flannel.yaml', import.meta.url), 'utf8'));
    await writeFile(join(bed.work, 'images.yaml'), stringify(holder));
    const layers = {cni: {name: 'flannel', manifest: 'flannel.yaml'}, addons: [{name: 'provider-images', manifest: 'images.yaml'}]};
    await bed.write({apiVersion: 'trireme.dev/v1alpha1', kind: 'ClusterProfile', metadata: {name: 'flannel'}, spec: {layers}}, 'profile.yaml');
    await bed.write({
      apiVersion: 'trireme.dev/v1alpha1',
      kind: 'Cluster',
      metadata: {name: 'harbour'},
      spec: {
        mode: 'agent',
        kubernetes: {distribution: 'kubeadm', version: defaultKubernetes},
        endpoint: {host: bed.address(1)},
        profile: {file: 'profile.yaml'},
        configuration: bedConfiguration,
        bundle: {sources: places.sources},
        agent: {
          ssh: {
            user: 'ops',
            identityFile: join(bed.folder, 'id'),
            knownHosts: [join(bed.folder, 'known_hosts')],
            configFile: join(bed.folder, 'ssh_config'),
            sudo: {password: {fromEnv: 'SUDO_PASSWORD'}},
          },
          preflight: {ignore: ['cgroup-v2']},
          hosts: [{name: 'h1', address: bed.address(1), role: 'control-plane', taints: []}],
        },
      },
    });
  });

  afterAll(async () => {
    await places?.close();
    await repository?.stop();
    await bed?.down();
  });

  test('agent mode makes a cluster of one host, with the providers’ images in its content', async () => {
    expectCode(await bed.trireme(['apply', '--yes']), 0);
    const fetched = await bed.trireme(['cluster', 'kubeconfig']);
    expectCode(fetched, 0);
    await writeFile(kubeconfig, fetched.stdout, {mode: 0o600});
    const there = await bed.ssh(1, 'ctr -n k8s.io images ls -q');
    for (const image of images) expect(there).toContain(`${image}\n`);
  });

  test('provider init, killed in the middle, goes on; its end is controllers that run and webhooks that answer', async () => {
    const started = Date.now();
    const running = bed.start(init, {env: env()});
    await running.saw(/cluster-api: ✔ Make its kinds/);
    running.kill('SIGKILL');
    await running.ended;
    expect((await items('providers', '-A')).length).toBeLessThan(4);
    expectCode(await bed.trireme(['provider', 'init', '--resume', '--yes', '--timeout', '8m'], {env: env()}), 0);
    console.log(`provider init, with a kill in between: ${Math.round((Date.now() - started) / 1000)} s`);
    const deployments = (await items('deployments', '-A')).filter(({metadata}) => /^(cap|cert-manager)/.test(metadata.namespace));
    expect(deployments).toHaveLength(7);
    for (const {metadata, status} of deployments) expect(status?.readyReplicas, metadata.name).toBe(1);
    const again = await bed.trireme([...init, '-o', 'json'], {env: env()});
    expectCode(again, 0);
    expect(resultOf<{run: {outcome: string}}>(again).run.outcome).toBe('unchanged');
  });

  test('clusterctl upgrade plan and provider list agree', async () => {
    const listed = await bed.trireme(['provider', 'list', '-o', 'json'], {env: env()});
    expectCode(listed, 0);
    const ours = resultOf<{providers: {provider: string; namespace: string; version: string; newest: string | null; health: string}[]}>(listed).providers;
    const {stdout} = await run(join(programs('cluster-api', versions.clusterApi), 'clusterctl'), ['upgrade', 'plan', '--config', repository.config], {
      env: {PATH: process.env['PATH'], HOME: bed.home, KUBECONFIG: kubeconfig, CLUSTERCTL_DISABLE_VERSIONCHECK: 'true'},
    });
    const theirs = stdout.split('\n').flatMap((line) => {
      const [name = '', namespace = '', type = '', version = ''] = line.trim().split(/\s+/);
      return type.endsWith('Provider') ? [[name, namespace, version]] : [];
    });
    expect(theirs).toHaveLength(4);
    expect(ours.map(({provider, namespace, version}) => [provider, namespace, version]).toSorted()).toEqual(theirs.toSorted());
    expect(stdout).toContain('already up to date');
    expect(ours.map(({newest, health}) => [newest, health])).toEqual(Array(4).fill([null, 'healthy']));
  });

  test('a ClusterClass cluster becomes Available there', async () => {
    const started = Date.now();
    const file = join(bed.work, 'skiff.yaml');
    await writeFile(file, stringify(workload));
    await kubectl('apply', '-n', 'default', '-f', join(repository.root, 'infrastructure-docker', versions.clusterApi, 'clusterclass-in-memory.yaml'));
    await kubectl('apply', '-f', file);
    const isTrue = ({status}: Item, type: string) => status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') === true;
    await waitFor(async () => ((await items('clusters')).every((cluster) => isTrue(cluster, 'Available')) ? true : undefined), {
      timeout: 400_000,
      interval: 2000,
    });
    console.log(`from apply to Available: ${Math.round((Date.now() - started) / 1000)} s`);
    // the control plane is available before its machine is Ready: that has conditions of its own
    await expect
      .poll(async () => (await items('machines')).map((machine) => isTrue(machine, 'Ready')), {timeout: 120_000, interval: 2000})
      .toEqual([true, true, true, true]);
  });
});
