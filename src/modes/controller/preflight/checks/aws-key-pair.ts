// The key pair that machines get is in the region.
import type {AwsCheck} from '../check.ts';

export const awsKeyPair: AwsCheck = {
  id: 'aws-key-pair',
  title: 'The key pair is in the region',
  severity: 'error',
  of: 'aws',
  run: ({keyPair, region}) => {
    if (keyPair === undefined) return [];
    if ('failure' in keyPair)
      return [{observed: keyPair.failure, wanted: 'a look at the key pairs', remedy: 'Allow ec2:DescribeKeyPairs.', severity: 'warning'}];
    const {name, found} = keyPair.value;
    return found
      ? []
      : [
          {
            observed: `${region} has no key pair ${name}`,
            wanted: 'the key pair of spec.controller.cloud.aws.sshKeyName',
            remedy: `aws ec2 import-key-pair --region ${region} --key-name ${name} --public-key-material fileb://KEY.pub`,
          },
        ];
  },
};
