// Every object of a cluster as one tree: what is named and isn't there has a place in it, and so has what nobody names. Pure.
import {listAt, numberAt, textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import type {ConditionView, ObjectNode, ObjectRole, Standing} from '../../mode.ts';
import {markEchoes, worstOf} from './conditions.ts';
import {controlPlaneLabel, type Family} from './family.ts';
import type {Seen} from './gather.ts';
import {keyOfObject} from './object-index.ts';
import {keyOfReference, lacksMachines, partsOf, templatesOf, type NamedPart} from './references.ts';
import {isPaused, replicasOf, standAbove, standOf, versionOfObject, type Stand} from './standing.ts';

type NodeParts = Partial<Omit<ObjectNode, 'role' | 'kind' | 'name' | 'worst'>>;

export function buildTree(family: Family, seen: Seen): ObjectNode {
  return new TreeBuilder(family, seen).build();
}

function nodeOf(role: ObjectRole, kind: string, name: string, parts: NodeParts): ObjectNode {
  const {standing = 'good', children = [], conditions = [], remarks = [], paused = false, ...rest} = parts;
  return {role, kind, name, standing, worst: worstOf([standing, ...children.map((child) => child.worst)]), paused, ...rest, remarks, conditions, children};
}

class TreeBuilder {
  readonly #family: Family;
  readonly #seen: Seen;
  /** Keys of what has a place in the tree already. */
  readonly #placed = new Set<string>();
  readonly #checks: ReadonlyMap<KubeObject | undefined, readonly KubeObject[]>;

  constructor(family: Family, seen: Seen) {
    this.#family = family;
    this.#seen = seen;
    this.#checks = checksByOwner(family);
  }

  build(): ObjectNode {
    const {cluster} = this.#family;
    const parts = partsOf(cluster);
    const infrastructure = parts.filter(({part}) => part === 'infrastructure').flatMap((part) => this.#part(cluster, part));
    const controlPlane = parts.filter(({part}) => part === 'control-plane').flatMap((part) => this.#controlPlane(part));
    const pools = [...this.#family.deployments.map((one) => this.#deployment(one)), ...this.#family.pools.map((one) => this.#pool(one))];
    const orphans = this.#orphans(controlPlane.length > 0);
    const children = [
      ...infrastructure,
      ...controlPlane,
      ...group('workers', [...pools, ...(this.#family.setsOf.get('') ?? []).map((set) => this.#set(set))]),
      ...group('machines that nothing keeps', orphans),
      ...this.#healthChecks(undefined),
      ...group('add-ons', this.#family.bindings.flatMap(addonsIn)),
    ];
    // a template is only looked at when machines can't be made from it
    const strays = this.#family.others
      .filter((object) => !this.#placed.has(keyOfObject(object)) && !object.kind.endsWith('Template'))
      .map((object) => this.#node('infrastructure', object, []));
    return this.#node('cluster', cluster, [...children, ...group('objects that nothing names', strays)]);
  }

  #node(role: ObjectRole, object: KubeObject, children: readonly ObjectNode[], more: NodeParts = {}, stand: Stand = standOf(object)): ObjectNode {
    this.#placed.add(keyOfObject(object));
    const below = worstOf(children.map((child) => (child.role === 'node' ? 'good' : child.worst)));
    const {standing, conditions} = standAbove(stand, below);
    const {creationTimestamp, deletionTimestamp, finalizers} = object.metadata;
    const version = role === 'infrastructure' || role === 'bootstrap' ? undefined : versionOfObject(object);
    const replicas = role === 'pool' || role === 'control-plane' || role === 'machine-set' ? replicasOf(object) : undefined;
    const held = deletionTimestamp === undefined || finalizers === undefined || finalizers.length === 0 ? [] : [`finalizers: ${finalizers.join(', ')}`];
    return nodeOf(role, object.kind, object.metadata.name, {
      // who can't make machines knows best why: Cluster API says so in ScalingUp
      conditions: markEchoes(conditions, below).map((one) => (one.type === 'ScalingUp' && one.standing === 'bad' && role === 'pool' ? withoutEcho(one) : one)),
      children,
      paused: isPaused(object),
      ...(creationTimestamp === undefined ? {} : {created: creationTimestamp}),
      ...(deletionTimestamp === undefined ? {} : {deleting: deletionTimestamp}),
      ...(version === undefined ? {} : {version}),
      ...(replicas === undefined ? {} : {replicas}),
      ...more,
      remarks: [...held, ...(more.remarks ?? [])],
      standing: worstOf([standing, more.standing ?? 'good', ...(deletionTimestamp === undefined ? [] : ['working' as const])]),
    });
  }

  /** What an object names: there, missing, not to be looked at, or (nothing) not looked for. */
  #part(owner: KubeObject, {part, field, reference}: NamedPart): readonly ObjectNode[] {
    const role = part === 'control-plane' ? 'control-plane' : part;
    const object = this.#seen.index.find(reference);
    if (object !== undefined) return part === 'template' ? [] : [this.#node(role, object, [])];
    const named = `named by ${owner.kind}/${owner.metadata.name} (${field})`;
    const unreadable = this.#seen.unreadable.get(`${reference.group}/${reference.kind}`);
    if (unreadable !== undefined) return [nodeOf(role, reference.kind, reference.name, {standing: 'unknown', remarks: [unreadable, named]})];
    if (!this.#seen.missing.has(keyOfReference(reference))) return [];
    // with its owner it goes, and it goes first
    if (owner.metadata.deletionTimestamp !== undefined) return [];
    return [nodeOf(role, reference.kind, reference.name, {standing: 'bad', missing: true, remarks: [named]})];
  }

  #controlPlane(part: NamedPart): readonly ObjectNode[] {
    const {controlPlane, cluster} = this.#family;
    if (controlPlane === undefined) {
      return this.#part(cluster, part).map((node) => {
        const machines = (this.#family.machinesOf.get(controlPlaneLabel) ?? []).map((machine) => this.#machine(machine));
        return {...node, children: machines, worst: worstOf([node.standing, ...machines.map((one) => one.worst)])};
      });
    }
    const machines = (this.#family.machinesOf.get(keyOfObject(controlPlane)) ?? []).map((machine) => this.#machine(machine));
    return [this.#node('control-plane', controlPlane, [...this.#templates(controlPlane), ...this.#healthChecks(controlPlane), ...machines])];
  }

  #templates(owner: KubeObject): readonly ObjectNode[] {
    return lacksMachines(owner) ? templatesOf(owner).flatMap((part) => this.#part(owner, part)) : [];
  }

  #deployment(deployment: KubeObject): ObjectNode {
    const key = keyOfObject(deployment);
    const sets = (this.#family.setsOf.get(key) ?? []).map((set) => this.#set(set));
    const machines = (this.#family.machinesOf.get(key) ?? []).map((machine) => this.#machine(machine));
    return this.#node('pool', deployment, [...this.#templates(deployment), ...this.#healthChecks(deployment), ...sets, ...machines]);
  }

  #set(set: KubeObject): ObjectNode {
    return this.#node(
      'machine-set',
      set,
      (this.#family.machinesOf.get(keyOfObject(set)) ?? []).map((machine) => this.#machine(machine)),
    );
  }

  #pool(pool: KubeObject): ObjectNode {
    const parts = partsOf(pool).flatMap((part) => this.#part(pool, part));
    const machines = (this.#family.machinesOf.get(keyOfObject(pool)) ?? []).map((machine) => this.#machine(machine));
    return this.#node('pool', pool, [...parts, ...this.#healthChecks(pool), ...machines]);
  }

  #orphans(hasControlPlane: boolean): readonly ObjectNode[] {
    const {machinesOf} = this.#family;
    const machines = [...(machinesOf.get('') ?? []), ...(hasControlPlane ? [] : (machinesOf.get(controlPlaneLabel) ?? []))];
    return machines.map((machine) => this.#machine(machine));
  }

  #machine(machine: KubeObject): ObjectNode {
    const parts = this.#seen.depth === 'summary' ? [] : partsOf(machine).flatMap((part) => this.#part(machine, part));
    const nodeName = textAt(machine.status, 'nodeRef', 'name');
    const stand = standOf(machine);
    const marked = machine.metadata.annotations?.['cluster.x-k8s.io/delete-machine'] === undefined ? [] : ['marked to be the first that a scale-down deletes'];
    const children = [...parts, ...(nodeName === undefined ? [] : [nodeOfMachine(nodeName, stand.conditions)])];
    return this.#node('machine', machine, children, {remarks: marked}, stand);
  }

  /** Health checks whose machines are those of one pool stand below it; the others below the cluster. */
  #healthChecks(owner: KubeObject | undefined): readonly ObjectNode[] {
    return (this.#checks.get(owner) ?? []).map((check) => this.#node('health-check', check, [], {remarks: remarksOfCheck(check)}));
  }
}

function withoutEcho({echo: _echo, ...condition}: ConditionView): ConditionView {
  return condition;
}

function group(name: string, children: readonly ObjectNode[]): readonly ObjectNode[] {
  return children.length === 0 ? [] : [nodeOf('group', '', name, {children})];
}

function nodeOfMachine(name: string, conditions: readonly ConditionView[]): ObjectNode {
  const own = conditions.filter((one) => one.type === 'NodeReady' || one.type === 'NodeHealthy');
  return nodeOf('node', 'Node', name, {conditions: own, standing: worstOf(own.map((one): Standing => one.standing ?? 'good'))});
}

function checksByOwner(family: Family): ReadonlyMap<KubeObject | undefined, readonly KubeObject[]> {
  const checks = new Map<KubeObject | undefined, KubeObject[]>();
  for (const check of family.healthChecks) {
    const owner = ownerOfCheck(check, family);
    checks.set(owner, [...(checks.get(owner) ?? []), check]);
  }
  return checks;
}

function ownerOfCheck(check: KubeObject, {controlPlane, deployments, pools}: Family): KubeObject | undefined {
  const wanted = Object.entries((valueAt(check.spec, 'selector', 'matchLabels') ?? {}) as Readonly<Record<string, string>>);
  if (wanted.length === 0) return undefined;
  if (wanted.some(([label]) => label === controlPlaneLabel)) return controlPlane;
  const fitting = [...deployments, ...pools].filter((pool) => {
    const given = (valueAt(pool.spec, 'template', 'metadata', 'labels') ?? {}) as Readonly<Record<string, string>>;
    return wanted.every(([label, value]) => given[label] === value || pool.metadata.labels?.[label] === value);
  });
  return fitting.length === 1 ? fitting[0] : undefined;
}

function remarksOfCheck(check: KubeObject): readonly string[] {
  const expected = numberAt(check.status, 'expectedMachines');
  const healthy = numberAt(check.status, 'currentHealthy') ?? 0;
  const allowed = numberAt(check.status, 'remediationsAllowed') ?? 0;
  if (expected === undefined) return [];
  return [`${healthy}/${expected} machines healthy${healthy < expected ? `, ${allowed} may be remediated now` : ''}`];
}

function addonsIn(binding: KubeObject): readonly ObjectNode[] {
  return listAt(binding.spec, 'bindings').map((set) => {
    const resources = listAt(set, 'resources');
    const open = resources.filter((one) => valueAt(one, 'applied') !== true);
    const remarks = open.map((one) => `${textAt(one, 'kind') ?? 'resource'} ${textAt(one, 'name') ?? ''} isn't applied`);
    return nodeOf('add-on', 'ClusterResourceSet', textAt(set, 'clusterResourceSetName') ?? '', {
      standing: open.length === 0 ? 'good' : 'working',
      remarks: remarks.length === 0 ? [`${resources.length} applied`] : remarks,
    });
  });
}
