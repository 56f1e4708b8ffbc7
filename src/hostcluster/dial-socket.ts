// A program's standard streams as a socket for node:http: how HTTP travels through `trireme-agent dial`.
import {Duplex} from 'node:stream';
import type {RemoteProcess} from '../ssh/runner.ts';

/** What the far end said when it ended. */
export interface DialEnd {
  readonly code: number;
  /** The last lines of its standard error. */
  readonly message: string;
}

/** Bytes in and out of a remote program. Ends when the program does; the timers and options of a TCP socket mean nothing here. */
export class DialSocket extends Duplex {
  /** Settles when the program on the host has ended. */
  readonly ended: Promise<DialEnd>;
  readonly #remote: RemoteProcess;

  constructor(remote: RemoteProcess) {
    super();
    this.#remote = remote;
    let errors = '';
    remote.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2000)));
    this.ended = remote.exited.then(
      ({code}) => ({code, message: errors.trim()}),
      (error: unknown) => ({code: -1, message: error instanceof Error ? error.message : String(error)}),
    );
    remote.stdout.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) remote.stdout.pause();
    });
    remote.stdout.on('end', () => this.push(null));
    for (const stream of [remote.stdin, remote.stdout, remote.stderr]) stream.on('error', (error: Error) => this.destroy(error));
    void this.ended.then(() => remote.stdout.readableEnded || setImmediate(() => this.destroy()));
  }

  override _read(): void {
    this.#remote.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#remote.stdin.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#remote.stdin.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#remote.close();
    done(error);
  }

  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}
