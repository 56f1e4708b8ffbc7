// What a class makes of a cluster's topology: templates with the class's patches applied, before anything is written.
import {listAt, textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import type {Draft} from '../draft.ts';
import {jsonPatch} from '../patch.ts';

interface Variable {
  readonly name: string;
  readonly value: unknown;
}

/** Which part of the cluster a template is for. */
export interface Use {
  readonly part: 'infrastructureCluster' | 'controlPlane' | 'machineDeployment';
  /** Of machine deployments. */
  readonly class?: string;
  /** Over the cluster's variables. */
  readonly overrides?: readonly Variable[];
}

interface Selector {
  readonly apiVersion: string;
  readonly kind: string;
  readonly matchResources: {
    readonly infrastructureCluster?: boolean;
    readonly controlPlane?: boolean;
    readonly machineDeploymentClass?: {readonly names: readonly string[]};
  };
}

function selects({apiVersion, kind, matchResources}: Selector, template: KubeObject, use: Use): boolean {
  if (template.kind !== kind || template.apiVersion !== apiVersion) return false;
  if (use.part === 'infrastructureCluster') return matchResources.infrastructureCluster === true;
  if (use.part === 'controlPlane') return matchResources.controlPlane === true;
  return matchResources.machineDeploymentClass?.names.some((name) => name === '*' || name === use.class) ?? false;
}

/** The template's `spec.template.spec` for this cluster. JSON patches with plain values and variables are understood; Go templates aren't. */
export function patched(template: KubeObject, clusterClass: KubeObject, cluster: KubeObject, use: Use): Draft {
  const given = new Map(
    [...(listAt(cluster, 'spec', 'topology', 'variables') as readonly Variable[]), ...(use.overrides ?? [])].map((one) => [one.name, one.value]),
  );
  let document: unknown = {spec: structuredClone(template['spec'])};
  for (const patch of listAt(clusterClass, 'spec', 'patches'))
    for (const definition of listAt(patch, 'definitions')) {
      if (!selects(valueAt(definition, 'selector') as Selector, template, use)) continue;
      for (const one of listAt(definition, 'jsonPatches')) {
        const variable = textAt(one, 'valueFrom', 'variable');
        const value = variable === undefined ? valueAt(one, 'value') : variableAt(variable, given, cluster);
        // a variable that isn't set leaves the field as the template has it
        if (variable !== undefined && value === undefined) continue;
        document = jsonPatch(document, [{op: textAt(one, 'op'), path: textAt(one, 'path'), value}]);
      }
    }
  return (valueAt(document, 'spec', 'template', 'spec') as Draft | undefined) ?? {};
}

function variableAt(path: string, given: ReadonlyMap<string, unknown>, cluster: KubeObject): unknown {
  if (path === 'builtin.cluster.name') return cluster.metadata.name;
  if (path === 'builtin.cluster.topology.version') return textAt(cluster, 'spec', 'topology', 'version');
  const [name = '', ...rest] = path.split('.');
  return valueAt(given.get(name), ...rest);
}
