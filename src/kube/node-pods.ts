// What is on a node, and what a drain does about each pod. The same choices as kubectl drain (v1.36). Pure but for `lookAtNode`.
import type {KubeApi, Resource} from './api.ts';
import {listAt, textAt, valueAt, type KubeObject} from './object.ts';
import {TriremeError} from '../kernel/errors.ts';

export const nodes: Resource = {group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false};
export const pods: Resource = {group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true};

export interface NodeFacts {
  readonly node: KubeObject;
  readonly pods: readonly KubeObject[];
}

export interface DrainChoice {
  /** Pods that nobody makes again. */
  readonly force: boolean;
  /** Pods with data in an emptyDir, which is lost. */
  readonly deleteEmptyDirData: boolean;
}

export interface PodVerdict {
  readonly pod: KubeObject;
  readonly what: 'evict' | 'leave' | 'refuse';
  /** Why it is left or refused. */
  readonly why?: string;
}

/** The node and its pods. Throws `machine.not-found` when the workload cluster has no such node. */
export async function lookAtNode(api: KubeApi, name: string, signal: AbortSignal): Promise<NodeFacts> {
  const node = await api.get(nodes, {name}, {signal});
  if (node === undefined) throw new TriremeError('machine.not-found', `The workload cluster has no node ${name}.`, {hints: ['Look: trireme cluster describe']});
  const {items} = await api.list(pods, {fieldSelector: `spec.nodeName=${name}`, signal});
  // an API that doesn't know the selector gives all of them
  return {node, pods: items.filter((pod) => textAt(pod, 'spec', 'nodeName') === name)};
}

export function isCordoned(node: KubeObject): boolean {
  return valueAt(node, 'spec', 'unschedulable') === true;
}

/** What becomes of each pod. */
export function judgePods(list: readonly KubeObject[], choice: DrainChoice): readonly PodVerdict[] {
  return list.map((pod) => judge(pod, choice));
}

function judge(pod: KubeObject, choice: DrainChoice): PodVerdict {
  const {annotations = {}, ownerReferences = [], deletionTimestamp} = pod.metadata;
  const phase = textAt(pod, 'status', 'phase');
  const owner = ownerReferences.find((one) => one.controller === true);
  if (annotations['kubernetes.io/config.mirror'] !== undefined) return {pod, what: 'leave', why: "the kubelet's own"};
  if (phase === 'Succeeded' || phase === 'Failed') return {pod, what: 'evict'};
  if (owner?.kind === 'DaemonSet') return {pod, what: 'leave', why: 'of a DaemonSet'};
  if (deletionTimestamp !== undefined) return {pod, what: 'evict'};
  const hasData = listAt(pod, 'spec', 'volumes').some((volume) => valueAt(volume, 'emptyDir') !== undefined);
  if (hasData && !choice.deleteEmptyDirData) return {pod, what: 'refuse', why: 'has data in an emptyDir, which would be lost (--delete-emptydir-data)'};
  if (owner === undefined && !choice.force) return {pod, what: 'refuse', why: 'nobody would make it again (--force)'};
  return {pod, what: 'evict'};
}

/** `namespace/name`. */
export function nameOfPod(pod: KubeObject): string {
  return `${pod.metadata.namespace ?? 'default'}/${pod.metadata.name}`;
}
