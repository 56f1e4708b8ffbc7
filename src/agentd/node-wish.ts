// Labels and taints of a node: what to change so that our keys are as wished and foreign ones stay. Pure.
import type {WantedTaint} from '../hostcluster/protocol.ts';
import type {NodeWish} from './reconciler.ts';

export const managedLabels = 'trireme.dev/managed-labels';
export const managedTaints = 'trireme.dev/managed-taints';

export interface NodeObject {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly resourceVersion?: string;
  };
  readonly spec?: {readonly taints?: readonly TaintObject[]};
}

export interface TaintObject extends WantedTaint {
  readonly timeAdded?: string;
}

export interface NodeChange {
  /** A merge patch for the node. */
  readonly patch: {readonly metadata: Record<string, unknown>; readonly spec?: {readonly taints: readonly TaintObject[]}};
  /** In words: `label zone=a`, `taint gpu:NoSchedule removed`. */
  readonly words: readonly string[];
}

const idOf = (taint: WantedTaint) => `${taint.key}:${taint.effect}`;
const list = (text: string | undefined) => (text ?? '').split(',').filter((item) => item !== '');

/** The patch that brings the node to the wish, or undefined when it's there. Keys that we once set and are wished no more are removed. */
export function changeOf(node: NodeObject, wish: NodeWish): NodeChange | undefined {
  const labels = node.metadata.labels ?? {};
  const annotations = node.metadata.annotations ?? {};
  const words: string[] = [];
  const labelPatch: Record<string, string | null> = {};
  for (const [key, value] of Object.entries(wish.labels)) {
    if (labels[key] === value) continue;
    labelPatch[key] = value;
    words.push(`label ${key}=${value}`);
  }
  for (const key of list(annotations[managedLabels])) {
    if (key in wish.labels || !(key in labels)) continue;
    labelPatch[key] = null;
    words.push(`label ${key} removed`);
  }
  const annotationPatch: Record<string, string | null> = {};
  const note = (name: string, value: string) => {
    if ((annotations[name] ?? '') !== value) annotationPatch[name] = value === '' ? null : value;
  };
  note(managedLabels, Object.keys(wish.labels).toSorted().join(','));
  for (const [name, value] of Object.entries(wish.annotations ?? {})) note(name, value);
  const taints = taintsOf(node, wish, words);
  if (wish.taints !== undefined) note(managedTaints, wish.taints.map(idOf).toSorted().join(','));
  if (words.length === 0 && Object.keys(annotationPatch).length === 0) return undefined;
  const metadata = {
    ...(Object.keys(labelPatch).length === 0 ? {} : {labels: labelPatch}),
    ...(Object.keys(annotationPatch).length === 0 ? {} : {annotations: annotationPatch}),
    // a merge patch replaces the whole list of taints: it must not undo what the node controller writes meanwhile
    ...(taints === undefined || node.metadata.resourceVersion === undefined ? {} : {resourceVersion: node.metadata.resourceVersion}),
  };
  return {patch: {metadata, ...(taints === undefined ? {} : {spec: {taints}})}, words: words.length === 0 ? ['record of managed keys'] : words};
}

/** The whole list of taints when it has to change. The control plane's own taint counts as managed: an empty wish removes it. */
function taintsOf(node: NodeObject, wish: NodeWish, words: string[]): readonly TaintObject[] | undefined {
  if (wish.taints === undefined) return undefined;
  const present = node.spec?.taints ?? [];
  const wished = new Map(wish.taints.map((taint) => [idOf(taint), taint]));
  const managed = new Set([...list(node.metadata.annotations?.[managedTaints]), 'node-role.kubernetes.io/control-plane:NoSchedule']);
  const kept = present.filter((taint) => {
    const stays = wished.has(idOf(taint)) || !managed.has(idOf(taint));
    if (!stays) words.push(`taint ${idOf(taint)} removed`);
    return stays;
  });
  let changed = kept.length !== present.length;
  const result = kept.map((taint) => {
    const target = wished.get(idOf(taint));
    if (target === undefined || (target.value ?? '') === (taint.value ?? '')) return taint;
    changed = true;
    words.push(`taint ${idOf(taint)}`);
    return target;
  });
  for (const [id, taint] of wished) {
    if (present.some((one) => idOf(one) === id)) continue;
    changed = true;
    words.push(`taint ${id}`);
    result.push(taint);
  }
  return changed ? result : undefined;
}

/** Label prefixes under kubernetes.io and k8s.io that a kubelet may set on its own node (NodeRestriction admission). */
const kubeletDomains = ['kubelet.kubernetes.io', 'node.kubernetes.io'];
const kubeletLabels = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
]);

/** Whether a node's own kubelet credentials may write this label. */
export function isKubeletLabel(key: string): boolean {
  const domain = key.includes('/') ? (key.split('/')[0] ?? '') : '';
  const within = (parent: string) => domain === parent || domain.endsWith(`.${parent}`);
  if (within('node-restriction.kubernetes.io')) return false;
  if (!within('kubernetes.io') && !within('k8s.io')) return true;
  return kubeletLabels.has(key) || kubeletDomains.some(within);
}
