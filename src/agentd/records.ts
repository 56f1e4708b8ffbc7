// What the agent remembers between starts beside wanted and seen: small values by key, in one file.
import {canonicalJson} from '../kernel/digest.ts';
import {writeFileAtomic} from '../kernel/files.ts';
import {readJson} from './state.ts';

/** Values by key, on disk before `set` returns. */
export class Records {
  readonly #path: string;
  #values: Record<string, unknown>;
  #writing: Promise<void> = Promise.resolve();
  #isSaved = true;

  constructor(path: string, values: Record<string, unknown>) {
    this.#path = path;
    this.#values = values;
  }

  static async open(path: string): Promise<Records> {
    return new Records(path, (await readJson<Record<string, unknown>>(path)) ?? {});
  }

  get keys(): readonly string[] {
    return Object.keys(this.#values);
  }

  get<T>(key: string): T | undefined {
    return this.#values[key] as T | undefined;
  }

  /** Undefined removes the key. Writing what is there already touches nothing. */
  async set(key: string, value: unknown): Promise<void> {
    if (this.#isSaved && canonicalJson(this.#values[key]) === canonicalJson(value)) return;
    this.#values = {...this.#values, [key]: value};
    if (value === undefined) delete this.#values[key];
    const writing = this.#writing.then(async () => {
      this.#isSaved = false;
      await writeFileAtomic(this.#path, `${JSON.stringify(this.#values)}\n`, {mode: 0o600});
      this.#isSaved = true;
    });
    // a write that failed (a full disk) doesn't hold up the next, which writes everything
    this.#writing = writing.catch(() => {});
    await writing;
  }
}
