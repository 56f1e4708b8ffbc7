// A host out of its cluster and in again as new: what there is to do when its disk, its etcd data or its Kubernetes can't be mended. Pure.
import type {HostPlan, Plan} from '../plan/plan.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import {isReached, reachedHosts, type HostClusterFacts, type MemberFacts} from './facts.ts';
import {requireHost} from './node-verbs.ts';
import {planConverge} from './plan.ts';
import {removalOfHost} from './removals.ts';
import type {HostClusterScope} from './scope.ts';
import {membershipOf} from './wanted.ts';

/** The plan that replaces a host of the file. One that isn't reached is only taken out. Throws `machine.not-found`, `plan.refused`. */
export function planReplace(cluster: DesiredCluster, facts: HostClusterFacts, name: string, options: {readonly mode: string}): Plan<HostClusterScope> {
  const host = requireHost(cluster, name);
  const removal = removalOfHost(cluster, facts, host.name);
  const isAnswering = isReached(removal.observation);
  const after = asNew(facts, host.name);
  // what the one that started the cluster keeps for all goes to another; it must not come to start a second one
  const heir = membershipOf(cluster, after).bootstrap;
  const inherits = heir !== undefined && reachedHosts(after).some((one) => one.host === heir && one.seen?.wanted?.bootstrap !== true) ? [heir] : [];
  const plan = planConverge(cluster, after, {
    ...options,
    hosts: [...(isAnswering ? [host.name] : []), ...inherits],
    operation: 'replace',
    removals: [removal],
    removesFirst: true,
  });
  if (!isAnswering) return plan;
  const leaving = planConverge(cluster, after, {...options, hosts: [], removals: [removal]}).hosts[0];
  return {...plan, hosts: plan.hosts.map((one) => (one.host === host.name && leaving !== undefined ? replaced(one, leaving) : one))};
}

function replaced(joins: HostPlan, leaves: HostPlan): HostPlan {
  return {...joins, state: 'changed', effect: 'replace', changes: [...leaves.changes, ...joins.changes]};
}

/** The facts as they will be when everything of ours is off the host. */
function asNew(facts: HostClusterFacts, name: string): HostClusterFacts {
  const blank = ({host, architecture, networks, simulated}: MemberFacts): MemberFacts => ({
    host,
    architecture,
    networks,
    simulated,
    programDigest: undefined,
    runtimeDigest: undefined,
    agentActive: false,
    seen: undefined,
    content: [],
  });
  return {...facts, hosts: facts.hosts.map((one) => (one.host === name && isReached(one) ? blank(one) : one))};
}
