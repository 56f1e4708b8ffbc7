// One real cluster, from empty hosts to a second operator: hosts behind a jump host, sudo with a password, strict host keys, content from an
// HTTP server that has the public places' paths. The tests are in order: each goes on where the one before ended.
import {mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {waitFor} from '../../src/kernel/retry.ts';
import {bedConfiguration, upBed, whyNoBed, type Bed} from '../support/bed.ts';
import {missingPublicPlaces, startPublicPlaces, type PublicPlaces} from '../support/public-places.ts';
import {resultOf, type Ran} from '../support/trireme.ts';

const reason = whyNoBed() ?? missingPublicPlaces();

let bed: Bed;
let places: PublicPlaces;

interface HostOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly {readonly key: string; readonly value?: string; readonly effect: string}[];
  readonly configuration?: Readonly<Record<string, unknown>>;
}

interface PlanResult {
  readonly hosts: readonly {readonly host: string; readonly state: string; readonly effect: string; readonly changes: readonly {readonly path: string; readonly effect: string}[]}[];
}

function clusterFile(options: {readonly workers?: readonly number[]; readonly host?: Readonly<Record<number, HostOptions>>; readonly strict?: boolean} = {}) {
  const host = (index: number, role: string) => ({name: `h${index}`, address: bed.address(index), role, ...options.host?.[index]});
  return {
    apiVersion: 'trireme.dev/v1alpha1',
    kind: 'Cluster',
    metadata: {name: 'berth'},
    spec: {
      mode: 'agent',
      kubernetes: {distribution: 'kubeadm', version: 'v1.36.3'},
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
          jump: ['bastion'],
          sudo: {password: {fromEnv: 'SUDO_PASSWORD'}},
        },
        ...(options.strict === true ? {} : {preflight: {ignore: ['cgroup-v2']}}),
        hosts: [...[1, 2, 3].map((index) => host(index, 'control-plane')), ...(options.workers ?? [4]).map((index) => host(index, 'worker'))],
      },
    },
  };
}

/** A DaemonSet that answers with its node's name, and can fetch: its image comes with the profile. */
const probe = `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: probe, namespace: default}
spec:
  selector: {matchLabels: {app: probe}}
  template:
    metadata: {labels: {app: probe}}
    spec:
      tolerations: [{operator: Exists}]
      terminationGracePeriodSeconds: 1
      containers: [{name: probe, image: "ghcr.io/trireme/testbed-probe:1"}]
`;

const kubectl = (script: string) => bed.ssh(1, `kubectl --kubeconfig /root/fetched.kubeconfig ${script}`);

function expectCode(ran: Ran, code: number): void {
  expect(ran.code, `${ran.stderr}\n${ran.stdout}`).toBe(code);
}

const plan = async (): Promise<PlanResult> => resultOf<PlanResult>(await bed.trireme(['plan', '-o', 'json']));
const changed = (result: PlanResult) => result.hosts.filter((host) => host.state !== 'unchanged');
/** Each script run as root is one sudo, so one SSH round trip. */
const sudoCount = async (index: number) => Number(await bed.ssh(index, 'journalctl -t sudo -o cat --no-pager | grep -c COMMAND= || true'));

describe.skipIf(reason !== undefined)(`a real cluster${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  beforeAll(async () => {
    bed = await upBed({hosts: 5, jump: true});
    places = await startPublicPlaces();
    await mkdir(bed.home, {recursive: true});
    await writeFile(join(bed.work, 'flannel.yaml'), await readFile(new URL('../testbed/flannel/kube-flannel.yaml', import.meta.url), 'utf8'));
    await writeFile(join(bed.work, 'probe.yaml'), probe);
    const layers = {cni: {name: 'flannel', manifest: 'flannel.yaml'}, addons: [{name: 'probe', manifest: 'probe.yaml'}]};
    await bed.write({apiVersion: 'trireme.dev/v1alpha1', kind: 'ClusterProfile', metadata: {name: 'flannel'}, spec: {layers}}, 'profile.yaml');
  });

  afterAll(async () => {
    await places?.close();
    await bed?.down();
  });

  test('preflight tells the true failures with remedies, cgroup v1 among them', async () => {
    await bed.write(clusterFile({strict: true}));
    const ran = await bed.trireme(['preflight', '-o', 'json']);
    expectCode(ran, 10);
    const {results} = resultOf<{results: {id: string; host?: string; status: string; remedy: string}[]}>(ran);
    const errors = results.filter((result) => result.status === 'error');
    expect(errors.filter((error) => error.id === 'cgroup-v2').map((error) => error.host)).toEqual(['h1', 'h2', 'h3', 'h4']);
    for (const error of errors) expect(error.remedy).not.toBe('');
  });

  test('apply refuses such hosts before anything is changed, unless the file ignores the check', async () => {
    const ran = await bed.trireme(['apply', '--yes']);
    expectCode(ran, 10);
    expect(ran.stderr).toContain('cgroup-v2');
    expect(await bed.ssh(1, 'ls -d /var/lib/trireme /usr/local/lib/trireme 2>/dev/null || echo untouched')).toBe('untouched\n');
  });

  test('a wrong digest stops before any host is touched', async () => {
    await bed.write(clusterFile());
    places.flip('dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubelet');
    const ran = await bed.trireme(['apply', '--yes']);
    places.behave();
    expectCode(ran, 1);
    expect(ran.stderr).toContain('kubelet');
    expect(await bed.ssh(1, 'ls -d /var/lib/trireme /usr/local/lib/trireme 2>/dev/null || echo untouched')).toBe('untouched\n');
  });

  test('apply downloads, and brings three control planes and one worker to Ready', async () => {
    const started = Date.now();
    const ran = await bed.trireme(['apply', '--yes']);
    expectCode(ran, 0);
    console.log(`apply from empty hosts to Ready: ${Math.round((Date.now() - started) / 1000)} s`);
  });

  test('real kubectl uses the fetched kubeconfig: four nodes Ready, CoreDNS running', async () => {
    const fetched = await bed.trireme(['cluster', 'kubeconfig']);
    expectCode(fetched, 0);
    // only the bastion reaches the hosts, so kubectl runs where the API is reached
    await bed.ssh(1, `umask 077; cat > /root/fetched.kubeconfig <<'KUBECONFIG'\n${fetched.stdout}\nKUBECONFIG`);
    const nodes = JSON.parse(await kubectl('get nodes -o json')) as {items: {metadata: {name: string}; status: {conditions: {type: string; status: string}[]}}[]};
    expect(nodes.items.map((node) => node.metadata.name)).toEqual(['h1', 'h2', 'h3', 'h4']);
    expect(nodes.items.every((node) => node.status.conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True'))).toBe(true);
    // DNS is there with the first one
    const resolvers = () => kubectl("-n kube-system get pods -l k8s-app=kube-dns -o jsonpath='{.items[*].status.phase}'");
    await expect.poll(resolvers, {timeout: 60_000, interval: 1000}).toBe('Running Running');
  });

  test('a pod on one node answers a pod on another, by address and by name', async () => {
    const pods = JSON.parse(await kubectl('get pods -l app=probe -o json')) as {items: {metadata: {name: string}; spec: {nodeName: string}; status: {podIP: string}}[]};
    const on = (node: string) => pods.items.find((pod) => pod.spec.nodeName === node) as (typeof pods.items)[number];
    for (const [from, to] of [['h4', 'h2'], ['h3', 'h4']] as const) {
      expect(await kubectl(`exec ${on(from).metadata.name} -- /probe fetch http://${on(to).status.podIP}:8080/`)).toContain(on(to).metadata.name);
    }
  });

  test('a second apply is unchanged, exit 0, in at most 2 round trips a host; plan --exit-code gives 0', async () => {
    const before = await Promise.all([1, 2, 3, 4].map(sudoCount));
    const ran = await bed.trireme(['apply', '--yes']);
    expectCode(ran, 0);
    expect(ran.stdout).toContain('unchanged');
    const trips = (await Promise.all([1, 2, 3, 4].map(sudoCount))).map((count, index) => count - (before[index] as number));
    console.log(`round trips of an unchanged apply: ${trips.join(', ')}`);
    for (const count of trips) expect(count).toBeLessThanOrEqual(2);
    expectCode(await bed.trireme(['plan', '--exit-code']), 0);
  });

  test('a saved plan is refused with 8, naming what moved', async () => {
    await bed.write(clusterFile({host: {4: {labels: {zone: 'a'}}}}));
    expectCode(await bed.trireme(['plan', '--exit-code', '--out', 'p.json']), 9);
    await bed.ssh(3, 'systemctl stop trireme-agent');
    const ran = await bed.trireme(['apply', 'p.json', '--yes']);
    await bed.ssh(3, 'systemctl start trireme-agent');
    expectCode(ran, 8);
    expect(ran.stderr).toContain('h3');
    expect(await kubectl("get node h4 -o jsonpath='{.metadata.labels.zone}'")).toBe('');
  });

  test('a label, a taint, a net.* sysctl and a kubelet setting: exactly these, with their effects, on this host alone', async () => {
    const settings = {labels: {zone: 'a'}, taints: [{key: 'gpu', effect: 'NoSchedule'}], configuration: {sysctls: {'net.ipv4.tcp_keepalive_time': 601}, kubelet: {maxPods: 77}}};
    await bed.write(clusterFile({host: {4: settings}}));
    const host = changed(await plan());
    expect(host.map((one) => one.host)).toEqual(['h4']);
    const wanted = host[0]?.changes.filter((change) => !change.path.startsWith('content')).map((change) => [change.path, change.effect]) ?? [];
    expect(Object.fromEntries(wanted)).toEqual({
      'node.labels.zone': 'none',
      'node.taints.gpu': 'none',
      'configuration.sysctls.net.ipv4.tcp_keepalive_time': 'reload',
      'configuration.kubelet.maxPods': 'restart',
    });
    expectCode(await bed.trireme(['apply', '--yes']), 0);
    const node = JSON.parse(await kubectl('get node h4 -o json')) as {metadata: {labels: Record<string, string>}; spec: {taints?: {key: string}[]}; status: {capacity: {pods: string}}};
    expect(node.metadata.labels['zone']).toBe('a');
    expect(node.spec.taints?.map((taint) => taint.key)).toContain('gpu');
    expect(await bed.ssh(4, 'cat /proc/sys/net/ipv4/tcp_keepalive_time')).toBe('601\n');
    const pods = await waitFor(async () => ((await kubectl("get node h4 -o jsonpath='{.status.capacity.pods}'")) === '77' ? '77' : undefined), {timeout: 60_000, interval: 2000});
    expect(pods).toBe('77');
    expectCode(await bed.trireme(['plan', '--exit-code']), 0);
  });

  test('the agent alone repairs a stopped kubelet and a deleted sysctl file within 30 s, and reports the drift', async () => {
    await bed.ssh(4, 'rm /etc/sysctl.d/90-trireme.conf; systemctl stop kubelet');
    const started = Date.now();
    const repaired = await waitFor(
      async () => ((await bed.ssh(4, 'systemctl is-active kubelet; test -e /etc/sysctl.d/90-trireme.conf && echo there || true')) === 'active\nthere\n' ? true : undefined),
      {timeout: 30_000, interval: 1000},
    );
    console.log(`drift repaired after ${((Date.now() - started) / 1000).toFixed(1)} s`);
    expect(repaired).toBe(true);
    const {agents} = resultOf<{agents: {host: string; drift?: {subject: string; outcome: string}[]}[]}>(await bed.trireme(['agent', 'status', '-o', 'json']));
    const drift = agents.find((agent) => agent.host === 'h4')?.drift ?? [];
    expect(drift.filter((one) => one.outcome === 'repaired').map((one) => one.subject)).toEqual(expect.arrayContaining([expect.stringContaining('90-trireme.conf'), expect.stringContaining('kubelet')]));
  });

  test('adding a worker to the file works on that host only', async () => {
    await bed.write(clusterFile({workers: [4, 5], host: {4: {labels: {zone: 'a'}, taints: [{key: 'gpu', effect: 'NoSchedule'}], configuration: {sysctls: {'net.ipv4.tcp_keepalive_time': 601}, kubelet: {maxPods: 77}}}}}));
    expect(changed(await plan()).map((host) => [host.host, host.state])).toEqual([['h5', 'new']]);
    const ran = await bed.trireme(['apply', '--yes', '-o', 'json']);
    expectCode(ran, 0);
    const {run} = resultOf<{run: {hosts: {host: string; outcome: string}[]}}>(ran);
    expect(run.hosts.filter((host) => host.outcome !== 'unchanged')).toEqual([{host: 'h5', outcome: 'changed'}]);
    expect(await kubectl("get nodes -o jsonpath='{.items[*].metadata.name}'")).toBe('h1 h2 h3 h4 h5');
  });

  test('a second operator with an empty HOME and nothing but file and SSH: status, apply and kubeconfig work', async () => {
    const home = await mkdtemp(join(tmpdir(), 'second-operator-'));
    try {
      const env = {HOME: home};
      // the layers' pods on the host that was just added may still be starting
      expectCode(await bed.trireme(['status', '--wait', '--timeout', '3m'], {env}), 0);
      const again = await bed.trireme(['apply', '--yes'], {env});
      expectCode(again, 0);
      expect(again.stdout).toContain('unchanged');
      const fetched = await bed.trireme(['cluster', 'kubeconfig'], {env});
      expectCode(fetched, 0);
      expect(fetched.stdout).toContain('client-key-data');
    } finally {
      await rm(home, {recursive: true, force: true});
    }
  });
});
