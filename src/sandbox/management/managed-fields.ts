// Who owns which field: kept on every write, and the base of server-side apply with its conflicts.
import type {KubeObject, ManagedFields} from '../../kube/object.ts';
import {ApiFailure} from './failure.ts';
import {compare, elementsOf, fromFieldsV1, leavesOf, merge, ownable, shownPath, toFieldsV1, wholeSchema, without, type FieldPath} from './field-paths.ts';
import {apiVersionOf, type ServedKind} from './kinds.ts';

interface Manager {
  readonly entry: Omit<ManagedFields, 'fieldsV1'>;
  readonly paths: Set<FieldPath>;
}

export interface Writer {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  /** `status` or `scale`. */
  readonly subresource?: string;
}

function managersOf(object: KubeObject | undefined): Manager[] {
  return (object?.metadata.managedFields ?? []).map(({fieldsV1, ...entry}) => ({entry, paths: fromFieldsV1(fieldsV1)}));
}

const isOf = (manager: Manager, {manager: name, operation, subresource}: Writer) =>
  manager.entry.manager === name && manager.entry.operation === operation && (manager.entry.subresource ?? '') === (subresource ?? '');

const timestamp = () => `${new Date().toISOString().slice(0, 19)}Z`;

function entriesOf(managers: readonly Manager[]): readonly ManagedFields[] {
  return managers.filter((one) => one.paths.size > 0).map(({entry, paths}) => ({...entry, fieldsType: 'FieldsV1', fieldsV1: toFieldsV1(paths)}));
}

function newManager(kind: ServedKind, writer: Writer): Manager {
  const {manager, operation, subresource} = writer;
  return {
    entry: {manager, operation, apiVersion: apiVersionOf(kind), time: timestamp(), ...(subresource === undefined ? {} : {subresource})},
    paths: new Set(),
  };
}

/** The owners after an ordinary write: the writer owns what it changed, others lose it, and what is gone nobody owns. */
export function managersAfterUpdate(kind: ServedKind, before: KubeObject | undefined, after: KubeObject, writer: Writer): readonly ManagedFields[] {
  const schema = wholeSchema(kind.schema);
  const {changed, removed} = compare(before === undefined ? new Map() : leavesOf(ownable(before), schema), leavesOf(ownable(after), schema));
  if (changed.length === 0 && removed.length === 0 && before !== undefined) return before.metadata.managedFields ?? [];
  const managers = managersOf(before);
  for (const {paths} of managers) for (const path of removed) paths.delete(path);
  const lost = changed.filter((path) => !path.endsWith('.'));
  for (const manager of managers) if (!isOf(manager, writer)) for (const path of lost) manager.paths.delete(path);
  let own = managers.find((manager) => isOf(manager, writer));
  if (own === undefined) managers.push((own = newManager(kind, writer)));
  for (const path of changed) own.paths.add(path);
  if (changed.length > 0) Object.assign(own.entry, {time: timestamp()});
  return entriesOf(managers);
}

export interface Applied {
  readonly object: Record<string, unknown>;
  readonly managers: readonly ManagedFields[];
}

/**
 * Server-side apply: merges, finds conflicts (thrown as 409 with the owners' names unless `force`), and takes away what this manager applied before
 * and doesn't any more.
 */
export function applyOver(
  kind: ServedKind,
  live: KubeObject | undefined,
  applied: Readonly<Record<string, unknown>>,
  options: {readonly writer: Writer; readonly force: boolean},
): Applied {
  const schema = wholeSchema(kind.schema);
  const {writer} = options;
  const wanted = leavesOf(ownable(applied), schema);
  const managers = managersOf(live);
  const liveLeaves = live === undefined ? new Map<FieldPath, unknown>() : leavesOf(ownable(live), schema);
  const {changed} = compare(liveLeaves, wanted);
  const disputed = new Set(changed.filter((path) => liveLeaves.has(path)));
  const conflicts = managers
    .filter((manager) => !isOf(manager, writer))
    .flatMap((manager) => [...manager.paths].filter((path) => disputed.has(path)).map((path) => ({manager, path})));
  if (conflicts.length > 0 && !options.force) throw conflictFailure(conflicts);
  for (const {manager, path} of conflicts) manager.paths.delete(path);
  let own = managers.find((manager) => isOf(manager, writer));
  const before = own?.paths ?? new Set<FieldPath>();
  let object = merge(live ?? {}, applied, schema) as Record<string, unknown>;
  const ownedElsewhere = new Set(managers.filter((manager) => manager !== own).flatMap((manager) => [...manager.paths]));
  const dropped = [...before].filter((path) => !wanted.has(path) && !ownedElsewhere.has(path));
  // deeper paths first: an item goes when nothing of it is anybody's
  for (const path of dropped.toSorted((a, b) => elementsOf(b).length - elementsOf(a).length)) {
    const parts = elementsOf(path);
    const isItem = parts.at(-1) === '.';
    const place = isItem ? path.slice(0, -1) : path;
    if (isItem && [...ownedElsewhere, ...wanted.keys()].some((other) => other.startsWith(place))) continue;
    object = without(object, schema, isItem ? parts.slice(0, -1) : parts) as Record<string, unknown>;
  }
  if (own === undefined) managers.push((own = newManager(kind, writer)));
  const isSame = before.size === wanted.size && [...wanted.keys()].every((path) => before.has(path));
  const ours = own;
  const after = managers.map((manager) =>
    manager === ours ? {entry: isSame ? ours.entry : {...ours.entry, time: timestamp()}, paths: new Set(wanted.keys())} : manager,
  );
  return {object, managers: entriesOf(after)};
}

/** `conflict with "kubectl" using cluster.x-k8s.io/v1beta2: .spec.paused`. */
function conflictFailure(conflicts: readonly {readonly manager: Manager; readonly path: FieldPath}[]): ApiFailure {
  const text = ({manager: {entry}}: {readonly manager: Manager}) =>
    `conflict with "${entry.manager}"${entry.subresource === undefined ? '' : ` with subresource "${entry.subresource}"`}${entry.operation === 'Update' ? ` using ${entry.apiVersion ?? ''}` : ''}`;
  const causes = conflicts.map((one) => ({reason: 'FieldManagerConflict', message: text(one), field: shownPath(one.path)}));
  const groups = groupByMessage(causes);
  const count = conflicts.length;
  const [first] = causes;
  const lines = [...groups].map(([message, fields]) =>
    fields.length === 1 ? `${message}: ${fields[0]}` : `${message.replace('conflict', 'conflicts')}:\n${fields.map((field) => `- ${field}`).join('\n')}`,
  );
  const message =
    count === 1 ? `Apply failed with 1 conflict: ${first?.message}: ${first?.field}` : `Apply failed with ${count} conflicts: ${lines.join('\n')}`;
  return new ApiFailure(409, 'Conflict', message, {causes});
}

function groupByMessage(causes: readonly {readonly message: string; readonly field: string}[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const {message, field} of causes) groups.set(message, [...(groups.get(message) ?? []), field]);
  return groups;
}
