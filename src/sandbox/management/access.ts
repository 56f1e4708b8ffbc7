// Who may do what: bearer tokens made at run time, and what SelfSubjectAccessReview answers to them.
import {randomBytes} from 'node:crypto';
import {isMap} from './schema.ts';

export interface Rule {
  /** `*`: all. */
  readonly verbs: readonly string[];
  readonly groups: readonly string[];
  /** Plurals, `machines/status` for subresources; `*`: all. */
  readonly resources: readonly string[];
  /** Absent: everywhere. */
  readonly namespace?: string;
}

export interface User {
  readonly name: string;
  readonly groups: readonly string[];
  readonly rules: readonly Rule[];
}

/** May do everything. */
export const adminRules: readonly Rule[] = [{verbs: ['*'], groups: ['*'], resources: ['*']}];
/** Sees everything and changes nothing. */
export const readOnlyRules: readonly Rule[] = [{verbs: ['get', 'list', 'watch'], groups: ['*'], resources: ['*']}];

export interface Question {
  readonly verb: string;
  readonly group: string;
  /** `machines`, `machines/status`. */
  readonly resource: string;
  readonly namespace?: string;
}

const has = (list: readonly string[], one: string) => list.includes('*') || list.includes(one);

export function mayDo(user: User, {verb, group, resource, namespace}: Question): boolean {
  // everybody may ask what they may do
  if (group === 'authorization.k8s.io' || group === 'authentication.k8s.io') return true;
  return user.rules.some(
    (rule) =>
      has(rule.verbs, verb) && has(rule.groups, group) && has(rule.resources, resource) && (rule.namespace === undefined || rule.namespace === namespace),
  );
}

/** The tokens that the server accepts. */
export class Tokens {
  readonly #users = new Map<string, User>();

  /** A new token for a user. */
  issue(user: User): string {
    const token = randomBytes(24).toString('base64url');
    this.#users.set(token, user);
    return token;
  }

  revoke(token: string): void {
    this.#users.delete(token);
  }

  userOf(authorization: string | undefined): User | undefined {
    const [scheme, token] = (authorization ?? '').split(' ');
    return scheme?.toLowerCase() === 'bearer' && token !== undefined ? this.#users.get(token) : undefined;
  }
}

/** The answer to a SelfSubjectAccessReview. */
export function reviewAccess(user: User, review: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const spec = isMap(review['spec']) ? review['spec'] : {};
  const asked = isMap(spec['resourceAttributes']) ? spec['resourceAttributes'] : {};
  const text = (key: string) => (typeof asked[key] === 'string' ? asked[key] : '');
  const resource = text('subresource') === '' ? text('resource') : `${text('resource')}/${text('subresource')}`;
  const namespace = text('namespace');
  const allowed = mayDo(user, {verb: text('verb'), group: text('group'), resource, ...(namespace === '' ? {} : {namespace})});
  const reason = allowed ? 'RBAC: allowed by a rule of the SIMULATED management API' : '';
  return {...review, metadata: {}, status: {allowed, ...(reason === '' ? {} : {reason})}};
}

/** The answer to a SelfSubjectRulesReview. */
export function reviewRules(user: User, review: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const resourceRules = user.rules.map(({verbs, groups, resources}) => ({verbs, apiGroups: groups, resources}));
  return {...review, metadata: {}, status: {resourceRules, nonResourceRules: [{verbs: ['get'], nonResourceURLs: ['*']}], incomplete: false}};
}

export const whoAmI = (user: User, review: Readonly<Record<string, unknown>>) => ({
  ...review,
  metadata: {},
  status: {userInfo: {username: user.name, groups: user.groups}},
});
