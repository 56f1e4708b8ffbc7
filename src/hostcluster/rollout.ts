// In which order running hosts get a change that restarts something: control planes one by one, workers a few at a time.
import {effects} from '../kernel/event.ts';
import {TriremeError} from '../kernel/errors.ts';
import {highestEffect} from '../plan/effect.ts';
import type {Phase, Step} from '../plan/plan.ts';
import type {ClusterSpec} from '../spec/schema.ts';
import type {HostWork} from './assess.ts';
import type {HostClusterScope} from './scope.ts';
import {convergeStep} from './steps/converge.ts';
import {handOverStep} from './steps/hand-over.ts';

export type RolloutSettings = Pick<ClusterSpec['rollout'], 'maxUnavailable' | 'canary' | 'maxFailures'>;

export interface Rollout {
  /** Hosts that are worked on at the same time: new ones, and changes that restart nothing. */
  readonly together: readonly HostWork[];
  /** One after the other; the next begins when all hosts of the one before are as wanted. */
  readonly waves: readonly (readonly HostWork[])[];
}

/** Splits the work. `workers` is how many workers the cluster has: what a percentage is of. */
export function rolloutOf(works: readonly HostWork[], settings: RolloutSettings, workers: number): Rollout {
  const rolled = works.filter(restartsRunning);
  const controlPlanes = rolled.filter((work) => work.host.role === 'control-plane').map((work) => [work]);
  const rest = rolled.filter((work) => work.host.role === 'worker');
  const canary = rest.slice(0, settings.canary);
  const waves = [...controlPlanes, ...(canary.length > 0 ? [canary] : []), ...chunksOf(rest.slice(canary.length), windowOf(settings.maxUnavailable, workers))];
  if (waves.length < 2) return {together: works, waves: []};
  return {together: works.filter((work) => !rolled.includes(work)), waves};
}

/** All API servers or etcd members at once would be an outage, and all kubelets at once a blind moment. */
function restartsRunning(work: HostWork): boolean {
  const effect = highestEffect(work.changes.map((change) => change.effect));
  return !work.isNew && work.handsOver && effects.indexOf(effect) >= effects.indexOf('restart');
}

/** How many workers may be away at the same time. */
export function windowOf(maxUnavailable: number | string, workers: number): number {
  const count = typeof maxUnavailable === 'number' ? maxUnavailable : Math.floor((Number.parseInt(maxUnavailable, 10) / 100) * workers);
  return Math.max(1, count);
}

function chunksOf<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({length: Math.ceil(items.length / size)}, (_, index) => items.slice(index * size, (index + 1) * size));
}

/** A phase for each wave. Before each but the first stands a gate: too many hosts that failed, and the others aren't touched. */
export function wavePhases(waves: Rollout['waves'], maxFailures: number): readonly Phase<HostClusterScope>[] {
  return waves.map((wave, index) => {
    const names = wave.map((work) => work.host.name).join(', ');
    const before = waves.slice(0, index).flat();
    const gates =
      index === 0
        ? []
        : [
            gateStep(
              names,
              before.map((work) => work.host.name),
              maxFailures,
            ),
          ];
    return {title: `Roll out to ${names}`, barrier: true, steps: [...gates, ...wave.map(handOverStep), ...wave.map(convergeStep)]};
  });
}

/** Throws `run.failed` when more than `maxFailures` of these hosts didn't come through. */
export function gateStep(names: string, before: readonly string[], maxFailures: number): Step<HostClusterScope> {
  return {
    id: `gate:${names}`,
    title: `See that ${before.join(', ')} did well`,
    effect: 'none',
    check: async ({scope}) => (failedOf(scope, before).length <= maxFailures ? 'satisfied' : 'needed'),
    apply: async ({scope}) => {
      const failed = failedOf(scope, before);
      throw new TriremeError(
        'run.failed',
        `The change went wrong on ${failed.join(', ')}, so the hosts after ${failed.length === 1 ? 'it' : 'them'} aren't touched.`,
        {
          hints: ['Mend what failed, then: trireme apply --resume', 'More failures may be allowed: spec.rollout.maxFailures'],
        },
      );
    },
  };
}

function failedOf(scope: HostClusterScope, hosts: readonly string[]): readonly string[] {
  return hosts.filter((host) => !scope.progress.converged.has(host));
}
