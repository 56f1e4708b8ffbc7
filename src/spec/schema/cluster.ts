// `kind: Cluster`.
import {z} from 'zod';
import {agentSettings, componentConfiguration} from './agent.ts';
import {controllerSettings} from './controller.ts';
import {apiVersion, clusterVersion, duration, filePath, metadata, name, plainMap, port, secretSource} from './values.ts';

const cidrList = z.array(z.string()).min(1).max(2);

export const bundleSettings = z.strictObject({
  sources: z.record(z.string(), z.string()).optional().describe('Other base addresses for the public download places and registries, by host name.'),
  lock: filePath.optional().describe('Lock file of versions and digests; default: trireme.lock beside the file.'),
  authority: filePath.optional().describe('File with certificates (PEM) that registries and download places are trusted by, besides the public ones.'),
  programs: z
    .strictObject({
      helm: filePath.optional().describe('The program helm on this computer; default: that of the bundle, else the published one, by digest.'),
      kubectl: filePath.optional().describe('The program kubectl on this computer; default: that of the bundle, else the published one, by digest.'),
    })
    .optional()
    .describe('Programs on this computer that render layers.'),
});

export const profileReference = z.strictObject({
  file: filePath
    .optional()
    .describe('File that holds the ClusterProfile, relative to this file; absent: the profile is a document of the files that are read.'),
  name: name.optional().describe('Name of the ClusterProfile; needed where there are several.'),
  variables: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean(), secretSource]))
    .optional()
    .describe("Values of the profile's variables; a masked one comes from fromEnv or fromFile."),
});

const kubernetes = z.strictObject({
  distribution: z.enum(['kubeadm', 'simulated']).default('kubeadm').describe('How Kubernetes is set up; simulated exists only in the sandbox.'),
  version: clusterVersion.describe('Version of Kubernetes, such as v1.36.3.'),
});

const network = z.strictObject({
  pods: cidrList.default(['10.244.0.0/16']).describe('Networks of the pods in CIDR form; two, one of each family, make the cluster dual-stack.'),
  services: cidrList.default(['10.96.0.0/12']).describe('Networks of the services in CIDR form; as many, and in the same order of families, as for pods.'),
  dnsDomain: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, 'a DNS domain has lower-case letters, digits, dashes and dots')
    .default('cluster.local')
    .describe("The cluster's own DNS domain."),
});

const endpoint = z.strictObject({
  host: z.string().min(1).describe('Name or address at which the Kubernetes API is reached.'),
  port: port.default(6443).describe('Port at which the Kubernetes API is reached.'),
  type: z
    .enum(['external', 'vip'])
    .default('external')
    .describe('external: a load balancer, a DNS name or the first control plane; vip: an address that the control planes serve.'),
  interface: z
    .string()
    .regex(/^[^\s/:]{1,15}$/, "a network interface's name has at most 15 characters, without blanks, slashes and colons")
    .optional()
    .describe("vip: the control planes' interface that gets the address; absent: on each host the one that has the node's address."),
});

const rollout = z.strictObject({
  maxUnavailable: z
    .union([z.int().min(1), z.string().regex(/^\d+%$/, 'a share is written 25%')])
    .default(1)
    .describe('How many workers may be away at the same time: a number or a share such as 25%.'),
  canary: z.int().min(0).default(0).describe('How many hosts go first, alone; the rest follow when they are healthy.'),
  drainTimeout: duration.default('5m').describe('How long a drain may take: 90s, 5m, 1h.'),
  maxFailures: z.int().min(0).default(0).describe('How many hosts may fail before a roll-out stops.'),
});

export const clusterSpec = z.strictObject({
  mode: z
    .enum(['controller', 'agent', 'appliance'])
    .describe('How the machines come into being: by a management cluster (controller), by you and an SSH login (agent), by our own image (appliance).'),
  management: z.enum(['local', 'central']).default('local').describe('Who follows the hosts: each for itself (local), or a management cluster (central).'),
  kubernetes: kubernetes.describe('Distribution and version of Kubernetes.'),
  network: network.prefault({}).describe("The cluster's networks."),
  endpoint: endpoint
    .default({host: '', port: 6443, type: 'external'})
    .describe('Where the Kubernetes API is reached, by nodes and by people; needed in agent mode, and made by the infrastructure in controller mode.'),
  profile: profileReference.optional().describe('The layers that are put onto the cluster: network, storage, add-ons.'),
  configuration: componentConfiguration.optional().describe('Settings of the components, merged over what Trireme renders; a host can have its own.'),
  rollout: rollout.prefault({}).describe('How changes that cost something go over the hosts.'),
  trustedBoot: z.boolean().optional().describe('Measured and signed boot; appliance mode only.'),
  bundle: bundleSettings.optional().describe('Where the content for the hosts is fetched when no bundle is given.'),
  agent: agentSettings.optional().describe('The hosts and how they are reached; agent mode only.'),
  controller: controllerSettings.optional().describe('The management cluster, the class and the pools; controller mode only.'),
  appliance: plainMap.optional().describe('Settings of appliance mode.'),
});

export const clusterDocument = z.strictObject({
  apiVersion: z.literal(apiVersion).describe('Version of the file format.'),
  kind: z.literal('Cluster').describe('What the document is.'),
  metadata: metadata.describe('Name and labels of the cluster.'),
  spec: clusterSpec.describe('What the cluster shall be.'),
});

export type ClusterDocument = z.infer<typeof clusterDocument>;
export type ClusterSpec = z.infer<typeof clusterSpec>;
