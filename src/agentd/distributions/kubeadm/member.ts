// What the agent remembers of its membership.
import type {Target} from '../../reconciler.ts';

export interface Member {
  readonly kubernetesVersion: string;
  readonly at: string;
}

/** Set when init or join is complete. */
export function memberOf({records}: Pick<Target, 'records'>): Member | undefined {
  return records.get<Member>('member');
}

/** True when the file wants another version than the one that this host joined with. */
export function isVersionChange(target: Pick<Target, 'records' | 'wanted'>): boolean {
  const member = memberOf(target);
  return member !== undefined && member.kubernetesVersion !== target.wanted.kubernetesVersion;
}
