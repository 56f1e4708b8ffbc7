// The cluster's secrets: read back from a control plane, or made, once, by the control plane that starts the cluster.
import {TriremeError} from '../../kernel/errors.ts';
import type {Step} from '../../plan/plan.ts';
import type {HostClusterScope} from '../scope.ts';

export interface SecretsStepOptions {
  /** Control planes that answer, the one that starts the cluster first. */
  readonly controlPlanes: readonly string[];
  /** Where they are made when nobody has them; undefined in a cluster that was started before. */
  readonly maker: string | undefined;
  /** What hosts of the cluster say of its id; empty for a new one. */
  readonly clusterId: string;
}

/** Reads or makes the secrets, before any host is given anything. */
export function secretsStep(options: SecretsStepOptions): Step<HostClusterScope> {
  return {
    id: 'secrets',
    title: options.clusterId === '' ? "Make the cluster's secrets" : "Read the cluster's secrets",
    effect: 'none',
    check: async ({scope}) => {
      const secrets = await scope.secrets.read(options.controlPlanes);
      if (secrets === undefined) return 'needed';
      requireSameCluster(scope, options);
      return 'satisfied';
    },
    apply: async ({scope}) => {
      const {maker} = options;
      if (maker === undefined || options.clusterId !== '') {
        throw new TriremeError(
          'cluster.not-made',
          `None of the control planes that answer (${options.controlPlanes.join(', ') || 'none'}) has the cluster's secrets.`,
          {
            hints: ['Bring back a control plane that was a member, and try again.'],
          },
        );
      }
      await scope.secrets.make(maker);
      return `kept on ${maker}, readable for root only`;
    },
  };
}

function requireSameCluster(scope: HostClusterScope, options: SecretsStepOptions): void {
  const {clusterId} = scope.secrets;
  if (options.clusterId === '' || options.clusterId === clusterId) return;
  throw new TriremeError(
    'cluster.foreign',
    `The secrets on the control planes are those of the cluster ${clusterId}, and the hosts belong to ${options.clusterId}.`,
    {hints: ['Check that the file names the right hosts.']},
  );
}
