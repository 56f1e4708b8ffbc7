// Where a provider's releases are read from: a folder, HTTP, or an OCI image layout, behind one face.
import {TriremeError} from '../../../kernel/errors.ts';
import type {Environment} from '../../../kernel/proxy.ts';
import type {Configuration} from './configuration.ts';
import {labelOf, type Provider, type ProviderSource, wordOfType} from './provider.ts';

/** One provider's releases. */
export interface Repository {
  /** For messages: a path or an address. */
  readonly place: string;
  /** The version that the address pins; undefined where the newest is meant. */
  readonly pinned: string | undefined;
  /** Name of the components' file. */
  readonly componentsFile: string;
  /** Versions with a leading v, unordered. Throws `provider.repository-unreachable`, `provider.repository-invalid`. */
  versions(): Promise<readonly string[]>;
  /** A file of a release; undefined when the release, or the file in it, isn't there. */
  read(version: string, file: string): Promise<Buffer | undefined>;
}

export interface RepositoryOptions {
  readonly configuration: Pick<Configuration, 'overridesFolder' | 'lookup'>;
  readonly signal: AbortSignal;
  readonly env?: Environment;
}

/** Where an address doesn't say it. */
export function componentsFileOf(provider: Provider): string {
  return `${wordOfType(provider.type)}-components.yaml`;
}

export function invalidAddress(source: ProviderSource, why: string): TriremeError {
  return new TriremeError('provider.repository-invalid', `The repository of ${labelOf(source)}, ${source.url}, can't be used: ${why}.`, {
    hints: [
      `It comes from: ${source.from}`,
      `A folder: /FOLDER/${labelOf(source)}/VERSION/${componentsFileOf(source)}`,
      `A release: https://github.com/OWNER/REPOSITORY/releases/VERSION/${componentsFileOf(source)} (VERSION may be latest)`,
    ],
  });
}
