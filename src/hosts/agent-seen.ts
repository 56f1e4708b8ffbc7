// The little of the agent's seen.json that this room needs; hostcluster/ knows the whole.
import type {HostFacts} from './facts.ts';

export interface SeenAgent {
  readonly protocol: number | undefined;
  readonly version: string;
  readonly member: boolean;
  /** The cluster that it works for. */
  readonly cluster: string | undefined;
  /** The host of the endpoint that it works with. */
  readonly endpoint: string | undefined;
}

/** What the host's agent last said of itself; undefined when it never did. */
export function seenAgent(facts: Pick<HostFacts, 'agent'>): SeenAgent | undefined {
  const seen = asRecord(facts.agent.seen);
  if (seen === undefined) return undefined;
  const wanted = asRecord(seen['wanted']);
  const cluster = asRecord(wanted?.['cluster']);
  const endpoint = asRecord(wanted?.['endpoint']);
  return {
    protocol: typeof seen['protocol'] === 'number' ? seen['protocol'] : undefined,
    version: typeof seen['version'] === 'string' ? seen['version'] : 'unknown',
    member: seen['member'] === true,
    cluster: typeof cluster?.['name'] === 'string' ? cluster['name'] : undefined,
    endpoint: typeof endpoint?.['host'] === 'string' ? endpoint['host'] : undefined,
  };
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
}
