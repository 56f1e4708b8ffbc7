// `kind: ClusterProfile`: layers that are put onto a cluster, and the variables that they read.
import {z} from 'zod';
import {apiVersion, duration, filePath, kubernetesVersion, metadata, name, plainMap} from './values.ts';

export const variableTypes = ['string', 'number', 'boolean', 'version', 'ipv4', 'ipv6', 'cidr'] as const;

export const profileVariable = z.strictObject({
  type: z
    .enum(variableTypes)
    .default('string')
    .describe('What a value must be: any text, a number, true or false, a version such as 1.2.3, an address, a network in CIDR form.'),
  description: z.string().optional().describe('What the variable is for, shown where its value is asked.'),
  required: z.boolean().default(false).describe('Whether the cluster must give a value when there is no default.'),
  default: z.union([z.string(), z.number(), z.boolean()]).optional().describe('The value when the cluster gives none.'),
  regex: z.string().optional().describe('A regular expression that the whole value, as text, must match.'),
  masked: z.boolean().default(false).describe('A secret: its value comes from fromEnv or fromFile, and is never shown.'),
  hidden: z.boolean().default(false).describe('Not asked for by the wizard.'),
  readOnly: z.boolean().default(false).describe('Has its default always; a cluster cannot set it.'),
});

const manifest = z.union([filePath, z.array(filePath).min(1, 'a layer has at least one manifest')]);

export const profileChart = z.strictObject({
  path: filePath.describe('The chart: its folder, or its package (.tgz), relative to the profile. What it depends on lies in its folder `charts`.'),
  release: name.optional().describe("Name of the release; default: the layer's name."),
  namespace: name.default('default').describe('Namespace of the release; it is made where the chart has none of that name.'),
  values: plainMap.optional().describe('Values of the chart; ${var.NAME} and ${cluster.NAME} are filled in, and keep their type where they stand alone.'),
  valuesFiles: z.array(filePath).optional().describe('Files with values, in order, below `values`; relative to the profile.'),
});

export const profileLayer = z.strictObject({
  name: name.describe('Name of the layer, unique within the profile.'),
  manifest: manifest
    .optional()
    .describe('File, or files in order, with Kubernetes objects; ${var.NAME} and ${cluster.NAME} are filled in. Paths are relative to the profile.'),
  chart: profileChart.optional().describe('A Helm chart, rendered by the pinned program helm on this computer; the cluster needs none.'),
  kustomization: filePath
    .optional()
    .describe('Folder of a kustomization, rendered by the pinned program kubectl on this computer; ${var.NAME} and ${cluster.NAME} are filled in afterwards.'),
  timeout: duration
    .default('10m')
    .describe('How long the layer may take to get healthy: 90s, 10m, 1h. Layers after it wait for it, and are not applied when it does not.'),
});

const osLayer = z.strictObject({
  image: z.string().min(1).optional().describe("The operating system's image; agent mode leaves the operating system alone and ignores it."),
});

const kubernetesLayer = z.strictObject({
  minVersion: kubernetesVersion.optional().describe('The lowest Kubernetes version that the layers are made for, such as v1.34.0.'),
  maxVersion: z
    .string()
    .regex(/^v\d+\.\d+(\.\d+)?$/, 'a highest version is written v1.36 or v1.36.3')
    .optional()
    .describe('The highest Kubernetes version that the layers are made for; v1.36 means any of that minor.'),
});

export const profileLayers = z.strictObject({
  os: osLayer.optional().describe('What the profile says of the operating system.'),
  kubernetes: kubernetesLayer.optional().describe('The Kubernetes versions that the profile is made for.'),
  cni: profileLayer.optional().describe('The network of the pods; applied first.'),
  csi: profileLayer.optional().describe('Storage; applied when the network is healthy.'),
  addons: z.array(profileLayer).optional().describe('What follows, in this order, each when the one before is healthy.'),
});

export const profileDocument = z.strictObject({
  apiVersion: z.literal(apiVersion).describe('Version of the file format.'),
  kind: z.literal('ClusterProfile').describe('What the document is.'),
  metadata: metadata.describe('Name and labels of the profile.'),
  spec: z
    .strictObject({
      variables: z.record(z.string(), profileVariable).optional().describe('The variables by name; a manifest reads one as ${var.NAME}.'),
      layers: profileLayers.prefault({}).describe('The layers, applied in the order cni, csi, addons.'),
    })
    .describe('What the profile puts onto a cluster.'),
});

export type ProfileDocument = z.infer<typeof profileDocument>;
export type ProfileVariable = z.infer<typeof profileVariable>;
export type ProfileChart = z.infer<typeof profileChart>;
export type ProfileLayer = z.infer<typeof profileLayer>;
export type VariableType = (typeof variableTypes)[number];
