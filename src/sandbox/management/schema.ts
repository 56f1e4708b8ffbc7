// Structural schemas of custom resources: what they prune, default and refuse, in the words of the real API server.
import {isDeepStrictEqual} from 'node:util';
import type {FieldError} from './failure.ts';

export interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly nullable?: boolean;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
}

export const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The schema below a field; undefined where nothing is known. */
export function schemaOf(schema: Schema | undefined, field: string): Schema | undefined {
  return schema?.properties?.[field] ?? (typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined);
}

/** A copy without the fields that the schema doesn't know; `dropped` learns their paths. Metadata, apiVersion and kind are looked at elsewhere. */
export function prune(value: unknown, schema: Schema | undefined, dropped: string[], path = ''): unknown {
  if (schema === undefined) return value;
  if (Array.isArray(value)) return schema.items === undefined ? value : value.map((one, index) => prune(one, schema.items, dropped, `${path}[${index}]`));
  if (!isMap(value)) return value;
  const keepsUnknown = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true || schema.properties === undefined;
  const result: Record<string, unknown> = {};
  for (const [key, one] of Object.entries(value)) {
    const below = schemaOf(schema, key);
    const place = path === '' ? key : `${path}.${key}`;
    if (below !== undefined) result[key] = prune(one, below, dropped, place);
    else if (keepsUnknown && schema.additionalProperties === undefined) result[key] = one;
    else if (keepsUnknown) result[key] = one;
    else dropped.push(place);
  }
  return result;
}

/** A copy with the schema's defaults, and without nulls that mean "not set". */
export function withDefaults(value: unknown, schema: Schema | undefined): unknown {
  if (schema === undefined) return value;
  if (Array.isArray(value)) return schema.items === undefined ? value : value.map((one) => withDefaults(one, schema.items));
  if (!isMap(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [key, one] of Object.entries(value)) {
    const below = schemaOf(schema, key);
    if (one === null && below !== undefined && below.nullable !== true) continue;
    result[key] = withDefaults(one, below);
  }
  for (const [key, below] of Object.entries(schema.properties ?? {}))
    if (result[key] === undefined && below.default !== undefined) result[key] = withDefaults(structuredClone(below.default), below);
  return result;
}

/** What the schema refuses, all of it. */
export function validate(value: unknown, schema: Schema | undefined, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  check(value, schema, path, errors);
  return errors;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function check(value: unknown, schema: Schema | undefined, path: string, errors: FieldError[]): void {
  if (schema === undefined) return;
  const invalid = (bad: unknown, detail: string) => errors.push({field: path, reason: 'FieldValueInvalid', message: `Invalid value: ${shown(bad)}: ${detail}`});
  const type = typeOf(value);
  if (type === 'null' && schema.nullable === true) return;
  const isRight =
    schema.type === undefined ||
    schema.type === type ||
    (schema.type === 'number' && type === 'integer') ||
    (schema['x-kubernetes-int-or-string'] === true && (type === 'integer' || type === 'string'));
  if (!isRight)
    return void errors.push({
      field: path,
      reason: 'FieldValueTypeInvalid',
      message: `Invalid value: ${shown(type)}: ${path} in body must be of type ${schema.type}: ${shown(type)}`,
    });
  if (schema.enum !== undefined && !schema.enum.some((one) => isDeepStrictEqual(one, value)))
    errors.push({
      field: path,
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${shown(value)}: supported values: ${schema.enum.map(shown).join(', ')}`,
    });
  if (typeof value === 'string') checkText(value, schema, path, errors, invalid);
  else if (typeof value === 'number') {
    if (schema.minimum !== undefined && value < schema.minimum) invalid(value, `${path} in body should be greater than or equal to ${schema.minimum}`);
    if (schema.maximum !== undefined && value > schema.maximum) invalid(value, `${path} in body should be less than or equal to ${schema.maximum}`);
  } else if (Array.isArray(value)) checkList(value, schema, path, errors, invalid);
  else if (isMap(value)) {
    const count = Object.keys(value).length;
    if (schema.minProperties !== undefined && count < schema.minProperties)
      invalid(count, `${path} in body should have at least ${schema.minProperties} properties`);
    if (schema.maxProperties !== undefined && count > schema.maxProperties)
      errors.push({field: path, reason: 'FieldValueTooMany', message: `Too many: ${count}: must have at most ${schema.maxProperties} items`});
    for (const name of schema.required ?? [])
      if (value[name] === undefined) errors.push({field: join(path, name), reason: 'FieldValueRequired', message: 'Required value'});
    for (const [key, one] of Object.entries(value)) check(one, schemaOf(schema, key), join(path, key), errors);
  }
}

type Invalid = (bad: unknown, detail: string) => unknown;

function checkText(value: string, schema: Schema, path: string, errors: FieldError[], invalid: Invalid): void {
  if (schema.minLength !== undefined && value.length < schema.minLength) invalid(value, `${path} in body should be at least ${schema.minLength} chars long`);
  if (schema.maxLength !== undefined && value.length > schema.maxLength)
    errors.push({field: path, reason: 'FieldValueTooLong', message: `Too long: may not be more than ${schema.maxLength} bytes`});
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value)) invalid(value, `${path} in body should match '${schema.pattern}'`);
}

function checkList(value: readonly unknown[], schema: Schema, path: string, errors: FieldError[], invalid: Invalid): void {
  if (schema.minItems !== undefined && value.length < schema.minItems) invalid(value.length, `${path} in body should have at least ${schema.minItems} items`);
  if (schema.maxItems !== undefined && value.length > schema.maxItems)
    errors.push({field: path, reason: 'FieldValueTooMany', message: `Too many: ${value.length}: must have at most ${schema.maxItems} items`});
  for (const [index, one] of value.entries()) check(one, schema.items, `${path}[${index}]`, errors);
  const keys = schema['x-kubernetes-list-map-keys'];
  if (keys === undefined && schema['x-kubernetes-list-type'] !== 'set') return;
  const seen = new Set<string>();
  for (const [index, one] of value.entries()) {
    const key = keys === undefined ? one : Object.fromEntries(keys.map((name) => [name, isMap(one) ? one[name] : undefined]));
    const text = JSON.stringify(key) ?? '';
    if (seen.has(text)) errors.push({field: `${path}[${index}]`, reason: 'FieldValueDuplicate', message: `Duplicate value: ${text}`});
    seen.add(text);
  }
}

const join = (path: string, key: string) => (path === '' ? key : `${path}.${key}`);
const shown = (value: unknown) => JSON.stringify(value) ?? 'null';
