// A service runs, and runs with the configuration that lies on disk now.
import {digestOf} from '../kernel/digest.ts';
import type {AgentStep, Target} from './reconciler.ts';

export interface ServiceWish {
  readonly unit: string;
  /** Files that the service reads only when it starts. */
  readonly files: readonly string[];
  /** More that it reads at start: digests of programs. */
  readonly also?: readonly string[];
  /** Another program has just started it with these very files: when it runs and we never started it, that is only noted. */
  readonly adopts?: boolean;
  /** Waits until the service answers; throws when it doesn't. */
  ready?(target: Target, signal: AbortSignal): Promise<void>;
}

/**
 * A step that (re)starts the unit when it isn't running, or was last started by us with other files. The record is written after the
 * start: a power cut between writing a file and the restart leaves the step needed.
 */
export function serviceStep(wish: ServiceWish): AgentStep {
  const key = `service.${wish.unit}`;
  return {
    id: `service:${wish.unit}`,
    title: `Run ${wish.unit}`,
    subject: wish.unit,
    effect: 'restart',
    check: async ({scope}) => {
      if (scope.records.get(key) !== (await digestOfFiles(scope, wish))) return 'needed';
      return (await scope.host.services.active([wish.unit])).has(wish.unit) ? 'satisfied' : 'needed';
    },
    apply: async ({scope, signal}) => {
      const digest = await digestOfFiles(scope, wish);
      if (wish.adopts === true && scope.records.get(key) === undefined && (await scope.host.services.active([wish.unit])).has(wish.unit)) {
        await scope.records.set(key, digest);
        return 'runs already';
      }
      await scope.host.services.enable(wish.unit);
      await scope.host.services.restart(wish.unit);
      await wish.ready?.(scope, signal);
      await scope.records.set(key, digest);
      return undefined;
    },
    found: async (target) => ((await target.host.services.active([wish.unit])).has(wish.unit) ? 'running with older configuration' : 'stopped'),
  };
}

/** Says that the service must be started anew although we never started it. */
export async function markStale(target: Target, unit: string): Promise<void> {
  await target.records.set(`service.${unit}`, 'stale');
}

/** A step that makes systemd read the unit's files anew and start the unit at the next boot, without starting it now. */
export function enableStep(unit: string, files: readonly string[]): AgentStep {
  const key = `enabled.${unit}`;
  const wanted = (target: Target) => digestOfFiles(target, {unit, files});
  return {
    id: `enable:${unit}`,
    title: `Enable ${unit}`,
    subject: `${unit} at boot`,
    effect: 'none',
    check: async ({scope}) =>
      scope.records.get(key) === (await wanted(scope)) && (await scope.host.exists(`/etc/systemd/system/multi-user.target.wants/${unit}`))
        ? 'satisfied'
        : 'needed',
    apply: async ({scope}) => {
      await scope.host.services.enable(unit);
      await scope.records.set(key, await wanted(scope));
    },
    found: async () => 'disabled, or older unit files',
  };
}

async function digestOfFiles(target: Target, wish: ServiceWish): Promise<string> {
  const texts = await Promise.all(wish.files.map((path) => target.host.read(path)));
  return digestOf(JSON.stringify([texts, wish.also ?? []]));
}
