// What a file can't ask of a cluster that exists. Each refusal names the host, why, and what to do instead.
import gt from 'semver/functions/gt.js';
import {TriremeError} from '../kernel/errors.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import {reachedHosts, type HostClusterFacts, type MemberFacts} from './facts.ts';
import {incompatible} from './link.ts';
import {protocol, type AgentState, type Wanted} from './protocol.ts';
import {statesOfMembers} from './strangers.ts';

/** Throws when a host that answers belongs to another cluster, or its agent is newer than this program. */
export function refuseForeignHosts(cluster: DesiredCluster, facts: HostClusterFacts): void {
  const {name} = cluster.document.metadata;
  let id: string | undefined;
  for (const host of reachedHosts(facts)) {
    refuseNewerAgent(host, facts.program.version);
    const theirs = host.seen?.wanted?.cluster;
    if (theirs === undefined) continue;
    if (theirs.name !== name) throw foreign(host.host, `belongs to the cluster ${theirs.name}, not to ${name}`);
    id ??= theirs.id;
    if (theirs.id !== id) throw foreign(host.host, `belongs to another cluster that is named ${name} too (${theirs.id}, not ${id})`);
  }
}

function foreign(host: string, what: string): TriremeError {
  return new TriremeError('cluster.foreign', `${host} ${what}.`, {
    host,
    hints: ['Check that the file names the right host.', `To take it out of its cluster, everything on it included: trireme host reset ${host}`],
  });
}

function refuseNewerAgent(host: MemberFacts, version: string): void {
  const {seen} = host;
  if (seen === undefined) return;
  if (seen.protocol > protocol) throw incompatible(host.host, seen.protocol, seen.version);
  if (isVersion(seen.version) && isVersion(version) && gt(seen.version, version)) {
    throw new TriremeError(
      'agent.incompatible',
      `The agent on ${host.host} is ${seen.version}, this program is the older ${version}: it would take the agent back.`,
      {host: host.host, hints: [`Use trireme ${seen.version} or newer on this computer.`]},
    );
  }
}

const isVersion = (text: string) => /^\d+\.\d+\.\d+/.test(text);

/** Throws `plan.refused` for what can't be changed on a member of a running cluster. */
export function refuseImpossibleChanges(host: string, before: Wanted, after: Wanted): void {
  const refuse = (what: string, ...hints: readonly string[]) => {
    throw new TriremeError('plan.refused', `${host}: ${what}.`, {host, hints});
  };
  if (before.role !== after.role)
    refuse(
      `the file wants a ${after.role}, and the host is a ${before.role} of the running cluster`,
      'Take the role back in the file, or add another host with that role.',
    );
  if (before.distribution !== after.distribution)
    refuse(`the cluster was made with ${before.distribution}, the file wants ${after.distribution}`, 'Make a new cluster for it.');
  for (const part of ['pods', 'services', 'dnsDomain'] as const) {
    if (String(before.network[part]) !== String(after.network[part]))
      refuse(
        `spec.network.${part} is ${String(before.network[part])} in the running cluster and can't be changed to ${String(after.network[part])}`,
        'Make a new cluster for another network.',
      );
  }
  if (before.node.name !== after.node.name)
    refuse(`the host is the node ${before.node.name}, the file calls it ${after.node.name}`, `Take the name back to ${before.node.name}.`);
}

/**
 * Throws `plan.refused` for a control plane that was taken out while it was away, and came back with its old data: neither the others' etcd nor
 * its own knows it as a member.
 */
export function refuseExpelled(cluster: DesiredCluster, facts: Pick<HostClusterFacts, 'hosts'>): void {
  const states = statesOfMembers(cluster, facts);
  for (const own of states) {
    const {name} = own.wanted?.node ?? {name: own.host};
    const knows = (state: AgentState) => state.etcdMembers?.some((member) => member.name === name) === true;
    const others = states.filter((state) => state !== own && state.etcdMembers !== undefined);
    if (others.length === 0 || knows(own) || others.some(knows)) continue;
    throw new TriremeError(
      'plan.refused',
      `${name} was taken out of ${cluster.document.metadata.name} while it was away, and has come back with its old data.`,
      {
        host: name,
        hints: [`To have it join again as new: trireme machine replace ${name}`, 'Or take it out of the file.'],
      },
    );
  }
}

/** Nodes of the cluster that the file doesn't name; ours say how they're reached. */
export function nodesWithoutHost(cluster: DesiredCluster, facts: HostClusterFacts): readonly {readonly name: string; readonly isOurs: boolean}[] {
  const named = new Set((cluster.document.spec.agent?.hosts ?? []).map((host) => host.name));
  const states = facts.told === undefined ? reachedHosts(facts).flatMap((host) => host.seen ?? []) : [facts.told];
  const found = new Map(states.flatMap((state) => state.nodes).map((node) => [node.name, node.access !== undefined] as const));
  return [...found]
    .filter(([name]) => !named.has(name))
    .map(([name, isOurs]) => ({name, isOurs}))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
