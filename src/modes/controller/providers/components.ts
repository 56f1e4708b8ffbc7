// A provider's components as clusterctl makes them: variables filled in, images overridden, in one namespace, labelled, in order.
import {TriremeError} from '../../../kernel/errors.ts';
import type {KubeObject} from '../../../kube/object.ts';
import {listAt, textAt} from '../../../kube/object.ts';
import {refuseFiles} from '../../../spec/complaint.ts';
import {readManifestText} from '../../../spec/manifest-text.ts';
import {largestManifest, Source, sourceOfBytes} from '../../../spec/source.ts';
import {substitute, type TemplateVariable} from '../templates/substitute.ts';
import type {Configuration} from './configuration.ts';
import {imagesOf, overrideImages} from './images.ts';
import {labelOf, type Provider} from './provider.ts';
import {moveToNamespace} from './target-namespace.ts';

export const clusterctlLabel = 'clusterctl.cluster.x-k8s.io';
export const coreLabel = 'clusterctl.cluster.x-k8s.io/core';
export const providerLabel = 'cluster.x-k8s.io/provider';
const skipNameCheck = 'clusterctl.cluster.x-k8s.io/skip-crd-name-preflight-check';

export interface Components {
  readonly provider: Provider;
  readonly version: string;
  readonly contract: string;
  /** Where they come from, for messages. */
  readonly place: string;
  readonly namespace: string;
  /** In the order in which they are written. */
  readonly objects: readonly KubeObject[];
  readonly variables: readonly TemplateVariable[];
  readonly images: readonly string[];
  /** What speaks against them without hindering. */
  readonly remarks: readonly string[];
}

export interface ComponentsOptions {
  readonly version: string;
  readonly contract: string;
  readonly place: string;
  readonly configuration: Pick<Configuration, 'lookup' | 'images'>;
  /** Default: that of the components. */
  readonly namespace?: string;
}

/** Makes the objects of a release. Throws `provider.variable-missing` (all of them at once), `provider.repository-invalid`. */
export function readComponents(bytes: Uint8Array, provider: Provider, options: ComponentsOptions): Components {
  const label = labelOf(provider);
  const name = `${label} ${options.version}`;
  const read = sourceOfBytes(name, '/', bytes, largestManifest * 4);
  if ('complaint' in read) throw refuseFiles([read.complaint]);
  const filled = substitute(read.source, options.configuration.lookup);
  if (filled.missing.length > 0) throw missingVariables(name, filled.missing, filled.variables);
  if (filled.complaints.length > 0) throw refuseFiles(filled.complaints);
  const {objects, complaints} = readManifestText(new Source(name, '/', filled.text));
  if (complaints.length > 0) throw refuseFiles(complaints);
  const kubeObjects = objects as readonly KubeObject[];
  const namespaces = kubeObjects.filter(({kind}) => kind === 'Namespace');
  if (namespaces.length > 1) throw invalid(name, `there are ${namespaces.length} Namespaces in them, and there may be one`);
  const namespace = options.namespace ?? namespaces[0]?.metadata.name;
  if (namespace === undefined)
    throw new TriremeError('provider.repository-invalid', `The components of ${name} name no namespace.`, {hints: ['Choose one: --target-namespace NAME']});
  const overridden = kubeObjects.map((object) => overrideImages(object, label, options.configuration.images));
  const whole = namespaces.length === 1 ? overridden : [...overridden, {apiVersion: 'v1', kind: 'Namespace', metadata: {name: namespace}}];
  const labelled = whole.map((object) => withLabels(moveToNamespace(object, namespace, name), {[clusterctlLabel]: '', [providerLabel]: label}));
  return {
    provider: {name: provider.name, type: provider.type},
    version: options.version,
    contract: options.contract,
    place: options.place,
    namespace,
    objects: orderForCreation(labelled),
    variables: filled.variables,
    images: imagesOf(labelled),
    remarks: labelled.flatMap((object) => crdNameRemark(object, name) ?? []),
  };
}

function missingVariables(name: string, missing: readonly string[], variables: readonly TemplateVariable[]): TriremeError {
  const defaults = variables.filter((variable) => variable.default !== undefined).map((variable) => `${variable.name}=${variable.default}`);
  return new TriremeError(
    'provider.variable-missing',
    `The components of ${name} need ${missing.length === 1 ? 'a variable that has' : 'variables that have'} no value: ${missing.join(', ')}.`,
    {
      hints: [
        'Give them in the environment, in clusterctl.yaml, or with --set NAME=VALUE (not for secrets: other users see arguments).',
        ...(defaults.length === 0 ? [] : [`These have defaults: ${defaults.join(', ')}`]),
      ],
      details: {missing, variables: variables.map(({name: one, default: value}) => ({name: one, ...(value === undefined ? {} : {default: value})}))},
    },
  );
}

export function withLabels(object: KubeObject, labels: Readonly<Record<string, string>>): KubeObject {
  return {...object, metadata: {...object.metadata, labels: {...object.metadata.labels, ...labels}}};
}

/** Namespaces, then cert-manager's objects (its injector must see them before the webhooks), then the rest as they stand. */
function orderForCreation(objects: readonly KubeObject[]): readonly KubeObject[] {
  const rank = ({kind, apiVersion}: KubeObject) => (kind === 'Namespace' ? 0 : apiVersion.startsWith('cert-manager.io/') ? 1 : 2);
  return objects.toSorted((a, b) => rank(a) - rank(b));
}

/** Cluster API finds a provider's CRDs by their computed name; the guess here is right for regular words only, so it refuses nothing. */
function crdNameRemark(object: KubeObject, name: string): string | undefined {
  if (object.kind !== 'CustomResourceDefinition' || object.metadata.annotations?.[skipNameCheck] !== undefined) return undefined;
  const [group, kind] = [textAt(object, 'spec', 'group') ?? '', textAt(object, 'spec', 'names', 'kind') ?? ''];
  const wanted = `${pluralOf(kind.toLowerCase())}.${group}`;
  if (object.metadata.name === wanted) return undefined;
  return `${name} has a CRD ${object.metadata.name}; Cluster API looks for the kind ${kind} as ${wanted}, and may not find it.`;
}

/** As flect.Pluralize makes it of kinds: what Kubernetes' builders use. */
function pluralOf(word: string): string {
  if (/(s|x|z|ch|sh)$/.test(word)) return `${word}es`;
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`;
  return `${word}s`;
}

/** Names of the CRDs among the objects. */
export function crdsOf(objects: readonly KubeObject[]): readonly KubeObject[] {
  return objects.filter(({kind}) => kind === 'CustomResourceDefinition');
}

/** Webhook configurations that have something to call. */
export function webhookConfigurationsOf(objects: readonly KubeObject[]): readonly KubeObject[] {
  return objects.filter(({kind, ...rest}) => /^(Mutating|Validating)WebhookConfiguration$/.test(kind) && listAt(rest, 'webhooks').length > 0);
}

function invalid(name: string, why: string): TriremeError {
  return new TriremeError('provider.repository-invalid', `The components of ${name} can't be used: ${why}.`, {hints: ["Tell the provider's maintainers."]});
}
