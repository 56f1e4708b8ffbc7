// Stamps events and hands them to subscribers, in order, redacted.
import type {Emit, EventBody, TriremeEvent} from './event.ts';
import type {Redactor} from './redact.ts';

export interface JournalOptions {
  readonly run: string;
  readonly redactor: Redactor;
  /** The last sequence number already used by this run (resume); 0 for a new one. */
  readonly after?: number;
  readonly now?: () => Date;
}

/** One run's stream of events. A subscriber that throws is a bug and stops the run. */
export class Journal {
  readonly run: string;
  readonly #redactor: Redactor;
  readonly #subscribers = new Set<(event: TriremeEvent) => void>();
  readonly #now: () => Date;
  #seq: number;

  constructor(options: JournalOptions) {
    this.run = options.run;
    this.#redactor = options.redactor;
    this.#seq = options.after ?? 0;
    this.#now = options.now ?? (() => new Date());
  }

  readonly emit: Emit = (body: EventBody) => {
    this.#seq += 1;
    const event = {...this.#redactor.value(body), seq: this.#seq, at: this.#now().toISOString(), run: this.run} as TriremeEvent;
    for (const subscriber of this.#subscribers) subscriber(event);
  };

  /** Returns the function that ends the subscription. */
  subscribe(subscriber: (event: TriremeEvent) => void): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }
}
