// What a management cluster has of providers, and what their repositories offer. Only reads.
import {TriremeError} from '../../../kernel/errors.ts';
import type {KubeApi} from '../../../kube/api.ts';
import type {KubeObject} from '../../../kube/object.ts';
import {listAt, textAt, valueAt} from '../../../kube/object.ts';
import {type CertManagerState, observeCertManager} from './cert-manager.ts';
import {type Components, readComponents} from './components.ts';
import type {Configuration} from './configuration.ts';
import {type InstalledProvider, inventoryCrdName, readInventory} from './inventory.ts';
import {openRepository, repositoryRoot} from './open-repository.ts';
import {isSameProvider, type Provider, type ProviderRequest, type ProviderSource, unknownProvider} from './provider.ts';
import {findRelease, type Release} from './releases.ts';
import type {Repository} from './repository.ts';

export interface ManagementFacts {
  readonly server: string;
  readonly context: string;
  readonly simulated: boolean;
  /** `v1.36.3`. */
  readonly kubernetes: string;
  readonly installed: readonly InstalledProvider[];
  readonly hasInventory: boolean;
  readonly certManager: CertManagerState;
  /** Version of the core CRDs that objects are kept in; undefined where Cluster API isn't installed. */
  readonly coreStorage: string | undefined;
}

export async function gatherManagement(api: KubeApi, signal: AbortSignal): Promise<ManagementFacts> {
  const crds = await api.resource({apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition'});
  const [kubernetes, installed, certManager, core, inventory] = await Promise.all([
    api.serverVersion({signal}),
    readInventory(api, signal),
    observeCertManager(api, signal),
    api.get(crds, {name: 'clusters.cluster.x-k8s.io'}, {signal}),
    api.get(crds, {name: inventoryCrdName}, {signal}),
  ]);
  return {
    server: api.server,
    context: api.context,
    simulated: api.simulated,
    kubernetes,
    installed,
    hasInventory: inventory !== undefined,
    certManager,
    coreStorage: core === undefined ? undefined : storageVersionOf(core),
  };
}

/** The version of a CRD that its objects are kept in. */
export function storageVersionOf(crd: KubeObject): string | undefined {
  const version = listAt(crd, 'spec', 'versions').find((one) => valueAt(one, 'storage') === true);
  return textAt(version, 'name');
}

export interface LibraryOptions {
  readonly configuration: Configuration;
  readonly signal: AbortSignal;
  /** A folder (or OCI layout) of repositories: it goes before clusterctl.yaml. */
  readonly root?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** All repositories that are known, each opened once. */
export class Library {
  readonly options: LibraryOptions;
  readonly #open = new Map<string, Promise<Repository>>();

  constructor(options: LibraryOptions) {
    this.options = options;
  }

  /** Throws `provider.unknown`. */
  repository(provider: Provider): Promise<Repository> {
    const key = `${provider.type}/${provider.name}`;
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    const opened = this.#source(provider).then((source) => openRepository(source, this.options));
    this.#open.set(key, opened);
    return opened;
  }

  async release(request: ProviderRequest): Promise<Release> {
    return findRelease(await this.repository(request), request, request.version);
  }

  /** Reads a release and makes its objects. Throws `provider.*`, `file.invalid`. */
  async components(request: ProviderRequest, namespace?: string): Promise<Components> {
    const repository = await this.repository(request);
    const release = await findRelease(repository, request, request.version);
    const bytes = await repository.read(release.version, repository.componentsFile);
    if (bytes === undefined)
      throw new TriremeError('provider.repository-invalid', `${repository.place} has no ${repository.componentsFile} for ${release.version}.`, {
        hints: ["Each release of a provider has its components' file and metadata.yaml."],
      });
    return readComponents(bytes, request, {
      version: release.version,
      contract: release.contract,
      place: repository.place,
      configuration: this.options.configuration,
      ...(namespace === undefined ? {} : {namespace}),
    });
  }

  async #source(provider: Provider): Promise<ProviderSource> {
    const {root, configuration} = this.options;
    if (root !== undefined) {
      const source = await repositoryRoot(root, provider);
      // what the folder doesn't have is looked for where clusterctl.yaml says
      if (source.url.startsWith('oci-layout:') || (await hasFolder(source.url))) return source;
    }
    const known = configuration.providers.find((one) => isSameProvider(one, provider));
    if (known === undefined) throw unknownProvider(provider, configuration.providers);
    return known;
  }
}

async function hasFolder(url: string): Promise<boolean> {
  const {stat} = await import('node:fs/promises');
  const {dirname} = await import('node:path');
  return stat(dirname(dirname(url))).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
