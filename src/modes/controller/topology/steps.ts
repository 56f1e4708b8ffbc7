// The steps of an apply: the namespace, the Cluster, and the waits until all of it is there.
import {canonicalJson} from '../../../kernel/digest.ts';
import {highestEffect} from '../../../plan/effect.ts';
import type {HostPlan, Phase, Step, StepContext} from '../../../plan/plan.ts';
import {type KubeObject, numberAt} from '../../../kube/object.ts';
import type {DesiredLayer} from '../../../spec/desired.ts';
import {type LayerFacts, layerSteps} from '../layer-steps.ts';
import type {Resource} from '../../../kube/api.ts';
import type {ControllerScope} from '../scope.ts';
import {clusterUnit, controlPlaneUnit, unitOfPool} from './changes.ts';
import {lookAtControlPlane, lookAtDeployment, lookUntil} from './confirm.ts';
import {clusterNameLabel, coreGroup, type CoreVersion, deploymentNameLabel, poolNameLabel} from './names.ts';
import {leafIn, leavesOf} from './owners.ts';
import {controlPlaneAvailable, controlPlaneInitialized, infrastructureReady, poolReady, type Progress, rolledOut} from './settled.ts';
import {patience, waitUntil, type Watched} from './wait.ts';

/** What the waits need. */
export interface WaitWork {
  readonly name: string;
  readonly namespace: {readonly name: string; readonly exists: boolean};
  readonly coreVersion: CoreVersion;
  /** Of Kubernetes. */
  readonly version: string;
}

export interface WaitedPool {
  readonly name: string;
  readonly kind: 'MachineDeployment' | 'MachinePool';
  /** Its object's name, where we gave it one; else it is found by its name in the topology. */
  readonly object?: string;
  /** Absent where an autoscaler says it. */
  readonly replicas?: number;
}

export interface TopologyWork extends WaitWork {
  /** The pools as they shall be. */
  readonly pools: readonly WaitedPool[];
  readonly layers: readonly DesiredLayer[];
  /** What the cluster had of them when it was looked at. */
  readonly layerFacts?: LayerFacts;
  /** Absent when only the waits are left. */
  readonly apply?: {
    readonly object: KubeObject;
    readonly force: boolean;
    readonly affects: readonly string[];
    readonly hosts: readonly HostPlan[];
  };
}

type Context = StepContext<ControllerScope>;

/** Titles of the phases that write; the others wait for what comes of it. */
export const writingPhases: ReadonlySet<string> = new Set(['Prepare', 'Apply']);

export function topologyPhases(work: TopologyWork): readonly Phase<ControllerScope>[] {
  const {apply, namespace} = work;
  return [
    ...(apply === undefined || namespace.exists ? [] : [{title: 'Prepare', steps: [namespaceStep(namespace.name)]}]),
    ...(apply === undefined ? [] : [{title: 'Apply', steps: [applyStep(work, apply)]}]),
    {
      title: 'Make the control plane',
      steps: [
        clusterWait(work, {id: 'wait:infrastructure', title: 'Wait for the infrastructure', affects: [clusterUnit], judge: infrastructureReady}),
        clusterWait(work, {
          id: 'wait:initialized',
          title: 'Wait until the control plane is initialized',
          affects: [clusterUnit],
          judge: controlPlaneInitialized,
        }),
      ],
    },
    // nodes get ready only with a pod network: the layers don't wait for the machines, nor these for the layers
    ...(work.layers.length === 0 ? [] : [{title: 'Put the layers on', steps: layerSteps(work.layers, {name: work.name}, work.layerFacts)}]),
    {
      title: 'Make the machines',
      steps: [
        clusterWait(work, {
          id: 'wait:control-plane',
          title: 'Wait until the control plane is available',
          host: controlPlaneUnit,
          judge: controlPlaneAvailable,
          confirm: confirmControlPlane,
        }),
        ...work.pools.map((pool) => poolWait(work, pool)),
      ],
    },
    {title: 'Settle', steps: [clusterWait(work, {id: 'wait:available', title: `Wait until ${work.name} is rolled out and available`, judge: rolledOut})]},
  ];
}

export function namespaceStep(name: string): Step<ControllerScope> {
  const resource = (context: Context) => context.scope.api.resource({apiVersion: 'v1', kind: 'Namespace'});
  return {
    id: `namespace:${name}`,
    title: `Make the namespace ${name}`,
    effect: 'none',
    check: async (context) => ((await context.scope.api.get(await resource(context), {name}, {signal: context.signal})) === undefined ? 'needed' : 'satisfied'),
    apply: async (context) => {
      await context.scope.api.apply({apiVersion: 'v1', kind: 'Namespace', metadata: {name}}, {signal: context.signal});
    },
  };
}

function applyStep(work: TopologyWork, apply: NonNullable<TopologyWork['apply']>): Step<ControllerScope> {
  return {
    id: 'cluster:apply',
    title: `Apply the Cluster ${work.name}`,
    affects: apply.affects,
    effect: highestEffect(apply.hosts.map((host) => host.effect)),
    // what we want more is told by comparing; what we want no more, by the pools that only the live object has
    check: async (context) => {
      const live = await readCluster(work, context);
      return live !== undefined && holds(live, apply.object) && apply.hosts.every((host) => host.changes.every((change) => change.to !== undefined))
        ? 'satisfied'
        : 'needed';
    },
    apply: async ({scope, signal}) => {
      const answer = await scope.api.apply(apply.object, {force: apply.force, signal});
      return `generation ${answer.metadata.generation ?? 1}`;
    },
  };
}

/** Whether every field of ours has its value. */
export function holds(live: KubeObject, wanted: KubeObject): boolean {
  return leavesOf(wanted).every(({path, value}) => canonicalJson(leafIn(live, path) ?? null) === canonicalJson(value ?? null));
}

async function clusterResource(work: WaitWork, {scope}: Context) {
  return scope.api.resource({apiVersion: `${coreGroup}/${work.coreVersion}`, kind: 'Cluster'});
}

async function readCluster(work: WaitWork, context: Context): Promise<KubeObject | undefined> {
  return context.scope.api.get(await clusterResource(work, context), {name: work.name, namespace: work.namespace.name}, {signal: context.signal});
}

interface ClusterWait {
  readonly id: string;
  readonly title: string;
  readonly host?: string;
  readonly affects?: readonly string[];
  judge(cluster: KubeObject): Progress;
  /** Asked when `judge` says that it is done. */
  confirm?(context: Context, cluster: KubeObject): Promise<Progress>;
}

/** What a Cluster says of its control plane is what was so a moment ago. */
export const confirmControlPlane: NonNullable<ClusterWait['confirm']> = lookAtControlPlane;

export function clusterWait(work: WaitWork, {id, title, host, affects, judge, confirm}: ClusterWait): Step<ControllerScope> {
  return {
    id,
    title,
    effect: 'none',
    ...(host === undefined ? {} : {host}),
    ...(affects === undefined ? {} : {affects}),
    check: async (context) => {
      const cluster = await readCluster(work, context);
      if (cluster === undefined || !judge(cluster).done) return 'needed';
      return confirm === undefined || (await confirm(context, cluster)).done ? 'satisfied' : 'needed';
    },
    apply: async (context) => {
      const watched: Watched = {
        resource: await clusterResource(work, context),
        options: {namespace: work.namespace.name, fieldSelector: `metadata.name=${work.name}`},
      };
      await waitUntil({
        context,
        watched,
        subject: `the cluster ${work.name}`,
        ...(host === undefined ? {} : {host}),
        judge: (objects) => {
          const cluster = objects.find((object) => object.metadata.name === work.name);
          return cluster === undefined ? {done: false, waitingFor: `the cluster ${work.name} is gone`} : judge(cluster);
        },
      });
      if (confirm === undefined) return;
      const look = async (): Promise<Progress> => {
        const cluster = await readCluster(work, context);
        if (cluster === undefined) return {done: false, waitingFor: `the cluster ${work.name} is gone`};
        const found = await confirm(context, cluster);
        return found.done ? judge(cluster) : found;
      };
      await lookUntil(context, look, patience);
    },
  };
}

export function poolWait(work: WaitWork, pool: WaitedPool): Step<ControllerScope> {
  const host = unitOfPool(pool.name);
  const label = pool.kind === 'MachineDeployment' ? deploymentNameLabel : poolNameLabel;
  const selector =
    pool.object === undefined ? {labelSelector: `${clusterNameLabel}=${work.name},${label}=${pool.name}`} : {fieldSelector: `metadata.name=${pool.object}`};
  const options = {namespace: work.namespace.name, ...selector};
  const resourceOf = ({scope}: Context) => scope.api.resource({apiVersion: `${coreGroup}/${work.coreVersion}`, kind: pool.kind});
  const judge = (objects: readonly KubeObject[]): Progress => {
    const object = pool.object === undefined ? objects[0] : objects.find(({metadata}) => metadata.name === pool.object);
    return object === undefined
      ? {done: false, waitingFor: `the pool ${pool.name} is not made yet`}
      : poolReady({...object, kind: pool.kind}, work.version, pool.replicas);
  };
  const confirm = async (context: Context, resource: Resource, objects: readonly KubeObject[]): Promise<Progress> => {
    const name = objects[0]?.metadata.name;
    if (pool.kind !== 'MachineDeployment' || name === undefined) return {done: true, waitingFor: ''};
    return lookAtDeployment(context, resource, name, work.namespace.name);
  };
  let machines = 0;
  return {
    id: `wait:pool:${pool.name}`,
    title: `Wait for the pool ${pool.name}`,
    host,
    effect: 'none',
    check: async (context) => {
      const resource = await resourceOf(context);
      const {items} = await context.scope.api.list(resource, {...options, signal: context.signal});
      return judge(items).done && (await confirm(context, resource, items)).done ? 'satisfied' : 'needed';
    },
    apply: async (context) => {
      const resource = await resourceOf(context);
      await waitUntil({
        context,
        watched: {resource, options},
        subject: `the pool ${pool.name}`,
        host,
        judge: (objects) => {
          machines = numberAt(objects[0], 'spec', 'replicas') ?? 0;
          return judge(objects);
        },
      });
      const look = async (): Promise<Progress> => {
        const {items} = await context.scope.api.list(resource, {...options, signal: context.signal});
        const found = judge(items);
        return found.done ? confirm(context, resource, items) : found;
      };
      await lookUntil(context, look, patience);
      return `${machines} ${machines === 1 ? 'machine' : 'machines'}`;
    },
  };
}
