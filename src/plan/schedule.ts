// Which steps may begin now. Pure bookkeeping: a host's steps run in order, over the borders of phases; a step without a host is a border.
import type {Plan, Step} from './plan.ts';

export interface PlannedStep<S> {
  readonly step: Step<S>;
  readonly phase: string;
  readonly phaseIndex: number;
  /** Place in the whole plan. */
  readonly index: number;
}

/** Hands out steps as they may begin, within the windows of the run and of each phase. */
export class Schedule<S> {
  readonly #plan: Plan<S>;
  readonly #concurrency: number;
  readonly #waiting: PlannedStep<S>[];
  readonly #running = new Set<PlannedStep<S>>();
  /** Hosts under way, and hosts that failed, by the place of a phase with a window. */
  readonly #underway = new Map<number, Set<string>>();
  readonly #failed = new Map<number, Set<string>>();

  constructor(plan: Plan<S>, concurrency: number) {
    this.#plan = plan;
    this.#concurrency = Math.max(1, concurrency);
    let index = 0;
    this.#waiting = plan.phases.flatMap((phase, phaseIndex) => phase.steps.map((step) => ({step, phase: phase.title, phaseIndex, index: index++})));
  }

  /** Takes the steps that may begin now; each must be given back to `ended`. */
  takeReady(): readonly PlannedStep<S>[] {
    const taken: PlannedStep<S>[] = [];
    for (const planned of [...this.#waiting]) {
      if (this.#running.size >= this.#concurrency) break;
      if (!this.#mayBegin(planned)) continue;
      this.#remove(planned);
      this.#running.add(planned);
      if (this.#windowOf(planned) !== undefined) hostsIn(this.#underway, planned).add(planned.step.host as string);
      taken.push(planned);
    }
    return taken;
  }

  ended(planned: PlannedStep<S>, hasFailed = false): void {
    this.#running.delete(planned);
    if (this.#windowOf(planned) === undefined) return;
    const host = planned.step.host as string;
    if (hasFailed) hostsIn(this.#failed, planned).add(host);
    const goesOn = this.#waiting.some((other) => other.phaseIndex === planned.phaseIndex && other.step.host === host);
    if (!goesOn && !hostsIn(this.#failed, planned).has(host)) hostsIn(this.#underway, planned).delete(host);
  }

  takeAllWaiting(): readonly PlannedStep<S>[] {
    return this.#waiting.splice(0);
  }

  /** All that waits, but for the rest of what a host has begun in a phase with a window. */
  takeUnbegun(phase?: string): readonly PlannedStep<S>[] {
    return this.#take((planned) => (phase === undefined || planned.phase === phase) && !this.#hasBegun(planned));
  }

  /** What can never begin, because failed hosts fill its phase's window. Asked for when nothing runs. */
  takeStuck(): readonly PlannedStep<S>[] {
    return this.#take((planned) => {
      const window = this.#windowOf(planned);
      return window !== undefined && !this.#hasBegun(planned) && (this.#failed.get(planned.phaseIndex)?.size ?? 0) >= window;
    });
  }

  #windowOf(planned: PlannedStep<S>): number | undefined {
    return planned.step.host === undefined ? undefined : this.#plan.phases[planned.phaseIndex]?.window;
  }

  #hasBegun(planned: PlannedStep<S>): boolean {
    const {host} = planned.step;
    return host !== undefined && this.#underway.get(planned.phaseIndex)?.has(host) === true;
  }

  /** What can't begin once this step has failed: the rest of its host's steps, or everything behind a step without a host. */
  takeWaitingBehind(planned: PlannedStep<S>): readonly PlannedStep<S>[] {
    const {host} = planned.step;
    return this.#take((other) => other.index > planned.index && (host === undefined || other.step.host === host));
  }

  #take(isTaken: (planned: PlannedStep<S>) => boolean): readonly PlannedStep<S>[] {
    const taken = this.#waiting.filter(isTaken);
    for (const planned of taken) this.#remove(planned);
    return taken;
  }

  #remove(planned: PlannedStep<S>): void {
    this.#waiting.splice(this.#waiting.indexOf(planned), 1);
  }

  #mayBegin(planned: PlannedStep<S>): boolean {
    const phase = this.#plan.phases[planned.phaseIndex];
    const before = [...this.#waiting, ...this.#running].filter((other) => other.index < planned.index);
    if (planned.step.host === undefined && before.some((other) => other.phaseIndex < planned.phaseIndex || other.step.host === undefined)) return false;
    if (phase?.barrier === true && before.some((other) => other.phaseIndex < planned.phaseIndex)) return false;
    if (before.some((other) => other.step.host === undefined || other.step.host === planned.step.host)) return false;
    const window = this.#windowOf(planned);
    if (window !== undefined && !this.#hasBegun(planned) && (this.#underway.get(planned.phaseIndex)?.size ?? 0) >= window) return false;
    const inPhase = [...this.#running].filter((other) => other.phaseIndex === planned.phaseIndex).length;
    return inPhase < (phase?.concurrency ?? Number.POSITIVE_INFINITY);
  }
}

function hostsIn(map: Map<number, Set<string>>, {phaseIndex}: {readonly phaseIndex: number}): Set<string> {
  const hosts = map.get(phaseIndex) ?? new Set<string>();
  map.set(phaseIndex, hosts);
  return hosts;
}
