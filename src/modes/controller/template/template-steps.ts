// The steps of a cluster with a template: machines' templates before what refers to them, control planes before workers, and old templates last.
import {listAt, type KubeObject, numberAt, textAt, valueAt} from '../../../kube/object.ts';
import {highestEffect} from '../../../plan/effect.ts';
import type {Phase, Step, StepContext} from '../../../plan/plan.ts';
import type {DesiredLayer} from '../../../spec/desired.ts';
import {type LayerFacts, layerSteps} from '../layer-steps.ts';
import type {ControllerScope} from '../scope.ts';
import {clusterUnit, controlPlaneUnit} from '../topology/changes.ts';
import {clusterNameLabel, coreGroup} from '../topology/names.ts';
import {controlPlaneAvailable, controlPlaneInitialized, infrastructureReady, type Progress, rolledOut} from '../topology/settled.ts';
import {clusterWait, confirmControlPlane, holds, namespaceStep, poolWait, type WaitWork} from '../topology/steps.ts';
import {objectKey} from './facts.ts';
import type {PlannedObject} from './plan-template.ts';
import {isImmutableTemplate, templateClusterLabel} from './rotate.ts';

export interface TemplateWork extends WaitWork {
  readonly layers: readonly DesiredLayer[];
  /** What the cluster had of them when it was looked at. */
  readonly layerFacts?: LayerFacts;
  readonly planned: readonly PlannedObject[];
  readonly takeOver: boolean;
  readonly isNew: boolean;
  readonly hasRotations: boolean;
}

type Context = StepContext<ControllerScope>;

const isPool = ({wanted}: PlannedObject) => wanted.kind === 'MachineDeployment' || wanted.kind === 'MachinePool';

export function templatePhases(work: TemplateWork): readonly Phase<ControllerScope>[] {
  const written = work.planned.filter((one) => one.changes.length > 0);
  // of a cluster that is there, pools change when the control planes are new: kubelets must not be newer than the API
  const later = work.isNew ? [] : written.filter(isPool);
  const first = written.filter((one) => !later.includes(one)).toSorted((a, b) => rankOf(a.wanted) - rankOf(b.wanted));
  const pools = work.planned.filter(isPool);
  return [
    ...(work.namespace.exists ? [] : [{title: 'Prepare', steps: [namespaceStep(work.namespace.name)]}]),
    ...(first.length === 0 ? [] : [{title: 'Apply', steps: first.map((one) => applyStep(work, one, undefined))}]),
    {
      title: 'Make the control plane',
      steps: [
        clusterWait(work, {id: 'wait:infrastructure', title: 'Wait for the infrastructure', affects: [clusterUnit], judge: infrastructureReady}),
        clusterWait(work, {
          id: 'wait:initialized',
          title: 'Wait until the control plane is initialized',
          affects: [clusterUnit],
          judge: controlPlaneInitialized,
        }),
      ],
    },
    ...(work.layers.length === 0 ? [] : [{title: 'Put the layers on', steps: layerSteps(work.layers, {name: work.name}, work.layerFacts)}]),
    {
      title: 'Make the control planes new',
      steps: [
        clusterWait(work, {
          id: 'wait:control-plane',
          title: 'Wait until the control plane is available',
          ...(later.length === 0 ? {host: controlPlaneUnit} : {affects: [controlPlaneUnit]}),
          judge: (cluster) => controlPlaneOfVersion(cluster, work.version),
          confirm: confirmControlPlane,
        }),
      ],
    },
    {
      title: 'Make the workers',
      steps: pools.flatMap((one) => [...(later.includes(one) ? [applyStep(work, one, one.unit)] : []), poolWait(work, poolOf(one))]),
    },
    {
      title: 'Settle',
      steps: [
        clusterWait(work, {id: 'wait:available', title: `Wait until ${work.name} is rolled out and available`, judge: rolledOut}),
        ...(work.hasRotations ? [pruneStep(work)] : []),
      ],
    },
  ].filter((phase) => phase.steps.length > 0);
}

/** Without a topology the Cluster has no version of its own. */
function controlPlaneOfVersion(cluster: KubeObject, version: string): Progress {
  const others = listAt(cluster, 'status', 'controlPlane', 'versions').filter((one) => textAt(one, 'version') !== version);
  return others.length > 0
    ? {done: false, waitingFor: `control planes still have ${others.map((one) => textAt(one, 'version') ?? '?').join(', ')}`}
    : controlPlaneAvailable(cluster);
}

function poolOf({wanted, unit}: PlannedObject) {
  const replicas = numberAt(wanted, 'spec', 'replicas');
  return {
    name: unit,
    kind: wanted.kind as 'MachineDeployment' | 'MachinePool',
    object: wanted.metadata.name,
    ...(replicas === undefined ? {} : {replicas}),
  };
}

function rankOf(object: KubeObject): number {
  if (isImmutableTemplate(object)) return 0;
  if (object.kind.endsWith('ControlPlane')) return 2;
  return object.kind === 'Cluster' ? 4 : object.kind === 'MachineDeployment' || object.kind === 'MachinePool' ? 3 : 1;
}

function applyStep(work: TemplateWork, planned: PlannedObject, host: string | undefined): Step<ControllerScope> {
  const {wanted, ownership, unit, changes} = planned;
  return {
    id: `apply:${objectKey(wanted)}`,
    title: `Apply ${wanted.kind} ${wanted.metadata.name}`,
    ...(host === undefined ? {affects: [unit]} : {host}),
    effect: highestEffect(changes.map((change) => change.effect)),
    check: async ({scope, signal}) => {
      const resource = await scope.api.resource(wanted);
      const live = await scope.api.get(resource, {name: wanted.metadata.name, namespace: work.namespace.name}, {signal});
      return live !== undefined && holds(live, ownership.object) && changes.every((change) => change.to !== undefined) ? 'satisfied' : 'needed';
    },
    apply: async ({scope, signal}) => {
      await scope.api.apply(ownership.object, {force: work.takeOver || ownership.ours, signal});
    },
  };
}

/** Templates that we made and nobody refers to any more; those that MachineSets of old machines still name stay. */
function pruneStep(work: TemplateWork): Step<ControllerScope> {
  const kinds = new Map(work.planned.filter(({wanted}) => isImmutableTemplate(wanted)).map(({wanted}) => [`${wanted.apiVersion} ${wanted.kind}`, wanted]));
  const unused = async ({scope, signal}: Context) => {
    const {api} = scope;
    const selector = {namespace: work.namespace.name, labelSelector: `${clusterNameLabel}=${work.name}`, signal};
    const listOf = async (of: {readonly apiVersion: string; readonly kind: string}) => (await api.list(await api.resource(of), selector)).items;
    const core = (kind: string) => ({apiVersion: `${coreGroup}/${work.coreVersion}`, kind});
    const controlPlanes = work.planned.filter(({wanted}) => wanted.kind.endsWith('ControlPlane'));
    const users = [
      ...(await Promise.all([listOf(core('MachineDeployment')), listOf(core('MachineSet')), listOf(core('MachinePool'))])).flat(),
      ...(await Promise.all(
        controlPlanes.map(async ({wanted}) => api.get(await api.resource(wanted), {name: wanted.metadata.name, namespace: work.namespace.name}, {signal})),
      )),
    ];
    const named = new Set(users.flatMap((user) => namesIn(valueAt(user, 'spec'))));
    const found = await Promise.all(
      [...kinds.values()].map(async (kind) => {
        const resource = await api.resource(kind);
        const {items} = await api.list(resource, {namespace: work.namespace.name, labelSelector: `${templateClusterLabel}=${work.name}`, signal});
        return items.filter((item) => !named.has(`${kind.kind}/${item.metadata.name}`)).map((item) => ({resource, item}));
      }),
    );
    return found.flat();
  };
  return {
    id: 'templates:prune',
    title: 'Delete old machine templates',
    effect: 'none',
    check: async (context) => ((await unused(context)).length === 0 ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const {api} = context.scope;
      const old = await unused(context);
      for (const {resource, item} of old) {
        const {name, uid} = item.metadata;
        await api.remove(resource, {name, namespace: work.namespace.name}, {signal: context.signal, ...(uid === undefined ? {} : {uid})});
      }
      return `${old.length} deleted`;
    },
  };
}

function namesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (value === null || typeof value !== 'object') return [];
  const kind = textAt(value, 'kind');
  const name = textAt(value, 'name');
  return [...(kind === undefined || name === undefined ? [] : [`${kind}/${name}`]), ...Object.values(value).flatMap(namesIn)];
}
