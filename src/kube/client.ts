// Connects to a Kubernetes API as kubectl does.
import type {Redactor} from '../kernel/redact.ts';
import type {KubeApi} from './api.ts';

export interface ConnectOptions {
  /** A file; default: $KUBECONFIG (several files, joined), else ~/.kube/config, else the pod's own account. */
  readonly kubeconfig?: string;
  /** Default: the current context. */
  readonly context?: string;
  readonly signal: AbortSignal;
  /** Learns tokens and keys. */
  readonly redactor: Redactor;
  /** Told what the API server warns of, and what else isn't worth stopping for. */
  warn(message: string): void;
}

/** Reads the kubeconfig and makes a client; nothing is sent yet. Throws `kubeconfig.invalid`, `file.not-found`. */
export async function connect(options: ConnectOptions): Promise<KubeApi> {
  throw new Error(`not there yet: ${options.context ?? 'default'}`);
}
