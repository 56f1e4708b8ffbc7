import {describe, expect, test} from 'vitest';
import {TriremeError} from '../../../src/kernel/errors.ts';
import {createInterruption} from '../../../src/kernel/cancel.ts';
import {gate, hostPlan, planOf, run, step} from './plan-fixture.ts';

const refuse = async () => {
  throw new TriremeError('host.disk-full', 'The disk is full.');
};

describe('applyPlan', () => {
  test("runs a host's steps in order and reports what became of each host", async () => {
    const plan = planOf(
      [
        {title: 'One', steps: [step('a', {host: 'h1'}), step('b', {host: 'h2'})]},
        {title: 'Two', steps: [step('c', {host: 'h1'})]},
      ],
      [hostPlan('h1'), hostPlan('h2'), hostPlan('h3')],
    );
    const {summary, world} = await run(plan);
    expect(world.applied).toEqual(['a', 'b', 'c']);
    expect(summary).toMatchObject({outcome: 'succeeded', exit: 0});
    expect(summary.hosts.map((host) => [host.host, host.outcome])).toEqual([
      ['h1', 'changed'],
      ['h2', 'changed'],
      ['h3', 'unchanged'],
    ]);
  });

  test('counts a step without a host for the parts that it affects, in success and in failure', async () => {
    const hosts = [hostPlan('h1'), hostPlan('h2'), hostPlan('h3')];
    const applied = await run(planOf([{title: 'One', steps: [{...step('a'), affects: ['h1', 'h2']}]}], hosts));
    expect(applied.summary.hosts.map((host) => host.outcome)).toEqual(['changed', 'changed', 'unchanged']);
    const failed = await run(planOf([{title: 'One', steps: [{...step('a', {apply: refuse}), affects: ['h1']}, step('b', {host: 'h2'})]}], hosts));
    expect(failed.summary.hosts.map((host) => host.outcome)).toEqual(['failed', 'unchanged', 'unchanged']);
    expect(failed.world.applied).toEqual([]);
  });

  test('says unchanged when every check is satisfied, and applies nothing', async () => {
    const plan = planOf([{title: 'One', steps: [step('a', {host: 'h1'})]}], [hostPlan('h1')]);
    const {summary, world} = await run(plan, {scope: {applied: ['a']}});
    expect(summary.outcome).toBe('unchanged');
    expect(world.applied).toEqual(['a']);
  });

  test("a failed step stops its own host's chain and no other's", async () => {
    const plan = planOf(
      [
        {title: 'Push', steps: [step('push:h1', {host: 'h1', apply: refuse}), step('push:h2', {host: 'h2'})]},
        {title: 'Start', steps: [step('start:h1', {host: 'h1'}), step('start:h2', {host: 'h2'})]},
      ],
      [hostPlan('h1'), hostPlan('h2')],
    );
    const {summary, world, events} = await run(plan);
    expect(world.applied).toEqual(['push:h2', 'start:h2']);
    expect(summary).toMatchObject({outcome: 'failed', exit: 1, problem: {code: 'host.disk-full', host: 'h1'}});
    expect(events).toContainEqual(expect.objectContaining({type: 'step.finished', step: 'start:h1', outcome: 'skipped'}));
  });

  test('a host that hangs stalls nobody: others go on over the borders of phases', async () => {
    const slow = gate();
    const fast = gate();
    const plan = planOf(
      [
        {
          title: 'Push',
          concurrency: 2,
          steps: [step('push:h1', {host: 'h1', apply: () => slow.opened}), step('push:h2', {host: 'h2'}), step('push:h3', {host: 'h3'})],
        },
        {title: 'Start', steps: [step('start:h2', {host: 'h2'}), step('start:h3', {host: 'h3', apply: async () => fast.open()})]},
      ],
      [hostPlan('h1'), hostPlan('h2'), hostPlan('h3')],
    );
    const running = run(plan);
    await fast.opened;
    slow.open();
    expect((await running).summary.outcome).toBe('succeeded');
  });

  test('a phase never has more steps at once than its concurrency', async () => {
    let atOnce = 0;
    let most = 0;
    const counted = async () => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise(setImmediate);
      atOnce -= 1;
    };
    const hosts = ['h1', 'h2', 'h3', 'h4', 'h5'];
    await run(
      planOf(
        [{title: 'Push', concurrency: 2, steps: hosts.map((host) => step(`push:${host}`, {host, apply: counted}))}],
        hosts.map((host) => hostPlan(host)),
      ),
    );
    expect(most).toBe(2);
  });

  test('a step without a host is a border: it waits for all before it, and all after wait for it', async () => {
    const plan = planOf(
      [
        {title: 'Check', steps: [step('check:h1', {host: 'h1'}), step('check:h2', {host: 'h2'})]},
        {title: 'Secrets', steps: [step('secrets')]},
        {title: 'Push', steps: [step('push:h1', {host: 'h1'}), step('push:h2', {host: 'h2'})]},
      ],
      [hostPlan('h1'), hostPlan('h2')],
    );
    const {world} = await run(plan);
    expect(world.applied.indexOf('secrets')).toBe(2);
  });

  test('when a step without a host fails, nothing behind it begins', async () => {
    const plan = planOf(
      [
        {title: 'Secrets', steps: [step('secrets', {apply: refuse})]},
        {title: 'Push', steps: [step('push:h1', {host: 'h1'})]},
      ],
      [hostPlan('h1')],
    );
    const {world, summary} = await run(plan);
    expect(world.applied).toEqual([]);
    expect(summary.exit).toBe(1);
  });

  test('stops beginning steps once more hosts than --max-failures have failed', async () => {
    const steps = ['h1', 'h2', 'h3', 'h4'].map((host) =>
      step(`join:${host}`, {host, apply: host === 'h1' || host === 'h2' ? refuse : async ({scope}) => void scope.applied.push(host)}),
    );
    const {world} = await run(
      planOf(
        [{title: 'Join', concurrency: 1, steps}],
        ['h1', 'h2', 'h3', 'h4'].map((host) => hostPlan(host)),
      ),
      {maxFailures: 1},
    );
    expect(world.applied).toEqual([]);
  });

  test("a phase's own limit of failures skips only that phase's rest", async () => {
    const steps = ['h1', 'h2', 'h3'].map((host) => step(`roll:${host}`, {host, ...(host === 'h1' ? {apply: refuse} : {})}));
    const {world} = await run(
      planOf(
        [
          {title: 'Roll', concurrency: 1, maxFailures: 0, steps},
          {title: 'After', steps: [step('after:h3', {host: 'h3'})]},
        ],
        ['h1', 'h2', 'h3'].map((host) => hostPlan(host)),
      ),
    );
    expect(world.applied).toEqual(['after:h3']);
  });

  test('the first interruption finishes what runs and begins nothing new; exit 130', async () => {
    const interruption = createInterruption();
    const begun = gate();
    const plan = planOf(
      [
        {
          title: 'One',
          steps: [
            step('a', {
              host: 'h1',
              apply: async ({scope}) => {
                begun.open();
                await new Promise(setImmediate);
                scope.applied.push('a');
              },
            }),
          ],
        },
        {title: 'Two', steps: [step('b', {host: 'h1'})]},
      ],
      [hostPlan('h1')],
    );
    const running = run(plan, {stopping: interruption.stopping, leaving: interruption.leaving});
    await begun.opened;
    interruption.request();
    const {summary, world, events} = await running;
    expect(world.applied).toEqual(['a']);
    expect(summary).toMatchObject({outcome: 'interrupted', exit: 130});
    expect(events).toContainEqual(expect.objectContaining({type: 'step.finished', step: 'b', outcome: 'interrupted'}));
  });

  test('an unreachable host is reported, makes the run fail with exit 4, and stops nobody', async () => {
    const {summary, world} = await run(
      planOf([{title: 'One', steps: [step('a', {host: 'h1'})]}], [hostPlan('h1'), hostPlan('h2', {state: 'unreachable', reason: "Can't reach h2."})]),
    );
    expect(world.applied).toEqual(['a']);
    expect(summary).toMatchObject({outcome: 'failed', exit: 4});
  });

  test('anything thrown that is no TriremeError is a bug: exit 70', async () => {
    const {summary} = await run(
      planOf(
        [
          {
            title: 'One',
            steps: [
              step('a', {
                host: 'h1',
                apply: async () => {
                  throw new TypeError('x is undefined');
                },
              }),
            ],
          },
        ],
        [hostPlan('h1')],
      ),
    );
    expect(summary).toMatchObject({outcome: 'failed', exit: 70, problem: {code: 'bug.unexpected'}});
  });
});
