// A channel's streams: what comes out, what goes in, and how it ends.
import type {Readable} from 'node:stream';
import {StringDecoder} from 'node:string_decoder';
import type {ClientChannel} from 'ssh2';
import {TriremeError} from '../kernel/errors.ts';

export interface Exit {
  readonly code: number;
  readonly signal?: string;
}

/** More output than this (bytes) isn't kept: a script that says so much is a bug. */
const mostOutput = 64 * 1024 * 1024;
/** As a shell says it: 128 and the signal's number. */
const signals: Readonly<Record<string, number>> = {SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGPIPE: 13, SIGTERM: 15};

/** Gathers standard output and error, and hands out whole lines. Call the result after the end. */
export function collect(
  channel: ClientChannel,
  onLine?: (stream: 'stdout' | 'stderr', line: string) => void,
): () => Promise<{readonly stdout: string; readonly stderr: string}> {
  const errorsRead = channel.stderr.readableEnded ? Promise.resolve() : new Promise<void>((resolve) => channel.stderr.once('end', resolve));
  const stdout = gather(channel, (line) => onLine?.('stdout', line), onLine !== undefined);
  const stderr = gather(channel.stderr, (line) => onLine?.('stderr', line), onLine !== undefined);
  return async () => {
    await errorsRead;
    return {stdout: stdout(), stderr: stderr()};
  };
}

function gather(stream: Readable, onLine: (line: string) => void, wantsLines: boolean): () => string {
  const chunks: Buffer[] = [];
  const decoder = new StringDecoder('utf8');
  let size = 0;
  let line = '';
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= mostOutput) chunks.push(chunk);
    if (!wantsLines) return;
    const lines = (line + decoder.write(chunk)).split('\n');
    line = lines.pop() ?? '';
    for (const whole of lines) onLine(whole.replace(/\r$/, ''));
  });
  stream.resume();
  return () => {
    if (size > mostOutput)
      throw new TriremeError('host.command-failed', `A script's output is larger than ${mostOutput / 1024 / 1024} MiB.`, {
        hints: ['Write it to a file on the host instead.'],
      });
    const last = line + decoder.end();
    if (last !== '') onLine(last);
    return Buffer.concat(chunks).toString('utf8');
  };
}

/** How the command ended, when the channel has closed and its standard output is read; undefined when the channel broke. Call it on a fresh channel. */
export function exitOf(channel: ClientChannel): Promise<Exit | undefined> {
  let exit: Exit | undefined;
  channel.once('exit', (code: number | null, signal?: string) => {
    exit = code === null ? {code: 128 + (signals[signal ?? ''] ?? 0), signal: signal ?? ''} : {code};
  });
  return new Promise((resolve) => {
    channel.once('close', () => resolve(exit));
  });
}

/** Writes the payload, no faster than the host takes it, and then the end of input. A channel that closes early ends it quietly. */
export async function pump(channel: ClientChannel, payload: string | Uint8Array | Readable): Promise<void> {
  let wake: (() => void) | undefined;
  let isClosed = false;
  channel.on('drain', () => wake?.());
  channel.once('close', () => {
    isClosed = true;
    wake?.();
  });
  const write = async (chunk: string | Uint8Array) => {
    if (isClosed || channel.write(chunk)) return;
    await new Promise<void>((resolve) => (wake = resolve));
  };
  if (typeof payload === 'string' || payload instanceof Uint8Array) await write(payload);
  else {
    for await (const chunk of payload as AsyncIterable<Uint8Array>) {
      await write(chunk);
      if (isClosed) break;
    }
  }
  if (!isClosed) channel.end();
}
