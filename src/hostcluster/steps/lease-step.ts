// The first step that touches hosts: nobody else works on this cluster while we do.
import type {Step} from '../../plan/plan.ts';
import type {HostClusterScope} from '../scope.ts';

/** Takes the lease on these control planes, in order. */
export function leaseStep(cluster: string, hosts: readonly string[]): Step<HostClusterScope> {
  return {
    id: 'lease',
    title: 'Take the lease of the cluster',
    effect: 'none',
    check: async ({scope}) => (scope.leases.holds(hosts) ? 'satisfied' : 'needed'),
    apply: async ({scope}) => {
      await scope.leases.acquire(hosts);
      return `${cluster} is ours on ${hosts.join(', ')}`;
    },
  };
}
