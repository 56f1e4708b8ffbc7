// What a reset did, kept and couldn't do.

export interface ResetReport {
  readonly removed: readonly string[];
  /** What stays on purpose, and why. */
  readonly kept: readonly {readonly what: string; readonly why: string}[];
  readonly failed: readonly {readonly what: string; readonly why: string}[];
}

/** Collects while a reset goes on: one thing that can't be taken away doesn't keep the rest. */
export class ResetLog {
  readonly #removed: string[] = [];
  readonly #kept: {readonly what: string; readonly why: string}[] = [];
  readonly #failed: {readonly what: string; readonly why: string}[] = [];

  removed(what: string): void {
    this.#removed.push(what);
  }

  kept(what: string, why: string): void {
    this.#kept.push({what, why});
  }

  /** Does a piece of the work; a failure is noted under its name. */
  async attempt(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#failed.push({what, why: (error as Error).message});
    }
  }

  get report(): ResetReport {
    return {removed: this.#removed, kept: this.#kept, failed: this.#failed};
  }
}
