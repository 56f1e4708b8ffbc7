// A manifest as objects: read as kubectl reads it, checked, and in an order in which the API can take them.
import {TriremeError} from '../kernel/errors.ts';
import {refuseFiles} from '../spec/complaint.ts';
import {type ManifestObject, readManifestText} from '../spec/manifest-text.ts';
import {Source} from '../spec/source.ts';

export type {ManifestObject} from '../spec/manifest-text.ts';

/** What must be there before others can be: lower goes first. Kinds that aren't listed go together, after these. */
const firstKinds = [
  'Namespace',
  'CustomResourceDefinition',
  'PriorityClass',
  'StorageClass',
  'RuntimeClass',
  'ServiceAccount',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
  'ResourceQuota',
  'LimitRange',
  'NetworkPolicy',
  'Secret',
  'ConfigMap',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'Service',
];
/** These call into workloads, so they go when those are there. */
const lastKinds = ['APIService', 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

/** Reads a manifest of several documents; `label` is what complaints call it. Throws `file.syntax` or `file.invalid` with all complaints. */
export function parseManifest(text: string, label = 'manifest'): readonly ManifestObject[] {
  const {objects, complaints} = readManifestText(new Source(label, '/', text));
  if (complaints.length > 0) throw refuseFiles(complaints);
  const seen = new Set<string>();
  for (const object of objects) {
    const id = objectId(object);
    if (seen.has(id)) throw new TriremeError('file.invalid', `${label} has ${id} twice.`, {hints: ['Keep one of them; the second would overwrite the first.']});
    seen.add(id);
  }
  return objects;
}

/** What makes an object one: `apps/Deployment kube-system/coredns`. The version of its API is no part of it. */
export function objectId(object: ManifestObject): string {
  const group = object.apiVersion.includes('/') ? `${object.apiVersion.split('/')[0]}/` : '';
  const {namespace, name} = object.metadata;
  return `${group}${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** The objects in the order in which they are applied; those of one rank keep the order of the manifest. */
export function orderObjects(objects: readonly ManifestObject[]): readonly ManifestObject[] {
  return objects.toSorted((a, b) => rankOfKind(a.kind) - rankOfKind(b.kind));
}

/** When a kind is applied: lower goes first, and is taken away last. */
export function rankOfKind(kind: string): number {
  const first = firstKinds.indexOf(kind);
  if (first !== -1) return first;
  return lastKinds.includes(kind) ? firstKinds.length + 1 : firstKinds.length;
}

/** Objects that go together: kinds that a CustomResourceDefinition of the same manifest makes must wait until it is established. */
export function applyWaves(objects: readonly ManifestObject[]): readonly (readonly ManifestObject[])[] {
  const ordered = orderObjects(objects);
  const isFirst = (object: ManifestObject) => object.kind === 'Namespace' || object.kind === 'CustomResourceDefinition';
  return [ordered.filter(isFirst), ordered.filter((object) => !isFirst(object))].filter((wave) => wave.length > 0);
}
