// What a bootstrap begins with, SIMULATED: an empty management API, another one that stands in for the new cluster's own, a repository of providers,
// and a file. Everything is in one folder.
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {stringify} from 'yaml';
import {clusterClassObjects} from '../../src/sandbox/management/class.ts';
import {builtInDefinitions} from '../../src/sandbox/management/kinds.ts';
import {startManagement, type ManagementApi} from '../../src/sandbox/management/management.ts';

export interface PivotSandbox {
  readonly folder: string;
  readonly bootstrap: ManagementApi;
  /** The new cluster. */
  readonly inside: ManagementApi;
  readonly file: string;
  readonly repository: string;
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const version = 'v1.14.2';

export const fileText = `# the management cluster of all others
apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: harbour}
spec:
  mode: controller
  kubernetes: {version: v1.36.3}
  profile: {file: profile.yaml}
  controller:
    class: in-memory # of the docker provider
    variables:
      machineSize: medium # enough for the controllers
    controlPlane: {replicas: 1}
    pools: [{name: md-0, class: default-worker, replicas: 1}]
`;

export async function startPivotSandbox(): Promise<PivotSandbox> {
  const folder = await mkdtemp(join(tmpdir(), 'trireme-pivot-'));
  const inside = await startManagement({name: 'inside', providers: false});
  const bootstrap = await startManagement({name: 'bootstrap', providers: false, workloads: {harbour: inside.kubeconfig.text}});
  const repository = join(folder, 'repository');
  await writeRepository(repository);
  const file = join(folder, 'trireme.yaml');
  await writeFile(file, fileText);
  const layer = {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'pod-network', namespace: 'kube-system'}, data: {cidr: '10.244.0.0/16'}};
  await writeFile(join(folder, 'network.yaml'), stringify(layer));
  const profile = {
    apiVersion: 'trireme.dev/v1alpha1',
    kind: 'ClusterProfile',
    metadata: {name: 'small'},
    spec: {layers: {cni: {name: 'network', manifest: 'network.yaml'}}},
  };
  await writeFile(join(folder, 'profile.yaml'), stringify(profile));
  return {
    folder,
    bootstrap,
    inside,
    file,
    repository,
    env: {HOME: folder, XDG_STATE_HOME: join(folder, 'state'), KUBECONFIG: bootstrap.kubeconfig.path, GOPROXY: 'off', NO_COLOR: '1'},
    stop: async () => {
      await bootstrap.stop();
      await inside.stop();
      await rm(folder, {recursive: true, force: true});
    },
  };
}

/** Cluster API's simulated kinds as the core provider's, a controller for each provider, and the class as releases of the docker provider have it. */
async function writeRepository(root: string): Promise<void> {
  const write = async (label: string, file: string, namespace: string, objects: readonly object[]) => {
    const release = join(root, label, version);
    await mkdir(release, {recursive: true});
    const series = [{major: 1, minor: 14, contract: 'v1beta2'}];
    await writeFile(join(release, 'metadata.yaml'), stringify({apiVersion: 'clusterctl.cluster.x-k8s.io/v1alpha3', kind: 'Metadata', releaseSeries: series}));
    const labels = {'control-plane': 'controller-manager'};
    const manager = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {name: `${label}-manager`, namespace, labels},
      spec: {
        replicas: 1,
        selector: {matchLabels: labels},
        template: {metadata: {labels}, spec: {containers: [{name: 'manager', image: 'simulated.invalid/manager:v1'}]}},
      },
    };
    const all = [{apiVersion: 'v1', kind: 'Namespace', metadata: {name: namespace}}, ...objects, manager];
    await writeFile(join(release, file), all.map((object) => stringify(object, {aliasDuplicateObjects: false})).join('---\n'));
  };
  // clusterctl's own kinds aren't a provider's: the inventory is made by whoever installs
  const definitions = builtInDefinitions().filter((one) => !(one['metadata'] as {name: string}).name.endsWith('.clusterctl.cluster.x-k8s.io'));
  await write('cluster-api', 'core-components.yaml', 'capi-system', definitions);
  await write('bootstrap-kubeadm', 'bootstrap-components.yaml', 'capi-kubeadm-bootstrap-system', []);
  await write('control-plane-kubeadm', 'control-plane-components.yaml', 'capi-kubeadm-control-plane-system', []);
  await write('infrastructure-docker', 'infrastructure-components.yaml', 'capd-system', []);
  const objects = clusterClassObjects().map((object) => stringify(object, {aliasDuplicateObjects: false}));
  await writeFile(join(root, 'infrastructure-docker', version, 'clusterclass-in-memory.yaml'), objects.join('---\n'));
}

/** Kinds and names of everything that is kept, but for events. */
export function objectsOf(management: ManagementApi): readonly string[] {
  return management.kinds.all
    .filter(({kind}) => kind !== 'Event')
    .flatMap((kind) =>
      management.store.list(kind).map(({metadata: {namespace, name}}) => `${kind.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`),
    )
    .toSorted();
}
