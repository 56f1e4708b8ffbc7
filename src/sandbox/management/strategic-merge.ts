// Strategic merge patch for Kubernetes' own kinds, as far as people use it: lists of maps that have names are merged by name.
import type {Draft} from './draft.ts';
import {isMap} from './schema.ts';

const keys = ['name', 'uid', 'containerPort', 'type'];

export function strategicMerge(target: unknown, patch: Draft): Draft {
  const result: Draft = isMap(target) ? {...target} : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key === '$patch' || key.startsWith('$setElementOrder/') || key.startsWith('$retainKeys')) continue;
    if (value === null) delete result[key];
    else if (isMap(value)) result[key] = value['$patch'] === 'replace' ? without$(value) : strategicMerge(result[key], value);
    else if (Array.isArray(value)) result[key] = mergeLists(result[key], value);
    else result[key] = value;
  }
  return result;
}

const without$ = ({$patch: _directive, ...rest}: Draft): Draft => rest;

function mergeLists(before: unknown, patch: readonly unknown[]): unknown {
  const key = keys.find((name) => patch.length > 0 && patch.every((one) => isMap(one) && one[name] !== undefined));
  if (key === undefined || !Array.isArray(before)) return patch.map((one) => (isMap(one) ? without$(one) : one));
  const merged = new Map((before as readonly unknown[]).map((one) => [isMap(one) ? one[key] : one, one]));
  for (const one of patch as readonly Draft[]) {
    if (one['$patch'] === 'delete') merged.delete(one[key]);
    else merged.set(one[key], strategicMerge(merged.get(one[key]), one));
  }
  return [...merged.values()];
}
