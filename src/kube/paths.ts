// Where a resource is in the API, and what a query says.
import type {ObjectKey, Resource} from './api.ts';

/** `/apis/GROUP/VERSION` or `/api/v1`. */
export function groupVersionPath(group: string, version: string): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
}

/** Of a collection; without a namespace: of all. */
export function collectionPath(resource: Resource, namespace: string | undefined): string {
  const base = groupVersionPath(resource.group, resource.version);
  return resource.namespaced && namespace !== undefined
    ? `${base}/namespaces/${encodeURIComponent(namespace)}/${resource.plural}`
    : `${base}/${resource.plural}`;
}

export function objectPath(resource: Resource, key: ObjectKey): string {
  return `${collectionPath(resource, key.namespace)}/${encodeURIComponent(key.name)}`;
}

/** `?a=b&c=d` without what is undefined; empty when nothing is left. */
export function query(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const pairs = Object.entries(values).filter(([, value]) => value !== undefined);
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs.map(([key, value]): [string, string] => [key, String(value)])).toString()}`;
}
