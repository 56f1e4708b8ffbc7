// A step that sets fields of one object by a JSON patch whose `test` operations guard against whatever moved since the plan was made.
import type {JsonPatchOperation, ObjectKey, Resource} from '../../../kube/api.ts';
import {valueAt, type KubeObject} from '../../../kube/object.ts';
import {canonicalJson} from '../../../kernel/digest.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import type {Effect} from '../../../kernel/event.ts';
import type {Step} from '../../../plan/plan.ts';
import type {ControllerScope} from '../scope.ts';

/** Down into an object: keys of maps, and entries of lists by their `name`. */
export type FieldPath = readonly (string | {readonly named: string})[];

export interface FieldChange {
  readonly path: FieldPath;
  /** What the plan saw; undefined when nothing was there. */
  readonly from?: unknown;
  /** Undefined takes the field away. */
  readonly to?: unknown;
}

export interface FieldStepOptions {
  readonly id: string;
  readonly title: string;
  readonly host?: string;
  readonly effect: Effect;
  readonly resource: Resource;
  readonly key: ObjectKey;
  readonly changes: readonly FieldChange[];
  /** Fact for the finished line. */
  readonly done: string;
}

/** Satisfied when the fields are as wanted; applied only while they are as the plan saw them, else it throws `plan.moved`. */
export function fieldStep(options: FieldStepOptions): Step<ControllerScope> {
  const {id, title, host, effect, resource, key, changes} = options;
  return {
    id,
    title,
    effect,
    ...(host === undefined ? {} : {host}),
    check: async ({scope, signal}) => {
      const object = await scope.api.get(resource, key, {signal});
      return object !== undefined && changes.every((change) => isEqual(fieldAt(object, change.path), change.to)) ? 'satisfied' : 'needed';
    },
    apply: async ({scope, signal}) => {
      const object = await scope.api.get(resource, key, {signal});
      if (object === undefined)
        throw new TriremeError('plan.moved', `${resource.kind} ${key.name} is gone since the plan was made.`, {hints: ['Plan again: run the command again']});
      const body = patchOf(object, changes, `${resource.kind} ${key.name}`);
      try {
        await scope.api.patch(resource, key, {type: 'json', body}, {signal});
      } catch (error) {
        throw (await didMove(scope, options, signal)) ?? error;
      }
      return options.done;
    },
  };
}

/** The server answers a failed `test` as it answers an invalid object: only another look tells which it was. */
async function didMove(scope: ControllerScope, {resource, key, changes}: FieldStepOptions, signal: AbortSignal): Promise<TriremeError | undefined> {
  const object = await scope.api.get(resource, key, {signal}).catch(() => undefined);
  const moved = object === undefined ? undefined : changes.find((change) => !isEqual(fieldAt(object, change.path), change.from));
  return moved === undefined ? undefined : movedError(`${resource.kind} ${key.name}`, moved, fieldAt(object as KubeObject, moved.path));
}

function movedError(what: string, change: FieldChange, found: unknown): TriremeError {
  const show = (value: unknown) => (value === undefined ? 'nothing' : canonicalJson(value));
  return new TriremeError('plan.moved', `${nameOfPath(change.path)} of ${what} was ${show(change.from)} when the plan was made, and is ${show(found)} now.`, {
    hints: ['Somebody else changes it too. Look, and run the command again.'],
  });
}

/** `spec.topology.workers.machineDeployments[md-0].replicas`. */
export function nameOfPath(path: FieldPath): string {
  return path.reduce<string>((text, key) => (typeof key === 'string' ? (text === '' ? key : `${text}.${key}`) : `${text}[${key.named}]`), '');
}

/** The value at a path; undefined where a step isn't there. */
export function fieldAt(object: unknown, path: FieldPath): unknown {
  let value = object;
  for (const key of path) {
    if (typeof key === 'string') value = valueAt(value, key);
    else value = Array.isArray(value) ? value.find((entry) => valueAt(entry, 'name') === key.named) : undefined;
  }
  return value;
}

/** The patch for all changes. Throws `plan.moved` when the object isn't as the plan saw it. */
export function patchOf(object: KubeObject, changes: readonly FieldChange[], what: string): readonly JsonPatchOperation[] {
  const made = new Set<string>();
  return changes.flatMap((change) => {
    const found = fieldAt(object, change.path);
    if (isEqual(found, change.to)) return [];
    if (!isEqual(found, change.from)) throw movedError(what, change, found);
    return operations(object, change, what, made);
  });
}

function operations(object: KubeObject, change: FieldChange, what: string, made: Set<string>): readonly JsonPatchOperation[] {
  const result: JsonPatchOperation[] = [];
  let pointer = '';
  let at: unknown = object;
  for (const [depth, key] of change.path.entries()) {
    if (typeof key !== 'string') {
      const index = Array.isArray(at) ? at.findIndex((entry) => valueAt(entry, 'name') === key.named) : -1;
      if (index === -1) throw new TriremeError('plan.moved', `${nameOfPath(change.path.slice(0, depth + 1))} of ${what} is gone since the plan was made.`);
      pointer += `/${index}`;
      result.push({op: 'test', path: `${pointer}/name`, value: key.named});
      at = (at as readonly unknown[])[index];
      continue;
    }
    pointer += `/${escapePointer(key)}`;
    const isLast = depth === change.path.length - 1;
    const value = valueAt(at, key);
    if (isLast) {
      if (value !== undefined) result.push({op: 'test', path: pointer, value});
      if (change.to === undefined) result.push({op: 'remove', path: pointer});
      else result.push({op: value === undefined ? 'add' : 'replace', path: pointer, value: change.to});
    } else if (value === undefined && !made.has(pointer)) {
      result.push({op: 'add', path: pointer, value: {}});
      made.add(pointer);
    }
    at = value;
  }
  return result;
}

/** RFC 6901, section 3. */
function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function isEqual(a: unknown, b: unknown): boolean {
  return a === b || (a !== undefined && b !== undefined && canonicalJson(a) === canonicalJson(b));
}
