// Whole lists, page by page.
import {setTimeout as pause} from 'node:timers/promises';
import type {ListOptions, ObjectList, Resource} from './api.ts';
import {TriremeError} from '../kernel/errors.ts';
import type {KubeObject} from './object.ts';
import {collectionPath, query} from './paths.ts';
import {requireObject, type Rest} from './rest.ts';

/** Tables, and partial objects, in a list and alone: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables */
const table = 'application/json;as=Table;g=meta.k8s.io;v=v1,application/json';
const partialList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
export const partialObject = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

const defaultPageSize = 500;
/** How often a list begins anew because its snapshot expired under it. */
const freshStarts = 3;

interface Page {
  readonly kind?: string;
  readonly items?: readonly KubeObject[] | null;
  /** Of a table. */
  readonly rows?: readonly {readonly cells: readonly unknown[]}[] | null;
  readonly columnDefinitions?: readonly {readonly format?: string}[];
  readonly metadata?: {readonly continue?: string; readonly resourceVersion?: string};
}

/** All pages of one snapshot. When the server drops the snapshot in between (410), the list begins anew, with larger pages. */
export async function listAll<T extends KubeObject>(rest: Rest, resource: Resource, options: ListOptions): Promise<ObjectList<T>> {
  const subject = {verb: 'list', group: resource.group, resource: resource.plural, ...(options.namespace === undefined ? {} : {namespace: options.namespace})};
  let pageSize = options.pageSize ?? defaultPageSize;
  for (let start = 1; ; start += 1) {
    const items: T[] = [];
    let next: string | undefined;
    let isExpired = false;
    do {
      const shape = shapeOf(resource, options);
      const path =
        collectionPath(resource, options.namespace) +
        query({
          limit: next === undefined ? (options.firstPageSize ?? pageSize) : pageSize,
          continue: next,
          labelSelector: options.labelSelector,
          fieldSelector: options.fieldSelector,
          includeObject: shape === table ? 'None' : undefined,
        });
      const call = {...callOptions(options), method: 'GET', path, subject, repeat: 'repeatable' as const, ...(shape === undefined ? {} : {accept: shape})};
      const {status, body} = await rest.json<unknown>(call, next === undefined ? [] : [410]);
      isExpired = status === 410;
      if (isExpired) break;
      const page = requireObject<Page>(body, rest.server, subject);
      const read = itemsOf(page, options).map((item) => projected(complete<T>(item, resource), options));
      items.push(...read);
      await options.onPage?.(read);
      next = page.metadata?.continue === '' ? undefined : page.metadata?.continue;
      if (next === undefined) return {items, resourceVersion: page.metadata?.resourceVersion ?? ''};
      // one turn for others: parsing a large page holds up everything else
      await pause(0);
    } while (next !== undefined);
    if (start >= freshStarts) {
      throw new TriremeError('api.failed', `${rest.server} drops the list of ${resource.plural} before it's read to its end, ${start} times over.`, {
        hints: ['The list is large and the way slow: ask for one namespace: -n NAMESPACE'],
        details: {status: 410, resource: resource.plural},
      });
    }
    pageSize *= 4;
  }
}

function shapeOf({namespaced}: Resource, {metadataOnly, namesOnly, namespace}: ListOptions): string | undefined {
  if (namesOnly === true && (!namespaced || namespace !== undefined)) return table;
  return metadataOnly === true || namesOnly === true ? partialList : undefined;
}

/** A row's cell whose column has the format `name` is the object's name. */
function itemsOf({kind, items, rows, columnDefinitions}: Page, {namespace}: ListOptions): readonly KubeObject[] {
  if (kind !== 'Table') return items ?? [];
  const column = columnDefinitions?.findIndex(({format}) => format === 'name') ?? -1;
  if (column === -1) throw new TriremeError('api.failed', 'The server answers with a table that has no column of names.');
  return (rows ?? []).map(({cells}) => ({metadata: {name: String(cells[column]), ...(namespace === undefined ? {} : {namespace})}}) as KubeObject);
}

/** Built-in kinds come without apiVersion and kind in lists, and partial objects with those of the metadata. */
export function complete<T extends KubeObject>(item: KubeObject, resource: Resource): T {
  const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
  if (item.kind === resource.kind && item.apiVersion === apiVersion) return item as T;
  return {...item, apiVersion, kind: resource.kind} as unknown as T;
}

export function projected<T extends KubeObject>(object: T, {project}: Pick<ListOptions, 'project'>): T {
  return project === undefined ? object : (project(object) as T);
}

export function callOptions(options: {readonly signal?: AbortSignal; readonly deadline?: number}): {readonly signal?: AbortSignal; readonly deadline?: number} {
  return {...(options.signal === undefined ? {} : {signal: options.signal}), ...(options.deadline === undefined ? {} : {deadline: options.deadline})};
}
