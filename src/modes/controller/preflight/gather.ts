// Gathers what controller mode's checks look at: the management cluster and, where the file names one, the cloud account.
import {isTriremeError} from '../../../kernel/errors.ts';
import {problemOf, type Problem} from '../../../kernel/problem.ts';
import type {ClusterDocument} from '../../../spec/schema.ts';
import type {Library} from '../providers/facts.ts';
import type {ControllerScope} from '../scope.ts';
import type {PreflightFacts} from './check.ts';
import {observeManagement, type ManagementSeen} from './observe.ts';

export async function gatherPreflight(
  cluster: ClusterDocument,
  scope: ControllerScope | {readonly problem: Problem},
  library: Library,
  signal: AbortSignal,
): Promise<PreflightFacts> {
  const settings = cluster.spec.controller?.cloud?.aws;
  const [management, aws] = await Promise.all([
    'problem' in scope ? scope : observeManagement(scope.api, library, cluster, signal),
    settings === undefined ? undefined : import('./aws/observe.ts').then(({observeAws}) => observeAws(settings, {machines: machinesOf(cluster)}, signal)),
  ]);
  const isSeen = (seen: typeof management): seen is ManagementSeen => 'server' in seen;
  return {cluster, problem: isSeen(management) ? undefined : management.problem, management: isSeen(management) ? management : undefined, aws};
}

/** As many as the file asks for; of autoscaled pools the most. */
function machinesOf({spec: {controller}}: ClusterDocument): number {
  const pools = (controller?.pools ?? []).map(({replicas, autoscale}) => autoscale?.max ?? replicas ?? 1);
  return (controller?.controlPlane.replicas ?? 1) + pools.reduce((sum, one) => sum + one, 0);
}

/** Opening the way to a management cluster can fail too: that's a finding, and the cloud is looked at all the same. */
export async function problemOrScope(open: () => Promise<ControllerScope>): Promise<ControllerScope | {readonly problem: Problem}> {
  try {
    return await open();
  } catch (error) {
    if (isTriremeError(error) && /^(api|kubeconfig)\./.test(error.code)) return {problem: problemOf(error)};
    throw error;
  }
}
