// Templates can't be changed: whoever wants another one makes another one.
import {isDeepStrictEqual} from 'node:util';
import {valueAt} from '../../../kube/object.ts';
import type {Rules} from './admission.ts';
import {invalidField} from './field-error.ts';

function immutable(kind: string, webhook: string, options: {readonly article: string; readonly errorGroup?: string}): Rules {
  const {article, errorGroup} = options;
  return {
    webhook,
    ...(errorGroup === undefined ? {} : {errorGroup}),
    validate: (template, old) => {
      if (old === undefined || isDeepStrictEqual(valueAt(template, 'spec', 'template', 'spec'), valueAt(old, 'spec', 'template', 'spec'))) return [];
      const detail = `${kind} spec.template.spec field is immutable. Please create ${article}new resource instead.`;
      return [invalidField('spec.template.spec', valueAt(template, 'spec', 'template', 'spec'), detail)];
    },
  };
}

export const devMachineTemplateRules = immutable('DevMachineTemplate', 'devmachinetemplate.infrastructure.cluster.x-k8s.io', {article: 'a '});
export const devClusterTemplateRules = immutable('DevClusterTemplate', 'devclustertemplate.infrastructure.cluster.x-k8s.io', {article: 'a '});
export const controlPlaneTemplateRules = immutable('KubeadmControlPlaneTemplate', 'kubeadmcontrolplanetemplate.controlplane.cluster.x-k8s.io', {
  article: '',
  errorGroup: 'cluster.x-k8s.io',
});
