// Puts a provider's objects into one namespace, references included, as clusterctl does.
import {TriremeError} from '../../../kernel/errors.ts';
import type {KubeObject} from '../../../kube/object.ts';

/** Kinds in components that stand above namespaces; all others are taken for namespaced. */
const clusterScoped = new Set([
  'Namespace',
  'Node',
  'PersistentVolume',
  'PodSecurityPolicy',
  'CertificateSigningRequest',
  'ClusterRoleBinding',
  'ClusterRole',
  'VolumeAttachment',
  'StorageClass',
  'CSIDriver',
  'CSINode',
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'CustomResourceDefinition',
  'PriorityClass',
  'RuntimeClass',
]);

const injectAnnotation = 'cert-manager.io/inject-ca-from';

type Mutable = Record<string, unknown>;

/** True for kinds that clusterctl puts into a namespace. */
export const isNamespacedKind = (kind: string): boolean => !clusterScoped.has(kind);

/** A copy of the object in `namespace`; `name` is whose components they are. Throws `provider.repository-invalid`. */
export function moveToNamespace(object: KubeObject, namespace: string, name: string): KubeObject {
  const copy = structuredClone(object) as unknown as Mutable & {metadata: Mutable};
  const before = object.metadata.namespace ?? '';
  if (object.kind === 'Namespace') copy.metadata['name'] = namespace;
  if (isNamespacedKind(object.kind)) copy.metadata['namespace'] = namespace;
  switch (object.kind) {
    case 'ClusterRoleBinding':
    case 'RoleBinding':
      for (const subject of mapsIn(copy['subjects'])) if (subject['namespace'] !== undefined && subject['namespace'] !== '') subject['namespace'] = namespace;
      break;
    case 'MutatingWebhookConfiguration':
    case 'ValidatingWebhookConfiguration':
      moveInjection(copy, namespace, name);
      for (const webhook of mapsIn(copy['webhooks'])) moveService(mapAt(webhook, 'clientConfig', 'service'), namespace);
      break;
    case 'CustomResourceDefinition':
      moveInjection(copy, namespace, name);
      moveService(mapAt(copy, 'spec', 'conversion', 'webhook', 'clientConfig', 'service'), namespace);
      break;
    case 'Certificate': {
      const spec = mapAt(copy, 'spec');
      const names = spec?.['dnsNames'];
      // $(SERVICE).$(NAMESPACE).svc
      if (spec !== undefined && Array.isArray(names)) spec['dnsNames'] = names.map((dns) => String(dns).replace(`.${before}.`, `.${namespace}.`));
      break;
    }
    default:
  }
  return copy as unknown as KubeObject;
}

function moveInjection(object: {readonly kind?: unknown; metadata: Mutable}, namespace: string, name: string): void {
  const annotations = object.metadata['annotations'] as Mutable | null | undefined;
  const from = annotations?.[injectAnnotation];
  if (annotations === undefined || annotations === null || from === undefined) return;
  const parts = String(from).split('/');
  if (parts.length !== 2)
    throw new TriremeError(
      'provider.repository-invalid',
      `The components of ${name} can't be used: ${injectAnnotation} of ${String(object.metadata['name'])} isn't NAMESPACE/NAME.`,
    );
  annotations[injectAnnotation] = `${namespace}/${parts[1]}`;
}

function moveService(service: Mutable | undefined, namespace: string): void {
  if (service !== undefined) service['namespace'] = namespace;
}

function mapAt(object: unknown, ...path: readonly string[]): Mutable | undefined {
  let value = object;
  for (const key of path) {
    if (value === null || typeof value !== 'object') return undefined;
    value = (value as Mutable)[key];
  }
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Mutable) : undefined;
}

function mapsIn(value: unknown): readonly Mutable[] {
  return Array.isArray(value) ? value.filter((item): item is Mutable => item !== null && typeof item === 'object') : [];
}
