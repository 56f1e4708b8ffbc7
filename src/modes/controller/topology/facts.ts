// What was seen in the management cluster of one cluster and of what it is made of. Plain data, JSON as a whole.
import type {AccessCheck} from '../../../kube/api.ts';
import type {KubeObject} from '../../../kube/object.ts';
import type {LayerFacts} from '../layer-steps.ts';
import type {ClassFacts} from './cluster-class.ts';
import type {CoreVersion} from './names.ts';

export interface ControlPlaneFacts {
  readonly kind: string;
  readonly name: string;
  /** Empty where its kind has none. */
  readonly version: string;
  /** Versions that its machines have now, as the control plane says. */
  readonly statusVersions: readonly string[];
  readonly replicas: number;
}

export interface PoolFacts {
  readonly kind: 'MachineDeployment' | 'MachinePool';
  /** Of the object; Cluster API chose it. */
  readonly object: string;
  /** In the topology. */
  readonly pool: string;
  readonly version: string;
  readonly replicas: number;
  /** Machines that don't have the pool's version yet; the names of the first few. */
  readonly behind: readonly string[];
}

/** What a server-side dry run said to what we would apply. */
export type DryRun =
  | {readonly outcome: 'accepted'; readonly object: KubeObject}
  | {readonly outcome: 'refused'; readonly message: string; readonly causes: readonly {readonly field: string; readonly message: string}[]}
  /** It wasn't made: why. */
  | {readonly outcome: 'skipped'; readonly why: string};

export interface TopologyFacts {
  readonly way: 'class';
  readonly simulated: boolean;
  /** Of the management cluster's Kubernetes. */
  readonly serverVersion: string;
  /** The newest version of Cluster API's core group that is served and spoken here. */
  readonly coreVersion: CoreVersion;
  readonly namespace: {readonly name: string; readonly exists: boolean};
  /** As the server has it, in the served version, its managedFields in it. */
  readonly live?: KubeObject;
  /** Names of the ClusterClasses in the class's namespace. */
  readonly classes: readonly string[];
  /** The class that the file names. */
  readonly class?: ClassFacts;
  /** The class that the cluster has, when it is another one. */
  readonly oldClass?: ClassFacts;
  readonly controlPlane?: ControlPlaneFacts;
  readonly pools: readonly PoolFacts[];
  /** Rights that applying needs and this user doesn't have. */
  readonly missingRights: readonly AccessCheck[];
  readonly dryRun: DryRun;
  /** What the cluster itself has of the profile's layers; absent without layers, and before there is a cluster. */
  readonly layers?: LayerFacts;
}
