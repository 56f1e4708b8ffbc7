// Hosts that the cluster has and the file doesn't name: they left the file. Each is known by its node, which says how it's reached, or by its member of etcd.
import type {DesiredCluster} from '../spec/desired.ts';
import {reachedHosts, type HostClusterFacts} from './facts.ts';
import type {AgentState, HostAccess} from './protocol.ts';
import {hostsOf} from './wanted.ts';

export interface Stranger {
  readonly name: string;
  readonly role: 'control-plane' | 'worker';
  /** Undefined: its node isn't there any more. */
  readonly access: HostAccess | undefined;
}

/** What control planes that are members last said, in the file's order. */
export function statesOfMembers(cluster: DesiredCluster, facts: Pick<HostClusterFacts, 'hosts'>): readonly AgentState[] {
  const {name} = cluster.document.metadata;
  return reachedHosts(facts).flatMap(({seen, agentActive}) =>
    seen !== undefined && agentActive && seen.member && seen.wanted?.cluster.name === name && seen.wanted.role === 'control-plane' ? [seen] : [],
  );
}

/**
 * Hosts of the cluster that the file doesn't name, by name. A node without our note was made by hand, or by a version that wrote none: that
 * isn't ours to take away.
 */
export function strangersIn(cluster: DesiredCluster, state: Pick<AgentState, 'nodes' | 'etcdMembers'>): readonly Stranger[] {
  const named = new Set(hostsOf(cluster).map((host) => host.name));
  const members = new Set((state.etcdMembers ?? []).map((member) => member.name).filter((name) => name !== ''));
  const ofNodes = state.nodes.flatMap((node): readonly Stranger[] =>
    named.has(node.name) || node.access === undefined
      ? []
      : [{name: node.name, role: node.roles.includes('control-plane') || members.has(node.name) ? 'control-plane' : 'worker', access: node.access}],
  );
  const nodes = new Set(state.nodes.map((node) => node.name));
  const ofMembers = [...members]
    .filter((name) => !named.has(name) && !nodes.has(name))
    .map((name): Stranger => ({name, role: 'control-plane', access: undefined}));
  return [...ofNodes, ...ofMembers].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
