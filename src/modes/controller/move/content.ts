// One object on its way: what is taken along, and whether the copy is the same. Pure.
import {isCluster, type MoveNode} from './graph.ts';
import {moveAnnotation, movedFromAnnotation} from './names.ts';
import type {KubeObject, OwnerReference} from '../../../kube/object.ts';

/** What the API server makes anew on the other side. */
const madeByServer = new Set([
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'managedFields',
  'ownerReferences',
  'selfLink',
  'generateName',
  'deletionTimestamp',
]);

/** The object as it's created at the target: owners by their new uids, a Cluster paused and marked with where it came from. Status never moves. */
export function copyOf(node: MoveNode, uidOf: (key: string) => string, from: string): KubeObject {
  const {object} = node;
  const {status: _status, ...rest} = object;
  const metadata = Object.fromEntries(Object.entries(object.metadata).filter(([field]) => !madeByServer.has(field)));
  const {[moveAnnotation]: _mark, ...annotations} = object.metadata.annotations ?? {};
  const owners = ownersOf(node, uidOf);
  const copy: KubeObject = {
    ...rest,
    metadata: {
      ...(metadata as unknown as KubeObject['metadata']),
      annotations: isCluster(object) ? {...annotations, [movedFromAnnotation]: from} : annotations,
      ...(owners.length === 0 ? {} : {ownerReferences: owners}),
    },
  };
  if (!isCluster(object)) return copy;
  return {...copy, spec: {...(object['spec'] as object), paused: true}};
}

/** Owners that move are referred to by their new uids; an owner that doesn't move would be dangling there, and is left out. */
function ownersOf(node: MoveNode, uidOf: (key: string) => string): readonly OwnerReference[] {
  const references = node.object.metadata.ownerReferences ?? [];
  const moved = references.filter((reference) => node.owners.some((key) => isKeyOf(key, reference)));
  return moved.map((reference) => ({...reference, uid: uidOf(node.owners.find((key) => isKeyOf(key, reference)) ?? '')}));
}

function isKeyOf(key: string, {apiVersion, kind, name}: OwnerReference): boolean {
  const group = apiVersion.includes('/') ? `${apiVersion.split('/')[0]}/` : '';
  return key.startsWith(`${group}${kind} `) && (key.endsWith(`/${name}`) || key.endsWith(` ${name}`));
}

/** Where the target's object lacks something of the copy, or has another value; empty when the copy is whole. What a server adds by default doesn't count. */
export function differences(copy: unknown, there: unknown, path = ''): readonly string[] {
  if (copy === undefined || copy === null) return [];
  if (Array.isArray(copy)) {
    if (!Array.isArray(there) || there.length !== copy.length) return [path];
    return copy.flatMap((item, index) => differences(item, there[index], `${path}[${index}]`));
  }
  if (typeof copy === 'object') {
    // an empty map and none are the same to the API
    if (there === undefined || there === null) return Object.values(copy).every((value) => value === undefined) ? [] : [path];
    if (typeof there !== 'object' || Array.isArray(there)) return [path];
    return Object.entries(copy).flatMap(([key, value]) =>
      differences(value, (there as Readonly<Record<string, unknown>>)[key], path === '' ? key : `${path}.${key}`),
    );
  }
  return copy === there ? [] : [path];
}
