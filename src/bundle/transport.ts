// How content is reached: mirrors from `spec.bundle.sources`, retries of reads, and the HTTP client under both.
import {resolve as resolvePath} from 'node:path';
import {fileURLToPath} from 'node:url';
import {TriremeError} from '../kernel/errors.ts';
import {retry} from '../kernel/retry.ts';
import {createHttpClient, isRetryable, type HttpClient} from './http.ts';
import {isLoopback, type Environment} from '../kernel/proxy.ts';

export interface TransportOptions {
  /** Other base addresses by host name, as in `spec.bundle.sources`: an HTTP address, a file: address or a folder. */
  readonly sources?: Readonly<Record<string, string>>;
  /** What relative folders in `sources` start from; default: the working folder. */
  readonly folder?: string;
  readonly env?: Environment;
  /** Delay before the first repetition of a read, in ms; default 500, doubling. */
  readonly retryDelay?: number;
  /** In ms; default 60 000. */
  readonly idleTimeout?: number;
  /** Certificates in PEM that servers are trusted by, besides the usual ones. */
  readonly authority?: string;
}

export type Place = {readonly kind: 'http'; readonly url: string} | {readonly kind: 'file'; readonly path: string};

export interface RegistryPlace {
  /** Host and port that are talked to: what credentials are looked up by. */
  readonly host: string;
  /** What comes before the repository, without a slash at its end: `https://registry.k8s.io/v2`. */
  readonly api: string;
}

export interface Transport {
  readonly http: HttpClient;
  readonly env: Environment;
  /** Where a public address is really read from. */
  locate(url: string): Place;
  /** Where a registry is really read from. */
  locateRegistry(registry: string): RegistryPlace;
  /** Repeats a read that failed for a passing reason. */
  repeat<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

const attempts = 5;

/** A transport for one command. Connects to nothing by itself; throws `file.invalid` for a source that isn't an address. */
export function createTransport(options: TransportOptions = {}): Transport {
  const env = options.env ?? process.env;
  const sources = options.sources ?? {};
  const base = (host: string): Place | undefined => {
    const value = sources[host];
    return value === undefined ? undefined : placeOf(host, value, options.folder ?? process.cwd());
  };
  return {
    env,
    http: createHttpClient({env, idleTimeout: options.idleTimeout ?? 60_000, ...(options.authority === undefined ? {} : {authority: options.authority})}),
    locate: (url) => {
      const address = new URL(url);
      const mirror = base(address.host);
      if (mirror === undefined) return {kind: 'http', url};
      if (mirror.kind === 'http') return {kind: 'http', url: `${mirror.url}${address.pathname}${address.search}`};
      return {kind: 'file', path: resolvePath(mirror.path, decodeURIComponent(address.pathname).replace(/^\/+/, ''))};
    },
    locateRegistry: (registry) => {
      const mirror = base(registry);
      if (mirror?.kind === 'file') {
        throw new TriremeError(
          'file.invalid',
          `spec.bundle.sources gives the folder ${mirror.path} for the registry ${registry}, and a folder isn't a registry.`,
          {
            hints: ['Name an HTTP address there, or build a bundle from the OCI layout in that folder: trireme bundle build --from FOLDER'],
          },
        );
      }
      if (mirror === undefined) {
        const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
        // as container runtimes do: a registry on this computer is spoken to without TLS
        return {host: registry, api: `${isLoopback(new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, '')) ? 'http' : 'https'}://${host}/v2`};
      }
      const address = new URL(mirror.url);
      // as in containerd's hosts.toml: /v2 comes after the path, unless the path has it already (https://mirror.example/v2/project)
      const hasVersion = /(^|\/)v2(\/|$)/.test(address.pathname);
      return {host: address.host, api: `${mirror.url}${hasVersion ? '' : '/v2'}`};
    },
    repeat: (work, signal) => retry(work, {attempts, delay: options.retryDelay ?? 500, maxDelay: 8000, isRetryable, ...(signal === undefined ? {} : {signal})}),
  };
}

function placeOf(host: string, value: string, folder: string): Place {
  if (/^https?:\/\//.test(value)) return {kind: 'http', url: value.replace(/\/+$/, '')};
  if (value.startsWith('file:')) return {kind: 'file', path: fileURLToPath(value)};
  if (/^[a-z][a-z0-9+.-]*:\/\//.test(value)) {
    throw new TriremeError('file.invalid', `The source of ${host} is ${value}, which can't be read: only http, https and file addresses and folders can.`, {
      hints: ['Correct spec.bundle.sources.'],
    });
  }
  return {kind: 'file', path: resolvePath(folder, value)};
}
