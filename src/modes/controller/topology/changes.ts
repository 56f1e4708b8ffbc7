// What would change, and what it costs: the live Cluster against the answer of the dry run, part by part. Pure. The rules, by field:
//
//   version of Kubernetes             replace: Cluster API makes new machines, control planes first
//   variables                         replace for the parts whose templates of machines a patch of the class writes them into; else none
//   another class                     replace: its templates are others
//   pool's class, failure domain      replace: a new template
//   replicas                          none when more, drain when fewer
//   a pool taken out                  drain: its machines are drained and deleted
//   labels, annotations, taints       none: Cluster API passes them on in place
//   networks                          none: what runs keeps its networks
import {canonicalJson} from '../../../kernel/digest.ts';
import {highestEffect} from '../../../plan/effect.ts';
import type {Change, HostPlan} from '../../../plan/plan.ts';
import {type KubeObject, listAt, textAt, valueAt} from '../../../kube/object.ts';
import type {ClassFacts, WorkerClass} from './cluster-class.ts';
import {leafText, leavesOf, type Leaf} from './owners.ts';
import {reachesInfrastructure, reachOf, type Reach} from './patch-reach.ts';

export interface ChangeContext {
  /** As the server has it, in v1beta2; absent for a new cluster. */
  readonly live?: KubeObject;
  /** As it would be, in v1beta2. */
  readonly wanted: KubeObject;
  readonly class?: ClassFacts;
  /** How many machines a pool has now, by its name. */
  readonly machines: ReadonlyMap<string, number>;
  /** Said of a change of version. */
  readonly versionWhy?: string;
}

export const clusterUnit = 'cluster';
export const controlPlaneUnit = 'control-plane';

/** A pool may be called as one of the other parts. */
export function unitOfPool(name: string): string {
  return name === clusterUnit || name === controlPlaneUnit ? `pool/${name}` : name;
}

/** One entry for the cluster, one for the control plane, one for each pool that is there or shall be. */
export function planUnits(context: ChangeContext): readonly HostPlan[] {
  const {live, wanted} = context;
  const before = poolsOf(live);
  const after = poolsOf(wanted);
  return [
    unitOf(clusterUnit, undefined, live === undefined ? 'new' : 'changed', clusterChanges(context)),
    unitOf(
      controlPlaneUnit,
      'control-plane',
      live === undefined ? 'new' : 'changed',
      machineChanges(context, 'control-plane', controlPlaneOf(live), controlPlaneOf(wanted)),
    ),
    ...[...after].map(([name, pool]) => {
      const old = before.get(name);
      const worker = workerOf(context.class, pool);
      return unitOf(unitOfPool(name), 'pool', old === undefined ? 'new' : 'changed', machineChanges(context, worker, old?.fields, pool.fields));
    }),
    ...[...before].flatMap(([name, pool]) => (after.has(name) ? [] : [removedPool(name, pool, context)])),
  ];
}

function unitOf(host: string, role: string | undefined, state: 'new' | 'changed', changes: readonly Change[]): HostPlan {
  return {
    host,
    ...(role === undefined ? {} : {role}),
    state: state === 'changed' && changes.length === 0 ? 'unchanged' : state,
    effect: highestEffect(changes.map((change) => change.effect)),
    changes,
  };
}

interface Pool {
  readonly kind: WorkerClass['kind'];
  readonly class: string;
  readonly fields: unknown;
}

export function poolsOf(cluster: KubeObject | undefined): ReadonlyMap<string, Pool> {
  const kinds = [
    ['machineDeployments', 'MachineDeployment'],
    ['machinePools', 'MachinePool'],
  ] as const;
  return new Map(
    kinds.flatMap(([list, kind]) =>
      listAt(cluster, 'spec', 'topology', 'workers', list).map(
        (fields) => [textAt(fields, 'name') ?? '', {kind, class: textAt(fields, 'class') ?? '', fields}] as const,
      ),
    ),
  );
}

function workerOf(facts: ClassFacts | undefined, pool: Pool): WorkerClass {
  return facts?.workers.find((one) => one.kind === pool.kind && one.class === pool.class) ?? {kind: pool.kind, class: pool.class, isAutoscaled: false};
}

function controlPlaneOf(cluster: KubeObject | undefined): unknown {
  return cluster === undefined ? undefined : (valueAt(cluster, 'spec', 'topology', 'controlPlane') ?? {});
}

function removedPool(name: string, pool: Pool, {machines}: ChangeContext): HostPlan {
  const count = machines.get(name) ?? Number(valueAt(pool.fields, 'replicas') ?? 0);
  const change: Change = {
    path: 'pool',
    from: `${pool.class}, ${count} ${count === 1 ? 'machine' : 'machines'}`,
    effect: count === 0 ? 'none' : 'drain',
    why: count === 0 ? 'it has no machines' : 'it is not in the file any more: its machines are drained and deleted',
  };
  return unitOf(unitOfPool(name), 'pool', 'changed', [change]);
}

/** Of the Cluster itself: what isn't of the control plane's or a pool's machines alone. */
function clusterChanges(context: ChangeContext): readonly Change[] {
  const {live, wanted} = context;
  const isOwn = ({path}: Leaf) => !(path[1] === 'topology' && (path[2] === 'controlPlane' || path[2] === 'workers')) && isWanted(path);
  return differences(leavesOf(live).filter(isOwn), leavesOf(wanted).filter(isOwn)).map(({text, from, to, path}): Change => {
    const base = {path: shortPath(text), ...fromTo(from, to)};
    if (live === undefined) return {...base, effect: 'none'};
    if (path[2] === 'variables') return {...base, effect: 'none', ...whyOfVariable(context, path)};
    if (path[1] === 'clusterNetwork') return {...base, effect: 'none', why: 'what runs already keeps its networks'};
    if (path[2] === 'version') return {...base, effect: 'none', why: context.versionWhy ?? 'control planes first, then the pools in the order of the file'};
    return {...base, effect: 'none'};
  });
}

/** Fields that Cluster API's controllers set, and that nobody plans. */
function isWanted(path: Leaf['path']): boolean {
  if (path[0] === 'metadata') return path[2] !== 'kubectl.kubernetes.io/last-applied-configuration';
  return path[1] === 'topology' || path[1] === 'clusterNetwork';
}

function whyOfVariable(context: ChangeContext, path: Leaf['path']): {readonly why?: string} {
  const name = variableOf(path);
  if (name === undefined || context.class === undefined) return {};
  return reachesInfrastructure(context.class, name) ? {why: "it changes the infrastructure's cluster object in place"} : {};
}

function variableOf(path: Leaf['path']): string | undefined {
  const key = path[path.length - 2];
  return typeof key === 'object' ? key['name'] : undefined;
}

/** Of the control plane or a pool: its own fields, and what reaches it from the cluster. */
function machineChanges(context: ChangeContext, unit: 'control-plane' | WorkerClass, live: unknown, wanted: unknown): readonly Change[] {
  const own = differences(leavesBelow(live), leavesBelow(wanted)).flatMap(({text, from, to, path}): Change[] => {
    const name = String(path.at(-1));
    if (path[1] === 'name') return [];
    const base = {path: shortPath(text), ...fromTo(from, to)};
    if (live === undefined) return [{...base, effect: 'none'}];
    if (path[1] === 'replicas') return [replicasChange(base, from, to)];
    if (path[1] === 'class') return [{...base, effect: 'replace', why: 'another class of workers has other templates'}];
    if (path[1] === 'failureDomain' || path[1] === 'failureDomains')
      return [{...base, effect: 'replace', why: 'machines of another failure domain are new ones'}];
    if (path[1] === 'variables') return [{...base, ...costOf(reach(context, unit, variableOf(path) ?? name))}];
    return [{...base, effect: 'none'}];
  });
  return live === undefined ? own : [...inherited(context, unit, wanted), ...own];
}

function replicasChange(base: Pick<Change, 'path' | 'from' | 'to'>, from: unknown, to: unknown): Change {
  if (to === undefined) return {...base, effect: 'none', why: 'the autoscaler says how many there are'};
  const fewer = typeof from === 'number' && typeof to === 'number' && to < from;
  return fewer
    ? {...base, effect: 'drain', why: `${from - to} ${from - to === 1 ? 'machine is' : 'machines are'} drained and deleted`}
    : {...base, effect: 'none'};
}

/** Version, class and the cluster's variables, as far as they make this part's machines new. */
function inherited(context: ChangeContext, unit: 'control-plane' | WorkerClass, wanted: unknown): readonly Change[] {
  const {live, wanted: cluster} = context;
  const at = (object: unknown, ...path: string[]) => valueAt(object, 'spec', 'topology', ...path);
  const changes: Change[] = [];
  const [oldVersion, version] = [at(live, 'version'), at(cluster, 'version')];
  if (oldVersion !== version)
    changes.push({path: 'version', from: oldVersion, to: version, effect: 'replace', why: 'another version of Kubernetes takes new machines'});
  const [oldClass, newClass] = [at(live, 'classRef', 'name'), at(cluster, 'classRef', 'name')];
  if (oldClass !== newClass)
    changes.push({
      path: 'cluster class',
      from: oldClass,
      to: newClass,
      effect: 'replace',
      why: 'where its templates differ from those of the old class, machines are new',
    });
  const overridden = new Set(listAt(wanted, 'variables', 'overrides').map((one) => textAt(one, 'name')));
  for (const {from, to, path} of differences(leavesOf(live).filter(isVariable), leavesOf(cluster).filter(isVariable))) {
    const name = variableOf(path);
    if (name === undefined || path.at(-1) !== 'value' || overridden.has(name)) continue;
    const found = reach(context, unit, name);
    if (found.how !== 'none') changes.push({path: `variables.${name}`, ...fromTo(from, to), ...costOf(found)});
  }
  return changes;
}

const isVariable = ({path}: Leaf) => path[1] === 'topology' && path[2] === 'variables';

function reach(context: ChangeContext, unit: 'control-plane' | WorkerClass, name: string): Reach {
  return context.class === undefined ? {how: 'replace', why: "the class's patches aren't known"} : reachOf(context.class, name, unit);
}

function costOf(found: Reach): Pick<Change, 'effect' | 'why'> {
  return {effect: found.how === 'replace' ? 'replace' : 'none', ...(found.why === undefined ? {} : {why: found.why})};
}

function leavesBelow(fields: unknown): readonly Leaf[] {
  return fields === undefined ? [] : leavesOf({spec: fields});
}

interface Difference {
  readonly text: string;
  readonly path: Leaf['path'];
  readonly from: unknown;
  readonly to: unknown;
}

function differences(before: readonly Leaf[], after: readonly Leaf[]): readonly Difference[] {
  const old = new Map(before.map((leaf) => [leafText(leaf.path), leaf]));
  const now = new Map(after.map((leaf) => [leafText(leaf.path), leaf]));
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((text): Difference[] => {
    const [from, to] = [old.get(text), now.get(text)];
    const path = (to ?? from)?.path ?? [];
    // the key of a list's item says nothing that its other fields don't
    const key = path.at(-2);
    if (typeof key === 'object' && Object.hasOwn(key, String(path.at(-1)))) return [];
    if (from !== undefined && to !== undefined && canonicalJson(from.value) === canonicalJson(to.value)) return [];
    return [{text, path, from: from?.value, to: to?.value}];
  });
}

function fromTo(from: unknown, to: unknown): Pick<Change, 'from' | 'to'> {
  return {...(from === undefined ? {} : {from}), ...(to === undefined ? {} : {to})};
}

/** `variables.gpu` of `spec.topology.variables[gpu].value`. */
function shortPath(text: string): string {
  return text
    .replace(/^spec\.(topology\.)?/, '')
    .replace(/^variables\.overrides\b/, 'variables')
    .replace(/^(variables)\[([^\]]*)\]\.value$/, '$1.$2')
    .replace(/^metadata\./, '');
}
