// What a field of the file means: type, default, allowed values, children. From the same schema that reads the file.
import {TriremeError} from '../kernel/errors.ts';
import {alternatives, childOf, childrenOf, type FieldSchema, schemaOfKind} from './json-schema.ts';
import {listOr, nearest} from './nearest.ts';
import {type Kind, kinds} from './schema.ts';

export interface Explanation {
  readonly kind: Kind;
  /** Dotted, as in the file: `spec.agent.ssh`; empty for the document itself. */
  readonly path: string;
  /** In words: `text`, `list of map`, `whole number or text`. */
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
  readonly default?: unknown;
  readonly values?: readonly unknown[];
  /** A regular expression. */
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly children: readonly FieldSummary[];
}

export interface FieldSummary {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
}

const documentDescriptions: Readonly<Record<Kind, string>> = {
  Cluster: 'A cluster: its mode, version, networks, and the hosts that it is made of.',
  ClusterProfile: 'Layers that are put onto a cluster (network, storage, add-ons), and the variables that they read.',
};

/**
 * Explains a dotted path such as `spec.agent.hosts.labels` or `ClusterProfile.spec.layers`; lists may be stepped through with or without
 * `[0]`. The kind is Cluster unless named, or unless only another kind has the path. Throws `usage.invalid` with the nearest path.
 */
export function explainPath(asked: string): Explanation {
  const segments = asked
    .replaceAll(/\[\d*\]/g, '')
    .split('.')
    .filter((segment) => segment !== '');
  const names = Object.keys(kinds) as Kind[];
  const named = names.find((kind) => kind.toLowerCase() === segments[0]?.toLowerCase());
  const path = named === undefined ? segments : segments.slice(1);
  for (const kind of named === undefined ? names : [named]) {
    const found = findField(schemaOfKind(kind), path);
    if (found !== undefined) return explain(kind, path, found.field, found.required);
  }
  throw unknownPath(path, named ?? 'Cluster', asked);
}

function findField(root: FieldSchema, path: readonly string[]): {field: FieldSchema; required: boolean} | undefined {
  let field = root;
  let required = true;
  for (const segment of path) {
    const parents = alternatives(field).map(itemOf);
    required = parents.some((parent) => parent.required?.includes(segment) === true);
    const next = throughMap(parents, segment) ?? parents.map((parent) => childOf(parent, segment)).find((child) => child !== undefined);
    if (next === undefined) return undefined;
    // any key of a map is documented by the map itself
    field = next.description === undefined && field.description !== undefined ? {...next, description: field.description} : next;
  }
  return {field, required};
}

/** Through the list(s) to what is in them. */
function itemOf(field: FieldSchema): FieldSchema {
  return field.items === undefined ? field : itemOf(field.items);
}

/** `spec.variables.type`: the name of the variable may be left out. */
function throughMap(parents: readonly FieldSchema[], segment: string): FieldSchema | undefined {
  return parents
    .flatMap((parent) => (typeof parent.additionalProperties === 'object' ? [childOf(parent.additionalProperties, segment)] : []))
    .find((child) => child !== undefined);
}

function unknownPath(path: readonly string[], kind: Kind, asked: string): TriremeError {
  const root = schemaOfKind(kind);
  const known = path.findIndex((_, index) => findField(root, path.slice(0, index + 1)) === undefined);
  const parentPath = path.slice(0, Math.max(0, known));
  const parent = findField(root, parentPath)?.field ?? root;
  const children = Object.keys(childrenOf(parent));
  const word = path[known] ?? '';
  const meant = nearest(word, children);
  const where = parentPath.length === 0 ? `A ${kind}` : parentPath.join('.');
  const elsewhere = meant === undefined ? [...allPaths(root)].filter((one) => one.split('.').at(-1) === path.at(-1)).slice(0, 3) : [];
  const hints =
    meant !== undefined
      ? [`trireme explain ${[...parentPath, meant, ...path.slice(known + 1)].join('.')}`]
      : elsewhere.length > 0
        ? elsewhere.map((one) => `trireme explain ${one}`)
        : children.length > 0
          ? [`Its fields are ${children.join(', ')}.`]
          : [`It has no fields below; see: trireme explain ${parentPath.join('.')}`];
  return new TriremeError('usage.invalid', `${where} has no field ${word.slice(0, 80)} (asked: ${asked.slice(0, 200)}).`, {hints});
}

function* allPaths(field: FieldSchema, path: readonly string[] = []): Generator<string> {
  for (const [name, child] of Object.entries(childrenOf(field))) {
    yield [...path, name].join('.');
    yield* allPaths(child, [...path, name]);
  }
}

function explain(kind: Kind, path: readonly string[], field: FieldSchema, required: boolean): Explanation {
  const own = alternatives(field);
  const values = own.flatMap((one) => one.enum ?? (one.const === undefined ? [] : [one.const]));
  const single = own.length === 1 ? own[0] : undefined;
  const needed = new Set(own.flatMap((one) => itemOf(one).required ?? []));
  return {
    kind,
    path: path.join('.'),
    type: typeOf(field),
    required,
    description: path.length === 0 ? documentDescriptions[kind] : (field.description ?? ''),
    ...(field.default === undefined ? {} : {default: field.default}),
    ...(values.length === 0 ? {} : {values}),
    ...(single?.pattern === undefined ? {} : {pattern: single.pattern}),
    ...(single?.minimum === undefined || single.minimum <= Number.MIN_SAFE_INTEGER ? {} : {minimum: single.minimum}),
    ...(single?.maximum === undefined || single.maximum >= Number.MAX_SAFE_INTEGER ? {} : {maximum: single.maximum}),
    children: Object.entries(childrenOf(field)).map(([name, child]) => ({
      name,
      type: typeOf(child),
      required: needed.has(name),
      description: child.description ?? '',
    })),
  };
}

const words: Readonly<Record<string, string>> = {string: 'text', number: 'number', integer: 'whole number', boolean: 'true or false', object: 'map'};

/** The type of a field in words. */
export function typeOf(field: FieldSchema): string {
  return listOr([
    ...new Set(
      alternatives(field).map((one) => {
        if (one.type === 'array') return `list of ${one.items === undefined ? 'anything' : typeOf(one.items)}`;
        if (one.type === 'object' && typeof one.additionalProperties === 'object' && one.properties === undefined)
          return `map of ${typeOf(one.additionalProperties)}`;
        return words[one.type ?? ''] ?? 'anything';
      }),
    ),
  ]);
}

/** The explanation as lines for people. */
export function renderExplanation(explanation: Explanation): string {
  const {kind, path, type, required, description, children} = explanation;
  const lines = [`${kind}${path === '' ? '' : `: ${path}`}`, '', `  ${description}`, ''];
  const fact = (label: string, value: string) => lines.push(`  ${label.padEnd(9)} ${value}`);
  fact('type', type);
  fact('required', required ? 'yes' : 'no');
  if (explanation.default !== undefined) fact('default', shown(explanation.default));
  if (explanation.values !== undefined) fact('values', explanation.values.map(String).join(', '));
  if (explanation.minimum !== undefined || explanation.maximum !== undefined)
    fact('range', `${explanation.minimum ?? ''} to ${explanation.maximum ?? 'any'}`.trim());
  if (explanation.pattern !== undefined) fact('pattern', explanation.pattern);
  if (children.length > 0) {
    lines.push('', '  fields');
    const width = Math.max(...children.map((child) => child.name.length));
    for (const child of children)
      lines.push(`    ${child.name.padEnd(width)}  ${child.description}${child.required ? ' (required)' : ''}`, `    ${' '.repeat(width)}  ${child.type}`);
  }
  return lines.join('\n');
}

function shown(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
