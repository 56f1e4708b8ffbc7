// Whether hosts may be worked on for the first time: preflight over the facts that the plan stands on, without another round trip.
import type {Plan} from '../../plan/plan.ts';
import {protocol} from '../../hostcluster/protocol.ts';
import {preflightContext} from '../../hosts/preflight/context.ts';
import {runPreflight} from '../../hosts/preflight/run-preflight.ts';
import type {DesiredCluster} from '../../spec/desired.ts';
import type {Obstacle} from '../mode.ts';
import type {AgentFacts} from './facts.ts';

/** What preflight holds against the plan's new hosts. Members aren't judged again: they run. */
export function obstaclesOf(cluster: DesiredCluster, facts: AgentFacts, plan: Pick<Plan<never>, 'hosts'>): readonly Obstacle[] {
  const fresh = new Set(plan.hosts.filter((host) => host.state === 'new').map((host) => host.host));
  if (fresh.size === 0) return [];
  const observations = facts.observations.filter((observation) => 'facts' in observation);
  const report = runPreflight(preflightContext({cluster: cluster.document, layers: cluster.layers, observations, protocol}));
  return report.results
    .filter((result) => result.status === 'error' && (result.host === undefined || fresh.has(result.host)))
    .map(({id, host, observed, wanted, remedy}) => ({id, observed, wanted, remedy, ...(host === undefined ? {} : {host})}));
}
