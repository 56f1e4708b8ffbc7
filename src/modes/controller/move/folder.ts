// A management cluster's objects as files, in clusterctl's layout: KIND_NAMESPACE_NAME.yaml, so that both tools read what the other wrote.
import {mkdir, readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {parseAllDocuments, stringify} from 'yaml';
import {digestOf} from '../../../kernel/digest.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import {writeFileAtomic} from '../../../kernel/files.ts';
import type {KubeObject} from '../../../kube/object.ts';
import {groupOf, textAt} from '../../../kube/object.ts';
import type {FoundObject, MoveKind} from './graph.ts';
import type {SideFacts} from './read.ts';
import type {MoveSource} from './scope.ts';

/** A ConfigMap without owners, which no move takes along; it says what the folder must hold. */
const indexName = 'trireme-move-index';

interface Index {
  readonly format: 1;
  /** Id of the management cluster that was saved. */
  readonly source: string;
  /** ISO 8601. */
  readonly at: string;
  /** Digest by file name. */
  readonly files: Readonly<Record<string, string>>;
}

/** The name of an object's file. */
export function fileNameOf(object: KubeObject): string {
  return `${object.kind}_${object.metadata.namespace ?? ''}_${object.metadata.name}.yaml`;
}

/** Writes one object, readable for its owner only: there are Secrets among them. */
export async function writeObject(folder: string, object: KubeObject): Promise<void> {
  await mkdir(folder, {recursive: true, mode: 0o700});
  const {managedFields: _managedFields, ...metadata} = object.metadata;
  const text = stringify({...object, metadata}, {lineWidth: 0});
  await writeFileAtomic(join(folder, fileNameOf(object)), text, {mode: 0o600});
}

/** Digests of files that must be there, by name. Throws `file.not-found`. */
export async function digestsOf(folder: string, names: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const read = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(folder, name), 'utf8').catch((error: unknown) => {
        throw new TriremeError('file.not-found', `${join(folder, name)} wasn't written.`, {cause: error, hints: ['Save again.']});
      });
      return [name, digestOf(text)] as const;
    }),
  );
  return Object.fromEntries(read);
}

/** Written last: a folder without it was cut off. */
export async function writeIndex(folder: string, source: string, files: Readonly<Record<string, string>>): Promise<void> {
  const index: Index = {format: 1, source, at: new Date().toISOString(), files};
  const object = {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: indexName, namespace: 'default'}, data: {index: JSON.stringify(index)}};
  await writeFileAtomic(join(folder, fileNameOf(object)), stringify(object, {lineWidth: 0}), {mode: 0o600});
}

export interface ReadFolder {
  readonly facts: SideFacts;
  readonly source: MoveSource;
  /** Undefined when it was written by clusterctl: whether it's whole can't be told. */
  readonly index: Index | undefined;
}

/** Reads a folder back. `kinds` are the target's. Throws `file.not-found`, `file.invalid` for damage, each file named. */
export async function readFolder(folder: string, kinds: readonly MoveKind[]): Promise<ReadFolder> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new TriremeError('file.not-found', `Can't read the folder ${folder}.`, {
      cause: error,
      hints: ['Make one: trireme cluster move --to-directory FOLDER'],
    });
  });
  const texts = await Promise.all(
    names.filter((name) => /\.(ya?ml|json)$/.test(name)).map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const),
  );
  const objects = texts.flatMap(([name, text]) => parsed(join(folder, name), text));
  const index = indexIn(objects);
  requireWhole(folder, new Map(texts), index);
  const id = index?.source ?? `directory ${folder}`;
  const found = objects.filter((object) => object.metadata.name !== indexName).map((object): FoundObject => ({object, kind: kindOf(object, kinds)}));
  return {index, facts: {id, server: folder, kinds, objects: found, providers: []}, source: folderSource(folder, found)};
}

function parsed(path: string, text: string): readonly KubeObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    const object = document.errors.length === 0 ? (document.toJS() as KubeObject | null) : undefined;
    if (object === null) return [];
    if (typeof object?.kind === 'string' && typeof object.apiVersion === 'string' && typeof object.metadata?.name === 'string') return [object];
    throw new TriremeError('file.invalid', `${path} holds no Kubernetes object.`, {hints: ['It is damaged, or it was put there by somebody else.']});
  });
}

function indexIn(objects: readonly KubeObject[]): Index | undefined {
  const text = textAt(
    objects.find((object) => object.kind === 'ConfigMap' && object.metadata.name === indexName),
    'data',
    'index',
  );
  if (text === undefined) return undefined;
  try {
    const index = JSON.parse(text) as Partial<Index> | null;
    if (index?.format === 1 && typeof index.source === 'string' && typeof index.files === 'object') return index as Index;
  } catch {
    // told below, as an index of another form is
  }
  throw new TriremeError('file.invalid', `The index of the folder (${indexName}) can't be read: it is damaged, or another version wrote it.`, {
    hints: ['Save again: trireme cluster move --to-directory FOLDER'],
  });
}

function requireWhole(folder: string, texts: ReadonlyMap<string, string>, index: Index | undefined): void {
  const wrong = Object.entries(index?.files ?? {}).flatMap(([name, digest]) => {
    const text = texts.get(name);
    return text === undefined ? [`${name} is missing`] : digestOf(text) === digest ? [] : [`${name} was changed`];
  });
  if (wrong.length > 0)
    throw new TriremeError(
      'file.invalid',
      `The folder ${folder} isn't what was saved: ${wrong.slice(0, 5).join(', ')}${wrong.length > 5 ? ` and ${wrong.length - 5} more` : ''}.`,
    );
}

/** A kind that the target doesn't serve is complained about by the plan, under the name that the file gives it. */
function kindOf(object: KubeObject, kinds: readonly MoveKind[]): MoveKind {
  const group = groupOf(object.apiVersion);
  const known = kinds.find(({resource}) => resource.group === group && resource.kind === object.kind);
  if (known !== undefined) return known;
  const resource = {group, version: '', plural: object.kind.toLowerCase(), kind: object.kind, namespaced: object.metadata.namespace !== undefined};
  return {resource, always: false, hierarchy: false};
}

/** Gives what the files hold; nothing can be changed in it. */
function folderSource(folder: string, found: readonly FoundObject[]): MoveSource {
  const refuse = () => Promise.reject(new Error(`${folder} is only read`));
  return {
    server: folder,
    get: async <T extends KubeObject>(resource: {readonly kind: string; readonly group: string}, key: {readonly name: string; readonly namespace?: string}) =>
      found.find(
        ({object, kind}) =>
          kind.resource.kind === resource.kind &&
          kind.resource.group === resource.group &&
          object.metadata.name === key.name &&
          object.metadata.namespace === key.namespace,
      )?.object as T | undefined,
    list: refuse,
    patch: refuse,
    remove: refuse,
    close: () => {},
  };
}
