// One run from lock to summary: what `apply` and every other verb that changes something call.
import {digestOfValue} from '../kernel/digest.ts';
import type {TriremeEvent} from '../kernel/event.ts';
import {Journal} from '../kernel/journal.ts';
import type {Redactor} from '../kernel/redact.ts';
import {applyPlan, type ApplyOptions, type RunSummary} from './apply.ts';
import {Ledger, newRunId} from './ledger.ts';
import {acquireLock, lockOwner, type LockOwner} from './lock.ts';
import type {Plan} from './plan.ts';

export interface ExecuteOptions<S> extends Omit<ApplyOptions<S>, 'emit'> {
  /** The state folder: locks and runs are kept there. */
  readonly folder: string;
  /** Absolute paths of the files that said what is wanted. */
  readonly files: readonly string[];
  readonly specDigest: string;
  /** Version of this program. */
  readonly program: string;
  readonly redactor: Redactor;
  /** Sees every event of the run: a renderer. */
  readonly subscriber: (event: TriremeEvent) => void;
  readonly breakLock?: boolean;
}

export interface ExecutedRun extends RunSummary {
  readonly run: string;
}

/** Takes the cluster's lock, opens the ledger, applies the plan, and lets go of both whatever happens. Throws `lock.held`. */
export async function executePlan<S>(plan: Plan<S>, options: ExecuteOptions<S>): Promise<ExecutedRun> {
  const run = newRunId();
  const lock = await acquireLock(options.folder, plan.subject, lockOwner(run, plan.operation), options);
  try {
    const ledger = new Ledger(options.folder, {
      run,
      operation: plan.operation,
      cluster: plan.subject,
      mode: plan.mode,
      files: options.files,
      specDigest: options.specDigest,
      basisDigest: digestOfValue(plan.basis),
      program: options.program,
      startedAt: new Date().toISOString(),
      pid: process.pid,
      ...(options.resumed === undefined ? {} : {resumed: options.resumed}),
    });
    try {
      const journal = new Journal({run, redactor: options.redactor});
      journal.subscribe(ledger.write);
      journal.subscribe(options.subscriber);
      if (lock.broke !== undefined) journal.emit(lockBroken(lock.broke));
      return {run, ...(await applyPlan(plan, {...options, emit: journal.emit}))};
    } finally {
      ledger.close();
    }
  } finally {
    await lock.release();
  }
}

function lockBroken(owner: LockOwner) {
  return {
    type: 'warning.raised',
    code: 'lock.broken',
    message: `Broke the lock of ${owner.user}@${owner.computer}, held since ${owner.since} (${owner.operation}, run ${owner.run}).`,
  } as const;
}
