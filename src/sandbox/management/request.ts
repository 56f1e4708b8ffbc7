// A request's path and headers as the API server reads them.
import type {IncomingMessage} from 'node:http';
import type {Question} from './access.ts';
import {ApiFailure, badRequest, noSuchPath, unsupported} from './failure.ts';
import type {KindRegistry, ServedKind} from './kinds.ts';

export interface ResourceRequest {
  readonly kind: ServedKind;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: 'status' | 'scale';
  readonly method: string;
  readonly query: URLSearchParams;
  readonly isWatch: boolean;
}

/** Path segments, decoded. */
export const segmentsOf = (path: string): readonly string[] =>
  path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);

/** Understands `/api/v1/...` and `/apis/GROUP/VERSION/...`; throws 404 for kinds that aren't served. */
export function resourceRequest(method: string, path: readonly string[], query: URLSearchParams, kinds: KindRegistry): ResourceRequest {
  const isCore = path[0] === 'api';
  const group = isCore ? '' : (path[1] ?? '');
  const version = (isCore ? path[1] : path[2]) ?? '';
  let rest = path.slice(isCore ? 2 : 3);
  let namespace: string | undefined;
  if (rest[0] === 'namespaces' && rest.length >= 3 && rest[2] !== 'status' && rest[2] !== 'finalize') {
    namespace = rest[1];
    rest = rest.slice(2);
  }
  const [plural = '', name, subresource, ...more] = rest;
  const kind = kinds.byPlural(group, version, plural);
  if (kind === undefined || more.length > 0 || (namespace !== undefined && !kind.namespaced)) throw noSuchPath();
  if (kind.namespaced && namespace === undefined && (name !== undefined || method === 'POST'))
    throw badRequest('an empty namespace may not be set during creation');
  const known = subresource === undefined || (subresource === 'status' && kind.hasStatus) || (subresource === 'scale' && kind.scale !== undefined);
  if (!known) throw noSuchPath();
  return {
    kind,
    method,
    query,
    isWatch: method === 'GET' && isTrue(query.get('watch')),
    ...(namespace === undefined ? {} : {namespace}),
    ...(name === undefined ? {} : {name}),
    ...(subresource === undefined ? {} : {subresource: subresource as 'status' | 'scale'}),
  };
}

export const isTrue = (value: string | null) => value === '' || value === '1' || value === 'true';

/** What must be allowed for a request. */
export function questionOf({kind, method, namespace, name, subresource, isWatch}: ResourceRequest): Question {
  const verbs: Readonly<Record<string, string>> = {
    GET: isWatch ? 'watch' : name === undefined ? 'list' : 'get',
    POST: 'create',
    PUT: 'update',
    PATCH: 'patch',
    DELETE: name === undefined ? 'deletecollection' : 'delete',
  };
  const resource = subresource === undefined ? kind.plural : `${kind.plural}/${subresource}`;
  return {verb: verbs[method] ?? method.toLowerCase(), group: kind.group, resource, ...(namespace === undefined ? {} : {namespace})};
}

/** Largest body that is read, in bytes; the API server's own limit is 3 MiB. */
const bodyLimit = 3 * 1024 * 1024;

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyLimit) throw new ApiFailure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${bodyLimit}`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** JSON, or YAML where the type says so. */
export async function parseBody(body: Buffer, type: string): Promise<unknown> {
  if (!/json|yaml/.test(type)) throw unsupported(type, ['application/json', 'application/yaml']);
  const text = body.toString('utf8');
  try {
    if (!type.includes('yaml')) return JSON.parse(text) as unknown;
    const {parse} = await import('yaml');
    return parse(text) as unknown;
  } catch {
    throw badRequest(`error decoding the body as ${type}`);
  }
}
