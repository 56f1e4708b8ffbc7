// The plan of a cluster with a template: objects part by part, what each costs, and the steps in the order that machines can follow. Pure.
import {canonicalJson, digestOfValue} from '../../../kernel/digest.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import {type KubeObject, numberAt, textAt, valueAt} from '../../../kube/object.ts';
import {highestEffect} from '../../../plan/effect.ts';
import {type Change, hasChanges, type HostPlan, type Plan, type Warning} from '../../../plan/plan.ts';
import {type Complaint, refusePlan} from '../../../spec/complaint.ts';
import type {DesiredCluster} from '../../../spec/desired.ts';
import {Places} from '../../../spec/place.ts';
import type {Intent} from '../../mode.ts';
import {planLayers} from '../layer-steps.ts';
import {pausedWarning} from '../topology/plan-topology.ts';
import type {ControllerScope} from '../scope.ts';
import {clusterUnit, controlPlaneUnit, unitOfPool} from '../topology/changes.ts';
import {segmentsOf} from '../topology/field-path.ts';
import {leafText, leavesOf, type Ownership, partByOwner} from '../topology/owners.ts';
import {stepProblem} from '../topology/refusals.ts';
import {rolledOut} from '../topology/settled.ts';
import {objectKey, type TemplateFacts} from './facts.ts';
import {liveCluster} from './gather-template.ts';
import {poolObject, type RenderedTemplate, renderTemplate} from './render-template.ts';
import {isImmutableTemplate, type Rotation, rotateTemplates, templateClusterLabel, templateDigestAnnotation} from './rotate.ts';
import {templatePhases} from './template-steps.ts';

/** One object of the template, with what is there and what we would write. */
export interface PlannedObject {
  readonly index: number;
  readonly unit: string;
  readonly wanted: KubeObject;
  readonly live?: KubeObject;
  readonly ownership: Ownership;
  readonly changes: readonly Change[];
}

/** Throws `plan.refused` and `api.conflict`. */
export function planTemplate(cluster: DesiredCluster, facts: TemplateFacts, intent: Intent): Plan<ControllerScope> {
  const places = new Places(cluster);
  const {name} = cluster.document.metadata;
  const rendered = renderTemplate(cluster.document, facts.template, cluster.image);
  const bases = rendered.objects.map((object) => facts.live[objectKey(object)]);
  const {objects, rotations} = rotateTemplates(rendered.objects, bases, name);
  const units = unitsOf(cluster, objects);
  const planned = objects.map((wanted, index) => planObject(wanted, index, units[index] ?? clusterUnit, facts, rotations));
  const complaints = findComplaints(cluster, facts, {rendered, planned, places});
  if (complaints.length > 0) throw refusePlan(complaints);
  const takeOver = intent.verb === 'converge' && intent.takeOver === true;
  requireUncontested(planned, takeOver);
  const hosts = hostPlans(planned, rendered, liveCluster(facts, name) === undefined);
  const layers = planLayers(cluster.layers, facts.layers);
  const all = layers === undefined ? hosts : [...hosts, layers];
  const live = liveCluster(facts, name);
  const isPaused = valueAt(live, 'spec', 'paused') === true;
  const isDone = !hasChanges({hosts: all}) && live !== undefined && (rolledOut(live).done || isPaused);
  const phases = () =>
    templatePhases({
      name,
      namespace: facts.namespace,
      coreVersion: facts.coreVersion,
      version: cluster.document.spec.kubernetes.version,
      layers: cluster.layers,
      ...(facts.layers === undefined ? {} : {layerFacts: facts.layers}),
      planned,
      takeOver,
      isNew: live === undefined,
      hasRotations: rotations.length > 0,
    });
  return {
    operation: 'apply',
    subject: name,
    mode: 'controller',
    simulated: facts.simulated,
    hosts: all,
    phases: isDone ? [] : isPaused ? writingOnly(phases()) : phases(),
    basis: {
      'namespace.exists': facts.namespace.exists,
      template: digestOfValue([facts.template.text, facts.template.environment]),
      ...Object.fromEntries(
        planned.map((one) => [`objects.${objectKey(one.wanted)}`, one.live === undefined ? null : digestOfValue(leavesOf(one.live).filter(isPlanned))]),
      ),
      ...(facts.layers === undefined ? {} : {'cluster.layers': facts.layers.digests}),
    },
    warnings: [...warningsOf(facts, planned), ...(isPaused ? [pausedWarning(name)] : [])],
  };
}

/** Of a paused cluster nothing comes of a change until it is resumed: nothing is waited for. */
function writingOnly(phases: Plan<ControllerScope>['phases']): Plan<ControllerScope>['phases'] {
  return phases.map((phase) => ({...phase, steps: phase.steps.filter(({id}) => /^(apply|namespace):/.test(id))})).filter(({steps}) => steps.length > 0);
}

/** Which part of the plan an object belongs to: machines' templates belong to what is made from them. */
function unitsOf(cluster: DesiredCluster, objects: readonly KubeObject[]): readonly string[] {
  const names = new Map<number, string>();
  for (const pool of cluster.document.spec.controller?.pools ?? []) names.set(poolObject(objects, cluster.document.metadata.name, pool), pool.name);
  const owner = objects.map((object, index) => {
    if (object.kind === 'MachineDeployment' || object.kind === 'MachinePool') return unitOfPool(names.get(index) ?? object.metadata.name);
    return object.kind.endsWith('ControlPlane') ? controlPlaneUnit : undefined;
  });
  return objects.map((object, index) => {
    if (owner[index] !== undefined) return owner[index];
    const user = objects.findIndex((other, at) => owner[at] !== undefined && refersTo(other['spec'], object));
    return owner[user] ?? clusterUnit;
  });
}

function refersTo(value: unknown, object: KubeObject): boolean {
  if (Array.isArray(value)) return value.some((item) => refersTo(item, object));
  if (value === null || typeof value !== 'object') return false;
  const map = value as Readonly<Record<string, unknown>>;
  return (map['kind'] === object.kind && map['name'] === object.metadata.name) || Object.values(map).some((item) => refersTo(item, object));
}

function planObject(wanted: KubeObject, index: number, unit: string, facts: TemplateFacts, rotations: readonly Rotation[]): PlannedObject {
  const key = objectKey(wanted);
  const live = facts.live[key];
  const ownership = partByOwner(wanted, live);
  const dryRun = facts.dryRuns[key];
  const rotation = rotations.find(({kind, to}) => kind === wanted.kind && to === wanted.metadata.name);
  const base = {index, unit, wanted, ownership, ...(live === undefined ? {} : {live})};
  if (live === undefined) {
    const before = rotation === undefined ? undefined : facts.live[`${rotation.kind}/${rotation.from}`];
    if (rotation === undefined || before === undefined) return {...base, changes: [{path: key, to: 'new', effect: 'none'}]};
    const changes = changedFields(before, wanted).map(({path, ...rest}) => ({
      path: `${wanted.kind}: ${path}`,
      ...hidden(wanted, rest),
      effect: 'none' as const,
      why: `becomes the new template ${rotation.to}`,
    }));
    return {...base, changes};
  }
  const after = dryRun?.outcome === 'accepted' ? dryRun.object : undefined;
  const changes = changedFields(live, after ?? wanted, after === undefined).map(({path, ...rest}): Change => ({
    path: `${wanted.kind}: ${path}`,
    ...hidden(wanted, rest),
    ...costOf(wanted.kind, path, rest),
  }));
  return {...base, changes};
}

interface Field {
  readonly path: string;
  readonly from?: unknown;
  readonly to?: unknown;
}

/** Without a dry run's answer only what we want is compared: what the server adds isn't known. */
function changedFields(before: KubeObject, after: KubeObject, onlyOurs = isImmutableTemplate(after)): readonly Field[] {
  const texts = (object: KubeObject) =>
    new Map(
      leavesOf(object)
        .filter(isPlanned)
        .map((leaf) => [leafText(leaf.path), leaf.value]),
    );
  const [old, now] = [texts(before), texts(after)];
  return [...new Set([...(onlyOurs ? [] : old.keys()), ...now.keys()])].flatMap((path): Field[] => {
    const [from, to] = [old.get(path), now.get(path)];
    if (canonicalJson(from ?? null) === canonicalJson(to ?? null)) return [];
    return [{path: path.replace(/^spec\./, ''), ...(from === undefined ? {} : {from}), ...(to === undefined ? {} : {to})}];
  });
}

function isPlanned({path}: {readonly path: readonly unknown[]}): boolean {
  return (
    path[0] === 'spec' ||
    (path[2] !== templateDigestAnnotation && path[2] !== templateClusterLabel && path[2] !== 'kubectl.kubernetes.io/last-applied-configuration')
  );
}

function hidden(object: KubeObject, field: Omit<Field, 'path'>): Omit<Field, 'path'> {
  if (object.kind !== 'Secret') return field;
  return {...(field.from === undefined ? {} : {from: '(secret)'}), ...(field.to === undefined ? {} : {to: '(secret)'})};
}

/** By field: what makes new machines. The rules are those of KubeadmControlPlane and MachineDeployment, where all else is passed on in place. */
function costOf(kind: string, path: string, {from, to}: Omit<Field, 'path'>): Pick<Change, 'effect' | 'why'> {
  const isMachines = kind.endsWith('ControlPlane') || kind === 'MachineDeployment' || kind === 'MachinePool';
  if (!isMachines) return {effect: 'none'};
  if (path === 'replicas') {
    const fewer = typeof from === 'number' && typeof to === 'number' ? from - to : 0;
    return fewer > 0 ? {effect: 'drain', why: `${fewer} ${fewer === 1 ? 'machine is' : 'machines are'} drained and deleted`} : {effect: 'none'};
  }
  if (kind.endsWith('ControlPlane')) {
    if (path === 'version') return {effect: 'replace', why: 'another version of Kubernetes takes new machines'};
    if (path.startsWith('kubeadmConfigSpec') || path.includes('infrastructureRef'))
      return {effect: 'replace', why: 'control planes are made anew, one after the other'};
    return {effect: 'none'};
  }
  const below = path.replace(/^template\.spec\./, '');
  if (below === path) return {effect: 'none'};
  if (below === 'version') return {effect: 'replace', why: 'another version of Kubernetes takes new machines'};
  return /^(bootstrap|infrastructureRef|failureDomain)/.test(below) ? {effect: 'replace', why: 'machines of another template are new ones'} : {effect: 'none'};
}

function hostPlans(planned: readonly PlannedObject[], rendered: RenderedTemplate, isNew: boolean): readonly HostPlan[] {
  const pools = planned.filter(({wanted}) => wanted.kind === 'MachineDeployment' || wanted.kind === 'MachinePool').map(({unit}) => unit);
  const hasControlPlane = rendered.objects.some(({kind}) => kind.endsWith('ControlPlane'));
  return [clusterUnit, ...(hasControlPlane ? [controlPlaneUnit] : []), ...pools].map((host): HostPlan => {
    const own = planned.filter(({unit}) => unit === host);
    const changes = own.flatMap((one) => one.changes);
    const allNew = own.length > 0 && own.every((one) => one.live === undefined && one.changes.every((change) => change.from === undefined));
    return {
      host,
      ...(host === clusterUnit ? {} : {role: host === controlPlaneUnit ? 'control-plane' : 'pool'}),
      state: changes.length === 0 ? 'unchanged' : isNew || allNew ? 'new' : 'changed',
      effect: highestEffect(changes.map((change) => change.effect)),
      changes,
    };
  });
}

interface Checked {
  readonly rendered: RenderedTemplate;
  readonly planned: readonly PlannedObject[];
  readonly places: Places;
}

function findComplaints(cluster: DesiredCluster, facts: TemplateFacts, {rendered, planned, places}: Checked): readonly Complaint[] {
  const own = [...rendered.complaints, ...rendered.findings.map((finding) => places.complain(finding))];
  const version = refuseVersion(cluster, planned);
  if (version !== undefined) own.push(places.complain({path: ['spec', 'kubernetes', 'version'], ...version}));
  for (const kind of facts.unknownKinds) {
    const index = rendered.objects.findIndex((object) => `${object.kind} of ${object.apiVersion}` === kind);
    own.push(
      rendered.complain(index, ['kind'], {
        rule: 'template.kind-unknown',
        message: `The management cluster serves no ${kind}.`,
        hint: 'Install its provider: trireme provider init',
      }),
    );
  }
  for (const {wanted, index} of planned) {
    const dryRun = facts.dryRuns[objectKey(wanted)];
    if (dryRun?.outcome !== 'refused') continue;
    for (const {field, message} of dryRun.causes.length === 0 ? [{field: '', message: dryRun.message}] : dryRun.causes) {
      if (version !== undefined && field === 'spec.version') continue;
      const path = segmentsOf(field).map((segment) => (/^\d+$/.test(segment) ? Number(segment) : segment));
      const about = field === '' ? '' : ` ${field}:`;
      own.push(rendered.complain(index, path, {rule: 'server.refused', message: `The management cluster refuses ${objectKey(wanted)}:${about} ${message}`}));
    }
  }
  return own;
}

function refuseVersion(cluster: DesiredCluster, planned: readonly PlannedObject[]) {
  const live = planned.find(({wanted}) => wanted.kind.endsWith('ControlPlane'))?.live ?? planned.find(({wanted}) => wanted.kind === 'Cluster')?.live;
  const current = textAt(live, 'spec', 'version') ?? textAt(live, 'spec', 'topology', 'version');
  return current === undefined ? undefined : stepProblem(current, cluster.document.spec.kubernetes.version, false);
}

function requireUncontested(planned: readonly PlannedObject[], takeOver: boolean): void {
  const contested = planned.flatMap(({wanted, ownership}) => ownership.contested.map((one) => ({object: objectKey(wanted), ...one})));
  if (contested.length === 0 || takeOver) return;
  throw new TriremeError(
    'api.conflict',
    `Other managers own what the file wants to change:\n  ${contested.map(({object, field, managers}) => `${object}: ${field} belongs to ${managers.join(', ')}`).join('\n  ')}`,
    {
      hints: ['Change it with the tool that owns it, or take the field out of the template.', 'Take the fields over: --force-conflicts'],
      details: {conflicts: contested.map(({object, field, managers}) => ({object, field, managers}))},
    },
  );
}

function warningsOf(facts: TemplateFacts, planned: readonly PlannedObject[]): readonly Warning[] {
  const skipped = Object.values(facts.dryRuns).find((one) => one.outcome === 'skipped');
  const left = planned.flatMap(({wanted, ownership}) => ownership.left.map(({field, manager}) => ({object: objectKey(wanted), field, manager})));
  const autoscaled = planned.filter(
    ({wanted}) => numberAt(wanted, 'spec', 'replicas') === undefined && (wanted.kind === 'MachineDeployment' || wanted.kind === 'MachinePool'),
  );
  return [
    ...(facts.namespace.exists ? [] : [{code: 'namespace.missing', message: `The namespace ${facts.namespace.name} doesn't exist yet; it will be made.`}]),
    ...(skipped?.outcome === 'skipped' ? [{code: 'dry-run.skipped', message: `The management cluster's own checks weren't asked: ${skipped.why}.`}] : []),
    ...(left.length === 0
      ? []
      : [
          {
            code: 'fields.gitops',
            message: `${left.length} fields belong to ${[...new Set(left.map(({manager}) => manager))].join(', ')} and are left alone: ${left
              .slice(0, 5)
              .map(({object, field}) => `${object} ${field}`)
              .join(', ')}.`,
          },
        ]),
    ...autoscaled.map(({unit}) => ({code: 'pool.autoscaled', message: `The pool ${unit} has no number of machines of its own: an autoscaler says it.`})),
    ...(facts.foreignPools.length === 0
      ? []
      : [
          {
            code: 'pool.foreign',
            message: `The cluster has pools that the template doesn't have; they are left alone: ${facts.foreignPools.join(', ')}.`,
            hints: ['Delete what is not wanted any more: kubectl delete machinedeployment NAME'],
          },
        ]),
  ];
}
