// Steps that wait for Cluster API: they watch objects, tell every condition that changes, and end when what they wait for is so.
import {TriremeError} from '../../../kernel/errors.ts';
import type {ListOptions, Resource} from '../../../kube/api.ts';
import type {KubeObject} from '../../../kube/object.ts';
import type {StepContext} from '../../../plan/plan.ts';
import type {ControllerScope} from '../scope.ts';
import {conditionsOf, type Progress} from './settled.ts';

/** In ms: how long a wait goes on while nothing at all changes. Making machines can take long, but something changes then. */
export const patience = 20 * 60 * 1000;

export interface Watched {
  readonly resource: Resource;
  readonly options: Omit<ListOptions, 'signal'>;
}

export interface WaitOptions {
  readonly context: StepContext<ControllerScope>;
  readonly watched: Watched;
  /** For sentences: `the pool md-0`. */
  readonly subject: string;
  /** Which plan unit the conditions are of. */
  readonly host?: string;
  judge(objects: readonly KubeObject[]): Progress;
  /** In ms; default `patience`. */
  readonly patience?: number;
}

/** What was last told of each object's conditions; waits of one run come one after the other, and none tells what another has told. */
const told = new WeakMap<ControllerScope, Map<string, string>>();

/** Ends when `judge` says so. Throws `wait.timed-out` when nothing changes for too long, and the signal's reason when the run is stopped. */
export async function waitUntil(options: WaitOptions): Promise<void> {
  const {context, watched} = options;
  const ended = new AbortController();
  const quiet = quietClock(options.patience ?? patience, ended);
  const signal = AbortSignal.any([context.signal, context.stopping, ended.signal]);
  const objects = new Map<string, KubeObject>();
  let last: Progress = {done: false, waitingFor: `nothing was seen of ${options.subject}`};
  try {
    for await (const event of context.scope.api.watch(watched.resource, {...watched.options, signal})) {
      quiet.restart();
      if (event.type === 'listed') {
        objects.clear();
        for (const object of event.items) objects.set(keyOf(object), object);
      } else if (event.type === 'added' || event.type === 'modified') objects.set(keyOf(event.object), event.object);
      else if (event.type === 'deleted') objects.delete(keyOf(event.object));
      else if (event.type === 'stale') {
        context.emit({
          type: 'warning.raised',
          code: 'api.stale',
          message: `The management cluster doesn't answer since ${event.since}: ${event.why}. Waiting goes on.`,
        });
        continue;
      } else continue;
      for (const object of objects.values()) tellConditions(options, object);
      last = options.judge([...objects.values()]);
      if (last.done) return;
    }
  } catch (error) {
    if (!ended.signal.aborted || context.signal.aborted || context.stopping.aborted) throw error;
  } finally {
    quiet.stop();
    // ends the watch
    ended.abort();
  }
  context.signal.throwIfAborted();
  context.stopping.throwIfAborted();
  throw new TriremeError('wait.timed-out', `Nothing changes any more: ${last.waitingFor}.`, {
    hints: ['trireme cluster describe', 'trireme apply --resume  (goes on waiting)'],
  });
}

/** Those that sum up what each machine does change with every machine; a person follows these. */
const followed = new Set([
  'Available',
  'Ready',
  'TopologyReconciled',
  'InfrastructureReady',
  'ControlPlaneInitialized',
  'ControlPlaneAvailable',
  'WorkersAvailable',
  'RemoteConnectionProbe',
  'RollingOut',
  'ScalingUp',
  'ScalingDown',
  'Remediating',
  'Deleting',
  'Paused',
]);

/** Emits what changed in status or reason since an object was last looked at; the first look is silent, but for what is already so. */
function tellConditions({context, host}: WaitOptions, object: KubeObject): void {
  const known = told.get(context.scope) ?? new Map<string, string>();
  told.set(context.scope, known);
  for (const condition of conditionsOf(object)) {
    if (!followed.has(condition.type)) continue;
    const key = `${keyOf(object)} ${condition.type}`;
    const now = `${condition.status} ${condition.reason ?? ''}`;
    const before = known.get(key);
    known.set(key, now);
    if (before === now || (before === undefined && condition.status !== 'True')) continue;
    context.emit({
      type: 'condition.changed',
      subject: `${object.kind} ${object.metadata.name}`,
      condition: condition.type,
      status: condition.status.toLowerCase() as 'true' | 'false' | 'unknown',
      ...(condition.reason === undefined ? {} : {reason: condition.reason}),
      ...(condition.message === undefined || condition.message === '' ? {} : {message: condition.message}),
      ...(host === undefined || object.kind === 'Cluster' ? {} : {host}),
    });
  }
}

function keyOf(object: KubeObject): string {
  return object.metadata.uid ?? `${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

function quietClock(ms: number, controller: AbortController): {restart(): void; stop(): void} {
  let timer = setTimeout(() => controller.abort(), ms);
  return {
    restart: () => {
      clearTimeout(timer);
      timer = setTimeout(() => controller.abort(), ms);
    },
    stop: () => clearTimeout(timer),
  };
}
