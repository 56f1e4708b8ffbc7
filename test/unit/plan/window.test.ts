import {describe, expect, test} from 'vitest';
import {TriremeError} from '../../../src/kernel/errors.ts';
import {hostPlan, planOf, run, step} from './plan-fixture.ts';

const hosts = ['h1', 'h2', 'h3', 'h4'];
const fails = async () => {
  throw new TriremeError('host.command-failed', 'no');
};
/** Two steps a host, in a window of two; those named fail in their first. */
const windowed = (options: {readonly failing?: readonly string[]; readonly maxFailures?: number; readonly window?: number}) =>
  planOf(
    [
      {
        title: 'Roll out',
        window: options.window ?? 2,
        ...(options.maxFailures === undefined ? {} : {maxFailures: options.maxFailures}),
        steps: hosts.flatMap((host) => [
          step(`out:${host}`, {host, ...(options.failing?.includes(host) === true ? {apply: fails} : {})}),
          step(`back:${host}`, {
            host,
            apply: async ({scope}) => void (await new Promise((resolve) => setTimeout(resolve, 5)), scope.applied.push(`back:${host}`)),
          }),
        ]),
      },
      {title: 'Afterwards', steps: [step('end')]},
    ],
    hosts.map((host) => hostPlan(host)),
  );

describe('a phase with a window', () => {
  test('begins a host only when one that was under way has come to its end', async () => {
    const {world} = await run(windowed({}));
    const at = (id: string) => world.applied.indexOf(id);
    expect(at('out:h3')).toBeGreaterThan(Math.min(at('back:h1'), at('back:h2')));
    expect(at('out:h4')).toBeGreaterThan([at('back:h1'), at('back:h2'), at('back:h3')].toSorted((a, b) => a - b)[1] as number);
    expect(world.applied).toHaveLength(9);
  });

  test('counts a host that failed as away, and ends when nothing fits in any more; what comes after goes on', async () => {
    const {world, events} = await run(windowed({failing: ['h1', 'h2'], maxFailures: 3}));
    expect(world.applied).toEqual(['end']);
    expect(events).toContainEqual(expect.objectContaining({code: 'rollout.stopped', message: "h1, h2 failed, so h3, h4 aren't touched."}));
  });

  test('lets a host that has begun come to its end when too many others failed, by the phase or by the run', async () => {
    expect((await run(windowed({failing: ['h1'], maxFailures: 0}))).world.applied).toEqual(['out:h2', 'back:h2', 'end']);
    expect((await run(windowed({failing: ['h1']}), {maxFailures: 0})).world.applied).toEqual(['out:h2', 'back:h2']);
  });
});
