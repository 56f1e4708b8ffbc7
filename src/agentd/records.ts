// What the agent remembers between starts beside wanted and seen: small values by key, in one file.
import {canonicalJson} from '../kernel/digest.ts';
import {writeFileAtomic} from '../kernel/files.ts';
import {readJson} from './state.ts';

/** Values by key, on disk before `set` returns. */
export class Records {
  readonly #path: string;
  #values: Record<string, unknown>;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, values: Record<string, unknown>) {
    this.#path = path;
    this.#values = values;
  }

  static async open(path: string): Promise<Records> {
    return new Records(path, (await readJson<Record<string, unknown>>(path)) ?? {});
  }

  get<T>(key: string): T | undefined {
    return this.#values[key] as T | undefined;
  }

  /** Undefined removes the key. Writing what is there already touches nothing. */
  async set(key: string, value: unknown): Promise<void> {
    if (canonicalJson(this.#values[key]) === canonicalJson(value)) return;
    this.#values = {...this.#values, [key]: value};
    if (value === undefined) delete this.#values[key];
    this.#writing = this.#writing.then(() => writeFileAtomic(this.#path, `${JSON.stringify(this.#values)}\n`, {mode: 0o600}));
    await this.#writing;
  }
}
