// What a writing request asks for, and how it is answered.
import {numberAt, type KubeObject} from '../../kube/object.ts';
import type {Draft} from './draft.ts';
import {ApiFailure, badRequest, notAllowed, notFound, unsupported} from './failure.ts';
import {apiVersionOf, type KindRegistry, type ServedKind} from './kinds.ts';
import {jsonPatch, mergePatch} from './patch.ts';
import type {ResourceRequest} from './request.ts';
import {scaleOf, withReplicas} from './scale.ts';
import {isMap} from './schema.ts';
import {matcherOf} from './selectors.ts';
import type {ObjectStore} from './store.ts';
import {strategicMerge} from './strategic-merge.ts';
import type {Place, Preconditions, WriteContext, Writes} from './writes.ts';

export type WriteAnswer = {readonly status: number; readonly object: KubeObject} | {readonly status: number; readonly body: unknown};

export interface WriteBody {
  readonly body: unknown;
  readonly type: string;
  readonly agent: string | undefined;
  readonly warn: (message: string) => void;
}

interface Parts {
  readonly store: ObjectStore;
  readonly kinds: KindRegistry;
  readonly writes: Writes;
}

const patchTypes = ['application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json', 'application/apply-patch+yaml'];

/** Carries out a POST, PUT, PATCH or DELETE. */
export function answerWrite(parts: Parts, asked: ResourceRequest, written: WriteBody): WriteAnswer {
  const context = contextOf(asked, written);
  const {method, name} = asked;
  if (method === 'POST') {
    if (name !== undefined) throw notAllowed(method);
    const object = parts.writes.create(asked.kind, mapOf(written.body), asked.namespace, context);
    return {status: 201, object};
  }
  if (name === undefined) {
    if (method !== 'DELETE') throw notAllowed(method);
    return removeAll(parts, asked, written.body);
  }
  const place: Place = {name, ...(asked.namespace === undefined ? {} : {namespace: asked.namespace})};
  if (method === 'DELETE') return remove(parts, asked.kind, place, {body: written.body, query: asked.query});
  if (asked.subresource === 'scale') return scale(parts, asked, place, {written, context});
  if (method === 'PUT') return {status: 200, object: parts.writes.replace(asked.kind, place, mapOf(written.body), context)};
  return patch(parts, asked, place, {written, context});
}

function contextOf({query, subresource}: ResourceRequest, {agent, warn}: WriteBody): WriteContext {
  const dryRun = query.get('dryRun');
  if (dryRun !== null && dryRun !== 'All')
    throw new ApiFailure(400, 'BadRequest', `Invalid value: "${dryRun}": dryRun: Unsupported value: "${dryRun}": supported values: "All"`);
  const validation = query.get('fieldValidation') as WriteContext['fieldValidation'] | null;
  return {
    manager: query.get('fieldManager') ?? (agent ?? 'unknown').split('/')[0] ?? 'unknown',
    dryRun: dryRun === 'All',
    force: query.get('force') === 'true',
    fieldValidation: validation ?? 'Warn',
    warn,
    ...(subresource === 'status' ? {subresource} : {}),
  };
}

interface Change {
  readonly written: WriteBody;
  readonly context: WriteContext;
}

function patch({store, writes}: Parts, {kind, query}: ResourceRequest, place: Place, {written, context}: Change): WriteAnswer {
  const {body} = written;
  const type = written.type.split(';')[0]?.trim() ?? '';
  if (!patchTypes.includes(type) || (type.includes('strategic') && kind.isCustom))
    throw unsupported(type, kind.isCustom ? patchTypes.filter((one) => !one.includes('strategic')) : patchTypes);
  if (type === 'application/apply-patch+yaml') {
    if (query.get('fieldManager') === null)
      throw new ApiFailure(400, 'BadRequest', 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch');
    const wasThere = store.get(kind, place.name, place.namespace) !== undefined;
    return {status: wasThere ? 200 : 201, object: writes.apply(kind, place, mapOf(body), context)};
  }
  const mutate = (live: Draft): Draft =>
    mapOf(
      type === 'application/json-patch+json'
        ? jsonPatch(live, body)
        : type === 'application/merge-patch+json'
          ? mergePatch(live, body)
          : strategicMerge(live, mapOf(body)),
    );
  // a patch that doesn't name a resourceVersion is laid over whatever is there
  return {status: 200, object: writes.change(kind, place, mutate, context)};
}

function scale({store, writes}: Parts, {kind, method}: ResourceRequest, place: Place, {written, context}: Change): WriteAnswer {
  const live = store.get(kind, place.name, place.namespace);
  if (live === undefined) throw notFound(kind, place.name);
  const {body, type} = written;
  const before = scaleOf(kind, live);
  const wanted = method === 'PUT' ? body : type.includes('json-patch') ? jsonPatch(before, body) : mergePatch(before, body);
  const replicas = numberAt(wanted, 'spec', 'replicas') ?? 0;
  if (kind.kind === 'KubeadmControlPlane' && (replicas <= 0 || replicas % 2 === 0)) {
    const why = replicas <= 0 ? 'replicas should be greater than zero' : 'replicas cannot be an even number when etcd is stacked';
    throw new ApiFailure(403, 'Forbidden', `admission webhook "validation-scale.kubeadmcontrolplane.controlplane.cluster.x-k8s.io" denied the request: ${why}`);
  }
  const object = writes.change(kind, place, (draft) => withReplicas(kind, draft, wanted), context);
  return {status: 200, body: scaleOf(kind, object)};
}

interface Removal {
  readonly body: unknown;
  readonly query: URLSearchParams;
}

function removalOf({body, query}: Removal) {
  const options = isMap(body) ? body : {};
  // the real server looks at the query only where there's no body
  const asked = isMap(body) ? undefined : query;
  const propagation = (options['propagationPolicy'] as string | undefined) ?? asked?.get('propagationPolicy') ?? 'Background';
  const dryRun = asked?.get('dryRun') === 'All' || (Array.isArray(options['dryRun']) && options['dryRun'].includes('All'));
  return {propagation, dryRun, ...(isMap(options['preconditions']) ? {preconditions: options['preconditions'] as Preconditions} : {})};
}

function remove({writes}: Parts, kind: ServedKind, place: Place, removal: Removal): WriteAnswer {
  const object = writes.remove(kind, place, removalOf(removal));
  const isWaiting = (object.metadata.finalizers ?? []).length > 0 || kind.kind === 'Namespace';
  if (isWaiting) return {status: 200, object};
  const details = {name: place.name, ...(kind.group === '' ? {} : {group: kind.group}), kind: kind.plural, uid: object.metadata.uid};
  return {status: 200, body: {kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details}};
}

function removeAll({store, writes}: Parts, {kind, namespace, query}: ResourceRequest, body: unknown): WriteAnswer {
  const matches = matcherOf(query, kind.kind);
  const options = removalOf({body, query});
  const objects = store.list(kind, namespace).filter((one) => matches?.(one) ?? true);
  for (const {metadata} of objects)
    writes.remove(kind, {name: metadata.name, ...(metadata.namespace === undefined ? {} : {namespace: metadata.namespace})}, options);
  return {status: 200, body: {kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata: {resourceVersion: String(store.version)}, items: objects}};
}

function mapOf(body: unknown): Draft {
  if (!isMap(body)) throw badRequest('the body must be an object');
  return body;
}
