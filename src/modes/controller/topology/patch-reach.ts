// What a variable's change reaches, read from the class's patches: only where a template of machines changes are machines replaced. Pure.
import type {ClassFacts, ClassPatch, TemplateRef, WorkerClass} from './cluster-class.ts';

export interface Reach {
  /** `replace`: machines get a new template. `in-place`: objects change, machines stay. */
  readonly how: 'replace' | 'in-place' | 'none';
  /** Why, for the plan. */
  readonly why?: string;
}

/** Fields of a control plane's template that change nothing in its machines' templates (KubeadmControlPlane's controller updates them in place). */
const inPlaceOfControlPlane =
  /^\/spec\/template\/(metadata|spec\/(replicas|machineTemplate|machineNaming|machineNamingStrategy|rolloutStrategy|rolloutBefore|rollout|remediation|remediationStrategy))(\/|$)/;
/** New labels and annotations of a template make no new machines. */
const inPlaceOfTemplate = /^\/spec\/template\/metadata(\/|$)/;

/** What a changed variable does to the machines of the control plane, or of pools of a worker class. */
export function reachOf(facts: ClassFacts, variable: string, unit: 'control-plane' | WorkerClass): Reach {
  let inPlace: Reach = {how: 'none'};
  for (const patch of facts.patches) {
    if (patch.isExternal) return {how: 'replace', why: `the patch ${patch.name} is made by an extension, so machines may be replaced`};
    const enables = mentions(patch.enabledIf, variable);
    for (const definition of patch.definitions) {
      const target = targetOf(definition, facts, unit);
      if (target === undefined) continue;
      const paths = definition.patches.filter((one) => enables || usesVariable(one, variable)).map(({path}) => path);
      const still = target === 'control-plane' ? inPlaceOfControlPlane : inPlaceOfTemplate;
      const rolling = paths.find((path) => !still.test(path));
      if (rolling !== undefined) return {how: 'replace', why: `the patch ${patch.name} writes it into the ${definition.kind}'s ${rolling}`};
      if (paths.length > 0) inPlace = {how: 'in-place', why: `the patch ${patch.name} writes it into the ${definition.kind} in place`};
    }
  }
  return inPlace;
}

/** Whether the variable is written into the infrastructure's cluster object. */
export function reachesInfrastructure(facts: ClassFacts, variable: string): boolean {
  return facts.patches.some((patch) =>
    patch.definitions.some(
      (definition) => definition.infrastructureCluster && definition.patches.some((one) => mentions(patch.enabledIf, variable) || usesVariable(one, variable)),
    ),
  );
}

type Definition = ClassPatch['definitions'][number];

/** Which of the unit's templates a definition changes. */
function targetOf(definition: Definition, facts: ClassFacts, unit: 'control-plane' | WorkerClass): 'control-plane' | 'machines' | undefined {
  if (unit === 'control-plane') {
    if (!definition.controlPlane) return undefined;
    if (isKind(definition, facts.controlPlane)) return 'control-plane';
    return isKind(definition, facts.controlPlaneMachines) ? 'machines' : undefined;
  }
  const names = unit.kind === 'MachineDeployment' ? definition.deploymentClasses : definition.poolClasses;
  if (!names.some((pattern) => matches(pattern, unit.class))) return undefined;
  return isKind(definition, unit.bootstrap) || isKind(definition, unit.infrastructure) ? 'machines' : undefined;
}

function isKind(definition: Definition, ref: TemplateRef | undefined): boolean {
  return ref !== undefined && definition.kind === ref.kind && definition.apiVersion.split('/')[0] === ref.group;
}

/** `*`, `gpu-*` and `*-large` stand for several classes. */
function matches(pattern: string, name: string): boolean {
  if (pattern === '*') return true;
  if (pattern.startsWith('*')) return name.endsWith(pattern.slice(1));
  if (pattern.endsWith('*')) return name.startsWith(pattern.slice(0, -1));
  return pattern === name;
}

function usesVariable({variable: from, template}: {readonly variable: string; readonly template: string}, variable: string): boolean {
  return from === variable || from.startsWith(`${variable}.`) || from.startsWith(`${variable}[`) || mentions(template, variable);
}

/** A Go template reads `.name`. */
function mentions(template: string, variable: string): boolean {
  const escaped = variable.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(String.raw`\.${escaped}(?![\w-])`).test(template);
}
