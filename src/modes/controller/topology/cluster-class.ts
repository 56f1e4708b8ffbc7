// A ClusterClass as plain facts: what a cluster may ask of it. Pure.
import {digestOfValue} from '../../../kernel/digest.ts';
import {listAt, numberAt, textAt, valueAt, type Condition, type KubeObject} from '../../../kube/object.ts';
import type {ValueSchema} from './value-schema.ts';

export interface ClassVariable {
  readonly name: string;
  readonly required: boolean;
  readonly schema: ValueSchema;
}

export interface TemplateRef {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
}

export interface WorkerClass {
  readonly kind: 'MachineDeployment' | 'MachinePool';
  readonly class: string;
  readonly bootstrap?: TemplateRef;
  readonly infrastructure?: TemplateRef;
  /** The class's own annotations make its pools autoscaled. */
  readonly isAutoscaled: boolean;
}

export interface ClassPatch {
  readonly name: string;
  readonly enabledIf: string;
  /** Patches come from an extension: what they change isn't known here. */
  readonly isExternal: boolean;
  readonly definitions: readonly {
    readonly apiVersion: string;
    readonly kind: string;
    readonly controlPlane: boolean;
    readonly infrastructureCluster: boolean;
    readonly deploymentClasses: readonly string[];
    readonly poolClasses: readonly string[];
    readonly patches: readonly {readonly path: string; readonly variable: string; readonly template: string}[];
  }[];
}

export interface ClassFacts {
  readonly name: string;
  readonly namespace: string;
  /** Of what a plan reads: the spec and the variables. */
  readonly digest: string;
  /** Undefined until the class was reconciled: then its variables aren't known for certain. */
  readonly notReady?: string;
  readonly variables: readonly ClassVariable[];
  readonly workers: readonly WorkerClass[];
  readonly infrastructure?: TemplateRef;
  readonly controlPlane?: TemplateRef;
  readonly controlPlaneMachines?: TemplateRef;
  readonly patches: readonly ClassPatch[];
  /** Versions that a cluster may have; empty: any. With some, upgrades over several minors are chained. */
  readonly kubernetesVersions: readonly string[];
  readonly hasUpgradePlan: boolean;
}

const autoscaler = /^cluster\.x-k8s\.io\/cluster-api-autoscaler-node-group-(min|max)-size$/;

/** Reads a ClusterClass of v1beta2 or v1beta1. */
export function readClass(object: KubeObject): ClassFacts {
  const variables = readVariables(object);
  const notReady = whyNotReady(object);
  const infrastructure = templateRef(object, 'spec', 'infrastructure');
  const controlPlane = templateRef(object, 'spec', 'controlPlane');
  const controlPlaneMachines = templateRef(object, 'spec', 'controlPlane', 'machineInfrastructure');
  return {
    name: object.metadata.name,
    namespace: object.metadata.namespace ?? '',
    digest: digestOfValue([object['spec'], variables]),
    ...(notReady === undefined ? {} : {notReady}),
    variables,
    workers: [...readWorkers(object, 'MachineDeployment'), ...readWorkers(object, 'MachinePool')],
    ...(infrastructure === undefined ? {} : {infrastructure}),
    ...(controlPlane === undefined ? {} : {controlPlane}),
    ...(controlPlaneMachines === undefined ? {} : {controlPlaneMachines}),
    patches: listAt(object, 'spec', 'patches').map(readPatch),
    kubernetesVersions: listAt(object, 'spec', 'kubernetesVersions').filter((version) => typeof version === 'string'),
    hasUpgradePlan: (textAt(object, 'spec', 'upgrade', 'external', 'generateUpgradePlanExtension') ?? '') !== '',
  };
}

/** From the status, where those that extensions bring are too; from the spec until the class was reconciled. */
function readVariables(object: KubeObject): readonly ClassVariable[] {
  const inStatus = listAt(object, 'status', 'variables').flatMap((variable) => {
    const [definition] = listAt(variable, 'definitions');
    return definition === undefined ? [] : [readVariable(textAt(variable, 'name'), definition)];
  });
  if (inStatus.length > 0) return inStatus;
  return listAt(object, 'spec', 'variables').map((variable) => readVariable(textAt(variable, 'name'), variable));
}

function readVariable(name: string | undefined, definition: unknown): ClassVariable {
  return {
    name: name ?? '',
    required: valueAt(definition, 'required') === true,
    schema: (valueAt(definition, 'schema', 'openAPIV3Schema') ?? {}) as ValueSchema,
  };
}

function whyNotReady(object: KubeObject): string | undefined {
  const observed = numberAt(object, 'status', 'observedGeneration');
  if (observed !== undefined && object.metadata.generation !== undefined && observed < object.metadata.generation)
    return 'its controller has not looked at it yet';
  const conditions = listAt(object, 'status', 'conditions') as readonly Condition[];
  const ready = conditions.find(({type}) => type === 'VariablesReady' || type === 'VariablesReconciled');
  if (ready !== undefined && ready.status === 'False') return ready.message ?? ready.reason ?? 'its variables are not ready';
  return undefined;
}

function readWorkers(object: KubeObject, kind: WorkerClass['kind']): readonly WorkerClass[] {
  return listAt(object, 'spec', 'workers', kind === 'MachineDeployment' ? 'machineDeployments' : 'machinePools').map((worker): WorkerClass => {
    // v1beta1 has them below `template`
    const inside = valueAt(worker, 'template') ?? worker;
    const bootstrap = templateRef(inside, 'bootstrap');
    const infrastructure = templateRef(inside, 'infrastructure');
    const annotations = valueAt(inside, 'metadata', 'annotations');
    return {
      kind,
      class: textAt(worker, 'class') ?? '',
      ...(bootstrap === undefined ? {} : {bootstrap}),
      ...(infrastructure === undefined ? {} : {infrastructure}),
      isAutoscaled: annotations !== null && typeof annotations === 'object' && Object.keys(annotations).some((key) => autoscaler.test(key)),
    };
  });
}

/** `templateRef` of v1beta2, `ref` of v1beta1. */
function templateRef(object: unknown, ...path: readonly string[]): TemplateRef | undefined {
  const ref = valueAt(object, ...path, 'templateRef') ?? valueAt(object, ...path, 'ref');
  const kind = textAt(ref, 'kind');
  if (kind === undefined) return undefined;
  return {group: (textAt(ref, 'apiVersion') ?? '').split('/')[0] ?? '', kind, name: textAt(ref, 'name') ?? ''};
}

function readPatch(patch: unknown): ClassPatch {
  return {
    name: textAt(patch, 'name') ?? '',
    enabledIf: textAt(patch, 'enabledIf') ?? '',
    isExternal: valueAt(patch, 'external', 'generatePatchesExtension') !== undefined || valueAt(patch, 'external', 'generateExtension') !== undefined,
    definitions: listAt(patch, 'definitions').map((definition) => ({
      apiVersion: textAt(definition, 'selector', 'apiVersion') ?? '',
      kind: textAt(definition, 'selector', 'kind') ?? '',
      controlPlane: valueAt(definition, 'selector', 'matchResources', 'controlPlane') === true,
      infrastructureCluster: valueAt(definition, 'selector', 'matchResources', 'infrastructureCluster') === true,
      deploymentClasses: listAt(definition, 'selector', 'matchResources', 'machineDeploymentClass', 'names').filter((name) => typeof name === 'string'),
      poolClasses: listAt(definition, 'selector', 'matchResources', 'machinePoolClass', 'names').filter((name) => typeof name === 'string'),
      patches: listAt(definition, 'jsonPatches').map((one) => ({
        path: textAt(one, 'path') ?? '',
        variable: textAt(one, 'valueFrom', 'variable') ?? '',
        template: textAt(one, 'valueFrom', 'template') ?? '',
      })),
    })),
  };
}
