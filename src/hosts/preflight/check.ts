// What a check is: a name, what it concerns, and a pure look at facts.
import type {ClusterDocument, ComponentConfiguration} from '../../spec/schema.ts';
import type {Problem} from '../../kernel/problem.ts';
import type {HostFacts} from '../facts.ts';
import type {OsFamily} from '../os/family.ts';

export type Severity = 'error' | 'warning';
export type Role = 'control-plane' | 'worker';

/** Something that isn't as it should be. */
export interface Finding {
  /** Cluster checks name the host that it concerns, when it is one. */
  readonly host?: string;
  readonly observed: string;
  readonly wanted: string;
  /** What to do: a command where there is one. */
  readonly remedy: string;
  /** Where it differs from the check's own. */
  readonly severity?: Severity;
}

export interface PreflightHost {
  readonly name: string;
  readonly role: Role;
  /** Where SSH reaches it. */
  readonly address: string;
  /** The node's addresses: the file's, else the default route's. */
  readonly nodeAddresses: readonly string[];
  /** Component settings, the host's own merged over the cluster's. */
  readonly configuration: {
    readonly kubelet: Readonly<Record<string, unknown>>;
    readonly sysctls: Readonly<Record<string, unknown>>;
    readonly own: ComponentConfiguration | undefined;
  };
  readonly facts: HostFacts | undefined;
  /** Why there are no facts. */
  readonly problem: Problem | undefined;
}

/** A host that answered. */
export interface CheckedHost extends PreflightHost {
  readonly facts: HostFacts;
  readonly family: OsFamily;
  /** True when our agent on it works for this very cluster: what Kubernetes left here is the cluster's own. */
  readonly ours: boolean;
  /** The other Trireme cluster that the host works for: what is on it is that cluster's, and must not be removed by hand. */
  readonly foreign: string | undefined;
}

export interface PreflightContext {
  readonly cluster: ClusterDocument;
  /** All hosts of the file, in its order. */
  readonly hosts: readonly PreflightHost[];
  /** Those that answered. */
  readonly checked: readonly CheckedHost[];
  /** Name of the profile's CNI layer: `flannel`, `calico`, `cilium`. */
  readonly cni: string | undefined;
  /** The agent's protocol that this program speaks. */
  readonly protocol: number;
}

interface CheckBase {
  /** Stable: people ignore checks by it. */
  readonly id: string;
  /** A claim that holds when all is well. */
  readonly title: string;
  readonly severity: Severity;
}

/** Looks at one host at a time. */
export interface HostCheck extends CheckBase {
  readonly scope: 'host';
  /** Default: all roles. */
  readonly roles?: readonly Role[];
  /** Nothing found: all is well. */
  run(host: CheckedHost, context: PreflightContext): readonly Finding[];
}

/** Looks at all hosts together. */
export interface ClusterCheck extends CheckBase {
  readonly scope: 'cluster';
  run(context: PreflightContext): readonly Finding[];
}

export type Check = HostCheck | ClusterCheck;
