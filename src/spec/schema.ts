// What a user can want, as zod schemas: the one source of types, JSON Schema and `explain`.
import {z} from 'zod';

export const apiVersion = 'trireme.dev/v1alpha1';

const name = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'a name has lower-case letters, digits and dashes, at most 63').describe('A name by RFC 1123: lower-case letters, digits and dashes.');
const port = z.int().min(1).max(65_535);
const plainMap = z.record(z.string(), z.unknown());
const labels = z.record(z.string(), z.string());
const cidrList = z.array(z.string()).min(1).max(2);

/** Where a secret comes from; it is never written into the file. */
export const secretSource = z.union([
  z.strictObject({fromEnv: z.string().min(1).describe('Name of the environment variable that holds the secret.')}),
  z.strictObject({fromFile: z.string().min(1).describe('Path of a file that holds the secret; a trailing newline is dropped.')}),
]);

export const taint = z.strictObject({
  key: z.string().min(1),
  value: z.string().optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
});

export const hostFile = z.strictObject({
  source: z.string().describe('Path on this computer, relative to the file.'),
  path: z.string().startsWith('/').describe('Path on the host.'),
  mode: z.string().regex(/^0[0-7]{3}$/).default('0644'),
  owner: z.string().default('root:root'),
});

export const sshSettings = z.strictObject({
  user: z.string().optional().describe('Login name; default: what ssh_config says, else the local user.'),
  port: port.optional(),
  identityFile: z.string().optional().describe('Private key; default: what ssh_config says, the agent, and the usual files.'),
  passphrase: secretSource.optional().describe('Passphrase of the private key.'),
  knownHosts: z.array(z.string()).optional().describe('known_hosts files; default: those of ssh_config.'),
  configFile: z.string().optional().describe('ssh_config file; default ~/.ssh/config. `none` reads none.'),
  jump: z.array(z.string()).optional().describe('Jump hosts in order, as [user@]host[:port].'),
  sudo: z.strictObject({password: secretSource.optional().describe('Password for sudo.')}).optional(),
});

export const componentConfiguration = z.strictObject({
  kubelet: plainMap.optional().describe('Fields of KubeletConfiguration (kubelet.config.k8s.io/v1beta1).'),
  apiServer: plainMap.optional().describe('The apiServer part of ClusterConfiguration (kubeadm.k8s.io/v1beta4): extraArgs, extraVolumes, certSANs.'),
  controllerManager: plainMap.optional().describe('The controllerManager part of ClusterConfiguration.'),
  scheduler: plainMap.optional().describe('The scheduler part of ClusterConfiguration.'),
  etcd: plainMap.optional().describe('The etcd.local part of ClusterConfiguration.'),
  kubeProxy: plainMap.optional().describe('Fields of KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1).'),
  kubeadm: plainMap.optional().describe('Other kubeadm settings: ignorePreflightErrors, timeouts, patches.'),
  containerd: plainMap.optional().describe("Merged into containerd's config.toml, version 3."),
  sysctls: z.record(z.string(), z.union([z.string(), z.number()])).optional().describe('Kernel parameters by dotted name.'),
});

export const agentHost = z.strictObject({
  name,
  address: z.string().min(1).describe('Where SSH reaches the host: name or address.'),
  nodeAddress: z.union([z.string(), z.array(z.string()).min(1).max(2)]).optional().describe("The node's own address (two for dual-stack); default: `address` when it is an IP address, else the address of the default route."),
  role: z.enum(['control-plane', 'worker']),
  site: z.string().optional(),
  labels: labels.optional().describe('Node labels that Trireme keeps.'),
  taints: z.array(taint).optional().describe("Node taints that Trireme keeps; the control plane's own taint stays unless this is an empty list."),
  ssh: sshSettings.optional().describe('Over the cluster-wide SSH settings.'),
  configuration: componentConfiguration.optional().describe('Over the cluster-wide configuration, for this host.'),
  files: z.array(hostFile).optional(),
  hooks: z.strictObject({beforeApply: z.string().optional(), afterApply: z.string().optional()}).optional().describe('Scripts on this computer that are run on the host.'),
});

export const preflightSettings = z.strictObject({ignore: z.array(z.string()).optional().describe('Ids of checks whose errors become warnings.')});

export const driftPolicy = z.enum(['repair', 'report']);

export const agentSettings = z.strictObject({
  ssh: sshSettings.optional(),
  root: z.string().startsWith('/').optional().describe("The folder under which the agent's program lives; default /usr/local/lib/trireme."),
  runtime: z.record(z.enum(['amd64', 'arm64']), z.string()).optional().describe('Node runtime per architecture, as a path on this computer.'),
  bundle: z.string().optional().describe('A folder, a tar, or oci://registry/repository:tag; absent: resolved from the public sources, pinned by digest, cached.'),
  proxy: z.strictObject({http: z.string().optional(), https: z.string().optional(), noProxy: z.array(z.string()).optional()}).optional(),
  drift: z.union([driftPolicy, z.record(z.enum(['files', 'sysctls', 'modules', 'runtime', 'kubelet', 'node']), driftPolicy)]).optional(),
  preflight: preflightSettings.optional(),
  hosts: z.array(agentHost).min(1),
});

export const bundleSettings = z.strictObject({
  sources: z.record(z.string(), z.string()).optional().describe('Other base addresses for the public download places and registries, by host name.'),
  lock: z.string().optional().describe('Lock file of versions and digests; default: trireme.lock beside the file.'),
});

export const clusterSpec = z.strictObject({
  mode: z.enum(['controller', 'agent', 'appliance']),
  management: z.enum(['local', 'central']).default('local'),
  kubernetes: z.strictObject({
    distribution: z.enum(['kubeadm', 'simulated']).default('kubeadm'),
    version: z.string().regex(/^v\d+\.\d+\.\d+$/, 'a version is written v1.36.3'),
  }),
  network: z.strictObject({
    pods: cidrList.default(['10.244.0.0/16']),
    services: cidrList.default(['10.96.0.0/12']),
    dnsDomain: z.string().default('cluster.local'),
  }).prefault({}),
  endpoint: z.strictObject({
    host: z.string().min(1).describe('Name or address at which the Kubernetes API is reached.'),
    port: port.default(6443),
    type: z.enum(['external', 'vip']).default('external'),
  }),
  profile: z.strictObject({file: z.string().optional(), name: z.string().optional(), variables: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), secretSource])).optional()}).optional(),
  configuration: componentConfiguration.optional(),
  rollout: z.strictObject({
    maxUnavailable: z.union([z.int().min(1), z.string().regex(/^\d+%$/)]).default(1),
    canary: z.int().min(0).default(0),
    drainTimeout: z.string().regex(/^\d+(s|m|h)$/).default('5m'),
    maxFailures: z.int().min(0).default(0),
  }).prefault({}),
  trustedBoot: z.boolean().optional().describe('Measured and signed boot; appliance mode only.'),
  bundle: bundleSettings.optional(),
  agent: agentSettings.optional(),
  controller: plainMap.optional(),
  appliance: plainMap.optional(),
});

export const clusterDocument = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal('Cluster'),
  metadata: z.strictObject({name, labels: labels.optional()}),
  spec: clusterSpec,
});

export type ClusterDocument = z.infer<typeof clusterDocument>;
export type ClusterSpec = z.infer<typeof clusterSpec>;
export type AgentHost = z.infer<typeof agentHost>;
export type SshSettings = z.infer<typeof sshSettings>;
export type SecretSource = z.infer<typeof secretSource>;
export type Taint = z.infer<typeof taint>;
export type ComponentConfiguration = z.infer<typeof componentConfiguration>;
