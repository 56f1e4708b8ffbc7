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
    apply: async ({scope, emit}) => {
      const silent = await scope.leases.acquire(hosts);
      for (const host of silent)
        emit({
          type: 'warning.raised',
          code: 'host.unreachable',
          message: `${host} has become silent: the lease of ${cluster} isn't taken there, and the others go on.`,
          host,
          hints: [`Look whether it's up: trireme host check ${host}`],
        });
      return `${cluster} is ours on ${hosts.filter((host) => !silent.includes(host)).join(', ')}`;
    },
  };
}
