// Defaults and refusals of Machines, MachineSets and MachineDeployments.
import {textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import type {FieldError} from '../failure.ts';
import {clusterNameLabel} from '../store.ts';
import type {Rules} from './admission.ts';
import {forbiddenField, invalidField, requiredField} from './field-error.ts';
import {versionErrors, withV} from './versions-of.ts';

type Body = Record<string, unknown>;
type Labels = Readonly<Record<string, string>>;

const bodyAt = (object: unknown, ...path: readonly string[]): Body => (valueAt(object, ...path) as Body | undefined) ?? {};

const withLabel = (draft: KubeObject, clusterName: unknown): KubeObject =>
  ({...draft, metadata: {...draft.metadata, labels: {...draft.metadata.labels, [clusterNameLabel]: clusterName as string}}}) as KubeObject;

function mutateMachine(draft: KubeObject) {
  const spec = bodyAt(draft, 'spec');
  const deletion = {nodeDeletionTimeoutSeconds: 10, ...bodyAt(spec, 'deletion')};
  const version = withV(spec['version'] as string | undefined);
  return {object: {...withLabel(draft, spec['clusterName']), spec: {...spec, ...(version === undefined ? {} : {version}), deletion}} as KubeObject};
}

function bootstrapErrors(object: KubeObject, path: readonly string[]): readonly FieldError[] {
  const bootstrap = bodyAt(object, ...path, 'bootstrap');
  if (bootstrap['configRef'] !== undefined || bootstrap['dataSecretName'] !== undefined || object.metadata.labels?.['cluster.x-k8s.io/pool-name'] !== undefined)
    return [];
  const place = path.join('.');
  return [requiredField(`${place}.bootstrap`, `expected either ${place}.bootstrap.dataSecretName or ${place}.bootstrap.configRef to be populated`)];
}

function clusterNameErrors(object: KubeObject, old: KubeObject | undefined): readonly FieldError[] {
  return old !== undefined && textAt(old, 'spec', 'clusterName') !== textAt(object, 'spec', 'clusterName')
    ? [forbiddenField('spec.clusterName', 'field is immutable')]
    : [];
}

export const machineRules: Rules = {
  webhook: 'machine.cluster.x-k8s.io',
  mutate: mutateMachine,
  validate: (machine, old) => [
    ...bootstrapErrors(machine, ['spec']),
    ...clusterNameErrors(machine, old),
    ...versionErrors('spec.version', textAt(machine, 'spec', 'version')),
  ],
};

/** What sets and deployments of machines share: labels, selector, template. */
function mutateGroup(draft: KubeObject, nameLabel: string): {readonly object: KubeObject; readonly spec: Body} {
  const spec = bodyAt(draft, 'spec');
  const template = bodyAt(spec, 'template');
  const selector = bodyAt(spec, 'selector');
  const meta = bodyAt(template, 'metadata');
  const clusterName = spec['clusterName'];
  const given = bodyAt(selector, 'matchLabels');
  const isOpen = Object.keys(given).length === 0 && valueAt(selector, 'matchExpressions') === undefined;
  const own: Body = isOpen ? {[nameLabel]: draft.metadata.name} : {};
  const templateSpec = bodyAt(template, 'spec');
  const version = withV(templateSpec['version'] as string | undefined);
  const defaulted = {
    ...spec,
    replicas: spec['replicas'] ?? 1,
    selector: {...selector, matchLabels: {...given, ...own, [clusterNameLabel]: clusterName}},
    template: {
      ...template,
      metadata: {...meta, labels: {...bodyAt(meta, 'labels'), ...own, [clusterNameLabel]: clusterName}},
      spec: {...templateSpec, ...(version === undefined ? {} : {version})},
    },
  };
  return {object: withLabel(draft, clusterName), spec: defaulted};
}

function groupErrors(object: KubeObject, old: KubeObject | undefined): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (object.metadata.name.length > 63)
    errors.push(invalidField('metadata.name', object.metadata.name, 'must be a valid label value: must be no more than 63 bytes'));
  errors.push(...bootstrapErrors(object, ['spec', 'template', 'spec']));
  const labels = bodyAt(object, 'spec', 'template', 'metadata', 'labels') as Labels;
  const wanted = bodyAt(object, 'spec', 'selector', 'matchLabels') as Labels;
  if (!Object.entries(wanted).every(([key, value]) => labels[key] === value)) {
    const shown = Object.entries(wanted)
      .toSorted()
      .map(([key, value]) => `${key}=${value}`)
      .join(',');
    errors.push(forbiddenField('spec.template.metadata.labels', `must match spec.selector "${shown}"`));
  }
  errors.push(...clusterNameErrors(object, old));
  const clusterName = textAt(object, 'spec', 'clusterName');
  if (clusterName !== textAt(object, 'spec', 'template', 'spec', 'clusterName'))
    errors.push(invalidField('spec.clusterName', clusterName, 'spec.clusterName and spec.template.spec.clusterName must be set to the same value'));
  errors.push(...versionErrors('spec.template.spec.version', textAt(object, 'spec', 'template', 'spec', 'version')));
  return errors;
}

export const machineSetRules: Rules = {
  webhook: 'machineset.cluster.x-k8s.io',
  mutate: (draft) => {
    const {object, spec} = mutateGroup(draft, 'cluster.x-k8s.io/set-name');
    return {object: {...object, spec: {...spec, deletion: {order: 'Random', ...bodyAt(spec, 'deletion')}}} as KubeObject};
  },
  validate: groupErrors,
};

export const machineDeploymentRules: Rules = {
  webhook: 'machinedeployment.cluster.x-k8s.io',
  mutate: (draft) => {
    const {object, spec} = mutateGroup(draft, 'cluster.x-k8s.io/deployment-name');
    const type = textAt(spec, 'rollout', 'strategy', 'type') ?? 'RollingUpdate';
    const rollingUpdate = {maxSurge: 1, maxUnavailable: 0, ...bodyAt(spec, 'rollout', 'strategy', 'rollingUpdate')};
    const strategy = type === 'RollingUpdate' ? {type, rollingUpdate} : {...bodyAt(spec, 'rollout', 'strategy'), type};
    return {object: {...object, spec: {...spec, rollout: {...bodyAt(spec, 'rollout'), strategy}}} as KubeObject};
  },
  validate: (deployment, old) => {
    const rolling = bodyAt(deployment, 'spec', 'rollout', 'strategy', 'rollingUpdate');
    const isStuck = rolling['maxSurge'] === 0 && rolling['maxUnavailable'] === 0;
    return [
      ...groupErrors(deployment, old),
      ...(isStuck ? [invalidField('spec.rollout.strategy.rollingUpdate', '0', 'maxUnavailable and maxSurge cannot both be 0')] : []),
    ];
  },
};
