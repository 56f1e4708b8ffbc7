// The facts that a plan stands on, by path. Only what planning reads is in here: a clock, load or free memory moves nothing.
import {digestOfValue} from '../kernel/digest.ts';
import type {Basis} from '../plan/plan.ts';
import type {Assessment} from './assess.ts';
import {isReached, type HostClusterFacts} from './facts.ts';
import type {Membership} from './wanted.ts';

/** The basis of a plan over these hosts. */
export function basisOf(facts: HostClusterFacts, membership: Membership, assessments: ReadonlyMap<string, Assessment>): Basis {
  const basis: Record<string, unknown> = {
    'cluster.id': membership.id,
    'cluster.bootstrap': membership.bootstrap ?? '',
    'cluster.started': membership.started,
    'program.version': facts.program.version,
    'program.agent': facts.program.agent.digest,
  };
  for (const observation of facts.hosts) {
    const assessment = assessments.get(observation.host);
    if (assessment === undefined) continue;
    const set = (name: string, value: unknown) => (basis[`hosts.${observation.host}.${name}`] = value);
    set('reachable', isReached(observation));
    if (!isReached(observation)) continue;
    const {seen} = observation;
    set('architecture', observation.architecture);
    set('agent.program', observation.programDigest ?? '');
    set('agent.runtime', observation.runtimeDigest ?? '');
    set('agent.active', observation.agentActive);
    set('agent.converged', seen?.converged ?? false);
    set('agent.wanted', seen?.wantedDigest ?? '');
    set('agent.secrets', seen?.secretsDigest ?? '');
    set('member', seen?.member ?? false);
    set('missing', assessment.work?.missing.map((blob) => blob.digest).toSorted() ?? []);
    // holds what was read of addresses and networks, and the digests of pinned content
    if (assessment.work !== undefined) set('wanted', digestOfValue(assessment.work.wanted));
  }
  return basis;
}
