/** What one request path is answered with instead of the truth. `path` is the request's path, or the end of one. */
export type Misbehaviour =
  /** One bit of the byte at `at` (default: the middle) is turned round. Length and digest headers stay as if it weren't. */
  | {readonly kind: 'flip'; readonly path: string; readonly at?: number; readonly times?: number}
  /** The connection ends before the byte at `at` (default: the middle). A Range request from there gets the rest once `times` is used up. */
  | {readonly kind: 'cut'; readonly path: string; readonly at?: number; readonly times?: number}
  /** 503, or `status`, `times` times (default: always). */
  | {readonly kind: 'unavailable'; readonly path: string; readonly status?: number; readonly times?: number};

export interface PublicPlacesOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Default: 127.0.0.1. */
  readonly address?: string;
  /** The folder of files, `<host>/<path>`. Default: the test bed's `public`. */
  readonly files?: string;
  /** Folders of OCI layouts, `<registry>/<repository>/<tag>`. Default: the test bed's `images`. */
  readonly images?: string | readonly string[];
  /** Registries that want an anonymous bearer token first, as ghcr.io does. Default: none. */
  readonly tokens?: readonly string[];
  /** Whether files and blobs are answered with a redirect to where they're stored, as the real places do. */
  readonly redirects?: boolean;
  readonly misbehave?: readonly Misbehaviour[];
}

export interface PublicPlaces {
  readonly port: number;
  /** `http://127.0.0.1:PORT`; files are below `/<host>/`, registries at `/<registry>/v2/`. */
  readonly url: string;
  /** References of all images that are served. */
  readonly images: readonly string[];
  /** Every request so far, in order. */
  readonly requests: readonly {readonly method: string; readonly path: string; readonly range: string | undefined}[];
  /** Adds a rule before the others. */
  misbehave(rule: Misbehaviour): void;
  /** Drops all rules. */
  behave(): void;
  close(): Promise<void>;
}

export function servePublicPlaces(options?: PublicPlacesOptions): Promise<PublicPlaces>;

/** Builds images and lays out files from the test bed's programs; returns the folder of files. Throws when a part isn't built. */
export function buildPublicPlaces(report?: (line: string) => void): string;
