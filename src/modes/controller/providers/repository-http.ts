// Releases over HTTP: GitHub's assets, or any server with their paths. Versions come from the Go module proxy, which has no small hourly limit:
// GitHub's API allows 60 requests an hour without a token, and isn't asked at all.
import {createHttpClient, isRetryable, readSmallBody, type HttpClient, type HttpResponse} from '../../../bundle/http.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import {retry} from '../../../kernel/retry.ts';
import {labelOf, type ProviderSource, versionPattern} from './provider.ts';
import {invalidAddress, type Repository, type RepositoryOptions} from './repository.ts';

/** In bytes; the largest provider's components have about 3 MiB. */
const largestFile = 32 * 1024 * 1024;
const mostMajors = 20;

/** Reads `https://HOST/OWNER/REPOSITORY/releases/VERSION/FILE`; VERSION may be `latest`. */
export function httpRepository(source: ProviderSource, options: RepositoryOptions): Repository {
  const env = options.env ?? process.env;
  const url = new URL(source.url);
  const match = /^(\/[^/]+\/[^/]+)\/releases\/(?:download\/)?([^/]+)\/(.+)$/.exec(url.pathname);
  if (match === null) throw invalidAddress(source, 'its path is not /OWNER/REPOSITORY/releases/VERSION/FILE');
  const [, repository = '', version = '', path = ''] = match;
  if (version !== 'latest' && !versionPattern.test(version)) throw invalidAddress(source, `${version} isn't a version`);
  const http = createHttpClient({env, idleTimeout: 30_000});
  const root = path.includes('/') ? path.slice(0, path.lastIndexOf('/') + 1) : '';
  let listed: Promise<readonly string[]> | undefined;
  const files = new Map<string, Promise<Buffer | undefined>>();
  return {
    place: `${url.origin}${repository}`,
    pinned: version === 'latest' ? undefined : version,
    componentsFile: path.slice(root.length),
    versions: () => (listed ??= listVersions(http, url, repository, source, options)),
    read: (wanted, file) => {
      const address = `${url.origin}${repository}/releases/download/${encodeURIComponent(wanted)}/${root}${file}`;
      const known = files.get(address);
      if (known !== undefined) return known;
      const fetched = fetchFile(http, address, options.signal);
      files.set(address, fetched);
      return fetched;
    },
  };
}

async function listVersions(http: HttpClient, url: URL, repository: string, source: ProviderSource, options: RepositoryOptions): Promise<readonly string[]> {
  const given = (options.env ?? process.env)['GOPROXY']?.trim() ?? '';
  if (given === '') return [await latestRelease(http, `${url.origin}${repository}/releases/latest`, source, options.signal)];
  const module = `${url.host}${repository}`;
  const proxy = moduleProxy(given);
  if (proxy === undefined)
    throw new TriremeError(
      'provider.repository-unreachable',
      `GOPROXY switches the Go module proxy off, so the versions of ${labelOf(source)} can't be listed.`,
      {
        hints: [`Name the version: ${source.name}:v1.2.3`, 'Or pin it in the address in clusterctl.yaml, in place of latest.'],
      },
    );
  const found: string[] = [];
  for (let major = 1; major <= mostMajors; major += 1) {
    // capital letters are escaped in module paths (golang.org/ref/mod#goproxy-protocol)
    const path = `${module}${major === 1 ? '' : `/v${major}`}`.replaceAll(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
    const list = await fetchFile(http, `${proxy}/${path}/@v/list`, options.signal);
    if (list === undefined) {
      // a module that begins with v2 has no v1
      if (major === 1) continue;
      break;
    }
    const versions = list
      .toString()
      .split('\n')
      .filter((line) => versionPattern.test(line));
    if (versions.length === 0 && major > 1) break;
    found.push(...versions);
  }
  if (found.length === 0)
    throw new TriremeError('provider.repository-invalid', `The Go module proxy ${proxy} lists no versions of ${module}.`, {
      hints: [`Name the version: ${source.name}:v1.2.3`, `The repository comes from: ${source.from}`],
    });
  return found;
}

/** The page of the latest release leads to its tag, without an API and its hourly limit. */
async function latestRelease(http: HttpClient, page: string, source: ProviderSource, signal: AbortSignal): Promise<string> {
  const response = await http(page, {signal}).catch((error: unknown) => {
    throw new TriremeError('provider.repository-unreachable', `Can't see the latest release of ${labelOf(source)} at ${page}: ${(error as Error).message}`, {
      hints: [`Name the version: ${source.name}:v1.2.3`, 'Or read the components from a folder: --repository FOLDER'],
      cause: error,
    });
  });
  response.body.destroy();
  const version = /\/releases\/tag\/([^/?#]+)$/.exec(response.url)?.[1];
  if (response.status === 200 && version !== undefined && versionPattern.test(version)) return version;
  throw new TriremeError('provider.repository-invalid', `${page} doesn't lead to a release with a version.`, {
    hints: [`Name the version: ${source.name}:v1.2.3`, 'Or set GOPROXY to a Go module proxy, which lists all versions.'],
  });
}

/** The first proxy of GOPROXY's list; undefined for `off` and `direct`. */
function moduleProxy(value: string): string | undefined {
  for (const entry of value.split(/[,|]/).map((text) => text.trim())) {
    if (entry === '') continue;
    if (entry === 'off' || entry === 'direct') return undefined;
    return (entry.includes('://') ? entry : `https://${entry}`).replace(/\/+$/, '');
  }
  return undefined;
}

async function fetchFile(http: HttpClient, address: string, signal: AbortSignal): Promise<Buffer | undefined> {
  try {
    return await retry(
      async () => {
        const response = await http(address, {signal});
        if (response.status === 404 || response.status === 410) {
          response.body.destroy();
          return undefined;
        }
        if (response.status !== 200) throw refused(address, response);
        return readSmallBody(address, response, largestFile);
      },
      {attempts: 4, delay: 500, maxDelay: 5000, signal, isRetryable},
    );
  } catch (error) {
    if (!(error instanceof TriremeError) || error.code !== 'bundle.source-failed') throw error;
    throw new TriremeError('provider.repository-unreachable', error.message, {
      hints: ['HTTPS_PROXY and NO_PROXY are honoured.', 'Or read the components from a folder: --repository FOLDER'],
      cause: error,
    });
  }
}

function refused(address: string, response: HttpResponse): TriremeError {
  response.body.destroy();
  const {status} = response;
  // carried as the download's error so that a server that is away for a moment is asked again
  return new TriremeError('bundle.source-failed', `Can't fetch ${address}: the server answers ${status}.`, {
    details: {retryable: status >= 500 || status === 429 || status === 408},
  });
}
