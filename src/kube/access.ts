// What this user may do. Asked before a verb starts: a right that's missing is named at once, not in the middle of the work.
import {mapPool} from '../kernel/pool.ts';
import {TriremeError} from '../kernel/errors.ts';
import type {AccessAnswer, AccessCheck, CallOptions, KubeApi} from './api.ts';
import {callOptions} from './list.ts';
import {textAt, valueAt} from './object.ts';
import type {Rest} from './rest.ts';

const reviewsAtOnce = 16;
const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

export async function reviewAccess(rest: Rest, checks: readonly AccessCheck[], options: CallOptions): Promise<readonly AccessAnswer[]> {
  const answers = await mapPool(checks, reviewsAtOnce, (check) => review(rest, check, options));
  return answers.map((answer) => {
    if (answer.status === 'rejected') throw answer.reason;
    return answer.value;
  });
}

async function review(rest: Rest, check: AccessCheck, options: CallOptions): Promise<AccessAnswer> {
  const [resource = '', subresource] = check.resource.split('/');
  const resourceAttributes = {
    verb: check.verb,
    group: check.group,
    resource,
    ...(subresource === undefined ? {} : {subresource}),
    ...(check.namespace === undefined ? {} : {namespace: check.namespace}),
    ...(check.name === undefined ? {} : {name: check.name}),
  };
  const {body} = await rest.json<unknown>({
    ...callOptions(options),
    method: 'POST',
    path,
    body: {apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: {resourceAttributes}},
    subject: {verb: 'create', group: 'authorization.k8s.io', resource: 'selfsubjectaccessreviews'},
    repeat: 'repeatable',
    isWrite: false, // nothing is kept of it
  });
  const reason = textAt(body, 'status', 'reason');
  return {...check, allowed: valueAt(body, 'status', 'allowed') === true, ...(reason === undefined || reason === '' ? {} : {reason})};
}

/** Throws `api.forbidden` (exit 5), naming every right of `checks` that this user lacks; details.missing has them as data. */
export async function requireAccess(
  api: Pick<KubeApi, 'access' | 'server' | 'context'>,
  checks: readonly AccessCheck[],
  options: CallOptions = {},
): Promise<void> {
  const distinct = [...new Map(checks.map((check) => [keyOf(check), check])).values()];
  const wildcard = distinct.find((check) => [check.verb, check.group, check.resource, check.namespace, check.name].includes('*'));
  if (wildcard !== undefined) throw new Error(`A check of access names exactly what it needs, and this one has a *: ${keyOf(wildcard)}`);
  const missing = (await api.access(distinct, options)).filter((answer) => !answer.allowed);
  if (missing.length === 0) return;
  const rights = missing.map(nameRight);
  throw new TriremeError(
    'api.forbidden',
    `The user of the context ${api.context} lacks ${rights.length === 1 ? 'a right' : `${rights.length} rights`}: ${rights.join('; ')}. Nothing was changed.`,
    {
      hints: [
        'Ask whoever runs this management cluster for them, or use another context: --context NAME',
        `See what you may: kubectl auth can-i --list${missing[0]?.namespace === undefined ? '' : ` -n ${missing[0].namespace}`}`,
      ],
      details: {
        server: api.server,
        context: api.context,
        missing: missing.map(({verb, group, resource, namespace, name}) => ({verb, group, resource, namespace, name})),
      },
    },
  );
}

/** `patch machinedeployments.cluster.x-k8s.io in namespace fleet`. */
function nameRight(check: AccessCheck): string {
  const [plural = '', subresource] = check.resource.split('/');
  const resource = `${plural}${check.group === '' ? '' : `.${check.group}`}${subresource === undefined ? '' : `/${subresource}`}`;
  return `${check.verb} ${resource}${check.name === undefined ? '' : ` ${check.name}`}${check.namespace === undefined ? ' in the whole cluster' : ` in namespace ${check.namespace}`}`;
}

function keyOf(check: AccessCheck): string {
  return JSON.stringify([check.verb, check.group, check.resource, check.namespace, check.name]);
}
