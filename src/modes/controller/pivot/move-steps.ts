// The move of the cluster's objects as steps of this plan. Which objects there are is known when the cluster is: each step takes its part of the
// move's own plan, which is made from both sides as they stand when the step begins.
import type {Phase, Step, StepContext} from '../../../plan/plan.ts';
import type {MoveStep} from '../move/step-context.ts';
import {coreResource} from '../topology/gather.ts';
import {rolledOut} from '../topology/settled.ts';
import {clusterWait} from '../topology/steps.ts';
import {liftStep, titleOf} from './lift.ts';
import {readRecord, writeRecord} from './record.ts';
import type {PivotScope} from './scope.ts';

type PivotStep = Step<PivotScope>;
type Context = StepContext<PivotScope>;

/** Titles of the move's own phases, in their order. */
const pausing = 'Pause the source';
const parts = [pausing, 'Wait for providers', 'Prepare the target', 'Copy', 'Verify', 'Remove from the source', 'Unpause at the target'];

export const moveName = 'Pivot: move';

export interface MoveWork {
  readonly name: string;
  readonly namespace: string;
  /** The row of the plan. */
  readonly host: string;
  /** Of Kubernetes. */
  readonly version: string;
}

export function movePhases(work: MoveWork, save: PivotStep): readonly Phase<PivotScope>[] {
  return [
    {title: titleOf(moveName, 'Keep the way'), steps: [save, keepStep(work)], barrier: true},
    ...parts.map((title) => ({title: titleOf(moveName, title), steps: [partStep(title, work)], barrier: true})),
    {title: titleOf(moveName, 'Settle'), steps: [settleStep(work)], barrier: true},
  ];
}

/** Before the first object moves: the Secret with the new cluster's kubeconfig is one of them. */
function keepStep({host, name}: MoveWork): PivotStep {
  return {
    id: 'pivot/keep',
    title: 'Note in the bootstrap cluster where it goes',
    host,
    effect: 'none',
    check: async ({scope, signal}) => {
      const record = await readRecord(scope.bootstrap, name, signal);
      return record !== undefined && record.kubeconfig !== '' ? 'satisfied' : 'needed';
    },
    apply: async ({scope, signal}) => {
      const kubeconfig = await scope.kubeconfig(signal);
      const {api} = await scope.target(signal);
      await writeRecord(scope.bootstrap, name, {state: 'moving', server: api.server, kubeconfig}, signal);
    },
  };
}

function partStep(title: string, {host}: MoveWork): PivotStep {
  const withPart = async <T>(context: Context, work: (step: MoveStep, within: Parameters<MoveStep['check']>[0]) => Promise<T>): Promise<readonly T[]> => {
    const move = await context.scope.move(context.signal);
    const steps = move?.plan.phases.find((phase) => phase.title === title)?.steps ?? [];
    const results: T[] = [];
    for (const step of steps) results.push(await work(step, {...context, scope: move!.scope}));
    return results;
  };
  return {
    id: `pivot/${title.toLowerCase().replaceAll(' ', '-')}`,
    title,
    host,
    effect: 'none',
    check: async (context) => ((await withPart(context, (step, within) => step.check(within))).includes('needed') ? 'needed' : 'satisfied'),
    apply: async (context) => {
      const facts = await withPart(context, async (step, within) => ((await step.check(within)) === 'needed' ? step.apply(within) : undefined));
      if (title === pausing) context.scope.forgetMove();
      const told = facts.flatMap((fact) => (typeof fact === 'string' ? [fact] : []));
      return told.length === 0 ? undefined : told.join('; ');
    },
  };
}

/** In the new cluster: its own controllers have looked at everything that came. */
function settleStep({name, namespace, host, version}: MoveWork): PivotStep {
  const waitIn = async ({scope, signal}: Context) => {
    const {version: coreVersion} = await coreResource((await scope.target(signal)).api);
    const work = {name, namespace: {name: namespace, exists: true}, coreVersion, version};
    return liftStep(clusterWait(work, {id: 'managed', title: '', judge: rolledOut}), {
      name: moveName,
      prefix: 'pivot',
      prefixHosts: false,
      open: (pivot, at) => pivot.target(at),
    });
  };
  return {
    id: 'pivot/managed',
    title: `Wait until ${name} manages itself`,
    host,
    effect: 'none',
    check: async (context) => (await waitIn(context)).check(context),
    apply: async (context) => (await waitIn(context)).apply(context),
  };
}
