// The text of a Kubernetes manifest: read as kubectl reads it, checked object by object, with positions.
import type {Tags} from 'yaml';
import type {Complaint} from './complaint.ts';
import {fillDocument, hasPlaceholder, type Variables} from './placeholders.ts';
import type {Source} from './source.ts';
import {locate, parseYaml, type YamlDocument, type YamlResult} from './yaml-text.ts';

/** As plain data. */
export interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {readonly name: string; readonly namespace?: string; readonly [key: string]: unknown};
  readonly [key: string]: unknown;
}

// kubectl reads YAML 1.1 without times and sexagesimal numbers (sigs.k8s.io/yaml): `0644` is octal and `yes` is true.
const withoutTimes = (tags: Tags) =>
  tags.filter((tag) => typeof tag === 'string' || (!('format' in tag && tag.format === 'TIME') && !/timestamp|binary|omap|pairs|set$/.test(tag.tag)));
const yamlOptions = {deepest: 256, schema: {version: '1.1', schema: 'yaml-1.1', customTags: withoutTimes}} as const;

export interface ManifestText {
  readonly objects: readonly ManifestObject[];
  /** With variables filled in. */
  readonly text: string;
  readonly complaints: readonly Complaint[];
}

/** A manifest's documents with their positions, read as kubectl reads them. */
export function manifestYaml(source: Source): YamlResult {
  return parseYaml(source, yamlOptions);
}

/** Reads a manifest, fills in variables where some are given, and checks that every document is a Kubernetes object. Never throws. */
export function readManifestText(source: Source, variables?: Variables): ManifestText {
  const parsed = manifestYaml(source);
  const complaints = [...parsed.complaints];
  if (complaints.length > 0) return {objects: [], text: source.text, complaints};
  const filled = variables !== undefined && hasPlaceholder(source.text);
  if (filled) for (const yaml of parsed.documents) complaints.push(...fillDocument(yaml, variables));
  const objects: ManifestObject[] = [];
  for (const yaml of parsed.documents) {
    const value: unknown = filled ? yaml.document.toJS({maxAliasCount: 100}) : yaml.value;
    if (value === null) continue;
    const list = itemsOf(value);
    if (list === undefined) check(yaml, value, [], objects, complaints);
    else for (const [index, item] of list.entries()) check(yaml, item, ['items', index], objects, complaints);
  }
  const text =
    filled && complaints.length === 0
      ? parsed.documents.map(({document}) => document.toString({lineWidth: 0, directives: false}).replace(/^---\n/, '')).join('---\n')
      : source.text;
  return {objects, text, complaints};
}

/** The objects of `kind: List`. */
function itemsOf(value: unknown): readonly unknown[] | undefined {
  const list = value as {apiVersion?: unknown; kind?: unknown; items?: unknown};
  return typeof value === 'object' && list.kind === 'List' && list.apiVersion === 'v1' && Array.isArray(list.items) ? list.items : undefined;
}

function check(yaml: YamlDocument, value: unknown, path: readonly (string | number)[], objects: ManifestObject[], complaints: Complaint[]): void {
  const complain = (message: string, below: readonly string[] = []) =>
    complaints.push(yaml.source.complain(locate(yaml, [...path, ...below]), {rule: 'manifest.object', message}));
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    return void complain('A Kubernetes object is a map with apiVersion, kind and metadata.');
  const object = value as Record<string, unknown>;
  const metadata = object['metadata'] as Record<string, unknown> | null | undefined;
  const before = complaints.length;
  for (const key of ['apiVersion', 'kind']) {
    if (typeof object[key] !== 'string' || object[key] === '') complain(`The object has no ${key}.`, key in object ? [key] : []);
  }
  const name = metadata !== null && typeof metadata === 'object' ? metadata['name'] : undefined;
  if (typeof name === 'boolean' || typeof name === 'number') {
    complain(`metadata.name is read as ${String(name)}, not as text; put it in quotes.`, ['metadata', 'name']);
  } else if (metadata === null || typeof metadata !== 'object' || typeof metadata['name'] !== 'string' || metadata['name'] === '') {
    complain(
      `The object ${typeof object['kind'] === 'string' ? `of kind ${object['kind']} ` : ''}has no metadata.name.`,
      metadata === undefined ? [] : ['metadata'],
    );
  }
  if (complaints.length === before) objects.push(value as ManifestObject);
}
