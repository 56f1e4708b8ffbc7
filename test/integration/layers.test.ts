// Layers of every form, and what becomes of what a layer puts: rendered by programs, applied to the embedded API, pruned only where it is ours.
import {chmod, mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {Redactor} from '../../src/kernel/redact.ts';
import type {KubeApi, Resource} from '../../src/kube/api.ts';
import {connect} from '../../src/kube/client.ts';
import {applyLayer, removeLayer} from '../../src/layers/apply-layers.ts';
import {renderLayers} from '../../src/layers/render.ts';
import {startManagement, type ManagementApi} from '../../src/sandbox/management/management.ts';
import type {DesiredCluster} from '../../src/spec/desired.ts';
import {readCluster} from '../../src/spec/read.ts';

const {signal} = new AbortController();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trireme-layers-'));
});
afterAll(async () => {
  await rm(folder, {recursive: true, force: true});
});

const write = async (name: string, text: string, mode = 0o644) => {
  const path = join(folder, name);
  await mkdir(join(path, '..'), {recursive: true});
  await writeFile(path, text);
  await chmod(path, mode);
};

const profile = (layers: string) => `apiVersion: trireme.dev/v1alpha1
kind: ClusterProfile
metadata: {name: hold}
spec:
  variables:
    count: {type: number, default: 3}
    isOn: {type: boolean, default: true}
    release: {type: version, default: "1.20"}
    gate: {type: ipv4, default: 10.0.0.1}
    sea: {type: ipv6, default: "fd00::1"}
    net: {type: cidr, default: 10.9.0.0/16}
    token: {masked: true, required: true}
  layers: ${layers}
`;
const cluster = () => `apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: berth}
spec:
  mode: agent
  kubernetes: {version: v1.36.3}
  endpoint: {host: 127.0.0.1}
  bundle: {programs: {helm: ./helm, kubectl: ./kubectl}}
  profile: {file: profile.yaml, variables: {token: {fromEnv: TOKEN}}}
  agent: {hosts: [{name: h1, address: 127.0.0.1, role: control-plane}]}
`;
const secret = 'deep-water-canary';
const redactor = new Redactor();

async function read(layers: string): Promise<DesiredCluster> {
  await write('profile.yaml', profile(layers));
  await write('trireme.yaml', cluster());
  return readCluster({files: ['trireme.yaml'], folder, env: {TOKEN: secret}, redactor});
}

const programs = () => ({lockFile: join(folder, 'lock'), folder, programs: {helm: join(folder, 'helm'), kubectl: join(folder, 'kubectl')}});
const render = async (layers: string) => renderLayers(await read(layers), {programs: programs(), signal});

// stands for helm: writes down how it was called, and gives back its values in an object
const helm = `#!/bin/sh
echo "$@" > "$(dirname "$0")/helm.args"
cat > "$(dirname "$0")/helm.values"
cat <<'MANIFEST'
apiVersion: v1
kind: ConfigMap
metadata: {name: buoy}
---
apiVersion: batch/v1
kind: Job
metadata: {name: leaves, annotations: {helm.sh/hook: pre-delete}}
MANIFEST
`;

describe('layers from charts and kustomizations', () => {
  it('renders a chart with variables of every type, its secret values by standard input alone', async () => {
    await write('chart/Chart.yaml', 'name: buoy\n');
    await write('more.yaml', 'count: 1\ndeep: {a: 1, b: 2}\n');
    await write('helm', helm, 0o755);
    const values =
      '{count: "${var.count}", on: "${var.isOn}", at: "${var.release}", gate: "${var.gate}", sea: "${var.sea}", net: "net ${var.net}", key: "${var.token}", deep: {b: 3}}';
    const {layers} = await render(
      `{addons: [{name: buoy, timeout: 90s, chart: {path: chart, release: bell, namespace: water, valuesFiles: [more.yaml], values: ${values}}}]}`,
    );
    expect(JSON.parse(await readFile(join(folder, 'helm.values'), 'utf8'))).toEqual({
      count: 3,
      on: true,
      at: '1.20',
      gate: '10.0.0.1',
      sea: 'fd00::1',
      net: 'net 10.9.0.0/16',
      key: secret,
      deep: {a: 1, b: 3},
    });
    const args = await readFile(join(folder, 'helm.args'), 'utf8');
    expect(args).toContain('template bell');
    expect(args).toContain('--kube-version v1.36.3');
    expect(args).not.toContain(secret);
    expect(redactor.text(`x ${secret} y`)).not.toContain(secret);
    expect(layers).toEqual([
      {
        name: 'buoy',
        kind: 'addon',
        namespace: 'water',
        patience: 90_000,
        renderedBy: 'helm',
        // a namespace that the chart doesn't bring is made; hooks of a leaving release aren't objects of the layer
        manifest: 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: water\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: buoy\n',
      },
    ]);
  });

  it('renders a kustomization, and fills in variables afterwards', async () => {
    await write('kust/kustomization.yaml', 'resources: []\n');
    await write('kubectl', "#!/bin/sh\nprintf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata:\\n  name: ${cluster.name}-sail\\n'\n", 0o755);
    const {layers} = await render('{csi: {name: sail, kustomization: kust}}');
    expect(layers).toMatchObject([
      {name: 'sail', kind: 'csi', renderedBy: 'kubectl', manifest: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: "berth-sail"\n'},
    ]);
  });

  it('says which layer, and in the words of the program, when it cannot be rendered', async () => {
    await write('helm', '#!/bin/sh\necho "Error: parse error at (buoy/templates/all.yaml:3)" >&2\nexit 1\n', 0o755);
    await expect(render('{addons: [{name: buoy, chart: {path: chart}}]}')).rejects.toMatchObject({
      code: 'layer.render-failed',
      message: expect.stringMatching(/of layer buoy: Error: parse error at \(buoy\/templates/),
    });
  });

  it('complains at their lines about a chart that is none, two forms in one layer, and a variable that nobody declared', async () => {
    const wrong = read(
      '{cni: {name: a, chart: {path: nowhere}}, csi: {name: b, chart: {path: chart, values: {x: "${var.nope}"}}}, addons: [{name: c, manifest: m.yaml, kustomization: kust}, {name: d}]}',
    );
    await expect(wrong).rejects.toMatchObject({
      code: 'file.invalid',
      details: {
        complaints: expect.arrayContaining(
          ['files.missing', 'variable.unknown', 'layer.ambiguous', 'layer.empty'].map((rule) => expect.objectContaining({rule})),
        ),
      },
    });
  });

  it('does not tell a masked value in a complaint about it', async () => {
    await write('m.yaml', `apiVersion: v1\nkind: Secret\nmetadata: {name: "\${var.token}"}\nstringData: {key: "\${var.unknown}"}\n`);
    await expect(read('{addons: [{name: c, manifest: m.yaml}]}')).rejects.toMatchObject({message: expect.not.stringContaining(secret)});
  });
});

describe('what a layer put onto a cluster', () => {
  let management: ManagementApi;
  let api: KubeApi;
  const maps: Resource = {group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true};
  const map = (name: string, data: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: default}\ndata: ${data}\n`;
  const layer = (...manifests: string[]) => ({name: 'sails', manifest: manifests.join('---\n')});
  const options = (said: string[] = []) => ({signal, layers: [], say: (line: string) => void said.push(line)});
  const live = (name: string) => api.get(maps, {name, namespace: 'default'});

  beforeAll(async () => {
    management = await startManagement();
    api = await connect({kubeconfig: management.kubeconfig.path, signal, redactor: new Redactor(), warn: () => {}});
  });
  afterAll(async () => {
    api?.close();
    await management?.stop();
  });

  it('goes when the layer has it no more, and so do its fields in what stays', async () => {
    await applyLayer(api, layer(map('main', '{a: "1", b: "2"}'), map('jib', '{a: "1"}')), options());
    const said: string[] = [];
    await applyLayer(api, layer(map('main', '{a: "1"}')), options(said));
    expect((await live('main'))?.['data']).toEqual({a: '1'});
    expect(await live('jib')).toBeUndefined();
    expect(said).toEqual(["ConfigMap default/jib removed: the layer doesn't have it any more."]);
  });

  it('stays with their fields where others apply to it too', async () => {
    await applyLayer(api, layer(map('shared', '{ours: "1"}')), options());
    await api.apply({apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'shared', namespace: 'default'}, data: {theirs: '1'}}, {fieldManager: 'gitops'});
    const said: string[] = [];
    await removeLayer(api, 'sails', options(said));
    expect((await live('shared'))?.['data']).toEqual({theirs: '1'});
    expect(said).toEqual(['ConfigMap default/shared stays with the fields of gitops; ours are given up.']);
  });

  it('stays untouched where somebody has made it anew', async () => {
    await applyLayer(api, layer(map('lent', '{a: "1"}')), options());
    await api.remove(maps, {name: 'lent', namespace: 'default'});
    await api.apply({apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'lent', namespace: 'default'}, data: {theirs: '1'}}, {fieldManager: 'gitops'});
    const said: string[] = [];
    await removeLayer(api, 'sails', options(said));
    expect((await live('lent'))?.['data']).toEqual({theirs: '1'});
    expect(said).toEqual(["ConfigMap default/lent stays: it isn't ours any more."]);
  });
});
