// The namespace of the cluster's objects is there.
import type {ManagementCheck} from '../check.ts';

export const namespaceExists: ManagementCheck = {
  id: 'namespace',
  title: "The cluster's namespace is there",
  severity: 'error',
  of: 'management',
  run: ({hasNamespace}, {spec}) => {
    const name = spec.controller?.namespace ?? 'default';
    return hasNamespace === false
      ? [{observed: `there is no namespace ${name}`, wanted: 'the namespace that the file names', remedy: `kubectl create namespace ${name}`}]
      : [];
  },
};
