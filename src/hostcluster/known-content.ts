// Content that can't be pinned here may still be known: the hosts of the cluster have it, and say which it is.
import {TriremeError} from '../kernel/errors.ts';
import {errorOf, type Problem} from '../kernel/problem.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import {endpointImage} from '../bundle/sources.ts';
import {reachedHosts, type Architecture, type HostClusterFacts} from './facts.ts';
import type {ContentItem, Wanted} from './protocol.ts';

/**
 * Facts with content for every architecture. A computer without the lock and without the sources (a second operator's) takes what the control
 * planes say that they have, as long as the file still wants the same version and layers. Throws the problem of pinning otherwise.
 */
export function withKnownContent(cluster: DesiredCluster, facts: HostClusterFacts): HostClusterFacts {
  const problem = facts.contentProblem;
  if (problem === undefined) return facts;
  const content: Partial<Record<Architecture, readonly ContentItem[]>> = {...facts.content};
  for (const {architecture} of reachedHosts(facts)) content[architecture] ??= contentOfHosts(cluster, facts, architecture) ?? giveUp(problem);
  return {...facts, content};
}

function contentOfHosts(cluster: DesiredCluster, facts: HostClusterFacts, architecture: Architecture): readonly ContentItem[] | undefined {
  return reachedHosts(facts)
    .filter((host) => host.architecture === architecture)
    .flatMap((host) => host.seen?.wanted ?? [])
    .find((wanted) => wanted.role === 'control-plane' && isSame(cluster, wanted))?.content;
}

function isSame(cluster: DesiredCluster, wanted: Wanted): boolean {
  const {metadata, spec} = cluster.document;
  const layers = cluster.layers.map(({name, manifest}) => `${name}\n${manifest}`).join('\n');
  return (
    wanted.cluster.name === metadata.name &&
    wanted.kubernetesVersion === spec.kubernetes.version &&
    // an image that came with an older version of this program is no use to this one
    (spec.endpoint.type !== 'vip' || wanted.endpoint.vip?.image === endpointImage) &&
    wanted.layers.map(({name, manifest}) => `${name}\n${manifest}`).join('\n') === layers
  );
}

function giveUp(problem: Problem): never {
  const error = errorOf(problem);
  throw new TriremeError(error.code, error.message, {
    hints: [...error.hints, 'Name the content in the file: spec.agent.bundle'],
    ...(error.details === undefined ? {} : {details: error.details}),
  });
}
