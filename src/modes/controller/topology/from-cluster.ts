// A live cluster with a class as the file that says it: the next plan is unchanged. Pure.
import {type KubeObject, listAt, textAt, valueAt} from '../../../kube/object.ts';
import type {ControllerFile} from '../../../spec/controller-file.ts';
import {autoscalerMax, autoscalerMin} from './names.ts';
import {gitOpsToolOf, isGitOpsManager, leafText, leavesOf, ownersOf} from './owners.ts';
import {fromServed} from './render-cluster.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface ReadBack {
  readonly file: ControllerFile;
  /** What the file can't say, and so leaves alone; what others own. Sentences. */
  readonly notes: readonly string[];
}

/** Where the cluster was found, as `spec.controller` has it. */
export interface FoundAt {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace: string;
}

/** Keys that tools and Cluster API keep on a Cluster; what the file doesn't say is left alone. */
const kept = /(^|[./])(kubernetes\.io|k8s\.io|argoproj\.io|fluxcd\.io|cattle\.io|gke\.io|helm\.sh)\//;

export function fileOfCluster(live: KubeObject, at: FoundAt): ReadBack {
  const cluster = fromServed(live);
  const topology = valueAt(cluster, 'spec', 'topology');
  const left: string[] = [];
  const controlPlane = machinesOf(valueAt(topology, 'controlPlane') ?? {}, 'controlPlane', left);
  const pools = [
    ...listAt(topology, 'workers', 'machineDeployments').map((pool) => poolOf(pool, 'MachineDeployment', left)),
    ...listAt(topology, 'workers', 'machinePools').map((pool) => poolOf(pool, 'MachinePool', left)),
  ];
  const variables = valuesOf(listAt(topology, 'variables'));
  const classNamespace = textAt(topology, 'classRef', 'namespace');
  const notes = [...notesOfOwners(live), ...(left.length === 0 ? [] : [`Left alone, since the file has no words for it: ${left.join(', ')}.`])];
  return {
    file: {
      name: cluster.metadata.name,
      version: textAt(topology, 'version') ?? '',
      network: networkOf(cluster),
      controller: {
        ...at,
        class: textAt(topology, 'classRef', 'name') ?? '',
        ...(classNamespace === undefined || classNamespace === at.namespace ? {} : {classNamespace}),
        ...part('variables', variables),
        ...part('labels', own(cluster.metadata.labels)),
        ...part('annotations', own(cluster.metadata.annotations)),
        // a control plane without a number is one that the infrastructure keeps
        controlPlane: {replicas: valueAt(topology, 'controlPlane', 'replicas') ?? 0, ...controlPlane},
        pools,
      },
      notes,
    },
    notes,
  };
}

function networkOf(cluster: KubeObject): NonNullable<ControllerFile['network']> {
  const blocks = (what: string) => listAt(cluster, 'spec', 'clusterNetwork', what, 'cidrBlocks').filter((one) => typeof one === 'string');
  const [pods, services] = [blocks('pods'), blocks('services')];
  const dnsDomain = textAt(cluster, 'spec', 'clusterNetwork', 'serviceDomain');
  return {...(pods.length === 0 ? {} : {pods}), ...(services.length === 0 ? {} : {services}), ...(dnsDomain === undefined ? {} : {dnsDomain})};
}

const said = new Set(['name', 'class', 'replicas', 'metadata', 'failureDomain', 'failureDomains', 'taints', 'variables']);

/** Labels, annotations, taints and variables of machines; what else there is goes to `left`. */
function machinesOf(fields: unknown, name: string, left: string[]): Fields {
  for (const key of Object.keys(fields as object)) if (!said.has(key)) left.push(`${name}.${key}`);
  const annotations = own(valueAt(fields, 'metadata', 'annotations'));
  const taints = listAt(fields, 'taints');
  const steady = taints.filter((taint) => textAt(taint, 'propagation') !== 'OnInitialization');
  if (steady.length < taints.length) left.push(`${name}.taints (those of new nodes only)`);
  return {
    ...part('labels', (valueAt(fields, 'metadata', 'labels') ?? {}) as Fields),
    ...part('annotations', annotations),
    ...(steady.length === 0
      ? {}
      : {
          taints: steady.map((taint) => ({
            key: textAt(taint, 'key'),
            ...(textAt(taint, 'value') === undefined ? {} : {value: textAt(taint, 'value')}),
            effect: textAt(taint, 'effect'),
          })),
        }),
    ...part('variables', valuesOf(listAt(fields, 'variables', 'overrides'))),
  };
}

function poolOf(pool: unknown, kind: 'MachineDeployment' | 'MachinePool', left: string[]): Fields {
  const name = textAt(pool, 'name') ?? '';
  const annotations = (valueAt(pool, 'metadata', 'annotations') ?? {}) as Readonly<Record<string, string>>;
  const [min, max] = [annotations[autoscalerMin], annotations[autoscalerMax]];
  const domains = kind === 'MachinePool' ? listAt(pool, 'failureDomains') : [valueAt(pool, 'failureDomain')].filter((one) => one !== undefined);
  if (domains.length > 1) left.push(`${name}.failureDomains`);
  const replicas = valueAt(pool, 'replicas');
  return {
    name,
    class: textAt(pool, 'class') ?? '',
    ...(kind === 'MachinePool' ? {kind} : {}),
    ...(min === undefined || max === undefined ? {replicas: replicas ?? 1} : {autoscale: {min: Number(min), max: Number(max)}}),
    ...(domains.length === 1 ? {failureDomain: domains[0]} : {}),
    ...machinesOf(pool, name, left),
  };
}

function valuesOf(list: readonly unknown[]): Fields {
  return Object.fromEntries(list.map((one) => [textAt(one, 'name') ?? '', valueAt(one, 'value')]));
}

function own(map: unknown): Fields {
  return Object.fromEntries(Object.entries((map ?? {}) as Fields).filter(([key]) => !kept.test(key) && !key.includes('cluster.x-k8s.io/')));
}

function part(key: string, map: Fields): Fields {
  return Object.keys(map).length === 0 ? {} : {[key]: map};
}

function notesOfOwners(live: KubeObject): readonly string[] {
  const fields = new Map<string, string[]>();
  for (const {path} of leavesOf(live)) {
    if (path[0] !== 'metadata' && path[1] !== 'topology' && path[1] !== 'clusterNetwork') continue;
    for (const {manager} of ownersOf(live, path)) if (isGitOpsManager(manager)) fields.set(manager, [...(fields.get(manager) ?? []), leafText(path)]);
  }
  const tool = gitOpsToolOf(live);
  return [...fields].map(([manager, names]) => {
    const more = names.length > 6 ? ` and ${names.length - 6} more` : '';
    return `${manager}${tool === undefined ? '' : ` (${tool})`} owns ${names.slice(0, 6).join(', ')}${more}: these are left alone; change them in its repository.`;
  });
}
