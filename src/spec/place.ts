// Where in the user's file something stands, long after the file was read: for what only a management cluster can find wrong.
import type {Complaint} from './complaint.ts';
import type {DesiredCluster} from './desired.ts';
import type {Finding} from './lint/report.ts';
import {dotted} from './check-schema.ts';
import {Source} from './source.ts';
import {locate, parseYaml, type Path, type YamlDocument} from './yaml-text.ts';

/** Finds places in the text that a cluster was read from; without that text (a cluster that no file says) there are none. */
export class Places {
  readonly #file: string;
  readonly #document: YamlDocument | undefined;

  constructor(cluster: Pick<DesiredCluster, 'document' | 'origin'>) {
    const {origin} = cluster;
    this.#file = origin?.file ?? cluster.document.metadata.name;
    this.#document =
      origin === undefined
        ? undefined
        : parseYaml(new Source(origin.file, '/', origin.text)).documents.find(({value}) => isCluster(value, cluster.document.metadata.name));
  }

  /** A complaint at a path of the document, or, where that isn't written, at the nearest one above it that is. */
  complain(finding: Finding): Complaint {
    const {path, rule, message, hint} = finding;
    const parts = {rule, message, ...(hint === undefined ? {} : {hint})};
    if (this.#document === undefined) return {file: this.#file, line: 1, column: 1, ...parts};
    return this.#document.source.complain(locate(this.#document, path, finding.atKey ? 'key' : 'value'), parts);
  }

  /** `trireme.yaml:12`, for a warning's sentence; the path itself where there is no text. */
  line(path: Path): string {
    if (this.#document === undefined) return dotted(path);
    return `${this.#file}:${this.#document.source.position(locate(this.#document, path, 'key').offset).line}`;
  }

  /** Whether the path is written in the text. */
  isWritten(path: Path): boolean {
    let value = this.#document?.value;
    for (const key of path) {
      if (value === null || typeof value !== 'object') return false;
      value = (value as Readonly<Record<string | number, unknown>>)[key];
    }
    return value !== undefined;
  }
}

function isCluster(value: unknown, name: string): boolean {
  const document = value as {kind?: unknown; metadata?: {name?: unknown} | null} | null | undefined;
  return document?.kind === 'Cluster' && document.metadata?.name === name;
}
