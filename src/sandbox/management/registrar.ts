// Makes what CustomResourceDefinitions define be served, and says on them that it is.
import type {KubeObject} from '../../kube/object.ts';
import {listAt} from '../../kube/object.ts';
import {crdKind, kindOfDefinition, resourceKey, type KindRegistry} from './kinds.ts';
import type {ObjectStore} from './store.ts';
import {timestamp, type Writes} from './writes.ts';

interface Parts {
  readonly store: ObjectStore;
  readonly kinds: KindRegistry;
  readonly writes: Writes;
}

export function followDefinitions({store, kinds, writes}: Parts): void {
  store.onChange(({type, kind, object}) => {
    if (kind !== crdKind) return;
    const served = kindOfDefinition(object as unknown as Record<string, unknown>);
    if (served === undefined) return;
    if (type === 'DELETED') {
      kinds.remove(resourceKey(served));
      for (const left of store.list(served)) store.remove(served, left);
      return;
    }
    kinds.add(served);
    if (!listAt(object, 'status', 'conditions').some((one) => (one as {readonly type?: string}).type === 'Established')) establish(writes, object);
  });
}

function establish(writes: Writes, crd: KubeObject): void {
  const at = timestamp();
  const condition = (type: string, reason: string, message: string) => ({type, status: 'True', lastTransitionTime: at, reason, message});
  const spec = crd['spec'] as {readonly names: unknown; readonly versions: readonly {readonly name: string; readonly storage: boolean}[]};
  const status = {
    conditions: [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ],
    acceptedNames: spec.names,
    storedVersions: spec.versions.filter((one) => one.storage).map((one) => one.name),
  };
  writes.change(crdKind, {name: crd.metadata.name}, (draft) => ({...draft, status}), {manager: 'kube-apiserver', subresource: 'status'});
}
