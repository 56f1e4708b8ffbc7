// The verbs of day two against the embedded management API, which simulates Cluster API's controllers: with a file, and without one. Each test has a
// cluster of its own.
import {chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {verbResult} from '../../../src/commands/base-verb.ts';
import {Redactor} from '../../../src/kernel/redact.ts';
import {waitFor} from '../../../src/kernel/retry.ts';
import {connect} from '../../../src/kube/client.ts';
import type {KubeApi, Resource} from '../../../src/kube/api.ts';
import {listAt, numberAt, textAt, valueAt} from '../../../src/kube/object.ts';
import {startManagement, type ManagementApi} from '../../../src/sandbox/management/management.ts';
import {resultOf, trireme, type Ran} from '../../support/trireme.ts';

const capi = (kind: string, plural: string): Resource => ({group: 'cluster.x-k8s.io', version: 'v1beta2', plural, kind, namespaced: true});
const clusters = capi('Cluster', 'clusters');
const machines = capi('Machine', 'machines');

const fileOf = (name: string) => `# The cluster of the dock. Ask Ada before you touch it.
apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata:
  name: ${name}   # as in DNS
spec:
  mode: controller
  kubernetes: {distribution: kubeadm,   version: v1.35.4}  # see ticket 42
  controller:
    # of the platform team
    class:   in-memory
    controlPlane:
        replicas:    1     # TODO: three
    pools:
    # workers of the shop
    -   name: md-0
        class: default-worker # small ones

        replicas: 2
# the end
`;

describe('day two', {timeout: 240_000}, () => {
  let management: ManagementApi;
  let api: KubeApi;
  let root: string;
  let folder: string;
  let name: string;
  let count = 0;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'trireme-day-two-'));
    management = await startManagement();
    api = await connect({kubeconfig: management.kubeconfig.path, signal: new AbortController().signal, redactor: new Redactor(), warn: () => {}});
  }, 60_000);
  afterAll(async () => {
    api?.close();
    await management?.stop();
    await rm(root, {recursive: true, force: true});
  });
  beforeEach(async () => {
    count += 1;
    name = `dock-${count}`;
    folder = join(root, name);
    await mkdir(folder);
  });

  const run = (args: readonly string[], kubeconfig = management.kubeconfig.path): Promise<Ran> =>
    trireme(args, {cwd: folder, env: {HOME: root, XDG_STATE_HOME: join(root, 'state'), KUBECONFIG: kubeconfig}});
  const good = async (...args: readonly string[]): Promise<Ran> => {
    const ran = await run(args);
    expect(`${ran.code} ${ran.stderr}`).toMatch(/^0 /);
    return ran;
  };
  const file = () => readFile(join(folder, 'trireme.yaml'), 'utf8');
  const withFile = async () => {
    await writeFile(join(folder, 'trireme.yaml'), fileOf(name));
    await good('apply', '--yes');
  };
  const withoutFile = async () => {
    await withFile();
    await rm(join(folder, 'trireme.yaml'));
    await rm(join(root, 'state'), {recursive: true, force: true});
  };
  const cluster = () => api.get(clusters, {namespace: 'default', name});
  const workers = async () =>
    (await api.list(machines, {namespace: 'default', labelSelector: `cluster.x-k8s.io/cluster-name=${name},!cluster.x-k8s.io/control-plane`})).items.map(
      (one) => one.metadata.name,
    );
  const unchanged = async () => expect(resultOf<{run: {outcome: string}}>(await good('apply', '--yes', '-o', 'json')).run.outcome).toBe('unchanged');

  it('changes the file and then the cluster, keeps every comment, and leaves the next apply nothing to do', async () => {
    await withFile();
    const ran = await good('cluster', 'scale', 'md-0=3', '--control-plane', '3', '--yes', '--wait', '--timeout', '60s');
    expect(ran.stderr).toContain('-        replicas:    1     # TODO: three\n+        replicas:    3     # TODO: three');
    expect(await file()).toBe(fileOf(name).replace('replicas:    1', 'replicas:    3').replace('replicas: 2', 'replicas: 3'));
    expect(numberAt(await cluster(), 'status', 'workers', 'availableReplicas')).toBe(3);
    await unchanged();
    await good('cluster', 'upgrade', '--to', 'v1.36.3', '--yes', '--wait', '--timeout', '60s');
    expect(await file()).toContain('kubernetes: {distribution: kubeadm,   version: v1.36.3}  # see ticket 42');
    await unchanged();
    const [victim = ''] = await workers();
    await good('machine', 'delete', victim, '--yes', '--wait', '--timeout', '60s');
    expect(await workers()).toHaveLength(2);
    expect(await workers()).not.toContain(victim);
    expect(await file()).toContain('        class: default-worker # small ones\n\n        replicas: 2\n# the end\n');
    await unchanged();
  });

  it('shows the diff and writes nothing in a dry run, and keeps the mode of the file when it writes', async () => {
    await withFile();
    await chmod(join(folder, 'trireme.yaml'), 0o640);
    const dry = verbResult.parse(resultOf(await good('cluster', 'scale', 'md-0=3', '--dry-run', '-o', 'json')));
    expect(dry).toMatchObject({run: null, file: {written: false, diff: expect.stringContaining('+        replicas: 3')}});
    expect(await file()).toBe(fileOf(name));
    const done = verbResult.parse(resultOf(await good('cluster', 'scale', 'md-0=3', '--yes', '-o', 'json')));
    expect(done).toMatchObject({run: {outcome: 'succeeded'}, file: {written: true}});
    expect((await stat(join(folder, 'trireme.yaml'))).mode & 0o777).toBe(0o640);
  });

  it('leaves the file as it was when the plan is refused', async () => {
    await withFile();
    for (const args of [
      ['cluster', 'upgrade', '--to', 'v1.34.0', '--yes'],
      ['cluster', 'upgrade', '--to', 'v1.38.0', '--yes'],
      ['cluster', 'scale', '--control-plane', '2', '--yes'],
      ['cluster', 'scale', 'md-9=1', '--yes'],
      ['cluster', 'scale', 'md-0=3', '--control-plane', '4', '--yes'],
    ])
      expect(`${args.join(' ')}: ${(await run(args)).code}`).toMatch(/: [23]$/);
    expect(await file()).toBe(fileOf(name));
    expect(valueAt(listAt(await cluster(), 'spec', 'topology', 'workers', 'machineDeployments')[0], 'replicas')).toBe(2);
  });

  it('asks before it does anything, and names the flag where nobody can be asked', async () => {
    await withFile();
    const ran = await run(['cluster', 'scale', 'md-0=3']);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('--yes');
    expect((await run(['cluster', 'delete', '--yes'])).stderr).toContain('--confirm NAME');
    expect(await file()).toBe(fileOf(name));
  });

  it('finds the file of a cluster that is known, from anywhere', async () => {
    await withFile();
    const elsewhere = await trireme(['cluster', 'scale', name, 'md-0=4', '--yes'], {
      cwd: root,
      env: {HOME: root, XDG_STATE_HOME: join(root, 'state'), KUBECONFIG: management.kubeconfig.path},
    });
    expect(`${elsewhere.code} ${elsewhere.stderr}`).toMatch(/^0 /);
    expect(await file()).toContain('replicas: 4');
  });

  it('changes the live objects where no file is known, and says so', async () => {
    await withoutFile();
    const ran = await good('cluster', 'scale', name, 'md-0=3', '--yes', '--wait', '--timeout', '60s');
    expect(ran.stderr).toContain(`No file is known for ${name}`);
    expect(await workers()).toHaveLength(3);
    await good('cluster', 'upgrade', name, '--to', 'v1.36.3', '--yes', '--wait', '--timeout', '60s');
    expect(textAt(await cluster(), 'spec', 'topology', 'version')).toBe('v1.36.3');
    expect((await run(['cluster', 'upgrade', name, '--to', 'v1.35.9', '--yes'])).code).toBe(3);
  });

  it('pauses and resumes, confirmed by every object, and deletes only what is not paused', async () => {
    await withoutFile();
    await good('cluster', 'pause', name, '--yes');
    expect(valueAt(await cluster(), 'spec', 'paused')).toBe(true);
    expect((await run(['cluster', 'delete', name, '--confirm', name])).stderr).toContain('is paused');
    await good('cluster', 'resume', name, '--yes');
    expect(valueAt(await cluster(), 'spec', 'paused')).not.toBe(true);
    expect((await run(['cluster', 'delete', name, '--confirm', 'other'])).code).toBe(5);
    await good('cluster', 'delete', name, '--confirm', name, '--timeout', '60s');
    expect(await cluster()).toBeUndefined();
    expect(await workers()).toEqual([]);
  });

  it('has machines made anew, one by one and a whole pool', async () => {
    await withoutFile();
    for (const how of ['remediate', 'replace']) {
      const [worker = ''] = await workers();
      await good('machine', how, worker, '-c', name, '--yes', '--wait', '--timeout', '60s');
      expect(await workers()).not.toContain(worker);
    }
    const before = await workers();
    // machines know their age to the second, and so does rollout.after
    const second = Math.floor(Date.now() / 1000);
    await waitFor(async () => (Math.floor(Date.now() / 1000) > second ? true : undefined), {timeout: 2000, interval: 20});
    await good('cluster', 'restart', name, '--pool', 'md-0', '--yes', '--wait', '--timeout', '60s');
    const after = await workers();
    expect(after).toHaveLength(2);
    expect(after.filter((one) => before.includes(one))).toEqual([]);
  });

  it('refuses somebody who may only read before it begins, naming the right', async () => {
    await withoutFile();
    const reader = await management.addUser(`reader-${count}`);
    const before = (await cluster())?.metadata.resourceVersion;
    for (const args of [
      ['cluster', 'scale', name, 'md-0=3', '--yes'],
      ['cluster', 'upgrade', name, '--to', 'v1.36.3', '--yes'],
      ['cluster', 'restart', name, '--yes'],
      ['cluster', 'pause', name, '--yes'],
      ['cluster', 'delete', name, '--confirm', name],
    ]) {
      const ran = await run(args, reader.kubeconfig.path);
      expect(`${args.join(' ')}: ${ran.code} ${ran.stderr}`).toMatch(/: 5 [^]*(patch|delete) clusters\.cluster\.x-k8s\.io dock-\d+ in namespace default/);
    }
    expect((await cluster())?.metadata.resourceVersion).toBe(before);
  });

  it('says SIMULATED, because nothing of it is real', async () => {
    await withFile();
    expect((await good('cluster', 'scale', 'md-0=3', '--yes')).stdout).toContain('SIMULATED');
  });
});
