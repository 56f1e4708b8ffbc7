// Makes a machine with its infrastructure and bootstrap objects, cloned from templates.
import {textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import type {Draft} from '../draft.ts';
import {annotations, kinds, labels} from './names.ts';
import {ownerReference, type Reach} from './runtime.ts';

export interface MachineWish {
  readonly name: string;
  /** The set or control plane. */
  readonly owner: KubeObject;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly infrastructureRef: unknown;
  /** A template's reference, or the configuration itself. */
  readonly bootstrap: {readonly templateRef: unknown} | {readonly spec: Draft};
  /** Of the Machine, besides what is made here. */
  readonly spec: Draft;
  readonly manager: string;
}

/** The missing template's kind, when the machine can't be made. */
export function missingTemplate(references: readonly unknown[], namespace: string | undefined, reach: Reach): string | undefined {
  const missing = references.find((reference) => reference !== undefined && reach.referenced(reference, namespace) === undefined);
  return missing === undefined ? undefined : textAt(missing, 'kind');
}

export function createMachine(wish: MachineWish, reach: Reach): KubeObject {
  const {name, owner, manager} = wish;
  const {namespace} = owner.metadata;
  const clusterName = wish.labels[labels.cluster] ?? '';
  const infrastructureTemplate = reach.referenced(wish.infrastructureRef, namespace);
  const ownerReferences = [ownerReference(owner, {controller: true})];
  const cloned = (template: KubeObject | undefined): Draft => ({
    metadata: {
      name,
      namespace,
      labels: wish.labels,
      // until the machine owns it
      ownerReferences,
      ...(template === undefined
        ? {}
        : {
            annotations: {
              [annotations.clonedFromName]: template.metadata.name,
              [annotations.clonedFromKind]: `${template.kind}.${template.apiVersion.split('/')[0]}`,
            },
          }),
    },
    spec: (valueAt(template, 'spec', 'template', 'spec') as Draft | undefined) ?? {},
  });
  const infrastructureKind = infrastructureTemplate?.kind.replace(/Template$/, '') ?? 'DevMachine';
  const infrastructureGroup = infrastructureTemplate?.apiVersion.split('/')[0] ?? '';
  const infrastructure = reach.create(`${infrastructureKind}.${infrastructureGroup}`, cloned(infrastructureTemplate), namespace, manager);
  const config =
    'spec' in wish.bootstrap
      ? reach.create(kinds.bootstrapConfig, {...cloned(undefined), spec: wish.bootstrap.spec}, namespace, manager)
      : reach.create(kinds.bootstrapConfig, cloned(reach.referenced(wish.bootstrap.templateRef, namespace)), namespace, manager);
  const reference = (object: KubeObject) => ({apiGroup: object.apiVersion.split('/')[0], kind: object.kind, name: object.metadata.name});
  const machine = reach.create(
    kinds.machine,
    {
      metadata: {
        name,
        namespace,
        labels: wish.labels,
        ...(wish.annotations === undefined ? {} : {annotations: wish.annotations}),
        ownerReferences,
        finalizers: ['machine.cluster.x-k8s.io'],
      },
      spec: {...wish.spec, clusterName, bootstrap: {configRef: reference(config)}, infrastructureRef: reference(infrastructure)},
    },
    namespace,
    manager,
  );
  // the machine takes over what was made for it
  for (const object of [infrastructure, config])
    reach.change(object, (draft) => ({...draft, metadata: {...(draft['metadata'] as object), ownerReferences: [ownerReference(machine, {controller: true})]}}));
  return machine;
}
