// A cluster of hosts as views, for as long as anybody looks. Only what a view needs is asked: no content, no program of ours.
import {sleep} from '../../kernel/cancel.ts';
import {askControlPlanes, viewOf} from '../../hostcluster/observe.ts';
import {gatherFacts} from '../../hosts/gather-facts.ts';
import type {DesiredCluster} from '../../spec/desired.ts';
import type {ClusterView} from '../mode.ts';
import {memberOf} from './facts.ts';
import {observation} from './gather.ts';
import type {AgentScope} from './scope.ts';

/** One look at all hosts, over the scope's open connections. A host that doesn't answer is told in the view. */
export async function observeHosts(cluster: DesiredCluster, scope: AgentScope): Promise<ClusterView> {
  const hosts = (await gatherFacts(scope.targets, observation(cluster, scope))).map(memberOf);
  const facts = {hosts};
  return {...viewOf(cluster, facts, await askControlPlanes(cluster, facts, scope), 'agent'), seenAt: new Date().toISOString()};
}

/** A view each `interval` ms, later and later as long as no host answers. Ends when the signal aborts. */
export async function* watchHosts(
  cluster: DesiredCluster,
  scope: AgentScope,
  options: {readonly signal: AbortSignal; readonly interval: number},
): AsyncGenerator<ClusterView, void, undefined> {
  const {signal, interval} = options;
  let misses = 0;
  while (!signal.aborted) {
    const view = await observeHosts(cluster, scope);
    if (signal.aborted) return;
    yield view;
    misses = view.machines.some((machine) => machine.state !== 'unreachable') ? 0 : Math.min(misses + 1, 4);
    await sleep(interval * 2 ** misses, signal).catch(() => {}); // aborted: the loop ends
  }
}
