// Looks at the management cluster: two rounds of requests whose number doesn't depend on the cluster's size. Only reads; the dry run keeps nothing.
import type {AccessCheck, KubeApi, Resource} from '../../../kube/api.ts';
import {type KubeObject, listAt, numberAt, textAt, valueAt} from '../../../kube/object.ts';
import {isTriremeError, TriremeError} from '../../../kernel/errors.ts';
import type {DesiredCluster} from '../../../spec/desired.ts';
import {readLayerFacts} from '../layer-steps.ts';
import type {ControllerScope} from '../scope.ts';
import {readClass, type ClassFacts} from './cluster-class.ts';
import type {ControlPlaneFacts, DryRun, PoolFacts, TopologyFacts} from './facts.ts';
import {withImage} from './image-variable.ts';
import {clusterNameLabel, coreGroup, coreVersions, type CoreVersion, deploymentNameLabel, machineDeploymentLabel, ownedLabel, poolNameLabel} from './names.ts';
import {partByOwner} from './owners.ts';
import {fromServed, renderCluster, toServed} from './render-cluster.ts';

/** Throws `api.*` when the API can't be read, and `api.kind-unknown` where Cluster API isn't installed. */
export async function gatherTopology(cluster: DesiredCluster, scope: ControllerScope): Promise<TopologyFacts> {
  const {api} = scope;
  const {signal} = scope.options;
  const {controller, kubernetes} = cluster.document.spec;
  const {name} = cluster.document.metadata;
  const namespace = controller?.namespace ?? scope.namespace;
  const classNamespace = controller?.classNamespace ?? namespace;
  const core = await coreResource(api);
  const [live, classObjects, hasNamespace, serverVersion, rights] = await Promise.all([
    api.get(core.cluster, {name, namespace}, {signal}),
    api.list(core.classes, {namespace: classNamespace, signal}),
    namespaceExists(api, namespace, signal),
    api.serverVersion({signal}),
    api.access(rightsToApply(namespace, name, cluster.layers.length > 0), {signal}),
  ]);
  const classes = classObjects.items.map(readClass);
  const wantedClass = classes.find((one) => one.name === controller?.class);
  const isUpgrade = live !== undefined && textAt(live, 'spec', 'topology', 'version') !== kubernetes.version;
  const missingRights = rights.filter((answer) => !answer.allowed && !(hasNamespace && answer.resource === 'namespaces'));
  const [oldClass, pools, controlPlane, dryRun, layers] = await Promise.all([
    live === undefined ? undefined : readOldClass(api, core.classes, live, classes, wantedClass, signal),
    live === undefined ? [] : readPools(api, core.version, {name, namespace, machines: isUpgrade}, signal),
    live === undefined || !isUpgrade ? undefined : readControlPlane(api, live, signal),
    tryApply(cluster, {api, version: core.version, live, class: wantedClass, hasNamespace, mayPatch: missingRights.length === 0}, signal),
    live === undefined || cluster.layers.length === 0 ? undefined : readLayerFacts(scope, {name}),
  ]);
  return {
    way: 'class',
    simulated: api.simulated,
    serverVersion,
    coreVersion: core.version,
    namespace: {name: namespace, exists: hasNamespace},
    ...(live === undefined ? {} : {live}),
    classes: classes.map((one) => one.name).toSorted(),
    ...(wantedClass === undefined ? {} : {class: wantedClass}),
    ...(oldClass === undefined ? {} : {oldClass}),
    ...(controlPlane === undefined ? {} : {controlPlane}),
    pools,
    missingRights: missingRights.map(({verb, group, resource, namespace: where, name: which}) => ({
      verb,
      group,
      resource,
      ...(where === undefined ? {} : {namespace: where}),
      ...(which === undefined ? {} : {name: which}),
    })),
    dryRun,
    ...(layers === undefined ? {} : {layers}),
  };
}

interface Core {
  readonly version: CoreVersion;
  readonly cluster: Resource;
  readonly classes: Resource;
}

/** The newest spoken version of the core group. */
export async function coreResource(api: KubeApi): Promise<Core> {
  for (const version of coreVersions) {
    try {
      const apiVersion = `${coreGroup}/${version}`;
      const cluster = await api.resource({apiVersion, kind: 'Cluster'});
      return {version, cluster, classes: await api.resource({apiVersion, kind: 'ClusterClass'})};
    } catch (error) {
      if (!isTriremeError(error) || error.code !== 'api.kind-unknown') throw error;
    }
  }
  throw new TriremeError(
    'api.kind-unknown',
    `Cluster API isn't installed in the management cluster ${api.context}: it serves no ${coreGroup}/v1beta2 or v1beta1.`,
    {
      hints: ['trireme provider init', 'Is it the right management cluster? Choose it with --context or spec.controller.context.'],
    },
  );
}

/** What applying writes; reading is tried at once. */
export function rightsToApply(namespace: string, name: string, hasLayers: boolean): readonly AccessCheck[] {
  return [
    ...(hasLayers ? [{verb: 'get', group: '', resource: 'secrets', namespace, name: `${name}-kubeconfig`}] : []),
    {verb: 'create', group: coreGroup, resource: 'clusters', namespace},
    {verb: 'patch', group: coreGroup, resource: 'clusters', namespace, name},
    {verb: 'create', group: '', resource: 'namespaces'},
  ];
}

export async function namespaceExists(api: KubeApi, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await api.get(await api.resource({apiVersion: 'v1', kind: 'Namespace'}), {name}, {signal})) !== undefined;
  } catch (error) {
    // who may work in one namespace only can't look at the namespaces
    if (isTriremeError(error) && error.code === 'api.forbidden') return true;
    throw error;
  }
}

async function readOldClass(
  api: KubeApi,
  resource: Resource,
  live: KubeObject,
  known: readonly ClassFacts[],
  wanted: ClassFacts | undefined,
  signal: AbortSignal,
): Promise<ClassFacts | undefined> {
  const spec = fromServed(live);
  const name = textAt(spec, 'spec', 'topology', 'classRef', 'name');
  const namespace = textAt(spec, 'spec', 'topology', 'classRef', 'namespace') ?? live.metadata.namespace ?? '';
  if (name === undefined || (name === wanted?.name && namespace === wanted.namespace)) return undefined;
  const found = known.find((one) => one.name === name && one.namespace === namespace);
  if (found !== undefined) return found;
  const object = await api.get(resource, {name, namespace}, {signal});
  return object === undefined ? undefined : readClass(object);
}

async function readPools(
  api: KubeApi,
  version: CoreVersion,
  of: {readonly name: string; readonly namespace: string; readonly machines: boolean},
  signal: AbortSignal,
): Promise<readonly PoolFacts[]> {
  const list = async (kind: string): Promise<readonly KubeObject[]> => {
    try {
      const resource = await api.resource({apiVersion: `${coreGroup}/${version}`, kind});
      return (await api.list(resource, {namespace: of.namespace, labelSelector: `${clusterNameLabel}=${of.name}`, signal})).items;
    } catch (error) {
      if (isTriremeError(error) && error.code === 'api.kind-unknown') return [];
      throw error;
    }
  };
  const [deployments, machinePools, machines] = await Promise.all([list('MachineDeployment'), list('MachinePool'), of.machines ? list('Machine') : []]);
  const read =
    (kind: PoolFacts['kind'], label: string) =>
    (object: KubeObject): PoolFacts => ({
      kind,
      object: object.metadata.name,
      pool: object.metadata.labels?.[label] ?? object.metadata.name,
      version: textAt(object, 'spec', 'template', 'spec', 'version') ?? '',
      replicas: numberAt(object, 'spec', 'replicas') ?? 0,
      behind: behind(object, machines),
    });
  const isOwned = (object: KubeObject) => object.metadata.labels?.[ownedLabel] !== undefined;
  return [
    ...deployments.filter(isOwned).map(read('MachineDeployment', deploymentNameLabel)),
    ...machinePools.filter(isOwned).map(read('MachinePool', poolNameLabel)),
  ].toSorted((a, b) => (a.pool < b.pool ? -1 : 1));
}

/** As the webhook judges: a machine asked for, or running, another version than its pool. */
function behind(pool: KubeObject, machines: readonly KubeObject[]): readonly string[] {
  const version = textAt(pool, 'spec', 'template', 'spec', 'version');
  if (version === undefined) return [];
  return machines
    .filter((machine) => machine.metadata.labels?.[machineDeploymentLabel] === pool.metadata.name)
    .filter((machine) => {
      const kubelet = textAt(machine, 'status', 'nodeInfo', 'kubeletVersion') ?? '';
      return textAt(machine, 'spec', 'version') !== version || (kubelet !== '' && kubelet !== version);
    })
    .map((machine) => machine.metadata.name)
    .toSorted()
    .slice(0, 3);
}

async function readControlPlane(api: KubeApi, live: KubeObject, signal: AbortSignal): Promise<ControlPlaneFacts | undefined> {
  const ref = valueAt(live, 'spec', 'controlPlaneRef');
  const kind = textAt(ref, 'kind');
  const name = textAt(ref, 'name');
  if (kind === undefined || name === undefined) return undefined;
  const apiVersion = textAt(ref, 'apiVersion') ?? (await preferredVersion(api, textAt(ref, 'apiGroup') ?? '', signal));
  const object = await api.get(await api.resource({apiVersion, kind}), {name, namespace: live.metadata.namespace ?? ''}, {signal});
  if (object === undefined) return undefined;
  const versions = listAt(object, 'status', 'versions').flatMap((one) => textAt(one, 'version') ?? []);
  const single = textAt(object, 'status', 'version') ?? '';
  return {
    kind,
    name,
    version: textAt(object, 'spec', 'version') ?? '',
    statusVersions: versions.length > 0 ? versions : single === '' ? [] : [single],
    replicas: numberAt(object, 'spec', 'replicas') ?? 0,
  };
}

/** Of a group: v1beta2 objects name others without a version. */
export async function preferredVersion(api: KubeApi, group: string, signal: AbortSignal): Promise<string> {
  const {status, body} = await api.send<{preferredVersion?: {groupVersion?: string}}>({path: `/apis/${group}`, signal});
  const found = status === 200 ? body.preferredVersion?.groupVersion : undefined;
  if (found === undefined)
    throw new TriremeError('api.kind-unknown', `The management cluster ${api.context} serves no ${group}.`, {hints: ['trireme provider list']});
  return found;
}

interface ApplyContext {
  readonly api: KubeApi;
  readonly version: CoreVersion;
  readonly live: KubeObject | undefined;
  readonly class: ClassFacts | undefined;
  readonly hasNamespace: boolean;
  readonly mayPatch: boolean;
}

/** What we would send, in the served version: without the fields that a GitOps tool keeps. */
export function renderServed(cluster: DesiredCluster, version: CoreVersion, live: KubeObject | undefined, facts: ClassFacts | undefined) {
  const given = cluster.document.spec.controller?.variables ?? {};
  const {variables} = facts === undefined ? {variables: given} : withImage(given, cluster.image, facts);
  const rendered = toServed(renderCluster(cluster.document, {variables, ...(live === undefined ? {} : {live})}), version);
  return {rendered, ...partByOwner(rendered, live)};
}

/** Who owns which field is known from the live object. */
async function tryApply(cluster: DesiredCluster, context: ApplyContext, signal: AbortSignal): Promise<DryRun> {
  const {api, live} = context;
  if (!context.hasNamespace) return {outcome: 'skipped', why: 'its namespace does not exist yet'};
  if (!context.mayPatch) return {outcome: 'skipped', why: 'this user may not write clusters there'};
  if (context.class === undefined) return {outcome: 'skipped', why: 'the class is not there'};
  return dryRunOf(api, renderServed(cluster, context.version, live, context.class).object, signal);
}

/** Forced, so that a conflict hides no other refusal. */
export async function dryRunOf(api: KubeApi, object: KubeObject, signal: AbortSignal): Promise<DryRun> {
  try {
    return {outcome: 'accepted', object: fromServed(await api.apply(object, {dryRun: true, force: true, signal}))};
  } catch (error) {
    if (!isTriremeError(error) || !['api.invalid', 'api.conflict', 'api.failed', 'api.forbidden'].includes(error.code)) throw error;
    const causes = listAt(error.details, 'causes').map((cause) => ({field: textAt(cause, 'field') ?? '', message: textAt(cause, 'message') ?? ''}));
    return {outcome: 'refused', message: error.message, causes};
  }
}
