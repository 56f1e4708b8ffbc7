// The values that several parts of the file share.
import {z} from 'zod';

export const apiVersion = 'trireme.dev/v1alpha1';

export const name = z
  .string()
  .regex(
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
    'a name has lower-case letters, digits and dashes, begins and ends with a letter or digit, and has at most 63 characters',
  )
  .describe('A name by RFC 1123: lower-case letters, digits and dashes, at most 63 characters.');

export const port = z.int().min(1).max(65_535);

/** Settings that are passed through to a component: their fields are the component's own. */
export const plainMap = z.record(z.string(), z.unknown());

export const labels = z.record(z.string(), z.string());

export const filePath = z.string().min(1, 'a path is not empty');

export const kubernetesVersion = z.string().regex(/^v\d+\.\d+\.\d+$/, 'a version is written with a v and three numbers: v1.36.3');

/** A cluster's: other distributions than kubeadm add to it (`v1.33.4+rke2r1`); agent mode's lint refuses that. */
export const clusterVersion = z
  .string()
  .regex(/^v\d+\.\d+\.\d+(-[0-9A-Za-z][0-9A-Za-z.-]*)?(\+[0-9A-Za-z][0-9A-Za-z.-]*)?$/, 'a version is written with a v and three numbers: v1.36.3');

export const duration = z.string().regex(/^\d+(s|m|h)$/, 'a duration is written 90s, 5m or 1h');

/** Where a secret comes from; it is never written into the file. */
export const secretSource = z.union([
  z.strictObject({fromEnv: z.string().min(1).describe('Name of the environment variable that holds the secret.')}),
  z.strictObject({fromFile: filePath.describe('Path of a file that holds the secret; a trailing newline is dropped.')}),
]);

export const metadata = z.strictObject({
  name: name.describe('The name by which commands and other documents call this one: lower-case letters, digits and dashes, at most 63 characters.'),
  labels: labels.optional().describe('Labels of the document, for people and for selecting; no meaning to Trireme.'),
});

export type SecretSource = z.infer<typeof secretSource>;
