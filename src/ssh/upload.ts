// Sends files to a host: resumable, verified there by SHA-256, named only when whole, many over one channel.
import {createReadStream} from 'node:fs';
import {basename, dirname} from 'node:path/posix';
import {Readable} from 'node:stream';
import {TriremeError} from '../kernel/errors.ts';
import type {HostRunner} from './runner.ts';
import {receiveScript, type ReceiveOptions} from './upload-script.ts';

/** What is sent. One of `path` (best: read from where it's needed), `content` and `stream`. */
export interface UploadSource {
  /** `sha256:HEX`. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly path?: string;
  readonly content?: Uint8Array;
  /** Its bytes from an offset on. */
  stream?(start?: number): Readable;
}

export interface UploadProgress {
  /** Bytes on the host by now, those of an earlier try included. */
  readonly sent: number;
  readonly total: number;
}

export interface UploadOptions {
  /** Write as root. Default true. */
  readonly root?: boolean;
  /** How long without any progress before it's given up, in ms. Default 120,000. */
  readonly patience?: number;
  readonly signal?: AbortSignal;
  onProgress?(progress: UploadProgress): void;
}

export interface UploadFileOptions extends UploadOptions {
  readonly source: UploadSource;
  /** Absolute path on the host; below TRIREME_ROOT where that is set. */
  readonly destination: string;
  /** Octal; default `0644`. */
  readonly mode?: string;
}

export interface UploadBlobsOptions extends UploadOptions {
  /** Absolute folder on the host; each blob is named by the hex part of its digest. */
  readonly folder: string;
  /** Octal; default `0644`. */
  readonly mode?: string;
}

interface Item {
  readonly hex: string;
  readonly source: UploadSource;
}

/** Sends one file; its folder is made. Throws `host.disk-full`, `host.command-failed` and what the runner throws. */
export async function uploadFile(runner: HostRunner, options: UploadFileOptions): Promise<void> {
  const {source, destination} = options;
  await send(runner, {folder: dirname(destination), name: basename(destination), mode: modeOf(options.mode)}, [source], options);
}

/** Sends blobs that the host lacks over one channel. A blob that broke off is continued by the next call. */
export async function uploadBlobs(runner: HostRunner, blobs: readonly UploadSource[], options: UploadBlobsOptions): Promise<void> {
  const unique = [...new Map(blobs.map((source) => [source.digest, source])).values()];
  if (unique.length > 0) await send(runner, {folder: options.folder, mode: modeOf(options.mode)}, unique, options);
}

function modeOf(mode = '0644'): string {
  if (!/^0?[0-7]{3}$/.test(mode)) throw new Error(`not an octal mode: ${mode}`);
  return mode;
}

function itemOf(source: UploadSource): Item {
  const hex = source.digest.replace(/^sha256:/, '');
  if (!/^[0-9a-f]{64}$/.test(hex)) throw new Error(`not a SHA-256 digest: ${source.digest}`);
  return {hex, source};
}

/** What arrives damaged is sent once more, from its first byte: a half-sent file of the past may have been another. */
async function send(runner: HostRunner, place: ReceiveOptions, sources: readonly UploadSource[], options: UploadOptions): Promise<void> {
  const bad = await new Upload(runner, place, sources.map(itemOf), options, true).run();
  if (bad.length === 0) return;
  const still = await new Upload(runner, place, bad, options, false).run();
  if (still.length === 0) return;
  const names = still.map(({source}) => place.name ?? source.digest).join(', ');
  throw new TriremeError('host.command-failed', `${names} arrived damaged on ${runner.host}, twice: the content doesn't have its digest there.`, {
    host: runner.host,
    hints: ["Check the source (trireme bundle verify), and the host's disk and memory."],
  });
}

class Upload {
  readonly #runner: HostRunner;
  readonly #place: ReceiveOptions;
  readonly #items: readonly Item[];
  readonly #options: UploadOptions;
  readonly #resumes: boolean;
  readonly #parts = new Map<string, number>();
  readonly #pending: Map<string, Item>;
  readonly #bad: Item[] = [];
  readonly #stalled = new AbortController();
  #stallTimer: NodeJS.Timeout | undefined;
  #space: {readonly kib: number; readonly fileSystem: string} | undefined;
  #failed: string | undefined;
  #sent = 0;
  #lastTold = 0;
  /** Wakes the sender: the host is ready, or wants the next file. */
  readonly #signals: string[] = [];
  #wake: (() => void) | undefined;
  #isOver = false;

  constructor(runner: HostRunner, place: ReceiveOptions, items: readonly Item[], options: UploadOptions, resumes: boolean) {
    this.#runner = runner;
    this.#place = place;
    this.#items = items;
    this.#options = options;
    this.#resumes = resumes;
    this.#pending = new Map(items.map((item) => [item.hex, item]));
  }

  /** Returns the items that arrived damaged. */
  async run(): Promise<readonly Item[]> {
    const {signal} = this.#options;
    const payload = Readable.from(this.#payload(), {objectMode: false, highWaterMark: 1024 * 1024});
    this.#moved();
    try {
      const result = await this.#runner.run(receiveScript(this.#place), {
        root: this.#options.root ?? true,
        stdin: payload,
        deadline: 24 * 3600 * 1000,
        signal: signal === undefined ? this.#stalled.signal : AbortSignal.any([signal, this.#stalled.signal]),
        onLine: (stream, line) => stream === 'stdout' && this.#heard(line),
      });
      if (this.#failed !== undefined) throw this.#failure(result.stderr);
      if (this.#pending.size > 0) throw this.#failure(result.stderr || `the host ended the upload with exit code ${result.code}`);
      this.#tell(true);
      return this.#bad;
    } finally {
      clearTimeout(this.#stallTimer);
      this.#isOver = true;
      this.#wake?.();
      payload.destroy();
    }
  }

  #heard(line: string): void {
    this.#moved();
    const [what, first = '', second = ''] = line.split(' ');
    if (what === 'part') this.#parts.set(first, Number(second));
    else if (what === 'free') this.#space = {kib: Number(first), fileSystem: second};
    else if (what === 'go' || what === 'next') {
      this.#signals.push(what === 'go' ? first : what);
      this.#wake?.();
    } else if (what === 'failed') this.#failed = first;
    else if (what === 'done' || what === 'bad') {
      const item = this.#pending.get(first);
      this.#pending.delete(first);
      if (what === 'bad' && item !== undefined) this.#bad.push(item);
    }
  }

  async *#payload(): AsyncGenerator<Uint8Array> {
    const isExact = (await this.#signal()) === 'exact';
    const plan = this.#items.map((item) => {
      const part = this.#resumes ? (this.#parts.get(item.hex) ?? 0) : 0;
      return {item, offset: part <= item.source.size ? part : 0};
    });
    this.#sent = plan.reduce((sum, {offset}) => sum + offset, 0);
    this.#requireSpace(plan.reduce((sum, {item, offset}) => sum + item.source.size - offset, 0));
    for (const {item, offset} of plan) {
      const {source} = item;
      yield Buffer.from(`${item.hex} ${offset} ${source.size - offset}\n`);
      for await (const chunk of bytesFrom(source, offset)) {
        this.#sent += chunk.length;
        yield chunk;
        this.#moved();
        this.#tell(false);
      }
      if (!isExact) await this.#signal();
    }
    yield Buffer.from('end\n');
  }

  async #signal(): Promise<string> {
    while (this.#signals.length === 0 && !this.#isOver) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#signals.shift() ?? '';
  }

  #requireSpace(bytes: number): void {
    if (this.#space === undefined || !Number.isFinite(this.#space.kib) || bytes / 1024 < this.#space.kib) return;
    throw this.#diskFull(`${mebibytes(bytes)} more are needed`);
  }

  #failure(said: string): TriremeError {
    const line = said.trim().split('\n').at(-1)?.replace(/\.$/, '') ?? '';
    if (/No space left|quota exceeded/i.test(said)) return this.#diskFull(line);
    return new TriremeError('host.command-failed', `Can't write to ${this.#place.folder} on ${this.#runner.host}: ${line}.`, {
      host: this.#runner.host,
      hints: [`Is it writable there? Try: trireme host exec --limit ${this.#runner.host} -- df ${this.#place.folder}`],
    });
  }

  #diskFull(why: string): TriremeError {
    const {kib = 0, fileSystem = 'unknown'} = this.#space ?? {};
    return new TriremeError(
      'host.disk-full',
      `The file system ${fileSystem} that holds ${this.#place.folder} on ${this.#runner.host} is full: ${mebibytes(kib * 1024)} are free (${why}).`,
      {
        host: this.#runner.host,
        details: {folder: this.#place.folder, fileSystem, freeKiB: kib},
        hints: [`Make room there, or mount a larger file system at ${this.#place.folder}; what has arrived whole stays.`],
      },
    );
  }

  /** Something moved: the patience begins anew. */
  #moved(): void {
    const patience = this.#options.patience ?? 120_000;
    if (this.#stallTimer !== undefined) {
      this.#stallTimer.refresh();
      return;
    }
    this.#stallTimer = setTimeout(() => {
      const {host} = this.#runner;
      this.#stalled.abort(
        new TriremeError('host.command-timed-out', `The upload to ${host} hasn't moved for ${patience / 1000} s and was given up.`, {
          host,
          hints: ['Run the same command again: it goes on where it stopped.'],
        }),
      );
    }, patience).unref();
  }

  #tell(isLast: boolean): void {
    const now = Date.now();
    if (!isLast && now - this.#lastTold < 100) return;
    this.#lastTold = now;
    this.#options.onProgress?.({sent: this.#sent, total: this.#items.reduce((sum, {source}) => sum + source.size, 0)});
  }
}

const mebibytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(bytes < 10 * 1024 * 1024 ? 1 : 0)} MiB`;

/** The source's bytes from an offset on. A source that is shorter or longer than it says would garble all that follows it, so it fails. */
async function* bytesFrom(source: UploadSource, offset: number): AsyncGenerator<Uint8Array> {
  let left = source.size - offset;
  if (left === 0) return;
  for await (const chunk of openSource(source, offset)) {
    left -= chunk.length;
    if (left < 0) break;
    yield chunk;
  }
  if (left !== 0)
    throw new TriremeError('bundle.damaged', `${source.path ?? source.digest} isn't ${source.size} bytes long any more.`, {
      hints: ['Was it changed while it was sent? Check: trireme bundle verify'],
    });
}

function openSource(source: UploadSource, offset: number): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  if (source.content !== undefined) return [source.content.subarray(offset)];
  if (source.path !== undefined) return createReadStream(source.path, {start: offset, highWaterMark: 256 * 1024});
  if (source.stream === undefined) throw new Error('an upload needs a path, content or stream');
  return source.stream(offset);
}
