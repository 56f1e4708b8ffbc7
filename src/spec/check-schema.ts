// Turns what zod says about a document into complaints with a place, the rule and the nearest valid key.
import type {z} from 'zod';
import type {Complaint} from './complaint.ts';
import {alternatives, childrenOf, type FieldSchema, fieldAt, validKeys, walkFields} from './json-schema.ts';
import {listOr, nearest} from './nearest.ts';
import {locate, type Path, type YamlDocument} from './yaml-text.ts';

type Issue = z.core.$ZodIssue;

/** `spec.agent.hosts[0].role`. */
export function dotted(path: Path): string {
  return path.reduce<string>((text, segment) => (typeof segment === 'number' ? `${text}[${segment}]` : text === '' ? segment : `${text}.${segment}`), '');
}

/** The complaints for a document that doesn't fit its schema. */
export function complaintsOf(document: YamlDocument, root: FieldSchema, issues: readonly Issue[]): Complaint[] {
  const flat = placeIssues(issues);
  const unknown = flat.flatMap(({issue, path}) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => ({parent: dotted(path), meant: nearest(key, keysAt(root, path))})) : [],
  );
  return flat.flatMap(({issue, path}): Complaint[] => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(document, root, path, key));
    const last = path.at(-1);
    const missing = issue.code !== 'invalid_key' && valueAt(document.value, path) === undefined;
    // a misspelt key is one mistake, not two
    if (missing && unknown.some(({parent, meant}) => parent === dotted(path.slice(0, -1)) && meant === last)) return [];
    return [missing ? missingKey(document, root, path) : wrongValue(document, root, path, issue)];
  });
}

/** zod's issues with their full paths, unions resolved to the alternative that was most probably meant. */
export function placeIssues(issues: readonly Issue[]): readonly Placed[] {
  return issues.flatMap((issue) => flatten(issue, []));
}

export interface Placed {
  readonly issue: Issue;
  readonly path: Path;
}

/** Goes into unions, down the alternative that was most probably meant. */
function flatten(issue: Issue, base: Path): Placed[] {
  const path = [...base, ...(issue.path as (string | number)[])];
  if (issue.code !== 'invalid_union') return [{issue, path}];
  const meant = issue.errors
    .filter((branch) => branch.length > 0 && !branch.some((one) => one.code === 'invalid_type' && one.path.length === 0))
    .toSorted((a, b) => a.length - b.length)[0];
  if (meant === undefined) return [{issue, path}];
  return meant.flatMap((one) => flatten(one, path));
}

function keysAt(root: FieldSchema, path: Path): readonly string[] {
  const field = fieldAt(root, path);
  return field === undefined ? [] : validKeys(field);
}

function unknownKey(document: YamlDocument, root: FieldSchema, path: Path, key: string): Complaint {
  const valid = keysAt(root, path);
  const meant = nearest(key, valid);
  const elsewhere = meant === undefined ? [...walkFields(root)].find((field) => field.path.split('.').at(-1) === key)?.path : undefined;
  const where = path.length === 0 ? 'The document' : dotted(path);
  return document.source.complain(locate(document, [...path, key], 'key'), {
    rule: 'schema.unknown-key',
    message: `${where} has no field ${key.slice(0, 80)}.`,
    hint:
      meant !== undefined
        ? `Did you mean ${meant}?`
        : elsewhere !== undefined
          ? `Did you mean ${elsewhere}? The fields here are ${valid.join(', ')}.`
          : `The fields here are ${valid.join(', ')}.`,
  });
}

function missingKey(document: YamlDocument, root: FieldSchema, path: Path): Complaint {
  const field = fieldAt(root, path);
  return document.source.complain(locate(document, path.slice(0, -1), 'key'), {
    rule: 'schema.required',
    message: `${dotted(path)} is missing.`,
    ...(field?.description === undefined ? {} : {hint: `${String(path.at(-1))}: ${field.description}`}),
  });
}

function wrongValue(document: YamlDocument, root: FieldSchema, path: Path, issue: Issue): Complaint {
  const place = dotted(path) || 'The document';
  const value = valueAt(document.value, path);
  const field = fieldAt(root, path);
  const at = locate(document, path, issue.code === 'invalid_key' ? 'key' : 'value');
  const complain = (rule: string, message: string, hint?: string) => document.source.complain(at, {rule, message, ...(hint === undefined ? {} : {hint})});
  switch (issue.code) {
    case 'invalid_type':
      return complain('schema.type', `${place} is ${kindOf(value)}; it must be ${expected(field, issue.expected)}.`, typeHint(value, issue.expected, field));
    case 'invalid_value': {
      const words = issue.values.map(String);
      const meant = typeof value === 'string' ? nearest(value, words) : undefined;
      return complain('schema.value', `${place} is ${shown(value)}; it must be ${listOr(words)}.`, meant === undefined ? undefined : `Did you mean ${meant}?`);
    }
    case 'invalid_union':
      return complain('schema.type', `${place} is ${kindOf(value)}; it must be ${expected(field, 'something else')}.`, typeHint(value, '', field));
    case 'too_small':
    case 'too_big': {
      const bound = issue.code === 'too_small' ? `at least ${String(issue.minimum)}` : `at most ${String(issue.maximum)}`;
      const own = issue.message.startsWith('Too ') ? undefined : issue.message;
      if (own !== undefined) return complain('schema.range', `${place} isn't right: ${own}.`);
      const unit = issue.origin === 'array' ? ' items' : issue.origin === 'string' ? ' characters' : '';
      return complain('schema.range', `${place} must have ${bound}${unit}.`.replace('must have', unit === '' ? 'must be' : 'must have'));
    }
    case 'invalid_format':
      return complain('schema.format', `${place} is ${shown(value)}: ${issue.message}.`);
    case 'invalid_key': {
      const words = field?.propertyNames?.enum?.map(String) ?? keysAt(root, path.slice(0, -1));
      const meant = nearest(String(path.at(-1)), words);
      return complain(
        'schema.unknown-key',
        `${dotted(path.slice(0, -1))} has no field ${String(path.at(-1)).slice(0, 80)}.`,
        meant === undefined ? (words.length > 0 ? `The fields here are ${words.join(', ')}.` : undefined) : `Did you mean ${meant}?`,
      );
    }
    default:
      return complain('schema.value', `${place} isn't right: ${issue.message}.`);
  }
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, segment) => (at !== null && typeof at === 'object' && Object.hasOwn(at, segment) ? (at as Record<string | number, unknown>)[segment] : undefined),
    value,
  );
}

function shown(value: unknown): string {
  if (typeof value !== 'string') return typeof value === 'object' ? kindOf(value) : String(value);
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'boolean') return `the truth value ${value}`;
  return `the number ${String(value)}`;
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function expected(field: FieldSchema | undefined, fallback: string): string {
  const words =
    field === undefined ? [] : alternatives(field).map((one) => (one.enum === undefined ? typeWords[one.type ?? ''] : listOr(one.enum.map(String))));
  const known = [...new Set(words.filter((word) => word !== undefined))];
  return known.length > 0 ? listOr(known) : (typeWords[fallback] ?? fallback);
}

function typeHint(value: unknown, wanted: string, field: FieldSchema | undefined): string | undefined {
  const text = wanted === 'string' || field?.type === 'string';
  if (text && (typeof value === 'number' || typeof value === 'boolean')) return 'Put the value in quotes.';
  const fields = field === undefined ? [] : Object.keys(childrenOf(field));
  if (fields.length > 0 && (value === null || typeof value !== 'object')) return `Its fields are ${fields.join(', ')}.`;
  return undefined;
}
