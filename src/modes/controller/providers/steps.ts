// The steps of installing and upgrading: each looks first, changes only what is missing, and may be run again at any time.
import {TriremeError} from '../../../kernel/errors.ts';
import type {KubeApi} from '../../../kube/api.ts';
import type {KubeObject} from '../../../kube/object.ts';
import {textAt} from '../../../kube/object.ts';
import {healthOf} from '../../../layers/gate.ts';
import type {Step, StepContext} from '../../../plan/plan.ts';
import type {ControllerScope} from '../scope.ts';
import {type CertManagerComponents, certManagerVersionAnnotation, probeCertificate} from './cert-manager.ts';
import {type Components, crdsOf, webhookConfigurationsOf} from './components.ts';
import {explainDeployment} from './diagnose.ts';
import {isManagerDeployment} from './images.ts';
import {type InstalledProvider, inventoryCrd, inventoryObjectOf} from './inventory.ts';
import {carriesCertificate, certificateOf, ownCertificateLabel} from './own-certificates.ts';
import {labelOf} from './provider.ts';
import {probesOf, waitForWebhooks} from './probe-webhooks.ts';
import {applyAll, isPassing, lookAt, lookAtAll, type Patience, waitForHealthy} from './write-objects.ts';

export type ProviderStep = Step<ControllerScope>;
type Context = StepContext<ControllerScope>;

export interface StepOptions {
  /** The command, for hints: `provider init`. */
  readonly operation: string;
  /** How long each wait may take, in ms. */
  readonly timeout: number;
}

const patienceOf = (context: Context, {timeout}: StepOptions): Patience => ({timeout, signal: context.signal, stopping: context.stopping});

/** CRDs are established by the API server itself: that takes no time but on a busy one, and isn't what --timeout is about. In ms. */
const leastForDefinitions = 60_000;

const definitionPatience = (context: Context, options: StepOptions): Patience => ({
  ...patienceOf(context, options),
  timeout: Math.max(options.timeout, leastForDefinitions),
});

/** Tells on the host's line what is waited for. */
function noteOn(context: Context, host: string, condition: string): (text: string) => void {
  return (message) => context.emit({type: 'condition.changed', subject: host, host, condition, status: 'false', message});
}

const established = (object: KubeObject | undefined) => object !== undefined && healthOf(object).healthy;

export function inventoryCrdStep(options: StepOptions): ProviderStep {
  return {
    id: 'inventory/crd',
    title: 'Make the kind of the inventory',
    effect: 'none',
    check: async ({scope, signal}) => (established(await lookAt(scope.api, inventoryCrd, signal)) ? 'satisfied' : 'needed'),
    apply: async (context) => {
      await applyAll(context.scope.api, [inventoryCrd], patienceOf(context, options));
      await waitForHealthy(context.scope.api, [inventoryCrd], definitionPatience(context, options));
    },
  };
}

/** cert-manager's objects: CRDs first, then the rest. Each carries the version, so what an interrupted run left out is seen. */
export function certManagerSteps(components: CertManagerComponents, options: StepOptions): readonly ProviderStep[] {
  const host = 'cert-manager';
  const isFirst = ({kind}: KubeObject) => kind === 'Namespace' || kind === 'CustomResourceDefinition';
  const parts = [
    {id: 'definitions', title: "Make cert-manager's kinds", objects: components.objects.filter(isFirst)},
    {id: 'objects', title: "Make cert-manager's objects", objects: components.objects.filter((object) => !isFirst(object))},
  ];
  return parts.map(({id, title, objects}) => ({
    id: `cert-manager@${components.version}/${id}`,
    title,
    host,
    effect: 'none',
    check: async ({scope, signal}) => {
      const live = await lookAtAll(scope.api, objects, signal);
      const isThere = (object: KubeObject | undefined) =>
        object?.metadata.annotations?.[certManagerVersionAnnotation] === components.version && object.metadata.deletionTimestamp === undefined;
      return live.every(isThere) ? 'satisfied' : 'needed';
    },
    apply: async (context) => {
      await applyAll(context.scope.api, objects, patienceOf(context, options));
      await waitForHealthy(context.scope.api, crdsOf(objects), definitionPatience(context, options));
      return `${objects.length} objects`;
    },
  }));
}

/** Waits for cert-manager's Deployments (where it's ours) and until its webhook takes a Certificate in a dry run. */
export function certManagerWait(components: CertManagerComponents | undefined, options: StepOptions): readonly ProviderStep[] {
  const answering: ProviderStep = {
    id: 'cert-manager/answering',
    title: 'Wait until cert-manager answers',
    host: 'cert-manager',
    effect: 'none',
    check: async ({scope, signal}) => ((await asksForCertificate(scope.api, signal)) === undefined ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const note = noteOn(context, 'cert-manager', 'Answering');
      const end = Date.now() + options.timeout;
      const {sleep} = await import('../../../kernel/cancel.ts');
      for (;;) {
        const error = await asksForCertificate(context.scope.api, context.signal);
        if (error === undefined) return;
        note(error);
        if (Date.now() >= end)
          throw new TriremeError('wait.timed-out', `cert-manager doesn't take a Certificate after ${options.timeout / 1000} s: ${error}`, {
            hints: ['Look at it: kubectl -n cert-manager get pods', 'Without cert-manager: --webhook-certificates own'],
          });
        await sleep(1000, AbortSignal.any([context.signal, context.stopping]));
      }
    },
  };
  if (components === undefined) return [answering];
  const deployments = components.objects.filter(({kind}) => kind === 'Deployment');
  return [availableStep('cert-manager', 'cert-manager/available', deployments, options), answering];
}

async function asksForCertificate(api: KubeApi, signal: AbortSignal): Promise<string | undefined> {
  try {
    await api.create(probeCertificate, {dryRun: true, signal});
    return undefined;
  } catch (error) {
    if (isPassing(error)) return (error as Error).message;
    throw error;
  }
}

function availableStep(host: string, id: string, deployments: readonly KubeObject[], options: StepOptions): ProviderStep {
  return {
    id,
    title: 'Wait for its Deployments',
    host,
    effect: 'none',
    check: async ({scope, signal}) => ((await lookAtAll(scope.api, deployments, signal)).every(established) ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const {api} = context.scope;
      await waitForHealthy(api, deployments, {
        ...patienceOf(context, options),
        explain: (live) => explainDeployment(api, live, context.signal),
        note: noteOn(context, host, 'Available'),
        hints: [`Go on with: trireme ${options.operation} --resume`, 'Give it more time: --timeout 15m'],
      });
      return `${deployments.length === 1 ? 'its Deployment is' : `${deployments.length} Deployments are`} available`;
    },
  };
}

/** Writes a provider's objects, and its inventory object last, as clusterctl does: what the inventory lists is all there. */
export function installSteps(components: Components, options: StepOptions): readonly ProviderStep[] {
  const host = labelOf(components.provider);
  const id = (part: string) => `${host}@${components.version}/${part}`;
  const inventory = inventoryObjectOf(components);
  const isCertificate = ({kind, apiVersion, metadata}: KubeObject) =>
    kind === 'Namespace' || apiVersion.startsWith('cert-manager.io/') || metadata.labels?.[ownCertificateLabel] !== undefined;
  const crds = crdsOf(components.objects);
  const parts = [
    {part: 'certificates', title: 'Make its namespace and certificates', objects: components.objects.filter(isCertificate)},
    {part: 'definitions', title: 'Make its kinds', objects: crds},
    {part: 'objects', title: 'Make its objects', objects: components.objects.filter((object) => !isCertificate(object) && !crds.includes(object))},
  ].filter(({objects}) => objects.length > 0);
  const steps = parts.map(({part, title, objects}): ProviderStep => ({
    id: id(part),
    title,
    host,
    effect: 'none',
    check: async ({scope, signal}) => {
      const [listed, ...live] = await lookAtAll(scope.api, [inventory, ...objects], signal);
      const isThere = (object: KubeObject, index: number) =>
        live[index] !== undefined && (!carriesCertificate(object) || certificateOf(object) === certificateOf(live[index]));
      return listed?.['version'] === components.version && objects.every(isThere) ? 'satisfied' : 'needed';
    },
    apply: async (context) => {
      await applyAll(context.scope.api, objects, patienceOf(context, options));
      if (objects === crds) await waitForHealthy(context.scope.api, crds, definitionPatience(context, options));
      return `${objects.length} objects`;
    },
  }));
  return [...steps, inventoryStep(components, options)];
}

function inventoryStep(components: Components, options: StepOptions): ProviderStep {
  const host = labelOf(components.provider);
  const inventory = inventoryObjectOf(components);
  return {
    id: `${host}@${components.version}/inventory`,
    title: 'Enter it into the inventory',
    host,
    effect: 'none',
    check: async ({scope, signal}) => (textAt(await lookAt(scope.api, inventory, signal), 'version') === components.version ? 'satisfied' : 'needed'),
    apply: (context) => applyAll(context.scope.api, [inventory], patienceOf(context, options)),
  };
}

/** Waits for the managers of a provider that was there before. */
export function presentStep(one: InstalledProvider, managers: readonly KubeObject[], options: StepOptions): ProviderStep {
  const host = labelOf(one);
  return availableStep(host, `${host}@${one.version}/available`, managers, options);
}

/** Waits for a provider's managers, then until its webhooks answer. */
export function waitSteps(components: Components, options: StepOptions): readonly ProviderStep[] {
  const host = labelOf(components.provider);
  const managers = components.objects.filter(isManagerDeployment);
  const steps: ProviderStep[] = [];
  if (managers.length > 0) steps.push(availableStep(host, `${host}@${components.version}/available`, managers, options));
  if (webhookConfigurationsOf(components.objects).length > 0) steps.push(webhookStep(components, options));
  return steps;
}

function webhookStep(components: Components, options: StepOptions): ProviderStep {
  const host = labelOf(components.provider);
  const probes = probesOf(components.objects, components.namespace).filter(({objects}) => objects.length > 0);
  return {
    id: `${host}@${components.version}/webhooks`,
    title: 'Wait until its webhooks answer',
    host,
    effect: 'none',
    // asking is all there is to do, and it changes nothing
    check: async ({scope, signal}) => {
      try {
        await waitForWebhooks(scope.api, probes, {timeout: 0, signal, stopping: signal});
        return 'satisfied';
      } catch (error) {
        if (error instanceof TriremeError && error.code === 'wait.timed-out') return 'needed';
        throw error;
      }
    },
    apply: async (context) => {
      const answered = await waitForWebhooks(context.scope.api, probes, {...patienceOf(context, options), note: noteOn(context, host, 'WebhooksAnswer')});
      return `${answered} of ${probes.length} webhook configurations answer`;
    },
  };
}
