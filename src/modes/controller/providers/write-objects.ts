// Objects into the API and out of it, the same when done twice, and waits that say what they wait for.
import {sleep} from '../../../kernel/cancel.ts';
import {isTriremeError, TriremeError} from '../../../kernel/errors.ts';
import {mapPool} from '../../../kernel/pool.ts';
import type {KubeApi} from '../../../kube/api.ts';
import type {KubeObject} from '../../../kube/object.ts';
import {healthOf} from '../../../layers/gate.ts';

export interface Patience {
  /** In ms. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  /** Ends a wait at the first Ctrl-C. */
  readonly stopping: AbortSignal;
}

/** How many objects are written or read at once: a management cluster has other things to do. */
const atOnce = 6;
/** Pause between two looks, in ms: the first comes soon, for CRDs are established in no time. */
const [firstInterval, interval] = [150, 1000];

/** `Deployment capi-system/capi-controller-manager`. */
export function nameOf({kind, metadata}: KubeObject): string {
  return `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`;
}

/** The object as it is; undefined where it, or its kind, isn't there. */
export async function lookAt(api: KubeApi, {apiVersion, kind, metadata}: KubeObject, signal: AbortSignal): Promise<KubeObject | undefined> {
  try {
    const resource = await api.resource({apiVersion, kind});
    return await api.get(resource, keyOf(metadata), {signal});
  } catch (error) {
    if (isTriremeError(error) && error.code === 'api.kind-unknown') return undefined;
    throw error;
  }
}

export function keyOf({name, namespace}: KubeObject['metadata']): {readonly name: string; readonly namespace?: string} {
  return {name, ...(namespace === undefined ? {} : {namespace})};
}

/** The objects as they are, in the same order. */
export async function lookAtAll(api: KubeApi, objects: readonly KubeObject[], signal: AbortSignal): Promise<readonly (KubeObject | undefined)[]> {
  return settled(await mapPool(objects, atOnce, (object) => lookAt(api, object, signal)));
}

/**
 * Applies the objects, several at once. A server that can't ask a webhook yet, or doesn't serve a kind yet, is asked again until the patience is
 * over; then the last error is thrown.
 */
export async function applyAll(api: KubeApi, objects: readonly KubeObject[], patience: Patience): Promise<void> {
  const end = Date.now() + patience.timeout;
  settled(
    await mapPool(objects, atOnce, async (object) => {
      for (;;) {
        try {
          // taken from whoever wrote it before: clusterctl, or an earlier version of us
          await api.apply(object, {force: true, signal: patience.signal});
          return;
        } catch (error) {
          if (!isPassing(error) || Date.now() + interval > end) throw error;
          await sleep(interval, AbortSignal.any([patience.signal, patience.stopping]));
        }
      }
    }),
  );
}

/** True for what goes by as things start: a webhook that doesn't answer (500 to 504), a kind whose CRD was made a moment ago. */
export function isPassing(error: unknown): boolean {
  if (!isTriremeError(error)) return false;
  if (error.code === 'api.kind-unknown' || error.code === 'api.not-found') return true;
  return error.code === 'api.failed' && Number(error.details?.['status']) >= 500;
}

/** Waits until all objects are healthy; `explain` says, when time is up, why the first that isn't isn't. Throws `wait.timed-out`, naming it. */
export async function waitForHealthy(
  api: KubeApi,
  objects: readonly KubeObject[],
  patience: Patience & {
    readonly explain?: (live: KubeObject) => Promise<string>;
    readonly hints?: readonly string[];
    /** Told what is waited for, whenever that changes. */
    readonly note?: (text: string) => void;
  },
): Promise<void> {
  const end = Date.now() + patience.timeout;
  const either = AbortSignal.any([patience.signal, patience.stopping]);
  let noted = '';
  for (let pause = firstInterval; ; pause = Math.min(interval, pause * 2)) {
    const live = await lookAtAll(api, objects, patience.signal);
    const waiting = objects.flatMap((object, index) => {
      const found = live[index];
      const health = found === undefined ? {healthy: false as const, waitingFor: "doesn't exist"} : healthOf(found);
      return health.healthy ? [] : [{object, found, why: health.waitingFor}];
    });
    const [first] = waiting;
    if (first === undefined) return;
    const text = `${nameOf(first.object)} ${first.why}${waiting.length === 1 ? '' : `, and ${waiting.length - 1} more`}`;
    if (text !== noted) patience.note?.(text);
    noted = text;
    if (Date.now() >= end) {
      const why = first.found === undefined || patience.explain === undefined ? '' : `: ${await patience.explain(first.found)}`;
      throw new TriremeError('wait.timed-out', sentence(`${nameOf(first.object)} ${first.why} after ${patience.timeout / 1000} s${why}`), {
        ...(patience.hints === undefined ? {} : {hints: patience.hints}),
        details: {waitingFor: waiting.map((one) => nameOf(one.object))},
      });
    }
    await sleep(Math.min(pause, Math.max(1, end - Date.now())), either);
  }
}

export function settled<T>(results: readonly PromiseSettledResult<T>[]): readonly T[] {
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return results.map((result) => (result as PromiseFulfilledResult<T>).value);
}

/** What others say ends in dots and question marks, or not: one at the end, and none within. */
export function sentence(text: string): string {
  const joined = text.replaceAll(/[.]+(?=[:;,]|\s*$)/g, '').trim();
  return /[?!]$/.test(joined) ? joined : `${joined}.`;
}
