// There is room for the cluster within the account's quotas.
import type {AwsCheck} from '../check.ts';

export const awsQuotas: AwsCheck = {
  id: 'aws-quotas',
  title: "The cluster fits into the account's quotas",
  severity: 'warning',
  of: 'aws',
  run: ({quotas}) => {
    if ('failure' in quotas)
      return [
        {
          observed: `quotas can't be read: ${quotas.failure}`,
          wanted: 'a look at the quotas',
          remedy: 'Allow servicequotas:GetServiceQuota and the ec2:Describe* that preflight uses.',
        },
      ];
    return quotas.value
      .filter(({limit, used, needed}) => used + needed > limit)
      .map(({title, code, limit, used, needed}) => ({
        observed: `${title}: ${used} of ${limit} are used`,
        wanted: `${needed} more for this cluster`,
        remedy: `aws service-quotas request-service-quota-increase --service-code ec2 --quota-code ${code} --desired-value ${used + needed}`,
        ...(limit <= used ? {severity: 'error' as const} : {}),
      }));
  },
};
