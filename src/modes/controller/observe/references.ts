// Which objects name which others.
import {numberAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import {keyOf, referenceIn, type KindName, type Reference} from './kinds.ts';

/** What an object of a cluster names: the part that it plays and the field that names it. */
export interface NamedPart {
  readonly part: 'infrastructure' | 'control-plane' | 'bootstrap' | 'template';
  readonly field: string;
  readonly reference: Reference;
}

/** Names a kind and what its objects are for. */
export interface NamedKind extends KindName {
  readonly isBootstrap: boolean;
}

interface Place {
  readonly part: NamedPart['part'];
  readonly field: string;
  readonly path: readonly string[];
}

const place = (part: NamedPart['part'], field: string): Place => ({part, field, path: field.split('.')});

const places: Readonly<Record<string, readonly Place[]>> = {
  Cluster: [place('infrastructure', 'spec.infrastructureRef'), place('control-plane', 'spec.controlPlaneRef')],
  Machine: [place('infrastructure', 'spec.infrastructureRef'), place('bootstrap', 'spec.bootstrap.configRef')],
  // a MachinePool's "template" names objects, no templates
  MachinePool: [place('infrastructure', 'spec.template.spec.infrastructureRef'), place('bootstrap', 'spec.template.spec.bootstrap.configRef')],
};

const deploymentTemplates = [place('template', 'spec.template.spec.infrastructureRef'), place('template', 'spec.template.spec.bootstrap.configRef')];
/** Of a control plane, whatever its kind: contract v1beta2, then v1beta1. */
const controlPlaneTemplates = [place('template', 'spec.machineTemplate.spec.infrastructureRef'), place('template', 'spec.machineTemplate.infrastructureRef')];

/** An object that was seen never changes: a newer one takes its place. */
const known = new WeakMap<KubeObject, readonly NamedPart[]>();

export function partsOf(object: KubeObject): readonly NamedPart[] {
  const before = known.get(object);
  if (before !== undefined) return before;
  const parts = (places[object.kind] ?? []).flatMap((one) => namedAt(object, one));
  known.set(object, parts);
  return parts;
}

/** The templates that machines of a pool or a control plane are made from. */
export function templatesOf(object: KubeObject): readonly NamedPart[] {
  if (object.kind in places) return [];
  return (object.kind === 'MachineDeployment' ? deploymentTemplates : controlPlaneTemplates).flatMap((one) => namedAt(object, one));
}

/** The kinds of the objects that a pool's machines name. A template's kind is that of what is made from it and `Template`: Cluster API's contract. */
export function madeKinds(object: KubeObject): readonly NamedKind[] {
  if (object.kind !== 'MachineDeployment' || (numberAt(object, 'status', 'replicas') ?? 0) === 0) return [];
  return templatesOf(object).flatMap((template) => {
    const {name: _name, namespace: _namespace, kind, ...rest} = template.reference;
    return kind.endsWith('Template') ? [{...rest, kind: kind.slice(0, -'Template'.length), isBootstrap: isBootstrap(template)}] : [];
  });
}

/** Whether it names the bootstrap object of a machine or pool, or its template. */
export function isBootstrap({field}: Pick<NamedPart, 'field'>): boolean {
  return field.endsWith('bootstrap.configRef');
}

function namedAt(object: KubeObject, {part, field, path}: Place): readonly NamedPart[] {
  const reference = referenceIn(valueAt(object, ...path), object.metadata.namespace ?? '');
  return reference === undefined ? [] : [{part, field, reference}];
}

/** True for a pool or control plane that has fewer machines than it wants: then it's worth looking whether its templates are there. */
export function lacksMachines(object: KubeObject): boolean {
  const wanted = numberAt(object, 'spec', 'replicas');
  return wanted !== undefined && object.metadata.deletionTimestamp === undefined && (numberAt(object, 'status', 'replicas') ?? 0) < wanted;
}

export function keyOfReference({group, kind, namespace, name}: Reference): string {
  return keyOf(group, kind, namespace, name);
}
