// Providers as Cluster API names them: types, labels, and the order in which they go.
import {TriremeError} from '../../../kernel/errors.ts';
import {nearest} from '../../../kernel/nearest.ts';

export const providerTypes = [
  'CoreProvider',
  'BootstrapProvider',
  'ControlPlaneProvider',
  'InfrastructureProvider',
  'IPAMProvider',
  'RuntimeExtensionProvider',
  'AddonProvider',
] as const;
/** In the order in which they are installed and upgraded. */
export type ProviderType = (typeof providerTypes)[number];

const words: Readonly<Record<ProviderType, string>> = {
  CoreProvider: 'core',
  BootstrapProvider: 'bootstrap',
  ControlPlaneProvider: 'control-plane',
  InfrastructureProvider: 'infrastructure',
  IPAMProvider: 'ipam',
  RuntimeExtensionProvider: 'runtime-extension',
  AddonProvider: 'addon',
};

/** `control-plane`: for flags, labels and the names of files. */
export const wordOfType = (type: ProviderType): string => words[type];

export interface Provider {
  readonly name: string;
  readonly type: ProviderType;
}

/** Where a provider's releases are. */
export interface ProviderSource extends Provider {
  readonly url: string;
  /** Who says so: `built in`, `--repository`, or the path of the file. */
  readonly from: string;
}

/** `infrastructure-aws`; of the core provider `cluster-api`. Value of the label `cluster.x-k8s.io/provider`, and the inventory object's name. */
export function labelOf({name, type}: Provider): string {
  return type === 'CoreProvider' ? name : `${words[type]}-${name}`;
}

export function compareProviders(a: Provider, b: Provider): number {
  return providerTypes.indexOf(a.type) - providerTypes.indexOf(b.type) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

export const isSameProvider = (a: Provider, b: Provider): boolean => a.name === b.name && a.type === b.type;

export interface ProviderRequest extends Provider {
  /** With a leading v; absent: the newest. */
  readonly version?: string;
}

const namePattern = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
export const versionPattern = /^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

/** `aws` or `aws:v2.13.0`. Throws `usage.invalid`. */
export function parseProviderRequest(text: string, type: ProviderType, flag = `--${words[type]}`): ProviderRequest {
  const [name = '', version, ...rest] = text.split(':');
  if (!namePattern.test(name) || rest.length > 0 || (version !== undefined && !versionPattern.test(version)))
    throw new TriremeError('usage.invalid', `${flag} takes NAME or NAME:VERSION, not ${text}.`, {hints: [`For example: ${flag} ${exampleOf(type)}`]});
  return {name, type, ...(version === undefined ? {} : {version})};
}

function exampleOf(type: ProviderType): string {
  return type === 'CoreProvider' ? 'cluster-api:v1.14.2' : type === 'InfrastructureProvider' ? 'aws:v2.13.0' : 'kubeadm:v1.14.2';
}

/** The error for a name that no repository is known for. */
export function unknownProvider(wanted: Provider, known: readonly Provider[]): TriremeError {
  const names = known.filter(({type}) => type === wanted.type).map(({name}) => name);
  const near = nearest(wanted.name, names);
  const elsewhere = known.filter(({name, type}) => name === wanted.name && type !== wanted.type).map(({type}) => words[type]);
  return new TriremeError('provider.unknown', `No repository is known for the ${words[wanted.type]} provider ${wanted.name}.`, {
    hints: [
      ...(near === undefined ? [] : [`Did you mean ${near}?`]),
      ...(elsewhere.length === 0 ? [] : [`There is one of this name as ${elsewhere.join(' and ')} provider.`]),
      'Name its repository in clusterctl.yaml (providers: name, url, type), or give a folder of repositories: --repository FOLDER',
    ],
  });
}
