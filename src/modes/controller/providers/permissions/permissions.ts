// What a provider needs in its cloud, as data. One file a cloud; what isn't known is said to be unknown, and not guessed.
import {TriremeError} from '../../../../kernel/errors.ts';
import {knownProviders} from '../known.ts';
import {nearest} from '../../../../kernel/nearest.ts';

/** A statement of an IAM policy. */
export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

export interface NamedPolicy {
  /** `controllers`, `control-plane`, `nodes`. */
  readonly name: string;
  /** Who gets it. */
  readonly for: string;
  readonly document: PolicyDocument;
}

export interface Permissions {
  /** Name of the infrastructure provider. */
  readonly provider: string;
  /** The version that the list was made for. */
  readonly version: string;
  readonly format: 'iam';
  readonly notes: readonly string[];
  readonly policies: readonly NamedPolicy[];
}

const known: Readonly<Record<string, () => Promise<Permissions>>> = {
  aws: async () => (await import('./aws.ts')).awsPermissions,
};

export const providersWithPermissions: readonly string[] = Object.keys(known);

/** The least permissions of an infrastructure provider. Throws `provider.unknown`: for a provider that we know, saying that its list isn't made yet. */
export async function permissionsOf(name: string): Promise<Permissions> {
  const load = Object.hasOwn(known, name) ? known[name] : undefined;
  if (load !== undefined) return load();
  const infrastructure = knownProviders.filter(({type}) => type === 'InfrastructureProvider').map((one) => one.name);
  const hints = [`Known are the permissions of: ${providersWithPermissions.join(', ')}.`];
  if (infrastructure.includes(name))
    throw new TriremeError('provider.unknown', `What ${name} needs in its cloud isn't known here yet.`, {
      hints: [...hints, "See the provider's own documentation."],
    });
  const near = nearest(name, infrastructure);
  throw new TriremeError('provider.unknown', `There is no infrastructure provider ${name}.`, {
    hints: [...(near === undefined ? [] : [`Did you mean ${near}?`]), ...hints],
  });
}
