// The policies of `provider permissions aws` as questions to iam:SimulatePrincipalPolicy. Pure.
import type {Permissions} from '../../providers/permissions/permissions.ts';

export interface Simulation {
  readonly actions: readonly string[];
  /** Samples of what the statement allows them on; `*` for all. */
  readonly resources: readonly string[];
  readonly context: readonly {readonly key: string; readonly value: string}[];
}

/** AWS takes more, but answers in pages then. */
const actionsAtOnce = 50;

/** One question a statement of the controllers' policy, long ones in parts. */
export function simulationsOf(permissions: Permissions, place: {readonly account: string; readonly region: string}): readonly Simulation[] {
  const controllers = permissions.policies.find(({name}) => name === 'controllers');
  return (controllers?.document.Statement ?? []).flatMap(({Action, Resource, Condition}) => {
    const context = Object.values(Condition ?? {}).flatMap((keys) => Object.entries(keys).map(([key, value]) => ({key, value})));
    const resources = Resource.map((arn) => sampleArn(arn, place));
    const parts = Array.from({length: Math.ceil(Action.length / actionsAtOnce)}, (_, index) =>
      Action.slice(index * actionsAtOnce, (index + 1) * actionsAtOnce),
    );
    return parts.map((actions) => ({actions, resources, context}));
  });
}

/** An ARN that the pattern matches: partition, region and account filled in, other stars a name. */
function sampleArn(pattern: string, {account, region}: {readonly account: string; readonly region: string}): string {
  if (pattern === '*') return pattern;
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  const [, , service = '', place = '', owner = '', ...rest] = pattern.split(':');
  const name = rest.join(':').replaceAll('*', 'trireme');
  return ['arn', partition, service, place === '*' ? region : place, owner === '*' ? account : owner, name].join(':');
}

/** The role or user behind an identity: of `arn:aws:sts::1:assumed-role/NAME/SESSION` the role. The account's root can't be simulated: undefined. */
export function principalOf(arn: string): string | undefined {
  const assumed = /^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(arn);
  if (assumed !== null) return `arn:${assumed[1]}:iam::${assumed[2]}:role/${assumed[3]}`;
  return /^arn:[^:]+:iam::\d+:(role|user)\//.test(arn) ? arn : undefined;
}
