// Why something that is being deleted isn't gone. Pure.
import {textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import {conditionsOf} from '../observe/conditions.ts';
import type {LiveObject} from './live.ts';

/** In ms: a finalizer that is there for less is on its way. */
const patience = 120_000;
/** More sentences than this are counted. */
const told = 6;
const hook = /^(pre-drain|pre-terminate)\.delete\.hook\.machine\.cluster\.x-k8s\.io(?:\/(.*))?$/;

/** A sentence for each thing that holds the deletion, most telling first. */
export function deletionBlockers(left: readonly LiveObject[], now: Date): readonly string[] {
  const lines = [
    ...left.flatMap(({object}) => pausedLines(object)),
    ...left.flatMap(({object}) => hookLines(object)),
    ...left.flatMap(({object}) => conditionLines(object)),
    ...left.flatMap(({object}) => finalizerLines(object, now)),
  ];
  const distinct = [...new Set(lines)];
  return distinct.length <= told ? distinct : [...distinct.slice(0, told), `and ${distinct.length - told} more`];
}

const nameOf = (object: KubeObject) => `${object.kind}/${object.metadata.name}`;

function pausedLines(object: KubeObject): readonly string[] {
  const isPaused =
    object.metadata.annotations?.['cluster.x-k8s.io/paused'] !== undefined || (object.kind === 'Cluster' && valueAt(object, 'spec', 'paused') === true);
  return isPaused ? [`${nameOf(object)} is paused, and nobody deletes it until it is resumed`] : [];
}

function hookLines(object: KubeObject): readonly string[] {
  if (object.metadata.deletionTimestamp === undefined) return [];
  return Object.entries(object.metadata.annotations ?? {}).flatMap(([key, owner]) => {
    const match = hook.exec(key);
    return match === null ? [] : [`${nameOf(object)} waits for the ${match[1]} hook ${match[2] ?? ''}${owner === '' ? '' : ` of ${owner}`}`];
  });
}

/** What Deleting says, where it says more than that it goes on. */
function conditionLines(object: KubeObject): readonly string[] {
  if (object.metadata.deletionTimestamp === undefined) return [];
  return conditionsOf(object).flatMap(({type, status, reason = '', message = ''}) => {
    if (type !== 'Deleting' || status !== 'True' || message === '') return [];
    const isTelling = object.kind === 'Cluster' || /Drain|Hook|Volume|Error|Fail/i.test(reason) || /error|fail|hook|drain/i.test(message);
    return isTelling ? [`${nameOf(object)}: ${reason === '' ? '' : `${reason}: `}${message.replaceAll(/\s*\n\s*/g, ' ').slice(0, 300)}`] : [];
  });
}

function finalizerLines(object: KubeObject, now: Date): readonly string[] {
  const since = textAt(object, 'metadata', 'deletionTimestamp');
  const finalizers = object.metadata.finalizers ?? [];
  if (since === undefined || finalizers.length === 0 || now.getTime() - Date.parse(since) < patience) return [];
  return [`${nameOf(object)} is held since ${since} by ${finalizers.join(', ')}`];
}
