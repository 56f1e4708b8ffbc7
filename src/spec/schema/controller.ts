// The part of a Cluster that says how a management cluster makes it: `spec.controller`.
import {z} from 'zod';
import {taint} from './agent.ts';
import {filePath, labels, name, plainMap} from './values.ts';

const annotations = z.record(z.string(), z.string());
/** Values of variables: what they must be is known by the class, in the management cluster. */
const variables = plainMap;

const controlPlane = z.strictObject({
  replicas: z.int().min(0).default(1).describe('How many control planes: an odd number, for their vote.'),
  labels: labels.optional().describe("Labels of the control plane's machines and nodes."),
  annotations: annotations.optional().describe("Annotations of the control plane's machines."),
  taints: z.array(taint).optional().describe("Taints of the control plane's nodes that Cluster API keeps."),
  variables: variables.optional().describe("Values of the class's variables for the control plane alone, over the cluster-wide ones."),
});

const autoscale = z.strictObject({
  min: z.int().min(0).describe('The smallest number of machines that the autoscaler may choose.'),
  max: z.int().min(1).describe('The largest number of machines that the autoscaler may choose.'),
});

export const controllerPool = z.strictObject({
  name: name.describe('Name of the pool, unique within the cluster.'),
  class: z
    .string()
    .min(1)
    .describe("Name of the machine deployment's (or machine pool's) class within the ClusterClass; without a class, of the pool in the template."),
  kind: z
    .enum(['MachineDeployment', 'MachinePool'])
    .default('MachineDeployment')
    .describe('Who keeps the machines: Cluster API one by one (MachineDeployment), or a group of the infrastructure (MachinePool).'),
  replicas: z.int().min(0).optional().describe('How many machines; default 1. Not together with autoscale.'),
  failureDomain: z.string().min(1).optional().describe('Where the machines shall stand: a failure domain of the infrastructure.'),
  labels: labels.optional().describe("Labels of the pool's machines and nodes."),
  annotations: annotations.optional().describe("Annotations of the pool's machines."),
  taints: z.array(taint).optional().describe("Taints of the pool's nodes that Cluster API keeps."),
  variables: variables.optional().describe("Values of the class's variables for this pool alone, over the cluster-wide ones."),
  autoscale: autoscale.optional().describe('Bounds for the cluster autoscaler, which then owns the number of machines.'),
});

const template = z.strictObject({
  file: filePath.optional().describe("A provider's own cluster-template.yaml, relative to this file."),
  provider: z.string().min(1).optional().describe('Name of an infrastructure provider whose template is used: `docker` or `docker:v1.14.2`.'),
  flavor: z.string().min(1).optional().describe("Which of the provider's templates: cluster-template-FLAVOR.yaml."),
  variables: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .optional()
    .describe("Values of the template's ${VARIABLES}."),
});

const address = z.string().regex(/^https?:\/\/\S+$/, 'an address begins with https:// or http://');

const aws = z.strictObject({
  region: z.string().min(1).describe('Region that the machines are made in: eu-central-1.'),
  profile: z.string().min(1).optional().describe('Profile of the AWS configuration whose credentials preflight uses; default: what the AWS programs use.'),
  role: z
    .string()
    .regex(/^arn:[^:]+:iam::\d{12}:(role|user)\/\S+$/, 'an ARN: arn:aws:iam::123456789012:role/NAME')
    .optional()
    .describe("ARN of the role (or user) that the provider's controllers work with; preflight checks its permissions. Default: that of the credentials."),
  sshKeyName: z.string().min(1).optional().describe('Key pair that machines get; preflight looks whether the region has it.'),
  endpoints: z
    .strictObject({
      sts: address.optional().describe('Address of the Security Token Service.'),
      iam: address.optional().describe('Address of Identity and Access Management.'),
      ec2: address.optional().describe('Address of EC2.'),
      serviceQuotas: address.optional().describe('Address of Service Quotas.'),
    })
    .optional()
    .describe("Other addresses of AWS's services, for private endpoints; default: the region's."),
});

const cloud = z.strictObject({
  aws: aws.optional().describe('The AWS account that machines are made in.'),
});

const preflight = z.strictObject({
  ignore: z.array(z.string().min(1)).default([]).describe('Ids of preflight checks whose errors are taken for warnings.'),
});

export const controllerSettings = z.strictObject({
  kubeconfig: filePath.optional().describe('Kubeconfig of the management cluster; default: what kubectl uses.'),
  context: z.string().min(1).optional().describe('Context of the kubeconfig; default: its current one.'),
  namespace: name.default('default').describe("Namespace of the cluster's objects in the management cluster."),
  class: z.string().min(1).optional().describe('Name of the ClusterClass; without one a template says what the cluster is made of.'),
  classNamespace: name.optional().describe("Namespace of the ClusterClass; default: the cluster's."),
  template: template.optional().describe("A provider's template, for clusters without a class."),
  variables: variables.optional().describe("Values of the class's variables."),
  labels: labels.optional().describe('Labels of the Cluster object.'),
  annotations: annotations.optional().describe('Annotations of the Cluster object.'),
  cloud: cloud.optional().describe('The cloud account that preflight looks at: identity, permissions, key pair, quotas. Nothing else reads it.'),
  preflight: preflight.optional().describe('What preflight passes over.'),
  controlPlane: controlPlane.prefault({}).describe('The control plane.'),
  pools: z.array(controllerPool).default([]).describe('The pools of workers.'),
});

export type AwsSettings = z.infer<typeof aws>;
export type ControllerSettings = z.infer<typeof controllerSettings>;
export type ControllerPool = z.infer<typeof controllerPool>;
