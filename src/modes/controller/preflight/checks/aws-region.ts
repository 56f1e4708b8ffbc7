// The region exists, and the account may use it.
import type {AwsCheck} from '../check.ts';

export const awsRegion: AwsCheck = {
  id: 'aws-region',
  title: 'The account may use the region',
  severity: 'error',
  of: 'aws',
  run: ({region, regions}) => {
    if ('failure' in regions) return [{observed: regions.failure, wanted: 'a list of regions', remedy: 'Allow ec2:DescribeRegions.', severity: 'warning'}];
    const found = regions.value.find(({name}) => name === region);
    if (found === undefined)
      return [{observed: `AWS has no region ${region}`, wanted: 'a region', remedy: `There are ${regions.value.map(({name}) => name).join(', ')}.`}];
    return found.enabled
      ? []
      : [
          {
            observed: `the account has not opted in to ${region}`,
            wanted: 'a region that is enabled',
            remedy: `aws account enable-region --region-name ${region}`,
          },
        ];
  },
};
