// Providers on real API servers without nodes: what is installed is what clusterctl installs, and what doesn't run is named.
import {mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {createServer, type Server} from 'node:https';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {parse, stringify} from 'yaml';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {providers} from '../testbed/cluster-api.mjs';
import {defaultKubernetes, moduleFolder, programs} from '../testbed/parts.mjs';
import {closedPort} from '../support/closed-port.ts';
import {type ManagementCluster, missingManagementCluster, startManagementCluster} from '../support/management-cluster.ts';
import {downloadedModule, type TestRepository, writeProviderRepository} from '../support/provider-repository.ts';
import {startTrireme, trireme} from '../support/trireme.ts';

const missing = await missingManagementCluster({apiOnly: false});
if (missing !== undefined) console.warn(`providers: skipped, ${missing}`);

// oxlint-disable-next-line no-explicit-any -- answers of other programs, looked into by expectations only
type Plain = Record<string, any>;

/** Kinds of everything that carries clusterctl's label. */
const kinds =
  'customresourcedefinitions,namespaces,providers.clusterctl.cluster.x-k8s.io,deployments,services,serviceaccounts,configmaps,secrets,roles,rolebindings,clusterroles,clusterrolebindings,mutatingwebhookconfigurations,validatingwebhookconfigurations,certificates.cert-manager.io,issuers.cert-manager.io';

describe.skipIf(missing !== undefined)('providers on a real API server without nodes', () => {
  let folder: string;
  let repository: TestRepository;
  let ours: ManagementCluster;
  let theirs: ManagementCluster;

  const env = (cluster: ManagementCluster, more: Readonly<Record<string, string>> = {}) => ({
    HOME: join(folder, 'home'),
    XDG_STATE_HOME: join(folder, `state-${cluster.server.split(':').at(-1)}`),
    TRIREME_KUBECONFIG: cluster.kubeconfig,
    TRIREME_CONFIG: repository.config,
    NO_COLOR: '1',
    ...more,
  });
  const provider = (cluster: ManagementCluster, args: readonly string[], more = {}) => trireme(['provider', ...args], {env: env(cluster, more)});
  const listed = async (cluster: ManagementCluster): Promise<Plain[]> =>
    (JSON.parse(await cluster.kubectl(['get', kinds, '-A', '-l', 'clusterctl.cluster.x-k8s.io', '-o', 'json'])) as {items: Plain[]}).items;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trireme-providers-'));
    const module = moduleFolder('cluster-api', 'sigs.k8s.io/cluster-api');
    repository = await writeProviderRepository(folder, {
      kubectl: join(programs('kubernetes', defaultKubernetes), 'kubectl'),
      providers: providers(),
      metadata: join(module, 'metadata.yaml'),
      versions: ['v1.14.1', 'v1.14.2'],
      certManager: await downloadedModule('github.com/cert-manager/cert-manager@v1.21.2'),
    });
    [ours, theirs] = [await startManagementCluster({apiOnly: true}), await startManagementCluster({apiOnly: true})];
  });
  afterAll(async () => {
    await ours?.stop();
    await theirs?.stop();
    await rm(folder, {recursive: true, force: true});
  });

  it('refuses before any write: a missing variable, all of them named; a contract that does not fit; a user without rights', async () => {
    const broken = join(folder, 'broken');
    await writeProvider(broken, 'infrastructure-lab', 'v0.1.0', 'v1beta2', 'x: ${LAB_TOKEN}\ny: ${LAB_REGION}\nz: ${LAB_ZONE:=a}');
    const config = join(folder, 'broken.yaml');
    const {providers: known, 'cert-manager': certManager} = parse(await readFile(repository.config, 'utf8')) as Plain;
    const own = (label: string) => ({name: label.replace('infrastructure-', ''), type: 'InfrastructureProvider', url: join(broken, label, 'latest/infrastructure-components.yaml')});
    await writeProvider(broken, 'infrastructure-old', 'v0.1.0', 'v1alpha4', 'x: y');
    await writeFile(config, stringify({providers: [...known, own('infrastructure-lab'), own('infrastructure-old')], 'cert-manager': certManager}));

    const variables = await provider(ours, ['init', '--config', config, '--infrastructure', 'lab', '--yes']);
    expect(variables.code).toBe(3);
    expect(variables.stderr).toContain('LAB_REGION, LAB_TOKEN');
    expect(variables.stderr).toContain('LAB_ZONE=a');

    const contract = await provider(ours, ['init', '--config', config, '--infrastructure', 'old', '--yes', '-o', 'json']);
    expect(contract.code).toBe(3);
    expect(JSON.parse(contract.stdout).problem).toMatchObject({code: 'provider.incompatible', details: {incompatible: [{provider: 'infrastructure-old', contract: 'v1alpha4'}]}});

    const reader = await ours.user('reader');
    await ours.kubectl(['create', 'clusterrolebinding', 'reader', '--clusterrole=view', '--user=reader']);
    await ours.kubectl(['create', 'clusterrole', 'crds', '--verb=get,list', '--resource=customresourcedefinitions,namespaces']);
    await ours.kubectl(['create', 'clusterrolebinding', 'crds', '--clusterrole=crds', '--user=reader']);
    const rights = await provider(ours, ['init', '--yes', '-o', 'json'], {TRIREME_KUBECONFIG: reader});
    expect(rights.code, rights.stderr).toBe(5);
    expect(JSON.parse(rights.stdout).problem.message).toContain('create customresourcedefinitions.apiextensions.k8s.io in the whole cluster');

    expect(await ours.kubectl(['get', 'crd', '-o', 'name'])).toBe('');
    expect(await ours.kubectl(['get', 'namespaces', '-l', 'clusterctl.cluster.x-k8s.io', '-o', 'name'])).toBe('');
  });

  it('goes on where it was killed, and ends with 7 naming the Deployment that has no node', async () => {
    const running = startTrireme(['provider', 'init', '--infrastructure', 'docker:v1.14.1', '--core', 'cluster-api:v1.14.1', '--bootstrap', 'kubeadm:v1.14.1', '--control-plane', 'kubeadm:v1.14.1', '--yes', '--timeout', '3s'], {env: env(ours)});
    await running.saw(/bootstrap-kubeadm: ✔ Make its kinds/);
    running.kill('SIGKILL');
    await running.ended;
    const before = JSON.parse(await ours.kubectl(['get', 'providers', '-A', '-o', 'json'])) as {items: Plain[]};
    // what it was at when the kill came, it may just have entered, too
    const there: readonly string[] = before.items.map(({metadata}) => metadata.name);
    expect(there).toContain('cluster-api');
    expect(there).not.toContain('infrastructure-docker');

    const again = await provider(ours, ['init', '--resume', '--yes', '--timeout', '3s', '-o', 'json']);
    expect(again.code, again.stderr).toBe(7);
    const {problem, result} = JSON.parse(again.stdout) as Plain;
    expect(problem.message).toMatch(/^Deployment (capi-system\/capi-controller-manager|cap\S+\/cap\S+-manager) has 0 of 1 replicas .* no nodes/);
    expect(result.plan.hosts.map((row: Plain) => [row.host, row.state])).toEqual([
      ['cert-manager', 'unchanged'],
      ['cluster-api', 'unchanged'],
      ...['bootstrap-kubeadm', 'control-plane-kubeadm', 'infrastructure-docker'].map((name) => [name, there.includes(name) ? 'unchanged' : 'new']),
    ]);
  });

  it('leaves exactly the objects that clusterctl leaves: labels, annotations and fields', async () => {
    await theirs.clusterctl(['init', '--core', 'cluster-api:v1.14.1', '--bootstrap', 'kubeadm:v1.14.1', '--control-plane', 'kubeadm:v1.14.1', '--infrastructure', 'docker:v1.14.1'], {config: repository.config});
    const [mine, wanted] = [await comparable(ours), await comparable(theirs)];
    expect(Object.keys(mine).toSorted()).toEqual(Object.keys(wanted).toSorted());
    expect(Object.keys(mine).filter((key) => key.startsWith('Provider '))).toHaveLength(4);
    for (const key of Object.keys(wanted)) expect(mine[key], key).toEqual(wanted[key]);
  });

  it('agrees with clusterctl on what is newer, on what either of them installed', async () => {
    for (const cluster of [ours, theirs]) {
      const plan = parsePlan(await cluster.clusterctl(['upgrade', 'plan'], {config: repository.config}));
      const {stdout, code} = await provider(cluster, ['list', '-o', 'json']);
      expect(code).toBe(0);
      const {providers: rows, contract} = (JSON.parse(stdout) as Plain)['result'];
      expect(contract).toBe('v1beta2');
      expect(Object.fromEntries(rows.map((row: Plain) => [row.provider, [row.namespace, row.version, row.newest]]))).toEqual(plan);
      expect(Object.values(plan).map(([, , next]) => next)).toEqual(['v1.14.2', 'v1.14.2', 'v1.14.2', 'v1.14.2']);
      expect(rows[0].health).toBe('degraded');
      expect(rows[0].reasons[0]).toContain('no nodes');
    }
  });

  it('upgrades what clusterctl installed, removes what the new version lacks, and keeps kinds and what is in them', async () => {
    await theirs.kubectl(['apply', '-f', '-'], {
      input: stringify({apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'leftover', namespace: 'capd-system', labels: {'clusterctl.cluster.x-k8s.io': '', 'cluster.x-k8s.io/provider': 'infrastructure-docker'}}}),
    });
    const crd = JSON.parse(await theirs.kubectl(['get', 'crd', 'clusters.cluster.x-k8s.io', '-o', 'json'])) as Plain;
    const upgraded = await provider(theirs, ['upgrade', '--yes', '--timeout', '3s', '-o', 'json']);
    expect(upgraded.code, upgraded.stderr).toBe(7);
    expect((JSON.parse(upgraded.stdout) as Plain)['problem'].message).toContain('replicas');
    const plan = parsePlan(await theirs.clusterctl(['upgrade', 'plan'], {config: repository.config}));
    expect(Object.values(plan).map(([, version, next]) => [version, next])).toEqual(Array(4).fill(['v1.14.2', null]));
    expect(await theirs.kubectl(['get', 'configmap', '-n', 'capd-system', '-l', 'clusterctl.cluster.x-k8s.io', '-o', 'name'])).toBe('');
    const after = JSON.parse(await theirs.kubectl(['get', 'crd', 'clusters.cluster.x-k8s.io', '-o', 'json'])) as Plain;
    expect(after['metadata'].uid).toBe(crd['metadata'].uid);
    const again = await provider(theirs, ['upgrade', '--yes', '-o', 'json']);
    expect(again.code, again.stderr).toBe(0);
    expect((JSON.parse(again.stdout) as Plain)['result'].run.outcome).toBe('unchanged');
  });

  it('is upgraded by clusterctl, and sees it', async () => {
    await ours.clusterctl(['upgrade', 'apply', '--contract', 'v1beta2'], {config: repository.config});
    const {stdout} = await provider(ours, ['list', '-o', 'json']);
    expect((JSON.parse(stdout) as Plain)['result'].providers.map((row: Plain) => [row.version, row.newest])).toEqual(Array(4).fill(['v1.14.2', null]));
    const conflict = await provider(ours, ['init', '--core', 'cluster-api:v1.14.1', '--yes', '-o', 'json']);
    expect(conflict.code).toBe(8);
    expect((JSON.parse(conflict.stdout) as Plain)['problem'].code).toBe('provider.conflict');
  });

  it('issues the certificates of webhooks itself, and waits until they answer: first nobody listens, then the right key does', async () => {
    const lab = await startManagementCluster({apiOnly: true});
    const held = await closedPort();
    const {port} = held;
    let server: Server | undefined;
    try {
      const root = join(folder, 'webhooks');
      await writeProvider(root, 'infrastructure-lab', 'v0.1.0', 'v1beta2', 'x: lab', webhookObjects(port));
      const args = ['provider', 'init', '--repository', root, '--infrastructure', 'lab', '--bootstrap', '-', '--control-plane', '-', '--webhook-certificates', 'own', '--yes', '--timeout', '40s', '-o', 'json'];
      const running = startTrireme(args, {env: env(lab)});
      await running.saw(/infrastructure-lab: WebhooksAnswer is false/);
      const secret = JSON.parse(await lab.kubectl(['get', 'secret', '-n', 'infrastructure-lab-system', 'webhook', '-o', 'json'])) as Plain;
      const part = (name: string) => Buffer.from(secret['data'][name], 'base64');
      await held.free();
      server = await serveAdmission(port, part('tls.crt'), part('tls.key'));
      const {stdout, code} = await running.ended;
      // the core provider has no node to run on; the lab's webhooks answered all the same
      expect(code).toBe(7);
      const hosts = (JSON.parse(stdout) as Plain)['result'].run.hosts as {host: string; outcome: string}[];
      expect(hosts.map(({host, outcome}) => [host, outcome])).toEqual([
        ['cluster-api', 'failed'],
        ['infrastructure-lab', 'changed'],
      ]);
      expect(stdout).not.toContain('PRIVATE KEY');
      const crd = JSON.parse(await lab.kubectl(['get', 'crd', 'clusters.cluster.x-k8s.io', '-o', 'json'])) as Plain;
      expect(crd['spec'].conversion.webhook.clientConfig.caBundle).toMatch(/^LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS/);
      expect(await lab.kubectl(['get', 'crd', '-o', 'name'])).not.toContain('cert-manager');
      // what was chosen goes on without being said, and certificates stay as they are
      const again = await provider(lab, ['init', '--repository', root, '--infrastructure', 'lab', '--bootstrap', '-', '--control-plane', '-', '--yes', '--timeout', '3s', '-o', 'json']);
      expect((JSON.parse(again.stdout) as Plain)['result'].run.hosts.map((one: Plain) => [one.host, one.outcome])).toEqual([
        ['cluster-api', 'failed'],
        ['infrastructure-lab', 'unchanged'],
      ]);
    } finally {
      await held.free();
      server?.close();
      await lab.stop();
    }
  });

  async function comparable(cluster: ManagementCluster): Promise<Record<string, Plain>> {
    const objects = await listed(cluster);
    return Object.fromEntries(
      objects.map((object) => {
        const {metadata, status: _, ...rest} = structuredClone(object);
        const annotations = {...metadata.annotations};
        delete annotations['deployment.kubernetes.io/revision'];
        for (const key of ['clusterIP', 'clusterIPs']) if (object['kind'] === 'Service') delete rest.spec[key];
        return [`${object['kind']} ${metadata.namespace ?? ''}/${metadata.name}`, {...rest, labels: metadata.labels, annotations, finalizers: metadata.finalizers}];
      }),
    );
  }

  async function writeProvider(root: string, label: string, version: string, contract: string, data: string, more: readonly string[] = []): Promise<void> {
    const release = join(root, label, version);
    await mkdir(release, {recursive: true});
    const [major, minor] = version.slice(1).split('.').map(Number);
    await writeFile(join(release, 'metadata.yaml'), stringify({apiVersion: 'clusterctl.cluster.x-k8s.io/v1alpha3', kind: 'Metadata', releaseSeries: [{major, minor, contract}]}));
    const objects = [`apiVersion: v1\nkind: Namespace\nmetadata: {name: ${label}-system}`, `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: x}\ndata:\n  ${data.replaceAll('\n', '\n  ')}`, ...more];
    await writeFile(join(release, 'infrastructure-components.yaml'), objects.join('\n---\n'));
  }
});

/** `clusterctl upgrade plan`: label to namespace, version and next version. */
function parsePlan(text: string): Record<string, readonly [string, string, string | null]> {
  const rows = text.split('\n').filter((line) => /Provider\s/.test(line));
  return Object.fromEntries(
    rows.map((line) => {
      const [name = '', namespace = '', , version = '', next = ''] = line.trim().split(/\s+/);
      return [name, [namespace, version, next.startsWith('v') ? next : null] as const];
    }),
  );
}

function webhookObjects(port: number): readonly string[] {
  const names = {kind: 'Boat', listKind: 'BoatList', plural: 'boats', singular: 'boat'};
  const schema = {openAPIV3Schema: {type: 'object', properties: {spec: {type: 'object', required: ['oars'], properties: {oars: {type: 'integer', minimum: 3}}}}}};
  const objects = [
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: {name: 'boats.lab.example'},
      spec: {group: 'lab.example', names, scope: 'Namespaced', versions: [{name: 'v1', served: true, storage: true, schema}]},
    },
    {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      metadata: {name: 'webhook', namespace: 'infrastructure-lab-system'},
      spec: {secretName: 'webhook', dnsNames: ['localhost'], issuerRef: {name: 'self'}},
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: {name: 'lab', annotations: {'cert-manager.io/inject-ca-from': 'infrastructure-lab-system/webhook'}},
      webhooks: [
        {
          name: 'boats.lab.example',
          clientConfig: {url: `https://localhost:${port}/validate`},
          rules: [{apiGroups: ['lab.example'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['boats']}],
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
          timeoutSeconds: 2,
        },
      ],
    },
  ];
  return objects.map((object) => stringify(object));
}

/** Admits everything. */
async function serveAdmission(port: number, cert: Buffer, key: Buffer): Promise<Server> {
  const server = createServer({cert, key}, (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const {uid} = (JSON.parse(body) as Plain)['request'];
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: {uid, allowed: true}}));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, 'localhost', resolve));
  return server;
}
