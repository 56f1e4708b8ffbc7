// Which providers `provider init` means, and the plan that installs them. Pure.
import {TriremeError} from '../../../kernel/errors.ts';
import type {KubeObject} from '../../../kube/object.ts';
import type {HostPlan, Phase, Plan, Warning} from '../../../plan/plan.ts';
import type {ControllerScope} from '../scope.ts';
import type {CertManagerComponents} from './cert-manager.ts';
import type {Components} from './components.ts';
import type {ManagementFacts} from './facts.ts';
import type {InstalledProvider} from './inventory.ts';
import {compareProviders, isSameProvider, labelOf, parseProviderRequest, type ProviderRequest, type ProviderType, wordOfType} from './provider.ts';
import {certManagerSteps, certManagerWait, installSteps, inventoryCrdStep, presentStep, type StepOptions, waitSteps} from './steps.ts';

/** What was asked for, by type, as typed: `aws:v2.13.0`; `-` for none. */
export type AskedProviders = Readonly<Partial<Record<ProviderType, readonly string[]>>>;

const defaults: Readonly<Partial<Record<ProviderType, string>>> = {CoreProvider: 'cluster-api', BootstrapProvider: 'kubeadm', ControlPlaneProvider: 'kubeadm'};

/**
 * The requests, with core, kubeadm bootstrap and kubeadm control plane where neither asked for nor there. (clusterctl adds them only where there's no
 * core provider: after a run that broke off behind it, the other two would be forgotten.)
 */
export function requestsOf(asked: AskedProviders, installed: readonly InstalledProvider[]): readonly ProviderRequest[] {
  const requests = (Object.keys(asked) as ProviderType[]).flatMap((type) =>
    (asked[type] ?? []).filter((text) => text !== '-').map((text) => parseProviderRequest(text, type)),
  );
  if (asked.CoreProvider?.includes('-') === true) throw new TriremeError('usage.invalid', 'A management cluster has a core provider: --core - has no meaning.');
  for (const [type, name] of Object.entries(defaults) as [ProviderType, string][]) {
    if ((asked[type] ?? []).length === 0 && !installed.some((one) => one.type === type)) requests.push({name, type});
  }
  const twice = requests.find((one, index) => requests.some((other, at) => at < index && isSameProvider(one, other)));
  if (twice !== undefined) throw new TriremeError('usage.invalid', `--${wordOfType(twice.type)} names ${twice.name} twice.`);
  // one that is there is looked at in the version that is there, unless another is asked for
  return requests
    .map((request) => {
      const there = installed.find((one) => isSameProvider(one, request));
      return request.version === undefined && there !== undefined ? {...request, version: there.version} : request;
    })
    .toSorted(compareProviders);
}

export interface InitInput {
  readonly facts: ManagementFacts;
  /** In the order in which they are installed. */
  readonly components: readonly Components[];
  /** Installed before, and not asked for: an earlier run may have ended before they ran. With their managers as they are. */
  readonly others: readonly {readonly provider: InstalledProvider; readonly managers: readonly KubeObject[]}[];
  /** To install (or to go on with); undefined where it's left alone. */
  readonly certManager: CertManagerComponents | undefined;
  /** False where nothing of the components needs cert-manager. */
  readonly needsCertManager: boolean;
  readonly options: StepOptions & {readonly certManagerTimeout: number};
}

export function planInit({facts, components, others, certManager, needsCertManager, options}: InitInput): Plan<ControllerScope> {
  const certManagerOptions = {...options, timeout: options.certManagerTimeout};
  const phases: Phase<ControllerScope>[] = [{title: 'Prepare the inventory', steps: [inventoryCrdStep(options)]}];
  if (needsCertManager) {
    const install = certManager === undefined ? [] : certManagerSteps(certManager, certManagerOptions);
    if (install.length > 0) phases.push({title: 'Install cert-manager', steps: install, barrier: true});
    phases.push({title: 'Wait for cert-manager', steps: certManagerWait(certManager, certManagerOptions), barrier: true});
  }
  for (const one of components) phases.push({title: `Install ${labelOf(one.provider)} ${one.version}`, steps: installSteps(one, options), barrier: true});
  const waits = [
    ...others.filter(({managers}) => managers.length > 0).map(({provider, managers}) => presentStep(provider, managers, options)),
    ...components.flatMap((one) => waitSteps(one, options)),
  ];
  phases.push({title: 'Wait for the providers', steps: waits, barrier: true});
  return {
    operation: 'provider init',
    subject: subjectOf(facts),
    mode: 'controller',
    simulated: facts.simulated,
    hosts: [
      ...(needsCertManager ? [certManagerRow(facts, certManager)] : []),
      ...others.map(({provider}) => presentRow(provider)),
      ...components.map((one) => rowOf(one, facts)),
    ],
    phases: phases.filter(({steps}) => steps.length > 0),
    basis: basisOf(facts),
    warnings: components.flatMap(remarksOf),
  };
}

/** How a management cluster is called in plans, locks and the ledger. */
export function subjectOf({context, server}: Pick<ManagementFacts, 'context' | 'server'>): string {
  const name = context === '' ? new URL(server).host : context;
  // it becomes the name of a file
  return `management-${name.replaceAll(/[^\w.-]+/g, '-').slice(0, 100)}`;
}

export function basisOf(facts: ManagementFacts): Readonly<Record<string, unknown>> {
  return {server: facts.server, installed: facts.installed, certManager: facts.certManager, kubernetes: facts.kubernetes};
}

export function remarksOf({remarks}: Components): readonly Warning[] {
  return remarks.map((message) => ({code: 'provider.remark', message}));
}

function presentRow(one: InstalledProvider): HostPlan {
  return {host: labelOf(one), role: wordOfType(one.type), state: 'unchanged', effect: 'none', changes: []};
}

function rowOf(one: Components, {installed}: ManagementFacts): HostPlan {
  const host = labelOf(one.provider);
  const isThere = installed.some((other) => isSameProvider(other, one.provider));
  return {
    host,
    role: wordOfType(one.provider.type),
    state: isThere ? 'unchanged' : 'new',
    effect: 'none',
    changes: isThere
      ? []
      : [
          {path: 'version', to: one.version, effect: 'none'},
          {path: 'contract', to: one.contract, effect: 'none'},
          {path: 'namespace', to: one.namespace, effect: 'none'},
          {path: 'objects', to: one.objects.length, effect: 'none'},
          {path: 'images', to: one.images.join(', '), effect: 'none'},
          {path: 'from', to: one.place, effect: 'none'},
        ],
  };
}

function certManagerRow(facts: ManagementFacts, components: CertManagerComponents | undefined): HostPlan {
  const {certManager} = facts;
  const isNew = certManager.state === 'absent' && components !== undefined;
  return {
    host: 'cert-manager',
    role: certManager.state === 'foreign' ? "somebody else's, left alone" : 'certificates',
    state: isNew ? 'new' : 'unchanged',
    effect: 'none',
    changes: isNew
      ? [
          {path: 'version', to: components.version, effect: 'none'},
          {path: 'objects', to: components.objects.length, effect: 'none'},
          {path: 'from', to: components.place, effect: 'none'},
        ]
      : [],
  };
}
