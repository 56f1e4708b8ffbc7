// JSON patch (RFC 6902) and merge patch (RFC 7386), as the API server answers to them.
import {isDeepStrictEqual} from 'node:util';
import {ApiFailure, badRequest} from './failure.ts';
import {isMap} from './schema.ts';

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const result: Record<string, unknown> = isMap(target) ? {...target} : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
  readonly from?: string;
}

/** RFC 6902; what can't be done is a 422, as the API server says it. */
export function jsonPatch(target: unknown, operations: unknown): unknown {
  if (!Array.isArray(operations)) throw badRequest('error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  let document = structuredClone(target);
  for (const operation of operations as readonly Operation[]) document = perform(document, operation);
  return document;
}

const cannot = (message: string) => new ApiFailure(422, 'Invalid', `the server rejected our request due to an error in our request: ${message}`, {});

function tokensOf(path: string): readonly string[] {
  if (path === '') return [];
  if (!path.startsWith('/')) throw cannot(`path ${path} must start with /`);
  return path
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function read(document: unknown, tokens: readonly string[]): unknown {
  let value = document;
  for (const token of tokens) {
    if (Array.isArray(value)) value = value[Number(token)] as unknown;
    else if (isMap(value)) value = Object.hasOwn(value, token) ? value[token] : undefined;
    else return undefined;
  }
  return value;
}

function perform(document: unknown, {op, path, value, from}: Operation): unknown {
  const tokens = tokensOf(path);
  switch (op) {
    case 'test': {
      if (!isDeepStrictEqual(read(document, tokens) ?? null, value ?? null)) throw cannot(`testing value ${path} failed: test failed`);
      return document;
    }
    case 'add':
      return write(document, tokens, value, 'add');
    case 'replace': {
      if (read(document, tokens) === undefined) throw cannot(`replace operation does not apply: doc is missing key: ${path}: missing value`);
      return write(document, tokens, value, 'replace');
    }
    case 'remove': {
      if (read(document, tokens) === undefined) throw cannot(`remove operation does not apply: doc is missing path: "${path}": missing value`);
      return write(document, tokens, undefined, 'remove');
    }
    case 'move':
    case 'copy': {
      const source = tokensOf(from ?? '');
      const moved = read(document, source);
      if (moved === undefined) throw cannot(`${op} operation does not apply: doc is missing from path: ${from}: missing value`);
      return write(op === 'move' ? write(document, source, undefined, 'remove') : document, tokens, structuredClone(moved), 'add');
    }
    default:
      throw cannot(`Unexpected kind: ${op}`);
  }
}

function write(document: unknown, tokens: readonly string[], value: unknown, how: 'add' | 'replace' | 'remove'): unknown {
  const last = tokens.at(-1);
  if (last === undefined) return value;
  const parent = read(document, tokens.slice(0, -1));
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : Number(last);
    if (!Number.isInteger(index) || index < 0 || index > parent.length) throw cannot(`Unable to access invalid index: ${last}: invalid index referenced`);
    if (how === 'add') parent.splice(index, 0, value);
    else if (how === 'remove') parent.splice(index, 1);
    else parent[index] = value;
  } else if (isMap(parent)) {
    if (how === 'remove') delete parent[last];
    else parent[last] = value;
  } else throw cannot(`${how} operation does not apply: doc is missing path: "/${tokens.join('/')}": missing value`);
  return document;
}
