// Which objects name which others.
import {numberAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import {keyOf, referenceIn, type Reference} from './kinds.ts';

/** What an object of a cluster names: the part that it plays and the field that names it. */
export interface NamedPart {
  readonly part: 'infrastructure' | 'control-plane' | 'bootstrap' | 'template';
  readonly field: string;
  readonly reference: Reference;
}

const places: Readonly<Record<string, readonly (readonly [NamedPart['part'], string])[]>> = {
  Cluster: [
    ['infrastructure', 'spec.infrastructureRef'],
    ['control-plane', 'spec.controlPlaneRef'],
  ],
  Machine: [
    ['infrastructure', 'spec.infrastructureRef'],
    ['bootstrap', 'spec.bootstrap.configRef'],
  ],
  // a MachinePool's "template" names objects, no templates
  MachinePool: [
    ['infrastructure', 'spec.template.spec.infrastructureRef'],
    ['bootstrap', 'spec.template.spec.bootstrap.configRef'],
  ],
};

const templatePlaces: Readonly<Record<string, readonly string[]>> = {
  MachineDeployment: ['spec.template.spec.infrastructureRef', 'spec.template.spec.bootstrap.configRef'],
  // of a control plane, whatever its kind: contract v1beta2, then v1beta1
  '*': ['spec.machineTemplate.spec.infrastructureRef', 'spec.machineTemplate.infrastructureRef'],
};

export function partsOf(object: KubeObject): readonly NamedPart[] {
  return (places[object.kind] ?? []).flatMap(([part, field]) => namedAt(object, part, field));
}

/** The templates that machines of a pool or a control plane are made from. */
export function templatesOf(object: KubeObject): readonly NamedPart[] {
  const fields = templatePlaces[object.kind] ?? (object.kind in places ? [] : (templatePlaces['*'] ?? []));
  return fields.flatMap((field) => namedAt(object, 'template', field));
}

function namedAt(object: KubeObject, part: NamedPart['part'], field: string): readonly NamedPart[] {
  const reference = referenceIn(valueAt(object, ...field.split('.')), object.metadata.namespace ?? '');
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
