// What planning reads of the hosts and of this program. A mode fills it from what it saw; nothing here changes by itself (no clock, no load).
import type {Problem} from '../kernel/problem.ts';
import type {AgentState, ContentItem} from './protocol.ts';
import type {RemovedApi} from './removed-apis.ts';

export type Architecture = 'amd64' | 'arm64';

/** A file that this computer can push: the agent's program, or the Node runtime. */
export interface PushFile {
  /** `sha256:HEX`. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** Where it lies on this computer. */
  readonly path: string;
}

export interface MemberFacts {
  readonly host: string;
  readonly architecture: Architecture;
  /** The addresses of its interfaces in CIDR form, the default route's first. */
  readonly networks: readonly string[];
  /** Digests of the installed agent's two files, when it is installed. */
  readonly programDigest: string | undefined;
  readonly runtimeDigest: string | undefined;
  readonly agentActive: boolean;
  /** What the agent last said of itself; undefined when it never did. */
  readonly seen: AgentState | undefined;
  /** Digests in its content folder. */
  readonly content: readonly string[];
  /** True for a host of the sandbox: a folder and processes on this computer. */
  readonly simulated: boolean;
}

export type MemberObservation = MemberFacts | {readonly host: string; readonly problem: Problem};

export interface HostClusterFacts {
  /** One for each host of the file, in its order. */
  readonly hosts: readonly MemberObservation[];
  readonly program: {
    readonly version: string;
    readonly agent: PushFile;
    /** Per architecture that occurs, the runtime or why there's none. */
    readonly runtimes: Readonly<Partial<Record<Architecture, PushFile | {readonly problem: Problem}>>>;
  };
  /** Pinned by digest, per architecture that occurs. */
  readonly content: Readonly<Partial<Record<Architecture, readonly ContentItem[]>>>;
  /** Hosts that the cluster has and the file doesn't name, as far as it's known how they're reached. Absent: none. */
  readonly strangers?: readonly MemberObservation[];
  /** What a control plane said of the cluster when it was asked afresh; only where a plan needs it. */
  readonly told?: AgentState;
  /** APIs in use that the wanted version doesn't serve any more; absent where no other version is wanted. */
  readonly removedApis?: readonly RemovedApi[];
  /** Why content couldn't be pinned; a status needs none, a plan may know it from the hosts. */
  readonly contentProblem?: Problem;
}

export function isReached(observation: MemberObservation): observation is MemberFacts {
  return !('problem' in observation);
}

/** The facts of the hosts that answered, in the order of the file. */
export function reachedHosts(facts: Pick<HostClusterFacts, 'hosts'>): readonly MemberFacts[] {
  return facts.hosts.filter(isReached);
}
