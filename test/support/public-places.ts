// The public download places and registries, on loopback: for the suites that read real content.
import {existsSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {servePublicPlaces, type PublicPlaces as Served, type PublicPlacesOptions} from '../testbed/public-places.mjs';

export type {Misbehaviour, PublicPlacesOptions} from '../testbed/public-places.mjs';

/** The test bed's cache; its `bin`, `images` and `public` are what `test/testbed/build.sh` and `public-places.mjs build` made. */
export const testbedCache = (): string => process.env['TESTBED'] ?? join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'trireme-testbed');

/** What keeps the real content from being served, or undefined when it's there. A suite skips with this text. */
export const missingPublicPlaces = (): string | undefined =>
  existsSync(join(testbedCache(), 'public', 'dl.k8s.io'))
    ? undefined
    : "the public places aren't laid out. Try: test/testbed/build.sh && node test/testbed/public-places.mjs build";

export interface PublicPlaces extends Served {
  /** For `spec.bundle.sources`: base addresses by host name, such as `registry.k8s.io` -> `http://127.0.0.1:PORT/registry.k8s.io`. */
  readonly sources: Readonly<Record<string, string>>;
  /** Serves the path with one byte changed; `path` is a request's path, or the end of one. */
  flip(path: string): void;
  /** Ends the connection in the middle of the path, `times` times. */
  cut(path: string, times?: number): void;
  /** Answers the path with 503, `times` times. */
  unavailable(path: string, times?: number): void;
}

/** Serves them until `close`; throws when nothing is laid out. */
export async function startPublicPlaces(options: PublicPlacesOptions = {}): Promise<PublicPlaces> {
  const missing = options.files === undefined ? missingPublicPlaces() : undefined;
  if (missing !== undefined) throw new Error(missing);
  const served = await servePublicPlaces(options);
  const hosts = ['dl.k8s.io', 'github.com', 'registry.k8s.io', 'ghcr.io', 'gcr.io', 'quay.io', 'get.helm.sh'];
  return {
    ...served,
    sources: Object.fromEntries(hosts.map((host) => [host, `${served.url}/${host}`])),
    flip: (path) => served.misbehave({kind: 'flip', path}),
    cut: (path, times = 1) => served.misbehave({kind: 'cut', path, times}),
    unavailable: (path, times = 1) => served.misbehave({kind: 'unavailable', path, times}),
  };
}
