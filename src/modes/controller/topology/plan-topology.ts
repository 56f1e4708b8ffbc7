// The plan of a cluster with a class: refused with every complaint at its line, or units with their changes, and the steps that make them. Pure.
import {digestOfValue} from '../../../kernel/digest.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import {type KubeObject, numberAt, textAt, valueAt} from '../../../kube/object.ts';
import {hasChanges, type HostPlan, type Plan, type Warning} from '../../../plan/plan.ts';
import {type Complaint, refusePlan} from '../../../spec/complaint.ts';
import type {DesiredCluster} from '../../../spec/desired.ts';
import type {Finding} from '../../../spec/lint/report.ts';
import {Places} from '../../../spec/place.ts';
import type {Intent} from '../../mode.ts';
import {planLayers} from '../layer-steps.ts';
import type {ControllerScope} from '../scope.ts';
import {planUnits, poolsOf} from './changes.ts';
import {checkVariables} from './check-variables.ts';
import type {TopologyFacts} from './facts.ts';
import {specPathOf, type SpecPath} from './field-path.ts';
import {renderServed} from './gather.ts';
import {withImage} from './image-variable.ts';
import {gitOpsToolOf, type Contested, type LeftField} from './owners.ts';
import {chainOf, findRefusals} from './refusals.ts';
import {fromServed} from './render-cluster.ts';
import {rolledOut} from './settled.ts';
import {topologyPhases, writingPhases} from './steps.ts';

type Rendered = ReturnType<typeof renderServed>;

/** Throws `plan.refused` (every complaint at once) and `api.conflict` (a field that another manager owns). */
export function planTopology(cluster: DesiredCluster, facts: TopologyFacts, intent: Intent): Plan<ControllerScope> {
  const places = new Places(cluster);
  const complaints = findComplaints(cluster, facts, places);
  if (complaints.length > 0) throw refusePlan(complaints);
  const rendered = renderServed(cluster, facts.coreVersion, facts.live, facts.class);
  const takeOver = intent.verb === 'converge' && intent.takeOver === true;
  if (rendered.contested.length > 0 && !takeOver) throw conflictOf(rendered.contested, cluster, facts, places);
  const {metadata, spec} = cluster.document;
  const live = facts.live === undefined ? undefined : fromServed(facts.live);
  const wanted = facts.dryRun.outcome === 'accepted' ? facts.dryRun.object : merged(live, fromServed(rendered.object));
  const versionWhy = whyOfVersion(live, spec.kubernetes.version, facts);
  const layers = planLayers(cluster.layers, facts.layers);
  const units = planUnits({
    ...(live === undefined ? {} : {live}),
    wanted,
    ...(facts.class === undefined ? {} : {class: facts.class}),
    machines: new Map(facts.pools.map((pool) => [pool.pool, pool.replicas])),
    ...(versionWhy === undefined ? {} : {versionWhy}),
  });
  const hosts = layers === undefined ? units : [...units, layers];
  return {
    operation: 'apply',
    subject: metadata.name,
    mode: 'controller',
    simulated: facts.simulated,
    hosts,
    phases: phasesFor({cluster, facts, hosts, units, wanted, rendered, takeOver}),
    basis: basisOf(facts, live),
    warnings: warningsOf(cluster, facts, {rendered, wanted, places}),
  };
}

/** Ours first; what the server's dry run says about the same place is the same complaint. */
function findComplaints(cluster: DesiredCluster, facts: TopologyFacts, places: Places): readonly Complaint[] {
  const {controller} = cluster.document.spec;
  const findings: Finding[] = [...findRefusals(cluster.document, facts)];
  if (facts.class !== undefined && controller !== undefined) {
    const given = controller.variables ?? {};
    const image = withImage(given, cluster.image, facts.class);
    findings.push(...checkVariables(controller, facts.class, image.variables), ...(image.finding === undefined ? [] : [image.finding]));
  }
  const covered = findings.map(({path, rule}) => (rule === 'variable.required' && path.at(-1) === 'class' ? ['spec', 'controller', 'variables'] : path));
  const server = findingsOfServer(cluster, facts, places).filter(
    ({path}) => !covered.some((own) => isWithin(own, path) || (own.length > 3 && isWithin(path, own))),
  );
  return [...findings, ...server].map((finding) => places.complain(finding));
}

function isWithin(inner: SpecPath, outer: SpecPath): boolean {
  return outer.every((key, index) => inner[index] === key);
}

function findingsOfServer(cluster: DesiredCluster, facts: TopologyFacts, places: Places): readonly Finding[] {
  const {dryRun} = facts;
  if (dryRun.outcome !== 'refused') return [];
  const sent = fromServed(renderServed(cluster, facts.coreVersion, facts.live, facts.class).object);
  const pools = cluster.document.spec.controller?.pools.map((pool) => pool.name) ?? [];
  const causes = dryRun.causes.length > 0 ? dryRun.causes : [{field: '', message: dryRun.message}];
  return causes.map(({field, message}) => {
    const path: SpecPath = specPathOf(field, {sent, pools}) ?? ['spec', 'controller'];
    return {
      path,
      rule: 'server.refused',
      message: `The management cluster refuses it: ${sentence(withoutValue(message))}`,
      ...(field === '' ? {} : {hint: `It is ${field} of the Cluster object.`}),
      atKey: !places.isWritten(path),
    };
  });
}

/** `Invalid value: "...": what is wrong`: the value is shown by the excerpt. */
function withoutValue(message: string): string {
  return message.replace(/^(?:Invalid value: (?:"(?:[^"\\]|\\.)*"|[^:"]*): |Forbidden: |Required value: )/, '');
}

function sentence(message: string): string {
  const trimmed = message.trim();
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

function conflictOf(contested: readonly Contested[], cluster: DesiredCluster, facts: TopologyFacts, places: Places): TriremeError {
  const sent = fromServed(renderServed(cluster, facts.coreVersion, facts.live, facts.class).rendered);
  const pools = cluster.document.spec.controller?.pools.map((pool) => pool.name) ?? [];
  const lines = contested.map(({field, managers, wanted, live}) => {
    const path = specPathOf(field, {sent, pools});
    const where = path === undefined ? '' : `${places.line(path)}: `;
    return `${where}${field} belongs to ${managers.join(', ')}: it is ${shown(live)} there, and ${shown(wanted)} in the file`;
  });
  return new TriremeError('api.conflict', `Other managers own what the file wants to change:\n  ${lines.join('\n  ')}`, {
    hints: ['Change it with the tool that owns it, or take the field out of the file.', 'Take the fields over: --force-conflicts'],
    details: {conflicts: contested.map(({field, managers}) => ({field, managers}))},
  });
}

function shown(value: unknown): string {
  if (value === undefined) return 'not set';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** Without a dry run: the live object with ours over it, part by part; what we would drop isn't known then. */
function merged(live: KubeObject | undefined, ours: KubeObject): KubeObject {
  if (live === undefined) return ours;
  return {...live, metadata: {...live.metadata, ...ours.metadata}, spec: {...(live['spec'] as object), ...(ours['spec'] as object)}};
}

function whyOfVersion(live: KubeObject | undefined, wanted: string, facts: TopologyFacts): string | undefined {
  const current = textAt(live, 'spec', 'topology', 'version');
  const chain = current === undefined ? [] : chainOf(current, wanted, facts.class?.kubernetesVersions ?? []);
  return chain.length === 0 ? undefined : `one minor after the other: ${chain.join(', ')}`;
}

interface PhaseContext {
  readonly cluster: DesiredCluster;
  readonly facts: TopologyFacts;
  /** All parts. */
  readonly hosts: readonly HostPlan[];
  /** The parts that the Cluster object makes. */
  readonly units: readonly HostPlan[];
  readonly wanted: KubeObject;
  readonly rendered: Rendered;
  readonly takeOver: boolean;
}

/** Nothing to do and nothing under way: no phases. Nothing to do, but a run that was stopped before the end: only its waits. */
function phasesFor({cluster, facts, hosts, units, wanted, rendered, takeOver}: PhaseContext): Plan<ControllerScope>['phases'] {
  const changes = hasChanges({hosts: units});
  if (!hasChanges({hosts}) && facts.live !== undefined && (rolledOut(facts.live).done || isPaused(facts.live))) return [];
  const phases = topologyPhases({
    name: cluster.document.metadata.name,
    namespace: facts.namespace,
    coreVersion: facts.coreVersion,
    version: cluster.document.spec.kubernetes.version,
    pools: [...poolsOf(wanted)].map(([name, {kind, fields}]) => {
      const replicas = numberAt(fields, 'replicas');
      return {name, kind, ...(replicas === undefined ? {} : {replicas})};
    }),
    layers: cluster.layers,
    ...(facts.layers === undefined ? {} : {layerFacts: facts.layers}),
    ...(changes
      ? {
          apply: {
            object: rendered.object,
            force: takeOver || rendered.ours,
            affects: units.filter((unit) => unit.state !== 'unchanged').map((unit) => unit.host),
            hosts: units,
          },
        }
      : {}),
  });
  // of a paused cluster nothing comes of the change until it is resumed
  return facts.live !== undefined && isPaused(facts.live) ? phases.filter(({title}) => writingPhases.has(title)) : phases;
}

function isPaused(live: KubeObject): boolean {
  return valueAt(live, 'spec', 'paused') === true;
}

/** Only what the plan was computed from: statuses move all the time, and refuse nothing. */
function basisOf(facts: TopologyFacts, live: KubeObject | undefined): Plan<ControllerScope>['basis'] {
  const {dryRun} = facts;
  return {
    'namespace.exists': facts.namespace.exists,
    'api.version': facts.coreVersion,
    'cluster.uid': live?.metadata.uid ?? null,
    'cluster.topology': live === undefined ? null : digestOfValue([valueAt(live, 'spec', 'topology'), valueAt(live, 'spec', 'clusterNetwork')]),
    'cluster.metadata': live === undefined ? null : digestOfValue([live.metadata.labels ?? {}, live.metadata.annotations ?? {}]),
    'cluster.owners': live === undefined ? null : digestOfValue(ownersIn(live)),
    'class.digest': facts.class?.digest ?? null,
    'dryRun.outcome': dryRun.outcome,
    ...(facts.layers === undefined ? {} : {'cluster.layers': facts.layers.digests}),
    ...(facts.controlPlane === undefined ? {} : {'controlPlane.version': facts.controlPlane.version}),
    ...Object.fromEntries(facts.pools.map((pool) => [`pools.${pool.pool}.replicas`, pool.replicas])),
  };
}

function ownersIn(live: KubeObject): unknown {
  return (live.metadata.managedFields ?? [])
    .filter((entry) => entry.subresource === undefined)
    .map(({manager, operation, fieldsV1}) => [manager, operation, valueAt(fieldsV1, 'f:spec', 'f:topology') ?? null])
    .toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
}

function warningsOf(
  cluster: DesiredCluster,
  facts: TopologyFacts,
  more: {readonly rendered: Rendered; readonly wanted: KubeObject; readonly places: Places},
): readonly Warning[] {
  const {rendered, wanted, places} = more;
  const {controller, kubernetes} = cluster.document.spec;
  const warnings: Warning[] = [];
  const {dryRun, live} = facts;
  if (!facts.namespace.exists) warnings.push({code: 'namespace.missing', message: `The namespace ${facts.namespace.name} doesn't exist yet; it will be made.`});
  if (dryRun.outcome === 'skipped')
    warnings.push({code: 'dry-run.skipped', message: `The management cluster's own checks (CEL among them) weren't asked: ${dryRun.why}.`});
  if (facts.class?.notReady !== undefined)
    warnings.push({code: 'class.not-ready', message: `The class ${facts.class.name} isn't ready: ${facts.class.notReady}. What it allows isn't certain.`});
  if (live !== undefined && isPaused(live)) warnings.push(pausedWarning(live.metadata.name));
  for (const [manager, fields] of byManager(rendered.left)) {
    const differing = fields.filter(({wanted: ours, live: theirs}) => JSON.stringify(ours) !== JSON.stringify(theirs));
    const tool = gitOpsToolOf(live);
    warnings.push({
      code: 'fields.gitops',
      message: `${fields.length} ${fields.length === 1 ? 'field belongs' : 'fields belong'} to ${manager}${tool === undefined ? '' : ` (${tool})`} and ${fields.length === 1 ? 'is' : 'are'} left alone: ${listed(fields.map(({field}) => field))}.`,
      ...(differing.length === 0
        ? {}
        : {
            hints: differing
              .slice(0, 5)
              .map(
                ({field, wanted: ours, live: theirs}) =>
                  `${field} is ${shown(theirs)} there and ${shown(ours)} in the file: change it in the repository that ${manager} reads.`,
              ),
          }),
    });
  }
  for (const [index, pool] of (controller?.pools ?? []).entries()) {
    if (pool.autoscale !== undefined)
      warnings.push({
        code: 'pool.autoscaled',
        message: `${places.line(['spec', 'controller', 'pools', index])}: the pool ${pool.name} is the cluster autoscaler's: it has ${pool.autoscale.min} to ${pool.autoscale.max} machines, and none of its own number.`,
        hints: ['The cluster autoscaler must run with the provider clusterapi for it.'],
      });
  }
  const inFile = new Set(controller?.pools.map((pool) => pool.name) ?? []);
  for (const name of poolsOf(wanted).keys()) {
    if (!inFile.has(name))
      warnings.push({
        code: 'pool.foreign',
        message: `The pool ${name} isn't in the file, and another manager put it there: it is left alone.`,
        hints: [`Take it into spec.controller.pools, or take it out with the tool that owns it.`],
      });
  }
  const serverImage = facts.class === undefined ? undefined : withImage(controller?.variables ?? {}, cluster.image, facts.class).variable;
  if (serverImage !== undefined && live === undefined)
    warnings.push({
      code: 'image.variable',
      message: `The profile's image ${cluster.image ?? ''} becomes the class's variable ${serverImage} (Kubernetes ${kubernetes.version} must be in it).`,
    });
  return warnings;
}

export function pausedWarning(name: string): Warning {
  return {
    code: 'cluster.paused',
    message: `The cluster ${name} is paused: nothing happens until it is resumed.`,
    hints: [`trireme cluster resume ${name}`],
  };
}

function byManager(left: readonly LeftField[]): ReadonlyMap<string, readonly LeftField[]> {
  const managers = [...new Set(left.map(({manager}) => manager))];
  return new Map(managers.map((manager) => [manager, left.filter((one) => one.manager === manager)]));
}

function listed(words: readonly string[]): string {
  return words.length <= 6 ? words.join(', ') : `${words.slice(0, 6).join(', ')} and ${words.length - 6} more`;
}
