// Which release of a provider is meant: a given one, the pinned one, or the newest of the contract.
import semver from 'semver';
import {TriremeError} from '../../../kernel/errors.ts';
import {compatibleContracts, contractOf, currentContract, parseMetadata, type ReleaseSeries, requireContract} from './metadata.ts';
import {labelOf, type Provider} from './provider.ts';
import type {Repository} from './repository.ts';

export interface Release {
  readonly version: string;
  readonly contract: string;
  readonly series: readonly ReleaseSeries[];
}

/** A version of the Go module proxy may have no release on GitHub (yet): so many of the newest are looked at. */
const lookedAt = 5;

/** The metadata of a version. Throws `provider.version-unknown`, `file.invalid`. */
export async function readSeries(repository: Repository, provider: Provider, version: string): Promise<readonly ReleaseSeries[]> {
  const bytes = await repository.read(version, 'metadata.yaml');
  if (bytes !== undefined) return parseMetadata(bytes, `${labelOf(provider)} ${version} metadata.yaml`);
  throw await unknownVersion(repository, provider, version);
}

async function unknownVersion(repository: Repository, provider: Provider, version: string): Promise<TriremeError> {
  const versions = await repository.versions().catch((): readonly string[] => []);
  const shown = newestFirst(versions).slice(0, 8);
  const why = versions.includes(version) ? 'has no metadata.yaml for it' : "doesn't have it";
  return new TriremeError('provider.version-unknown', `${labelOf(provider)} ${version} can't be installed: ${repository.place} ${why}.`, {
    hints: shown.length === 0 ? [] : [`It has ${shown.join(', ')}${versions.length > shown.length ? ' and older ones' : ''}.`],
  });
}

/** The release that is asked for, else the pinned one, else the newest stable one that fits the contract we know. */
export async function findRelease(repository: Repository, provider: Provider, version?: string): Promise<Release> {
  const wanted = version ?? repository.pinned;
  if (wanted !== undefined) return releaseOf(repository, provider, wanted);
  const latest = await findLatest(repository, provider, () => true);
  const fitting = compatibleContracts(currentContract);
  if (fitting.includes(latest.contract)) return latest;
  // the newest may follow a contract that isn't known yet: then the newest of the known one
  const series = latest.series.filter(({contract}) => fitting.includes(contract)).toSorted((a, b) => b.major - a.major || b.minor - a.minor)[0];
  if (series === undefined) return latest;
  return findLatest(repository, provider, (one) => semver.major(one) === series.major && semver.minor(one) === series.minor);
}

async function releaseOf(repository: Repository, provider: Provider, version: string): Promise<Release> {
  const series = await readSeries(repository, provider, version);
  return {version, contract: requireContract(series, labelOf(provider), version), series};
}

async function findLatest(repository: Repository, provider: Provider, isMeant: (version: string) => boolean): Promise<Release> {
  const candidates = newestFirst(await repository.versions())
    .filter(isMeant)
    .slice(0, lookedAt);
  for (const version of candidates) {
    if ((await repository.read(version, 'metadata.yaml')) !== undefined) return releaseOf(repository, provider, version);
  }
  throw new TriremeError('provider.repository-invalid', `${repository.place} has no release of ${labelOf(provider)} with a metadata.yaml.`, {
    hints: candidates.length === 0 ? [] : [`These were looked at: ${candidates.join(', ')}.`],
  });
}

/** Stable ones before all others, as clusterctl orders them. */
export function newestFirst(versions: readonly string[]): readonly string[] {
  return versions.toSorted((a, b) => {
    const [aIsPre, bIsPre] = [semver.prerelease(a) !== null, semver.prerelease(b) !== null];
    return aIsPre === bIsPre ? semver.rcompare(a, b) : aIsPre ? 1 : -1;
  });
}

/**
 * The newest stable version above `current` whose contract is one of `contracts`; undefined when there is none. The newest release's metadata
 * speaks for all versions, as with clusterctl.
 */
export async function findUpgrade(repository: Repository, provider: Provider, current: string, contracts: readonly string[]): Promise<string | undefined> {
  const above = newestFirst(await repository.versions()).filter((version) => semver.gt(version, current) && semver.prerelease(version) === null);
  let series: readonly ReleaseSeries[] | undefined;
  let looked = 0;
  for (const version of above) {
    if (looked === lookedAt && series === undefined) break;
    if (series === undefined) {
      looked += 1;
      const bytes = await repository.read(version, 'metadata.yaml');
      if (bytes === undefined) continue;
      series = parseMetadata(bytes, `${labelOf(provider)} ${version} metadata.yaml`);
    }
    const contract = contractOf(series, version);
    if (contract !== undefined && contracts.includes(contract) && (await repository.read(version, 'metadata.yaml')) !== undefined) return version;
  }
  return undefined;
}
