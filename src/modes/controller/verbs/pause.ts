// Pausing and resuming: one field of the Cluster, confirmed by every object that a controller looks after.
import {valueAt, type KubeObject} from '../../../kube/object.ts';
import type {Plan} from '../../../plan/plan.ts';
import {conditionsOf} from '../observe/conditions.ts';
import {readKinds, type KindTable} from '../observe/kinds.ts';
import type {ControllerScope} from '../scope.ts';
import {fieldStep} from './field-step.ts';
import {lookAtCluster, type LiveCluster} from './live.ts';
import {changedHost, isPaused, requireAlive, verbPlan, type VerbOptions} from './verb-plan.ts';
import {SharedLook, waitStep, type Progress} from './wait-step.ts';

const pausedAnnotation = 'cluster.x-k8s.io/paused';
/** More names than this are counted. */
const listed = 8;

/** Pauses (or resumes) and, unless told otherwise, waits until every object says so. */
export function planPause(live: LiveCluster, verb: 'pause' | 'resume', options: VerbOptions): Plan<ControllerScope> {
  requireAlive(live, verb);
  const wanted = verb === 'pause';
  const from = valueAt(live.cluster, 'spec', 'paused');
  const isSo = isPaused(live) === wanted;
  const set = fieldStep({
    id: `${verb}/cluster`,
    title: wanted ? 'Pause the cluster' : 'Resume the cluster',
    host: live.name,
    effect: 'none',
    resource: live.resource,
    key: {namespace: live.namespace, name: live.name},
    changes: [{path: ['spec', 'paused'], ...(from === undefined ? {} : {from}), to: wanted}],
    done: wanted ? 'spec.paused is true' : 'spec.paused is false',
  });
  let kinds: Promise<KindTable> | undefined;
  const look = new SharedLook(async (scope, signal) => {
    kinds ??= readKinds(scope.api, signal);
    return lookAtCluster(scope, live.name, {signal, others: true, kinds: await kinds});
  });
  const confirm = waitStep({
    id: `${verb}/confirm`,
    title: wanted ? 'Wait until every controller has stopped' : 'Wait until every controller goes on',
    host: live.name,
    subject: live.name,
    condition: 'Paused',
    ...(options.deadline === undefined ? {} : {deadline: options.deadline}),
    look: async (scope, signal) => pauseProgress(await look.now(scope, signal), wanted),
  });
  return verbPlan(live, {
    operation: verb,
    hosts: [
      changedHost(
        live.name,
        'cluster',
        isSo
          ? []
          : [
              {
                path: 'spec.paused',
                ...(from === undefined ? {} : {from}),
                to: wanted,
                effect: 'none',
                why: wanted ? 'nothing is made, repaired or deleted until it is resumed' : 'Cluster API goes on',
              },
            ],
      ),
    ],
    phases: [
      {title: wanted ? 'Pause' : 'Resume', steps: isSo ? [] : [set]},
      {title: 'Confirm', steps: options.wait ? [confirm] : []},
    ],
    basis: {paused: from ?? null},
  });
}

/** Which objects say what they shall. An object of a kind that never says is left out, and named. */
export function pauseProgress(live: LiveCluster, wanted: boolean): Progress {
  const all = pausableObjects(live);
  const speaking = new Set(all.filter((one) => statusOf(one) !== undefined).map((one) => one.kind));
  const asked = all.filter((one) => speaking.has(one.kind) && (wanted || one.metadata.annotations?.[pausedAnnotation] === undefined));
  const missing = asked.filter((one) => statusOf(one) !== (wanted ? 'True' : 'False'));
  const silent = [...new Set(all.filter((one) => !speaking.has(one.kind)).map((one) => one.kind))];
  const note = silent.length === 0 ? '' : ` (${silent.join(', ')} ${silent.length === 1 ? "doesn't" : "don't"} say)`;
  const text = `${asked.length - missing.length}/${asked.length} objects ${wanted ? 'are paused' : 'go on'}${note}`;
  if (missing.length === 0) return {done: true, text};
  const names = missing.slice(0, listed).map((one) => `${one.kind}/${one.metadata.name}`);
  const rest = missing.length > listed ? `, and ${missing.length - listed} more` : '';
  return {done: false, text, blockedBy: [`not confirmed by ${names.join(', ')}${rest}`]};
}

function pausableObjects(live: LiveCluster): readonly KubeObject[] {
  return [
    live.cluster,
    ...(live.controlPlane === undefined ? [] : [live.controlPlane.object]),
    ...live.pools.flatMap((pool) => pool.object ?? []),
    ...live.machineSets.map((one) => one.object),
    ...live.machines,
    ...live.healthChecks.map((one) => one.object),
    ...live.others.map((one) => one.object),
  ];
}

function statusOf(object: KubeObject): string | undefined {
  return conditionsOf(object).find((condition) => condition.type === 'Paused')?.status;
}
