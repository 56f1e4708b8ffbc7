// Looks at the bootstrap cluster, and at the new one where it is there already, and gives the one plan from nothing to a cluster that manages itself.
// Whatever speaks against it is told here, before a write; what can't be known before the cluster exists is checked by the step that needs it.
import {isTriremeError, TriremeError} from '../../../kernel/errors.ts';
import {requireAccess} from '../../../kube/access.ts';
import {parseKubeconfig} from '../../../kube/kubeconfig.ts';
import type {HostPlan, Phase, Plan} from '../../../plan/plan.ts';
import type {DesiredCluster} from '../../../spec/desired.ts';
import type {ScopeOptions} from '../../mode.ts';
import {type Library, gatherManagement} from '../providers/facts.ts';
import type {AskedProviders} from '../providers/plan-init.ts';
import {prepareInit, prepareInitAhead, type PrepareOptions, wantsOwn} from '../providers/prepare-init.ts';
import {askedByPhases} from '../providers/resume.ts';
import {ControllerScope} from '../scope.ts';
import {answerStep} from './answer-step.ts';
import {closeStep, planPointing, pointStep, readSaved, saveStep} from './finish-steps.ts';
import {liftHosts, liftPhases, titleOf} from './lift.ts';
import {planMaking} from './make-cluster.ts';
import {moveName, movePhases} from './move-steps.ts';
import {readRecord, recordName, type PivotRecord} from './record.ts';
import {findCluster, PivotScope, standingOf, type Standing} from './scope.ts';

export interface BootstrapRequest {
  readonly cluster: DesiredCluster;
  /** The cluster to begin from. */
  readonly from: {readonly kubeconfig?: string; readonly context: string};
  readonly library: Library;
  readonly asked: AskedProviders;
  readonly prepare: PrepareOptions;
  /** The class's manifest; absolute. */
  readonly classFile?: string;
  /** Where the new cluster's kubeconfig is saved; absolute. */
  readonly save: string;
}

export interface PreparedBootstrap {
  readonly plan: Plan<PivotScope>;
  readonly scope: PivotScope;
}

/** The names under which the plan's phases stand, in their order. */
export const bootstrapParts = ['Bootstrap: install providers', 'Bootstrap: make the cluster', 'Pivot: install providers', moveName, 'Pivot: finish'] as const;
const [installName, makeName, pivotName, , finishName] = bootstrapParts;

/** Of a wait for the class or for the new API, in ms, where nobody said another. */
const defaultTimeout = 300_000;

/** Close the scope in the end. Throws `plan.refused`, `provider.*`, `api.*`, `file.*`, `kubeconfig.*`. */
export async function prepareBootstrap(request: BootstrapRequest, options: ScopeOptions): Promise<PreparedBootstrap> {
  const {cluster, from} = request;
  const {namespace} = cluster.document.spec.controller ?? {};
  const bootstrap = await ControllerScope.open(
    {...from, ...(namespace === undefined ? {} : {namespace})},
    {...options, warn: withoutDeprecations(options.warn)},
  );
  const scope = new PivotScope(bootstrap, cluster.document.metadata.name);
  try {
    return {plan: await planBootstrap(request, scope), scope};
  } catch (error) {
    await scope.close();
    throw error;
  }
}

/** Every kind there is gets listed, old ones too: that they are deprecated is nothing that the user chose. */
function withoutDeprecations(warn: (message: string) => void): (message: string) => void {
  return (message) => {
    if (!message.endsWith(' is deprecated')) warn(message);
  };
}

interface Seen {
  readonly standing: Standing;
  readonly record: PivotRecord | undefined;
}

async function planBootstrap(request: BootstrapRequest, scope: PivotScope): Promise<Plan<PivotScope>> {
  const {cluster, library, save} = request;
  const {bootstrap, name} = scope;
  const {api, namespace, options} = bootstrap;
  const {signal} = options;
  const edit = await planPointing(cluster, save);
  await requireAccess(api, rights(namespace), {signal});
  const [live, record] = await Promise.all([findCluster(api, scope, signal), readRecord(bootstrap, name, signal)]);
  const seen: Seen = {standing: standingOf(live), record};
  const host = `${namespace}/${name}`;
  if (record?.state === 'done' && seen.standing === 'absent' && edit.diff === '') return unchanged(name, host, api.simulated);
  await requireSense(seen, request, scope);
  const isMade = seen.standing === 'moving' || (seen.standing === 'absent' && record !== undefined);
  // a move that is under way must be one to the new cluster
  if (isMade) await scope.move(signal);
  scope.forgetMove();
  const own = {...request.prepare, certificates: (await wantsOwn(api, request.prepare)) ? ('own' as const) : ('cert-manager' as const)};

  const installed = await gatherManagement(api, signal);
  const init = isMade ? undefined : await prepareInit(api, library, request.asked, own);
  const asked = askedByPhases(init?.phases ?? [], installed.installed);
  const timeout = request.prepare.timeout ?? defaultTimeout;
  const classFile = request.classFile === undefined ? {} : {classFile: request.classFile};
  const making = isMade ? undefined : await planMaking({cluster, scope: bootstrap, library, asked, timeout, ...classFile});
  const pivot = await planProvidersThere(scope, {library, asked, options: own, kubernetes: cluster.document.spec.kubernetes.version, isMade});

  const there = {prefix: name, prefixHosts: true};
  const here = {prefix: 'bootstrap', prefixHosts: true};
  const make = {prefix: 'make', prefixHosts: false};
  const answer = answerStep({asked, library, options: own, timeout, host});
  const phases: readonly Phase<PivotScope>[] = [
    ...liftPhases(init?.phases ?? [], {name: installName, ...here, open: (pivotScope: PivotScope) => pivotScope.bootstrap}),
    ...liftPhases(making?.phases ?? [], {name: makeName, ...make, open: (pivotScope: PivotScope) => pivotScope.bootstrap}),
    {title: titleOf(pivotName, 'Wait for the new cluster'), steps: [answer], barrier: true},
    ...liftPhases(pivot.phases, {name: pivotName, ...there, open: (pivotScope: PivotScope, at) => pivotScope.target(at)}),
    ...movePhases({name, namespace, host, version: cluster.document.spec.kubernetes.version}, saveStep(save, host)),
    {title: titleOf(finishName, 'Name it in the file'), steps: [pointStep(cluster, save, host), closeStep(host)], barrier: true},
  ];
  return {
    operation: 'cluster bootstrap',
    subject: name,
    mode: 'controller',
    simulated: api.simulated,
    hosts: [
      ...liftHosts(init?.hosts ?? [], here),
      ...liftHosts(making?.hosts ?? [], make),
      ...liftHosts(pivot.hosts, there).map((row) => (pivot.isAhead ? ahead(row) : row)),
      moveRow(host, {save, file: edit.file, isMade}),
    ],
    phases,
    basis: {
      standing: seen.standing,
      record: record?.state ?? null,
      providers: pivot.basis,
      ...(init === undefined ? {} : {bootstrap: init.basis}),
      ...(making === undefined ? {} : {cluster: making.basis}),
    },
    warnings: [...(init?.warnings ?? []), ...(making?.warnings ?? [])],
  };
}

function unchanged(name: string, host: string, simulated: boolean): Plan<PivotScope> {
  const hosts: readonly HostPlan[] = [{host, role: 'manages itself', state: 'unchanged', effect: 'none', changes: []}];
  return {operation: 'cluster bootstrap', subject: name, mode: 'controller', simulated, hosts, phases: [], basis: {record: 'done'}, warnings: []};
}

function rights(namespace: string) {
  return (['get', 'create', 'patch'] as const).map((verb) => ({verb, group: '', resource: 'secrets', namespace}));
}

/** Refuses what would make a second cluster, or work on one that somebody else stopped. */
async function requireSense({standing, record}: Seen, {save}: BootstrapRequest, scope: PivotScope): Promise<void> {
  const {bootstrap, name} = scope;
  const {api, namespace} = bootstrap;
  const forget = `Is it gone for good? Take the note away: kubectl --context ${api.context} -n ${namespace} delete secret ${recordName(name)}`;
  if (standing === 'paused')
    throw new TriremeError('plan.refused', `${namespace}/${name} is paused in the bootstrap cluster, by somebody else.`, {
      hints: [`Let it work again: trireme cluster resume ${name} --context ${api.context}`, 'Nothing was changed.'],
    });
  if (record === undefined) {
    if (standing === 'absent') await requireFreeName(save, name);
    return;
  }
  if (record.state === 'done')
    throw new TriremeError('plan.refused', `${name} was made from ${api.context} already, and manages itself at ${record.server}.`, {
      hints: ['Name its kubeconfig in the file (spec.controller.kubeconfig and context); then: trireme plan', forget],
    });
  if (standing !== 'absent') return;
  const target = await scope.target(bootstrap.options.signal);
  const there = standingOf(await findCluster(target.api, scope, bootstrap.options.signal));
  if (there === 'absent')
    throw new TriremeError('plan.refused', `${name} was on its way to ${record.server}, and is on neither side.`, {hints: [forget, 'Nothing was changed.']});
}

/** A context of this name, before there is a cluster, is another cluster's. */
async function requireFreeName(save: string, name: string): Promise<void> {
  const text = await readSaved(save);
  if (text === undefined || !parseKubeconfig(text, save).contexts.some((one) => one.name === name)) return;
  throw new TriremeError('kubeconfig.conflict', `${save} has a context ${name} already, and the cluster isn't made yet.`, {
    hints: ['Save the new one elsewhere: --into FILE', 'Nothing was changed.'],
  });
}

interface There {
  readonly library: Library;
  readonly asked: AskedProviders;
  readonly options: PrepareOptions;
  /** Without the v, or with it. */
  readonly kubernetes: string;
  readonly isMade: boolean;
}

/** From what is in the new cluster where it answers, else as if it were empty, which it is when it's made. */
async function planProvidersThere(scope: PivotScope, {library, asked, options, kubernetes, isMade}: There) {
  const planAhead = async () => {
    const facts = {context: scope.name, kubernetes, simulated: scope.bootstrap.api.simulated};
    return {...(await prepareInitAhead(facts, library, asked, options)), isAhead: true};
  };
  const target = await scope.target(options.signal).catch(orNothing);
  if (target === undefined) return planAhead();
  try {
    await target.api.serverVersion({signal: options.signal});
  } catch (error) {
    if (isMade || !isTriremeError(error)) throw error;
    return planAhead();
  }
  return {...(await prepareInit(target.api, library, asked, options)), isAhead: false};
}

function orNothing(error: unknown): undefined {
  if (isTriremeError(error) && ['cluster.not-made', 'cluster.not-found', 'api.kind-unknown'].includes(error.code)) return undefined;
  throw error;
}

const whyAhead = 'planned for an empty cluster; looked at again when it answers';

function ahead(row: HostPlan): HostPlan {
  return {...row, changes: row.changes.map((change) => (change.path === 'version' ? {...change, why: whyAhead} : change))};
}

function moveRow(host: string, {save, file, isMade}: {readonly save: string; readonly file: string; readonly isMade: boolean}): HostPlan {
  return {
    host,
    role: 'moves into itself',
    state: 'changed',
    effect: 'none',
    changes: [
      {path: 'objects', to: 'its own management cluster', effect: 'none', why: isMade ? 'goes on where it was' : 'counted when the cluster is made'},
      {path: 'kubeconfig', to: save, effect: 'none'},
      {path: 'file', to: file, effect: 'none', why: 'spec.controller.kubeconfig and context'},
    ],
  };
}
