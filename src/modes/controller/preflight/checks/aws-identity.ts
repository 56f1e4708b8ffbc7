// AWS takes the credentials.
import type {AwsCheck} from '../check.ts';

export const awsIdentity: AwsCheck = {
  id: 'aws-identity',
  title: 'AWS takes the credentials',
  severity: 'error',
  of: 'aws',
  run: ({identity}) =>
    'failure' in identity
      ? [
          {
            observed: identity.failure,
            wanted: 'credentials that AWS takes',
            remedy: 'aws sts get-caller-identity; name a profile in spec.controller.cloud.aws.profile',
          },
        ]
      : [],
};
