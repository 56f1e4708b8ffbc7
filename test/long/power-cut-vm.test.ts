// A power cut of a machine that has a kernel and a disk cache of its own: what was told to be there is there after the boot, whole. A killed container
// can't show that: its writes are in the memory of a computer that goes on. The tests are in order.
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {missingPublicPlaces, startPublicPlaces, type PublicPlaces} from '../support/public-places.ts';
import type {Ran} from '../support/trireme.ts';
import {upVm, vmAddress, whyNoVm, type Vm} from '../support/vm.ts';

// translated by QEMU, boots and pushes take minutes, and more beside anything else
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

const content = '/var/lib/trireme/content/sha256';

/** Every blob that has its name has its content; nothing else of ours is empty. */
async function expectWhole(): Promise<void> {
  const broken = await vm.ssh(
    `cd ${content} && for f in *; do [ ! -f "$f" ] || echo "$f  $f"; done | sha256sum --quiet -c - 2>&1
     find /usr/local/lib/trireme /etc/systemd/system/trireme-agent.service /var/lib/trireme -type f -empty ! -name 'e3b0c44298fc1c14*' ! -name '.*' 2>/dev/null; true`,
  );
  expect(broken).toBe('');
}

const blobs = async () => Number(await vm.ssh(`ls ${content} | wc -l`));

describe.skipIf(reason !== undefined)(`a power cut of a machine in QEMU${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  beforeAll(async () => {
    vm = await upVm({lifetime: '90m'});
    places = await startPublicPlaces();
    await mkdir(vm.work, {recursive: true});
    await writeFile(join(vm.work, 'flannel.yaml'), await readFile(new URL('../testbed/flannel/kube-flannel.yaml', import.meta.url), 'utf8'));
    const layers = {cni: {name: 'flannel', manifest: 'flannel.yaml'}};
    await vm.write({apiVersion: 'trireme.dev/v1alpha1', kind: 'ClusterProfile', metadata: {name: 'flannel'}, spec: {layers}}, 'profile.yaml');
    await vm.write(clusterFile());
  }, minutes(20));
  afterAll(async () => {
    await places?.close();
    await vm?.down();
  });

  test(
    'in the push: the run names the host and what to do, and what has its name is whole',
    async () => {
      const running = vm.start(['apply', '--yes', '-o', 'ndjson'], {timeout: minutes(30)});
      // a third of it has arrived
      await running.saw((text) => text.split('\n').some((line) => hasSent(line, 1 / 3)));
      await vm.powerCut();
      await vm.powerOn();
      const ran = await running.ended;
      expect(ran.code, ran.stderr.slice(-4000)).toBe(4);
      expect(problemOf(ran)).toMatchObject({host: 'vm', hints: [expect.stringContaining('trireme host check vm'), expect.stringContaining('again')]});
      await expectWhole();
    },
    minutes(40),
  );

  test(
    'in the moment in which the agent answers: it runs again after the boot, and nothing has to be sent again',
    async () => {
      const running = vm.start(['apply', '--resume', '--yes', '-o', 'ndjson'], {timeout: minutes(30)});
      await running.saw((text) => /"type":"step.finished","step":"agent:vm"/.test(text));
      const before = await blobs();
      await vm.powerCut();
      await vm.powerOn();
      await running.ended;
      await expect.poll(() => vm.ssh('/usr/local/bin/trireme-agent answers 2>&1 || true'), {timeout: minutes(5), interval: 2000}).toMatch(/answers/);
      await expectWhole();
      expect(await blobs()).toBe(before);
    },
    minutes(40),
  );
});

function hasSent(line: string, share: number): boolean {
  if (!line.startsWith('{"') || !line.includes('"transfer.progressed","host":"vm"')) return false;
  const {sent, total} = JSON.parse(line) as {sent: number; total: number};
  return sent > total * share;
}

/** Of the last line of an `-o ndjson` run. */
function problemOf(ran: Ran): unknown {
  return (JSON.parse(ran.stdout.trim().split('\n').at(-1) ?? '') as {problem: unknown}).problem;
}
