// When etcd may lose a member. The same rule counts in the plan, and once more on the control plane that does it.
import type {EtcdMember} from './protocol.ts';

const majorityOf = (count: number) => Math.floor(count / 2) + 1;

/** The member of a host; undefined when it has none. One that was only announced is known by its address. */
export function memberOfHost(members: readonly EtcdMember[], host: string, addresses: readonly string[] = []): EtcdMember | undefined {
  return (
    members.find((member) => member.name === host) ?? members.find((member) => member.name === '' && member.addresses.some((one) => addresses.includes(one)))
  );
}

/** Why this member can't be taken out: then etcd would have no majority, or has none now. Undefined: it can. */
export function whyNotRemovable(members: readonly EtcdMember[], member: EtcdMember): string | undefined {
  if (member.learner) return undefined;
  const voters = members.filter((one) => !one.learner);
  const answering = voters.filter((one) => one.healthy);
  const down = voters.filter((one) => !one.healthy && one.id !== member.id).map((one) => one.name || one.addresses[0] || one.id);
  if (answering.length < majorityOf(voters.length))
    return `etcd has no majority: ${answering.length} of its ${voters.length} members answer, and it takes ${majorityOf(voters.length)} to change anything`;
  if (voters.length === 1) return "it's the only member of etcd, which holds everything that the cluster knows";
  const left = voters.length - 1;
  const leftAnswering = answering.filter((one) => one.id !== member.id).length;
  if (leftAnswering >= majorityOf(left)) return undefined;
  const who = `${down.join(', ')} ${down.length === 1 ? 'is' : 'are'} down`;
  return `${who}: of the ${left} members that would be left only ${leftAnswering} would answer, and etcd needs ${majorityOf(left)} of them`;
}

/** The members without one. */
export function withoutMember(members: readonly EtcdMember[], member: EtcdMember): readonly EtcdMember[] {
  return members.filter((one) => one.id !== member.id);
}
