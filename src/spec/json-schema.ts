// The schema as JSON Schema, for editors, for `explain`, and for finding which keys are valid where.
import {join} from 'node:path';
import {z} from 'zod';
import {writeFileAtomic} from '../kernel/files.ts';
import {apiVersion, type Kind, kinds} from './schema.ts';

/** The part of JSON Schema that zod writes for our schemas. */
export interface FieldSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | FieldSchema;
  readonly propertyNames?: FieldSchema;
  readonly items?: FieldSchema;
  readonly anyOf?: readonly FieldSchema[];
}

const made = new Map<Kind, FieldSchema>();

/** The JSON Schema of one kind of document, as a person writes it: what has a default isn't required. */
export function schemaOfKind(kind: Kind): FieldSchema {
  let schema = made.get(kind);
  if (schema === undefined) {
    schema = z.toJSONSchema(kinds[kind], {io: 'input', target: 'draft-7'}) as FieldSchema;
    made.set(kind, schema);
  }
  return schema;
}

/** One schema for all kinds, for editors (draft 7, which they all read). */
export function jsonSchema(): Record<string, unknown> {
  const names = Object.keys(kinds) as Kind[];
  const definitions = Object.fromEntries(
    names.map((kind) => {
      const {$schema: _, ...schema} = schemaOfKind(kind) as FieldSchema & {$schema?: string};
      return [kind, schema];
    }),
  );
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: `Trireme ${apiVersion}`,
    description: 'The documents of a trireme.yaml.',
    type: 'object',
    required: ['apiVersion', 'kind'],
    properties: {kind: {enum: names}},
    // oxlint-disable-next-line unicorn/no-thenable -- `then` is JSON Schema's own word
    allOf: names.map((kind) => ({if: {properties: {kind: {const: kind}}, required: ['kind']}, then: {$ref: `#/definitions/${kind}`}})),
    definitions,
  };
}

/** Writes the schema into `folder` as `trireme.v1alpha1.json` and returns the path. */
export async function writeJsonSchema(folder: string): Promise<string> {
  const path = join(folder, `trireme.${apiVersion.split('/')[1]}.json`);
  await writeFileAtomic(path, `${JSON.stringify(jsonSchema(), null, 2)}\n`);
  return path;
}

/** The alternatives of a field; itself when there is only one. */
export function alternatives(schema: FieldSchema): readonly FieldSchema[] {
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap(alternatives);
  // a union of plain types is written as a list of them
  const types = schema.type as string | readonly string[] | undefined;
  return Array.isArray(types) ? types.map((type: string) => ({...schema, type})) : [schema];
}

/** The fields below one, over all its alternatives and through a list: name to schema, in the order of the file. */
export function childrenOf(schema: FieldSchema): Readonly<Record<string, FieldSchema>> {
  const found: Record<string, FieldSchema> = {};
  for (const one of alternatives(schema)) {
    if (one.properties !== undefined) Object.assign(found, one.properties);
    else if (one.items !== undefined) Object.assign(found, childrenOf(one.items));
    else if (typeof one.additionalProperties === 'object') Object.assign(found, childrenOf(one.additionalProperties));
  }
  return found;
}

/** Steps into a field: a property, an item of a list (a number), or any key of a map; undefined where the schema ends. */
export function childOf(schema: FieldSchema, segment: string | number): FieldSchema | undefined {
  for (const one of alternatives(schema)) {
    if (typeof segment === 'number') {
      if (one.items !== undefined) return one.items;
    } else if (one.properties !== undefined && Object.hasOwn(one.properties, segment)) return one.properties[segment];
    else if (typeof one.additionalProperties === 'object') {
      const names = one.propertyNames?.enum;
      if (names === undefined || names.includes(segment)) return one.additionalProperties;
    }
  }
  return undefined;
}

export function fieldAt(schema: FieldSchema, path: readonly (string | number)[]): FieldSchema | undefined {
  return path.reduce<FieldSchema | undefined>((field, segment) => (field === undefined ? undefined : childOf(field, segment)), schema);
}

/** The keys that may stand in the map at this place. */
export function validKeys(schema: FieldSchema): readonly string[] {
  const keys = new Set<string>();
  for (const one of alternatives(schema)) {
    for (const key of Object.keys(one.properties ?? {})) keys.add(key);
    for (const key of one.propertyNames?.enum ?? []) keys.add(String(key));
  }
  return [...keys];
}

/** Every field with its dotted path; `[]` stands for the items of a list and `*` for any key. */
export function* walkFields(schema: FieldSchema, path = ''): Generator<{readonly path: string; readonly field: FieldSchema; readonly required: boolean}> {
  for (const one of alternatives(schema)) {
    for (const [key, field] of Object.entries(one.properties ?? {})) {
      const here = path === '' ? key : `${path}.${key}`;
      yield {path: here, field, required: one.required?.includes(key) === true};
      yield* walkFields(field, here);
    }
    if (one.items !== undefined) yield* walkFields(one.items, `${path}[]`);
    if (typeof one.additionalProperties === 'object') yield* walkFields(one.additionalProperties, `${path}.*`);
  }
}
