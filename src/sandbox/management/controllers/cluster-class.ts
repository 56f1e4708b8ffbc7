// ClusterClasses: their variables as status, and ownership of their templates.
import {listAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import {isFalse, isTrue, withConditions} from './conditions.ts';
import {isLeaving, kinds} from './names.ts';
import {keepPaused, pausedCondition} from './paused.ts';
import type {Controller, Reach} from './runtime.ts';

interface TemplateRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

export const clusterClasses: Controller = {
  name: 'cluster-class',
  kind: kinds.clusterClass,
  follows: [kinds.devMachineTemplate, kinds.bootstrapTemplate, kinds.controlPlaneTemplate],
  reconcile: (clusterClass, reach) => {
    if (isLeaving(clusterClass) || keepPaused(clusterClass, undefined, reach)) return undefined;
    const missing: string[] = [];
    for (const reference of templateRefs(clusterClass)) {
      const template = findTemplate(reference, clusterClass.metadata.namespace, reach);
      if (template === undefined) missing.push(`${reference.kind} ${clusterClass.metadata.namespace}/${reference.name}`);
      else reach.addOwner(template, clusterClass, {controller: false});
    }
    const variables = (
      listAt(clusterClass, 'spec', 'variables') as readonly {readonly name: string; readonly required?: boolean; readonly schema: unknown}[]
    ).map(({name, required, schema}) => ({
      name,
      definitions: [{from: 'inline', required: required ?? false, schema}],
    }));
    const said = [
      isTrue('VariablesReady', 'VariablesReady'),
      missing.length === 0
        ? isTrue('RefVersionsUpToDate', 'RefVersionsUpToDate')
        : isFalse('RefVersionsUpToDate', 'InternalError', `${missing.join(', ')} not found`),
      pausedCondition(clusterClass, undefined),
    ];
    reach.setStatus(clusterClass, {
      ...(variables.length === 0 ? {} : {variables}),
      observedGeneration: clusterClass.metadata.generation,
      conditions: withConditions(clusterClass, said),
    });
    return missing.length > 0 ? 500 : undefined;
  },
};

export function findTemplate({apiVersion, kind, name}: TemplateRef, namespace: string | undefined, reach: Reach): KubeObject | undefined {
  return reach.referenced({apiGroup: apiVersion.split('/')[0], kind, name}, namespace);
}

export function templateRefs(clusterClass: KubeObject): readonly TemplateRef[] {
  const pools = ['machineDeployments', 'machinePools'].flatMap((kind) => listAt(clusterClass, 'spec', 'workers', kind));
  const references = [
    valueAt(clusterClass, 'spec', 'infrastructure', 'templateRef'),
    valueAt(clusterClass, 'spec', 'controlPlane', 'templateRef'),
    valueAt(clusterClass, 'spec', 'controlPlane', 'machineInfrastructure', 'templateRef'),
    ...pools.flatMap((pool) => [valueAt(pool, 'bootstrap', 'templateRef'), valueAt(pool, 'infrastructure', 'templateRef')]),
  ];
  return references.filter((one) => one !== undefined) as unknown as readonly TemplateRef[];
}
