// The part of a Cluster that says which hosts it has and how they are reached: `spec.agent`.
import {z} from 'zod';
import {filePath, labels, name, plainMap, port, secretSource} from './values.ts';

export const taint = z.strictObject({
  key: z.string().min(1).describe('Key of the taint: `gpu` or `example.com/gpu`.'),
  value: z.string().optional().describe('Value of the taint; absent: none.'),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).describe('What the taint does to pods that do not tolerate it.'),
});

export const hostFile = z.strictObject({
  source: filePath.describe('Path on this computer, relative to the file. The content is text in UTF-8, at most 1 MiB.'),
  path: z.string().startsWith('/', 'a path on a host begins with /').describe('Path on the host, absolute.'),
  mode: z
    .string()
    .regex(/^0[0-7]{3}$/, 'a mode is an octal number in quotes: "0644"')
    .default('0644')
    .describe('Permissions as an octal number in quotes.'),
  owner: z
    .string()
    .regex(/^[a-z_][-a-z0-9_]*(:[a-z_][-a-z0-9_]*)?$|^\d+(:\d+)?$/, 'an owner is written user or user:group')
    .default('root:root')
    .describe('Owner on the host, as user:group.'),
});

export const sshSettings = z.strictObject({
  user: z.string().min(1).optional().describe('Login name; default: what ssh_config says, else the local user.'),
  port: port.optional().describe('Port of the SSH server; default: what ssh_config says, else 22.'),
  identityFile: filePath.optional().describe('Private key; default: what ssh_config says, the agent, and the usual files.'),
  passphrase: secretSource.optional().describe('Where the passphrase of the private key comes from.'),
  knownHosts: z.array(filePath).optional().describe('known_hosts files; default: those of ssh_config.'),
  configFile: filePath.optional().describe('ssh_config file; default ~/.ssh/config. `none` reads none.'),
  jump: z.array(z.string()).optional().describe('Jump hosts in order, as [user@]host[:port]; an IPv6 address in brackets.'),
  sudo: z
    .strictObject({password: secretSource.optional().describe('Where the password for sudo comes from; absent: sudo asks for none.')})
    .optional()
    .describe('How the login user becomes root.'),
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
  sysctls: z
    .record(z.string(), z.union([z.string(), z.number()]))
    .optional()
    .describe('Kernel parameters by dotted name, such as net.core.somaxconn.'),
});

export const agentHost = z.strictObject({
  name: name.describe("The host's name, and its node's name in the cluster: lower-case letters, digits and dashes, at most 63 characters."),
  address: z.string().min(1).describe('Where SSH reaches the host: name or address.'),
  nodeAddress: z
    .union([z.string(), z.array(z.string()).min(1).max(2)])
    .optional()
    .describe("The node's own address (two for dual-stack); default: `address` when it is an IP address, else the address of the default route."),
  role: z.enum(['control-plane', 'worker']).describe('What the host is in the cluster.'),
  enrol: z
    .enum(['ssh', 'file'])
    .optional()
    .describe('How the host learns what it shall be: over SSH (the default), or by a file that trireme agent package makes for it, where nobody can log in.'),
  site: z.string().min(1).optional().describe('Where the host stands, for people and for selecting: a rack, a room, a ship.'),
  labels: labels.optional().describe('Node labels that Trireme keeps.'),
  taints: z.array(taint).optional().describe("Node taints that Trireme keeps; the control plane's own taint stays unless this is an empty list."),
  ssh: sshSettings.optional().describe('SSH settings of this host, over the cluster-wide ones.'),
  configuration: componentConfiguration.optional().describe('Component settings of this host, over the cluster-wide ones.'),
  files: z.array(hostFile).optional().describe('Files that Trireme writes to the host and keeps.'),
  hooks: z
    .strictObject({
      beforeApply: filePath.optional().describe('Script that runs on the host before anything is changed; a failure stops the host.'),
      afterApply: filePath.optional().describe('Script that runs on the host when it is done.'),
    })
    .optional()
    .describe('Scripts on this computer that are run on the host, as root.'),
});

export const registryMirror = z.strictObject({
  url: z
    .string()
    .regex(/^https?:\/\/[^\s@]+$/, 'a mirror is an http or https address, without a password in it')
    .describe('Address of the mirror: https://mirror.example:5000, or with a path such as https://mirror.example/v2/project.'),
  capabilities: z
    .array(z.enum(['pull', 'resolve', 'push']))
    .min(1)
    .default(['pull', 'resolve'])
    .describe('What it is asked for: contents (pull), and what a tag means (resolve).'),
  authority: filePath.optional().describe('File on this computer with the certificates (PEM) that the mirror is trusted by.'),
});

export const registry = z.strictObject({
  name: z
    .string()
    .regex(/^(_default|[A-Za-z0-9.-]+(:\d+)?)$/, 'a registry is a host, with a port where it has one, or _default')
    .describe('The registry that images name, such as docker.io; _default stands for all others.'),
  mirrors: z.array(registryMirror).min(1, 'a registry has at least one mirror').describe('Where its images are fetched instead, in this order.'),
  fallback: z.boolean().default(true).describe('Whether the registry itself is asked when no mirror has an image.'),
});

export const preflightSettings = z.strictObject({
  ignore: z.array(z.string()).optional().describe('Ids of checks whose errors become warnings.'),
});

export const driftPolicy = z.enum(['repair', 'report']);

export const agentSettings = z.strictObject({
  ssh: sshSettings.optional().describe('How all hosts are reached over SSH; a host can have its own.'),
  root: z
    .string()
    .startsWith('/', 'a path on a host begins with /')
    .optional()
    .describe("The folder under which the agent's program lives; default /usr/local/lib/trireme."),
  runtime: z
    .partialRecord(z.enum(['amd64', 'arm64']), filePath)
    .optional()
    .describe('Node runtime per architecture, as a path on this computer; default: found by Trireme.'),
  bundle: z
    .string()
    .min(1)
    .optional()
    .describe('A folder, a tar, or oci://registry/repository:tag; absent: resolved from the public sources, pinned by digest, cached.'),
  proxy: z
    .strictObject({
      http: z.string().min(1).optional().describe('Proxy for HTTP, as a URL.'),
      https: z.string().min(1).optional().describe('Proxy for HTTPS, as a URL.'),
      noProxy: z
        .array(z.string())
        .optional()
        .describe("What is reached without the proxy, besides the cluster's own networks, endpoint and hosts, which Trireme adds."),
    })
    .optional()
    .describe('Proxy of container runtime and kubelet.'),
  registries: z.array(registry).optional().describe("Mirrors of registries for images that aren't in the content: hosts.toml files of containerd."),
  drift: z
    .union([driftPolicy, z.partialRecord(z.enum(['files', 'sysctls', 'modules', 'runtime', 'kubelet', 'node']), driftPolicy)])
    .optional()
    .describe('What the agent does about changes by others: repair (the default) or report, for all or by area.'),
  preflight: preflightSettings.optional().describe('Settings of the checks before the first change.'),
  hosts: z.array(agentHost).min(1, 'a cluster has at least one host').describe('The hosts of the cluster.'),
});

export type AgentHost = z.infer<typeof agentHost>;
export type SshSettings = z.infer<typeof sshSettings>;
export type Taint = z.infer<typeof taint>;
export type ComponentConfiguration = z.infer<typeof componentConfiguration>;
