// The scale subresource: an object's replicas as autoscaling/v1 has them.
import {numberAt, textAt, type KubeObject} from '../../kube/object.ts';
import type {Draft} from './draft.ts';
import {badRequest} from './failure.ts';
import type {ServedKind} from './kinds.ts';

const fields = (path: string | undefined) => (path ?? '').split('.').filter((part) => part !== '');

export function scaleOf(kind: ServedKind, object: KubeObject): Readonly<Record<string, unknown>> {
  const {name, namespace, uid, resourceVersion, creationTimestamp} = object.metadata;
  const selector = textAt(object, ...fields(kind.scale?.labelSelectorPath));
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {name, namespace, uid, resourceVersion, creationTimestamp},
    spec: {replicas: numberAt(object, ...fields(kind.scale?.specReplicasPath)) ?? 0},
    status: {replicas: numberAt(object, ...fields(kind.scale?.statusReplicasPath)) ?? 0, ...(selector === undefined ? {} : {selector})},
  };
}

/** The object with the replicas that a changed Scale asks for. */
export function withReplicas(kind: ServedKind, draft: Draft, scale: unknown): Draft {
  const replicas = numberAt(scale, 'spec', 'replicas') ?? 0;
  if (!Number.isInteger(replicas) || replicas < 0) throw badRequest(`spec.replicas: Invalid value: ${replicas}: should be a non-negative integer`);
  const set = (value: unknown, [key = '', ...rest]: readonly string[]): unknown => {
    const map = (value ?? {}) as Draft;
    return {...map, [key]: rest.length === 0 ? replicas : set(map[key], rest)};
  };
  return set(draft, fields(kind.scale?.specReplicasPath)) as Draft;
}
