// The smallest object that a CRD's schema takes: required fields only, each with the smallest value of its type.
import {type KubeObject, listAt, numberAt, textAt, valueAt} from '../../../kube/object.ts';

const deepest = 12;

/** A sample of one version of a CRD; it is meant for dry runs. */
export function sampleOf(crd: KubeObject, version: unknown, namespace: string): KubeObject {
  const schema = valueAt(version, 'schema', 'openAPIV3Schema');
  const body = sampleValue(schema, 0);
  const isNamespaced = textAt(crd, 'spec', 'scope') !== 'Cluster';
  return {
    ...(body !== null && typeof body === 'object' ? (body as Record<string, unknown>) : {}),
    apiVersion: `${textAt(crd, 'spec', 'group') ?? ''}/${textAt(version, 'name') ?? ''}`,
    kind: textAt(crd, 'spec', 'names', 'kind') ?? '',
    metadata: {name: 'trireme-probe', ...(isNamespaced ? {namespace} : {})},
  };
}

function sampleValue(schema: unknown, depth: number): unknown {
  if (depth > deepest) return {};
  const preset = valueAt(schema, 'default');
  if (preset !== undefined) return preset;
  const [choice] = listAt(schema, 'enum');
  if (choice !== undefined) return choice;
  switch (textAt(schema, 'type')) {
    case 'object':
      return sampleMap(schema, depth);
    case 'array':
      return Array.from({length: numberAt(schema, 'minItems') ?? 0}, () => sampleValue(valueAt(schema, 'items'), depth + 1));
    case 'boolean':
      return false;
    case 'integer':
    case 'number':
      return numberAt(schema, 'minimum') ?? 0;
    case 'string':
      return sampleText(schema);
    default:
      return valueAt(schema, 'x-kubernetes-int-or-string') === true ? 0 : {};
  }
}

function sampleMap(schema: unknown, depth: number): Readonly<Record<string, unknown>> {
  const required = new Set(listAt(schema, 'required').map(String));
  const found: Record<string, unknown> = {};
  // `spec` is no required field of most kinds, and webhooks look into it
  if (depth === 0 && valueAt(schema, 'properties', 'spec') !== undefined) required.add('spec');
  for (const key of required) found[key] = sampleValue(valueAt(schema, 'properties', key), depth + 1);
  const least = numberAt(schema, 'minProperties') ?? 0;
  for (const [key, field] of Object.entries((valueAt(schema, 'properties') ?? {}) as Readonly<Record<string, unknown>>)) {
    if (Object.keys(found).length >= least) break;
    if (!(key in found)) found[key] = sampleValue(field, depth + 1);
  }
  return found;
}

function sampleText(schema: unknown): string {
  const format = textAt(schema, 'format');
  if (format === 'date-time') return '2026-01-01T00:00:00Z';
  if (format === 'byte') return '';
  if (format === 'duration') return '1s';
  return 'x'.repeat(Math.max(1, numberAt(schema, 'minLength') ?? 1));
}
