// What Kubernetes' own controllers do here: dependents without owners go, foreground and orphan deletion, namespaces that end, Deployments that start.
import {groupOf, numberAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import type {Draft} from '../draft.ts';
import type {ServedKind} from '../kinds.ts';
import type {Change} from '../store.ts';
import {timestamp} from '../writes.ts';
import type {Parts} from './runtime.ts';

/** Follows the store until `stop`. */
export function startGarbageCollection(parts: Parts): () => void {
  const {store, kinds} = parts;
  const namespaces = kinds.need('', 'Namespace');
  let isStopped = false;
  const later = (work: () => void) => setImmediate(() => isStopped || work());
  const stop = store.onChange((change) => {
    if (change.type === 'DELETED') {
      later(() => collect(change, parts));
      const namespace = change.object.metadata.namespace;
      if (namespace !== undefined && store.get(namespaces, namespace)?.metadata.deletionTimestamp !== undefined) later(() => endNamespace(namespace, parts));
      // an owner that waits for its dependents looks again
      for (const {kind: ownerKind, name, apiVersion} of change.object.metadata.ownerReferences ?? [])
        later(() => finishDeletion(kinds.find(groupOf(apiVersion), ownerKind), name, {namespace: change.object.metadata.namespace, parts}));
      return;
    }
    if (change.object.metadata.deletionTimestamp === undefined) return;
    if (change.kind.kind === 'Namespace') later(() => endNamespace(change.object.metadata.name, parts));
    else later(() => finishDeletion(change.kind, change.object.metadata.name, {namespace: change.object.metadata.namespace, parts}));
  });
  return () => {
    isStopped = true;
    stop();
  };
}

const placeOf = ({metadata: {name, namespace}}: KubeObject) => ({name, ...(namespace === undefined ? {} : {namespace})});

/** Dependents whose last owner is gone are deleted; where others remain, the reference is taken away. */
function collect({object}: Change, {store, kinds, writes}: Parts): void {
  for (const {kind, object: dependent} of store.ownedBy(object.metadata.uid ?? '')) {
    const owners = dependent.metadata.ownerReferences ?? [];
    const left = owners.filter((one) => {
      const ownerKind = kinds.find(groupOf(one.apiVersion), one.kind);
      const owner = ownerKind === undefined ? undefined : store.get(ownerKind, one.name, ownerKind.namespaced ? dependent.metadata.namespace : undefined);
      return owner !== undefined && owner.metadata.uid === one.uid;
    });
    if (left.length > 0)
      writes.change(kind, placeOf(dependent), (draft) => ({...draft, metadata: {...(draft['metadata'] as object), ownerReferences: left}}), {
        manager: 'kube-controller-manager',
      });
    else if (dependent.metadata.deletionTimestamp === undefined) writes.remove(kind, placeOf(dependent), {});
  }
}

interface Where {
  readonly namespace: string | undefined;
  readonly parts: Parts;
}

function finishDeletion(kind: ServedKind | undefined, name: string, {namespace, parts: {store, writes}}: Where): void {
  const object = kind === undefined ? undefined : store.get(kind, name, kind.namespaced ? namespace : undefined);
  if (kind === undefined || object?.metadata.deletionTimestamp === undefined) return;
  const drop = (finalizer: string) =>
    writes.change(
      kind,
      placeOf(object),
      (draft) => ({...draft, metadata: {...(draft['metadata'] as object), finalizers: (object.metadata.finalizers ?? []).filter((one) => one !== finalizer)}}),
      {manager: 'kube-controller-manager'},
    );
  const dependents = store.ownedBy(object.metadata.uid ?? '');
  if (object.metadata.finalizers?.includes('orphan')) {
    for (const {kind: dependentKind, object: dependent} of dependents) {
      const ownerReferences = (dependent.metadata.ownerReferences ?? []).filter((one) => one.uid !== object.metadata.uid);
      writes.change(dependentKind, placeOf(dependent), (draft) => ({...draft, metadata: {...(draft['metadata'] as object), ownerReferences}}), {
        manager: 'kube-controller-manager',
      });
    }
    drop('orphan');
  } else if (object.metadata.finalizers?.includes('foregroundDeletion')) {
    for (const {kind: dependentKind, object: dependent} of dependents)
      if (dependent.metadata.deletionTimestamp === undefined) writes.remove(dependentKind, placeOf(dependent), {propagation: 'Foreground'});
    const blocking = store
      .ownedBy(object.metadata.uid ?? '')
      .some(({object: one}) => one.metadata.ownerReferences?.some((owner) => owner.uid === object.metadata.uid && owner.blockOwnerDeletion === true));
    if (!blocking) drop('foregroundDeletion');
  }
}

function endNamespace(name: string, {store, kinds, writes}: Parts): void {
  const kind = kinds.need('', 'Namespace');
  const namespace = store.get(kind, name);
  if (namespace?.metadata.deletionTimestamp === undefined) return;
  for (const one of kinds.all) {
    if (!one.namespaced) continue;
    for (const object of store.list(one, name)) if (object.metadata.deletionTimestamp === undefined) writes.remove(one, placeOf(object), {});
  }
  const left = kinds.all.some((one) => one.namespaced && store.list(one, name).length > 0);
  if (!left) store.remove(kind, namespace);
}

/** Deployments become Available after the pace's node time, as if their images were there and ran. */
export function startDeployments({store, kinds, writes, pace}: Parts): () => void {
  const kind = kinds.need('apps', 'Deployment');
  const timers = new Set<NodeJS.Timeout>();
  const look = (object: KubeObject) => {
    if (valueAt(object, 'status', 'observedGeneration') === object.metadata.generation || object.metadata.deletionTimestamp !== undefined) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      const live = store.get(kind, object.metadata.name, object.metadata.namespace);
      if (live === undefined || live.metadata.generation !== object.metadata.generation) return;
      const replicas = numberAt(live, 'spec', 'replicas') ?? 1;
      const at = timestamp();
      const condition = (type: string, reason: string, message: string): Draft => ({
        type,
        status: 'True',
        lastUpdateTime: at,
        lastTransitionTime: at,
        reason,
        message,
      });
      const status = {
        observedGeneration: object.metadata.generation,
        replicas,
        updatedReplicas: replicas,
        readyReplicas: replicas,
        availableReplicas: replicas,
        conditions: [
          condition('Available', 'MinimumReplicasAvailable', 'Deployment has minimum availability.'),
          condition('Progressing', 'NewReplicaSetAvailable', 'SIMULATED: nothing runs'),
        ],
      };
      writes.change(kind, placeOf(live), (draft) => ({...draft, status}), {manager: 'kube-controller-manager', subresource: 'status'});
    }, pace.node);
    timer.unref();
    timers.add(timer);
  };
  for (const object of store.list(kind)) look(object);
  const stop = store.onChange((change) => {
    if (change.kind === kind && change.type !== 'DELETED') look(change.object);
  });
  return () => {
    stop();
    for (const timer of timers) clearTimeout(timer);
  };
}
