// Redaction by value: a secret is registered once, and every text that leaves is searched for it.

export const redacted = '[redacted]';

/** Shorter values would redact ordinary words; such secrets are refused where they are read. */
const shortest = 4;

/** Knows the secrets of this process and removes them from texts and plain values. */
export class Redactor {
  readonly #secrets = new Set<string>();

  /** Registers a secret, and its base64 and JSON-escaped forms. Values under 4 characters are ignored. */
  add(secret: string | undefined): void {
    if (secret === undefined || secret.length < shortest) return;
    this.#secrets.add(secret);
    this.#secrets.add(Buffer.from(secret, 'utf8').toString('base64'));
    const escaped = JSON.stringify(secret).slice(1, -1);
    if (escaped !== secret) this.#secrets.add(escaped);
  }

  text(text: string): string {
    let result = text;
    for (const secret of this.#secrets) {
      if (result.includes(secret)) result = result.replaceAll(secret, redacted);
    }
    return result;
  }

  /** Redacts every string within a plain JSON-like value; returns the same value when there is nothing to hide. */
  value<T>(value: T): T {
    if (this.#secrets.size === 0) return value;
    return this.#walk(value) as T;
  }

  #walk(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.#walk(item));
    if (value !== null && typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#walk(item)]));
    }
    return value;
  }
}
