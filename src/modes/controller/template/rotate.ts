// Machine templates are immutable: one that shall be another gets a new name, and what refers to it follows. Names come from the content, so that
// the same file always asks for the same objects. Pure.
import {canonicalJson, digestOfValue} from '../../../kernel/digest.ts';
import {groupOf, type KubeObject, valueAt} from '../../../kube/object.ts';

/** On templates that we made. */
export const templateDigestAnnotation = 'trireme.dev/template-digest';
/** On templates that we made under a new name: the cluster, for clearing up later. */
export const templateClusterLabel = 'trireme.dev/cluster';

/** `AWSMachineTemplate`, `KubeadmConfigTemplate`: what machines are made from. */
export function isImmutableTemplate(object: KubeObject): boolean {
  return /(Machine|MachinePool|Config)Template$/.test(object.kind) && /(infrastructure|bootstrap)\.cluster\.x-k8s\.io$/.test(groupOf(object.apiVersion));
}

export interface Rotation {
  readonly kind: string;
  readonly from: string;
  readonly to: string;
}

export interface Rotated {
  readonly objects: readonly KubeObject[];
  readonly rotations: readonly Rotation[];
}

/** `live` is the object of the same kind and name that is there, in the order of `objects`. */
export function rotateTemplates(objects: readonly KubeObject[], live: readonly (KubeObject | undefined)[], cluster: string): Rotated {
  const rotations: Rotation[] = [];
  const named = objects.map((object, index) => {
    if (!isImmutableTemplate(object)) return object;
    const digest = digestOfValue(object['spec']);
    const marked = {...object, metadata: {...object.metadata, annotations: {...object.metadata.annotations, [templateDigestAnnotation]: digest}}};
    const found = live[index];
    if (found === undefined || isSame(found, object, digest)) return marked;
    const to = `${object.metadata.name.slice(0, 54)}-${digest.slice('sha256:'.length, 'sha256:'.length + 8)}`;
    rotations.push({kind: object.kind, from: object.metadata.name, to});
    return {...marked, metadata: {...marked.metadata, name: to, labels: {...marked.metadata.labels, [templateClusterLabel]: cluster}}};
  });
  if (rotations.length === 0) return {objects: named, rotations};
  return {objects: named.map((object) => (isImmutableTemplate(object) ? object : (follow(object, rotations) as KubeObject))), rotations};
}

function isSame(live: KubeObject, wanted: KubeObject, digest: string): boolean {
  const noted = live.metadata.annotations?.[templateDigestAnnotation];
  return noted === undefined ? contains(live['spec'], wanted['spec']) : noted === digest;
}

/** Whether everything of `part` is in `whole`; the server's defaults are no difference. */
export function contains(whole: unknown, part: unknown): boolean {
  if (part === null || typeof part !== 'object') return canonicalJson(whole ?? null) === canonicalJson(part ?? null);
  if (Array.isArray(part)) return Array.isArray(whole) && whole.length === part.length && part.every((item, index) => contains(whole[index], item));
  return Object.entries(part).every(([key, value]) => contains(valueAt(whole, key), value));
}

/** References are maps with a kind and a name, at any depth. */
function follow(value: unknown, rotations: readonly Rotation[]): unknown {
  if (Array.isArray(value)) return value.map((item) => follow(item, rotations));
  if (value === null || typeof value !== 'object') return value;
  const map = value as Readonly<Record<string, unknown>>;
  const rotation = rotations.find(({kind, from}) => map['kind'] === kind && map['name'] === from);
  const inner = Object.fromEntries(Object.entries(map).map(([key, item]) => [key, follow(item, rotations)]));
  return rotation === undefined ? inner : {...inner, name: rotation.to};
}
