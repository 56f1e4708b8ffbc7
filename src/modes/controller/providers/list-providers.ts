// The installed providers as plain data: versions, contracts, what is newer, and whether they run.
import {isTriremeError} from '../../../kernel/errors.ts';
import type {KubeApi} from '../../../kube/api.ts';
import {type KubeObject, numberAt} from '../../../kube/object.ts';
import {healthOf} from '../../../layers/gate.ts';
import type {CertManagerState} from './cert-manager.ts';
import {clusterctlLabel, providerLabel} from './components.ts';
import {explainDeployment} from './diagnose.ts';
import {gatherManagement, type Library, type ManagementFacts} from './facts.ts';
import {isManagerDeployment} from './images.ts';
import type {InstalledProvider} from './inventory.ts';
import {compatibleContracts, contractOf} from './metadata.ts';
import {labelOf, wordOfType} from './provider.ts';
import {findUpgrade, readSeries} from './releases.ts';
import {sentence} from './write-objects.ts';

export interface ProviderView {
  /** `infrastructure-docker`. */
  readonly provider: string;
  readonly name: string;
  /** `infrastructure`. */
  readonly type: string;
  readonly version: string;
  readonly namespace: string;
  /** Null where its repository can't be read. */
  readonly contract: string | null;
  /** The newest version within the management cluster's contract; null: none is newer, or it isn't known (then a reason says why). */
  readonly newest: string | null;
  readonly health: 'healthy' | 'degraded' | 'unknown';
  /** Why it isn't healthy, or why something isn't known. */
  readonly reasons: readonly string[];
  readonly deployments: readonly {readonly name: string; readonly available: number; readonly wanted: number}[];
}

export interface ProvidersView {
  readonly server: string;
  readonly context: string;
  readonly simulated: boolean;
  readonly kubernetes: string;
  /** The core provider's; null where none is installed, or its repository can't be read. */
  readonly contract: string | null;
  readonly certManager: CertManagerState;
  readonly providers: readonly ProviderView[];
}

/** Reads everything; a repository that can't be read makes its provider's row incomplete, no more. */
export async function listProviders(
  api: KubeApi,
  library: Library,
  signal: AbortSignal,
  options: {readonly withNewest: boolean} = {withNewest: true},
): Promise<ProvidersView> {
  const facts = await gatherManagement(api, signal);
  const contracts = await Promise.all(facts.installed.map((one) => contractAt(library, one)));
  const contract = coreContract(facts, contracts);
  const providers = await Promise.all(
    facts.installed.map(async (one, index): Promise<ProviderView> => {
      const [known, upgrade, health] = [
        contracts[index],
        options.withNewest ? await upgradeOf(library, one, contract) : {version: null},
        await healthAt(api, one, signal),
      ];
      const reasons = [...health.reasons, ...(known !== undefined && 'why' in known ? [known.why] : []), ...('why' in upgrade ? [upgrade.why] : [])];
      return {
        provider: labelOf(one),
        name: one.name,
        type: wordOfType(one.type),
        version: one.version,
        namespace: one.namespace,
        contract: known !== undefined && 'contract' in known ? known.contract : null,
        newest: 'version' in upgrade ? upgrade.version : null,
        health: health.health,
        reasons: [...new Set(reasons)],
        deployments: health.deployments,
      };
    }),
  );
  const {server, context, simulated, kubernetes, certManager} = facts;
  return {server, context, simulated, kubernetes, contract: contract ?? null, certManager, providers};
}

type Known<K extends string, T> = {readonly [key in K]: T} | {readonly why: string};

async function contractAt(library: Library, one: InstalledProvider): Promise<Known<'contract', string | null>> {
  return orWhy(async () => {
    const series = await readSeries(await library.repository(one), one, one.version);
    return {contract: contractOf(series, one.version) ?? null};
  });
}

function coreContract({installed, coreStorage}: ManagementFacts, contracts: readonly Known<'contract', string | null>[]): string | undefined {
  const index = installed.findIndex(({type}) => type === 'CoreProvider');
  const known = contracts[index];
  return known !== undefined && 'contract' in known && known.contract !== null ? known.contract : coreStorage;
}

async function upgradeOf(library: Library, one: InstalledProvider, contract: string | undefined): Promise<Known<'version', string | null>> {
  if (contract === undefined) return {version: null};
  return orWhy(async () => ({version: (await findUpgrade(await library.repository(one), one, one.version, compatibleContracts(contract))) ?? null}));
}

async function orWhy<T extends object>(work: () => Promise<T>): Promise<T | {readonly why: string}> {
  try {
    return await work();
  } catch (error) {
    if (isTriremeError(error)) return {why: error.message};
    throw error;
  }
}

interface HealthSeen {
  readonly health: ProviderView['health'];
  readonly reasons: readonly string[];
  readonly deployments: ProviderView['deployments'];
}

/** The health of an installed provider's Deployments. */
export async function healthAt(api: KubeApi, one: InstalledProvider, signal: AbortSignal): Promise<HealthSeen> {
  const deployments = await deploymentsOf(api, one, signal);
  const managers = deployments.filter(isManagerDeployment);
  const rows = deployments.map((object) => ({
    name: object.metadata.name,
    available: numberAt(object, 'status', 'availableReplicas') ?? 0,
    wanted: numberAt(object, 'spec', 'replicas') ?? 1,
  }));
  if (managers.length === 0) return {health: 'unknown', reasons: ['It has no Deployment with a container called manager.'], deployments: rows};
  const reasons = await Promise.all(
    managers.map(async (object) => {
      if (numberAt(object, 'spec', 'replicas') === 0) return [`Deployment ${object.metadata.name} is scaled to 0.`];
      const health = healthOf(object);
      return health.healthy ? [] : [sentence(`Deployment ${object.metadata.name} ${health.waitingFor}: ${await explainDeployment(api, object, signal)}`)];
    }),
  );
  return {health: reasons.flat().length === 0 ? 'healthy' : 'degraded', reasons: reasons.flat(), deployments: rows};
}

/** The Deployments that an installed provider consists of. */
export async function deploymentsOf(api: KubeApi, one: InstalledProvider, signal: AbortSignal): Promise<readonly KubeObject[]> {
  const resource = await api.resource({apiVersion: 'apps/v1', kind: 'Deployment'});
  const labelSelector = `${clusterctlLabel}=,${providerLabel}=${labelOf(one)}`;
  return (await api.list(resource, {namespace: one.namespace, labelSelector, signal})).items;
}
