// From what both sides hold to the plan of a move. Pure; whatever speaks against it is said before anything is written, all at once.
import {coerce, lt} from 'semver';
import {digestOfValue} from '../../../kernel/digest.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import {listAt, textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import type {Change, HostPlan, Phase, Plan, Warning} from '../../../plan/plan.ts';
import {buildGraph, flat, isCluster, keyOf, type ClusterGroup, type FoundObject, type MoveGraph, type MoveNode} from './graph.ts';
import {markOf, movedFromAnnotation} from './names.ts';
import type {SideFacts} from './read.ts';
import type {MoveScope} from './scope.ts';
import {pauseStep, removeStep, sharedRemovalStep, unblockStep} from './source-steps.ts';
import type {MoveIdentity} from './step-context.ts';
import {clusterCopyStep, namespacesStep, sharedStep, unpauseStep, verifyStep} from './target-steps.ts';

export interface MoveFacts {
  readonly source: SideFacts;
  readonly target: SideFacts;
}

export interface MoveOptions {
  /** Names of clusters; empty: all that were read. */
  readonly clusters: readonly string[];
  readonly simulated: boolean;
  /** The source is a folder (read by `readFolder`): its objects are copied, and it stays as it is. */
  readonly isRestore?: boolean;
}

/** Clusters moved at once: each is some dozen objects, and the API servers have other work. */
const clustersAtOnce = 4;

/** Throws `cluster.not-found`, `usage.invalid` (both sides are one), and `plan.refused` with everything that speaks against the move. */
export function planMove({source, target}: MoveFacts, options: MoveOptions): Plan<MoveScope> {
  if (source.id === target.id)
    throw new TriremeError('usage.invalid', `Source and target are the same management cluster (${source.server}).`, {
      hints: ['Name the other one: --to-context or --to-kubeconfig'],
    });
  const graph = buildGraph(source.objects);
  const groups = chosen(graph, options.clusters, source);
  const waiting = unfinished(groups, source, target, options.clusters);
  if (groups.length === 0 && waiting.length === 0)
    throw new TriremeError(
      'cluster.not-found',
      `There's no cluster to move at ${source.server}${options.clusters.length === 0 ? '' : ` with the name ${options.clusters.join(', ')}`}.`,
      {
        hints: ['List them: trireme cluster list -A'],
      },
    );
  const shared = sharedOf(graph, groups);
  const complaints = [
    ...groups.flatMap((group) => complaintsAbout(group, target, options.isRestore ?? false)),
    ...complaintsAboutTarget(source, target, [...groups.flatMap((one) => flat(one.levels)), ...flat(shared)]),
  ];
  if (complaints.length > 0)
    throw new TriremeError('plan.refused', `The move can't begin:\n${complaints.map((one) => `  ${one}`).join('\n')}`, {
      hints: ['Nothing was changed.'],
      details: {complaints},
    });
  const nodes = new Map([...groups.flatMap((group) => flat(group.levels)), ...flat(graph.shared)].map((node) => [node.key, node] as const));
  const identity: MoveIdentity = {from: source.id, to: target.id, nodes, isRestore: options.isRestore ?? false};
  return {
    operation: options.isRestore === true ? 'restore' : 'move',
    subject: groups.length + waiting.length === 1 ? (groups[0] ?? waiting[0])!.cluster.object.metadata.name : 'clusters',
    mode: 'controller',
    simulated: options.simulated,
    hosts: [...groups.map(hostPlanOf), ...waiting.map(waitingPlanOf)],
    phases: phasesOf({groups, waiting, shared, identity, clears: options.clusters.length === 0}),
    basis: basisOf(source, target, groups),
    warnings: warningsOf(graph, groups),
  };
}

function chosen(graph: MoveGraph, names: readonly string[], source: SideFacts): readonly ClusterGroup[] {
  if (names.length === 0) return graph.clusters;
  const isNamed = (group: ClusterGroup) => names.includes(group.cluster.object.metadata.name) || names.includes(group.id);
  const groups = graph.clusters.filter(isNamed);
  const twice = names.find((name) => groups.filter((group) => group.cluster.object.metadata.name === name).length > 1);
  if (twice !== undefined)
    throw new TriremeError('usage.invalid', `Several namespaces of ${source.server} have a cluster ${twice}.`, {
      hints: ['Choose one: -n NAMESPACE, or NAMESPACE/NAME'],
    });
  return groups;
}

/** Clusters that are gone from the source and still paused at the target: the last step of a move that was cut off. */
function unfinished(groups: readonly ClusterGroup[], source: SideFacts, target: SideFacts, names: readonly string[]): readonly ClusterGroup[] {
  const open = new Set(groups.map((group) => group.cluster.key));
  return target.objects
    .filter(({object}) => isCluster(object) && object.metadata.annotations?.[movedFromAnnotation] === source.id && !open.has(keyOf(object)))
    .filter(({object}) => names.length === 0 || names.includes(object.metadata.name) || names.includes(`${object.metadata.namespace}/${object.metadata.name}`))
    .map(({kind, object}) => {
      const cluster: MoveNode = {key: keyOf(object), resource: kind.resource, object, owners: [], after: [], isBlocked: false};
      return {id: `${object.metadata.namespace ?? ''}/${object.metadata.name}`, cluster, levels: [[cluster]], shared: []};
    });
}

/** Shared objects that the chosen clusters need, with what these need and what they own. */
function sharedOf(graph: MoveGraph, groups: readonly ClusterGroup[]): readonly (readonly MoveNode[])[] {
  const all = flat(graph.shared);
  const isWhole = groups.length === graph.clusters.length;
  const wanted = new Set(groups.flatMap((group) => group.shared));
  for (let size = -1; size !== wanted.size;) {
    size = wanted.size;
    for (const node of all) {
      if (wanted.has(node.key)) for (const key of node.after) wanted.add(key);
      else if (node.after.some((key) => wanted.has(key))) wanted.add(node.key);
    }
  }
  const known = new Set(all.map((node) => node.key));
  return graph.shared.map((level) => level.filter((node) => isWhole || (wanted.has(node.key) && known.has(node.key))));
}

function complaintsAbout(group: ClusterGroup, target: SideFacts, isRestore: boolean): readonly string[] {
  const {object} = group.cluster;
  const mark = isRestore ? undefined : markOf(object.metadata.annotations);
  const isPaused = valueAt(object, 'spec', 'paused') === true || object.metadata.annotations?.['cluster.x-k8s.io/paused'] !== undefined;
  if (mark !== undefined && mark.to !== target.id && isPaused)
    return [`${group.id}: a move to another place began at ${mark.since}. Go on with that one, or let it work here again: trireme cluster resume`];
  const there = target.objects.find((one) => isCluster(one.object) && keyOf(one.object) === group.cluster.key)?.object;
  const theirs =
    there !== undefined && there.metadata.annotations?.[movedFromAnnotation] === undefined
      ? [`${group.id}: ${target.server} has a cluster of this name already`]
      : [];
  if (mark?.phase === 'removing' || isRestore) return theirs;
  const paused = isPaused && mark === undefined ? [`${group.id}: it's paused, by somebody else: trireme cluster resume ${object.metadata.name}`] : [];
  return [...theirs, ...paused, ...notSettled(group).map((one) => `${group.id}: ${one}`)];
}

/** Controllers that are in the middle of making something can't be stopped safely (the same rule as clusterctl's). */
function notSettled(group: ClusterGroup): readonly string[] {
  const {object} = group.cluster;
  const initialization = (field: string) => valueAt(object, 'status', 'initialization', field) === true;
  const cluster = [
    ...(initialization('infrastructureProvisioned') || valueAt(object, 'status', 'infrastructureReady') === true ? [] : ['its infrastructure is being made']),
    ...(initialization('controlPlaneInitialized') || valueAt(object, 'status', 'controlPlaneReady') === true ? [] : ['its control plane is not initialized']),
  ];
  const machines = flat(group.levels).filter((node) => node.resource.kind === 'Machine' && textAt(node.object, 'status', 'nodeRef', 'name') === undefined);
  const leaving = flat(group.levels).filter((node) => node.object.metadata.deletionTimestamp !== undefined);
  return [
    ...cluster,
    ...(machines.length === 0 ? [] : [`${countOf(machines)} without a node yet`]),
    ...(leaving.length === 0 ? [] : [`${countOf(leaving)} being deleted`]),
  ];
}

function countOf(nodes: readonly MoveNode[]): string {
  const names = nodes.map((node) => `${node.resource.kind} ${node.object.metadata.name}`);
  return `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more are` : names.length === 1 ? ' is' : ' are'}`;
}

function complaintsAboutTarget(source: SideFacts, target: SideFacts, nodes: readonly MoveNode[]): readonly string[] {
  const providers = source.providers.flatMap(({label, version}) => {
    const there = target.providers.filter((one) => one.label === label).map((one) => one.version);
    if (there.length === 0) return [`the target lacks the provider ${label} ${version}: trireme provider init`];
    const older = there.every((one) => isOlder(one, version));
    return older ? [`the target's provider ${label} is ${there.join(', ')}, older than the source's ${version}: trireme provider upgrade`] : [];
  });
  const served = new Set(target.kinds.map(({resource}) => `${resource.group}/${resource.kind}`));
  const missing = [...new Set(nodes.map(({resource}) => `${resource.group}/${resource.kind}`))].filter((kind) => !served.has(kind));
  return [...providers, ...missing.map((kind) => `the target doesn't serve the kind ${kind}`)];
}

function isOlder(version: string, than: string): boolean {
  const [a, b] = [coerce(version, {includePrerelease: true}), coerce(than, {includePrerelease: true})];
  return a !== null && b !== null && lt(a, b);
}

export function hostPlanOf(group: ClusterGroup): HostPlan {
  const kinds = countKinds(group);
  const mark = markOf(group.cluster.object.metadata.annotations);
  const why = mark === undefined ? undefined : mark.phase === 'removing' ? 'goes on: the copy is verified, the source goes' : 'goes on: copying began';
  const changes: readonly Change[] = kinds.map(([kind, count]) => ({path: kind, to: count, effect: 'none', ...(why === undefined ? {} : {why})}));
  return {host: group.id, role: 'cluster', state: 'changed', effect: 'none', changes};
}

function countKinds(group: ClusterGroup): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const {resource} of flat(group.levels)) counts.set(resource.kind, (counts.get(resource.kind) ?? 0) + 1);
  return [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function waitingPlanOf(group: ClusterGroup): HostPlan {
  return {
    host: group.id,
    role: 'cluster',
    state: 'changed',
    effect: 'none',
    changes: [{path: 'spec.paused', from: true, effect: 'none', why: 'it was moved, and is still paused'}],
  };
}

interface Phasing {
  readonly groups: readonly ClusterGroup[];
  readonly waiting: readonly ClusterGroup[];
  readonly shared: readonly (readonly MoveNode[])[];
  readonly identity: MoveIdentity;
  /** Whoever moves single clusters keeps the classes for others; whoever moves all leaves nothing behind. */
  readonly clears: boolean;
}

function phasesOf({groups, waiting, shared, identity, clears}: Phasing): readonly Phase<MoveScope>[] {
  const all = [...groups, ...waiting];
  const [first] = all;
  if (first === undefined) return [];
  const copying = groups.filter((group) => markOf(group.cluster.object.metadata.annotations)?.phase !== 'removing');
  const names = [
    ...new Set([...groups.flatMap((group) => flat(group.levels)), ...flat(shared)].flatMap((node) => node.object.metadata.namespace ?? [])),
  ].toSorted();
  const window = {concurrency: clustersAtOnce};
  const leaving = identity.isRestore ? [] : groups;
  const pausing = identity.isRestore ? [] : copying;
  return [
    {title: 'Pause the source', steps: pausing.map((group) => pauseStep(group, identity)), ...window},
    {
      title: 'Wait for providers',
      steps: pausing.filter((group) => flat(group.levels).some((node) => node.isBlocked)).map((group) => unblockStep(group)),
      ...window,
    },
    {
      title: 'Prepare the target',
      steps: copying.length === 0 ? [] : [namespacesStep(names), ...(flat(shared).length === 0 ? [] : [sharedStep(shared, identity)])],
    },
    {title: 'Copy', steps: copying.map((group) => clusterCopyStep(group, identity)), ...window},
    {title: 'Verify', steps: copying.map((group) => verifyStep(group, identity)), ...window},
    {title: 'Remove from the source', steps: leaving.map((group) => removeStep(group)), ...window},
    {title: 'Unpause at the target', steps: all.map((group) => unpauseStep(group, identity)), ...window},
    {title: 'Clear the source', steps: flat(shared).length === 0 || identity.isRestore || !clears ? [] : [sharedRemovalStep(shared, first.cluster.resource)]},
  ].filter((phase) => phase.steps.length > 0);
}

/** Only what the plan reads: which objects there are, and what is wanted of each. */
function basisOf(source: SideFacts, target: SideFacts, groups: readonly ClusterGroup[]): Readonly<Record<string, unknown>> {
  const digests = groups.map((group) => [`${group.id}.objects`, digestOfValue(flat(group.levels).map((node) => [node.key, wantedOf(node.object)]))] as const);
  return {source: source.id, target: target.id, ...Object.fromEntries(digests)};
}

function wantedOf(object: KubeObject): unknown {
  const {status: _status, metadata, ...rest} = object;
  return {...rest, labels: metadata.labels ?? {}};
}

function warningsOf(graph: MoveGraph, groups: readonly ClusterGroup[]): readonly Warning[] {
  const ours = new Set(groups.map((group) => group.cluster.object.metadata.namespace));
  const left = graph.leftOut.filter(({key}) => [...ours].some((namespace) => key.includes(` ${namespace}/`)));
  return [
    ...left.map(({key, why}) => ({code: 'move.left-out', message: `${key} stays: ${why}.`})),
    ...groups
      .filter((group) => listAt(group.cluster.object, 'metadata', 'finalizers').length === 0)
      .map((group) => ({code: 'move.no-finalizer', message: `${group.id} has no finalizer: is its controller running?`})),
  ];
}

/** For tests and `--to-directory`: the same groups and shared objects as a plan has. */
export function chosenGroups(
  objects: readonly FoundObject[],
  names: readonly string[],
  source: SideFacts,
): {readonly groups: readonly ClusterGroup[]; readonly shared: readonly (readonly MoveNode[])[]} {
  const graph = buildGraph(objects);
  const groups = chosen(graph, names, source);
  return {groups, shared: sharedOf(graph, groups)};
}
