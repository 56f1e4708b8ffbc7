// The production path: one apply on a Debian 13 machine with a kernel of its own, cgroup v2 and the systemd driver, without any override.
// QEMU translates every instruction (no KVM is needed), which is 10 to 30 times slower: only kubeadm's deadlines, and how long the run may take,
// are raised for that. The tests are in order: each goes on where the one before ended.
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {waitFor} from '../../src/kernel/retry.ts';
import {missingPublicPlaces, startPublicPlaces, type PublicPlaces} from '../support/public-places.ts';
import type {Ran} from '../support/trireme.ts';
import {upVm, vmAddress, whyNoVm, type Vm} from '../support/vm.ts';

// emulation wants the whole machine for half an hour: beside anything else its deadlines run out
const reason = process.env['TRIREME_QEMU'] === '1' ? (whyNoVm() ?? missingPublicPlaces()) : 'it needs a quiet machine of its own: TRIREME_QEMU=1';
const minutes = (count: number) => count * 60_000;

let vm: Vm;
let places: PublicPlaces;

const clusterFile = () => ({
  apiVersion: 'trireme.dev/v1alpha1',
  kind: 'Cluster',
  metadata: {name: 'keel'},
  spec: {
    mode: 'agent',
    kubernetes: {distribution: 'kubeadm', version: 'v1.36.3'},
    endpoint: {host: vmAddress},
    profile: {file: 'profile.yaml'},
    configuration: {kubeadm: {timeouts: {controlPlaneComponentHealthCheck: '20m', kubeletHealthCheck: '20m', kubernetesAPICall: '20m'}}},
    bundle: {sources: places.sources},
    agent: {
      ssh: {
        user: 'ops',
        identityFile: join(vm.folder, 'id'),
        knownHosts: [join(vm.folder, 'known_hosts')],
        configFile: join(vm.folder, 'ssh_config'),
        sudo: {password: {fromEnv: 'SUDO_PASSWORD'}},
      },
      hosts: [{name: 'vm', address: 'vm', nodeAddress: vmAddress, role: 'control-plane', taints: []}],
    },
  },
});

/**
 * The layer as a slow machine needs it. flanneld ends when the API's service address doesn't answer, which it does only once kube-proxy has come so far;
 * crashing until then it is started ever more rarely. So it asks the API where it is. And a second isn't enough for an answer to a probe.
 */
function patientFlannel(manifest: string): string {
  const api = [`- {name: KUBERNETES_SERVICE_HOST, value: "${vmAddress}"}`, '- {name: KUBERNETES_SERVICE_PORT, value: "6443"}'];
  return manifest
    .replace(/^( +)- \{name: POD_NAME,/m, (line, indent: string) => `${api.map((one) => `${indent}${one}\n`).join('')}${line}`)
    .replaceAll(/(httpGet: \{[^}]+\},)/g, '$1 timeoutSeconds: 15,');
}

const kubectl = (args: string) => vm.ssh(`kubectl --kubeconfig /etc/kubernetes/admin.conf ${args}`);

function expectCode(ran: Ran, code: number): void {
  expect(ran.code, `${ran.stderr}\n${ran.stdout.slice(-20_000)}`).toBe(code);
}

interface Event {
  readonly type: string;
  readonly at: string;
  readonly title?: string;
  readonly outcome?: string;
  readonly ms?: number;
  readonly line?: string;
}

/** What a run's events say of where its time went: its own steps, and the agent's by the moments at which each began. */
function timesOf(ran: Ran): string {
  const events = ran.stdout.split('\n').flatMap((line) => (line.startsWith('{"') ? [JSON.parse(line) as Event] : []));
  const begun = Date.parse(events[0]?.at ?? '');
  const seconds = (ms: number) => `${(ms / 1000).toFixed(0)} s`.padStart(7);
  return events
    .flatMap((event) => {
      if (event.type === 'step.finished' && event.outcome === 'done') return [`${seconds(event.ms ?? 0)}  ${event.title}`];
      if (event.type === 'step.output' && /^[A-Z][^:[\]]{3,60}$/.test(event.line ?? ''))
        return [`    at ${seconds(Date.parse(event.at) - begun)}  ${event.line}`];
      return [];
    })
    .join('\n');
}

describe.skipIf(reason !== undefined)(`the production path${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  beforeAll(async () => {
    vm = await upVm({lifetime: '2h'});
    places = await startPublicPlaces();
    await mkdir(join(vm.work, 'home'), {recursive: true});
    await writeFile(join(vm.work, 'flannel.yaml'), patientFlannel(await readFile(new URL('../testbed/flannel/kube-flannel.yaml', import.meta.url), 'utf8')));
    const layers = {cni: {name: 'flannel', manifest: 'flannel.yaml'}};
    await vm.write({apiVersion: 'trireme.dev/v1alpha1', kind: 'ClusterProfile', metadata: {name: 'flannel'}, spec: {layers}}, 'profile.yaml');
    await vm.write(clusterFile());
  }, minutes(12));

  afterAll(async () => {
    await places?.close();
    await vm?.down();
  });

  test('preflight finds no error on an ordinary Debian 13', {timeout: minutes(5)}, async () => {
    expectCode(await vm.trireme(['preflight', '-o', 'json']), 0);
    expect(await vm.ssh('stat -fc %T /sys/fs/cgroup')).toBe('cgroup2fs\n');
  });

  test('one apply brings the host to Ready', {timeout: minutes(75)}, async () => {
    const started = Date.now();
    const ran = await vm.trireme(['apply', '--yes', '--timeout', '70m', '-o', 'ndjson'], {timeout: minutes(74)});
    console.log(`apply took ${Math.round((Date.now() - started) / 1000)} s\n${timesOf(ran)}`);
    expectCode(ran, 0);
  });

  test('status --wait says healthy; the node is Ready, and CoreDNS and flannel run', {timeout: minutes(15)}, async () => {
    expectCode(await vm.trireme(['status', '--wait', '--timeout', '10m'], {timeout: minutes(12)}), 0);
    expect(await kubectl(`get node vm -o jsonpath='{.status.conditions[?(@.type=="Ready")].status}'`)).toBe('True');
    const running = async () =>
      (await kubectl("-n kube-system get pods -l k8s-app=kube-dns -o jsonpath='{.items[*].status.phase}'")) === 'Running Running' ? true : undefined;
    expect(await waitFor(running, {timeout: minutes(5), interval: 5000})).toBe(true);
    expect(await kubectl("-n kube-flannel get pods -o jsonpath='{.items[*].status.phase}'")).toBe('Running');
  });

  test('kubelet and containerd use the systemd driver; the control plane takes workloads', {timeout: minutes(5)}, async () => {
    expect(await vm.ssh('grep cgroupDriver /var/lib/kubelet/config.yaml')).toBe('cgroupDriver: systemd\n');
    expect(await vm.ssh('grep SystemdCgroup /etc/containerd/config.toml')).toContain('true');
    expect(await vm.ssh('ls -d /sys/fs/cgroup/kubepods.slice')).toBe('/sys/fs/cgroup/kubepods.slice\n');
    expect(await kubectl("get node vm -o jsonpath='{.spec.taints}'")).toBe('');
  });

  test('a second apply is unchanged', {timeout: minutes(5)}, async () => {
    const ran = await vm.trireme(['apply', '--yes']);
    expectCode(ran, 0);
    expect(ran.stdout).toContain('unchanged');
  });
});
