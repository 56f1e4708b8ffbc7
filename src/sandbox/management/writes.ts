// Every write goes through here, whether it came over HTTP or from a simulated controller: defaults, schema, admission, owners of fields,
// generation, preconditions, dry run.
import {randomBytes, randomUUID} from 'node:crypto';
import {isDeepStrictEqual} from 'node:util';
import type {KubeObject, ManagedFields} from '../../kube/object.ts';
import type {Admission} from './admission/admission.ts';
import type {Draft} from './draft.ts';
import {alreadyExists, ApiFailure, badRequest, changedInBetween, conflict, invalid, notFound, type FieldError} from './failure.ts';
import {apiVersionOf, type KindRegistry, type ServedKind} from './kinds.ts';
import {applyOver, managersAfterUpdate, type Writer} from './managed-fields.ts';
import {isMap, prune, validate, withDefaults} from './schema.ts';
import type {ObjectStore} from './store.ts';

export interface WriteContext {
  readonly manager: string;
  readonly dryRun?: boolean;
  readonly subresource?: 'status';
  /** Of server-side apply. */
  readonly force?: boolean;
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
  /** Told what isn't worth refusing: the Warning header. */
  readonly warn?: (message: string) => void;
}

export interface Place {
  readonly name: string;
  readonly namespace?: string;
}

export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

type Meta = Record<string, unknown> & {
  readonly name?: string;
  readonly namespace?: string;
  readonly resourceVersion?: string;
  readonly uid?: string;
  readonly generateName?: string;
};

const metaOf = (draft: Draft): Meta => (isMap(draft['metadata']) ? draft['metadata'] : {});
export const timestamp = (at = new Date()) => `${at.toISOString().slice(0, 19)}Z`;
const letters = 'bcdfghjklmnpqrstvwxz2456789';
/** Five letters as the API server makes them for generateName. */
export const randomSuffix = (length = 5) => [...randomBytes(length)].map((byte) => letters[byte % letters.length]).join('');

export class Writes {
  readonly #store: ObjectStore;
  readonly #admission: Admission;

  constructor(parts: {readonly store: ObjectStore; readonly kinds: KindRegistry; readonly admission: Admission}) {
    this.#store = parts.store;
    this.#admission = parts.admission;
  }

  create(kind: ServedKind, body: Draft, namespace: string | undefined, context: WriteContext): KubeObject {
    return this.#create(kind, body, namespace, context, undefined);
  }

  #create(kind: ServedKind, body: Draft, namespace: string | undefined, context: WriteContext, managers: readonly ManagedFields[] | undefined): KubeObject {
    requireKind(kind, body);
    const meta = metaOf(body);
    if (kind.namespaced && meta.namespace !== undefined && meta.namespace !== namespace)
      throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
    if (meta.resourceVersion !== undefined && meta.resourceVersion !== '') throw badRequest('resourceVersion should not be set on objects to be created');
    const name = meta.name ?? (meta.generateName === undefined ? undefined : `${meta.generateName.slice(0, 58)}${randomSuffix()}`);
    if (name === undefined || name === '')
      throw invalid(kind, '', [{field: 'metadata.name', reason: 'FieldValueRequired', message: 'Required value: name or generateName is required'}]);
    const wrongName = nameError(name);
    if (wrongName !== undefined) throw invalid(kind, name, [wrongName]);
    this.#requireNamespace(kind, namespace);
    const {uid: _uid, resourceVersion: _version, managedFields: _managed, deletionTimestamp: _deleted, ...kept} = meta;
    let draft: Draft = this.#shape(kind, {...body, metadata: {...compactMeta(kept), name, ...(kind.namespaced ? {namespace} : {})}}, context);
    if (kind.hasStatus && kind.isCustom) delete draft['status'];
    draft = this.#admission.mutate(kind, draft as unknown as KubeObject, undefined) as unknown as Draft;
    this.#validate(kind, draft, name);
    this.#admission.validate(kind, draft as unknown as KubeObject, undefined, context.warn);
    if (this.#store.get(kind, name, namespace) !== undefined) throw alreadyExists(kind, name);
    const metadata = {
      ...metaOf(draft),
      uid: randomUUID(),
      creationTimestamp: timestamp(),
      ...(kind.countsGeneration ? {generation: 1} : {}),
    };
    const object = {...draft, apiVersion: apiVersionOf(kind), kind: kind.kind, metadata} as unknown as KubeObject;
    const managedFields = managers ?? managersAfterUpdate(kind, undefined, object, writerOf(context, 'Update'));
    const whole = {...object, metadata: {...object.metadata, managedFields}};
    return context.dryRun === true ? whole : this.#store.put(kind, whole);
  }

  /** PUT: the object takes the place of what is there. */
  replace(kind: ServedKind, place: Place, body: Draft, context: WriteContext): KubeObject {
    requireKind(kind, body);
    const {resourceVersion, name} = metaOf(body);
    if (name !== undefined && name !== place.name) throw badRequest(`the name of the object (${name}) does not match the name on the URL (${place.name})`);
    if (kind.isCustom && (resourceVersion === undefined || resourceVersion === ''))
      throw invalid(kind, place.name, [
        {field: 'metadata.resourceVersion', reason: 'FieldValueInvalid', message: 'Invalid value: 0: must be specified for an update'},
      ]);
    return this.change(kind, place, () => body, context);
  }

  /** Everything that changes an existing object: `mutate` gets a copy of it and returns how it shall be. */
  change(kind: ServedKind, place: Place, mutate: (live: Draft) => Draft, context: WriteContext, managers?: readonly ManagedFields[]): KubeObject {
    const live = this.#store.get(kind, place.name, place.namespace);
    if (live === undefined) throw notFound(kind, place.name);
    let draft = mutate(structuredClone(live) as unknown as Draft);
    requireKind(kind, draft);
    requireSame(kind, live, metaOf(draft));
    draft = this.#shape(kind, {...draft, metadata: keptMeta(live, metaOf(draft))}, context);
    const isStatus = context.subresource === 'status';
    if (isStatus) draft = {...(structuredClone(live) as unknown as Draft), status: draft['status']};
    else if (kind.hasStatus) {
      if (live['status'] === undefined) delete draft['status'];
      else draft['status'] = live['status'];
    }
    if (!isStatus) draft = this.#admission.mutate(kind, draft as unknown as KubeObject, live) as unknown as Draft;
    this.#validate(kind, draft, place.name);
    if (!isStatus) this.#admission.validate(kind, draft as unknown as KubeObject, live, context.warn);
    return this.#keep(kind, live, draft as unknown as KubeObject, context, managers);
  }

  /** Server-side apply: creates what isn't there. */
  apply(kind: ServedKind, place: Place, body: Draft, context: WriteContext): KubeObject {
    requireKind(kind, body);
    const meta = metaOf(body);
    if (meta.name !== undefined && meta.name !== place.name)
      throw badRequest(`the name of the object (${meta.name}) does not match the name on the URL (${place.name})`);
    if (meta['managedFields'] !== undefined) throw badRequest('metadata.managedFields must be nil');
    if (context.fieldValidation !== 'Ignore') requireDeclared(kind, place, body);
    const live = this.#store.get(kind, place.name, place.namespace);
    const writer = writerOf(context, 'Apply');
    const force = context.force === true;
    if (live === undefined) {
      if (context.subresource === 'status') throw notFound(kind, place.name);
      if (meta.uid !== undefined)
        throw conflict(kind, place.name, `uid mismatch: the provided object specified uid ${meta.uid}, and no existing object was found`);
      const shaped = this.#shape(kind, {...body, metadata: {...meta, name: place.name}}, context);
      if (kind.hasStatus && kind.isCustom) delete shaped['status'];
      const {managers} = applyOver(kind, undefined, shaped, {writer, force});
      return this.#create(kind, body, place.namespace, context, managers);
    }
    const {status: _status, ...spec} = this.#shape(kind, body, {...context, warn: undefined});
    const wanted = context.subresource === 'status' ? body : kind.hasStatus ? spec : this.#shape(kind, body, context);
    const {object, managers} = applyOver(kind, live, wanted, {writer, force});
    return this.change(kind, place, () => object, context, managers);
  }

  remove(
    kind: ServedKind,
    place: Place,
    options: {readonly preconditions?: Preconditions; readonly propagation?: string; readonly dryRun?: boolean},
  ): KubeObject {
    const live = this.#store.get(kind, place.name, place.namespace);
    if (live === undefined) throw notFound(kind, place.name);
    const {uid, resourceVersion} = options.preconditions ?? {};
    if (uid !== undefined && uid !== live.metadata.uid)
      throw conflict(kind, place.name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid}`);
    if (resourceVersion !== undefined && resourceVersion !== live.metadata.resourceVersion)
      throw conflict(
        kind,
        place.name,
        `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${live.metadata.resourceVersion}`,
      );
    this.#admission.validateRemoval(kind, live);
    const extra = options.propagation === 'Foreground' ? ['foregroundDeletion'] : options.propagation === 'Orphan' ? ['orphan'] : [];
    const finalizers = [...new Set([...(live.metadata.finalizers ?? []), ...extra])];
    if (finalizers.length === 0 && kind.kind !== 'Namespace') return options.dryRun === true ? live : this.#store.remove(kind, live);
    if (live.metadata.deletionTimestamp !== undefined && finalizers.length === live.metadata.finalizers?.length) return live;
    const {generation} = live.metadata;
    const metadata = {
      ...live.metadata,
      finalizers,
      deletionTimestamp: live.metadata.deletionTimestamp ?? timestamp(),
      deletionGracePeriodSeconds: 0,
      ...(generation === undefined ? {} : {generation: generation + 1}),
    };
    const status = kind.kind === 'Namespace' ? {status: {phase: 'Terminating'}} : {};
    const marked = {...live, metadata, ...status};
    return options.dryRun === true ? marked : this.#store.put(kind, marked);
  }

  #keep(kind: ServedKind, live: KubeObject, draft: KubeObject, context: WriteContext, managers: readonly ManagedFields[] | undefined): KubeObject {
    const {managedFields: _before, ...meta} = draft.metadata;
    const bare = {...draft, metadata: meta} as KubeObject;
    const {managedFields: _live, ...liveMeta} = live.metadata;
    const isSame = isDeepStrictEqual(bare, {...live, metadata: liveMeta});
    if (isSame && (managers === undefined || isDeepStrictEqual(managers, live.metadata.managedFields))) return live;
    const specChanged = kind.countsGeneration && !isDeepStrictEqual(specOf(bare), specOf(live));
    const generation = kind.countsGeneration ? {generation: (live.metadata.generation ?? 1) + (specChanged ? 1 : 0)} : {};
    const managedFields = managers ?? managersAfterUpdate(kind, live, bare, writerOf(context, 'Update'));
    const whole: KubeObject = {...bare, metadata: {...meta, ...generation, managedFields}};
    if (context.dryRun === true) return whole;
    const isGone = whole.metadata.deletionTimestamp !== undefined && (whole.metadata.finalizers ?? []).length === 0 && kind.kind !== 'Namespace';
    return isGone ? this.#store.remove(kind, whole) : this.#store.put(kind, whole);
  }

  /** Unknown fields go, defaults come; Secrets get their stringData encoded. */
  #shape(kind: ServedKind, draft: Draft, context: WriteContext): Draft {
    const {apiVersion, kind: name, metadata, ...fields} = draft;
    const dropped: string[] = [];
    const pruned = prune(fields, kind.schema, dropped) as Draft;
    if (dropped.length > 0 && context.fieldValidation === 'Strict')
      throw badRequest(
        `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: strict decoding error: ${dropped.map((path) => `unknown field "${path}"`).join(', ')}`,
      );
    if (context.fieldValidation !== 'Ignore') for (const path of dropped) context.warn?.(`unknown field "${path}"`);
    const shaped = {apiVersion, kind: name, metadata, ...(withDefaults(pruned, kind.schema) as Draft)};
    return kind.kind === 'Secret' ? encodeSecret(shaped) : shaped;
  }

  #validate(kind: ServedKind, draft: Draft, name: string): void {
    const {apiVersion: _apiVersion, kind: _kind, metadata, ...fields} = draft;
    const errors = [...labelErrors(metadata), ...validate(fields, kind.schema, '')];
    if (errors.length > 0) throw invalid(kind, name, errors);
  }

  #requireNamespace(kind: ServedKind, namespace: string | undefined): void {
    if (!kind.namespaced) return;
    const found = this.#store.get({...kind, group: '', plural: 'namespaces'}, namespace ?? '');
    if (found === undefined) throw new ApiFailure(404, 'NotFound', `namespaces "${namespace}" not found`, {name: namespace ?? '', kind: 'namespaces'});
    if (found.metadata.deletionTimestamp !== undefined)
      throw new ApiFailure(403, 'Forbidden', `unable to create new content in namespace ${namespace} because it is being terminated`, {
        causes: [{reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace'}],
      });
  }
}

const writerOf = ({manager, subresource}: WriteContext, operation: Writer['operation']): Writer => ({
  manager,
  operation,
  ...(subresource === undefined ? {} : {subresource}),
});

function specOf(object: KubeObject): unknown {
  const {metadata: _metadata, status: _status, ...rest} = object as KubeObject & {readonly status?: unknown};
  return rest;
}

function requireKind(kind: ServedKind, body: Draft): void {
  if (body['kind'] !== undefined && (body['kind'] !== kind.kind || body['apiVersion'] !== apiVersionOf(kind)))
    throw badRequest(
      `${String(body['kind'])} in version "${String(body['apiVersion'])}" cannot be handled as a ${kind.kind}: the API version in the data (${String(body['apiVersion'])}) does not match the expected API version (${apiVersionOf(kind)})`,
    );
}

/** Server-side apply refuses fields that the schema doesn't have, in the real server's odd way: as an internal error without a reason. */
function requireDeclared(kind: ServedKind, {name, namespace}: Place, {apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...fields}: Draft): void {
  const unknown: string[] = [];
  prune(fields, kind.schema, unknown);
  if (unknown.length === 0) return;
  const subject = `${namespace === undefined ? '' : `${namespace}/`}${name}; ${apiVersionOf(kind)}, Kind=${kind.kind}`;
  const lines = unknown.map((path) => `.${path}: field not declared in schema`);
  throw new ApiFailure(
    500,
    '',
    `failed to create typed patch object (${subject}): ${lines.length === 1 ? lines[0] : `errors:\n${lines.map((line) => `  ${line}`).join('\n')}`}`,
  );
}

function requireSame(kind: ServedKind, live: KubeObject, meta: Meta): void {
  const name = live.metadata.name;
  if (meta.resourceVersion !== undefined && meta.resourceVersion !== '' && meta.resourceVersion !== live.metadata.resourceVersion)
    throw changedInBetween(kind, name);
  if (meta.uid !== undefined && meta.uid !== live.metadata.uid)
    throw conflict(kind, name, `Precondition failed: UID in precondition: ${meta.uid}, UID in object meta: ${live.metadata.uid}`);
}

/** What a writer can't change, as it is; a deleted object can't get new finalizers. */
function keptMeta(live: KubeObject, {resourceVersion: _version, managedFields: _managed, ...meta}: Meta): Draft {
  const {uid, creationTimestamp, generation, deletionTimestamp, name, namespace, managedFields, resourceVersion} = live.metadata;
  const grace = (live.metadata as unknown as Record<string, unknown>)['deletionGracePeriodSeconds'];
  const fixed = {name, namespace, uid, creationTimestamp, generation, deletionTimestamp, deletionGracePeriodSeconds: grace, managedFields, resourceVersion};
  return compactMeta({...meta, ...fixed});
}

/** Without what is empty: the real server keeps no empty maps and lists there. */
function compactMeta(meta: Draft): Draft {
  const isEmpty = (value: unknown) => value === undefined || (Array.isArray(value) && value.length === 0) || (isMap(value) && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(meta).filter(([key, value]) => key === 'managedFields' || !isEmpty(value)));
}

function encodeSecret(draft: Draft): Draft {
  const {stringData, ...rest} = draft;
  const encoded = Object.entries(isMap(stringData) ? stringData : {}).map(([key, text]) => [key, Buffer.from(String(text)).toString('base64')] as const);
  const type = draft['type'] ?? 'Opaque';
  return encoded.length === 0 ? {...rest, type} : {...rest, type, data: {...(isMap(draft['data']) ? draft['data'] : {}), ...Object.fromEntries(encoded)}};
}

function nameError(name: string): FieldError | undefined {
  const rule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
  if (name.length > 253)
    return {field: 'metadata.name', reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(name)}: must be no more than 253 bytes`};
  const isRight = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name) || name.includes(':');
  return isRight ? undefined : {field: 'metadata.name', reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(name)}: ${rule}`};
}

function labelErrors(metadata: unknown): readonly FieldError[] {
  const labels = isMap(metadata) && isMap(metadata['labels']) ? metadata['labels'] : {};
  return Object.entries(labels).flatMap(([, value]): readonly FieldError[] => {
    if (typeof value !== 'string')
      return [{field: 'metadata.labels', reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(value)}: must be a string`}];
    if (value.length > 63)
      return [{field: 'metadata.labels', reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(value)}: must be no more than 63 bytes`}];
    const isRight = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/.test(value);
    const rule = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`;
    return isRight ? [] : [{field: 'metadata.labels', reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(value)}: ${rule}`}];
  });
}
