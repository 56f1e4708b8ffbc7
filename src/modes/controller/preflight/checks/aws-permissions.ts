// The controllers' identity may do what the provider does, by AWS's own simulation of its policies.
import type {AwsCheck} from '../check.ts';

const shown = 12;

export const awsPermissions: AwsCheck = {
  id: 'aws-permissions',
  title: "The controllers' identity may do all that the provider does",
  severity: 'error',
  of: 'aws',
  run: ({permissions, principal}) => {
    if (permissions === undefined) return [];
    if ('failure' in permissions)
      return [
        {
          observed: `the permissions of ${principal ?? 'the identity'} can't be simulated: ${permissions.failure}`,
          wanted: 'iam:SimulatePrincipalPolicy for the credentials of preflight',
          remedy: 'Allow iam:SimulatePrincipalPolicy, or compare by hand: trireme provider permissions aws',
          severity: 'warning',
        },
      ];
    const {denied} = permissions.value;
    if (denied.length === 0) return [];
    const explicit = denied.filter(({decision}) => decision === 'explicitDeny').map(({action}) => action);
    const names = denied.slice(0, shown).map(({action}) => action);
    return [
      {
        observed: `${principal ?? 'the identity'} may not ${names.join(', ')}${denied.length > shown ? `, and ${denied.length - shown} more` : ''}${explicit.length === 0 ? '' : `; denied by a statement of their own: ${explicit.join(', ')}`}`,
        wanted: `all ${permissions.value.simulated} actions that the provider's controllers call`,
        remedy: 'trireme provider permissions aws --policy controllers >controllers.json, and attach it',
      },
    ];
  },
};
