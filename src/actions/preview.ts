// What an action would do, as its command's own dry run tells it.
import type {Effect} from '../kernel/event.ts';
import type {Problem} from '../kernel/problem.ts';
import type {HostPlan} from '../plan/plan.ts';
import type {ActionRequest} from './action.ts';
import type {Envelope} from './own-program.ts';

/** The plan as commands print it. */
export interface PlannedChange {
  readonly operation: string;
  readonly cluster: string;
  readonly mode: string;
  readonly simulated: boolean;
  readonly changes: boolean;
  readonly hosts: readonly HostPlan[];
  readonly phases: readonly {readonly title: string; readonly steps: readonly {readonly id: string; readonly effect: Effect}[]}[];
}

/** What an action would do, by the command's own dry run. */
export interface Preview {
  readonly request: ActionRequest;
  /** As a person would type it. */
  readonly commandLine: string;
  readonly plan?: PlannedChange;
  /** What would change in the cluster's file. */
  readonly file?: {readonly path: string; readonly diff: string};
  readonly warnings: Envelope['warnings'];
  /** Why it can't be done; then there's no plan. */
  readonly problem?: Problem;
}
