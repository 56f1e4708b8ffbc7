// A step that deletes one object, and no other of the same name.
import type {Resource} from '../../../kube/api.ts';
import type {KubeObject} from '../../../kube/object.ts';
import type {Effect} from '../../../kernel/event.ts';
import type {Step} from '../../../plan/plan.ts';
import type {ControllerScope} from '../scope.ts';

export interface DeleteStepOptions {
  readonly id: string;
  readonly title: string;
  readonly host: string;
  readonly effect: Effect;
  readonly resource: Resource;
  readonly object: KubeObject;
}

/** Satisfied when the object is gone, is another one by now, or is being deleted already. */
export function deleteStep({id, title, host, effect, resource, object}: DeleteStepOptions): Step<ControllerScope> {
  const {name, namespace, uid} = object.metadata;
  const key = {name, ...(namespace === undefined ? {} : {namespace})};
  return {
    id,
    title,
    host,
    effect,
    check: async ({scope, signal}) => {
      const now = await scope.api.get(resource, key, {signal});
      return now === undefined || now.metadata.uid !== uid || now.metadata.deletionTimestamp !== undefined ? 'satisfied' : 'needed';
    },
    apply: async ({scope, signal}) => {
      const was = await scope.api.remove(resource, key, {signal, propagation: 'Background', ...(uid === undefined ? {} : {uid})});
      return was ? `${resource.kind} ${name} is being deleted` : `${resource.kind} ${name} was gone already`;
    },
  };
}
