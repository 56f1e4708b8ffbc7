// Failures as the API server tells them: a Status object with reason, code and causes.

export interface FieldError {
  /** `spec.topology.version`. */
  readonly field: string;
  readonly reason: string;
  /** With what is wrong in front: `Invalid value: "x": must ...`. */
  readonly message: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly FieldError[];
  readonly retryAfterSeconds?: number;
}

/** Thrown inside the server; answered as its Status. */
export class ApiFailure extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails;

  constructor(code: number, reason: string, message: string, details: StatusDetails = {}) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  get status(): Readonly<Record<string, unknown>> {
    const {code, reason, message, details} = this;
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason === '' ? {} : {reason}),
      ...(Object.keys(details).length === 0 ? {} : {details}),
      code,
    };
  }
}

interface Named {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
}

/** `machines.cluster.x-k8s.io`, or `secrets` for the core group. */
export const qualified = ({group, plural}: {readonly group: string; readonly plural: string}) => (group === '' ? plural : `${plural}.${group}`);
const qualifiedKind = ({group, kind}: {readonly group: string; readonly kind: string}) => (group === '' ? kind : `${kind}.${group}`);
const detailsOf = (kind: Named, name: string): StatusDetails => ({name, ...(kind.group === '' ? {} : {group: kind.group}), kind: kind.plural});

export const notFound = (kind: Named, name: string) => new ApiFailure(404, 'NotFound', `${qualified(kind)} "${name}" not found`, detailsOf(kind, name));
export const noSuchPath = () => new ApiFailure(404, 'NotFound', 'the server could not find the requested resource');
export const alreadyExists = (kind: Named, name: string) =>
  new ApiFailure(409, 'AlreadyExists', `${qualified(kind)} "${name}" already exists`, detailsOf(kind, name));
export const badRequest = (message: string) => new ApiFailure(400, 'BadRequest', message);
export const unauthorized = () => new ApiFailure(401, 'Unauthorized', 'Unauthorized');
export const notAllowed = (method: string) =>
  new ApiFailure(405, 'MethodNotAllowed', `the server does not allow this method on the requested resource (${method})`);
export const expired = (message: string) => new ApiFailure(410, 'Expired', message);
export const unsupported = (type: string, known: readonly string[]) =>
  new ApiFailure(415, 'UnsupportedMediaType', `the body of the request was in an unknown format (${type}) - accepted media types include: ${known.join(', ')}`);

export function conflict(kind: Named, name: string, why: string): ApiFailure {
  return new ApiFailure(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(kind)} "${name}": ${why}`, detailsOf(kind, name));
}

export const changedInBetween = (kind: Named, name: string) =>
  conflict(kind, name, 'the object has been modified; please apply your changes to the latest version and try again');

/** 422; `webhook` is who denied it, absent for the schema's own complaints. */
export function invalid(kind: {readonly group: string; readonly kind: string}, name: string, errors: readonly FieldError[], webhook?: string): ApiFailure {
  const texts = errors.map((one) => `${one.field}: ${one.message}`);
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const text = `${qualifiedKind(kind)} "${name}" is invalid: ${list}`;
  return new ApiFailure(422, 'Invalid', webhook === undefined ? text : `admission webhook "${webhook}" denied the request: ${text}`, {
    name,
    ...(kind.group === '' ? {} : {group: kind.group}),
    kind: kind.kind,
    causes: errors,
  });
}

export interface Attempt {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
}

export function forbidden(user: string, {verb, group, resource, namespace, name}: Attempt): ApiFailure {
  const subject = `${qualified({group, plural: resource.split('/')[0] ?? resource})}${name === undefined ? '' : ` "${name}"`}`;
  const where = namespace === undefined ? ' at the cluster scope' : ` in the namespace "${namespace}"`;
  const what = `User "${user}" cannot ${verb} resource "${resource}" in API group "${group}"${where}`;
  return new ApiFailure(403, 'Forbidden', `${subject} is forbidden: ${what}`, {
    ...(name === undefined ? {} : {name}),
    ...(group === '' ? {} : {group}),
    kind: resource.split('/')[0] ?? resource,
  });
}
