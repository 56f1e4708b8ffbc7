// Looks at the management cluster and the repositories, checks everything that can be checked beforehand, and gives the plan of `provider init`.
import {requireAccess} from '../../../kube/access.ts';
import type {AccessCheck, KubeApi} from '../../../kube/api.ts';
import type {KubeObject} from '../../../kube/object.ts';
import {isTriremeError, TriremeError} from '../../../kernel/errors.ts';
import type {Plan} from '../../../plan/plan.ts';
import type {ControllerScope} from '../scope.ts';
import {type CertManagerComponents, readCertManager} from './cert-manager.ts';
import {requireCompatible, requireFree, type TargetProvider} from './check-target.ts';
import type {Components} from './components.ts';
import {gatherManagement, type Library, type ManagementFacts} from './facts.ts';
import type {InstalledProvider} from './inventory.ts';
import {isManagerDeployment} from './images.ts';
import {deploymentsOf} from './list-providers.ts';
import {requireContract} from './metadata.ts';
import {type AskedProviders, planInit, requestsOf} from './plan-init.ts';
import {issueOwnCertificates, usesOwnCertificates} from './own-certificates.ts';
import {isSameProvider, labelOf} from './provider.ts';
import {readSeries} from './releases.ts';

export interface PrepareOptions {
  readonly signal: AbortSignal;
  /** How long each wait may take, in ms; default: 5 min, and for cert-manager what clusterctl.yaml says. */
  readonly timeout?: number;
  readonly namespace?: string;
  /** `own`: webhooks get certificates of ours, and cert-manager is neither asked for nor installed. */
  readonly certificates?: 'cert-manager' | 'own';
  /** Learns the keys of certificates. */
  readonly hide: (secret: string) => void;
  /** Told what isn't worth stopping for. */
  warn(message: string): void;
}

const defaultTimeout = 300_000;

export async function prepareInit(api: KubeApi, library: Library, asked: AskedProviders, options: PrepareOptions): Promise<Plan<ControllerScope>> {
  return compose(await gatherManagement(api, options.signal), api, library, asked, options);
}

/** The same for a management cluster that isn't there yet: planned as if nothing were in it, rights unasked. What is in it is looked at when it's there. */
export function prepareInitAhead(
  facts: Pick<ManagementFacts, 'context' | 'kubernetes' | 'simulated'>,
  library: Library,
  asked: AskedProviders,
  options: PrepareOptions,
): Promise<Plan<ControllerScope>> {
  const nothing: ManagementFacts = {...facts, server: '', installed: [], hasInventory: false, certManager: {state: 'absent'}, coreStorage: undefined};
  return compose(nothing, undefined, library, asked, options);
}

async function compose(
  facts: ManagementFacts,
  api: KubeApi | undefined,
  library: Library,
  asked: AskedProviders,
  options: PrepareOptions,
): Promise<Plan<ControllerScope>> {
  requireKnownStorage(facts);
  const requests = requestsOf(asked, facts.installed);
  const read = await Promise.all(requests.map((request) => library.components(request, options.namespace ?? namespaceOf(facts, request))));
  const components = (await wantsOwn(api, options)) ? await withOwnCertificates(api, read, options) : read;
  const target = components.map(targetOf);
  requireFree(target, facts.installed);
  requireCompatible([...target, ...(await contractsOf(facts.installed, target, library, facts, options.warn))]);
  const needsCertManager = components.some(({objects}) => objects.some(({apiVersion}) => apiVersion.startsWith('cert-manager.io/')));
  const certManager = needsCertManager ? await certManagerOf(facts, library, options.signal) : undefined;
  if (api !== undefined) await requireRights(api, [...components.flatMap(({objects}) => objects), ...(certManager?.objects ?? [])], options.signal);
  const timeout = options.timeout ?? defaultTimeout;
  const before = facts.installed.filter((one) => !components.some(({provider}) => isSameProvider(one, provider)));
  return planInit({
    facts,
    components,
    others: await Promise.all(
      before.map(async (provider) => ({
        provider,
        managers: api === undefined ? [] : (await deploymentsOf(api, provider, options.signal)).filter(isManagerDeployment),
      })),
    ),
    certManager,
    needsCertManager,
    options: {operation: 'provider init', timeout, certManagerTimeout: options.timeout ?? library.options.configuration.certManager.timeout},
  });
}

/** What was chosen once goes on. */
export async function wantsOwn(api: KubeApi | undefined, {certificates, signal}: PrepareOptions): Promise<boolean> {
  return certificates === undefined && api !== undefined ? usesOwnCertificates(api, signal) : certificates === 'own';
}

export function withOwnCertificates(api: KubeApi | undefined, components: readonly Components[], options: PrepareOptions): Promise<readonly Components[]> {
  return Promise.all(components.map((one) => issueOwnCertificates(api, one, options)));
}

/** A core that keeps its objects in a version that isn't known is older, or newer, than this program. */
export function requireKnownStorage({coreStorage}: ManagementFacts): void {
  if (coreStorage === undefined || coreStorage === 'v1beta2' || coreStorage === 'v1beta1') return;
  throw new TriremeError(
    'provider.incompatible',
    `Cluster API in this management cluster keeps its objects as ${coreStorage}, which this program doesn't know.`,
    {
      hints: ['It knows v1beta1 and v1beta2.'],
    },
  );
}

/** One that is there stays where it is. */
function namespaceOf({installed}: ManagementFacts, request: Parameters<typeof isSameProvider>[0]): string | undefined {
  return installed.find((one) => isSameProvider(one, request))?.namespace;
}

export function targetOf({provider, version, namespace, contract}: Components): TargetProvider {
  return {...provider, version, namespace, contract};
}

/** The contracts of installed providers that aren't in `replaced`; of those whose repository can't be read the contract isn't known, and told. */
export async function contractsOf(
  installed: readonly InstalledProvider[],
  replaced: readonly TargetProvider[],
  library: Library,
  facts: ManagementFacts,
  warn: (message: string) => void,
): Promise<readonly TargetProvider[]> {
  const others = installed.filter((one) => !replaced.some((other) => isSameProvider(one, other)));
  const found = await Promise.all(
    others.map(async (one): Promise<readonly TargetProvider[]> => {
      try {
        const series = await readSeries(await library.repository(one), one, one.version);
        return [{...one, contract: requireContract(series, labelOf(one), one.version)}];
      } catch (error) {
        if (!isTriremeError(error)) throw error;
        if (one.type === 'CoreProvider' && facts.coreStorage !== undefined) return [{...one, contract: facts.coreStorage}];
        warn(`The contract of ${labelOf(one)} ${one.version} isn't known, so it isn't compared: ${error.message}`);
        return [];
      }
    }),
  );
  return found.flat();
}

async function certManagerOf(facts: ManagementFacts, library: Library, signal: AbortSignal): Promise<CertManagerComponents | undefined> {
  const {configuration, root} = library.options;
  const {state} = facts.certManager;
  if (configuration.certManager.external || state === 'foreign') return undefined;
  if (state === 'absent') return readCertManager(configuration, {signal, ...pick(library), ...(root === undefined ? {} : {root})});
  // ours: gone on with when it's the version that would be installed now, else left to `provider upgrade`
  const components = await readCertManager(configuration, {signal, ...pick(library), ...(root === undefined ? {} : {root})}).catch((error: unknown) => {
    if (isTriremeError(error)) return undefined;
    throw error;
  });
  return components?.version === facts.certManager.version ? components : undefined;
}

function pick({options: {env}}: Library): {readonly env?: Readonly<Record<string, string | undefined>>} {
  return env === undefined ? {} : {env};
}

/** Asks beforehand whether this user may write the objects; kinds that aren't served yet come with the objects themselves. */
export async function requireRights(api: KubeApi, objects: readonly KubeObject[], signal: AbortSignal): Promise<void> {
  const kinds = new Map(objects.map((object) => [`${object.apiVersion} ${object.kind} ${object.metadata.namespace ?? ''}`, object]));
  const checks = await Promise.all(
    [...kinds.values()].map(async ({apiVersion, kind, metadata: {namespace}}): Promise<readonly AccessCheck[]> => {
      try {
        const {group, plural, namespaced} = await api.resource({apiVersion, kind});
        const where = namespaced && namespace !== undefined ? {namespace} : {};
        return ['create', 'patch'].map((verb) => ({verb, group, resource: plural, ...where}));
      } catch (error) {
        if (isTriremeError(error) && error.code === 'api.kind-unknown') return [];
        throw error;
      }
    }),
  );
  await requireAccess(api, checks.flat(), {signal});
}
