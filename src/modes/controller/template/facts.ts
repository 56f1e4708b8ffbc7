// What was seen of a cluster whose file has a template instead of a class. Plain data, JSON as a whole.
import type {KubeObject} from '../../../kube/object.ts';
import type {AccessCheck} from '../../../kube/api.ts';
import type {LayerFacts} from '../layer-steps.ts';
import type {DryRun} from '../topology/facts.ts';
import type {CoreVersion} from '../topology/names.ts';
import type {TemplateText} from './render-template.ts';

export interface TemplateFacts {
  readonly way: 'template';
  readonly simulated: boolean;
  readonly serverVersion: string;
  readonly coreVersion: CoreVersion;
  readonly namespace: {readonly name: string; readonly exists: boolean};
  /** The file's, or the provider's. */
  readonly template: TemplateText;
  /** What is there, by `objectKey`. */
  readonly live: Readonly<Record<string, KubeObject>>;
  /** By `objectKey`; only of what would be written. */
  readonly dryRuns: Readonly<Record<string, DryRun>>;
  /** Kinds that aren't served: `AWSCluster of infrastructure.cluster.x-k8s.io/v1beta2`. */
  readonly unknownKinds: readonly string[];
  /** Pools of the cluster that the template doesn't have. */
  readonly foreignPools: readonly string[];
  readonly missingRights: readonly AccessCheck[];
  readonly layers?: LayerFacts;
}

export function objectKey(object: Pick<KubeObject, 'kind' | 'metadata'>): string {
  return `${object.kind}/${object.metadata.name}`;
}
