// AWS: the actions that cluster-api-provider-aws v2.13.0 calls for clusters of EC2 instances, read from its services' calls of the SDK
// (pkg/cloud/services), and what its control planes and nodes need themselves. EKS is not in here: its control planes need other roles.
import type {Permissions, Statement} from './permissions.ts';

const actions = (service: string, names: string): readonly string[] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => `${service}:${name}`)
    .toSorted();

/** VPC, subnets, gateways, routes, addresses. */
const network = actions(
  'ec2',
  `AllocateAddress AssociateRouteTable AssociateVpcCidrBlock AttachInternetGateway CreateCarrierGateway CreateEgressOnlyInternetGateway
   CreateInternetGateway CreateNatGateway CreateRoute CreateRouteTable CreateSubnet CreateVpc CreateVpcEndpoint DeleteCarrierGateway
   DeleteEgressOnlyInternetGateway DeleteInternetGateway DeleteNatGateway DeleteNetworkInterface DeleteRouteTable DeleteSubnet DeleteVpc
   DeleteVpcEndpoints DescribeAddresses DescribeAvailabilityZones DescribeCarrierGateways DescribeDhcpOptions DescribeEgressOnlyInternetGateways
   DescribeInternetGateways DescribeIpamPools DescribeNatGateways DescribeNetworkInterfaces DescribePublicIpv4Pools DescribeRouteTables
   DescribeSubnets DescribeVpcAttribute DescribeVpcEndpoints DescribeVpcs DetachInternetGateway DisassociateAddress DisassociateRouteTable
   DisassociateVpcCidrBlock ModifySubnetAttribute ModifyVpcAttribute ModifyVpcEndpoint ReleaseAddress ReplaceRoute`,
);

const securityGroups = actions(
  'ec2',
  'AuthorizeSecurityGroupIngress CreateSecurityGroup DeleteSecurityGroup DescribeSecurityGroups RevokeSecurityGroupEgress RevokeSecurityGroupIngress',
);

const instances = actions(
  'ec2',
  `AssociateAddress CreateTags DeleteTags DescribeImages DescribeInstanceTypes DescribeInstances DescribeNetworkInterfaceAttribute
   ModifyInstanceMetadataOptions ModifyNetworkInterfaceAttribute RunInstances TerminateInstances`,
);

/** Of the classic kind, and of the second. */
const loadBalancers = [
  ...actions(
    'elasticloadbalancing',
    `AddTags ApplySecurityGroupsToLoadBalancer AttachLoadBalancerToSubnets ConfigureHealthCheck CreateListener CreateLoadBalancer CreateTargetGroup
     DeleteListener DeleteLoadBalancer DeleteTargetGroup DeregisterInstancesFromLoadBalancer DeregisterTargets DescribeListeners
     DescribeLoadBalancerAttributes DescribeLoadBalancers DescribeTags DescribeTargetGroups DescribeTargetHealth ModifyLoadBalancerAttributes
     ModifyTargetGroupAttributes RegisterInstancesWithLoadBalancer RegisterTargets RemoveTags SetSecurityGroups SetSubnets`,
  ),
  'tag:GetResources',
];

const launchTemplates = actions(
  'ec2',
  'CreateLaunchTemplate CreateLaunchTemplateVersion DeleteLaunchTemplate DeleteLaunchTemplateVersions DescribeLaunchTemplateVersions',
);
const groupsSeen = actions('autoscaling', 'DescribeAutoScalingGroups DescribeInstanceRefreshes DescribeLifecycleHooks');
const groupsChanged = actions(
  'autoscaling',
  `CancelInstanceRefresh CreateAutoScalingGroup CreateOrUpdateTags DeleteAutoScalingGroup DeleteLifecycleHook DeleteTags PutLifecycleHook
   ResumeProcesses StartInstanceRefresh SuspendProcesses UpdateAutoScalingGroup`,
);

const allow = (Sid: string, Action: readonly string[], Resource: readonly string[] = ['*'], more: Partial<Statement> = {}): Statement => ({
  Sid,
  Effect: 'Allow',
  Action,
  Resource,
  ...more,
});

/** The role that AWS itself works with for a service; made at its first use in an account. */
const serviceRole = (Sid: string, service: string, role: string): Statement =>
  allow(Sid, ['iam:CreateServiceLinkedRole'], [`arn:*:iam::*:role/aws-service-role/${service}/${role}`], {
    Condition: {StringLike: {'iam:AWSServiceName': service}},
  });

const policy = (Statement: readonly Statement[]) => ({Version: '2012-10-17' as const, Statement});

export const awsPermissions: Permissions = {
  provider: 'aws',
  version: 'v2.13.0',
  format: 'iam',
  notes: [
    'For clusters of EC2 instances; EKS needs more.',
    'Roles of machines are called *.cluster-api-provider-aws.sigs.k8s.io, as clusterawsadm makes them: where yours are called otherwise, change PassRoleToMachines.',
    'Machine pools: drop MachinePools, MachinePoolsSeen and LaunchTemplates where there are none.',
  ],
  policies: [
    {
      name: 'controllers',
      for: "the provider's controllers: the credentials that it gets in AWS_B64ENCODED_CREDENTIALS, or its role",
      document: policy([
        allow('Network', network),
        allow('SecurityGroups', securityGroups),
        allow('Machines', instances),
        allow('LoadBalancers', loadBalancers),
        allow('LaunchTemplates', launchTemplates),
        allow('MachinePoolsSeen', groupsSeen),
        allow('MachinePools', groupsChanged, ['arn:*:autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/*']),
        allow('BootstrapData', actions('secretsmanager', 'CreateSecret DeleteSecret TagResource'), ['arn:*:secretsmanager:*:*:secret:aws.cluster.x-k8s.io/*']),
        allow('PassRoleToMachines', ['iam:PassRole'], ['arn:*:iam::*:role/*.cluster-api-provider-aws.sigs.k8s.io']),
        serviceRole('LoadBalancersRole', 'elasticloadbalancing.amazonaws.com', 'AWSServiceRoleForElasticLoadBalancing'),
        serviceRole('MachinePoolsRole', 'autoscaling.amazonaws.com', 'AWSServiceRoleForAutoScaling'),
        serviceRole('SpotRole', 'spot.amazonaws.com', 'AWSServiceRoleForEC2Spot'),
      ]),
    },
    {
      name: 'control-plane',
      for: 'control plane machines: the cloud controller manager and the EBS CSI driver run there',
      document: policy([
        allow('BootstrapData', actions('secretsmanager', 'DeleteSecret GetSecretValue'), ['arn:*:secretsmanager:*:*:secret:aws.cluster.x-k8s.io/*']),
        allow('MachinePoolsSeen', actions('autoscaling', 'DescribeAutoScalingGroups DescribeTags')),
        allow(
          'CloudController',
          actions(
            'ec2',
            `AuthorizeSecurityGroupIngress CreateRoute CreateSecurityGroup CreateTags DeleteRoute DeleteSecurityGroup DescribeAvailabilityZones DescribeImages
             DescribeInstances DescribeInstanceTopology DescribeRegions DescribeRouteTables DescribeSecurityGroups DescribeSubnets DescribeVpcs
             ModifyInstanceAttribute RevokeSecurityGroupIngress`,
          ),
        ),
        allow('Volumes', actions('ec2', 'AttachVolume CreateVolume DeleteVolume DescribeVolumes DescribeVolumesModifications DetachVolume ModifyVolume')),
        allow(
          'ServiceLoadBalancers',
          actions(
            'elasticloadbalancing',
            `AddTags ApplySecurityGroupsToLoadBalancer AttachLoadBalancerToSubnets ConfigureHealthCheck CreateListener CreateLoadBalancer
             CreateLoadBalancerListeners CreateLoadBalancerPolicy CreateTargetGroup DeleteListener DeleteLoadBalancer DeleteLoadBalancerListeners
             DeleteTargetGroup DeregisterInstancesFromLoadBalancer DeregisterTargets DescribeListeners DescribeLoadBalancerAttributes
             DescribeLoadBalancerPolicies DescribeLoadBalancers DescribeTargetGroups DescribeTargetHealth DetachLoadBalancerFromSubnets
             ModifyListener ModifyLoadBalancerAttributes ModifyTargetGroup RegisterInstancesWithLoadBalancer RegisterTargets SetLoadBalancerPoliciesForBackendServer
             SetLoadBalancerPoliciesOfListener SetSecurityGroups`,
          ),
        ),
        serviceRole('LoadBalancersRole', 'elasticloadbalancing.amazonaws.com', 'AWSServiceRoleForElasticLoadBalancing'),
        allow('Keys', ['kms:DescribeKey']),
      ]),
    },
    {
      name: 'nodes',
      for: 'all machines',
      document: policy([
        allow('BootstrapData', actions('secretsmanager', 'DeleteSecret GetSecretValue'), ['arn:*:secretsmanager:*:*:secret:aws.cluster.x-k8s.io/*']),
        allow(
          'Node',
          actions('ec2', 'AssignIpv6Addresses CreateTags DescribeInstanceTypes DescribeInstances DescribeNetworkInterfaces DescribeRegions DescribeTags'),
        ),
        allow(
          'Images',
          actions(
            'ecr',
            'BatchCheckLayerAvailability BatchGetImage DescribeRepositories GetAuthorizationToken GetDownloadUrlForLayer GetRepositoryPolicy ListImages',
          ),
        ),
      ]),
    },
  ],
};
