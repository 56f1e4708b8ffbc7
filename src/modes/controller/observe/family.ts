// The objects of one cluster, sorted by the part they play, and which machine belongs to whom.
import {groupOf, textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import {coreGroup, referenceIn} from './kinds.ts';
import {ownerUidOf, type ClusterKey, type ObjectIndex} from './object-index.ts';
import {keyOfObject} from './object-index.ts';

export interface Family {
  readonly cluster: KubeObject;
  /** Absent where it isn't there, or none is named. */
  readonly controlPlane?: KubeObject;
  readonly deployments: readonly KubeObject[];
  readonly pools: readonly KubeObject[];
  readonly sets: readonly KubeObject[];
  readonly machines: readonly KubeObject[];
  readonly healthChecks: readonly KubeObject[];
  readonly bindings: readonly KubeObject[];
  /** Infrastructure, bootstrap and whatever else is labelled with the cluster's name. */
  readonly others: readonly KubeObject[];
  /** By the key of the object that keeps them: control plane, MachineSet, MachineDeployment (where its sets weren't looked at), MachinePool; '' for nobody. */
  readonly machinesOf: ReadonlyMap<string, readonly KubeObject[]>;
  /** By the key of the MachineDeployment; '' for nobody's. */
  readonly setsOf: ReadonlyMap<string, readonly KubeObject[]>;
}

export const controlPlaneLabel = 'cluster.x-k8s.io/control-plane';

/** Undefined when the cluster isn't there. */
export function familyOf(index: ObjectIndex, key: ClusterKey): Family | undefined {
  const cluster = index.cluster(key);
  if (cluster === undefined) return undefined;
  const byKind = new Map<string, KubeObject[]>();
  for (const object of index.ofCluster(key).toSorted(byName)) {
    const kind = groupOf(object.apiVersion) === coreGroup || object.kind === 'ClusterResourceSetBinding' ? object.kind : '';
    const known = byKind.get(kind);
    if (known === undefined) byKind.set(kind, [object]);
    else known.push(object);
  }
  const of = (kind: string) => byKind.get(kind) ?? [];
  const reference = referenceIn(valueAt(cluster.spec, 'controlPlaneRef'), cluster.metadata.namespace ?? '');
  const controlPlane = reference === undefined ? undefined : index.find(reference);
  const keepers = {controlPlane, deployments: of('MachineDeployment'), pools: of('MachinePool'), sets: of('MachineSet')};
  return {
    cluster,
    ...(controlPlane === undefined ? {} : {controlPlane}),
    deployments: keepers.deployments,
    pools: keepers.pools,
    sets: keepers.sets,
    machines: of('Machine'),
    healthChecks: of('MachineHealthCheck'),
    bindings: of('ClusterResourceSetBinding'),
    others: of('').filter((object) => object !== controlPlane),
    machinesOf: groupBy(of('Machine'), keeperFinder(keepers)),
    setsOf: groupBy(keepers.sets, setKeeperFinder(keepers.deployments)),
  };
}

function byName(a: KubeObject, b: KubeObject): number {
  return a.metadata.name < b.metadata.name ? -1 : a.metadata.name > b.metadata.name ? 1 : 0;
}

function keyByUid(objects: readonly KubeObject[]): Map<string, string> {
  return new Map(objects.flatMap((object) => (object.metadata.uid === undefined ? [] : [[object.metadata.uid, keyOfObject(object)] as const])));
}

function keyByName(objects: readonly KubeObject[]): Map<string, string> {
  return new Map(objects.map((object) => [object.metadata.name, keyOfObject(object)]));
}

function keeperFinder(keepers: {
  readonly controlPlane: KubeObject | undefined;
  readonly deployments: readonly KubeObject[];
  readonly pools: readonly KubeObject[];
  readonly sets: readonly KubeObject[];
}): (machine: KubeObject) => string {
  const {controlPlane, deployments, pools, sets} = keepers;
  const byUid = keyByUid([...(controlPlane === undefined ? [] : [controlPlane]), ...sets, ...pools]);
  const setByName = keyByName(sets);
  const deploymentByName = keyByName(deployments);
  const poolByName = keyByName(pools);
  return (machine) => {
    const labels = machine.metadata.labels ?? {};
    const owner = byUid.get(ownerUidOf(machine) ?? '');
    if (owner !== undefined) return owner;
    if (labels[controlPlaneLabel] !== undefined) return controlPlane === undefined ? controlPlaneLabel : keyOfObject(controlPlane);
    return (
      setByName.get(labels['cluster.x-k8s.io/set-name'] ?? '') ??
      deploymentByName.get(labels['cluster.x-k8s.io/deployment-name'] ?? '') ??
      poolByName.get(labels['cluster.x-k8s.io/pool-name'] ?? '') ??
      ''
    );
  };
}

function setKeeperFinder(deployments: readonly KubeObject[]): (set: KubeObject) => string {
  const byUid = keyByUid(deployments);
  const named = keyByName(deployments);
  return (set) => byUid.get(ownerUidOf(set) ?? '') ?? named.get(set.metadata.labels?.['cluster.x-k8s.io/deployment-name'] ?? '') ?? '';
}

function groupBy(objects: readonly KubeObject[], keyOf: (object: KubeObject) => string): ReadonlyMap<string, readonly KubeObject[]> {
  const groups = new Map<string, KubeObject[]>();
  for (const object of objects) {
    const key = keyOf(object);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [object]);
    else known.push(object);
  }
  return groups;
}

/** All machines of a pool or control plane, those of its machine sets included. */
export function machinesOfPool(family: Family, pool: KubeObject): readonly KubeObject[] {
  const key = keyOfObject(pool);
  const sets = family.setsOf.get(key) ?? [];
  return [...(family.machinesOf.get(key) ?? []), ...sets.flatMap((set) => family.machinesOf.get(keyOfObject(set)) ?? [])];
}

export function isControlPlaneMachine(machine: KubeObject): boolean {
  return machine.metadata.labels?.[controlPlaneLabel] !== undefined;
}

/** The version that a machine has; of a machine that was never given one, nothing. */
export function versionOfMachine(machine: KubeObject): string | undefined {
  return textAt(machine.spec, 'version');
}
