// Reads files into documents: several files, several documents, standard input; everything that is wrong with them at once.
import {createReadStream} from 'node:fs';
import {dirname, isAbsolute, join} from 'node:path';
import type {z} from 'zod';
import {complaintsOf, placeIssues} from './check-schema.ts';
import type {Complaint} from './complaint.ts';
import {schemaOfKind} from './json-schema.ts';
import {listOr, nearest} from './nearest.ts';
import {apiVersion, type ClusterDocument, type Kind, kinds, laterKinds, type ProfileDocument} from './schema.ts';
import {largestFile, readSource, type Source, sourceOfBytes} from './source.ts';
import {locate, parseYaml, type YamlDocument} from './yaml-text.ts';

export interface SpecDocument {
  readonly yaml: YamlDocument;
  readonly kind: Kind;
  readonly name: string;
  /** Defaults applied. Undefined when the document doesn't fit its schema, even without the fields that are wrong. */
  readonly content: ClusterDocument | ProfileDocument | undefined;
}

export interface SpecFiles {
  readonly documents: readonly SpecDocument[];
  readonly sources: readonly Source[];
  readonly complaints: readonly Complaint[];
}

export interface ReadOptions {
  /** What relative names start from, and where trireme.yaml is looked for; absolute. */
  readonly folder: string;
  /** Content of standard input, for the file `-`. */
  readonly stdin?: () => Promise<string | Uint8Array>;
  /** What files shall be read as, by absolute path: a change that isn't written yet. */
  readonly contents?: ReadonlyMap<string, string>;
}

export const defaultFile = 'trireme.yaml';

/** Reads all documents of the files; without any, ./trireme.yaml. Bad input becomes complaints, never an exception. */
export async function readSpecFiles(files: readonly string[], options: ReadOptions): Promise<SpecFiles> {
  const sources: Source[] = [];
  const complaints: Complaint[] = [];
  const documents: SpecDocument[] = [];
  for (const file of new Set(files.length === 0 ? [defaultFile] : files)) {
    const read = file === '-' ? await readStdin(options) : await readFileOf(file, isAbsolute(file) ? file : join(options.folder, file), options);
    if ('complaint' in read) {
      const {complaint} = read;
      const hint = files.length === 0 && complaint.rule === 'file.not-found' ? 'Name the file with -f, or write one with: trireme init' : complaint.hint;
      complaints.push({...complaint, ...(hint === undefined ? {} : {hint})});
      continue;
    }
    sources.push(read.source);
    const found = readDocuments(read.source);
    complaints.push(...found.complaints);
    documents.push(...found.documents);
  }
  complaints.push(...duplicates(documents));
  return {documents, sources, complaints};
}

function readFileOf(file: string, path: string, {contents}: ReadOptions) {
  const content = contents?.get(path);
  return content === undefined ? readSource(file, path) : Promise.resolve(sourceOfBytes(file, dirname(path), Buffer.from(content)));
}

async function readStdin(options: ReadOptions) {
  const content = await (options.stdin ?? readStandardInput)();
  return sourceOfBytes('<stdin>', options.folder, typeof content === 'string' ? Buffer.from(content) : content);
}

async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of createReadStream('', {fd: 0, autoClose: false})) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > largestFile) break;
  }
  return Buffer.concat(chunks);
}

/** The documents of one text. */
export function readDocuments(source: Source): {readonly documents: readonly SpecDocument[]; readonly complaints: readonly Complaint[]} {
  const parsed = parseYaml(source);
  const complaints = [...parsed.complaints];
  const documents: SpecDocument[] = [];
  for (const yaml of parsed.documents) {
    if (yaml.value === undefined || (yaml.value === null && complaints.length > 0)) continue;
    const kind = kindOf(yaml, complaints);
    if (kind === undefined) continue;
    const checked = checkSchema(yaml, kind, complaints);
    const metadata = (yaml.value as {metadata?: {name?: unknown} | null}).metadata;
    documents.push({yaml, kind, name: typeof metadata?.name === 'string' ? metadata.name : '', content: yaml.ambiguous ? undefined : checked});
  }
  if (parsed.documents.length === 0 && complaints.length === 0) {
    complaints.push(
      source.complain({offset: 0, length: 1}, {rule: 'document.empty', message: `${source.file} is empty.`, hint: 'Write one with: trireme init'}),
    );
  }
  return {documents, complaints};
}

function kindOf(yaml: YamlDocument, complaints: Complaint[]): Kind | undefined {
  const {value, source} = yaml;
  const known = Object.keys(kinds);
  const complain = (rule: string, message: string, path: readonly string[], hint?: string) => {
    complaints.push(source.complain(locate(yaml, path), {rule, message, ...(hint === undefined ? {} : {hint})}));
  };
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    complain('document.root', 'A document is a map that begins with apiVersion and kind.', []);
    return undefined;
  }
  const {apiVersion: version, kind} = value as {apiVersion?: unknown; kind?: unknown};
  if (typeof kind !== 'string' || !known.includes(kind)) {
    const word = typeof kind === 'string' ? kind.slice(0, 80) : undefined;
    const later = word === undefined ? undefined : laterKinds[word];
    const meant = word === undefined ? undefined : nearest(word, known);
    if (later !== undefined) complain('document.kind', `kind: ${word} can't be used: ${later}.`, ['kind']);
    else if (kind === undefined) complain('document.kind', `The document has no kind; it is ${listOr(known)}.`, [], keyHint(value, 'kind'));
    else
      complain(
        'document.kind',
        `kind is ${word ?? 'no text'}; it must be ${listOr(known)}.`,
        ['kind'],
        meant === undefined ? undefined : `Did you mean ${meant}?`,
      );
    // what the document should be isn't known: its other fields can't be judged
    return undefined;
  }
  if (version !== apiVersion) {
    if (version === undefined) complain('document.api-version', `The document has no apiVersion; it is ${apiVersion}.`, [], keyHint(value, 'apiVersion'));
    else
      complain(
        'document.api-version',
        `apiVersion is ${typeof version === 'string' ? version.slice(0, 80) : 'no text'}; this version of Trireme reads ${apiVersion}.`,
        ['apiVersion'],
        typeof version === 'string' && nearest(version, [apiVersion]) !== undefined ? `Did you mean ${apiVersion}?` : undefined,
      );
  }
  return kind as Kind;
}

function keyHint(value: object, wanted: string): string | undefined {
  const near = Object.keys(value).find((key) => nearest(key, [wanted]) !== undefined);
  return near === undefined ? undefined : `Did you mean ${wanted} where it says ${near.slice(0, 80)}?`;
}

/** The content with defaults; with complaints, the content without the wrong fields, so that lint can go on. */
function checkSchema(yaml: YamlDocument, kind: Kind, complaints: Complaint[]): ClusterDocument | ProfileDocument | undefined {
  const value = {...(yaml.value as Record<string, unknown>), apiVersion};
  const schema: z.ZodType<ClusterDocument | ProfileDocument> = kinds[kind];
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const {issues} = result.error;
  complaints.push(...complaintsOf(yaml, schemaOfKind(kind), issues));
  const pruned = structuredClone(value);
  for (const {issue, path} of placeIssues(issues)) {
    if (issue.code === 'unrecognized_keys') for (const key of issue.keys) remove(pruned, [...path, key]);
    else remove(pruned, typeof path.at(-1) === 'number' ? path.slice(0, -1) : path);
  }
  const second = schema.safeParse(pruned);
  return second.success ? second.data : undefined;
}

function remove(value: unknown, path: readonly (string | number)[]): void {
  const last = path.at(-1);
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((at, segment) => (at !== null && typeof at === 'object' ? (at as Record<string | number, unknown>)[segment] : undefined), value);
  if (last !== undefined && parent !== null && typeof parent === 'object') delete (parent as Record<string | number, unknown>)[last];
}

function duplicates(documents: readonly SpecDocument[]): Complaint[] {
  const seen = new Map<string, SpecDocument>();
  return documents.flatMap((document) => {
    const key = `${document.kind} ${document.name}`;
    const first = seen.get(key);
    if (first === undefined || document.name === '') {
      seen.set(key, document);
      return [];
    }
    const {source} = document.yaml;
    const {line} = first.yaml.source.position(locate(first.yaml, ['metadata', 'name']).offset);
    return [
      source.complain(locate(document.yaml, ['metadata', 'name']), {
        rule: 'document.duplicate',
        message: `There is another ${document.kind} ${document.name}, at ${first.yaml.source.file}:${line}.`,
      }),
    ];
  });
}
