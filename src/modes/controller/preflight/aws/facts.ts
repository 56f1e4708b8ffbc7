// What preflight learns of an AWS account, as plain data. A question that AWS doesn't answer is a failure of its own, not the end of the others.

export type Asked<T> = {readonly value: T} | {readonly failure: string};

export interface QuotaSeen {
  readonly title: string;
  /** `L-1216C47A`. */
  readonly code: string;
  readonly limit: number;
  readonly used: number;
  /** What this cluster adds. */
  readonly needed: number;
}

export interface AwsFacts {
  readonly region: string;
  /** True for a local double that says that it is one. */
  readonly simulated: boolean;
  readonly identity: Asked<{readonly account: string; readonly arn: string}>;
  readonly regions: Asked<readonly {readonly name: string; readonly enabled: boolean}[]>;
  /** Whose permissions were simulated. */
  readonly principal: string | undefined;
  readonly permissions:
    | Asked<{readonly simulated: number; readonly denied: readonly {readonly action: string; readonly decision: 'explicitDeny' | 'implicitDeny'}[]}>
    | undefined;
  /** Undefined where the file names none. */
  readonly keyPair: Asked<{readonly name: string; readonly found: boolean}> | undefined;
  readonly quotas: Asked<readonly QuotaSeen[]>;
}
