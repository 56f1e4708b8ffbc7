// What Cluster API refuses in a KubeadmControlPlane.
import {numberAt, textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import type {FieldError} from '../failure.ts';
import {parseVersion, skipsMinor} from '../versions.ts';
import type {Rules} from './admission.ts';
import {forbiddenField} from './field-error.ts';
import {versionErrors, withV} from './versions-of.ts';

function mutate(draft: KubeObject) {
  const spec = draft['spec'] as Readonly<Record<string, unknown>>;
  const maxSurge = valueAt(spec, 'rollout', 'strategy', 'rollingUpdate', 'maxSurge') ?? 1;
  const rollout = {...(spec['rollout'] as object | undefined), strategy: {type: 'RollingUpdate', rollingUpdate: {maxSurge}}};
  return {object: {...draft, spec: {...spec, replicas: spec['replicas'] ?? 1, version: withV(spec['version'] as string), rollout}} as KubeObject};
}

function validate(controlPlane: KubeObject, old: KubeObject | undefined): readonly FieldError[] {
  const errors: FieldError[] = [];
  const replicas = numberAt(controlPlane, 'spec', 'replicas') ?? 1;
  const version = textAt(controlPlane, 'spec', 'version');
  if (replicas <= 0) errors.push(forbiddenField('spec.replicas', 'cannot be less than or equal to 0'));
  const hasExternalEtcd = valueAt(controlPlane, 'spec', 'kubeadmConfigSpec', 'clusterConfiguration', 'etcd', 'external') !== undefined;
  if (!hasExternalEtcd && replicas % 2 === 0) errors.push(forbiddenField('spec.replicas', 'cannot be an even number when etcd is stacked'));
  errors.push(...versionErrors('spec.version', version));
  if (old === undefined) return errors;
  const from = parseVersion(textAt(old, 'spec', 'version'));
  const to = parseVersion(version);
  if (from !== undefined && to !== undefined && skipsMinor(from, to))
    errors.push(forbiddenField('spec.version', `cannot update Kubernetes version from ${textAt(old, 'spec', 'version')} to ${version}`));
  return errors;
}

export const controlPlaneRules: Rules = {
  webhook: 'kubeadmcontrolplane.controlplane.cluster.x-k8s.io',
  errorGroup: 'cluster.x-k8s.io',
  mutate,
  validate,
};
