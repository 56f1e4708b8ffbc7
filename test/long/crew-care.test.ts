// The second year of a real cluster, in a quarter of an hour: its certificates are about to end, then have ended; then all its hosts are lost, and it comes
// back from a backup on others. No clock is moved: certificates are short-lived instead. The tests are in order: each goes on where the one before ended.
import {mkdir, readFile, stat, writeFile} from 'node:fs/promises';
import {request} from 'node:https';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {waitFor} from '../../src/kernel/retry.ts';
import {bedConfiguration, upBed, whyNoBed, type Bed} from '../support/bed.ts';
import {missingPublicPlaces, startPublicPlaces, type PublicPlaces} from '../support/public-places.ts';
import {resultOf, type Ran} from '../support/trireme.ts';

const reason = whyNoBed() ?? missingPublicPlaces();
const day = 24 * 60 * 60 * 1000;
const passphrase = 'canary passphrase 7f3c';

let bed: Bed;
let places: PublicPlaces;

interface Certificate {
  readonly host: string;
  readonly name: string;
  readonly notAfter: string;
  readonly renewedBy: string;
  readonly state: string;
}

interface Shown {
  readonly certificates: readonly Certificate[];
  readonly authorities: readonly {readonly name: string; readonly hosts: readonly string[]}[];
  readonly renewal?: {readonly run: {readonly outcome: string} | null};
}

function clusterFile(options: {readonly kubeadm?: object; readonly controlPlanes?: readonly number[]; readonly workers?: readonly number[]} = {}) {
  const {controlPlanes = [1, 2, 3], workers = [4]} = options;
  const host = (index: number, role: string) => ({name: `h${index}`, address: bed.address(index), role});
  return {
    apiVersion: 'trireme.dev/v1alpha1',
    kind: 'Cluster',
    metadata: {name: 'berth'},
    spec: {
      mode: 'agent',
      kubernetes: {distribution: 'kubeadm', version: 'v1.36.3'},
      endpoint: {host: bed.address(controlPlanes[0] as number)},
      profile: {file: 'profile.yaml'},
      configuration: {...bedConfiguration, kubeadm: {...bedConfiguration.kubeadm, ...options.kubeadm}},
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
        hosts: [...controlPlanes.map((index) => host(index, 'control-plane')), ...workers.map((index) => host(index, 'worker'))],
      },
    },
  };
}

const kubectl = (script: string, on = 1) => bed.ssh(on, `kubectl --kubeconfig /etc/kubernetes/admin.conf ${script}`);

function expectCode(ran: Ran, code: number): void {
  expect(ran.code, `${ran.stderr}\n${ran.stdout}`).toBe(code);
}

const certificates = async (): Promise<Shown> => resultOf<Shown>(await bed.trireme(['cluster', 'certificates', '-o', 'json']));
const ours = ({certificates: all}: Shown) => all.filter((one) => one.renewedBy === 'agent');
const daysLeft = (one: Certificate) => (Date.parse(one.notAfter) - Date.now()) / day;

/** Asks every API server for /livez, ten times a second, until it is told to stop. */
function watchApi(indexes: readonly number[]) {
  const answers = new Map(indexes.map((index) => [index, true]));
  const downSince = new Map<number, number>();
  const gaps = new Map<number, number>(indexes.map((index) => [index, 0]));
  let most = 0;
  const ask = (index: number) =>
    new Promise<boolean>((resolve) => {
      // one that is only slow, beside others that start, is not away
      const sent = request({host: bed.address(index), port: 6443, path: '/livez', rejectUnauthorized: false, timeout: 5000, agent: false}, (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      });
      sent.on('timeout', () => sent.destroy());
      sent.on('error', () => resolve(false));
      sent.end();
    });
  let isOver = false;
  const look = async (index: number) => {
    while (!isOver) {
      const isUp = await ask(index);
      const now = performance.now();
      if (isUp) {
        const since = downSince.get(index);
        if (since !== undefined) gaps.set(index, Math.max(gaps.get(index) ?? 0, now - since));
        downSince.delete(index);
      } else if (!downSince.has(index)) downSince.set(index, now);
      answers.set(index, isUp);
      most = Math.max(most, [...answers.values()].filter((one) => !one).length);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const looking = Promise.all(indexes.map(look));
  return {
    stop: async () => {
      isOver = true;
      await looking;
      return {mostDown: most, gaps: [...gaps].map(([index, ms]) => `h${index} ${(ms / 1000).toFixed(1)} s`).join(', ')};
    },
  };
}

/** Has kubeadm sign everything of a control plane anew for a minute and a half; its kubelet's, too. The components run on with what they have read. */
const shorten = (index: number, node: string) => `set -e
mkdir -p /root/short && cd /root/short
cat > config.yaml <<'C'
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
nodeRegistration: {name: ${node}}
localAPIEndpoint: {advertiseAddress: ${bed.address(index)}}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.36.3
controlPlaneEndpoint: ${bed.address(1)}:6443
certificateValidityPeriod: 1m30s
C
kubeadm init phase kubeconfig kubelet --config config.yaml --kubeconfig-dir /root/short >/dev/null
grep client-certificate-data kubelet.conf | awk '{print $2}' | base64 -d > pem; grep client-key-data kubelet.conf | awk '{print $2}' | base64 -d >> pem`;
const useShortPem = 'umask 077; cp /root/short/pem /var/lib/kubelet/pki/kubelet-client-short.pem; ln -sfn /var/lib/kubelet/pki/kubelet-client-short.pem /var/lib/kubelet/pki/kubelet-client-current.pem';

describe.skipIf(reason !== undefined)(`care for a real cluster${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  beforeAll(async () => {
    bed = await upBed({hosts: 6});
    places = await startPublicPlaces();
    await mkdir(bed.home, {recursive: true});
    await writeFile(join(bed.work, 'flannel.yaml'), await readFile(new URL('../testbed/flannel/kube-flannel.yaml', import.meta.url), 'utf8'));
    const layers = {cni: {name: 'flannel', manifest: 'flannel.yaml'}};
    await bed.write({apiVersion: 'trireme.dev/v1alpha1', kind: 'ClusterProfile', metadata: {name: 'flannel'}, spec: {layers}}, 'profile.yaml');
  });

  afterAll(async () => {
    await places?.close();
    await bed?.down();
  });

  test('a cluster whose certificates live for 20 days tells so, and renews none of them before its time', async () => {
    await bed.write(clusterFile({kubeadm: {certificateValidityPeriod: '480h0m0s'}}));
    expectCode(await bed.trireme(['apply', '--yes']), 0);
    const shown = await certificates();
    expect(ours(shown).length).toBeGreaterThanOrEqual(30);
    for (const one of ours(shown)) expect(daysLeft(one), `${one.host} ${one.name}`).toBeLessThan(20.1);
    expect(shown.certificates.every((one) => one.state === 'valid')).toBe(true);
    expect(shown.authorities.find((one) => one.name === 'ca')?.hosts).toEqual(['h1', 'h2', 'h3', 'h4']);
    const renewed = await bed.trireme(['cluster', 'certificates', '--renew', '--yes']);
    expectCode(renewed, 0);
    expect(renewed.stdout).toContain('unchanged');
  });

  test('etcd and its members are in the status', async () => {
    const view = resultOf<{etcd?: {name: string; healthy: boolean; leader: boolean}[]}>(await bed.trireme(['status', '-o', 'json']));
    expect(view.etcd?.map((one) => [one.name, one.healthy])).toEqual([['h1', true], ['h2', true], ['h3', true]]);
    expect(view.etcd?.filter((one) => one.leader).length).toBe(1);
  });

  test('20 days before their end, where certificates live for a year, the agents renew them host by host, and the API stays', async () => {
    await bed.write(clusterFile());
    const watch = watchApi([1, 2, 3]);
    const started = Date.now();
    const ran = await bed.trireme(['apply', '--yes']);
    const renewed = await waitFor(async () => (ours(await certificates()).every((one) => daysLeft(one) > 300) ? true : undefined), {timeout: 600_000, interval: 5000});
    const took = Math.round((Date.now() - started) / 1000);
    const {mostDown, gaps} = await watch.stop();
    console.log(`renewed on three control planes in ${took} s; longest time without an answer: ${gaps}; API servers away at once: at most ${mostDown}`);
    expectCode(ran, 0);
    expect(renewed).toBe(true);
    expect(mostDown).toBeLessThanOrEqual(1);
    expectCode(await bed.trireme(['status', '--wait', '--timeout', '3m']), 0);
  });

  test('a cluster whose certificates have expired is repaired by one command', async () => {
    for (const index of [1, 2, 3, 4]) await bed.ssh(index, 'systemctl stop trireme-agent');
    // the worker's is signed by a control plane, which has the key
    await bed.ssh(1, shorten(4, 'h4'));
    const pem = await bed.ssh(1, 'cat /root/short/pem');
    // as hosts that were switched off: a running kubelet would renew its own at once
    await bed.ssh(4, `systemctl stop kubelet; umask 077; mkdir -p /root/short; cat > /root/short/pem <<'P'\n${pem}P\n${useShortPem}`);
    const components = "crictl ps -q --name '^(etcd|kube-apiserver|kube-controller-manager|kube-scheduler)$' | xargs -r crictl stop >/dev/null 2>&1 || true";
    for (const index of [1, 2, 3])
      await bed.ssh(index, `${shorten(index, `h${index}`)}\nkubeadm certs renew all --config config.yaml >/dev/null\nsystemctl stop kubelet; ${useShortPem}; ${components}`);
    const end = Date.now() + 95_000;
    await waitFor(async () => (Date.now() > end ? true : undefined), {timeout: 180_000, interval: 1000});
    for (const index of [1, 2, 3, 4]) await bed.ssh(index, 'systemctl start kubelet || true');
    const refused = await kubectl('get nodes --request-timeout=10s 2>&1 || true');
    console.log(`with expired certificates: ${refused.trim().split('\n').at(-1)}`);
    expect(refused).not.toContain('Ready');
    const started = Date.now();
    const ran = await bed.trireme(['cluster', 'certificates', '--renew', '--yes']);
    console.log(`repaired by one command in ${Math.round((Date.now() - started) / 1000)} s`);
    expectCode(ran, 0);
    expectCode(await bed.trireme(['status', '--wait', '--timeout', '5m']), 0);
    expect((await certificates()).certificates.every((one) => one.state === 'valid')).toBe(true);
  });

  test('a backup is one file, for its owner alone, and nothing of the cluster can be read in it', async () => {
    await kubectl('create namespace cargo');
    await kubectl("-n cargo create configmap manifest --from-literal=crates=17");
    const ran = await bed.trireme(['cluster', 'backup', '--out', 'berth.backup', '-o', 'json'], {env: {TRIREME_BACKUP_PASSPHRASE: passphrase}});
    expectCode(ran, 0);
    const {size, dataSize} = resultOf<{size: number; dataSize: number}>(ran);
    console.log(`backup: ${(dataSize / 1024 / 1024).toFixed(1)} MiB of data, ${(size / 1024 / 1024).toFixed(1)} MiB encrypted`);
    const path = join(bed.work, 'berth.backup');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const bytes = await readFile(path);
    for (const text of ['PRIVATE KEY', 'cargo', 'berth']) expect(bytes.includes(text)).toBe(false);
    expect(await bed.ssh(1, 'find /var/lib/trireme -name "snapshot*"')).toBe('');
  });

  test('a wrong passphrase, a flipped byte and a cut file are refused before anything is touched', async () => {
    for (const index of [1, 2, 3, 4]) await bed.hosts('kill', String(index));
    await bed.write(clusterFile({controlPlanes: [5], workers: [6]}));
    const bytes = await readFile(join(bed.work, 'berth.backup'));
    const flipped = Buffer.from(bytes);
    flipped[Math.floor(bytes.length / 2)] = (flipped[Math.floor(bytes.length / 2)] as number) ^ 1;
    await writeFile(join(bed.work, 'flipped.backup'), flipped);
    await writeFile(join(bed.work, 'cut.backup'), bytes.subarray(0, bytes.length - 70_000));
    const restore = (file: string, secret: string) => bed.trireme(['cluster', 'restore', file, '--yes'], {env: {TRIREME_BACKUP_PASSPHRASE: secret}});
    const wrong = await restore('berth.backup', 'another passphrase');
    expectCode(wrong, 5);
    expect(wrong.stderr).toContain("isn't opened by this passphrase");
    for (const file of ['flipped.backup', 'cut.backup']) {
      const ran = await restore(file, passphrase);
      expectCode(ran, 1);
      expect(ran.stderr).toContain(`${file} is damaged`);
    }
    for (const index of [5, 6]) expect(await bed.ssh(index, 'ls -d /var/lib/trireme /usr/local/lib/trireme 2>/dev/null || echo untouched')).toBe('untouched\n');
  });

  test('with every host lost, other hosts bring the cluster back: what was written before is there, the old hosts are forgotten, and it takes new writes', async () => {
    const started = Date.now();
    const ran = await bed.trireme(['cluster', 'restore', 'berth.backup', '--yes'], {env: {TRIREME_BACKUP_PASSPHRASE: passphrase}});
    console.log(`restored onto other hosts in ${Math.round((Date.now() - started) / 1000)} s`);
    expectCode(ran, 0);
    for (const text of [passphrase]) expect(ran.stdout + ran.stderr).not.toContain(text);
    expect(await kubectl("-n cargo get configmap manifest -o jsonpath='{.data.crates}'", 5)).toBe('17');
    expect(await kubectl("get nodes -o jsonpath='{.items[*].metadata.name}'", 5)).toBe('h5 h6');
    await kubectl('-n cargo create configmap after --from-literal=crates=18', 5);
    expectCode(await bed.trireme(['status', '--wait', '--timeout', '3m']), 0);
    const again = await bed.trireme(['apply', '--yes']);
    expectCode(again, 0);
    expect(again.stdout).toContain('unchanged');
    expect(await bed.ssh(5, 'ls -d /var/lib/trireme/restore 2>/dev/null || echo gone')).toBe('gone\n');
  });
});
