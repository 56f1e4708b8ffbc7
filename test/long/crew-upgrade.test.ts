// Day two of a real cluster of 3+2 hosts, while a client reads and writes every 100 ms through an address that the control planes serve, and a workload
// with a budget serves: another version of Kubernetes, with the run killed half way and a worker that can't be drained; then maintenance of every host with
// a reboot. The tests are in order.
import {existsSync} from 'node:fs';
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {parse} from 'yaml';
import type {TriremeEvent} from '../../src/kernel/event.ts';
import {startClient, type RunningClient} from '../support/api-client.ts';
import {bedConfiguration, upBed, whyNoBed, type Bed} from '../support/bed.ts';
import {missingPublicPlaces, startPublicPlaces, testbedCache, type PublicPlaces} from '../support/public-places.ts';
import type {Ran} from '../support/trireme.ts';

const missingOld = () =>
  existsSync(join(testbedCache(), 'public/dl.k8s.io/release/v1.35.4'))
    ? undefined
    : "Kubernetes v1.35.4 isn't laid out. Try: test/testbed/build.sh kubernetes-v1.35.4 && node test/testbed/images.mjs && node test/testbed/public-places.mjs build";
const reason = whyNoBed() ?? missingPublicPlaces() ?? missingOld();

const bedNumber = 57;
const names = ['h1', 'h2', 'h3', 'h4', 'h5'];
let bed: Bed;
let places: PublicPlaces;
let client: RunningClient;

/** Two that may be moved one at a time, and one that may not be moved at all. */
const workload = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 2
      topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: web}}}]
      containers:
        - {name: web, image: "ghcr.io/trireme/testbed-probe:1", readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web, namespace: default}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
`;
const stuck = `apiVersion: apps/v1
kind: Deployment
metadata: {name: stuck, namespace: default}
spec:
  replicas: 1
  selector: {matchLabels: {app: stuck}}
  template:
    metadata: {labels: {app: stuck}}
    spec:
      terminationGracePeriodSeconds: 1
      nodeSelector: {kubernetes.io/hostname: h5}
      containers: [{name: stuck, image: "ghcr.io/trireme/testbed-probe:1"}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: stuck, namespace: default}
spec: {minAvailable: 1, selector: {matchLabels: {app: stuck}}}
`;

const clusterFile = () => `# what the operators of berth want
apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: berth}
spec:
  mode: agent
  kubernetes: {distribution: kubeadm, version: v1.35.4} # moved by trireme cluster upgrade
  endpoint: {host: ${bed.address(90)}, type: vip}
  profile: {file: profile.yaml}
  rollout: {drainTimeout: 30s}
  configuration: ${JSON.stringify(bedConfiguration)}
  bundle: {sources: ${JSON.stringify(places.sources)}}
  agent:
    ssh:
      user: ops
      identityFile: ${join(bed.folder, 'id')}
      knownHosts: [${join(bed.folder, 'known_hosts')}]
      configFile: none
      sudo: {password: {fromEnv: SUDO_PASSWORD}}
    preflight: {ignore: [cgroup-v2]}
    hosts:
${names.map((name, index) => `      - {name: ${name}, address: ${bed.address(index + 1)}, role: ${index < 3 ? 'control-plane' : 'worker'}}`).join('\n')}
`;

const kubectl = (script: string) => bed.ssh(1, `kubectl --kubeconfig /etc/kubernetes/admin.conf ${script}`);
const put = (manifest: string) => bed.ssh(1, `kubectl --kubeconfig /etc/kubernetes/admin.conf apply -f - <<'END'\n${manifest}END`);
const expectCode = (ran: Ran, code: number) => expect(ran.code, `${ran.stderr.slice(-8000)}\n${ran.stdout}`).toBe(code);
const seconds = (started: number) => Math.round((Date.now() - started) / 1000);
const kubelets = async () =>
  JSON.parse(await kubectl(`get nodes -o json`)) as {
    items: {
      metadata: {name: string};
      spec: {unschedulable?: boolean};
      status: {nodeInfo: {kubeletVersion: string; bootID: string}; conditions: {type: string; status: string}[]};
    }[];
  };

describe.skipIf(reason !== undefined)(`day two of a real cluster${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  beforeAll(async () => {
    bed = await upBed({hosts: 5, bed: bedNumber});
    places = await startPublicPlaces();
    await mkdir(bed.home, {recursive: true});
    await writeFile(join(bed.work, 'flannel.yaml'), await readFile(new URL('../testbed/flannel/kube-flannel.yaml', import.meta.url), 'utf8'));
    await writeFile(join(bed.work, 'workload.yaml'), workload);
    const layers = {cni: {name: 'flannel', manifest: 'flannel.yaml'}, addons: [{name: 'workload', manifest: 'workload.yaml'}]};
    await bed.write({apiVersion: 'trireme.dev/v1alpha1', kind: 'ClusterProfile', metadata: {name: 'flannel'}, spec: {layers}}, 'profile.yaml');
    await writeFile(join(bed.work, 'trireme.yaml'), clusterFile());
  });

  afterAll(async () => {
    await client?.stop().catch(() => {});
    await places?.close();
    await bed?.down();
  });

  test('a cluster at v1.35.4 is made', async () => {
    const started = Date.now();
    expectCode(await bed.trireme(['apply', '--yes']), 0);
    console.log(`3+2 at v1.35.4 from nothing: ${seconds(started)} s`);
    await put(stuck);
    expect((await kubelets()).items.map((node) => node.status.nodeInfo.kubeletVersion)).toEqual(names.map(() => 'v1.35.4'));
    const fetched = await bed.trireme(['cluster', 'kubeconfig']);
    expectCode(fetched, 0);
    client = await startClient(fetched.stdout, {service: 'web'});
  });

  test('what goes back is refused before the file is written', async () => {
    const before = await readFile(join(bed.work, 'trireme.yaml'), 'utf8');
    for (const to of ['v1.34.9', 'v1.35.1']) {
      const ran = await bed.trireme(['cluster', 'upgrade', '--to', to, '--yes']);
      expect(ran.code).not.toBe(0);
      expect(ran.stderr).toContain('is older than the v1.35.4 that runs');
    }
    expect(await readFile(join(bed.work, 'trireme.yaml'), 'utf8')).toBe(before);
  });

  test('an upgrade is killed when it is at the second control plane', async () => {
    const running = bed.start(['cluster', 'upgrade', '--to', 'v1.36.3', '--yes', '-o', 'ndjson']);
    await running.saw((text) => text.includes('"step.started"') && /"step":"converge:h2"/.test(text));
    running.kill('SIGKILL');
    const ran = await running.ended;
    const events = ran.stdout
      .split('\n')
      .filter((line) => line.startsWith('{"'))
      .flatMap((line) => parsed(line));
    const at = (match: (event: TriremeEvent) => boolean) => events.findIndex(match);
    const lastPrepared = events.findLastIndex((event) => event.type === 'step.finished' && event.step.startsWith('prepare:'));
    expect(lastPrepared).toBeGreaterThan(-1);
    expect(at((event) => event.type === 'step.started' && event.step === 'cordon:h1')).toBeGreaterThan(lastPrepared);
    expect(parse(await readFile(join(bed.work, 'trireme.yaml'), 'utf8'))).toMatchObject({spec: {kubernetes: {version: 'v1.36.3'}}});
    expect(await readFile(join(bed.work, 'trireme.yaml'), 'utf8')).toContain('# moved by trireme cluster upgrade');
  });

  test('resumed, it goes on to the worker that cannot be drained, names pod and budget, and leaves the rest serving', async () => {
    const started = Date.now();
    const ran = await bed.trireme(['apply', '--resume', '--yes']);
    console.log(`resumed up to the blocked worker: ${seconds(started)} s`);
    expectCode(ran, 7);
    expect(ran.stderr + ran.stdout).toMatch(/default\/stuck-[-\w]+: .*disruption budget stuck/);
    const {items} = await kubelets();
    expect(items.map((node) => node.status.nodeInfo.kubeletVersion)).toEqual(['v1.36.3', 'v1.36.3', 'v1.36.3', 'v1.36.3', 'v1.35.4']);
    expect(items.map((node) => node.spec.unschedulable === true)).toEqual([false, false, false, false, true]);
  });

  test('once the budget lets go, the upgrade comes to its end, and all nodes take pods again', async () => {
    await kubectl('delete pdb stuck');
    const started = Date.now();
    expectCode(await bed.trireme(['apply', '--resume', '--yes']), 0);
    console.log(`resumed to the end: ${seconds(started)} s`);
    const {items} = await kubelets();
    expect(items.map((node) => [node.status.nodeInfo.kubeletVersion, node.spec.unschedulable === true])).toEqual(names.map(() => ['v1.36.3', false]));
    // a kubelet that was started anew tells of its pods some seconds after its node is Ready
    const proxies = () => kubectl("-n kube-system get ds kube-proxy -o jsonpath='{.spec.template.spec.containers[0].image} {.status.numberReady}'");
    await expect.poll(proxies, {timeout: 60_000, interval: 1000}).toBe('registry.k8s.io/kube-proxy:v1.36.3 5');
    const again = await bed.trireme(['apply', '--yes']);
    expectCode(again, 0);
    expect(again.stdout).toContain('unchanged');
  });

  test('no acknowledged write is lost, and the workload is never without an endpoint', async () => {
    const report = await client.stop();
    console.log(
      `upgrade: ${report.acknowledged} acknowledged writes, ${report.lost.length} lost; longest gap ${report.longestGap} ms; ${report.withoutEndpoint} of ${report.looks} looks without an endpoint`,
    );
    expect(report.lost).toEqual([]);
    expect(report.withoutEndpoint).toBe(0);
    expect(report.acknowledged).toBeGreaterThan(100);
    expect(report.longestGap).toBeLessThan(60_000);
  });

  test('host maintain runs a command on every host and reboots it, while the client goes on: nothing is lost', async () => {
    const fetched = await bed.trireme(['cluster', 'kubeconfig']);
    expectCode(fetched, 0);
    client = await startClient(fetched.stdout, {service: 'web'});
    const boots = (await kubelets()).items.map((node) => node.status.nodeInfo.bootID);
    const started = Date.now();
    const ran = await bed.trireme(['host', 'maintain', '--reboot', 'always', '--yes', '--', 'echo "upgrading $(hostname)"; touch /var/tmp/maintained']);
    console.log(`maintenance of five hosts with a reboot each: ${seconds(started)} s`);
    const report = await client.stop();
    expectCode(ran, 0);
    for (const [index, name] of names.entries()) {
      expect(ran.stderr).toContain(`upgrading ${name}`);
      expect(await bed.ssh(index + 1, 'ls /var/tmp/maintained')).toBe('/var/tmp/maintained\n');
    }
    const {items} = await kubelets();
    expect(items.map((node, index) => [node.spec.unschedulable === true, node.status.nodeInfo.bootID === boots[index]])).toEqual(
      names.map(() => [false, false]),
    );
    console.log(
      `maintenance: ${report.acknowledged} acknowledged writes, ${report.lost.length} lost; longest gap ${report.longestGap} ms; ${report.withoutEndpoint} of ${report.looks} looks without an endpoint`,
    );
    expect(report.lost).toEqual([]);
    expect(report.withoutEndpoint).toBe(0);
  });
});

function parsed(line: string): readonly TriremeEvent[] {
  try {
    return [JSON.parse(line) as TriremeEvent];
  } catch {
    return []; // cut by the kill
  }
}
