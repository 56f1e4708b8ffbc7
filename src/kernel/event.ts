// The one union of events. Everything that happens in a run is one of these; renderers switch over all of them.
import type {Problem} from './problem.ts';

/** What a change costs, least first; the same scale in every mode. */
export const effects = ['none', 'reload', 'restart', 'drain', 'reboot', 'replace'] as const;
export type Effect = (typeof effects)[number];

export const stepOutcomes = ['done', 'satisfied', 'failed', 'skipped', 'unreachable', 'interrupted'] as const;
export type StepOutcome = (typeof stepOutcomes)[number];

export interface StepOutline {
  readonly id: string;
  readonly title: string;
  readonly host?: string;
  readonly effect: Effect;
}

export interface PhaseOutline {
  readonly title: string;
  readonly steps: readonly StepOutline[];
}

export interface HostOutcome {
  readonly host: string;
  readonly outcome: 'changed' | 'unchanged' | 'failed' | 'unreachable' | 'interrupted';
  readonly problem?: Problem;
}

export type RunOutcome = 'succeeded' | 'unchanged' | 'failed' | 'interrupted';

/** The body of an event; the journal stamps `seq`, `at` and `run` onto it. Times are in ms, sizes in bytes. */
export type EventBody =
  | {
      readonly type: 'run.started';
      readonly operation: string;
      readonly subject: string;
      readonly mode: string;
      readonly simulated: boolean;
      readonly phases: readonly PhaseOutline[];
      readonly resumed?: string;
    }
  | {readonly type: 'plan.ready'; readonly subject: string; readonly changes: number; readonly unchanged: number}
  | {readonly type: 'phase.started'; readonly phase: string; readonly steps: number}
  | {readonly type: 'phase.finished'; readonly phase: string; readonly done: number; readonly satisfied: number; readonly failed: number; readonly ms: number}
  | {readonly type: 'step.started'; readonly step: string; readonly title: string; readonly phase: string; readonly host?: string}
  | {
      readonly type: 'step.finished';
      readonly step: string;
      readonly title: string;
      readonly phase: string;
      readonly host?: string;
      readonly outcome: StepOutcome;
      readonly ms: number;
      readonly summary?: string;
      readonly problem?: Problem;
    }
  | {
      readonly type: 'step.output';
      readonly step: string;
      readonly host?: string;
      readonly stream: 'stdout' | 'stderr';
      readonly line: string;
      /** A person asked for this output: it is shown without --verbose. */
      readonly asked?: boolean;
    }
  | {readonly type: 'transfer.progressed'; readonly host: string; readonly name: string; readonly sent: number; readonly total: number}
  | {
      readonly type: 'condition.changed';
      readonly subject: string;
      readonly condition: string;
      readonly status: 'true' | 'false' | 'unknown';
      readonly reason?: string;
      readonly message?: string;
      readonly host?: string;
    }
  | {readonly type: 'host.unreachable'; readonly host: string; readonly problem: Problem}
  | {readonly type: 'question.asked'; readonly question: string; readonly answer: string}
  | {readonly type: 'warning.raised'; readonly code: string; readonly message: string; readonly host?: string; readonly hints?: readonly string[]}
  | {readonly type: 'run.finished'; readonly outcome: RunOutcome; readonly ms: number; readonly hosts: readonly HostOutcome[]; readonly problem?: Problem};

export type TriremeEvent = EventBody & {
  /** Rises by one within a run, from 1. */
  readonly seq: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly run: string;
};

export type EventType = EventBody['type'];

/** Accepts an event body; how all working code speaks. */
export type Emit = (event: EventBody) => void;
