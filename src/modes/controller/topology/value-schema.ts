// Values of class variables against their schema: what Cluster API's JSONSchemaProps can say, but for CEL and formats (the server's dry run has
// those). As in internal/topology/variables of Cluster API, defaults are filled in before values are judged. Pure.
import {canonicalJson} from '../../../kernel/digest.ts';
import {listOr, nearest} from '../../../spec/nearest.ts';

/** The subset of OpenAPI v3 that a ClusterClass variable's schema has. */
export interface ValueSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  readonly additionalProperties?: ValueSchema | boolean;
  readonly required?: readonly string[];
  readonly items?: ValueSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly allOf?: readonly ValueSchema[];
  readonly anyOf?: readonly ValueSchema[];
  readonly oneOf?: readonly ValueSchema[];
  readonly not?: ValueSchema;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
}

export interface ValueProblem {
  /** Below the value. */
  readonly path: readonly (string | number)[];
  readonly rule: 'type' | 'required' | 'unknown-key' | 'value' | 'range' | 'format';
  /** Goes on after the value's name: `must be one of a, b`. */
  readonly message: string;
  readonly hint?: string;
  readonly atKey?: boolean;
}

/** Everything that is wrong with a value; empty when it fits. */
export function valueProblems(value: unknown, schema: ValueSchema): readonly ValueProblem[] {
  return check(withDefaults(value, schema), schema, []);
}

/** The value with the schema's defaults where it says nothing, as the server fills them in. */
export function withDefaults(value: unknown, schema: ValueSchema): unknown {
  if (value === undefined) return schema.default === undefined ? undefined : withDefaults(schema.default, {...schema, default: undefined});
  if (Array.isArray(value)) return schema.items === undefined ? value : value.map((item) => withDefaults(item, schema.items ?? {}));
  if (!isMap(value)) return value;
  const filled: Record<string, unknown> = {...value};
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const inner = withDefaults(filled[key], property);
    if (inner !== undefined) filled[key] = inner;
  }
  if (typeof schema.additionalProperties === 'object') {
    for (const key of Object.keys(filled)) if (schema.properties?.[key] === undefined) filled[key] = withDefaults(filled[key], schema.additionalProperties);
  }
  return filled;
}

type Path = ValueProblem['path'];

function check(value: unknown, schema: ValueSchema, path: Path): ValueProblem[] {
  const wrongType = typeProblem(value, schema);
  if (wrongType !== undefined) return [{path, rule: 'type', ...wrongType}];
  return [
    ...enumProblems(value, schema, path),
    ...(typeof value === 'string' ? textProblems(value, schema, path) : []),
    ...(typeof value === 'number' ? numberProblems(value, schema, path) : []),
    ...(Array.isArray(value) ? listProblems(value, schema, path) : []),
    ...(isMap(value) ? mapProblems(value, schema, path) : []),
    ...combinedProblems(value, schema, path),
  ];
}

const nouns: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
};

function typeProblem(value: unknown, schema: ValueSchema): {readonly message: string; readonly hint?: string} | undefined {
  if (schema['x-kubernetes-int-or-string'] === true)
    return Number.isInteger(value) || typeof value === 'string' ? undefined : {message: `is ${kindOf(value)}; it must be a whole number or text`};
  const {type} = schema;
  if (type === undefined || type === '' || fits(value, type)) return undefined;
  const hint = type === 'string' && (typeof value === 'number' || typeof value === 'boolean') ? `In quotes it is text: "${String(value)}"` : undefined;
  const unquoted = typeof value === 'string' && fits(parsed(value), type) && type !== 'string' ? `Without quotes it is ${nouns[type] ?? type}.` : undefined;
  const said = hint ?? unquoted;
  return {message: `is ${kindOf(value)}; it must be ${nouns[type] ?? type}`, ...(said === undefined ? {} : {hint: said})};
}

function fits(value: unknown, type: string): boolean {
  switch (type) {
    case 'string':
    case 'boolean':
      return typeof value === type;
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isMap(value);
    default:
      return true;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return value === '' ? 'an empty text' : 'text';
  return typeof value === 'boolean' ? `${String(value)}` : `the number ${String(value)}`;
}

function enumProblems(value: unknown, schema: ValueSchema, path: Path): ValueProblem[] {
  const allowed = schema.enum ?? [];
  if (allowed.length === 0 || allowed.some((one) => canonicalJson(one) === canonicalJson(value))) return [];
  const words = allowed.map((one) => (typeof one === 'string' ? one : canonicalJson(one)));
  const meant = typeof value === 'string' ? nearest(value, words) : undefined;
  return [{path, rule: 'value', message: `is ${shown(value)}; it must be ${listOr(words)}`, ...(meant === undefined ? {} : {hint: `Did you mean ${meant}?`})}];
}

function textProblems(value: string, schema: ValueSchema, path: Path): ValueProblem[] {
  const problems: ValueProblem[] = [];
  const length = [...value].length;
  if (schema.minLength !== undefined && length < schema.minLength)
    problems.push({path, rule: 'range', message: `must have at least ${schema.minLength} characters`});
  if (schema.maxLength !== undefined && length > schema.maxLength)
    problems.push({path, rule: 'range', message: `has ${length} characters; it must have at most ${schema.maxLength}`});
  const pattern = schema.pattern === undefined || schema.pattern === '' ? undefined : expressionOf(schema.pattern);
  if (pattern !== undefined && !pattern.test(value)) problems.push({path, rule: 'format', message: `is ${shown(value)}; it must match ${schema.pattern}`});
  return problems;
}

/** Go's syntax (RE2) where it is JavaScript's too; anything else is left to the server. */
function expressionOf(pattern: string): RegExp | undefined {
  if (/\[\[:|\\[AzQECpP]|\(\?[a-zA-Z-]*[):]|\(\?P</.test(pattern.replaceAll('(?:', '('))) return undefined;
  try {
    return new RegExp(pattern, 'u');
  } catch {
    return undefined;
  }
}

function numberProblems(value: number, schema: ValueSchema, path: Path): ValueProblem[] {
  const {minimum, maximum} = schema;
  if (minimum !== undefined && (schema.exclusiveMinimum === true ? value <= minimum : value < minimum))
    return [{path, rule: 'range', message: `is ${value}; it must be ${schema.exclusiveMinimum === true ? 'more than' : 'at least'} ${minimum}`}];
  if (maximum !== undefined && (schema.exclusiveMaximum === true ? value >= maximum : value > maximum))
    return [{path, rule: 'range', message: `is ${value}; it must be ${schema.exclusiveMaximum === true ? 'less than' : 'at most'} ${maximum}`}];
  return [];
}

function listProblems(value: readonly unknown[], schema: ValueSchema, path: Path): ValueProblem[] {
  const problems = schema.items === undefined ? [] : value.flatMap((item, index) => check(item, schema.items ?? {}, [...path, index]));
  if (schema.minItems !== undefined && value.length < schema.minItems)
    problems.push({path, rule: 'range', message: `must have at least ${schema.minItems} items`});
  if (schema.maxItems !== undefined && value.length > schema.maxItems)
    problems.push({path, rule: 'range', message: `must have at most ${schema.maxItems} items`});
  if (schema.uniqueItems === true) {
    const seen = new Set<string>();
    for (const [index, item] of value.entries()) {
      const text = canonicalJson(item);
      if (seen.has(text)) problems.push({path: [...path, index], rule: 'value', message: `is there twice: ${shown(item)}`});
      seen.add(text);
    }
  }
  return problems;
}

function mapProblems(value: Readonly<Record<string, unknown>>, schema: ValueSchema, path: Path): ValueProblem[] {
  const problems: ValueProblem[] = [];
  const known = Object.keys(schema.properties ?? {});
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true;
  for (const [key, item] of Object.entries(value)) {
    const property = schema.properties?.[key] ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined);
    if (property !== undefined) problems.push(...check(item, property, [...path, key]));
    else if (!open && schema.type === 'object') {
      const meant = nearest(key, known);
      const fields = known.length === 0 ? 'It has no fields.' : `Its fields are ${known.join(', ')}.`;
      problems.push({
        path: [...path, key],
        rule: 'unknown-key',
        message: 'is no field of it',
        hint: meant === undefined ? fields : `Did you mean ${meant}?`,
        atKey: true,
      });
    }
  }
  for (const key of schema.required ?? []) {
    // a misspelt key is one mistake, not two
    if (Object.hasOwn(value, key) || Object.keys(value).some((other) => !known.includes(other) && nearest(other, known) === key)) continue;
    const description = schema.properties?.[key]?.description;
    problems.push({
      path: [...path, key],
      rule: 'required',
      message: 'is missing',
      ...(description === undefined ? {} : {hint: `${key}: ${description}`}),
      atKey: true,
    });
  }
  const count = Object.keys(value).length;
  if (schema.minProperties !== undefined && count < schema.minProperties)
    problems.push({path, rule: 'range', message: `must have at least ${schema.minProperties} fields`});
  if (schema.maxProperties !== undefined && count > schema.maxProperties)
    problems.push({path, rule: 'range', message: `must have at most ${schema.maxProperties} fields`});
  return problems;
}

function combinedProblems(value: unknown, schema: ValueSchema, path: Path): ValueProblem[] {
  const problems = (schema.allOf ?? []).flatMap((part) => check(value, part, path));
  const fitting = (parts: readonly ValueSchema[]) => parts.filter((part) => check(value, part, []).length === 0).length;
  if (schema.anyOf !== undefined && schema.anyOf.length > 0 && fitting(schema.anyOf) === 0)
    problems.push({path, rule: 'value', message: `is ${shown(value)}, which fits none of the ${schema.anyOf.length} forms that it may have`});
  if (schema.oneOf !== undefined && schema.oneOf.length > 0 && fitting(schema.oneOf) !== 1)
    problems.push({path, rule: 'value', message: `is ${shown(value)}; it must have exactly one of ${schema.oneOf.length} forms`});
  if (schema.not !== undefined && check(value, schema.not, []).length === 0)
    problems.push({path, rule: 'value', message: `is ${shown(value)}, which it must not be`});
  return problems;
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : canonicalJson(value);
  if (text === '') return 'an empty text';
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
