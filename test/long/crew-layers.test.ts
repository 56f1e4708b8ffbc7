// Layers of every form, content from a registry, and hosts that come by other roads than the push: one real cluster, without internet.
import {execFileSync, spawn, type ChildProcess} from 'node:child_process';
import {generateKeyPairSync} from 'node:crypto';
import {existsSync} from 'node:fs';
import {copyFile, mkdir, readdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {connect} from 'node:net';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {stringify} from 'yaml';
import {selfSignedServer} from '../../src/kernel/certificate.ts';
import {waitFor} from '../../src/kernel/retry.ts';
import {versions} from '../testbed/parts.mjs';
import {bedConfiguration, upBed, whyNoBed, type Bed} from '../support/bed.ts';
import {missingPublicPlaces, startPublicPlaces, testbedCache, type PublicPlaces} from '../support/public-places.ts';
import {resultOf, type Ran} from '../support/trireme.ts';

const registryProgram = join(testbedCache(), 'bin/registry', versions.registry, 'registry');
const reason =
  whyNoBed() ??
  missingPublicPlaces() ??
  (existsSync(registryProgram)
    ? undefined
    : "the registry isn't built. Try: test/testbed/build.sh registry programs && node test/testbed/public-places.mjs build");

const number = 61;
const gateway = `10.${number}.0.1`;
const address = `oci://${gateway}:5000/fleet/bundle:v1.36.3`;
const login = {user: 'crew', password: 'anchor-chain-canary'};
const secretValue = 'bell-canary-value';

let bed: Bed;
let places: PublicPlaces;
let registry: ChildProcess | undefined;

const provisioner = `apiVersion: v1
kind: Namespace
metadata: {name: hold}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: provisioner, namespace: hold}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: hold-provisioner}
rules:
  - {apiGroups: [""], resources: [persistentvolumes], verbs: [get, list, create]}
  - {apiGroups: [""], resources: [persistentvolumeclaims], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: hold-provisioner}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: hold-provisioner}
subjects: [{kind: ServiceAccount, name: provisioner, namespace: hold}]
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: hold, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: trireme.dev/testbed
volumeBindingMode: WaitForFirstConsumer
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: provisioner, namespace: hold}
spec:
  selector: {matchLabels: {app: provisioner}}
  template:
    metadata: {labels: {app: provisioner}}
    spec:
      serviceAccountName: provisioner
      tolerations: [{operator: Exists}]
      terminationGracePeriodSeconds: 1
      containers:
        - name: provisioner
          image: ghcr.io/trireme/testbed-provisioner:1
          args: [$(NODE), hold, "\${var.folder}"]
          env: [{name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
          volumeMounts: [{name: hold, mountPath: "\${var.folder}"}]
      volumes: [{name: hold, hostPath: {path: "\${var.folder}", type: DirectoryOrCreate}}]
`;

const cargo = `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: cargo, namespace: hold}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: keeper, namespace: hold}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: keeper, image: "ghcr.io/trireme/testbed-probe:1", volumeMounts: [{name: cargo, mountPath: /cargo}]}]
  volumes: [{name: cargo, persistentVolumeClaim: {claimName: cargo}}]
`;

const chart = `apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: buoy}}
  template:
    metadata: {labels: {app: buoy}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: probe, image: "ghcr.io/trireme/testbed-probe:1"}]
---
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}}
stringData: {token: {{ .Values.token | quote }} }
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
      containers:
        - name: probe
          image: ghcr.io/trireme/testbed-probe:1
          readinessProbe: {exec: {command: [/probe, fetch, "http://127.0.0.1:1/"]}, periodSeconds: 2}
`;

interface Layer {
  readonly name: string;
  readonly [field: string]: unknown;
}

async function writeProfile(...more: readonly Layer[]): Promise<void> {
  const addons = [
    {name: 'buoy', chart: {path: 'chart', namespace: 'water', values: {replicas: '${var.replicas}', token: '${var.token}'}}},
    {name: 'cargo', manifest: 'cargo.yaml'},
    ...more,
  ];
  const variables = {replicas: {type: 'number', default: 2}, folder: {default: '/var/lib/hold'}, token: {masked: true, required: true}};
  const layers = {cni: {name: 'flannel', kustomization: 'flannel'}, csi: {name: 'hold', manifest: 'provisioner.yaml', timeout: '3m'}, addons};
  await bed.write({apiVersion: 'trireme.dev/v1alpha1', kind: 'ClusterProfile', metadata: {name: 'crew'}, spec: {variables, layers}}, 'profile.yaml');
}

/** Without a bundle content comes from the public places; with one these are shut. */
function clusterFile({isBuilding = false, byFile = false} = {}) {
  const shut = Object.fromEntries(Object.keys(places.sources).map((host) => [host, 'http://127.0.0.1:1']));
  const host = (index: number, role: string, more: object = {}) => ({name: `h${index}`, address: bed.address(index), role, ...more});
  return {
    apiVersion: 'trireme.dev/v1alpha1',
    kind: 'Cluster',
    metadata: {name: 'crew'},
    spec: {
      mode: 'agent',
      kubernetes: {distribution: 'kubeadm', version: 'v1.36.3'},
      endpoint: {host: bed.address(1)},
      profile: {file: 'profile.yaml', variables: {token: {fromEnv: 'BELL_TOKEN'}}},
      configuration: bedConfiguration,
      bundle: {sources: isBuilding ? places.sources : shut, authority: 'ca.pem'},
      agent: {
        ssh: {
          user: 'ops',
          identityFile: join(bed.folder, 'id'),
          knownHosts: [join(bed.folder, 'known_hosts')],
          configFile: join(bed.folder, 'ssh_config'),
          sudo: {password: {fromEnv: 'SUDO_PASSWORD'}},
        },
        // h2 can't write below /usr
        root: '/opt/trireme',
        ...(isBuilding ? {} : {bundle: address}),
        registries: [{name: 'docker.io', mirrors: [{url: `https://${gateway}:5000`, authority: 'ca.pem'}]}],
        preflight: {ignore: ['cgroup-v2']},
        hosts: [host(1, 'control-plane'), host(2, 'worker'), ...(byFile ? [host(3, 'worker', {enrol: 'file'}), host(4, 'worker', {enrol: 'file'})] : [])],
      },
    },
  };
}

const run = (args: readonly string[]) => bed.trireme(args, {env: {BELL_TOKEN: secretValue}});
const kubectl = (script: string) => bed.ssh(1, `kubectl --kubeconfig /etc/kubernetes/admin.conf ${script}`);

function expectCode(ran: Ran, code: number): void {
  expect(ran.code, `${ran.stderr}\n${ran.stdout}`).toBe(code);
  for (const secret of [secretValue, login.password]) expect(`${ran.stdout}${ran.stderr}`).not.toContain(secret);
}

async function startRegistry(): Promise<void> {
  registry = spawn(registryProgram, ['serve', join(bed.work, 'registry.yaml')], {stdio: 'ignore', env: {OTEL_TRACES_EXPORTER: 'none'}});
  const opened = async () =>
    new Promise<true | undefined>((resolve) => {
      const socket = connect(5000, gateway, () => {
        socket.destroy();
        resolve(true);
      }).on('error', () => resolve(undefined));
    });
  if ((await waitFor(opened, {timeout: 20_000, interval: 100})) !== true) throw new Error('the registry does not listen');
}

async function killRegistry(): Promise<void> {
  const ended = registry === undefined ? undefined : new Promise((resolve) => registry?.once('exit', resolve));
  registry?.kill('SIGKILL');
  await ended;
  registry = undefined;
}

async function setUpRegistry(): Promise<void> {
  const {privateKey} = generateKeyPairSync('rsa', {modulusLength: 2048});
  const validity = {notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 86_400_000)};
  const cert = selfSignedServer({commonName: 'registry', key: privateKey, dnsNames: ['registry.example'], addresses: [gateway], ...validity});
  await writeFile(join(bed.work, 'ca.pem'), cert);
  await writeFile(join(bed.work, 'registry.key'), privateKey.export({type: 'pkcs8', format: 'pem'}), {mode: 0o600});
  // bcrypt by the C library, which perl reaches
  const hash = execFileSync('perl', ['-e', 'print crypt($ENV{PASSWORD}, q{$2y$05$abcdefghijklmnopqrstuu})'], {
    env: {PASSWORD: login.password},
    encoding: 'utf8',
  });
  expect(hash).toMatch(/^\$2y\$05\$/);
  await writeFile(join(bed.work, 'htpasswd'), `${login.user}:${hash}\n`);
  const configuration = {
    version: 0.1,
    log: {level: 'error'},
    storage: {filesystem: {rootdirectory: join(bed.work, 'registry')}},
    http: {addr: `${gateway}:5000`, secret: 'only-for-this-run', tls: {certificate: join(bed.work, 'ca.pem'), key: join(bed.work, 'registry.key')}},
    auth: {htpasswd: {realm: 'testbed', path: join(bed.work, 'htpasswd')}},
  };
  await writeFile(join(bed.work, 'registry.yaml'), stringify(configuration));
}

/** As `docker login` leaves it. */
async function logIn(): Promise<void> {
  await mkdir(join(bed.home, '.docker'), {recursive: true});
  const auth = Buffer.from(`${login.user}:${login.password}`).toString('base64');
  await writeFile(join(bed.home, '.docker/config.json'), JSON.stringify({auths: {[`${gateway}:5000`]: {auth}}}), {mode: 0o600});
}

async function untouched(): Promise<void> {
  expect(await bed.ssh(1, 'ls -d /var/lib/trireme /opt/trireme 2>/dev/null || echo untouched')).toBe('untouched\n');
}

async function readyNodes(count: number): Promise<readonly string[]> {
  const names = async () => {
    const {items} = JSON.parse(await kubectl('get nodes -o json')) as {
      items: {metadata: {name: string}; status: {conditions: {type: string; status: string}[]}}[];
    };
    const ready = items.filter((node) => node.status.conditions.some((one) => one.type === 'Ready' && one.status === 'True'));
    return ready.length === count ? ready.map((node) => node.metadata.name) : undefined;
  };
  return (await waitFor(names, {timeout: 240_000, interval: 2000})) ?? [];
}

describe.skipIf(reason !== undefined)(`layers, a registry, and other roads to a cluster${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  beforeAll(async () => {
    bed = await upBed({hosts: 4, bed: number});
    places = await startPublicPlaces();
    const files: Readonly<Record<string, string>> = {
      'provisioner.yaml': provisioner,
      'cargo.yaml': cargo,
      'stuck.yaml': stuck,
      'after.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: after, namespace: default}\n',
      'chart/Chart.yaml': 'apiVersion: v2\nname: buoy\nversion: 1.0.0\n',
      'chart/templates/all.yaml': chart,
      'flannel/kustomization.yaml': 'resources: [kube-flannel.yaml]\ncommonAnnotations: {crew.example/by: kustomize}\n',
    };
    await mkdir(bed.home, {recursive: true});
    await mkdir(join(bed.work, 'chart/templates'), {recursive: true});
    await mkdir(join(bed.work, 'flannel'));
    for (const [name, text] of Object.entries(files)) await writeFile(join(bed.work, name), text);
    await copyFile(new URL('../testbed/flannel/kube-flannel.yaml', import.meta.url), join(bed.work, 'flannel/kube-flannel.yaml'));
    await setUpRegistry();
    await writeProfile();
  });

  afterAll(async () => {
    await killRegistry();
    await places?.close();
    await bed?.down();
  });

  test('a bundle with helm in it goes into a registry with TLS and a password, which dies in the middle', async () => {
    await bed.write(clusterFile({isBuilding: true}));
    expectCode(await run(['bundle', 'build', '--out', 'bundle']), 0);
    expect(resultOf<{rows: {name: string}[]}>(await run(['bundle', 'inspect', 'bundle', '-o', 'json'])).rows.map((row) => row.name)).toContain('helm');
    await startRegistry();
    const push = ['bundle', 'push', 'bundle', address, '--authority', 'ca.pem', '-o', 'json'];
    const refused = await run(push);
    expectCode(refused, 5);
    await logIn();
    const dying = bed.start(push, {env: {BELL_TOKEN: secretValue}});
    // a blob that has arrived gets its name first, and its link in the repository last
    const links = join(bed.work, 'registry/docker/registry/v2/repositories/fleet/bundle/_layers/sha256');
    const hasLink = async () => ((await readdir(links, {recursive: true}).catch(() => [])).some((path) => path.endsWith('/link')) ? true : undefined);
    expect(await waitFor(hasLink, {timeout: 60_000, interval: 20})).toBe(true);
    await killRegistry();
    const died = await dying.ended;
    expectCode(died, 4);
    await startRegistry();
    const pushed = resultOf<{blobs: number; present: number; sent: number}>(await run(push));
    expect(pushed.present).toBeGreaterThan(0);
    console.log(`pushed: ${pushed.blobs} blobs, ${pushed.present} there before, ${Math.round(pushed.sent / 1e6)} MB sent the second time`);
  });

  test('a flipped bit in the registry is found before any host is touched', async () => {
    await bed.write(clusterFile());
    const {rows} = resultOf<{rows: {name: string; digest: string}[]}>(await run(['bundle', 'inspect', 'bundle', '-o', 'json']));
    const hex = (rows.find((row) => row.name === 'kubelet')?.digest ?? '').replace('sha256:', '');
    const path = join(bed.work, 'registry/docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
    const right = await readFile(path);
    const wrong = Buffer.from(right);
    wrong[wrong.length >> 1]! ^= 1;
    await writeFile(path, wrong);
    // what was built here lies in the cache
    await rm(join(bed.home, '.cache'), {recursive: true, force: true});
    const ran = await run(['apply', '--yes']);
    await writeFile(path, right);
    expectCode(ran, 1);
    expect(ran.stderr).toContain('kubelet');
    await untouched();
  });

  test('a registry that dies while content is fetched touches no host, and the next apply makes the cluster; one host has a read-only /usr', async () => {
    await rm(join(bed.home, '.cache'), {recursive: true, force: true});
    const dying = bed.start(['apply', '--yes'], {env: {BELL_TOKEN: secretValue}});
    await dying.saw(/Get content|Get the content/);
    await killRegistry();
    const died = await dying.ended;
    expect(died.code, died.stderr).not.toBe(0);
    expect(died.stderr).toContain(`${gateway}:5000`);
    await startRegistry();
    // kube-proxy mounts /lib/modules, which every image of an operating system has, and this bed's hosts don't: their kernel has no modules
    await bed.ssh(2, 'mkdir -p /usr/lib/modules && mount --bind /usr /usr && mount -o remount,bind,ro /usr && ! touch /usr/local/bin/x 2>/dev/null');
    const started = Date.now();
    const ran = await run(['apply', '--yes']);
    expectCode(ran, 0);
    console.log(`apply from a registry to Ready with four layers: ${Math.round((Date.now() - started) / 1000)} s`);
    expect(await readyNodes(2)).toEqual(['h1', 'h2']);
    expect(await bed.ssh(2, 'ls /opt/trireme/versions/bin')).toContain('kubelet');
    expect(await bed.ssh(1, 'cat /etc/containerd/certs.d/docker.io/hosts.toml')).toContain(`[host."https://${gateway}:5000"]`);
  });

  test('the storage layer binds a claim; chart and kustomization are on the cluster; a second apply is unchanged', async () => {
    expect(await kubectl("-n hold get pvc cargo -o jsonpath='{.status.phase}'")).toBe('Bound');
    expect(await kubectl("-n hold get pod keeper -o jsonpath='{.status.phase}'")).toBe('Running');
    expect(await kubectl("-n water get deployment buoy -o jsonpath='{.status.availableReplicas}'")).toBe('2');
    expect(Buffer.from(await kubectl("-n water get secret buoy -o jsonpath='{.data.token}'"), 'base64').toString()).toBe(secretValue);
    expect(await kubectl("-n kube-flannel get daemonset -o jsonpath='{.items[0].metadata.annotations.crew\\.example/by}'")).toBe('kustomize');
    const again = await run(['apply', '--yes']);
    expectCode(again, 0);
    expect(again.stdout).toContain('unchanged');
    expect(
      await bed.ssh(
        1,
        `journalctl -u trireme-agent --no-pager | grep -c ${secretValue} || true; grep -c ${secretValue} /var/lib/trireme/events.ndjson || true`,
      ),
    ).toBe('0\n0\n');
  });

  test('a layer whose gate never gets healthy stops the next one, and says what it waits for; out of the profile it is gone', async () => {
    await writeProfile({name: 'stuck', manifest: 'stuck.yaml', timeout: '20s'}, {name: 'after', manifest: 'after.yaml'});
    const ran = await run(['apply', '--yes']);
    expectCode(ran, 6);
    expect(ran.stderr).toContain('The layer stuck');
    expect(ran.stderr).toContain('Deployment stuck has 0 of 1 replicas available');
    console.log(ran.stderr.split('\n').find((line) => line.includes("isn't healthy")));
    expect(await kubectl('get configmap after --ignore-not-found')).toBe('');
    await writeProfile({name: 'after', manifest: 'after.yaml'});
    expectCode(await run(['apply', '--yes']), 0);
    expect(await kubectl('get deployment stuck --ignore-not-found')).toBe('');
    expect(await kubectl('get configmap after -o name')).toBe('configmap/after\n');
  });

  test('a host without SSH joins by the install script, and one from an image with the agent inside joins by itself', async () => {
    await bed.write(clusterFile({byFile: true}));
    const script = join(bed.work, 'h3.sh');
    const image = join(bed.work, 'h4.tar');
    expectCode(await run(['agent', 'package', '--host', 'h3', '--script', script]), 0);
    expectCode(await run(['agent', 'package', '--host', 'h4', '--tar', image]), 0);
    expect((await stat(script)).mode & 0o077).toBe(0);
    expect((await stat(image)).mode & 0o077).toBe(0);
    const rootOf = async (index: number) => (await bed.hosts('path', String(index))).trim();
    const third = await rootOf(3);
    await copyFile(script, join(third, 'root/h3.sh'));
    // a damaged script changes nothing
    const damaged = await readFile(script);
    damaged[damaged.length >> 1]! ^= 1;
    await writeFile(join(third, 'root/damaged.sh'), damaged);
    expect(await bed.ssh(3, 'sh /root/damaged.sh 2>&1; echo $?; ls -d /opt/trireme 2>&1 || true')).toMatch(/damaged[^]*\n1\n[^]*No such file/);
    // nobody can log in from here on: the script runs as whatever writes files at the first boot would run it
    await bed.ssh(
      3,
      `systemd-run --quiet --unit=enrol sh -c 'systemctl disable --now ssh ssh.socket; sh /root/h3.sh >/root/h3.log 2>&1; sh /root/h3.sh >/root/h3-again.log 2>&1'`,
    );
    await bed.hosts('kill', '4');
    execFileSync('tar', ['-xpf', image, '-C', await rootOf(4)]);
    await bed.hosts('boot', '4');
    expect(await readyNodes(4)).toEqual(['h1', 'h2', 'h3', 'h4']);
    expect(await readFile(join(third, 'root/h3.log'), 'utf8')).toMatch(/answers\nenrolled\n$/);
    const again = async () => ((await readFile(join(third, 'root/h3-again.log'), 'utf8').catch(() => '')).endsWith('unchanged\n') ? true : undefined);
    expect(await waitFor(again, {timeout: 60_000, interval: 1000})).toBe(true);
    expect(existsSync(join(await rootOf(4), 'etc/trireme/enrolment.json'))).toBe(false);
    const status = await run(['status', '--wait', '--timeout', '3m', '-o', 'json']);
    expectCode(status, 0);
    const unchanged = await run(['plan', '--exit-code']);
    expectCode(unchanged, 0);
  });
});
