// What an API server refuses, as an error that a person can act on. Matches on status and reason, never on English text.
import {TriremeError} from '../kernel/errors.ts';
import {listAt, textAt} from './object.ts';

/** What a request was about, for messages. */
export interface Subject {
  /** As RBAC has it: get, list, watch, create, update, patch, delete. */
  readonly verb: string;
  readonly group?: string;
  /** Plural; `machines/status` for a subresource. */
  readonly resource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

export interface Cause {
  /** `spec.topology.version`; empty for the whole object. */
  readonly field: string;
  readonly message: string;
  readonly reason?: string;
}

export interface ErrorContext {
  readonly server: string;
  readonly context: string;
  /** How we signed in: `a client certificate`. */
  readonly credentials: string;
  readonly subject: Subject;
  /** For a write of which nobody knows whether it was done. */
  readonly isWrite: boolean;
}

/** `machines.cluster.x-k8s.io a in namespace b`. */
export function nameSubject(subject: Subject): string {
  const {resource, group, name, namespace} = subject;
  if (resource === undefined) return 'the request';
  const [plural = '', subresource] = resource.split('/');
  const kind = group === undefined || group === '' ? plural : `${plural}.${group}`;
  return `${kind}${name === undefined ? '' : ` ${name}`}${subresource === undefined ? '' : `'s ${subresource}`}${namespace === undefined ? '' : ` in namespace ${namespace}`}`;
}

/** Turns an answer with an error's status into the error. `wait`: how long the server asks to wait, in ms. */
export function errorOf(status: number, body: unknown, context: ErrorContext, wait?: number): TriremeError {
  const reason = textAt(body, 'reason') ?? '';
  const message = textAt(body, 'message') ?? (typeof body === 'string' && body.trim() !== '' ? body.trim().slice(0, 500) : `HTTP ${status}`);
  const causes = causesOf(body);
  const details = {status, reason, causes, server: context.server, ...context.subject, ...(wait === undefined ? {} : {retryAfter: wait})};
  const said = (code: ConstructorParameters<typeof TriremeError>[0], text: string, hints: readonly string[] = []) =>
    new TriremeError(code, text, {hints, details});
  const what = nameSubject(context.subject);
  switch (status) {
    case 401:
      return said('api.unauthorized', `${context.server} doesn't accept ${context.credentials} of the context ${context.context}.`, renewalHints(context));
    case 403:
      return said('api.forbidden', `${context.server} forbids to ${context.subject.verb} ${what}: ${message}`, [
        `Ask whoever runs this cluster for the right to ${context.subject.verb} ${what}, or use another context: --context NAME`,
      ]);
    case 404:
      return notFound(body, what, context, details);
    case 409:
      return causes.some((cause) => cause.reason === 'FieldManagerConflict') ? ownedElsewhere(what, causes, details) : conflict(reason, what, message, details);
    case 400:
    case 422:
    case 413:
    case 415:
      return said('api.invalid', `${context.server} refuses ${what} as invalid: ${causes.length === 0 ? message : causes.map(tell).join('; ')}`);
    default:
      return failed(status, message, what, context, details);
  }
}

function failed(status: number, message: string, what: string, context: ErrorContext, details: Readonly<Record<string, unknown>>): TriremeError {
  const isUnknown = context.isWrite && status >= 500;
  return new TriremeError(
    'api.failed',
    `${context.server} answers ${status} when asked to ${context.subject.verb} ${what}: ${message}${isUnknown ? " It isn't known whether it was done." : ''}`,
    {
      hints: [isUnknown ? 'Look before you try again: what was asked for may be done.' : "Try again in a moment; the server's own log says more."],
      details: {...details, ...(isUnknown ? {outcome: 'unknown'} : {})},
    },
  );
}

function notFound(body: unknown, what: string, {server, subject}: ErrorContext, details: Readonly<Record<string, unknown>>): TriremeError {
  if (textAt(body, 'details', 'kind') === 'namespaces' && subject.resource !== 'namespaces') {
    const namespace = textAt(body, 'details', 'name') ?? subject.namespace ?? '';
    return new TriremeError('api.not-found', `${server} has no namespace ${namespace}.`, {hints: [`Make it: kubectl create namespace ${namespace}`], details});
  }
  // there's always a list of a kind that is served
  if (subject.verb === 'list' || subject.verb === 'watch') {
    return new TriremeError('api.kind-unknown', `${server} serves no ${what}.`, {hints: ['Is its provider installed? trireme provider list'], details});
  }
  return new TriremeError('api.not-found', `${server} has no ${what}.`, {details});
}

function conflict(reason: string, what: string, message: string, details: Readonly<Record<string, unknown>>): TriremeError {
  if (reason === 'AlreadyExists') return new TriremeError('api.conflict', `${sentence(what)} is there already.`, {details});
  return new TriremeError('api.conflict', `${sentence(what)} was changed by somebody else in between: ${message}`, {
    hints: ['Run the command again: it looks at the object anew.'],
    details,
  });
}

function ownedElsewhere(what: string, causes: readonly Cause[], details: Readonly<Record<string, unknown>>): TriremeError {
  const owners = causes.filter((cause) => cause.reason === 'FieldManagerConflict').map((cause) => ({field: cause.field, manager: managerOf(cause.message)}));
  return new TriremeError('api.conflict', `Of ${what}, ${owners.map((one) => `${one.field.replace(/^\./, '')} is owned by ${one.manager}`).join(', ')}.`, {
    hints: ['Change it where its owner gets it from (a GitOps repository, for instance), or take it out of your file.'],
    details: {...details, owners},
  });
}

/** The API has no field for the manager: it stands in quotes in `conflict with "NAME" using ...` (apimachinery's managedfields/internal/conflict.go). */
function managerOf(message: string): string {
  return /"((?:[^"\\]|\\.)*)"/.exec(message)?.[1] ?? 'another manager';
}

function causesOf(body: unknown): readonly Cause[] {
  return listAt(body, 'details', 'causes').map((cause) => {
    const reason = textAt(cause, 'reason');
    return {field: textAt(cause, 'field') ?? '', message: textAt(cause, 'message') ?? '', ...(reason === undefined ? {} : {reason})};
  });
}

function tell(cause: Cause): string {
  return cause.field === '' ? cause.message : `${cause.field}: ${cause.message}`;
}

function renewalHints(context: ErrorContext): readonly string[] {
  if (context.credentials.startsWith('the exec plugin')) return [`Sign in with ${context.credentials.slice('the exec plugin '.length)} again.`];
  if (context.credentials === 'a client certificate') return ['It may have expired: get the kubeconfig anew from whoever runs this cluster.'];
  if (context.credentials === 'no credentials') return ['Give the context a user: kubectl config set-context NAME --user USER'];
  return ['Sign in again, or get the kubeconfig anew from whoever runs this cluster.'];
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
