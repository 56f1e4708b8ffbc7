import type {EventBody} from '../../../src/kernel/event.ts';
import {applyPlan, type ApplyOptions, type RunSummary} from '../../../src/plan/apply.ts';
import type {HostPlan, Phase, Plan, Step} from '../../../src/plan/plan.ts';

/** The world that test steps change: names of steps that were applied, in order. */
export interface World {
  readonly applied: string[];
}

export function step(id: string, options: Partial<Step<World>> = {}): Step<World> {
  return {
    id,
    title: `Do ${id}`,
    effect: 'none',
    check: async ({scope}) => (scope.applied.includes(id) ? 'satisfied' : 'needed'),
    apply: async ({scope}) => {
      scope.applied.push(id);
    },
    ...options,
  };
}

export function hostPlan(host: string, more: Partial<HostPlan> = {}): HostPlan {
  return {host, state: 'changed', effect: 'none', changes: [], ...more};
}

export function planOf(phases: readonly Phase<World>[], hosts: readonly HostPlan[]): Plan<World> {
  return {operation: 'apply', subject: 'berth', mode: 'agent', simulated: false, hosts, phases, basis: {}, warnings: []};
}

export async function run(plan: Plan<World>, options: Partial<ApplyOptions<World>> = {}): Promise<{summary: RunSummary; events: EventBody[]; world: World}> {
  const events: EventBody[] = [];
  const world: World = options.scope ?? {applied: []};
  const never = new AbortController().signal;
  const summary = await applyPlan(plan, {emit: (event) => events.push(event), stopping: never, leaving: never, concurrency: 10, ...options, scope: world});
  return {summary, events, world};
}

/** A promise with its handle. */
export function gate(): {readonly opened: Promise<void>; open(): void} {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {opened, open};
}
