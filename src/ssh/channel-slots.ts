// A server takes only so many channels on one connection (MaxSessions of sshd_config, 10 by default); the others wait here.

/** Hands out slots in the order of asking. */
export class ChannelSlots {
  #limit: number;
  #used = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** Waits for a slot; the returned function gives it back. */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#used < this.#limit) this.#used += 1;
    else await this.#wait(signal);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#giveBack();
    };
  }

  /** The server takes fewer than we thought: no more than are open now. */
  shrink(): void {
    this.#limit = Math.max(1, Math.min(this.#limit, this.#used));
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        const at = this.#waiting.indexOf(go);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal.reason);
      };
      const go = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      signal.addEventListener('abort', onAbort, {once: true});
      this.#waiting.push(go);
    });
  }

  #giveBack(): void {
    // the slot goes straight to the next, unless the limit has sunk
    const next = this.#used <= this.#limit ? this.#waiting.shift() : undefined;
    if (next === undefined) this.#used -= 1;
    else next();
  }
}
