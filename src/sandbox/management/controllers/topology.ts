// Clusters with a class: what the topology wants becomes objects, the control plane's version first, then the pools one after the other.
import {isDeepStrictEqual} from 'node:util';
import {listAt, numberAt, textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import type {Draft} from '../draft.ts';
import {ApiFailure} from '../failure.ts';
import {randomSuffix} from '../writes.ts';
import {patched, type Use} from './blueprint.ts';
import {findTemplate} from './cluster-class.ts';
import {conditionOf, isFalse, withConditions, type Said} from './conditions.ts';
import {annotations, isLeaving, isPaused, kinds, labels} from './names.ts';
import {nextVersions, type Upgrade} from './upgrade-order.ts';
import {ownerReference, type Reach, type Controller} from './runtime.ts';

const manager = 'capi-topology';

export const topologies: Controller = {
  name: 'topology',
  kind: kinds.cluster,
  follows: [kinds.controlPlane, kinds.machineDeployment, kinds.machine, kinds.clusterClass],
  reconcile: (cluster, reach) => {
    if (valueAt(cluster, 'spec', 'topology') === undefined || isPaused(cluster, cluster)) return undefined;
    if (isLeaving(cluster)) {
      sayReconciled(cluster, isFalse('TopologyReconciled', 'Deleting', 'Cluster is deleting'), reach);
      return undefined;
    }
    try {
      sayReconciled(cluster, reconcile(cluster, reach), reach);
      return undefined;
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      const fresh = reach.get(kinds.cluster, cluster.metadata.name, cluster.metadata.namespace) ?? cluster;
      sayReconciled(fresh, isFalse('TopologyReconciled', 'ReconcileFailed', `error reconciling the Cluster topology: ${error.message}`), reach);
      return 1000;
    }
  },
};

function sayReconciled(cluster: KubeObject, said: Said, reach: Reach): void {
  const fresh = reach.get(kinds.cluster, cluster.metadata.name, cluster.metadata.namespace);
  if (fresh === undefined) return;
  const before = conditionOf(fresh, said.type);
  if (
    before?.status === said.status &&
    before.reason === said.reason &&
    (before.message ?? '') === (said.message ?? '') &&
    before.observedGeneration === fresh.metadata.generation
  )
    return;
  reach.setStatus(fresh, {...(valueAt(fresh, 'status') as Draft | undefined), conditions: withConditions(fresh, [said])});
}

interface Around {
  readonly cluster: KubeObject;
  readonly clusterClass: KubeObject;
}

function reconcile(cluster: KubeObject, reach: Reach): Said {
  const classRef = valueAt(cluster, 'spec', 'topology', 'classRef') as {readonly name: string; readonly namespace?: string};
  const clusterClass = reach.get(kinds.clusterClass, classRef.name, classRef.namespace ?? cluster.metadata.namespace);
  if (clusterClass === undefined || conditionOf(clusterClass, 'VariablesReady')?.status !== 'True')
    return isFalse('TopologyReconciled', 'ClusterClassNotReconciled', `ClusterClass ${classRef.name} is not ready yet`);
  const around: Around = {cluster, clusterClass};
  const upgrade = nextVersions(cluster, reach);
  keepPendingHook(cluster, upgrade, reach);
  const infrastructure = ensureInfrastructure(around, reach);
  const controlPlane = ensureControlPlane(around, upgrade, reach);
  linkParts(cluster, {infrastructure, controlPlane}, reach);
  const wanted = listAt(cluster, 'spec', 'topology', 'workers', 'machineDeployments') as readonly Pool[];
  for (const pool of wanted) ensurePool(around, pool, upgrade, reach);
  for (const deployment of reach.ofCluster(kinds.machineDeployment, cluster.metadata.name, cluster.metadata.namespace)) {
    const name = deployment.metadata.labels?.[labels.topologyDeployment];
    if (name !== undefined && !wanted.some((pool) => pool.name === name)) removePool(cluster, deployment, reach);
  }
  return upgrade.said;
}

/** An upgrade is over when nothing of it is left: until then Cluster API keeps a hook pending, and takes no other version. */
function keepPendingHook(cluster: KubeObject, {isUpgrading}: Upgrade, reach: Reach): void {
  const isPending = cluster.metadata.annotations?.[annotations.pendingHooks] !== undefined;
  if (isUpgrading === isPending) return;
  reach.change(cluster, (draft) => {
    const meta = draft['metadata'] as {readonly annotations?: Readonly<Record<string, string>>};
    const {[annotations.pendingHooks]: _pending, ...others} = meta.annotations ?? {};
    return {...draft, metadata: {...meta, annotations: isUpgrading ? {...others, [annotations.pendingHooks]: 'AfterClusterUpgrade'} : others}};
  });
}

const topologyLabels = (cluster: KubeObject, more: Readonly<Record<string, string>> = {}) => ({
  [labels.cluster]: cluster.metadata.name,
  [labels.owned]: '',
  ...more,
});
const clonedFrom = (template: KubeObject) => ({
  [annotations.clonedFromName]: template.metadata.name,
  [annotations.clonedFromKind]: `${template.kind}.${template.apiVersion.split('/')[0]}`,
});

function templateOf({cluster, clusterClass}: Around, reference: unknown, reach: Reach): KubeObject {
  const wanted = reference as {readonly apiVersion: string; readonly kind: string; readonly name: string};
  const template = findTemplate(wanted, clusterClass.metadata.namespace, reach);
  if (template !== undefined) return template;
  throw new ApiFailure(
    404,
    'NotFound',
    `failed to get ${wanted.kind} ${clusterClass.metadata.namespace}/${wanted.name} of Cluster ${cluster.metadata.name}: not found`,
  );
}

const reference = (object: KubeObject) => ({apiGroup: object.apiVersion.split('/')[0], kind: object.kind, name: object.metadata.name});

function tell(cluster: KubeObject, what: 'Create' | 'Update' | 'Delete', object: KubeObject, reach: Reach): void {
  reach.event(cluster, 'Normal', `Topology${what}`, `${what}d ${object.kind} "${object.metadata.namespace}/${object.metadata.name}"`);
}

function ensureInfrastructure(around: Around, reach: Reach): KubeObject {
  const {cluster, clusterClass} = around;
  const before = reach.referenced(valueAt(cluster, 'spec', 'infrastructureRef'), cluster.metadata.namespace);
  if (before !== undefined) return before;
  const template = templateOf(around, valueAt(clusterClass, 'spec', 'infrastructure', 'templateRef'), reach);
  const kind = `${template.kind.replace(/Template$/, '')}.${template.apiVersion.split('/')[0]}`;
  const {name, namespace} = cluster.metadata;
  const metadata = {
    name: `${name}-${randomSuffix()}`,
    ...(namespace === undefined ? {} : {namespace}),
    labels: topologyLabels(cluster),
    annotations: clonedFrom(template),
  };
  const made = reach.apply(kind, {metadata, spec: patched(template, clusterClass, cluster, {part: 'infrastructureCluster'})}, manager);
  tell(cluster, 'Create', made, reach);
  return made;
}

interface TemplateWish {
  readonly source: KubeObject;
  readonly before: KubeObject | undefined;
  readonly prefix: string;
  readonly use: Use;
  readonly labels: Readonly<Record<string, string>>;
}

/** The template as it shall be: the one that is there, or a new one beside it where something changed. */
function ensureTemplate({cluster, clusterClass}: Around, wish: TemplateWish, reach: Reach): KubeObject {
  const spec = patched(wish.source, clusterClass, cluster, wish.use);
  if (wish.before !== undefined && isDeepStrictEqual(valueAt(wish.before, 'spec', 'template', 'spec'), spec)) return wish.before;
  const {namespace} = cluster.metadata;
  const kind = `${wish.source.kind}.${wish.source.apiVersion.split('/')[0]}`;
  const metadata = {
    name: `${wish.prefix}${randomSuffix()}`,
    ...(namespace === undefined ? {} : {namespace}),
    labels: wish.labels,
    annotations: clonedFrom(wish.source),
    ownerReferences: [ownerReference(cluster, {controller: false, block: false})],
  };
  const made = reach.apply(kind, {metadata, spec: {template: {spec}}}, manager);
  // a template with defaults of its own is the same as before, once these are there
  if (wish.before !== undefined && isDeepStrictEqual(valueAt(wish.before, 'spec'), made['spec'])) {
    reach.remove(made);
    return wish.before;
  }
  tell(cluster, 'Create', made, reach);
  return made;
}

function ensureControlPlane(around: Around, upgrade: Upgrade, reach: Reach): KubeObject {
  const {cluster, clusterClass} = around;
  const {name, namespace} = cluster.metadata;
  const topology = valueAt(cluster, 'spec', 'topology', 'controlPlane') as Draft | undefined;
  const overrides = listAt(topology, 'variables', 'overrides') as Use['overrides'];
  const use: Use = {part: 'controlPlane', ...(overrides === undefined ? {} : {overrides})};
  const before = reach.referenced(valueAt(cluster, 'spec', 'controlPlaneRef'), namespace);
  const machineTemplate = ensureTemplate(
    around,
    {
      source: templateOf(around, valueAt(clusterClass, 'spec', 'controlPlane', 'machineInfrastructure', 'templateRef'), reach),
      before: reach.referenced(valueAt(before, 'spec', 'machineTemplate', 'spec', 'infrastructureRef'), namespace),
      prefix: `${name}-`,
      use,
      labels: topologyLabels(cluster),
    },
    reach,
  );
  const source = templateOf(around, valueAt(clusterClass, 'spec', 'controlPlane', 'templateRef'), reach);
  const spec = patched(source, clusterClass, cluster, use);
  const own = valueAt(topology, 'metadata', 'labels') as Record<string, string> | undefined;
  const ownAnnotations = valueAt(topology, 'metadata', 'annotations') as Record<string, string> | undefined;
  const replicas = numberAt(topology, 'replicas');
  const rollout = valueAt(topology, 'rollout');
  const deletion = valueAt(topology, 'deletion');
  const metadata = {
    name: before?.metadata.name ?? `${name}-${randomSuffix()}`,
    ...(namespace === undefined ? {} : {namespace}),
    labels: topologyLabels(cluster, own),
    annotations: {...ownAnnotations, ...clonedFrom(source)},
  };
  const made = reach.apply(
    kinds.controlPlane,
    {
      metadata,
      spec: {
        ...spec,
        ...(replicas === undefined ? {} : {replicas}),
        version: upgrade.controlPlane,
        ...(rollout === undefined ? {} : {rollout: {...(spec['rollout'] as object | undefined), ...(rollout as object)}}),
        machineTemplate: {
          ...(spec['machineTemplate'] as object | undefined),
          metadata: {labels: topologyLabels(cluster, own), ...(ownAnnotations === undefined ? {} : {annotations: ownAnnotations})},
          spec: {
            ...(valueAt(spec, 'machineTemplate', 'spec') as object | undefined),
            ...(deletion === undefined ? {} : {deletion}),
            infrastructureRef: reference(machineTemplate),
          },
        },
      },
    },
    manager,
  );
  if (before === undefined) tell(cluster, 'Create', made, reach);
  else if (before.metadata.generation !== made.metadata.generation) tell(cluster, 'Update', made, reach);
  ensureHealthCheck(
    around,
    {
      name: made.metadata.name,
      matchLabels: {[labels.controlPlane]: '', [labels.owned]: ''},
      ofTopology: topology?.['healthCheck'],
      ofClass: valueAt(clusterClass, 'spec', 'controlPlane', 'healthCheck'),
    },
    reach,
  );
  return made;
}

interface Linked {
  readonly infrastructure: KubeObject;
  readonly controlPlane: KubeObject;
}

function linkParts(cluster: KubeObject, {infrastructure, controlPlane}: Linked, reach: Reach): void {
  if (valueAt(cluster, 'spec', 'controlPlaneRef') !== undefined && valueAt(cluster, 'spec', 'infrastructureRef') !== undefined) return;
  const refs = {infrastructureRef: reference(infrastructure), controlPlaneRef: reference(controlPlane)};
  const changed = reach.change(
    cluster,
    (draft) => {
      const meta = draft['metadata'] as {readonly labels?: object};
      return {...draft, metadata: {...meta, labels: {...meta.labels, ...topologyLabels(cluster)}}, spec: {...(draft['spec'] as object), ...refs}};
    },
    manager,
  );
  if (changed !== undefined) tell(cluster, 'Update', changed, reach);
}

export interface Pool extends Draft {
  readonly name: string;
  readonly class: string;
  readonly replicas?: number;
}

function ensurePool(around: Around, pool: Pool, upgrade: Upgrade, reach: Reach): void {
  const {cluster, clusterClass} = around;
  const {name, namespace} = cluster.metadata;
  const poolClass = listAt(clusterClass, 'spec', 'workers', 'machineDeployments').find((one) => textAt(one, 'class') === pool.class);
  if (poolClass === undefined)
    throw new ApiFailure(500, 'InternalError', `MachineDeploymentClass ${pool.class} is not in ClusterClass ${clusterClass.metadata.name}`);
  const before = reach.ofCluster(kinds.machineDeployment, name, namespace).find((one) => one.metadata.labels?.[labels.topologyDeployment] === pool.name);
  if (before === undefined && upgrade.delaysCreation) return;
  if (before !== undefined && isLeaving(before)) return;
  const own = topologyLabels(cluster, {[labels.topologyDeployment]: pool.name});
  const overrides = listAt(pool, 'variables', 'overrides') as Use['overrides'];
  const use: Use = {part: 'machineDeployment', class: pool.class, ...(overrides === undefined ? {} : {overrides})};
  const templates = [
    ['infrastructure', ['infrastructureRef']],
    ['bootstrap', ['bootstrap', 'configRef']],
  ] as const;
  const [infrastructure, bootstrap] = templates.map(([part, path]) =>
    ensureTemplate(
      around,
      {
        source: templateOf(around, valueAt(poolClass, part, 'templateRef'), reach),
        before: reach.referenced(valueAt(before, 'spec', 'template', 'spec', ...path), namespace),
        prefix: `${name}-${pool.name}-`,
        use,
        labels: own,
      },
      reach,
    ),
  ) as [KubeObject, KubeObject];
  const userLabels = valueAt(pool, 'metadata', 'labels') as Record<string, string> | undefined;
  const userAnnotations = valueAt(pool, 'metadata', 'annotations') as Record<string, string> | undefined;
  const {[annotations.deferUpgrade]: _defer, ...machineAnnotations} = userAnnotations ?? {};
  const copied = Object.fromEntries(
    ['failureDomain', 'minReadySeconds', 'readinessGates', 'deletion', 'taints'].flatMap((key) =>
      pool[key] === undefined ? [] : [[key, key === 'deletion' ? withoutOrder(pool[key]) : pool[key]]],
    ),
  );
  const made = reach.apply(
    kinds.machineDeployment,
    {
      metadata: {
        name: before?.metadata.name ?? `${name}-${pool.name}-${randomSuffix()}`,
        ...(namespace === undefined ? {} : {namespace}),
        labels: {...userLabels, ...own},
        ...(userAnnotations === undefined ? {} : {annotations: userAnnotations}),
        ownerReferences: [ownerReference(cluster, {controller: false, block: false})],
        finalizers: ['machinedeployment.topology.cluster.x-k8s.io'],
      },
      spec: {
        clusterName: name,
        ...(pool.replicas === undefined ? {} : {replicas: pool.replicas}),
        ...(pool['rollout'] === undefined ? {} : {rollout: pool['rollout']}),
        selector: {matchLabels: own},
        template: {
          metadata: {labels: {...userLabels, ...own}, ...(Object.keys(machineAnnotations).length === 0 ? {} : {annotations: machineAnnotations})},
          spec: {
            ...copied,
            clusterName: name,
            version: upgrade.pools.get(pool.name) ?? upgrade.controlPlane,
            bootstrap: {configRef: reference(bootstrap)},
            infrastructureRef: reference(infrastructure),
          },
        },
      },
    },
    manager,
  );
  if (before === undefined) tell(cluster, 'Create', made, reach);
  else if (before.metadata.generation !== made.metadata.generation) tell(cluster, 'Update', made, reach);
  ensureHealthCheck(
    around,
    {
      name: made.metadata.name,
      matchLabels: {[labels.topologyDeployment]: pool.name, [labels.owned]: ''},
      ofTopology: pool['healthCheck'],
      ofClass: valueAt(poolClass, 'healthCheck'),
    },
    reach,
  );
}

const withoutOrder = (deletion: unknown): unknown => {
  const {order: _order, ...rest} = deletion as Draft;
  return rest;
};

function removePool(cluster: KubeObject, deployment: KubeObject, reach: Reach): void {
  if (isLeaving(deployment)) return;
  const check = reach.get(kinds.healthCheck, deployment.metadata.name, deployment.metadata.namespace);
  if (check !== undefined) reach.remove(check);
  reach.remove(deployment);
  tell(cluster, 'Delete', deployment, reach);
}

interface HealthCheckWish {
  readonly name: string;
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly ofTopology: unknown;
  readonly ofClass: unknown;
}

function ensureHealthCheck({cluster}: Around, {name, matchLabels, ofTopology, ofClass}: HealthCheckWish, reach: Reach): void {
  const {enabled, ...own} = (ofTopology as Draft | undefined) ?? {};
  const definition = Object.keys(own).length > 0 ? own : (ofClass as Draft | undefined);
  const {namespace} = cluster.metadata;
  const before = reach.get(kinds.healthCheck, name, namespace);
  if (definition === undefined || enabled === false) {
    if (before !== undefined) reach.remove(before);
    return;
  }
  const checks = {nodeStartupTimeoutSeconds: 600, ...(definition['checks'] as object | undefined)};
  const metadata = {
    name,
    ...(namespace === undefined ? {} : {namespace}),
    labels: topologyLabels(cluster),
    ownerReferences: [ownerReference(cluster, {controller: false, block: false})],
  };
  const made = reach.apply(kinds.healthCheck, {metadata, spec: {clusterName: cluster.metadata.name, selector: {matchLabels}, ...definition, checks}}, manager);
  if (before === undefined) reach.event(made, 'Normal', 'TopologyCreate', `Created MachineHealthCheck "${namespace}/${name}"`);
}
