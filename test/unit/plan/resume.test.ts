import {describe, expect, test} from 'vitest';
import type {EventBody} from '../../../src/kernel/event.ts';
import type {Plan} from '../../../src/plan/plan.ts';
import {hostPlan, planOf, run, step, type World} from './plan-fixture.ts';

const hosts = ['h1', 'h2', 'h3'];

/** A plan with what real ones have: borders without a host, windows, several steps of one host. */
function realisticPlan(): Plan<World> {
  const each = (name: string) => hosts.map((host) => step(`${name}:${host}`, {host}));
  return planOf(
    [
      {title: 'Lease', steps: [step('lease')]},
      {title: 'Secrets', steps: [step('secrets')]},
      {title: 'Push', concurrency: 2, steps: each('push')},
      {title: 'Start', steps: each('start')},
      {title: 'Check', steps: [step('health')]},
    ],
    hosts.map((host) => hostPlan(host)),
  );
}

const plan = realisticPlan();
const count = plan.phases.flatMap((phase) => phase.steps).length;
const sorted = (world: World) => world.applied.toSorted();

/** Plays the plan, and calls `act` when its k-th step has finished. */
async function runUntil(k: number, act: () => void, options: Parameters<typeof run>[1]) {
  let finished = 0;
  const world: World = {applied: []};
  const watched: Plan<World> = {
    ...plan,
    phases: plan.phases.map((phase) => ({
      ...phase,
      steps: phase.steps.map((one) => ({
        ...one,
        apply: async (context) => {
          const summary = await one.apply(context);
          finished += 1;
          if (finished === k) act();
          return summary;
        },
      })),
    })),
  };
  const ended = await run(watched, {...options, scope: world});
  return {...ended, world};
}

const outcomesOf = (events: readonly EventBody[]) => events.flatMap((event) => (event.type === 'step.finished' ? [event.outcome] : []));

describe('applying twice', () => {
  test('the second says unchanged and applies nothing', async () => {
    const first = await run(plan);
    expect(first.summary.outcome).toBe('succeeded');
    const second = await run(plan, {scope: {applied: [...first.world.applied]}});
    expect(second.summary).toMatchObject({outcome: 'unchanged', exit: 0});
    expect(second.summary.hosts.map((host) => host.outcome)).toEqual(hosts.map(() => 'unchanged'));
    expect(second.world.applied).toEqual(first.world.applied);
    expect(new Set(outcomesOf(second.events))).toEqual(new Set(['satisfied']));
  });
});

describe('stopping after every step k', () => {
  test.each(Array.from({length: count - 1}, (_, index) => index + 1))(
    'k = %i: going on ends as an undisturbed run, and no step is applied twice',
    async (k) => {
      const undisturbed = await run(plan);
      const stop = new AbortController();
      const stopped = await runUntil(k, () => stop.abort(), {stopping: stop.signal, concurrency: 1});
      expect(stopped.summary).toMatchObject({outcome: 'interrupted', exit: 130});
      expect(stopped.world.applied).toHaveLength(k);

      const resumed = await run(plan, {scope: stopped.world, resumed: 'r1'});
      expect(resumed.summary).toMatchObject({outcome: 'succeeded', exit: 0});
      expect(sorted(resumed.world)).toEqual(sorted(undisturbed.world));
      expect(outcomesOf(resumed.events).filter((outcome) => outcome === 'satisfied')).toHaveLength(k);
      expect((await run(plan, {scope: resumed.world})).summary.outcome).toBe('unchanged');
    },
  );
});

describe('failing at every step k', () => {
  test.each(Array.from({length: count}, (_, index) => index + 1))('k = %i: going on once the cause is gone ends as an undisturbed run', async (k) => {
    const undisturbed = await run(plan);
    const failed = await runUntil(
      k,
      () => {
        throw new Error('the power went off after the work, before its end was written');
      },
      {concurrency: 2},
    );
    expect(failed.summary).toMatchObject({outcome: 'failed', exit: 70});

    const resumed = await run(plan, {scope: failed.world, resumed: 'r1'});
    expect(resumed.summary.exit).toBe(0);
    expect(sorted(resumed.world)).toEqual(sorted(undisturbed.world));
  });
});
