// The condition Paused, which every controller keeps before it does anything else.
import {valueAt, type KubeObject} from '../../../kube/object.ts';
import type {Draft} from '../draft.ts';
import {conditionOf, isFalse, isTrue, withConditions, type Said} from './conditions.ts';
import {isPaused, pauseMessage} from './names.ts';
import type {Reach} from './runtime.ts';

export const pausedCondition = (object: KubeObject, cluster: KubeObject | undefined): Said =>
  isPaused(object, cluster) ? isTrue('Paused', 'Paused', pauseMessage(object, cluster)) : isFalse('Paused', 'NotPaused');

/** Says whether the object is paused, on the object; true: leave it alone. */
export function keepPaused(object: KubeObject, cluster: KubeObject | undefined, reach: Reach): boolean {
  const said = pausedCondition(object, cluster);
  const before = conditionOf(object, 'Paused');
  const isNew = before?.status !== said.status || (before.message ?? '') !== (said.message ?? '');
  if (isNew && said.status === 'True') {
    const status: Draft = {...(valueAt(object, 'status') as Draft | undefined), conditions: withConditions(object, [said])};
    reach.setStatus(object, status);
  }
  return said.status === 'True';
}
