// Which rules a kind has besides its schema: what Cluster API's webhooks default and refuse, with their names and words.
import type {KubeObject} from '../../../kube/object.ts';
import {ApiFailure, invalid, type FieldError} from '../failure.ts';
import type {KindRegistry, ServedKind} from '../kinds.ts';
import type {ObjectStore} from '../store.ts';
import {clusterClassRules} from './cluster-class.ts';
import {clusterRules} from './cluster.ts';
import {controlPlaneRules} from './control-plane.ts';
import {machineDeploymentRules, machineRules, machineSetRules} from './machines.ts';
import {controlPlaneTemplateRules, devClusterTemplateRules, devMachineTemplateRules} from './templates.ts';

/** What rules may look at. */
export interface World {
  readonly store: ObjectStore;
  readonly kinds: KindRegistry;
}

export type Warn = (message: string) => void;

/** A kind's rules. `validate` and `mutate` may return errors: they are told under the webhook's name. */
export interface Rules {
  /** `cluster.cluster.x-k8s.io`, as in `validation.cluster.cluster.x-k8s.io`. */
  readonly webhook: string;
  /** Where the webhook tells another group than the kind's own (Cluster API's control plane does). */
  readonly errorGroup?: string;
  mutate?(draft: KubeObject, old: KubeObject | undefined, world: World): {readonly object: KubeObject; readonly errors?: readonly FieldError[]};
  validate?(object: KubeObject, old: KubeObject | undefined, world: World, warn: Warn): readonly FieldError[];
  /** Why it may not be deleted. */
  whyKept?(object: KubeObject, world: World): string | undefined;
}

const rulesByKind: Readonly<Record<string, Rules>> = {
  'Cluster.cluster.x-k8s.io': clusterRules,
  'ClusterClass.cluster.x-k8s.io': clusterClassRules,
  'Machine.cluster.x-k8s.io': machineRules,
  'MachineSet.cluster.x-k8s.io': machineSetRules,
  'MachineDeployment.cluster.x-k8s.io': machineDeploymentRules,
  'KubeadmControlPlane.controlplane.cluster.x-k8s.io': controlPlaneRules,
  'KubeadmControlPlaneTemplate.controlplane.cluster.x-k8s.io': controlPlaneTemplateRules,
  'DevClusterTemplate.infrastructure.cluster.x-k8s.io': devClusterTemplateRules,
  'DevMachineTemplate.infrastructure.cluster.x-k8s.io': devMachineTemplateRules,
};

export class Admission {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  mutate(kind: ServedKind, draft: KubeObject, old: KubeObject | undefined): KubeObject {
    const rules = rulesOf(kind);
    if (rules?.mutate === undefined || isLeaving(draft)) return draft;
    const {object, errors = []} = rules.mutate(draft, old, this.#world);
    if (errors.length > 0) this.#deny(kind, rules, draft, errors, 'default');
    return object;
  }

  validate(kind: ServedKind, object: KubeObject, old: KubeObject | undefined, warn: Warn | undefined): void {
    const rules = rulesOf(kind);
    const errors = isLeaving(object) ? [] : (rules?.validate?.(object, old, this.#world, warn ?? (() => {})) ?? []);
    if (rules !== undefined && errors.length > 0) this.#deny(kind, rules, object, errors, 'validation');
  }

  validateRemoval(kind: ServedKind, object: KubeObject): void {
    const rules = rulesOf(kind);
    const why = rules?.whyKept?.(object, this.#world);
    if (why === undefined) return;
    const {name} = object.metadata;
    const text = `${kind.plural}.${kind.group} "${name}" is forbidden: ${why}`;
    throw new ApiFailure(403, 'Forbidden', `admission webhook "validation.${rules?.webhook}" denied the request: ${text}`, {
      name,
      group: kind.group,
      kind: kind.plural,
    });
  }

  #deny(kind: ServedKind, rules: Rules, object: KubeObject, errors: readonly FieldError[], phase: string): never {
    throw invalid({group: rules.errorGroup ?? kind.group, kind: kind.kind}, object.metadata.name, errors, `${phase}.${rules.webhook}`);
  }
}

const rulesOf = (kind: ServedKind): Rules | undefined => rulesByKind[`${kind.kind}.${kind.group}`];

/** An object that is only waiting for its finalizers isn't held to the rules: it must be able to go. */
const isLeaving = (object: KubeObject) => object.metadata.deletionTimestamp !== undefined;
