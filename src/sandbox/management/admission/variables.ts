// A class's variables: defaults and what their schemas refuse, in the order and the words of Cluster API.
import {listAt} from '../../../kube/object.ts';
import type {FieldError} from '../failure.ts';
import {prune, validate, withDefaults, type Schema} from '../schema.ts';
import {invalidField, requiredField} from './field-error.ts';

export interface Variable {
  readonly name: string;
  readonly value?: unknown;
}

export interface VariableDefinition {
  readonly name: string;
  readonly definitions: readonly {readonly from: string; readonly required?: boolean; readonly schema: {readonly openAPIV3Schema: Schema}}[];
}

/** The variables that a class has, as its status tells them. */
export const definitionsOf = (clusterClass: unknown) => listAt(clusterClass, 'status', 'variables') as readonly VariableDefinition[];

const schemaOfDefinition = (definition: VariableDefinition): Schema => definition.definitions[0]?.schema.openAPIV3Schema ?? {};

export interface Checked {
  readonly variables: readonly Variable[];
  readonly errors: readonly FieldError[];
}

/** `isWhole`: variables that aren't set get their default, and required ones must be there; overrides only have what they change. */
export function checkVariables(values: readonly Variable[], definitions: readonly VariableDefinition[], path: string, isWhole: boolean): Checked {
  const byName = new Map(definitions.map((one) => [one.name, one]));
  const given = new Set(values.map((one) => one.name));
  const errors: FieldError[] = [];
  const defaulted: Variable[] = [];
  const missing = isWhole
    ? definitions.filter((one) => !given.has(one.name) && schemaOfDefinition(one).default !== undefined).map((one): Variable => ({name: one.name}))
    : [];
  const undefinedErrors = values
    .filter((one) => !byName.has(one.name))
    .map((one) => invalidField(`${path}[${one.name}]`, JSON.stringify(one.value) ?? '', 'variable is not defined'));
  // the real one complains while it sets defaults, and once more while it validates
  errors.push(...undefinedErrors, ...undefinedErrors);
  for (const variable of [...values, ...missing]) {
    const definition = byName.get(variable.name);
    if (definition === undefined) continue;
    const wrapped = withDefaults({value: variable.value}, {type: 'object', properties: {value: schemaOfDefinition(definition)}}) as {readonly value: unknown};
    defaulted.push({name: variable.name, value: wrapped.value});
  }
  if (isWhole)
    for (const one of definitions)
      if (one.definitions[0]?.required === true && !defaulted.some((variable) => variable.name === one.name))
        errors.push(requiredField(path, `required variable ${JSON.stringify(one.name)} must be set`));
  for (const variable of defaulted)
    errors.push(...errorsOf(variable, schemaOfDefinition(byName.get(variable.name) as VariableDefinition), `${path}[${variable.name}]`));
  return {variables: undefinedErrors.length > 0 ? values : defaulted, errors};
}

function errorsOf(variable: Variable, schema: Schema, path: string): readonly FieldError[] {
  const raw = JSON.stringify(variable.value ?? null);
  const wrong = validate(variable.value ?? null, schema, `${path}.value`);
  // the real one shows the whole value, whatever part of it is wrong
  if (wrong.length > 0)
    return wrong.map((one) => ({
      ...one,
      message: one.message.replace(/^((?:Invalid|Unsupported|Duplicate) value: )(?:"(?:[^"\\]|\\.)*"|[^:]*)/, (_, head: string) => head + JSON.stringify(raw)),
    }));
  const dropped: string[] = [];
  prune(variable.value, schema, dropped);
  if (dropped.length === 0) return [];
  return [
    invalidField(path, raw, `failed validation: "${dropped.join(',')}" field(s) are not specified in the variable schema of variable "${variable.name}"`),
  ];
}
