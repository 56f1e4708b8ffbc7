import {createHash} from 'node:crypto';
import {mkdir, readFile, stat, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import {create} from 'tar';
import {installStep} from '../../../src/agentd/distributions/kubeadm/install.ts';
import {kubeletService} from '../../../src/agentd/distributions/kubeadm/kubelet-service.ts';
import {blobPath, content} from '../../../src/agentd/reconcilers/content.ts';
import {files} from '../../../src/agentd/reconcilers/files.ts';
import {sysctls, wantedSysctls} from '../../../src/agentd/reconcilers/sysctls.ts';
import type {AgentStep, Reconciler, Target} from '../../../src/agentd/reconciler.ts';
import type {ContentItem, WantedFile} from '../../../src/hostcluster/protocol.ts';
import {targetFixture, wantedFixture, type TargetFixture} from './agentd-fixture.ts';

let fixture: TargetFixture;
afterEach(() => fixture.remove());

const signal = new AbortController().signal;
const context = (target: Target) => ({scope: target, signal, stopping: signal, emit: () => {}});

/** Runs what is needed; returns the ids of the steps that were. */
async function run(steps: readonly AgentStep[], target: Target): Promise<readonly string[]> {
  const done: string[] = [];
  for (const step of steps) {
    if ((await step.check(context(target))) === 'satisfied') continue;
    await step.apply(context(target));
    done.push(step.id);
  }
  return done;
}
const reconcile = async (reconciler: Reconciler, target: Target) => run(await reconciler.steps(target), target);

async function putBlob(bytes: Buffer, name: string, kind: ContentItem['kind']): Promise<ContentItem> {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const path = fixture.target.host.path(blobPath(digest));
  await mkdir(dirname(path), {recursive: true});
  await writeFile(path, bytes);
  return {name, kind, digest, size: bytes.length};
}
const withWanted = (over: Parameters<typeof wantedFixture>[0]): Target => ({...fixture.target, wanted: {...fixture.target.wanted, ...over}});

describe('content', () => {
  it('waits for what is missing, verifies what is there, and removes what is damaged', async () => {
    fixture = await targetFixture();
    const item = await putBlob(Buffer.from('kubeadm'), 'kubeadm', 'binary');
    const missing = {...item, name: 'runc', digest: `sha256:${'0'.repeat(64)}`};
    expect(await content.waitsFor?.(withWanted({content: [item, missing]}), signal)).toBe("the operator's push of 1 item: runc");
    const target = withWanted({content: [item]});
    expect(await content.waitsFor?.(target, signal)).toBeUndefined();
    expect(await reconcile(content, target)).toHaveLength(1);
    expect(await reconcile(content, target)).toEqual([]);
    await writeFile(target.host.path(blobPath(item.digest)), 'tampered');
    await expect(reconcile(content, target)).rejects.toMatchObject({code: 'bundle.damaged'});
    expect(await content.waitsFor?.(target, signal)).toContain('kubeadm');
  });
});

describe('files', () => {
  const file = (path: string, text: string): WantedFile => ({path, content: text, mode: '0640', owner: 'root:root'});

  it('writes, repairs mode and text, and removes only what was not there before', async () => {
    fixture = await targetFixture();
    const {host} = fixture.target;
    await host.write('/etc/there', 'before\n');
    const target = withWanted({files: [file('/etc/there', 'ours\n'), file('/etc/new', 'ours\n')]});
    await reconcile(files, target);
    expect(await reconcile(files, target)).toEqual([]);
    expect((await stat(host.path('/etc/new'))).mode & 0o777).toBe(0o640);
    await host.write('/etc/new', 'other\n', '0644');
    expect(await reconcile(files, target)).toEqual(['file:/etc/new']);
    await reconcile(files, withWanted({files: []}));
    expect([await host.read('/etc/there'), await host.read('/etc/new')]).toEqual(['ours\n', undefined]);
    expect(await reconcile(files, withWanted({files: []}))).toEqual([]);
  });
});

describe('sysctls', () => {
  it("has Kubernetes' own with the user's over them, and IPv6 forwarding with two pod networks", async () => {
    fixture = await targetFixture();
    const wanted = wantedFixture({
      network: {...wantedFixture().network, pods: ['10.244.0.0/16', 'fd00::/56']},
      configuration: {...wantedFixture().configuration, sysctls: {'net.ipv4.ip_forward': '1', 'net.core.somaxconn': '4096'}},
    });
    expect(wantedSysctls(wanted)).toMatchObject({'net.ipv6.conf.all.forwarding': '1', 'net.core.somaxconn': '4096'});
  });

  it('writes the drop-in and the running value, and sees when either goes', async () => {
    fixture = await targetFixture();
    const {host} = fixture.target;
    await reconcile(sysctls, fixture.target);
    expect(await host.read('/proc/sys/net/ipv4/ip_forward')).toBe('1\n');
    await host.write('/proc/sys/net/ipv4/ip_forward', '0\n');
    await host.remove('/etc/sysctl.d/90-trireme.conf');
    expect(await reconcile(sysctls, fixture.target)).toEqual(['file:/etc/sysctl.d/90-trireme.conf', 'sysctl:net.ipv4.ip_forward']);
  });
});

describe('installing programs', () => {
  it('takes the programs out of an archive, sees a changed one, and replaces it for another digest', async () => {
    fixture = await targetFixture();
    const {host} = fixture.target;
    const source = join(fixture.root, 'source');
    await mkdir(join(source, 'bin'), {recursive: true});
    await writeFile(join(source, 'bin', 'containerd'), 'v1');
    await writeFile(join(source, 'README.md'), 'no program');
    const archive = async () => {
      await create({cwd: source, gzip: true, file: join(fixture.root, 'archive.tgz')}, ['.']);
      return readFile(join(fixture.root, 'archive.tgz'));
    };
    const item = await putBlob(await archive(), 'containerd', 'archive');
    const steps = [installStep(item, () => '/usr/local/bin')];
    await run(steps, fixture.target);
    expect((await stat(host.path('/usr/local/bin/containerd'))).mode & 0o777).toBe(0o755);
    expect(await host.exists('/usr/local/bin/README.md')).toBe(false);
    expect(await run(steps, fixture.target)).toEqual([]);
    await writeFile(host.path('/usr/local/bin/containerd'), 'tampered');
    expect(await steps[0]?.found?.(fixture.target)).toBe('/usr/local/bin/containerd was changed');
    await run(steps, fixture.target);
    expect(await readFile(host.path('/usr/local/bin/containerd'), 'utf8')).toBe('v1');
    await writeFile(join(source, 'bin', 'containerd'), 'v2');
    await run([installStep(await putBlob(await archive(), 'containerd', 'archive'), () => '/usr/local/bin')], fixture.target);
    expect(await readFile(host.path('/usr/local/bin/containerd'), 'utf8')).toBe('v2');
  });
});

describe("the kubelet's service", () => {
  it("keeps kubeadm's own fields, takes back an override that is wanted no more, and restarts only for a change", async () => {
    fixture = await targetFixture();
    const {host} = fixture.target;
    await host.write('/var/lib/kubelet/config.yaml', 'kind: KubeletConfiguration\nresolvConf: /run/systemd/resolve/resolv.conf\n');
    const withKubelet = (kubelet: Record<string, unknown>) => withWanted({configuration: {...wantedFixture().configuration, kubelet}});
    expect(await reconcile(kubeletService, withKubelet({maxPods: 50}))).toEqual(['kubelet-config', 'service:kubelet.service']);
    expect(await host.read('/var/lib/kubelet/config.yaml')).toMatch(/resolvConf: \/run\/systemd\/resolve\/resolv.conf[\s\S]*maxPods: 50/);
    expect(await reconcile(kubeletService, withKubelet({maxPods: 50}))).toEqual([]);
    expect(await reconcile(kubeletService, withKubelet({}))).toEqual(['kubelet-config', 'service:kubelet.service']);
    expect(await host.read('/var/lib/kubelet/config.yaml')).not.toContain('maxPods');
    await host.remove('/run/systemd/running/kubelet.service');
    expect(await reconcile(kubeletService, withKubelet({}))).toEqual(['service:kubelet.service']);
  });
});
