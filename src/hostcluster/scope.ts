// What the steps of a host cluster use while they run: connections, links, content, the lease, and the cluster's secrets.
import type {OpenedBlob} from '../bundle/content.ts';
import type {Redactor} from '../kernel/redact.ts';
import type {HostRunner} from '../ssh/runner.ts';
import type {Leases} from './lease.ts';
import type {AgentLink} from './link.ts';
import type {SecretsKeeper} from './secrets-keeper.ts';

export interface UploadProgress {
  /** Bytes sent so far of all that this upload sends. */
  readonly sent: number;
  readonly total: number;
}

/** A blob at hand on this computer; with a path where a file is exactly this blob. */
export interface LocalBlob extends OpenedBlob {
  readonly path?: string;
}

/** Connections are opened when they are first used, one for each host, and kept until the scope is closed. */
export interface HostClusterScope {
  readonly redactor: Redactor;
  runner(host: string): Promise<HostRunner>;
  link(host: string): Promise<AgentLink>;
  /** Closes the host's connection after it broke; the next use opens a new one. */
  forget(host: string): Promise<void>;
  /** Brings pinned content onto this computer, verified; throws `bundle.*` before any host is touched. */
  fetch(digests: readonly string[], options: FetchOptions): Promise<readonly LocalBlob[]>;
  /** Sends blobs into the host's content folder: verified there, resumable, named atomically. */
  upload(host: string, blobs: readonly LocalBlob[], options: {readonly signal: AbortSignal; onProgress(progress: UploadProgress): void}): Promise<void>;
  readonly leases: Leases;
  readonly secrets: SecretsKeeper;
  /** How long waits may last, in ms, where the person said how long the run may take; otherwise each has a length of its own. */
  readonly patience?: number | undefined;
  /** What the run has learnt so far. */
  readonly progress: RunProgress;
}

export interface FetchOptions {
  readonly signal: AbortSignal;
  onProgress(name: string, received: number, total: number): void;
}

/** What later steps of a run want to know of earlier ones. */
export interface RunProgress {
  /** The last event of each host's agent before it got what is wanted. */
  readonly eventsSeen: Map<string, number>;
  /** Hosts that have converged in this run. */
  readonly converged: Set<string>;
  /** Hosts that have all that a change of version needs. */
  readonly prepared: Set<string>;
}
