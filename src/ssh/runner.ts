// How everything else talks to a host: scripts in, results out. The transport is connection.ts's business.
import type {Readable, Writable} from 'node:stream';

export interface RunOptions {
  /** Run as root, by sudo where the user isn't root. Default false. */
  readonly root?: boolean;
  /** Bytes for the script's standard input. Secrets go here, never into the script. */
  readonly stdin?: string | Uint8Array | Readable;
  /** How long the script may take, in ms. */
  readonly deadline: number;
  readonly signal?: AbortSignal;
  /** The script only reads, or may be run twice: it is run again, once, when the connection breaks. Not with a stream for `stdin`. */
  readonly repeatable?: boolean;
  /** Called with each whole line as it arrives. */
  onLine?(stream: 'stdout' | 'stderr', line: string): void;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program on the host whose pipes are open: for the agent's API, shells and logs. */
export interface RemoteProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<{readonly code: number; readonly signal?: string}>;
  /** Ends the channel. */
  close(): void;
}

/**
 * Runs POSIX shell scripts on one host. The script travels over standard input, so that neither `ps` nor sudo's log shows it; what
 * follows it on standard input is the script's own. Each call is one SSH channel: one round trip, however long the script.
 *
 * Throws TriremeErrors with codes `host.*`; an exit code other than 0 is returned, not thrown.
 */
export interface HostRunner {
  /** The host's name in the file. */
  readonly host: string;
  run(script: string, options: RunOptions): Promise<RunResult>;
  open(script: string, options: Pick<RunOptions, 'root' | 'signal'>): Promise<RemoteProcess>;
  /** Channels opened so far on this connection. */
  readonly roundTrips: number;
  close(): Promise<void>;
}
