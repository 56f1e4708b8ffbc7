// What a check of controller mode is: a name, and a pure look at facts.
import type {ClusterDocument} from '../../../spec/schema.ts';
import type {Problem} from '../../../kernel/problem.ts';
import type {AwsFacts} from './aws/facts.ts';
import type {ManagementSeen} from './observe.ts';

/** Something that isn't as it should be. */
export interface Finding {
  readonly observed: string;
  readonly wanted: string;
  /** What to do: a command where there is one. */
  readonly remedy: string;
  /** Where it differs from the check's own. */
  readonly severity?: 'error' | 'warning';
}

export interface PreflightFacts {
  readonly cluster: ClusterDocument;
  /** Why the management cluster can't be looked at; then `management` is undefined. */
  readonly problem: Problem | undefined;
  readonly management: ManagementSeen | undefined;
  /** Undefined where the file names no account. */
  readonly aws: AwsFacts | undefined;
}

interface CheckBase {
  /** Stable: people ignore checks by it. */
  readonly id: string;
  /** A claim that holds when all is well. */
  readonly title: string;
  readonly severity: 'error' | 'warning';
}

/** Looks at the management cluster; passed over where that can't be reached. */
export interface ManagementCheck extends CheckBase {
  readonly of: 'management';
  run(management: ManagementSeen, cluster: ClusterDocument): readonly Finding[];
}

/** Looks at the AWS account that the file names. */
export interface AwsCheck extends CheckBase {
  readonly of: 'aws';
  run(aws: AwsFacts, cluster: ClusterDocument): readonly Finding[];
}

/** Looks at whether there's anything to look at. */
export interface ReachCheck extends CheckBase {
  readonly of: 'reach';
  run(facts: PreflightFacts): readonly Finding[];
}

export type Check = ManagementCheck | AwsCheck | ReachCheck;
