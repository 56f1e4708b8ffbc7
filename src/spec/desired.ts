// What a user wants, read completely: the document, its profile's layers and the content of every file it names. `readCluster` returns it, a
// saved plan carries it, and every mode plans from it without reading anything more from disk.
import type {ClusterDocument} from './schema.ts';

export interface DesiredLayer {
  readonly name: string;
  readonly kind: 'cni' | 'csi' | 'addon';
  /** Kubernetes objects as one YAML text, variables filled in; empty before what `source` names is rendered. */
  readonly manifest: string;
  /** Where objects go that live in a namespace and name none; absent: `default`. */
  readonly namespace?: string;
  /** How long the layer may take to get healthy, in ms; absent: ten minutes. */
  readonly patience?: number;
  /** What the manifest is rendered from; absent once it is. */
  readonly source?: LayerSource;
  /** The program that rendered it. */
  readonly renderedBy?: 'helm' | 'kubectl';
}

/** What needs a program to become a manifest. Paths are absolute. */
export type LayerSource =
  | {
      readonly kind: 'chart';
      /** A chart's folder, or its package (.tgz). */
      readonly path: string;
      readonly release: string;
      /** Laid over one another, last ones winning; variables filled in. */
      readonly values: readonly Readonly<Record<string, unknown>>[];
      readonly createNamespace: boolean;
    }
  | {readonly kind: 'kustomization'; readonly path: string; readonly variables: Readonly<Record<string, string | number | boolean>>};

export interface DesiredFile {
  readonly path: string;
  readonly content: string;
  /** Octal: `0644`. */
  readonly mode: string;
  readonly owner: string;
}

/** A registry's mirrors, with the text of their certificates. */
export interface DesiredRegistry {
  readonly name: string;
  readonly mirrors: readonly {readonly url: string; readonly capabilities: readonly string[]; /** PEM. */ readonly authority?: string}[];
  readonly fallback: boolean;
}

export interface DesiredTemplate {
  /** As complaints call it. */
  readonly file: string;
  readonly text: string;
  /** Values of `${VARIABLES}` that the environment has; those of the file go before them. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface DesiredCluster {
  /** Defaults applied. */
  readonly document: ClusterDocument;
  /** In the order in which they are applied. */
  readonly layers: readonly DesiredLayer[];
  /** By host name: the content of `files`. */
  readonly hostFiles: Readonly<Record<string, readonly DesiredFile[]>>;
  /** By host name: the text of the hooks' scripts. */
  readonly hostHooks: Readonly<Record<string, {readonly beforeApply?: string; readonly afterApply?: string}>>;
  /** Mirrors for the hosts' containers; absent: none. */
  readonly registries?: readonly DesiredRegistry[];
  /** Where it came from; `folder` is what its relative paths start from. */
  readonly source: {readonly files: readonly string[]; readonly folder: string; readonly digest: string};
  /** Controller mode: the text that the document was read from, so that what a management cluster refuses is shown at its line. */
  readonly origin?: {readonly file: string; readonly text: string};
  /** Controller mode: the text of `template.file`, and the environment's values for its variables. */
  readonly template?: DesiredTemplate;
  /** The profile's `os.image`. */
  readonly image?: string;
  readonly warnings: readonly {readonly code: string; readonly message: string; readonly hints?: readonly string[]}[];
}
