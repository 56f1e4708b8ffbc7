// Looks at what is installed and what is newer, and gives the plan of `provider upgrade`.
import semver from 'semver';
import {requireAccess} from '../../../kube/access.ts';
import type {KubeApi} from '../../../kube/api.ts';
import type {KubeObject} from '../../../kube/object.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import type {Plan} from '../../../plan/plan.ts';
import type {ControllerScope} from '../scope.ts';
import {type CertManagerComponents, readCertManager} from './cert-manager.ts';
import {requireCompatible} from './check-target.ts';
import {crdsOf} from './components.ts';
import {gatherManagement, type Library, type ManagementFacts} from './facts.ts';
import type {InstalledProvider} from './inventory.ts';
import {compatibleContracts, requireContract} from './metadata.ts';
import {planUpgrade} from './plan-upgrade.ts';
import {contractsOf, type PrepareOptions, requireKnownStorage, requireRights, targetOf, wantsOwn, withOwnCertificates} from './prepare-init.ts';
import {isSameProvider, labelOf, parseProviderRequest, type ProviderRequest, wordOfType} from './provider.ts';
import {findUpgrade, readSeries} from './releases.ts';
import {typeOfLabel} from './resume.ts';
import {lookAtAll} from './write-objects.ts';

/** `wanted`: LABEL or LABEL:VERSION; empty for everything that has something newer within the contract. */
export async function prepareUpgrade(api: KubeApi, library: Library, wanted: readonly string[], options: PrepareOptions): Promise<Plan<ControllerScope>> {
  const {signal} = options;
  const facts = await gatherManagement(api, signal);
  requireKnownStorage(facts);
  const core = facts.installed.find(({type}) => type === 'CoreProvider');
  if (core === undefined)
    throw new TriremeError('provider.not-installed', `No core provider is installed in ${api.context}.`, {hints: ['trireme provider init']});
  const requests = wanted.length === 0 ? await allNewer(facts, core, library) : await Promise.all(wanted.map((text) => requestOf(text, facts, library)));
  const read = await Promise.all(requests.map(({request, from}) => library.components(request, from.namespace)));
  const components = (await wantsOwn(api, options)) ? await withOwnCertificates(api, read, options) : read;
  const upgrades = components.flatMap((to, index) => {
    const from = requests[index]?.from;
    return from === undefined || from.version === to.version ? [] : [{from, to}];
  });
  const target = upgrades.map(({to}) => targetOf(to));
  requireCompatible([...target, ...(await contractsOf(facts.installed, target, library, facts, options.warn))]);
  const crds = upgrades.flatMap(({to}) => crdsOf(to.objects));
  const live = (await lookAtAll(api, crds, signal)).filter((crd): crd is KubeObject => crd !== undefined);
  const objects = upgrades.flatMap(({to}) => to.objects);
  await requireRights(api, objects, signal);
  if (upgrades.length > 0) await requireAccess(api, [{verb: 'delete', group: 'apps', resource: 'deployments', namespace: core.namespace}], {signal});
  const timeout = options.timeout ?? 300_000;
  return planUpgrade({
    facts,
    upgrades,
    present: components.filter((_, index) => !upgrades.some(({from}) => from === requests[index]?.from)),
    liveCrds: new Map(live.map((crd) => [crd.metadata.name, crd])),
    certManager: await newerCertManager(facts, library, signal),
    options: {operation: 'provider upgrade', timeout, certManagerTimeout: options.timeout ?? library.options.configuration.certManager.timeout},
  });
}

interface Requested {
  readonly request: ProviderRequest;
  readonly from: InstalledProvider;
}

async function allNewer(facts: ManagementFacts, core: InstalledProvider, library: Library): Promise<readonly Requested[]> {
  const series = await readSeries(await library.repository(core), core, core.version);
  const contracts = compatibleContracts(requireContract(series, labelOf(core), core.version));
  const found = await Promise.all(
    facts.installed.map(async (from): Promise<readonly Requested[]> => {
      const version = await findUpgrade(await library.repository(from), from, from.version, contracts);
      return version === undefined ? [] : [{request: {name: from.name, type: from.type, version}, from}];
    }),
  );
  return found.flat();
}

async function requestOf(text: string, {installed}: ManagementFacts, library: Library): Promise<Requested> {
  const [label = ''] = text.split(':');
  const type = typeOfLabel(label);
  const name = type === 'CoreProvider' ? label : label.slice(wordOfType(type).length + 1);
  const request = parseProviderRequest(`${name}${text.slice(label.length)}`, type, 'provider upgrade');
  const from = installed.find((one) => isSameProvider(one, request));
  if (from === undefined)
    throw new TriremeError('provider.not-installed', `${label} isn't installed, so it can't be upgraded.`, {
      hints: [`Installed are: ${installed.map(labelOf).join(', ') || 'none'}`, `Install it: trireme provider init --${wordOfType(type)} ${name}`],
    });
  return {request: request.version === undefined ? {...request, version: (await library.release(request)).version} : request, from};
}

async function newerCertManager(facts: ManagementFacts, library: Library, signal: AbortSignal): Promise<CertManagerComponents | undefined> {
  const {certManager} = facts;
  const {configuration, root, env} = library.options;
  if (certManager.state !== 'ours' || configuration.certManager.external) return undefined;
  const there = await readCertManager(configuration, {signal, ...(env === undefined ? {} : {env}), ...(root === undefined ? {} : {root})});
  return semver.lt(certManager.version, there.version) ? there : undefined;
}
